//! Bookings, what is held for them, series, and the questions that are asked with them.

pub mod booking;
pub mod bulk;
pub mod change;
pub mod clocks;
pub mod contents;
pub mod domain_events;
pub mod edit;
pub mod held;
pub mod hold;
pub mod lists;
pub mod location;
pub mod occupancy;
pub mod questions;
pub mod role;
pub mod search;
pub mod series;
pub mod transition;
