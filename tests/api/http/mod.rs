//! What belongs to no domain but to HTTP itself.

mod idempotency;
mod problems;
pub(crate) mod protocol;
mod sources;
mod time_bounds;
mod time_fields;
