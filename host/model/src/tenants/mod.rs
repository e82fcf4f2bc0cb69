//! Tenants: whose everything is, what their API keys may do, and what each says of itself to people without one.

pub mod audit;
pub mod scope;
pub mod settings;
pub mod version;
