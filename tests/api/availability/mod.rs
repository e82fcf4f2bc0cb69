//! When something can be booked.

mod abandoned;
mod clocks;
mod imports;
mod rules;
mod walk;
