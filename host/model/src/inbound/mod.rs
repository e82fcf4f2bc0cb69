//! Messages from providers.

pub mod message;
pub mod webhook;
