//! Bookings.

pub(crate) mod bulk;
pub(crate) mod change;
pub(crate) mod clock_changes;
pub(crate) mod csv;
pub(crate) mod edit;
pub(crate) mod expand;
pub(crate) mod external;
pub(crate) mod holds;
pub(crate) mod list;
pub(crate) mod manage;
pub(crate) mod public;
pub(crate) mod schemas;
pub(crate) mod series;
pub(crate) mod view;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use berth_engine::{BookRequest, HoldClaim, SeriesRequest};
use berth_model::{
    connections::secret::Secret,
    id::{BookingId, ConnectionId, EventTypeId, HoldId, MemberId},
    problem::Problem,
    tenants::scope::Scope,
    time::Instant,
};
use berth_store::records::AuditEntry;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use self::{
    series::{BookingOrSeries, Mode, Recurrence},
    view::{BookingView, Person, accepted, tagged},
};
use super::described::{Described, routes};
use crate::{
    api::connections::choice,
    http::{
        app::App,
        auth::{AsTenant, Authenticated},
        contacts::Anything,
        etag::located,
        extract::{Json as Body, Path},
        page::Page,
        problem::{ApiResult, ProblemDocument},
    },
};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(create: BookingsWrite, list::list: BookingsRead))
        .routes(routes!(list::counts: BookingsRead))
        .routes(routes!(bulk::create: BookingsWrite, bulk::list: BookingsRead))
        .routes(routes!(bulk::get: BookingsRead))
        .routes(routes!(external::get: BookingsRead))
        .routes(routes!(external::adopt: BookingsWrite))
        .routes(routes!(get: BookingsRead, edit::update: BookingsWrite))
        .routes(routes!(edit::add_guests: BookingsWrite, edit::remove_guest: BookingsWrite))
        .routes(routes!(edit::reassign: BookingsWrite))
        .routes(routes!(change::cancel: BookingsWrite))
        .routes(routes!(change::reschedule: BookingsWrite))
        .routes(routes!(clock_changes::list: BookingsRead))
        .routes(routes!(clock_changes::keep: BookingsWrite))
        .routes(routes!(change::confirm: BookingsWrite))
        .routes(routes!(change::decline: BookingsWrite))
        .routes(routes!(change::no_show: BookingsWrite))
        .routes(routes!(manage::link: BookingsWrite))
        .routes(routes!(holds::create: BookingsWrite))
        .routes(routes!(holds::get: BookingsRead, holds::release: BookingsWrite))
        .routes(routes!(holds::extend: BookingsWrite))
        .routes(routes!(timeline: BookingsRead))
}

/// Routes that need none.
pub(super) fn open() -> Described {
    Described::new()
        .routes(routes!(manage::get))
        .routes(routes!(manage::cancel))
        .routes(routes!(manage::reschedule))
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
    #[serde(rename = "event_type_id")]
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
    #[serde(rename = "member_id")]
    member: Option<MemberId>,
    /// The hold that the booking takes over: `start` must be its start.
    #[serde(default)]
    hold: Option<Hold>,
    /// Where it goes, if not where the listing says: the name (or an alias) of a provider to which the listing, or else the tenant, has one
    /// connection; `builtin` for none. With several, see `connection_id`.
    #[serde(default)]
    provider: Option<String>,
    /// The connection that it goes over, if not the listing's.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    connection_id: Option<ConnectionId>,
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
    /// What other programs keep with it: at most 50 keys of 40 characters, with texts of 500. No provider is told of it.
    #[serde(default)]
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
    /// Where, by the `key` of one of the event type's locations; needed where there are several.
    #[serde(default)]
    location: Option<String>,
    /// Book also for a customer who may not book: with a key that has the scope `bookings:override`.
    #[serde(default)]
    allow_blocked: bool,
    /// Make a series: `start` is its first. The answer is a `SeriesView`.
    #[serde(default)]
    recurrence: Option<Recurrence>,
}

/// Book a slot, or several as a series (`recurrence`).
#[utoipa::path(post, path = "/api/booking", operation_id = "bookings_create", tag = "bookings", request_body = NewBooking,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats with the same key get the first answer")),
    responses((status = 201, body = BookingOrSeries, description = "Confirmed on both sides"),
        (status = 202, body = BookingOrSeries, description = "Accepted; the provider has not answered yet"),
        (status = 409, body = ProblemDocument, description = "Not available; `reason` says why (`degraded`: `degraded` names what could not be asked), `alternatives` names the nearest starts"),
        (status = 422, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    key: Authenticated,
    AsTenant(caller): AsTenant,
    Body(new): Body<NewBooking>,
) -> ApiResult<Response> {
    if new.allow_blocked {
        key.check(Scope::BookingsOverride)?;
    }
    let request = BookRequest {
        event_type: new.event_type,
        start: new.start,
        length_minutes: new.length_minutes,
        member: new.member,
        hold: new.hold.map(|hold| HoldClaim { id: hold.id, token: hold.token }),
        provider: choice::of(new.provider.as_deref(), new.connection_id)
            .map_err(|error| Problem::invalid(vec![error]))?,
        attendee: new.attendee.into(),
        guests: new.guests,
        answers: new.answers,
        notes: new.notes,
        location: new.location,
        allow_blocked: new.allow_blocked,
        metadata: edit::texts(new.metadata)?,
        consents: Vec::new(),
    };
    if let Some(recurrence) = new.recurrence {
        let best_effort = recurrence.mode == Mode::BestEffort;
        let request = SeriesRequest { first: request, starts: recurrence.starts()?, best_effort };
        let outcome = app.engine().bookings.book_series(&caller, request).await?;
        return Ok(series::answer(&app, &caller, outcome, StatusCode::CREATED).await);
    }
    let outcome = app.engine().bookings.book(&caller, request).await?;
    let location = format!("/api/booking/{}", outcome.booking.id);
    Ok(located(accepted(&app, &caller, outcome, StatusCode::CREATED).await, location))
}

/// A booking.
#[utoipa::path(get, path = "/api/booking/{id}", operation_id = "bookings_get", tag = "bookings", params(("id" = String, Path)),
    responses((status = 200, body = BookingView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<BookingId>,
) -> ApiResult<Response> {
    let booking = app.engine().bookings.booking(&caller, id).await?;
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
    data: Anything,
}

impl From<AuditEntry> for Step {
    fn from(e: AuditEntry) -> Self {
        Self {
            at: e.audit.at,
            action: e.action,
            actor: e.audit.actor,
            request_id: e.audit.request_id,
            data: Anything(e.data),
        }
    }
}

/// Every step of a booking's life, oldest first.
#[utoipa::path(get, path = "/api/booking/{id}/timeline", operation_id = "booking_timelines_get", tag = "bookings", params(("id" = String, Path)),
    responses((status = 200, body = Page<Step>), (status = 404, body = ProblemDocument)))]
pub(crate) async fn timeline(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<BookingId>,
) -> ApiResult<Json<Page<Step>>> {
    let steps = app.engine().bookings.timeline(&caller, id).await?;
    Ok(Json(Page { items: steps.into_iter().map(Step::from).collect(), next: None }))
}
