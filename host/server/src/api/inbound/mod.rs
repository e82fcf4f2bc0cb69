//! Messages from providers, and what became of them.

pub(crate) mod log;
pub(crate) mod receive;
