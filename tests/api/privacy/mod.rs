//! What customers consented to.

pub(crate) mod consents;
mod texts;
mod walk;
