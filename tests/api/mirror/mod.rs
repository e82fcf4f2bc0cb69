//! Others' bookings at providers, and conflicts.

mod conflicts;
pub(crate) mod out_of_time;
mod reconciliation;
mod rules;
mod walk;
