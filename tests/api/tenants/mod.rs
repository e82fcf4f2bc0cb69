//! Tenants and their keys.

mod closing;
mod keys;
mod walk;
