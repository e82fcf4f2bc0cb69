//! The port through which providers are called.

pub mod provider;
