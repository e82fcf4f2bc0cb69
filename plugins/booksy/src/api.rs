//! The requests of the contract, one function each. Answers are JSON as it came.

use berth_sdk::{
    Result,
    http::{Client, encode},
    paging::{self, Piece},
    time,
    types::{Instant, Interval, ProviderError},
};
use serde_json::{Value, json};

use crate::{errors, map};

/// Items on a page: the most that the contract allows.
pub(crate) const PER_PAGE: u32 = 200;
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const REPLAYED: &str = "idempotency-replayed";

/// The API of one business.
pub(crate) struct Api {
    client: Client,
    /// `/v1/businesses/biz_1`.
    business: String,
}

/// Which bookings to list.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BookingFilter<'a> {
    /// Changed at this time or after it.
    pub(crate) updated_since: Option<Instant>,
    /// Taking place at this time or after it.
    pub(crate) from: Option<Instant>,
    pub(crate) cursor: Option<&'a str>,
    pub(crate) limit: u32,
}

impl Api {
    pub(crate) fn new(base_url: &str, business: &str) -> Self {
        let client = Client::live(base_url)
            .header("accept", "application/json")
            .wait_hint(errors::wait_hint)
            .error_hint(errors::error_hint);
        Self { client, business: format!("/v1/businesses/{}", encode(business)) }
    }

    pub(crate) fn now(&self) -> Instant {
        self.client.now()
    }

    pub(crate) fn business(&self) -> Result<Value> {
        self.client.get(&self.business).fetch()
    }

    /// Everybody who works there.
    pub(crate) fn staff(&self) -> Result<Vec<Value>> {
        paging::all(|cursor| {
            let page: Value = self.client.get(&self.path("staff")).query_some("cursor", cursor).fetch()?;
            piece(&page)
        })
    }

    pub(crate) fn services(&self, cursor: Option<&str>, limit: u32) -> Result<Value> {
        let request = self.client.get(&self.path("services")).query_some("cursor", cursor);
        request.query("limit", limit.clamp(1, PER_PAGE).to_string()).fetch()
    }

    pub(crate) fn availability(
        &self,
        service: &str,
        within: Interval,
        staff: Option<&str>,
        minutes: Option<u32>,
    ) -> Result<Value> {
        self.client
            .get(&self.path("availability"))
            .query("service_id", service)
            .query("from", time::format(within.start))
            .query("to", time::format(within.end))
            .query_some("staff_id", staff)
            .query_some("duration_minutes", minutes.map(|m| m.to_string()))
            .fetch()
    }

    pub(crate) fn busy(&self, within: Interval, staff: Option<&str>) -> Result<Value> {
        self.client
            .get(&self.path("busy"))
            .query("from", time::format(within.start))
            .query("to", time::format(within.end))
            .query_some("staff_id", staff)
            .fetch()
    }

    pub(crate) fn clients(&self, cursor: Option<&str>, limit: u32) -> Result<Value> {
        let request = self.client.get(&self.path("clients")).query_some("cursor", cursor);
        request.query("limit", limit.clamp(1, PER_PAGE).to_string()).fetch()
    }

    pub(crate) fn erase_client(&self, id: &str) -> Result<()> {
        self.client.delete(&self.path(&format!("clients/{}", encode(id)))).send().map(|_| ())
    }

    pub(crate) fn create_booking(&self, key: &str, body: &Value) -> Result<Value> {
        self.once(&self.path("bookings"), key, body)
    }

    pub(crate) fn booking(&self, id: &str) -> Result<Value> {
        self.client.get(&self.path(&format!("bookings/{}", encode(id)))).fetch()
    }

    /// A page of bookings in the order of their changes.
    pub(crate) fn bookings(&self, filter: BookingFilter<'_>) -> Result<Piece<Value>> {
        let page: Value = self
            .client
            .get(&self.path("bookings"))
            .query_some("updated_since", filter.updated_since.map(time::format))
            .query_some("from", filter.from.map(time::format))
            .query_some("cursor", filter.cursor)
            .query("limit", filter.limit.clamp(1, PER_PAGE).to_string())
            .fetch()?;
        piece(&page)
    }

    /// What somebody does with a booking: `cancel`, `reschedule`.
    pub(crate) fn act(&self, id: &str, action: &str, key: &str, body: &Value) -> Result<Value> {
        self.once(&self.path(&format!("bookings/{}/{action}", encode(id))), key, body)
    }

    /// A change of a booking under a key; the booking as it is now. A repeat is answered with the first answer, and since then the
    /// business may have moved or cancelled it.
    fn once(&self, path: &str, key: &str, body: &Value) -> Result<Value> {
        let answer = self.client.post(path).header(IDEMPOTENCY_KEY, key).json(body).send()?;
        let booking: Value = answer.json()?;
        if answer.header(REPLAYED) != Some("true") {
            return Ok(booking);
        }
        let id = booking.get("id").and_then(Value::as_str).ok_or(ProviderError::Unavailable(None))?;
        self.booking(id).map_err(|error| match error {
            ProviderError::Unauthorised | ProviderError::RateLimited(_) | ProviderError::Unavailable(_) => {
                error
            }
            // A refusal to show it is none of the change.
            _ => ProviderError::Unavailable(None),
        })
    }

    /// Keep time free. A bridge that does not know the key is asked for the block before another try.
    pub(crate) fn create_block(&self, key: &str, body: &Value) -> Result<Value> {
        self.client.post(&self.path("blocks")).header(IDEMPOTENCY_KEY, key).json(body).fetch()
    }

    pub(crate) fn delete_block(&self, id: &str) -> Result<()> {
        self.client.delete(&self.path(&format!("blocks/{}", encode(id)))).send().map(|_| ())
    }

    pub(crate) fn webhooks(&self) -> Result<Vec<Value>> {
        let page: Value = self.client.get(&self.path("webhooks")).fetch()?;
        Ok(piece(&page)?.items)
    }

    /// Berth adds the secret to the body.
    pub(crate) fn create_webhook(&self, url: &str, events: &[&str]) -> Result<Value> {
        self.client.post(&self.path("webhooks")).json(&json!({ "url": url, "events": events })).fetch()
    }

    pub(crate) fn delete_webhook(&self, id: &str) -> Result<()> {
        self.client.delete(&self.path(&format!("webhooks/{}", encode(id)))).send().map(|_| ())
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/{rest}", self.business)
    }
}

/// `{"data": […], "next_cursor": …}`.
fn piece(page: &Value) -> Result<Piece<Value>> {
    let page: map::Page = berth_sdk::json::read("page", page)?;
    Ok(Piece { items: page.data, next: page.next_cursor })
}
