//! iCalendar objects of a server, and their clocks.

use berth_icalendar::{Component, clocks::Clock, stamp};
use berth_sdk::{
    Result,
    icalendar::{Known, utc},
    log, time,
    types::{Instant, ProviderError},
};

/// The clock of a zone by its name, or one that shows UTC.
pub(crate) fn clock(name: &str) -> Clock {
    Clock::named(name, &Known).unwrap_or(Clock::Utc)
}

/// The clock of a calendar's `calendar-timezone`.
pub(crate) fn zone(text: &str) -> Option<Clock> {
    Clock::of(read(text).ok()?.all("VTIMEZONE").next()?, &Known)
}

/// The first `VCALENDAR`. What is none is no usable answer.
pub(crate) fn read(text: &str) -> Result<Component> {
    Component::read(text.as_bytes()).map_err(|refused| {
        log::warn(&format!("an answer holds no readable iCalendar object: {refused}"));
        ProviderError::Unavailable(None)
    })
}

/// An instant as text, in UTC, no finer than a second.
pub(crate) fn stamped(instant: Instant) -> String {
    utc(instant.saturating_sub(instant.rem_euclid(time::SECOND))).map(stamp::utc).unwrap_or_default()
}
