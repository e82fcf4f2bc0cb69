//! What customers do with the link to their booking. No key: the token in the path says who they are.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use berth_engine::{Caller, CancelBooking, Managed, RescheduleBooking};
use berth_model::{
    bookings::{booking::BookingStatus, location::Location},
    connections::secret::Secret,
    id::{ApiKeyId, BookingId, EventTypeId},
    problem::{Code, Problem},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::catalog::schemas;
use crate::http::{
    app::App,
    auth::AsTenant,
    extract::{Json as Body, Path},
    once::private,
    problem::{ApiResult, ProblemDocument},
    request_id::RequestId,
};

/// The link of a booking's customer. Not to be printed.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkView {
    /// For `/api/booking/manage/{token}`. Whoever has it acts as the customer.
    token: String,
    /// The whole address; null if the engine does not know its own.
    url: Option<String>,
}

/// The link by which the customer sees, cancels and moves this booking, to be sent to them and to nobody else.
#[utoipa::path(get, path = "/api/booking/{id}/link", operation_id = "booking_links_get", tag = "bookings", params(("id" = String, Path)),
    responses((status = 200, body = LinkView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn link(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<BookingId>,
) -> ApiResult<Response> {
    let link = app.engine().bookings.manage_link(&caller, id).await?;
    let url = link.url.map(|url: Secret| url.expose().to_owned());
    Ok(private(Json(LinkView { token: link.token.expose().to_owned(), url }).into_response()))
}

/// A booking as its customer sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ManagedView {
    /// `pending`, `confirmed`, `cancelled`, `failed`, `completed`, `no_show`.
    #[schema(value_type = String)]
    status: BookingStatus,
    #[schema(value_type = String)]
    #[serde(rename = "event_type_id")]
    event_type: EventTypeId,
    /// Name of what was booked.
    title: String,
    /// Name of the business.
    listing: String,
    /// IANA zone of the business.
    time_zone: String,
    /// Names of those who take part, the organiser first.
    members: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    #[schema(value_type = String, format = DateTime)]
    end: Instant,
    /// Name of the customer.
    attendee: String,
    /// Where it takes place; null: nothing was to choose.
    #[schema(value_type = Option<schemas::Location>)]
    location: Option<Location>,
    /// Where people meet on the web.
    meeting_url: Option<String>,
    /// Why it was cancelled or failed.
    reason: Option<String>,
    /// Last moment at which the customer may cancel.
    #[schema(value_type = String, format = DateTime)]
    cancel_until: Instant,
    /// Last moment at which the customer may move it.
    #[schema(value_type = String, format = DateTime)]
    reschedule_until: Instant,
}

impl From<Managed> for ManagedView {
    fn from(managed: Managed) -> Self {
        let meeting_url = managed.booking.meeting_url().map(str::to_owned);
        Self {
            cancel_until: managed.cancel_until(),
            reschedule_until: managed.reschedule_until(),
            status: managed.booking.status,
            event_type: managed.event_type.id,
            title: managed.event_type.title,
            time_zone: managed.listing.time_zone.to_string(),
            listing: managed.listing.title,
            members: managed.members,
            start: managed.booking.when.start(),
            end: managed.booking.when.end(),
            attendee: managed.booking.attendee.name,
            meeting_url,
            location: managed.booking.location,
            reason: managed.booking.reason,
        }
    }
}

/// The customer of a token, no more often than allowed. Tokens that are not ours share one limit.
pub(crate) async fn customer(
    app: &App,
    token: &str,
    request_id: &RequestId,
) -> ApiResult<(Caller, BookingId)> {
    match app.engine().bookings.customer_of(token, &request_id.0) {
        Ok((caller, id)) => {
            app.link_rate().take(id, None).check()?;
            app.engine().tenants.check_tenant(caller.tenant).await?;
            Ok((caller, id))
        }
        Err(problem) => {
            app.link_rate().take(ApiKeyId::from_uuid(uuid::Uuid::nil()), None).check()?;
            Err(problem.into())
        }
    }
}

/// What a component said when it failed is for who operates it, and what cannot be asked for whose it is.
pub(super) fn for_customers(mut problem: Problem) -> Problem {
    problem.extra.remove("failure");
    problem.extra.remove("said");
    if problem.extra.remove("degraded").is_some() {
        problem.hint = Some("Choose one of the alternatives, or try again later.".to_owned());
    }
    if matches!(
        problem.code,
        Code::ConnectionPaused | Code::ConnectionDisconnected | Code::ChangedThere | Code::ProviderNotActive
    ) {
        "It cannot be changed here now.".clone_into(&mut problem.detail);
        problem.hint = Some("Ask the business, which can change it for you.".to_owned());
    }
    problem
}

async fn shown(app: &App, caller: &Caller, id: BookingId, status: StatusCode) -> ApiResult<Response> {
    let managed = app.engine().bookings.managed(caller, id).await?;
    Ok(private((status, Json(ManagedView::from(managed))).into_response()))
}

/// The customer's booking.
#[utoipa::path(get, path = "/api/booking/manage/{token}", operation_id = "managed_bookings_get", tag = "customers", security(()), params(("token" = String, Path)),
    responses((status = 200, body = ManagedView), (status = 404, body = ProblemDocument), (status = 429, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    request_id: RequestId,
    Path(token): Path<String>,
) -> ApiResult<Response> {
    let (caller, id) = customer(&app, &token, &request_id).await?;
    shown(&app, &caller, id, StatusCode::OK).await
}

/// Why the customer cancels.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelByCustomer {
    /// For the business.
    #[serde(default)]
    reason: Option<String>,
}

/// Cancel, until the event type's cut-off. Cancelling twice is the same as once.
#[utoipa::path(post, path = "/api/booking/manage/{token}/cancel", operation_id = "managed_bookings_cancel", tag = "customers", security(()), request_body = CancelByCustomer,
    params(("token" = String, Path)),
    responses((status = 200, body = ManagedView), (status = 202, body = ManagedView, description = "The provider has not answered yet"),
        (status = 409, body = ProblemDocument, description = "Too late: `until` says when it was possible; or it is changed by the business alone")))]
