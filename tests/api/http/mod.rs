//! What belongs to no domain but to HTTP itself.

mod as_written;
mod auth;
mod bodies;
mod idempotency;
mod log_lines;
mod pages;
mod problems;
pub(crate) mod protocol;
pub(crate) mod public;
mod rates;
mod schemathesis;
mod sources;
mod time_bounds;
mod time_fields;
mod typescript;
