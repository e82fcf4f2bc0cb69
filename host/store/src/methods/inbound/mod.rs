//! Messages from providers.

pub(crate) mod receive;
