//! What is known of others' bookings at providers, and of conflicts.

pub mod imports;
pub mod rules;
pub mod sync;
