//! Weekdays as rules name them (RFC 5545 section 3.3.10).

use chrono::Weekday;

/// `MO`, `TU`, …
#[must_use]
pub const fn name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Mon => "MO",
        Weekday::Tue => "TU",
        Weekday::Wed => "WE",
        Weekday::Thu => "TH",
        Weekday::Fri => "FR",
        Weekday::Sat => "SA",
        Weekday::Sun => "SU",
    }
}

/// The weekday of such a name, in upper case.
#[must_use]
pub fn named(text: &str) -> Option<Weekday> {
    let first = std::iter::successors(Some(Weekday::Mon), |day| Some(day.succ()));
    first.take(7).find(|day| name(*day) == text)
}
