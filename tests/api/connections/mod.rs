//! Connections to providers.

mod closing;
mod walk;
