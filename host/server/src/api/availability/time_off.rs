//! What somebody's time off hits.

use axum::{Json, extract::State};
use berth_engine::Caller;
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    id::{BookingId, EventTypeId, ListingId, MemberId},
    problem::{FieldError, Problem},
    time::{Instant, Interval},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    api::bookings::view::Person,
    http::{
        app::App,
        auth::AsTenant,
        extract::Json as Body,
        problem::{ApiResult, ProblemDocument},
    },
};

/// Bookings that lie in a stretch of time, pending or confirmed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookingsHit)]
pub(crate) struct Hit {
    /// How many there are.
    count: i64,
    /// The first 50, by start. `GET /api/booking?member_id=…&from=…&to=…` has them all.
    items: Vec<HitBooking>,
}

/// A booking that is in the way.
#[derive(Debug, Serialize, ToSchema)]
struct HitBooking {
    #[schema(value_type = String)]
    id: BookingId,
    #[schema(value_type = String)]
    listing_id: ListingId,
    #[schema(value_type = String)]
    event_type_id: EventTypeId,
    /// `pending` or `confirmed`.
    #[schema(value_type = String)]
    status: BookingStatus,
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    #[schema(value_type = String, format = DateTime)]
    end: Instant,
    attendee: Person,
}

impl From<Booking> for HitBooking {
    fn from(booking: Booking) -> Self {
        Self {
            id: booking.id,
            listing_id: booking.listing,
            event_type_id: booking.event_type,
            status: booking.status,
            start: booking.when.start(),
            end: booking.when.end(),
            attendee: booking.attendee.into(),
        }
    }
}

/// The bookings of a member in a stretch of time.
pub(super) async fn hit(
    app: &App,
    caller: &Caller,
    member: MemberId,
    start: Instant,
    end: Instant,
) -> ApiResult<Hit> {
    let within = Interval::new(start, end)
        .ok()
        .filter(|within| !within.is_empty())
        .ok_or_else(|| Problem::invalid(vec![FieldError::new("/end", "must be after start")]))?;
    let (count, first) = app.engine().availability.booked_within(caller, member, within).await?;
    Ok(Hit { count, items: first.into_iter().map(HitBooking::from).collect() })
}

/// Time off that somebody thinks of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TimeOffPreview)]
pub(crate) struct Thought {
    #[schema(value_type = String)]
    member_id: MemberId,
    /// From here (RFC 3339).
    #[schema(value_type = String, format = DateTime, example = "2026-12-24T12:00:00Z")]
    start: Instant,
    /// To here.
    #[schema(value_type = String, format = DateTime, example = "2027-01-02T00:00:00Z")]
    end: Instant,
}

/// Which bookings would lie in somebody's time off. Nothing is stored.
#[utoipa::path(post, path = "/api/booking/out-of-office/preview", operation_id = "out_of_office_preview", tag = "availability rules", request_body = Thought,
    responses((status = 200, body = Hit), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn preview(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(body): Body<Thought>,
) -> ApiResult<Json<Hit>> {
    app.engine().catalog.member(&caller, body.member_id).await?;
    Ok(Json(hit(&app, &caller, body.member_id, body.start, body.end).await?))
}
