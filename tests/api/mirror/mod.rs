//! Others' bookings at providers, and conflicts.

mod adopt;
mod conflicts;
mod imports;
mod lists;
pub(crate) mod out_of_time;
mod reconciliation;
mod rules;
mod walk;
