//! What is counted before something is closed.

/// What a connection holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionCounts {
    /// Bookings that are to come or under way, pending ones included.
    pub upcoming_bookings: i64,
    /// All others.
    pub past_bookings: i64,
    /// Bookings with a change that was not delivered to the provider.
    pub undelivered_bookings: i64,
    /// Members' calendars that are read or written over it.
    pub calendars: i64,
    /// The provider's own bookings, as it last said them.
    pub mirrored_bookings: i64,
    /// Conflicts that wait for a person.
    pub open_conflicts: i64,
}

/// What a tenant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the names say it; keys are those that are not revoked")]
pub struct TenantCounts {
    /// Bookings that are to come or under way, pending ones included.
    pub upcoming_bookings: i64,
    /// All others.
    pub past_bookings: i64,
    pub listings: i64,
    pub event_types: i64,
    pub members: i64,
    pub rules: i64,
    pub calendars: i64,
    pub connections: i64,
    pub keys: i64,
}

/// What a listing or an event type holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct OfferCounts {
    /// Bookings that are to come or under way, pending ones included.
    pub upcoming_bookings: i64,
    /// All others.
    pub past_bookings: i64,
    /// Event types of a listing.
    pub event_types: i64,
    /// Connections for a listing alone.
    pub connections: i64,
}

impl OfferCounts {
    /// Does anything refer to it?
    #[must_use]
    pub fn is_used(&self) -> bool {
        [self.upcoming_bookings, self.past_bookings, self.event_types, self.connections]
            .iter()
            .any(|n| *n > 0)
    }
}
