//! What a booking holds of a member's time.

use crate::time::Interval;

/// A place that a booking or a hold takes: the meeting, and what is kept free around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occupancy {
    /// The meeting widened by its buffers: nobody else gets it.
    pub padded: Interval,
    /// The meeting.
    pub when: Interval,
}

/// What becomes of the places that a booking holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OccupancyChange {
    /// They stay.
    Keep,
    /// All are free again.
    Release,
    /// Only this one is held from now on.
    Only(Occupancy),
    /// This one is held as well (as one, if it touches the old one).
    Also(Occupancy),
}
