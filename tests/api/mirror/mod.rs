//! Others' bookings at providers, and conflicts.

mod conflicts;
mod out_of_time;
mod reconciliation;
