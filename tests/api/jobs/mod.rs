//! Work that is done later.

mod operations;
mod walk;
