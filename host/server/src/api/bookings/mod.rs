//! Bookings.

pub(crate) mod change;
pub(crate) mod clock_changes;
pub(crate) mod holds;
pub(crate) mod manage;
pub(crate) mod series;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use berth_engine::{BookOutcome, BookRequest, Caller, HoldClaim, ProviderSync, SeriesRequest};
use berth_model::{
    bookings::booking::{Booking, BookingStatus, ProviderTask},
    connections::secret::Secret,
    id::{BookingId, ConnectionId, EventTypeId, HoldId, ListingId, MemberId, SeriesId},
    outbound::provider::Attendee,
    problem::{Code, Problem},
    time::{Instant, Interval},
};
use berth_store::records::{AuditEntry, BookingFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use self::series::{BookingOrSeries, Mode, Recurrence};
use crate::api::availability::choice;
use crate::http::{
    app::{App, RequestId},
    auth::Authenticated,
    etag,
    extract::{Json as Body, Path, Query},
    page::{self, Page},
    problem::{ApiResult, ProblemDocument},
};

/// The customer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Person {
    #[schema(example = "Ada Nowak")]
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    /// E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "+48600100200")]
    phone: Option<String>,
    /// IANA zone.
    #[schema(example = "Europe/Warsaw")]
    time_zone: String,
    /// BCP 47.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
}

impl From<Person> for Attendee {
    fn from(p: Person) -> Self {
        Self { name: p.name, email: p.email, phone: p.phone, time_zone: p.time_zone, language: p.language }
    }
}
impl From<Attendee> for Person {
    fn from(a: Attendee) -> Self {
        Self { name: a.name, email: a.email, phone: a.phone, time_zone: a.time_zone, language: a.language }
    }
}

/// A hold and its token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Hold {
    #[schema(value_type = String)]
    id: HoldId,
    #[schema(value_type = String)]
    token: Secret,
}

/// A booking to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBooking {
    #[schema(value_type = String)]
    event_type: EventTypeId,
    /// When it starts (RFC 3339): one of the offered slots.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T09:00:00Z")]
    start: Instant,
    /// Length, if the event type offers several.
    #[serde(default)]
    length_minutes: Option<u32>,
    /// With whom; absent: the event type's strategy chooses among those who are free.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    member: Option<MemberId>,
    /// The hold that the booking takes over: `start` must be its start.
    #[serde(default)]
    hold: Option<Hold>,
    /// Where it goes, if not where the listing says: a connection's id, or `builtin`.
    #[serde(default)]
    provider: Option<String>,
    attendee: Person,
    /// E-mail addresses of further guests.
    #[serde(default)]
    guests: Vec<String>,
    /// Answers to the event type's questions.
    #[serde(default)]
    #[schema(value_type = Object)]
    answers: Map<String, Value>,
    #[serde(default)]
    notes: Option<String>,
    /// Make a series: `start` is its first. The answer is a `SeriesView`.
    #[serde(default)]
    recurrence: Option<Recurrence>,
}

/// How telling the provider of a booking stands.
#[derive(Debug, Serialize, ToSchema)]
struct SyncView {
    /// `waiting` for its next try, `running`, or a `dead_letter`: given up, until somebody takes it up again (`requeue` of operations);
    /// `paused`, until its connection is resumed; `not_told`: its connection is disconnected, and changes are made here alone.
    state: &'static str,
    /// Tries so far, one that is under way included.
    tries: i64,
    /// Why the last one did not succeed.
    last_error: Option<String>,
    /// When it is tried next, if it waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_try_at: Option<Instant>,
}

impl From<ProviderSync> for SyncView {
    fn from(sync: ProviderSync) -> Self {
        let ProviderSync { state, tries, last_error, next_try_at } = sync;
        Self { state: state.as_str(), tries, last_error, next_try_at }
    }
}

