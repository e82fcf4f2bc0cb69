//! The contract as the host speaks it: generated bindings, what a component offers, and the two directions of values.

pub(crate) mod bindings;
pub(crate) mod incoming;
pub(crate) mod names;
pub(crate) mod offers;
pub(crate) mod outgoing;
