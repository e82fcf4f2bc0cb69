//! Work that is done later: claimed, tried, tried again, given up; and how it is seen.

pub(crate) mod operations;
pub(crate) mod queue;
pub(crate) mod run;
mod tries;
pub(crate) mod workers;
