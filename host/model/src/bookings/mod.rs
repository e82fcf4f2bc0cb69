//! Bookings, what is held for them, series, and the questions that are asked with them.

pub mod booking;
pub mod clocks;
pub mod hold;
pub mod questions;
pub mod series;
