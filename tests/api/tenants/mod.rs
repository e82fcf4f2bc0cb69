//! Tenants and their keys.

mod closing;
mod keys;
mod settings;
mod walk;
