//! Jobs, and what is done now and then.

pub(crate) mod prune;
pub(crate) mod queue;
pub(crate) mod replicas;
