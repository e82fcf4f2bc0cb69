//! Members' own calendars at providers.

use serde::Serialize;

use crate::{
    id::{BookingId, CalendarId, ConnectionId, MemberId, TenantId},
    provider::ExternalId,
    time::Instant,
};

/// A member's calendar: read for busy times, written with the member's bookings, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CalendarRecord {
    /// Its id.
    pub id: CalendarId,
    /// Whose.
    #[serde(skip)]
    pub tenant: TenantId,
    /// Of which member.
    pub member: MemberId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// The provider's id of it; empty: those that the connection's settings name (for reading).
    pub calendar: ExternalId,
    /// Are its busy times the member's?
    pub reads: bool,
    /// Are the member's bookings written into it?
    pub writes: bool,
    /// When it was connected.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}

/// The entry of a booking in a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarEntry {
    /// Whose.
    pub tenant: TenantId,
    /// Which booking.
    pub booking: BookingId,
    /// In which calendar.
    pub calendar: CalendarId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// The provider's id of it; none: it is not there (any more).
    pub external_id: Option<ExternalId>,
    /// The sequence of the booking that it shows; -1 if somebody changed it there.
    pub written: i64,
    /// When it was written.
    pub updated_at: Instant,
}