/// A booking.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BookingView {
    #[schema(value_type = String)]
    id: BookingId,
    #[schema(value_type = String)]
    listing: ListingId,
    #[schema(value_type = String)]
    event_type: EventTypeId,
    /// Who it is with: the organiser.
    #[schema(value_type = String)]
    member: MemberId,
    /// Who takes part besides the organiser.
    #[schema(value_type = Vec<String>)]
    other_members: Vec<MemberId>,
    /// The series that it is an occurrence of; null for a single booking.
    #[schema(value_type = Option<String>)]
    series: Option<SeriesId>,
    /// Why the organiser was chosen: `strategy`, `reason`, `runners_up`.
    #[schema(value_type = Option<Object>)]
    assignment: Option<Value>,
    /// Connection it is booked over; null for the built-in provider.
    #[schema(value_type = Option<String>)]
    provider: Option<ConnectionId>,
    /// `pending`, `confirmed`, `cancelled`, `failed`, `completed`, `no_show`.
    #[schema(value_type = String)]
    status: BookingStatus,
    /// What the provider still has to be told: `create`, `cancel`, `reschedule`; null when both sides agree.
    #[schema(value_type = Option<String>)]
    provider_task: Option<ProviderTask>,
    /// Why the provider has not been told yet, or is not told any more; null when both sides agree.
    provider_sync: Option<SyncView>,
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    #[schema(value_type = String, format = DateTime)]
    end: Instant,
    attendee: Person,
    guests: Vec<String>,
    #[schema(value_type = Object)]
    answers: Map<String, Value>,
    notes: Option<String>,
    /// Why it was cancelled or failed.
    reason: Option<String>,
    /// Its id at the provider.
    external_id: Option<String>,
    /// Counts changes; the `ETag`.
    sequence: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

impl From<Booking> for BookingView {
    fn from(b: Booking) -> Self {
        Self {
            id: b.id,
            listing: b.listing,
            event_type: b.event_type,
            member: b.member,
            other_members: b.other_members,
            series: b.series,
            assignment: b.assignment,
            provider: b.connection,
            status: b.status,
            provider_task: b.provider_task,
            provider_sync: None,
            start: b.when.start(),
            end: b.when.end(),
            attendee: b.attendee.into(),
            guests: b.guests,
            answers: b.answers,
            notes: b.notes,
            reason: b.reason,
            external_id: b.external_id,
            sequence: b.sequence,
            created_at: b.created_at,
            updated_at: b.updated_at,
        }
    }
}

/// Bookings as they are shown, with how each stands at its provider.
pub(crate) async fn views(app: &App, caller: &Caller, bookings: Vec<Booking>) -> Vec<BookingView> {
    let mut syncs = app.engine().provider_sync(caller, &bookings).await;
    let view = |booking: Booking| {
        let provider_sync = syncs.remove(&booking.id).map(Into::into);
        BookingView { provider_sync, ..booking.into() }
    };
    bookings.into_iter().map(view).collect()
}

pub(crate) async fn tagged(app: &App, caller: &Caller, status: StatusCode, booking: Booking) -> Response {
    let sequence = booking.sequence;
    let view = views(app, caller, vec![booking]).await.pop();
    etag::tagged(status, sequence, view)
}

/// 202 while the provider has not answered: the booking is safe, and its state says how it goes on.
pub(crate) async fn accepted(app: &App, caller: &Caller, outcome: BookOutcome, done: StatusCode) -> Response {
    tagged(app, caller, if outcome.pending { StatusCode::ACCEPTED } else { done }, outcome.booking).await
}

