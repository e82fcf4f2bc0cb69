//! Tenants and their keys.

mod audit;
mod closing;
mod keys;
mod settings;
mod walk;
