//! Bookings whose clocks show another time than was told, since a law changed what they show.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use berth_model::{
    bookings::clocks::{ClockChange, Keep},
    id::BookingId,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::schemas;
use super::view::{BookingView, accepted};
use crate::http::{
    app::App,
    auth::AsTenant,
    extract::{IfMatch, Json as Body, Path, Query},
    page::{self, Page, PageParams},
    problem::{ApiResult, ProblemDocument},
};

/// Bookings to come whose clocks show another time than was told when they were made or moved, by start: a law changed what clocks show. None
/// of them is moved by itself; what is kept of each is for you to say (`POST …/{id}/clock`). A page may have fewer items than asked for, and
/// a `next`.
#[utoipa::path(get, path = "/api/booking/clock-changes", operation_id = "clock_changes_list", tag = "bookings", params(PageParams),
    responses((status = 200, body = Page<schemas::ClockChange>)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Query(params): Query<PageParams>,
) -> ApiResult<Json<Page<ClockChange>>> {
    let limit = usize::try_from(page::items(params.limit)?).unwrap_or(usize::MAX);
    let after = page::position(params.cursor.as_ref())?;
    let (items, next) = app.engine().bookings.clock_changes(&caller, after, limit).await?;
    Ok(Json(Page { items, next: next.as_ref().and_then(page::cursor) }))
}

/// What is kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeepClock {
    /// `instant`: the booking stays when it is, and clocks show what they show now. `listing_clock`, `customer_clock`: it is moved to what
    /// that clock showed when it was told, if that is free.
    #[schema(value_type = schemas::Keep)]
    keep: Keep,
}

/// Say what is kept of a booking whose clocks show another time than was told. To move it is as any move by the business, without cut-offs.
#[utoipa::path(post, path = "/api/booking/{id}/clock", operation_id = "clock_changes_keep", tag = "bookings", request_body = KeepClock, params(("If-Match" = Option<String>, Header, description = "ETag that was read"), ("id" = String, Path)),
    responses((status = 200, body = BookingView), (status = 202, body = BookingView, description = "The provider has not answered yet"),
        (status = 409, body = ProblemDocument, description = "Nothing is to be decided; or the time is not available, and `alternatives` names the nearest starts"), (status = 412, body = ProblemDocument)))]
pub(crate) async fn keep(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<BookingId>,
    IfMatch(expected_sequence): IfMatch,
    Body(KeepClock { keep }): Body<KeepClock>,
) -> ApiResult<Response> {
    let outcome = app.engine().bookings.keep_clock(&caller, id, keep, expected_sequence).await?;
    Ok(accepted(&app, &caller, outcome, StatusCode::OK).await)
}
