//! When something can be booked.

mod abandoned;
mod busy;
mod clocks;
mod imports;
mod rules;
mod schedules;
mod walk;
