//! Others' bookings at providers, and conflicts.

pub(crate) mod conflicts;
pub(crate) mod external;
pub(crate) mod items;
pub(crate) mod listed;
pub(crate) mod words;
