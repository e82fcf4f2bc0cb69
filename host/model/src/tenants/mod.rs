//! Tenants: whose everything is, and what their API keys may do.

pub mod scope;
