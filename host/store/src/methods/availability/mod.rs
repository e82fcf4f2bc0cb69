//! What takes time, and the rules of opening hours.

pub(crate) mod busy;
pub(crate) mod rules;
