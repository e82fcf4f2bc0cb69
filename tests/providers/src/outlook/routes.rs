//! The service's routes: login, limit and faults around them.

use axum::Router;
use serde_json::{Value, json};

use super::{
    calendar,
    config::Calendar,
    delta, events, oauth,
    refusal::{Outcome, Refusal, item_not_found, ok, refusal},
    schedule,
    state::State,
    subscriptions, views,
};
use crate::{
    faults::Fault,
    front::{self, Answer, Call, Common, Service, Shared},
    times::utc,
};

const LIMIT: u32 = 10_000;
const WINDOW_MICROS: i64 = 600_000_000;

impl Service for State {
    const NAME: &'static str = "Microsoft Graph";

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }

    fn serve(&mut self, call: Call<'_>) -> Answer {
        let segments: Vec<&str> = call.path.trim_matches('/').split('/').collect();
        if let [_directory, "oauth2", "v2.0", endpoint] = segments.as_slice() {
            return oauth::serve(self, endpoint, call);
        }
        let outcome = match segments.as_slice() {
            ["v1.0", rest @ ..] => {
                authorise(self, call).and_then(|()| charge(self)).and_then(|()| route(self, call, rest))
            }
            _ => Err(refusal(400, "BadRequest", "Invalid version.")),
        };
        outcome.unwrap_or_else(|refusal| refused(self, refusal))
    }

    fn refuse(&mut self, _call: Call<'_>, fault: Fault) -> Answer {
        match fault {
            Fault::RateLimited { retry_after_seconds } => {
                let answer = refused(self, throttled());
                match retry_after_seconds {
                    Some(seconds) => answer.with("retry-after", seconds.to_string()),
                    None => answer,
                }
            }
            _ => {
                refused(self, refusal(503, "serviceNotAvailable", "The service is temporarily unavailable."))
            }
        }
    }

    fn shown(&self) -> Value {
        let events: Vec<Value> =
            self.events.iter().filter(|e| !e.deleted).map(|e| views::event(e, None)).collect();
        let subscriptions: Vec<Value> = self.subscriptions.iter().map(views::subscription).collect();
        json!({ "events": events, "subscriptions": subscriptions })
    }

    fn router(shared: Shared<Self>) -> Router {
        subscriptions::asking_first(front::router(shared))
    }
}

fn refused(state: &mut State, refusal: Refusal) -> Answer {
    let id = state.new_uuid();
    let inner = json!({ "date": utc(state.now()), "request-id": id, "client-request-id": id });
    let error = json!({ "code": refusal.code, "message": refusal.message, "innerError": inner });
    let answer = Answer::new(refusal.status, json!({ "error": error }));
    if refusal.status == 429 { answer.with("retry-after", "10".to_owned()) } else { answer }
}

fn throttled() -> Refusal {
    refusal(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.")
}

fn authorise(state: &State, call: Call<'_>) -> Result<(), Refusal> {
    let token = call.bearer().unwrap_or_default();
    if token == state.config.access_token || state.logins.is_valid(token, state.now()) {
        return Ok(());
    }
    Err(refusal(401, "InvalidAuthenticationToken", "Access token is empty, expired or malformed."))
}

fn charge(state: &mut State) -> Result<(), Refusal> {
    let now = state.now();
    if now >= state.window.started + WINDOW_MICROS {
        (state.window.started, state.window.used) = (now, 0);
    }
    state.window.used += 1;
    if state.config.rate_limit && state.window.used > LIMIT { Err(throttled()) } else { Ok(()) }
}

fn route(state: &mut State, call: Call<'_>, rest: &[&str]) -> Outcome {
    let decoded: Vec<String> = rest.iter().map(|segment| decoded(segment)).collect();
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    match (call.method, segments.as_slice()) {
        ("GET", ["me"]) => ok(views::select(views::me(), call.parameter("$select"))),
        ("GET", ["me", "calendar"]) => calendar::get(state, None),
        ("POST", ["me", "calendar", "getSchedule"]) => schedule::get(state, call.body),
        ("GET", ["me", "calendars"]) => calendar::list(state, call),
        ("GET", ["me", "calendars", id]) => calendar::get(state, Some(id)),
        ("GET", ["me", "calendarView"]) => {
            let calendar = own(state)?;
            calendar::view(state, &calendar, call)
        }
        ("GET", ["me", "calendars", id, "calendarView"]) => {
            let calendar = named(state, id)?;
            calendar::view(state, &calendar, call)
        }
        ("GET", ["me", "calendarView", "delta"]) => {
            let calendar = own(state)?;
            delta::query(state, &calendar, call)
        }
        ("GET", ["me", "calendars", id, "calendarView", "delta"]) => {
            let calendar = named(state, id)?;
            delta::query(state, &calendar, call)
        }
        // Of the default calendar alone.
        ("GET", ["me", "events"]) => events::find(state, &own(state)?, call),
        ("GET", ["me", "calendars", id, "events"]) => events::find(state, &named(state, id)?, call),
        ("POST", ["me", "events"]) => {
            let calendar = own(state)?;
            events::create(state, &calendar, call.body)
        }
        ("POST", ["me", "calendars", id, "events"]) => {
            let calendar = named(state, id)?;
            events::create(state, &calendar, call.body)
        }
        (_, ["me", "events", ..]) => events::route(state, call, &segments[2..]),
        (_, ["subscriptions", ..]) => subscriptions::route(state, call, &segments[1..]),
        (method, segments) => {
            let message = format!("Resource not found for the segment '{}' ({method}).", segments.join("/"));
            Err(refusal(404, "ResourceNotFound", message))
        }
    }
}

fn own(state: &State) -> Result<Calendar, Refusal> {
    state.config.calendars.first().cloned().ok_or_else(item_not_found)
}

fn named(state: &State, id: &str) -> Result<Calendar, Refusal> {
    state.config.calendars.iter().find(|c| c.id == id).cloned().ok_or_else(item_not_found)
}

/// A segment of a path without its percent signs.
fn decoded(segment: &str) -> String {
    // In a path a plus is a plus.
    let query = format!("s={}", segment.replace('+', "%2B"));
    crate::front::pairs(&query).pop().map(|(_, value)| value).unwrap_or_default()
}
