//! Listings, event types and members.

/// Event types that somebody is put into at once, in event types: what one transaction writes without holding up others.
pub const JOINED_EVENT_TYPES_MAX: usize = 100;
/// Tries of putting somebody into event types that others change meanwhile.
pub const JOIN_TRIES: u32 = 4;
