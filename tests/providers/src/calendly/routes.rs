//! The service's routes, with authentication and the rate limit before them.

use serde_json::{Value, json};

use super::{
    bookings::{self, Refusal, not_found, refused},
    catalog, lists,
    state::State,
    subscriptions, views,
};
use crate::{
    faults::Fault,
    front::{Answer, Asked, Front, Service},
};

/// Requests in a minute.
const LIMIT: u32 = 500;
const WINDOW_MICROS: i64 = 60_000_000;

impl Service for State {
    fn front(&mut self) -> &mut Front {
        &mut self.front
    }

    fn answer(&mut self, asked: &Asked<'_>, fault: Option<Fault>) -> Answer {
        let (remaining, reset) = self.charge();
        let headers = vec![
            ("x-ratelimit-limit", LIMIT.to_string()),
            ("x-ratelimit-remaining", remaining.unwrap_or(0).to_string()),
            ("x-ratelimit-reset", reset.to_string()),
        ];
        let too_many = || refused(429, "Too Many Requests", "Rate limit exceeded");
        let answered = match fault {
            _ if remaining.is_none() => Err(too_many()),
            Some(Fault::RateLimited { .. }) => Err(too_many()),
            Some(fault) if fault.comes_before() => {
                Err(refused(500, "Internal Server Error", "The server encountered an unexpected condition."))
            }
            _ if asked.token() != Some(self.config.api_key.as_str()) => {
                Err(refused(401, "Unauthenticated", "The access token is invalid"))
            }
            _ => route(self, asked),
        };
        match answered {
            Ok((status, body)) => Answer { status, body, headers },
            Err(refusal) => Answer { status: refusal.status, body: refusal.body(), headers },
        }
    }

    fn shown(&self) -> Value {
        json!({ "bookings": self.bookings() })
    }
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
        let reset = (*started + WINDOW_MICROS - now).div_euclid(1_000_000) + 1;
        (if self.config.rate_limit { left } else { Some(LIMIT) }, reset)
    }
}

fn resource(status: u16, value: Value) -> Result<(u16, Value), Refusal> {
    Ok((status, json!({ "resource": value })))
}

fn route(state: &mut State, asked: &Asked<'_>) -> Result<(u16, Value), Refusal> {
    let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
    match (asked.method, parts.as_slice()) {
        ("GET", ["users", "me"]) => resource(200, views::user(state)),
        ("GET", ["event_types"]) => Ok((200, catalog::event_types(state, asked)?)),
        ("GET", ["event_types", id]) => {
            resource(200, views::event_type(&state.event_type(id).ok_or_else(not_found)?))
        }
        ("GET", ["event_type_available_times"]) => Ok((200, catalog::available_times(state, asked)?)),
        ("GET", ["user_busy_times"]) => Ok((200, catalog::busy_times(state, asked)?)),
        ("POST", ["scheduling_links"]) => resource(201, catalog::create_link(state, asked.body)?),
        ("POST", ["invitees"]) => resource(201, bookings::create(state, asked.body)?),
        ("GET", ["scheduled_events"]) => Ok((200, lists::events(state, asked)?)),
        ("GET", ["scheduled_events", id]) => {
            resource(200, views::event(state, state.meeting(id).ok_or_else(not_found)?))
        }
        ("GET", ["scheduled_events", id, "invitees"]) => Ok((200, lists::invitees(state, id, asked)?)),
        ("GET", ["scheduled_events", event, "invitees", invitee]) => {
            let (_, invitee) = state.invitee(&format!("{event}/{invitee}")).ok_or_else(not_found)?;
            resource(200, views::invitee(invitee))
        }
        ("POST", ["scheduled_events", id, "cancellation"]) => {
            let reason = asked.body["reason"].as_str();
            resource(201, bookings::cancel(state, id, reason)?)
        }
        ("GET", ["webhook_subscriptions"]) => Ok((200, subscriptions::list(state, asked)?)),
        ("POST", ["webhook_subscriptions"]) => resource(201, subscriptions::create(state, asked.body)?),
        ("DELETE", ["webhook_subscriptions", id]) => {
            subscriptions::delete(state, id)?;
            Ok((204, Value::Null))
        }
        _ => Err(not_found()),
    }
}
