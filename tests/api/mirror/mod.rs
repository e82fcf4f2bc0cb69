//! Others' bookings at providers, synchronisation, conflicts.

pub(crate) mod conflicts;
mod out_of_time;
