//! The service's routes: authentication, versions and the rate limit around them.

use serde_json::{Value, json};

use super::{
    appointments, contacts, oauth,
    refusal::{Refusal, not_found, refusal, unprocessable},
    slots,
    state::State,
    views,
};
use crate::{
    faults::Fault,
    front::{Answer, Call, Common, Service},
};

/// Requests in [`INTERVAL_MS`].
const LIMIT: u32 = 100;
const INTERVAL_MS: i64 = 10_000;
const LIMIT_DAILY: u32 = 200_000;

impl Service for State {
    const NAME: &'static str = "HighLevel";

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }

    fn serve(&mut self, call: Call<'_>) -> Answer {
        if let Some(answer) = oauth::serve(self, call) {
            self.look(call, answer.status, &answer.body);
            return answer;
        }
        let left = match self.charge() {
            Ok(left) => left,
            Err(refusal) => return self.answer(Err(refusal), 0),
        };
        let result = authorise(self, call).and_then(|()| route(self, call));
        let answer = self.answer(result, left);
        self.look(call, answer.status, &answer.body);
        answer
    }

    fn refuse(&mut self, _call: Call<'_>, fault: Fault) -> Answer {
        match fault {
            Fault::RateLimited { retry_after_seconds } => {
                let answer = self.answer(Err(too_many()), 0);
                match retry_after_seconds {
                    Some(seconds) => answer.with("retry-after", seconds.to_string()),
                    None => answer,
                }
            }
            _ => self.answer(Err(refusal(500, "Internal Server Error", "Internal server error")), LIMIT),
        }
    }

    /// Contacts and tokens have descriptions of their own ([`State::look`]); that of locations is not at hand.
    fn is_described(&self, path: &str) -> bool {
        path.starts_with("/calendars/")
    }

    fn shown(&self) -> Value {
        let appointments: Vec<Value> = self.appointments.iter().map(|a| views::event(self, a)).collect();
        let contacts: Vec<Value> = self.contacts.iter().map(|c| views::contact(self, c)).collect();
        json!({ "appointments": appointments, "contacts": contacts })
    }

    fn violations(&mut self) -> Vec<String> {
        let parts = [&self.common.findings, &self.about_contacts, &self.about_tokens];
        parts.into_iter().flat_map(|findings| findings.violations().to_vec()).collect()
    }
}

impl State {
    /// Count this request. How many are left.
    fn charge(&mut self) -> Result<u32, Refusal> {
        if !self.config.rate_limit {
            return Ok(LIMIT);
        }
        let now_ms = self.now() / 1_000;
        let (began, used) = self.counted;
        let (began, used) = if now_ms - began >= INTERVAL_MS { (now_ms, 0) } else { (began, used) };
        self.counted = (began, used + 1);
        LIMIT.checked_sub(used + 1).ok_or_else(too_many)
    }

    fn answer(&mut self, result: Result<(u16, Value), Refusal>, left: u32) -> Answer {
        let trace = self.new_id();
        let (status, mut body) = result.unwrap_or_else(|refusal| {
            let body =
                json!({ "statusCode": refusal.status, "message": refusal.message, "error": refusal.error });
            (refusal.status, body)
        });
        if let Some(fields) = body.as_object_mut() {
            fields.insert("traceId".to_owned(), json!(trace));
        }
        Answer::new(status, body)
            .with("x-ratelimit-limit-daily", LIMIT_DAILY.to_string())
            .with("x-ratelimit-daily-remaining", (LIMIT_DAILY - 1).to_string())
            .with("x-ratelimit-interval-milliseconds", INTERVAL_MS.to_string())
            .with("x-ratelimit-max", LIMIT.to_string())
            .with("x-ratelimit-remaining", left.to_string())
    }
}

fn too_many() -> Refusal {
    refusal(429, "Too Many Requests", "Too Many Requests")
}

fn authorise(state: &State, call: Call<'_>) -> Result<(), Refusal> {
    let known = |token: &str| token == state.config.token || state.grants.is_valid(token, state.now());
    if !call.bearer().is_some_and(known) {
        return Err(refusal(401, "Unauthorized", "Invalid token: access token is invalid"));
    }
    let wanted = if call.path.starts_with("/calendars/") { "2021-04-15" } else { "2021-07-28" };
    match call.header("version") {
        Some(version) if version == wanted => {}
        Some(_) => return Err(not_found(format!("Cannot {} {}", call.method, call.path))),
        None => return Err(refusal(401, "Unauthorized", "version header was not found.")),
    }
    let named = call.parameter("locationId").or_else(|| call.body.get("locationId").and_then(Value::as_str));
    if named.is_some_and(|location| location != state.config.location_id) {
        return Err(refusal(403, "Forbidden", "The token does not have access to this location."));
    }
    Ok(())
}

fn route(state: &mut State, call: Call<'_>) -> Result<(u16, Value), Refusal> {
    let parts: Vec<&str> = call.path.trim_matches('/').split('/').collect();
    let ok = |value: Value| Ok((200, value));
    let location = || {
        call.parameter("locationId")
            .map(|_| ())
            .ok_or_else(|| unprocessable("locationId should not be empty"))
    };
    match (call.method, parts.as_slice()) {
        ("GET", ["locations", id]) if *id == state.config.location_id => ok(views::location(state)),
        ("GET", ["calendars"]) => {
            location()?;
            let all: Vec<Value> = state.config.calendars.iter().map(|c| views::calendar(state, c)).collect();
            ok(json!({ "calendars": all }))
        }
        ("GET", ["calendars", "events"]) => {
            location()?;
            ok(appointments::list(state, call)?)
        }
        ("GET", ["calendars", "blocked-slots"]) => {
            location()?;
            ok(appointments::blocked(state, call)?)
        }
        ("POST", ["calendars", "events", "appointments"]) => ok(appointments::create(state, call.body)?),
        ("GET", ["calendars", "events", "appointments", id]) => {
            let found = state.appointment(id).ok_or_else(|| not_found("Appointment not found"))?;
            ok(json!({ "event": views::event(state, found) }))
        }
        ("PUT", ["calendars", "events", "appointments", id]) => {
            ok(appointments::update(state, id, call.body)?)
        }
        ("POST", ["calendars", "events", "block-slots"]) => Ok((201, appointments::block(state, call.body)?)),
        ("DELETE", ["calendars", "events", id]) => Ok((201, appointments::delete(state, id)?)),
        ("GET", ["calendars", id]) => {
            let calendar = state.calendar(id).ok_or_else(|| not_found("Calendar not found"))?;
            ok(json!({ "calendar": views::calendar(state, &calendar) }))
        }
        ("GET", ["calendars", id, "free-slots"]) => ok(slots::answer(state, id, call)?),
        ("POST", ["contacts", "upsert"]) => ok(contacts::upsert(state, call.body)?),
        ("POST", ["contacts", "search"]) => ok(contacts::search(state, call.body)?),
        ("GET", ["contacts", id]) => {
            let contact = state.contact(id).ok_or_else(|| not_found("Contact not found"))?;
            ok(json!({ "contact": views::contact(state, contact) }))
        }
        ("DELETE", ["contacts", id]) => ok(contacts::delete(state, id)?),
        _ => Err(not_found(format!("Cannot {} {}", call.method, call.path))),
    }
}
