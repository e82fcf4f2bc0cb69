//! Whether it is well, and what its errors mean.

pub(crate) mod errors;
pub(crate) mod health;
