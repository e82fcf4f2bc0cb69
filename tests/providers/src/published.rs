//! A web server that publishes one calendar (iCalendar) at a private address, with tags, and with what goes wrong there.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Router, body::Body, extract::State as Extract, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};

use crate::server::{Server, hang_up};

/// The path of the calendar: whoever knows it may read.
pub const PATH: &str = "/ical/eve%40example.com/private-made-up-0123456789abcdef/basic.ics?v=2";

/// What happens instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// 500.
    ServerError,
    /// The connection ends.
    HangUp,
    /// The answer never comes.
    Silence,
    /// 5 MB of comments before the first event.
    TooLarge,
    /// A page that asks who you are.
    Page,
    /// It lies elsewhere now, at an address that is as private.
    Moved,
}

#[derive(Debug, Default)]
struct State {
    text: String,
    version: u32,
    troubles: VecDeque<Trouble>,
    asked: Vec<(String, u16)>,
}

type Shared = Arc<Mutex<State>>;

/// A running server; it stops when dropped.
pub struct Publisher {
    server: Server,
    shared: Shared,
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Publisher {
    /// Publish a calendar with these lines, on any free port.
    pub async fn start(lines: &str) -> std::io::Result<Self> {
        let shared = Shared::default();
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let publisher = Self { server: Server::start(0, router).await?, shared };
        publisher.publish(lines);
        Ok(publisher)
    }

    /// Scheme and host.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The private address.
    pub fn address(&self) -> String {
        format!("{}{PATH}", self.url())
    }

    /// Publish another version.
    pub fn publish(&self, lines: &str) {
        let mut state = lock(&self.shared);
        state.text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nX-WR-CALNAME:Eve\r\n{lines}END:VCALENDAR\r\n"
        );
        state.version += 1;
    }

    /// This happens to the next request.
    pub fn trouble(&self, trouble: Trouble) {
        lock(&self.shared).troubles.push_back(trouble);
    }

    /// What was to happen does not.
    pub fn recover(&self) {
        lock(&self.shared).troubles.clear();
    }

    /// What was asked for since the last time: path, and status of the answer.
    pub fn take_asked(&self) -> Vec<(String, u16)> {
        std::mem::take(&mut lock(&self.shared).asked)
    }
}

async fn answer(Extract(shared): Extract<Shared>, uri: Uri, headers: HeaderMap) -> Response {
    let trouble = lock(&shared).troubles.pop_front();
    if trouble == Some(Trouble::Silence) {
        std::future::pending::<()>().await;
    }
    let mut state = lock(&shared);
    let path = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let tag = format!("\"v{}\"", state.version);
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == tag.as_bytes());
    let (status, body) = match trouble {
        _ if path != PATH => (StatusCode::NOT_FOUND, String::new()),
        Some(Trouble::ServerError) => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        Some(Trouble::TooLarge) => {
            let comments = format!("X-COMMENT:{}\r\n", "x".repeat(60)).repeat(5_000_000 / 72);
            (StatusCode::OK, state.text.replace("PRODID", &format!("{comments}PRODID")))
        }
        Some(Trouble::Page) => (StatusCode::OK, "<!doctype html><title>Sign in</title>".to_owned()),
        Some(Trouble::Moved) => (StatusCode::FOUND, String::new()),
        Some(Trouble::HangUp | Trouble::Silence) => return hang_up(),
        None if is_known => (StatusCode::NOT_MODIFIED, String::new()),
        None => (StatusCode::OK, state.text.clone()),
    };
    state.asked.push((path, status.as_u16()));
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let (headers, is_good) = (response.headers_mut(), trouble.is_none() && status != StatusCode::NOT_FOUND);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8"));
    if let Some(tag) = HeaderValue::from_str(&tag).ok().filter(|_| is_good) {
        headers.insert(header::ETAG, tag);
    }
    if status == StatusCode::FOUND {
        // A server repeats what it was asked for.
        let to = format!("{PATH}&moved=1");
        headers.extend(HeaderValue::from_str(&to).ok().map(|to| (header::LOCATION, to)));
    }
    response
}
