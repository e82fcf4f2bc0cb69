//! The feed of events: what happened, in order, for programs that follow along.

mod kinds;

use std::time::Duration;

use axum::{Json, extract::State, http::HeaderMap};
use berth_engine::EventQuery;
use berth_model::{
    events::{After, Cursor, Event, EventKind},
    id::EventId,
    limits,
    problem::{Code, Problem},
    tenants::scope::Scope,
    time::Instant,
};
use berth_store::records::EventPage;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

pub(crate) use kinds::Kinds;

use super::described::{Described, routes};
use crate::http::{
    app::App,
    auth::{AsTenant, Authenticated},
    extract::Query,
    problem::{ApiResult, ProblemDocument},
};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new().routes(routes!(feed: EventsRead)).routes(routes!(kinds::list: EventsRead))
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedParams {
    /// `next` of the last answer: what happened after it. `latest`: from now on, what happened so far is passed over. Without it: from the
    /// oldest event that is kept.
    after: Option<String>,
    /// `epoch` of the answer that `after` is from. It rises when a back-up is restored; a position of another epoch is refused (410).
    epoch: Option<i64>,
    /// Events of these kinds alone, by their names with commas between (`booking.created,booking.cancelled`). `next` is then the position up
    /// to which was looked: an answer without items may have another `next`, from which to go on.
    kinds: Option<String>,
    /// Events wanted, 1 to 200 (100).
    limit: Option<u32>,
    /// Seconds to wait for an event if there is none, 0 to 20 (0). The answer comes as soon as there is one, or without items when the time is
    /// up. 20 requests of a tenant may wait at the same time.
    wait: Option<u64>,
}

/// Something that happened. What `data` has is said by its kind: see `/api/events/kinds`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventView {
    #[schema(value_type = String)]
    id: EventId,
    /// 1, 2, 3, … without gaps, in the order in which it is read.
    position: i64,
    kind: String,
    subject_kind: String,
    subject_id: Uuid,
    /// Counts the events of the subject: the highest one says how it stands.
    sequence: i64,
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Instant,
    actor: String,
    data: Value,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        let Event {
            tenant: _,
            id,
            position,
            kind,
            subject_kind,
            subject,
            sequence,
            occurred_at,
            actor,
            data,
        } = event;
        Self { id, position, kind, subject_kind, subject_id: subject, sequence, occurred_at, actor, data }
    }
}

/// Events in their order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Feed {
    items: Vec<EventView>,
    /// Send it as `after` to go on. Always there.
    next: i64,
    /// Send it with `after`.
    epoch: i64,
    /// Is there more already? If not, send `wait` with the next request.
    has_more: bool,
}

impl From<EventPage> for Feed {
    fn from(page: EventPage) -> Self {
        Self {
            next: page.next,
            epoch: page.head.epoch,
            has_more: page.has_more(),
            items: page.events.into_iter().map(Into::into).collect(),
        }
    }
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(Code::MalformedParameter, detail)
}

impl FeedParams {
    fn query(&self) -> Result<EventQuery, Problem> {
        let after = self.after.as_deref().map_or(Ok(After::Oldest), str::parse);
        let after = after.map_err(|why| bad(format!("after {why}.")))?;
        let limit = self.limit.unwrap_or(limits::EVENTS_PAGE_DEFAULT);
        if !(1..=limits::EVENTS_PAGE_MAX).contains(&limit) {
            return Err(bad(format!("limit must be 1 to {}.", limits::EVENTS_PAGE_MAX)));
        }
        let named = self.kinds.iter().flat_map(|kinds| kinds.split(','));
        let mut kinds = Vec::new();
        for name in named {
            let kind = EventKind::named(name.trim()).ok_or_else(|| {
                bad("kinds must be names of kinds with commas between.")
                    .with_hint("GET /api/events/kinds lists them.")
            })?;
            // Each once, so that no more are asked for than there are.
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        Ok(EventQuery { cursor: Cursor { after, epoch: self.epoch }, kinds, limit })
    }

    fn wait(&self) -> Result<Duration, Problem> {
        let wait = self.wait.unwrap_or(0);
        if wait > limits::EVENTS_WAIT_SECONDS_MAX {
            return Err(bad(format!("wait must be 0 to {} seconds.", limits::EVENTS_WAIT_SECONDS_MAX)));
        }
        Ok(Duration::from_secs(wait))
    }
}

/// What happened, in one order and without gaps: bookings, conflicts, connections. Keep `next` and `epoch`, and go on from there: nothing is
/// missed, and nothing comes twice. Events are kept for 90 days and tell ids, times and states; who or what it is about is asked for by its
/// id. The last event of a subject says how it stands.
///
/// To begin: ask with `after=latest`, keep the answer's `next`, read the lists, then follow. The same to begin anew after a 410.
#[utoipa::path(get, path = "/api/events", operation_id = "events_list", tag = "events", params(FeedParams), responses(
    (status = 200, body = Feed),
    (status = 400, body = ProblemDocument),
    (status = 410, description = "There is no going on from this position: the feed was begun anew (BERTH-E0540), or what came after it is not kept any more (BERTH-E0541). `epoch`, `oldest` and `latest` say where the feed stands.", body = ProblemDocument),
    (status = 422, description = "The position is ahead of the feed (BERTH-E0542).", body = ProblemDocument),
    (status = 429, description = "Too many requests of this tenant wait (BERTH-E0543).", body = ProblemDocument),
    (status = 503, description = "Too many requests wait (BERTH-E0544).", body = ProblemDocument)))]
pub(crate) async fn feed(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    key: Authenticated,
    headers: HeaderMap,
    Query(params): Query<FeedParams>,
) -> ApiResult<Json<Feed>> {
    let (mut query, wait) = (params.query()?, params.wait()?);
    let mut page = app.engine().events.events(&caller, &query).await?;
    let is_over = |page: &EventPage| !page.events.is_empty() || page.has_more();
    if wait.is_zero() || is_over(&page) {
        return Ok(Json(page.into()));
    }
    let mut place = app.engine().events.wait_for_events(&caller)?;
    let until = time::Instant::now() + wait;
    // Ends: each turn takes time, or has something new.
    loop {
        query.cursor = Cursor { after: After::Position(page.next), epoch: Some(page.head.epoch) };
        page = app.engine().events.events(&caller, &query).await?;
        let left = until.saturating_duration_since(time::Instant::now());
        if left.is_zero() || is_over(&page) {
            return Ok(Json(page.into()));
        }
        if !place.news(left.min(Duration::from_millis(limits::EVENTS_WAIT_CHECK_MS))).await {
            return Ok(Json(page.into()));
        }
        // A key that was revoked meanwhile is told nothing more.
        key.again(&app, &headers, Scope::EventsRead).await?;
    }
}
