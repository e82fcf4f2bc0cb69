//! Messages from providers: received, verified, acted on, or refused.

pub(crate) mod apply;
pub(crate) mod receive;
pub(crate) mod refusals;
