//! Work that is done later: its kinds, the queues in which it waits, and how workers are shared.

pub mod kind;
pub mod share;
