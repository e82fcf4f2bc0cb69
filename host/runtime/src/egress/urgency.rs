//! Who goes first where a provider may not be asked often enough for all.

/// What waits for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// A booking is made, moved, cancelled or looked for. It finds a part of each rate that nothing else may use.
    Booking,
    /// A customer looks for a time.
    Availability,
    /// Nobody but the host: health, subscriptions, closed times.
    Upkeep,
    /// It reads everything, and nobody waits for it.
    Bulk,
}
