//! What people agreed to.

pub(crate) mod consents;
pub(crate) mod schemas;
pub(crate) mod texts;
