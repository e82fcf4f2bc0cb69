//! The requests of Calendly's API v2, one function each. Answers are the `resource` or the `collection` of the envelope, as
//! JSON.

use berth_sdk::{
    Result,
    http::{Client, RequestBuilder, Response, encode},
    limits,
    paging::Piece,
    time,
    types::{Instant, Interval},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    map,
    owner::{Owner, Scope},
    refusal,
};

/// Items on a page: the most that Calendly gives.
pub(crate) const PER_PAGE: u32 = 100;

/// Which events to list, by their start.
#[derive(Debug, Default)]
pub(crate) struct EventFilter<'a> {
    pub(crate) invitee_email: Option<&'a str>,
    pub(crate) after: Option<Instant>,
    pub(crate) before: Option<Instant>,
    pub(crate) active_only: bool,
}

/// The API of one account.
pub(crate) struct Api {
    client: Client,
}

#[derive(Deserialize)]
struct Envelope {
    resource: Value,
}

#[derive(Deserialize)]
struct List {
    collection: Vec<Value>,
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
struct Pagination {
    next_page_token: Option<String>,
}

impl Api {
    pub(crate) fn new(base_url: &str) -> Self {
        Self { client: Client::live(base_url).wait_hint(wait_hint).error_hint(refusal::of_any) }
    }

    pub(crate) fn now(&self) -> Instant {
        self.client.now()
    }

    pub(crate) fn me(&self) -> Result<Value> {
        resource(self.client.get("/users/me"))
    }

    pub(crate) fn event_types(
        &self,
        owner: &Owner,
        scope: Scope,
        count: u32,
        token: Option<&str>,
    ) -> Result<Piece<Value>> {
        let request = self.client.get("/event_types").query(scope.name(), owner.of(scope));
        page(request.query("sort", "name:asc"), count, token)
    }

    pub(crate) fn event_type(&self, id: &str) -> Result<Value> {
        resource(self.client.get(&format!("/event_types/{}", encode(id))))
    }

    pub(crate) fn available_times(&self, event_type: &str, within: Interval) -> Result<Vec<Value>> {
        let request = self.client.get("/event_type_available_times").query("event_type", event_type);
        Ok(list(spanning(request, within))?.items)
    }

    pub(crate) fn busy_times(&self, user: &str, within: Interval) -> Result<Vec<Value>> {
        let request = self.client.get("/user_busy_times").query("user", user);
        Ok(list(spanning(request, within))?.items)
    }

    pub(crate) fn create_invitee(&self, body: &Value) -> Result<Value> {
        let client = self.client.clone().error_hint(refusal::of_booking);
        resource(client.post("/invitees").json(body))
    }

    pub(crate) fn create_link(&self, event_type: &str) -> Result<Value> {
        let body = json!({ "max_event_count": 1, "owner": event_type, "owner_type": "EventType" });
        resource(self.client.post("/scheduling_links").json(&body))
    }

    pub(crate) fn event(&self, event: &str) -> Result<Value> {
        resource(self.client.get(&format!("/scheduled_events/{}", encode(event))))
    }

    pub(crate) fn events(
        &self,
        owner: &Owner,
        scope: Scope,
        filter: &EventFilter<'_>,
        token: Option<&str>,
    ) -> Result<Piece<Value>> {
        let request = self
            .client
            .get("/scheduled_events")
            .query(scope.name(), owner.of(scope))
            .query_some("invitee_email", filter.invitee_email)
            .query_some("status", filter.active_only.then_some("active"))
            .query_some("min_start_time", filter.after.map(time::format))
            .query_some("max_start_time", filter.before.map(time::format))
            .query("sort", "start_time:asc");
        page(request, PER_PAGE, token)
    }

    pub(crate) fn invitee(&self, event: &str, invitee: &str) -> Result<Value> {
        let path = format!("/scheduled_events/{}/invitees/{}", encode(event), encode(invitee));
        resource(self.client.get(&path))
    }

    pub(crate) fn invitees(
        &self,
        event: &str,
        email: Option<&str>,
        token: Option<&str>,
    ) -> Result<Piece<Value>> {
        let path = format!("/scheduled_events/{}/invitees", encode(event));
        page(self.client.get(&path).query_some("email", email), PER_PAGE, token)
    }

    /// The answer says who cancelled, not what.
    pub(crate) fn cancel_event(&self, event: &str, reason: Option<&str>) -> Result<()> {
        let path = format!("/scheduled_events/{}/cancellation", encode(event));
        let body = reason.map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
        resource(self.client.post(&path).json(&body)).map(|_| ())
    }

    pub(crate) fn webhooks(&self, owner: &Owner, scope: Scope, token: Option<&str>) -> Result<Piece<Value>> {
        let user = (scope == Scope::User).then_some(&owner.user);
        let request = self
            .client
            .get("/webhook_subscriptions")
            .query("organization", &owner.organization)
            .query_some("user", user)
            .query("scope", scope.name());
        page(request, PER_PAGE, token)
    }

    /// Berth adds the signing key to the body.
    pub(crate) fn create_webhook(&self, body: &Value) -> Result<Value> {
        resource(self.client.post("/webhook_subscriptions").json(body))
    }

    pub(crate) fn delete_webhook(&self, id: &str) -> Result<()> {
        let path = format!("/webhook_subscriptions/{}", encode(map::last_part(id)));
        self.client.delete(&path).send().map(|_| ())
    }
}

fn resource(request: RequestBuilder<'_>) -> Result<Value> {
    Ok(request.fetch::<Envelope>()?.resource)
}

fn page(request: RequestBuilder<'_>, count: u32, token: Option<&str>) -> Result<Piece<Value>> {
    list(request.query("count", count.clamp(1, PER_PAGE).to_string()).query_some("page_token", token))
}

fn list(request: RequestBuilder<'_>) -> Result<Piece<Value>> {
    let List { collection, pagination } = request.fetch()?;
    Ok(Piece { items: collection, next: pagination.and_then(|p| p.next_page_token) })
}

fn spanning(request: RequestBuilder<'_>, within: Interval) -> RequestBuilder<'_> {
    request.query("start_time", time::format(within.start)).query("end_time", time::format(within.end))
}

/// `X-RateLimit-Reset` of a 429: seconds until the next minute begins.
fn wait_hint(response: &Response, _: Instant) -> Option<u64> {
    let seconds: u64 = response.header("x-ratelimit-reset")?.trim().parse().ok()?;
    (response.status == 429).then_some(seconds.saturating_mul(1_000).min(limits::RETRY_AFTER_MS_MAX))
}
