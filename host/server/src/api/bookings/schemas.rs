//! What OpenAPI says of what clocks show of bookings.
//!
//! The values themselves, and what may be in them, are the model's; these types are never made. `api/drift.rs` compares them.

#![expect(dead_code, reason = "read by the derive alone")]

use serde::Serialize;
use utoipa::ToSchema;

/// What a clock shows.
#[derive(Serialize, ToSchema)]
pub(crate) struct Shown {
    /// Its IANA zone.
    #[schema(example = "America/Edmonton")]
    zone: String,
    /// The local time at the start of the booking.
    #[schema(example = "2026-12-08T09:00:00")]
    start: String,
}

/// The two clocks that a booking is kept by.
#[derive(Serialize, ToSchema)]
pub(crate) struct Clocks {
    /// The listing's.
    listing: Shown,
    /// The customer's, if their zone is known.
    customer: Option<Shown>,
}

/// A booking to come whose clocks show another time than was told.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClockChange {
    /// Which.
    #[serde(rename = "booking_id")]
    booking: String,
    /// When it starts: that has not changed.
    #[schema(format = DateTime)]
    start: String,
    /// What clocks showed when it was made or moved last.
    told: Clocks,
    /// What they show now.
    shows: Clocks,
}

/// What is kept of a booking whose clocks show another time than was told.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Keep {
    /// Its instant: people are told what clocks show now.
    Instant,
    /// What the listing's clock showed: the booking is moved there.
    ListingClock,
    /// What the customer's clock showed: the booking is moved there.
    CustomerClock,
}
