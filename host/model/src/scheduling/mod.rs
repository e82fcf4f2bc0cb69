//! Scheduling: what a slot is. Pure functions over values; the product and the stateless form call the same ones.
//!
//! A [`question`] says what is asked. Open hours become windows ([`windows`]), a grid lays starts into them ([`grid`]), taken time,
//! limits and the booking window strike starts out ([`busy`], [`limit`], [`booking_window`]; a [`reason`] says why), a team puts
//! its people together ([`slots`]), a round robin chooses one ([`choose`]). [`compute`] is the stateless form: JSON in, JSON out.

pub mod booking_window;
pub mod busy;
pub mod choose;
pub mod compute;
pub mod day;
#[cfg(test)]
mod ends;
pub mod grid;
pub mod holidays;
pub mod hours;
pub mod judge;
pub mod limit;
pub mod local;
pub mod meeting;
#[cfg(test)]
mod properties;
pub mod question;
pub mod reason;
pub mod recurrence;
pub mod rule;
pub mod rules;
pub mod schedule;
pub mod slots;
pub mod windows;
