//! Whether it is well.

mod metrics;
mod readiness;
mod walk;
