//! The contract's routes: tokens, limits and request ids around them.

use serde_json::{Value, json};

use super::{
    availability, bookings, clients, keys, oauth,
    refusal::Refusal,
    state::{State, Status},
    views, webhooks,
};
use crate::{
    faults::Fault,
    front::{Answer, Call, Common, Delivery, Service},
};

/// Requests a minute of one client.
const LIMIT: u32 = 200;
const PER_PAGE: usize = 50;
const PER_PAGE_MAX: usize = 200;

impl Service for State {
    const NAME: &'static str = "the Berth Booksy contract";

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }

    fn serve(&mut self, call: Call<'_>) -> Answer {
        if call.path == oauth::PATH {
            return oauth::token(self, call);
        }
        let (limit, refused) = self.charge();
        let outcome = match refused {
            Some(refusal) => Err(refusal),
            None => self.authorised(call).and_then(|rest| self.route(call, &rest)),
        };
        webhooks::dispatch(self);
        self.told(call, outcome, limit)
    }

    fn refuse(&mut self, call: Call<'_>, fault: Fault) -> Answer {
        let Fault::RateLimited { retry_after_seconds } = fault else {
            let refusal = Refusal::new(500, "internal", "Something went wrong.");
            return self.told(call, Err(refusal), None);
        };
        let answer = self.told(call, Err(too_many()), Some((0, 17)));
        match retry_after_seconds {
            Some(seconds) => answer.with("retry-after", seconds.to_string()),
            None => answer,
        }
    }

    fn is_described(&self, path: &str) -> bool {
        // It compares itself, since forms are no JSON.
        path != oauth::PATH
    }

    fn shown(&self) -> Value {
        let bookings: Vec<Value> = self.bookings.iter().map(|b| views::booking(self, b)).collect();
        let clients: Vec<Value> = self.clients.iter().map(views::client).collect();
        json!({ "bookings": bookings, "clients": clients })
    }

    fn due(&mut self) -> Vec<Delivery> {
        webhooks::due(self)
    }
}

fn too_many() -> Refusal {
    Refusal::new(429, "rate_limited", "Too many requests.")
}

impl State {
    /// Count this request: requests left and seconds until there are more.
    fn charge(&mut self) -> (Option<(u32, i64)>, Option<Refusal>) {
        if !self.config.rate_limit {
            return (None, None);
        }
        let now = self.now();
        match self.window.charge(now, LIMIT) {
            Ok(left) => (Some(left), None),
            Err(seconds) => (Some((0, seconds)), Some(too_many())),
        }
    }

    /// With the headers of every answer.
    fn told(
        &mut self,
        call: Call<'_>,
        outcome: Result<Answer, Refusal>,
        limit: Option<(u32, i64)>,
    ) -> Answer {
        let id = call.header("x-request-id").map_or_else(|| self.new_uuid(), str::to_owned);
        let is_limited = matches!(&outcome, Err(refusal) if refusal.status == 429);
        let mut answer = outcome.unwrap_or_else(|refusal| refusal.answer(&id));
        if let Some((left, seconds)) = limit {
            answer = answer
                .with("x-ratelimit-limit", LIMIT.to_string())
                .with("x-ratelimit-remaining", left.to_string())
                .with("x-ratelimit-reset", seconds.to_string());
            if is_limited && left == 0 && self.config.rate_limit {
                answer = answer.with("retry-after", seconds.to_string());
            }
        }
        answer.with("x-request-id", id)
    }