/// Book a slot, or several as a series (`recurrence`).
#[utoipa::path(post, path = "/api/booking", tag = "bookings", request_body = NewBooking,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats with the same key get the first answer")),
    responses((status = 201, body = BookingOrSeries, description = "Confirmed on both sides"),
        (status = 202, body = BookingOrSeries, description = "Accepted; the provider has not answered yet"),
        (status = 409, body = ProblemDocument, description = "Not available; `reason` says why (`degraded`: `degraded` names what could not be asked), `alternatives` names the nearest starts"),
        (status = 422, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Body(new): Body<NewBooking>,
) -> ApiResult<Response> {
    let caller = key.caller("bookings:write", &request_id)?;
    let request = BookRequest {
        event_type: new.event_type,
        start: new.start,
        length_minutes: new.length_minutes,
        member: new.member,
        hold: new.hold.map(|hold| HoldClaim { id: hold.id, token: hold.token }),
        provider: choice(new.provider.as_deref())?,
        attendee: new.attendee.into(),
        guests: new.guests,
        answers: new.answers,
        notes: new.notes,
    };
    if let Some(recurrence) = new.recurrence {
        let best_effort = recurrence.mode == Mode::BestEffort;
        let request = SeriesRequest { first: request, starts: recurrence.starts()?, best_effort };
        let outcome = app.engine().book_series(&caller, request).await?;
        return Ok(series::answer(&app, &caller, outcome, StatusCode::CREATED).await);
    }
    let outcome = app.engine().book(&caller, request).await?;
    let location = format!("/api/booking/{}", outcome.booking.id);
    let mut response = accepted(&app, &caller, outcome, StatusCode::CREATED).await;
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Which bookings are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    #[param(value_type = Option<String>)]
    listing: Option<ListingId>,
    #[param(value_type = Option<String>)]
    event_type: Option<EventTypeId>,
    #[param(value_type = Option<String>)]
    member: Option<MemberId>,
    /// Occurrences of this series.
    #[param(value_type = Option<String>)]
    series: Option<SeriesId>,
    /// One of the states.
    #[param(value_type = Option<String>)]
    status: Option<BookingStatus>,
    /// Overlapping the time from here …
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Instant>,
    /// … to here.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Instant>,
    /// Items wanted, 1 to 100 (50).
    limit: Option<u32>,
    /// `next` of the last page.
    cursor: Option<String>,
}

/// Bookings, by start.
#[utoipa::path(get, path = "/api/booking", tag = "bookings", params(ListParams), responses((status = 200, body = Page<BookingView>)))]
pub(crate) async fn list(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Query(params): Query<ListParams>,
) -> ApiResult<Json<Page<BookingView>>> {
    let caller = key.caller("bookings:read", &request_id)?;
    let limit = page::items(params.limit)?;
    let within = match (params.from, params.to) {
        (None, None) => None,
        (from, to) => Some(
            Interval::new(from.unwrap_or(Instant::MIN), to.unwrap_or(Instant::MAX))
                .map_err(|_| Problem::new(Code::MalformedParameter, "to must not be before from."))?,
        ),
    };
    let filter = BookingFilter {
        listing: params.listing,
        event_type: params.event_type,
        member: params.member,
        series: params.series,
        connection: None,
        status: params.status,
        within,
        provider_task: None,
        after: page::position(params.cursor.as_ref())?,
    };
    let rows = app.engine().list_bookings(&caller, filter, limit.saturating_add(1)).await?;
    let Page { items, next } = page::page(rows, limit, |b| (b.when.start(), b.id), |booking| booking);
    Ok(Json(Page { items: views(&app, &caller, items).await, next }))
}

/// A booking.
#[utoipa::path(get, path = "/api/booking/{id}", tag = "bookings", params(("id" = String, Path)),
    responses((status = 200, body = BookingView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(id): Path<BookingId>,
) -> ApiResult<Response> {
    let caller = key.caller("bookings:read", &request_id)?;
    let booking = app.engine().booking(&caller, id).await?;
    Ok(tagged(&app, &caller, StatusCode::OK, booking).await)
}

/// A step of a booking's life.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Step {
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// `booking.created`, `booking.confirmed`, …
    action: String,
    /// `key:<id>`, `job:<id>`, `provider:<plugin>`, …
    actor: String,
    request_id: String,
    #[schema(value_type = Object)]
    data: Value,
}

impl From<AuditEntry> for Step {
    fn from(e: AuditEntry) -> Self {
        Self {
            at: e.audit.at,
            action: e.action,
            actor: e.audit.actor,
            request_id: e.audit.request_id,
            data: e.data,
        }
    }
}

/// Every step of a booking's life, oldest first.
#[utoipa::path(get, path = "/api/booking/{id}/timeline", tag = "bookings", params(("id" = String, Path)),
    responses((status = 200, body = Page<Step>), (status = 404, body = ProblemDocument)))]
pub(crate) async fn timeline(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(id): Path<BookingId>,
) -> ApiResult<Json<Page<Step>>> {
    let caller = key.caller("bookings:read", &request_id)?;
    let steps = app.engine().timeline(&caller, id).await?;
    Ok(Json(Page { items: steps.into_iter().map(Step::from).collect(), next: None }))
}