pub(crate) async fn cancel(
    State(app): State<App>,
    request_id: RequestId,
    Path(token): Path<String>,
    Body(cancel): Body<CancelByCustomer>,
) -> ApiResult<Response> {
    let (caller, id) = customer(&app, &token, &request_id).await?;
    let cancel = CancelBooking { reason: cancel.reason, expected_sequence: None, bound_by_cutoffs: true };
    let outcome = app.engine().bookings.cancel(&caller, id, cancel).await.map_err(for_customers)?;
    shown(&app, &caller, id, done(outcome.pending)).await
}

/// Where the customer moves it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RescheduleByCustomer {
    /// When it starts (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
}

/// Move it, until the event type's cut-off.
#[utoipa::path(post, path = "/api/booking/manage/{token}/reschedule", operation_id = "managed_bookings_reschedule", tag = "customers", security(()),
    request_body = RescheduleByCustomer, params(("token" = String, Path)),
    responses((status = 200, body = ManagedView), (status = 202, body = ManagedView, description = "The provider has not answered yet"),
        (status = 409, body = ProblemDocument, description = "Not available, or too late: `alternatives` or `until` says more; or it is changed by the business alone")))]
pub(crate) async fn reschedule(
    State(app): State<App>,
    request_id: RequestId,
    Path(token): Path<String>,
    Body(reschedule): Body<RescheduleByCustomer>,
) -> ApiResult<Response> {
    let (caller, id) = customer(&app, &token, &request_id).await?;
    let reschedule =
        RescheduleBooking { start: reschedule.start, expected_sequence: None, bound_by_cutoffs: true };
    let outcome = app.engine().bookings.reschedule(&caller, id, reschedule).await.map_err(for_customers)?;
    shown(&app, &caller, id, done(outcome.pending)).await
}

const fn done(pending: bool) -> StatusCode {
    if pending { StatusCode::ACCEPTED } else { StatusCode::OK }
}
