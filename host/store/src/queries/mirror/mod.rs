//! Others' bookings at providers, and conflicts.

pub(crate) mod conflicts;
pub(crate) mod external;
