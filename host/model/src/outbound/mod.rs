//! The port through which providers are called.

pub mod problems;
pub mod provider;
