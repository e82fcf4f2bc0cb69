//! Bookings from the first question to the last change: made, held, moved, ended, in a series, and by their customers.

pub(crate) mod change;
pub(crate) mod clock_changes;
pub(crate) mod create;
pub(crate) mod holds;
pub(crate) mod idempotency;
pub(crate) mod manage;
pub(crate) mod questions;
pub(crate) mod read;
pub(crate) mod reschedule;
pub(crate) mod series;