    /// The path under the business, for whoever may see it.
    fn authorised<'a>(&self, call: Call<'a>) -> Result<Vec<&'a str>, Refusal> {
        if !call.bearer().is_some_and(|token| self.knows_token(token)) {
            return Err(Refusal::new(401, "unauthorized", "The token is not known, or it is over."));
        }
        match call.path.trim_matches('/').split('/').collect::<Vec<_>>().as_slice() {
            ["v1", "businesses", id, rest @ ..] if *id == self.config.business_id => Ok(rest.to_vec()),
            ["v1", "businesses", ..] => {
                Err(Refusal::new(403, "forbidden", "The client may not see this business."))
            }
            _ => Err(Refusal::not_found("resource")),
        }
    }

    fn route(&mut self, call: Call<'_>, rest: &[&str]) -> Result<Answer, Refusal> {
        match (call.method, rest) {
            ("GET", []) => Ok(Answer::new(200, views::business(self))),
            ("GET", ["services"]) => {
                let wanted = |active: bool| call.parameter("active").is_none_or(|w| w == active.to_string());
                let all = self.config.services.iter().filter(|s| wanted(s.active));
                let answer = page(call, all.map(views::service).collect())?;
                Ok(answer.with("cache-control", "private, max-age=300".to_owned()))
            }
            ("GET", ["staff"]) => {
                let staff = self.config.staff.iter().map(|staff| views::staff(self, staff)).collect();
                Ok(Answer::new(200, json!({ "data": Value::Array(staff), "next_cursor": null })))
            }
            ("GET", ["availability"]) => availability::slots(self, call),
            ("GET", ["busy"]) => availability::busy(self, call),
            ("POST", ["blocks"]) => {
                keys::once(self, call, |state| Ok(Answer::new(201, availability::block(state, call.body)?)))
            }
            ("DELETE", ["blocks", id]) => availability::unblock(self, id),
            ("GET", ["clients"]) => page(call, clients::list(self, call)),
            ("POST", ["clients"]) => clients::create(self, call.body),
            ("PATCH", ["clients", id]) => clients::update(self, id, call.body),
            ("DELETE", ["clients", id]) => clients::erase(self, id),
            ("GET", ["bookings"]) => bookings::list(self, call, limit(call)?),
            ("GET", ["bookings", id]) => {
                let at = self.position(id).ok_or_else(|| Refusal::not_found("booking"))?;
                Ok(bookings::answer(self, 200, &self.bookings[at]))
            }
            ("POST", ["bookings"]) => keys::once(self, call, |state| {
                let booking = bookings::create(state, call.body, "api")?;
                Ok(bookings::answer(state, 201, &booking))
            }),
            ("POST", ["bookings", id, action]) => keys::once(self, call, |state| {
                let version = call.header("if-match");
                let booking = match *action {
                    "reschedule" => bookings::reschedule(state, id, version, call.body)?,
                    "cancel" => bookings::cancel(state, id, version, call.body)?,
                    "confirm" => bookings::set_status(state, id, Status::Confirmed)?,
                    "no_show" => bookings::set_status(state, id, Status::NoShow)?,
                    "complete" => bookings::set_status(state, id, Status::Completed)?,
                    _ => return Err(Refusal::not_found("action")),
                };
                Ok(bookings::answer(state, 200, &booking))
            }),
            ("GET", ["webhooks"]) => Ok(webhooks::list(self)),
            ("POST", ["webhooks"]) => webhooks::create(self, call.body),
            ("DELETE", ["webhooks", id]) => webhooks::delete(self, id),
            _ => Err(Refusal::not_found("resource")),
        }
    }
}

fn limit(call: Call<'_>) -> Result<usize, Refusal> {
    let Some(text) = call.parameter("limit") else { return Ok(PER_PAGE) };
    let number = text.parse().ok().filter(|n| (1..=PER_PAGE_MAX).contains(n));
    number.ok_or_else(|| Refusal::of_field("limit", "must be 1 to 200"))
}

/// A page of a list that does not change much: the cursor is the number of items before it.
fn page(call: Call<'_>, all: Vec<Value>) -> Result<Answer, Refusal> {
    let (limit, total) = (limit(call)?, all.len());
    let skip: usize = match call.parameter("cursor") {
        None => 0,
        Some(text) => text.parse().map_err(|_| Refusal::of_field("cursor", "is not one of ours"))?,
    };
    let items: Vec<Value> = all.into_iter().skip(skip).take(limit).collect();
    let next = Some(skip + items.len()).filter(|end| *end < total).map(|end| end.to_string());
    Ok(Answer::new(200, json!({ "data": items, "next_cursor": next })))
}
