//! Messages from providers.

pub mod webhook;
