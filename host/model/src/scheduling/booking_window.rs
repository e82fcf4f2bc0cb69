//! How far ahead something can be booked.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::hours::{civil_day, day_start};
use super::rules::{BookingWindow, DayCount};
use crate::{limits, time::Instant, zone::Zone};

const fn is_business(day: Weekday) -> bool {
    !matches!(day, Weekday::Sat | Weekday::Sun)
}

/// The last day of a window of so many days after today.
fn last_day(today: NaiveDate, days: u32, count: DayCount) -> NaiveDate {
    match count {
        DayCount::Calendar => today.checked_add_days(Days::new(u64::from(days))).unwrap_or(NaiveDate::MAX),
        DayCount::Business => {
            let (mut day, mut left) = (today, days.min(limits::BOOKING_WINDOW_DAYS_MAX));
            while left > 0 {
                let Some(next) = day.succ_opt() else { return day };
                day = next;
                if is_business(day.weekday()) {
                    left = left.saturating_sub(1);
                }
            }
            day
        }
    }
}

impl BookingWindow {
    /// Whose days count; `zone` when the window names none.
    #[must_use]
    pub fn zone(&self, zone: Zone) -> Zone {
        let (Self::Rolling { timezone, .. }
        | Self::RollingWindow { timezone, .. }
        | Self::Range { timezone, .. }) = self;
        timezone.unwrap_or(zone)
    }

    /// Starts that this window lets through: from the first instant on, before the second. A rolling window needs a clock: without
    /// one it lets everything through, and so does a window of free days, which [`last_free_day`] bounds.
    #[must_use]
    pub fn bounds(&self, zone: Zone, now: Option<Instant>) -> (Instant, Instant) {
        let zone = self.zone(zone);
        let after = |day: NaiveDate| day.succ_opt().map_or(Instant::MAX, |next| day_start(zone, next));
        match self {
            Self::Rolling { days, count, .. } => {
                let end = now.map(|now| after(last_day(civil_day(zone, now), *days, *count)));
                (Instant::MIN, end.unwrap_or(Instant::MAX))
            }
            Self::RollingWindow { .. } => (Instant::MIN, Instant::MAX),
            Self::Range { from, to, .. } => (day_start(zone, *from), after(*to)),
        }
    }
}

/// The first instant after the last of the first `days` days that have something free. `starts` ascend and begin today.
#[must_use]
pub fn last_free_day(
    days: u32,
    count: DayCount,
    zone: Zone,
    starts: impl Iterator<Item = Instant>,
) -> Instant {
    if days == 0 {
        return Instant::MIN;
    }
    let (mut seen, mut last) = (0_u32, None);
    let free = starts
        .map(|start| civil_day(zone, start))
        .filter(|day| count == DayCount::Calendar || is_business(day.weekday()));
    for day in free {
        if last != Some(day) {
            (seen, last) = (seen.saturating_add(1), Some(day));
        }
        if seen == days {
            return day.succ_opt().map_or(Instant::MAX, |next| day_start(zone, next));
        }
    }
    Instant::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(window: &str, now: &str) -> String {
        let window: BookingWindow = serde_json::from_str(window).unwrap();
        let (_, end) = window.bounds("Europe/Lisbon".parse().unwrap(), Some(now.parse().unwrap()));
        end.to_string()
    }

    #[test]
    fn days_are_counted_after_today() {
        let week = r#"{"type":"rolling","days":7}"#;
        assert_eq!(end(week, "2026-11-20T09:00:00Z"), "2026-11-28T00:00:00Z");
        // Friday and one business day: until the end of Monday, the weekend included.
        let business = r#"{"type":"rolling","days":1,"count":"business"}"#;
        assert_eq!(end(business, "2026-11-20T09:00:00Z"), "2026-11-24T00:00:00Z");
        // In another zone it is tomorrow already.
        let zoned = r#"{"type":"rolling","days":0,"timezone":"Asia/Tokyo"}"#;
        assert_eq!(end(zoned, "2026-11-20T16:00:00Z"), "2026-11-21T15:00:00Z");
    }

    #[test]
    fn a_range_includes_both_days() {
        let range: BookingWindow =
            serde_json::from_str(r#"{"type":"range","from":"2026-11-23","to":"2026-11-24"}"#).unwrap();
        let (start, end) = range.bounds(Zone::UTC, None);
        assert_eq!(start.to_string(), "2026-11-23T00:00:00Z");
        assert_eq!(end.to_string(), "2026-11-25T00:00:00Z");
    }

    #[test]
    fn free_days_are_counted_where_something_is_free() {
        let starts =
            ["2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z", "2026-11-21T09:00:00Z", "2026-11-23T09:00:00Z"]
                .map(|s| s.parse::<Instant>().unwrap());
        let last = |days, count| last_free_day(days, count, Zone::UTC, starts.into_iter()).to_string();
        assert_eq!(last(2, DayCount::Calendar), "2026-11-22T00:00:00Z");
        assert_eq!(last(2, DayCount::Business), "2026-11-24T00:00:00Z");
        assert_eq!(last_free_day(9, DayCount::Calendar, Zone::UTC, starts.into_iter()), Instant::MAX);
    }
}
