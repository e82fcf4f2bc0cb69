//! iCalendar (RFC 5545) as text, and what its events say of time: one reading for the host and for components.
//!
//! No input or output, no clock, and no tz data: whoever asks for an instant brings the zones ([`clocks::Zones`]), so that a component
//! never knows a zone otherwise than the host does. `unfold` takes octets apart, [`Property`] is a content line, [`Component`] the tree of
//! them; [`stamp`] reads dates, times and lengths, [`vtimezone`] the zones that a calendar defines itself, [`clocks`] every name of a zone,
//! [`event`] when an event takes place, [`mod@series`] which events are one, [`expansion`] every time of them.
#![forbid(unsafe_code)]

pub mod clocks;
mod component;
pub mod event;
pub mod expansion;
mod property;
pub mod series;
pub mod stamp;
mod unfold;
pub mod vtimezone;
pub mod weekday;
pub mod windows;

pub use component::{Component, Refused};
pub use property::Property;

/// Components inside one another: an alarm in an event in a calendar, with room for what others invent.
pub const DEPTH_MAX: usize = 8;
/// Content lines of one text: ten times a calendar of ten years, and a bound for what reading it takes of memory.
pub const LINES_MAX: usize = 250_000;
/// Longest line that is written, in octets, without its end (RFC 5545 section 3.1).
pub const LINE_OCTETS_MAX: usize = 75;
