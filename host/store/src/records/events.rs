//! Events as they are read.

use berth_model::events::{Event, Head};

/// Events that got their positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// How many.
    pub count: u32,
    /// The tenant's last position now.
    pub position: i64,
}

/// Some of a tenant's events.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// Where the feed stands.
    pub head: Head,
    /// The position after which these are.
    pub after: i64,
    /// The position after which to go on: that of the last event here, or of one that was passed over since its kind is not wanted.
    pub next: i64,
    /// In the order of their positions.
    pub events: Vec<Event>,
}

impl EventPage {
    /// Is there more after it already?
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.next < self.head.position
    }
}
