//! Tenants: whose everything is, and what their API keys may do.

pub mod scope;
pub mod version;
