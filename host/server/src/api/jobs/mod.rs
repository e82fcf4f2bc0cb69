//! Work that waits or was given up.

pub(crate) mod operations;
