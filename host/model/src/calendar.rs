//! Members' own calendars at providers.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    id::{BookingId, CalendarBlockId, CalendarId, ConnectionId, MemberId, TenantId},
    provider::ExternalId,
    time::{Instant, Interval},
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
    /// How: its provider closes times, or holds an entry for each booking. What the provider could do when it was connected.
    pub blocks: bool,
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

/// A time that is closed in a calendar, whatever takes it elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarBlock {
    /// Its id; also the reference and the idempotency key that the provider is given.
    pub id: CalendarBlockId,
    /// Whose.
    pub tenant: TenantId,
    /// In which calendar.
    pub calendar: CalendarId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// What is closed.
    pub when: Interval,
    /// How far it is.
    pub state: BlockState,
    /// The provider's id of it, once it is known.
    pub external_id: Option<ExternalId>,
    /// When it last changed.
    pub updated_at: Instant,
}

/// How far the closing of a time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockState {
    /// To be closed; a try whose answer was lost may have done it.
    Wanted,
    /// Closed.
    Closed,
    /// Somebody booked it there.
    Refused,
}

impl BlockState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Wanted, Self::Closed, Self::Refused];
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Closed => "closed",
            Self::Refused => "refused",
        }
    }
}

/// From what is closed to what shall be: the times to be closed that nobody closed yet, and the blocks to be opened.
#[must_use]
pub fn block_changes(wanted: &[Interval], there: Vec<CalendarBlock>) -> (Vec<Interval>, Vec<CalendarBlock>) {
    let wanted: BTreeSet<Interval> = wanted.iter().copied().collect();
    let known: BTreeSet<Interval> = there.iter().map(|block| block.when).collect();
    let open = there.into_iter().filter(|block| !wanted.contains(&block.when)).collect();
    (wanted.difference(&known).copied().collect(), open)
}
