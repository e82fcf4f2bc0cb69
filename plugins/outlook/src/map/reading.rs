//! What an event says of its time, read in one way for busy times and for bookings.

use berth_icalendar::windows;
use berth_sdk::{
    Result, log,
    time::{self, DAY},
    types::{Interval, ProviderError},
    zone::Zone,
};
use serde::Deserialize;

use super::time::DateTime;

/// How events are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Do tentative events take time?
    pub(crate) tentative: bool,
    /// Zone of the days of events that last all day; none: that in which each was entered.
    pub(crate) zone: Option<Zone>,
}

/// The zone of this name, IANA's or Windows'; none for a name that is neither.
pub(crate) fn zone(name: &str) -> Option<Zone> {
    Zone::named(name).or_else(|| windows::iana(name).and_then(Zone::named))
}

/// What takes time, and when.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    start: DateTime,
    end: DateTime,
    show_as: Option<String>,
    is_cancelled: Option<bool>,
    is_all_day: Option<bool>,
    response_status: Option<Response>,
    original_start_time_zone: Option<String>,
}

#[derive(Deserialize)]
struct Response {
    response: Option<String>,
}

impl Reading {
    /// `free`, `tentative`, `busy`, `oof`, `workingElsewhere`, `unknown`. What is not surely free is taken.
    pub(super) fn is_busy(self, shown_as: Option<&str>) -> bool {
        match shown_as {
            Some("free" | "workingElsewhere") => false,
            Some("tentative") => self.tentative,
            _ => true,
        }
    }

    /// Does it take its time? Not an invitation that was declined, however it is shown.
    pub(super) fn takes_time(self, event: &Shown) -> bool {
        let response = event.response_status.as_ref().and_then(|status| status.response.as_deref());
        !event.is_cancelled() && response != Some("declined") && self.is_busy(event.show_as.as_deref())
    }

    /// From when to when.
    pub(super) fn when(self, event: &Shown) -> Result<Interval> {
        let when = if event.is_all_day == Some(true) {
            let own = || event.original_start_time_zone.as_deref().and_then(zone);
            days(&event.start, &event.end, self.zone.or_else(own).unwrap_or(Zone::UTC))
        } else {
            times(&event.start, &event.end)
        };
        when.ok_or_else(unreadable)
    }
}

impl Shown {
    /// Was the whole meeting called off?
    pub(super) fn is_cancelled(&self) -> bool {
        self.is_cancelled == Some(true)
    }
}

pub(super) fn unreadable() -> ProviderError {
    log::warn("a time that cannot be read");
    ProviderError::Unavailable(None)
}

pub(super) fn times(start: &DateTime, end: &DateTime) -> Option<Interval> {
    let (start, end) = (start.instant()?, end.instant()?);
    Some(Interval { start, end: end.max(start) })
}

/// Days without a zone: they are told as midnights in whatever zone was asked for, and mean the midnights where people are.
fn days(start: &DateTime, end: &DateTime, zone: Zone) -> Option<Interval> {
    let (first, last) = (time::parse_date(start.day()?)?, time::parse_date(end.day()?)?);
    // A day at least, whatever the end says.
    let last = last.max(first + DAY);
    Some(Interval { start: zone.instant(first), end: zone.instant(last) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{busy_events, listed};
    use super::*;
    use berth_sdk::types::BookingStatus;

    /// The same events as busy times and as bookings that are followed: what takes time takes the same.
    #[test]
    fn both_paths_read_an_event_alike() {
        let at = |text: &str| json!({"dateTime": format!("{text}.0000000"), "timeZone": "UTC"});
        let event = |changes: Value| {
            let mut event = json!({"id": "e", "subject": "x", "showAs": "busy", "isCancelled": false,
                "start": at("2026-12-15T00:00:00"), "end": at("2026-12-16T00:00:00")});
            event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            event
        };
        let day_off =
            json!({"isAllDay": true, "showAs": "oof", "originalStartTimeZone": "Tokyo Standard Time"});
        for (changes, tentative, zone, expected) in [
            (json!({}), true, None, Some("2026-12-15T00:00:00Z 2026-12-16T00:00:00Z")),
            (json!({"showAs": "tentative"}), true, None, Some("2026-12-15T00:00:00Z 2026-12-16T00:00:00Z")),
            (json!({"showAs": "tentative"}), false, None, None),
            (json!({"showAs": "free"}), true, None, None),
            (json!({"showAs": "workingElsewhere"}), true, None, None),
            (json!({"isCancelled": true}), true, None, None),
            (json!({"responseStatus": {"response": "declined"}}), true, None, None),
            (
                json!({"responseStatus": {"response": "none"}}),
                true,
                None,
                Some("2026-12-15T00:00:00Z 2026-12-16T00:00:00Z"),
            ),
            (day_off.clone(), true, None, Some("2026-12-14T15:00:00Z 2026-12-15T15:00:00Z")),
            (day_off, true, Some("America/New_York"), Some("2026-12-15T05:00:00Z 2026-12-16T05:00:00Z")),
            (
                json!({"isAllDay": true, "originalStartTimeZone": "Europe/Warsaw"}),
                true,
                None,
                Some("2026-12-14T23:00:00Z 2026-12-15T23:00:00Z"),
            ),
            (
                json!({"isAllDay": true, "originalStartTimeZone": "tzone://Microsoft/Custom"}),
                true,
                None,
                Some("2026-12-15T00:00:00Z 2026-12-16T00:00:00Z"),
            ),
        ] {
            let event = event(changes);
            let reading = Reading { tentative, zone: zone.and_then(super::zone) };
            let text = |when: Interval| format!("{} {}", time::format(when.start), time::format(when.end));
            let busy = busy_events(std::slice::from_ref(&event), reading).unwrap();
            assert_eq!(busy.first().map(|busy| text(busy.when)).as_deref(), expected, "busy: {event}");
            let booking = listed(&event, "default", reading).unwrap();
            let taken = (booking.status != BookingStatus::Cancelled).then(|| text(booking.when));
            assert_eq!(taken.as_deref(), expected, "followed: {event}");
        }
        assert!(super::zone("Atlantis").is_none());
    }
}
