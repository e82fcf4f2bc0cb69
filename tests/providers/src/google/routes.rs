//! The service's routes, with authentication and quota around them.

use serde_json::{Value, json};

use super::{
    calendars, channels, events, list, oauth,
    refusal::{Outcome, backend_error, insufficient_scopes, not_found, too_many, unauthorised},
    state::State,
};
use crate::{
    faults::Fault,
    front::{Answer, Call, Common, Service},
};

const API: &str = "/calendar/v3/";

impl Service for State {
    const NAME: &'static str = "Google Calendar";

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }

    fn serve(&mut self, call: Call<'_>) -> Answer {
        match call.path.strip_prefix(API) {
            None => oauth::serve(self, call),
            Some(path) => api(self, call, path).unwrap_or_else(|refusal| refusal.answer()),
        }
    }

    fn refuse(&mut self, call: Call<'_>, fault: Fault) -> Answer {
        if !call.path.starts_with(API) {
            return Answer::new(503, json!({ "error": "internal_failure" }));
        }
        match fault {
            Fault::RateLimited { retry_after_seconds: Some(seconds) } => {
                too_many(429).answer().with("retry-after", seconds.to_string())
            }
            Fault::RateLimited { retry_after_seconds: None } => too_many(403).answer(),
            _ => backend_error().answer(),
        }
    }

    /// The endpoints of Google accounts are another service.
    fn is_described(&self, path: &str) -> bool {
        path.starts_with(API)
    }

    fn shown(&self) -> Value {
        json!({ "events": self.events.values().map(|event| &event.resource).collect::<Vec<_>>() })
    }
}

fn api(state: &mut State, call: Call<'_>, path: &str) -> Outcome {
    let token = call.bearer().ok_or_else(unauthorised)?;
    let segments: Vec<String> = path.split('/').map(decoded).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let needed = match segments.as_slice() {
        ["users", "me", "calendarList", ..] => oauth::CALENDAR_LIST,
        ["freeBusy"] => oauth::FREE_BUSY,
        _ => oauth::EVENTS,
    };
    if !oauth::allows(state, token, needed).ok_or_else(unauthorised)? {
        return Err(insufficient_scopes());
    }
    if !state.charge() {
        return Err(too_many(403));
    }
    match (call.method, segments.as_slice()) {
        ("GET", ["users", "me", "calendarList"]) => calendars::list(state, call),
        ("GET", ["users", "me", "calendarList", id]) => {
            Ok(Answer::new(200, calendars::entry(&state.calendar(id)?)))
        }
        ("POST", ["freeBusy"]) => calendars::free_busy(state, call.body),
        ("GET", ["calendars", calendar, "events"]) => list::events(state, calendar, call),
        ("POST", ["calendars", calendar, "events"]) => events::insert(state, calendar, call),
        ("POST", ["calendars", calendar, "events", "watch"]) => channels::watch(state, calendar, call.body),
        ("GET", ["calendars", calendar, "events", id]) => {
            let calendar = state.calendar(calendar)?;
            let event = state.event(&calendar, id).ok_or_else(not_found)?;
            Ok(Answer::new(200, event.resource.clone()))
        }
        ("PATCH", ["calendars", calendar, "events", id]) => events::patch(state, calendar, id, call),
        ("DELETE", ["calendars", calendar, "events", id]) => events::delete(state, calendar, id, call),
        ("POST", ["channels", "stop"]) => channels::stop(state, call.body),
        _ => Err(not_found()),
    }
}

/// Percent-decoded, plus signs as they are.
fn decoded(segment: &str) -> String {
    let pair = format!("x={}", segment.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
