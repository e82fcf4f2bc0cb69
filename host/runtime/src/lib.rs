//! berth-runtime

pub mod egress;
