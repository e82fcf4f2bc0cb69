//! Scheduling: what a slot is. Pure functions over values; the product and the stateless form call the same ones.

pub mod rules;
