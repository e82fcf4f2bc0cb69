//! Who stands in for the provider, and what goes wrong in between.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use berth_model::time::Instant;
use berth_runtime::egress::interceptor::{Intercept, InterceptedAnswer, InterceptedRequest, Interceptor};

use crate::{
    Provider,
    recording::{Exchange, Recording, target},
};

/// What goes wrong during one call.
#[derive(Debug, Clone, Default)]
pub(crate) enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Every request gets this answer, and the provider is never asked.
    Always(InterceptedAnswer),
    /// Every connection breaks before the provider is asked.
    Unreachable,
    /// So many changes pass; the next request that changes something is done, and its answer is lost.
    AnswerLost(u32),
    /// The first request that changes something gets this answer in place of the provider's, and is not done.
    Instead(InterceptedAnswer),
    /// Whatever is asked after the first request, it gets the answer of the first.
    SameAgain,
}

/// The provider of a check.
pub(crate) struct SimulatedProvider {
    recording: Option<Arc<Recording>>,
    live: bool,
    /// Ends of the paths of POSTs that change nothing.
    questions: Vec<String>,
    run: Mutex<Run>,
}

struct Run {
    case: String,
    fault: Fault,
    /// Requests of this call.
    requests: Vec<InterceptedRequest>,
    first: Option<InterceptedAnswer>,
    /// Changes of this call that passed.
    passed: u32,
    /// A change was met by its fault already.
    struck: bool,
    /// What the recording still has for this case.
    left: VecDeque<Exchange>,
    /// A request of this case that had no answer.
    missing: Option<String>,
    recorded: Recording,
}

impl Run {
    /// A change is done: is its answer lost?
    fn loses_answer(&mut self) -> bool {
        match self.fault {
            Fault::AnswerLost(passing) if !self.struck => {
                self.struck = self.passed == passing;
                self.passed += 1;
                self.struck
            }
            _ => false,
        }
    }
}

impl SimulatedProvider {
    pub(crate) fn new(provider: &Provider, questions: Vec<String>, now: Instant) -> Self {
        let recording = match provider {
            Provider::Recording(recording) => Some(Arc::clone(recording)),
            Provider::Nobody | Provider::Live => None,
        };
        Self {
            recording,
            live: matches!(provider, Provider::Live),
            questions,
            run: Mutex::new(Run {
                case: String::new(),
                fault: Fault::None,
                requests: Vec::new(),
                first: None,
                passed: 0,
                struck: false,
                left: VecDeque::new(),
                missing: None,
                recorded: Recording { now, cases: std::collections::BTreeMap::new() },
            }),
        }
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// May it change something? A POST that only asks looks like any other: the set-up names those.
    pub(crate) fn may_change(&self, request: &InterceptedRequest) -> bool {
        match request.method.as_str() {
            "GET" | "HEAD" | "OPTIONS" | "PROPFIND" | "REPORT" => false,
            "POST" => !self.questions.iter().any(|end| request.url.path().ends_with(end.as_str())),
            _ => true,
        }
    }

    pub(crate) fn is_nobody(&self) -> bool {
        !self.live && self.recording.is_none()
    }

    /// A new case.
    pub(crate) fn enter(&self, case: &str) {
        let mut run = self.run();
        case.clone_into(&mut run.case);
        run.missing = None;
        run.left =
            self.recording.as_ref().and_then(|r| r.cases.get(case)).cloned().unwrap_or_default().into();
    }

    /// A new call.
    pub(crate) fn begin(&self, fault: Fault) {
        let mut run = self.run();
        (run.fault, run.passed, run.struck, run.first) = (fault, 0, false, None);
        run.requests.clear();
    }

    /// The requests of the call.
    pub(crate) fn end(&self) -> Vec<InterceptedRequest> {
        std::mem::take(&mut self.run().requests)
    }

    /// A request of this case that nobody answered.
    pub(crate) fn missing(&self) -> Option<String> {
        self.run().missing.clone()
    }

    pub(crate) fn recorded(&self) -> Recording {
        self.run().recorded.clone()
    }

    /// The provider's answer, if it is not live.
    fn recorded_answer(&self, run: &mut Run, request: &InterceptedRequest) -> Intercept {
        if self.live {
            return Intercept::Ask;
        }
        let found = run.left.iter().position(|exchange| exchange.answers(request));
        if let Some(exchange) = found.and_then(|at| run.left.remove(at)) {
            return Intercept::Answer(exchange.answer());
        }
        let line = format!("{} {}", request.method, target(request));
        run.missing.get_or_insert(line);
        Intercept::Break
    }
}

impl Interceptor for SimulatedProvider {
    fn before(&self, request: &InterceptedRequest) -> Intercept {
        let mut run = self.run();
        run.requests.push(request.clone());
        let strikes = self.may_change(request) && !run.struck;
        match run.fault.clone() {
            Fault::Always(answer) => return Intercept::Answer(answer),
            Fault::Unreachable => return Intercept::Break,
            Fault::Instead(answer) if strikes => {
                run.struck = true;
                return Intercept::Answer(answer);
            }
            Fault::SameAgain => {
                if let Some(first) = run.first.clone() {
                    return Intercept::Answer(first);
                }
            }
            Fault::None | Fault::AnswerLost(_) | Fault::Instead(_) => {}
        }
        let intercept = self.recorded_answer(&mut run, request);
        if let Intercept::Answer(answer) = &intercept {
            run.first.get_or_insert_with(|| answer.clone());
            if self.may_change(request) && run.loses_answer() {
                return Intercept::Break;
            }
        }
        intercept
    }

    fn after(&self, request: &InterceptedRequest, answer: InterceptedAnswer) -> Option<InterceptedAnswer> {
        let mut run = self.run();
        let exchange = Exchange::new(request, &answer);
        let case = run.case.clone();
        run.recorded.cases.entry(case).or_default().push(exchange);
        run.first.get_or_insert_with(|| answer.clone());
        let lost = self.may_change(request) && run.loses_answer();
        (!lost).then_some(answer)
    }
}
