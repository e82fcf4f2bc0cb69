//! Connections to providers.

mod closing;
