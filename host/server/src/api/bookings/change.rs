//! Bookings: what can be done with one that was made.

use axum::{extract::State, http::StatusCode, response::Response};
use berth_engine::{CancelBooking, RescheduleBooking};
use berth_model::{id::BookingId, tenants::scope::Scope as Right, time::Instant};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    series::{self, BookingOrSeries, Scope},
    view::{BookingView, accepted, tagged},
};
use crate::http::{
    app::App,
    auth::{AsTenant, Authenticated},
    extract::{IfMatch, Json as Body, Path},
    problem::{ApiResult, ProblemDocument},
};

/// How to cancel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cancel {
    /// For the customer.
    #[serde(default)]
    reason: Option<String>,
    /// Of a series: this booking, all that follow, or the whole series. Unless it is `one`, the answer is a `SeriesView`.
    #[serde(default)]
    scope: Scope,
}

/// Why it is declined.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decline {
    /// For the customer.
    #[serde(default)]
    reason: Option<String>,
}

/// Cancel a booking. Cancelling it twice is the same as once. After the event type's cut-off only with a key that has the scope
/// `bookings:override`.
#[utoipa::path(post, path = "/api/booking/{id}/cancel", operation_id = "bookings_cancel", tag = "bookings", request_body = Cancel, params(("If-Match" = Option<String>, Header, description = "ETag that was read"), ("id" = String, Path)),
    responses((status = 200, body = BookingOrSeries), (status = 202, body = BookingOrSeries, description = "The provider has not answered yet"),
        (status = 409, body = ProblemDocument), (status = 412, body = ProblemDocument)))]
pub(crate) async fn cancel(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    key: Authenticated,
    Path(id): Path<BookingId>,
    IfMatch(expected_sequence): IfMatch,
    Body(Cancel { reason, scope }): Body<Cancel>,
) -> ApiResult<Response> {
    let cancel =
        CancelBooking { reason, expected_sequence, bound_by_cutoffs: !key.may(Right::BookingsOverride) };
    if scope != Scope::One {
        let outcome = app.engine().bookings.cancel_series(&caller, id, scope.into(), cancel).await?;
        return Ok(series::answer(&app, &caller, outcome, StatusCode::OK).await);
    }
    let outcome = app.engine().bookings.cancel(&caller, id, cancel).await?;
    Ok(accepted(&app, &caller, outcome, StatusCode::OK).await)
}

/// Where to move it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reschedule {
    /// When it starts (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    /// Of a series: this booking, or as far on the listing's clock all that follow or the whole series, each by itself. Unless
    /// it is `one`, the answer is a `SeriesView`.
    #[serde(default)]
    scope: Scope,
}

/// Move a booking: the new time is taken and the old one released, or nothing changes. It keeps its members; where one of them cannot be
/// booked for it any more, it goes to whoever is free and next, and back if the provider refuses. After the event type's cut-off only with a
/// key that has the scope `bookings:override`.
#[utoipa::path(post, path = "/api/booking/{id}/reschedule", operation_id = "bookings_reschedule", tag = "bookings", request_body = Reschedule, params(("If-Match" = Option<String>, Header, description = "ETag that was read"), ("id" = String, Path)),
    responses((status = 200, body = BookingOrSeries), (status = 202, body = BookingOrSeries, description = "The provider has not answered yet"),
        (status = 409, body = ProblemDocument, description = "Not available; `reason` says why, `alternatives` names the nearest starts"), (status = 412, body = ProblemDocument)))]
pub(crate) async fn reschedule(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    key: Authenticated,
    Path(id): Path<BookingId>,
    IfMatch(expected_sequence): IfMatch,
    Body(Reschedule { start, scope }): Body<Reschedule>,
) -> ApiResult<Response> {
    let reschedule =
        RescheduleBooking { start, expected_sequence, bound_by_cutoffs: !key.may(Right::BookingsOverride) };
    if scope != Scope::One {
        let outcome = app.engine().bookings.reschedule_series(&caller, id, scope.into(), reschedule).await?;
        return Ok(series::answer(&app, &caller, outcome, StatusCode::OK).await);
    }
    let outcome = app.engine().bookings.reschedule(&caller, id, reschedule).await?;
    Ok(accepted(&app, &caller, outcome, StatusCode::OK).await)
}

/// Confirm a booking that waits for it (event types with `confirmation: manual`). What nobody confirms is declined by itself when its start
/// passes, with the reason `not_confirmed_in_time`.
#[utoipa::path(post, path = "/api/booking/{id}/confirm", operation_id = "bookings_confirm", tag = "bookings", params(("If-Match" = Option<String>, Header, description = "ETag that was read"), ("id" = String, Path)),
    responses((status = 200, body = BookingView), (status = 202, body = BookingView, description = "The provider has not answered yet"),
        (status = 409, body = ProblemDocument), (status = 412, body = ProblemDocument)))]
pub(crate) async fn confirm(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<BookingId>,
    IfMatch(expected_sequence): IfMatch,
) -> ApiResult<Response> {
    let outcome = app.engine().bookings.confirm(&caller, id, expected_sequence).await?;
    Ok(accepted(&app, &caller, outcome, StatusCode::OK).await)
}

/// Decline a booking that waits to be confirmed: it is cancelled and its time is free again.
#[utoipa::path(post, path = "/api/booking/{id}/decline", operation_id = "bookings_decline", tag = "bookings", request_body = Decline, params(("If-Match" = Option<String>, Header, description = "ETag that was read"), ("id" = String, Path)),
    responses((status = 200, body = BookingView), (status = 409, body = ProblemDocument), (status = 412, body = ProblemDocument)))]
pub(crate) async fn decline(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<BookingId>,
    IfMatch(expected_sequence): IfMatch,
    Body(decline): Body<Decline>,
) -> ApiResult<Response> {
    let booking = app.engine().bookings.decline(&caller, id, decline.reason, expected_sequence).await?;
    Ok(tagged(&app, &caller, StatusCode::OK, booking).await)
}

/// The attendee did not come. From the start of the meeting on, also after it was completed.
#[utoipa::path(post, path = "/api/booking/{id}/no-show", operation_id = "bookings_mark_no_show", tag = "bookings", params(("If-Match" = Option<String>, Header, description = "ETag that was read"), ("id" = String, Path)),
    responses((status = 200, body = BookingView), (status = 409, body = ProblemDocument), (status = 412, body = ProblemDocument)))]
pub(crate) async fn no_show(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<BookingId>,
    IfMatch(expected_sequence): IfMatch,
) -> ApiResult<Response> {
    let booking = app.engine().bookings.no_show(&caller, id, expected_sequence).await?;
    Ok(tagged(&app, &caller, StatusCode::OK, booking).await)
}
