//! A transport that expects certain requests in a certain order.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use crate::{
    http::{
        message::{Request, Response},
        transport::{SendError, Transport},
    },
    types::Instant,
};

struct Step {
    method: String,
    target: String,
    answer: Result<Response, SendError>,
}

thread_local! {
    static PLAYING: RefCell<Option<Rc<Scripted>>> = const { RefCell::new(None) };
}

/// Let [`Live`] answer from this script on this thread; the clock is the script's. Begins with an empty world, so set
/// settings afterwards.
pub fn play(script: Scripted) -> Rc<Scripted> {
    super::reset();
    super::set_now(script.now);
    let script = Rc::new(script);
    PLAYING.set(Some(Rc::clone(&script)));
    script
}

/// What providers send through: the network in a component, here the script that [`play`] began.
#[derive(Debug, Clone, Copy, Default)]
pub struct Live;

impl Transport for Live {
    /// # Panics
    /// If no script is playing, or the request is not its next.
    fn send(&self, request: &Request) -> Result<Response, SendError> {
        let script = PLAYING.with_borrow(Clone::clone);
        assert!(script.is_some(), "a request, but no script is playing: {} {}", request.method, request.url);
        script.map_or_else(|| Err(SendError::Failed("no script".to_owned())), |s| (&*s).send(request))
    }

    fn now(&self) -> Instant {
        crate::time::now()
    }
}

/// Answers from a script. A request that is not the next of the script fails the test, and so does an unfinished script
/// ([`Scripted::finish`]).
#[derive(Default)]
pub struct Scripted {
    now: Instant,
    steps: RefCell<VecDeque<Step>>,
    requests: RefCell<Vec<Request>>,
}

impl Scripted {
    /// An empty script, played at this instant.
    #[must_use]
    pub fn at(now: Instant) -> Self {
        Self { now, ..Self::default() }
    }

    /// Expect a request next. `target` is the URL from the path on (`/v2/me?x=1`), or only its path to leave the
    /// query open. Answer with a status and a JSON body.
    #[must_use]
    pub fn on(self, method: &str, target: &str, status: u16, body: &str) -> Self {
        self.on_with(method, target, status, &[], body)
    }

    /// As [`Self::on`], with response headers.
    #[must_use]
    pub fn on_with(
        self,
        method: &str,
        target: &str,
        status: u16,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Self {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        self.step(method, target, Ok(Response { status, headers, body: body.as_bytes().to_vec() }))
    }

    /// Expect a request next that gets no answer.
    #[must_use]
    pub fn on_failure(self, method: &str, target: &str, error: SendError) -> Self {
        self.step(method, target, Err(error))
    }

    fn step(self, method: &str, target: &str, answer: Result<Response, SendError>) -> Self {
        let step = Step { method: method.to_owned(), target: target.to_owned(), answer };
        self.steps.borrow_mut().push_back(step);
        self
    }

    /// What was sent, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.requests.borrow().clone()
    }

    /// The JSON body of the request with this index; null if it had none.
    #[must_use]
    pub fn body(&self, index: usize) -> serde_json::Value {
        let requests = self.requests.borrow();
        let body = requests.get(index).and_then(|r| r.body.as_deref()).unwrap_or(b"null");
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// The script must be over.
    ///
    /// # Panics
    /// If a request of the script was not made.
    pub fn finish(&self) {
        let left: Vec<_> = self.steps.borrow().iter().map(|s| format!("{} {}", s.method, s.target)).collect();
        assert!(left.is_empty(), "requests that were expected and not made: {left:?}");
    }
}

impl Transport for &Scripted {
    /// # Panics
    /// If the request is not the next of the script.
    fn send(&self, request: &Request) -> Result<Response, SendError> {
        self.requests.borrow_mut().push(request.clone());
        let after_scheme = request.url.split_once("://").map_or(request.url.as_str(), |(_, rest)| rest);
        let target = after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or("/");
        let path = target.split('?').next().unwrap_or(target);
        let step = self.steps.borrow_mut().pop_front();
        assert!(step.is_some(), "unexpected request: {} {target}", request.method);
        let Some(step) = step else { return Err(SendError::Failed("the script is over".to_owned())) };
        let given = if step.target.contains('?') { target } else { path };
        assert_eq!((step.method.as_str(), step.target.as_str()), (request.method.as_str(), given));
        step.answer
    }

    fn now(&self) -> Instant {
        self.now
    }
}
