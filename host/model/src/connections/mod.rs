//! Connections to providers: settings, credentials, tokens, and the circuit breaker.

pub mod breaker;
pub mod connection;
pub mod given;
pub mod oauth;
pub mod secret;
