//! What happened, as readers are told it.

pub(crate) mod feed;
mod waiting;
mod walk;
