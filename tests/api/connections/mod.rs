//! Connections to providers.

mod available;
mod closing;
mod given;
mod names;
mod walk;
