//! The service's routes, with authentication and the rate limit before them.

use serde_json::{Value, json};

use super::{
    bookings, catalog, lists,
    refusal::{Refusal, not_found, refused},
    state::State,
    subscriptions, views,
};
use crate::{
    faults::Fault,
    front::{Answer, Call, Common, Service},
};

/// Requests in a minute.
const LIMIT: u32 = 500;
const WINDOW_MICROS: i64 = 60_000_000;

impl Service for State {
    const NAME: &'static str = "Calendly";

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }

    fn serve(&mut self, call: Call<'_>) -> Answer {
        let (left, reset) = self.charge();
        let answered = match left {
            None => Err(too_many()),
            Some(_) if call.bearer() != Some(self.config.api_key.as_str()) => {
                Err(refused(401, "Unauthenticated", "The access token is invalid"))
            }
            Some(_) => route(self, call),
        };
        limited(answered, left, reset)
    }

    fn refuse(&mut self, _: Call<'_>, fault: Fault) -> Answer {
        let (left, reset) = self.charge();
        match fault {
            Fault::RateLimited { retry_after_seconds } => {
                let answer = limited(Err(too_many()), Some(0), reset);
                match retry_after_seconds {
                    Some(seconds) => answer.with("retry-after", seconds.to_string()),
                    None => answer,
                }
            }
            _ => {
                let message = "The server encountered an unexpected condition.";
                limited(Err(refused(500, "Internal Server Error", message)), left, reset)
            }
        }
    }

    fn shown(&self) -> Value {
        json!({ "bookings": self.bookings() })
    }
}

fn too_many() -> Refusal {
    refused(429, "Too Many Requests", "Rate limit exceeded")
}

/// An answer with the headers of the rate limit.
fn limited(answered: Result<(u16, Value), Refusal>, left: Option<u32>, reset: i64) -> Answer {
    let answer = match answered {
        Ok((status, body)) => Answer::new(status, body),
        Err(refusal) => Answer::new(refusal.status, refusal.body()),
    };
    answer
        .with("x-ratelimit-limit", LIMIT.to_string())
        .with("x-ratelimit-remaining", left.unwrap_or(0).to_string())
        .with("x-ratelimit-reset", reset.to_string())
}

impl State {
    /// Count this request. What is left, none if it is too many; and the seconds until the next minute begins.
    fn charge(&mut self) -> (Option<u32>, i64) {
        let now = self.now();
        let (started, used) = &mut self.window;
        if now >= *started + WINDOW_MICROS {
            (*started, *used) = (now, 0);
        }
        *used += 1;
        let left = LIMIT.checked_sub(*used);
        let reset = (*started + WINDOW_MICROS - now + 999_999).div_euclid(1_000_000);
        (if self.config.rate_limit { left } else { Some(LIMIT) }, reset)
    }
}

fn resource(status: u16, value: Value) -> Result<(u16, Value), Refusal> {
    Ok((status, json!({ "resource": value })))
}

fn route(state: &mut State, call: Call<'_>) -> Result<(u16, Value), Refusal> {
    let parts: Vec<&str> = call.path.trim_matches('/').split('/').collect();
    match (call.method, parts.as_slice()) {
        ("GET", ["users", "me"]) => resource(200, views::user(state)),
        ("GET", ["event_types"]) => Ok((200, catalog::event_types(state, call)?)),
        ("GET", ["event_types", id]) => {
            resource(200, views::event_type(&state.event_type(id).ok_or_else(not_found)?))
        }
        ("GET", ["event_type_available_times"]) => Ok((200, catalog::available_times(state, call)?)),
        ("GET", ["user_busy_times"]) => Ok((200, catalog::busy_times(state, call)?)),
        ("POST", ["scheduling_links"]) => resource(201, catalog::create_link(state, call.body)?),
        ("POST", ["invitees"]) => resource(201, bookings::create(state, call.body)?),
        ("GET", ["scheduled_events"]) => Ok((200, lists::events(state, call)?)),
        ("GET", ["scheduled_events", id]) => {
            resource(200, views::event(state, state.meeting(id).ok_or_else(not_found)?))
        }
        ("GET", ["scheduled_events", id, "invitees"]) => Ok((200, lists::invitees(state, id, call)?)),
        ("GET", ["scheduled_events", event, "invitees", invitee]) => {
            let (_, invitee) = state.invitee(&format!("{event}/{invitee}")).ok_or_else(not_found)?;
            resource(200, views::invitee(invitee))
        }
        ("POST", ["scheduled_events", id, "cancellation"]) => {
            let reason = call.body["reason"].as_str();
            resource(201, bookings::cancel(state, id, reason)?)
        }
        ("GET", ["webhook_subscriptions"]) => Ok((200, subscriptions::list(state, call)?)),
        ("POST", ["webhook_subscriptions"]) => resource(201, subscriptions::create(state, call.body)?),
        ("DELETE", ["webhook_subscriptions", id]) => {
            subscriptions::delete(state, id)?;
            Ok((204, Value::Null))
        }
        _ => Err(not_found()),
    }
}
