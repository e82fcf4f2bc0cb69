//! Events as they are read.

use berth_model::events::{Event, Head};

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
