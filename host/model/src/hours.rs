//! From weekly hours on a wall clock to open windows on the time line.
//!
//! A local time that does not exist (a clock change jumps over it) takes the offset before the jump; one that exists twice is its
//! first occurrence; a civil day that a zone skipped has no window.

use chrono::{Datelike, Days, Duration, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};

use crate::{
    intervals::merged,
    member::WeeklyHours,
    time::{Instant, Interval, Zone},
};

/// The instant at which a clock of this zone shows this local time, by the rule of this module.
#[must_use]
pub fn instant_of(zone: Zone, local: NaiveDateTime) -> Instant {
    let tz = zone.tz();
    if let Some(time) = tz.from_local_datetime(&local).earliest() {
        return Instant::from_chrono(time.to_utc());
    }
    // In the gap. The offset before it is the one in force 15 hours before that clock time read as UTC: no zone is further ahead.
    let before = tz.offset_from_utc_datetime(&(local - Duration::hours(15))).fix();
    Instant::from_chrono((local - before).and_utc())
}

/// Does this zone have this civil day at all? Samoa had no 30 December 2011.
pub(crate) fn has_day(zone: Zone, date: NaiveDate) -> bool {
    (0..24).any(|hour| {
        date.and_hms_opt(hour, 0, 0)
            .is_some_and(|local| zone.tz().from_local_datetime(&local).earliest().is_some())
    })
}

/// What a clock of this zone shows at an instant.
#[must_use]
pub fn local_of(zone: Zone, at: Instant) -> NaiveDateTime {
    at.to_chrono().with_timezone(&zone.tz()).naive_local()
}

/// The civil day that a clock of this zone shows at an instant.
#[must_use]
pub fn civil_day(zone: Zone, at: Instant) -> NaiveDate {
    local_of(zone, at).date()
}

/// First instant of a civil day.
#[must_use]
pub fn day_start(zone: Zone, date: NaiveDate) -> Instant {
    instant_of(zone, date.and_time(NaiveTime::MIN))
}

/// Open windows within `range`: sorted, touching ones joined (also across midnight), clipped to the range.
#[must_use]
pub fn open_windows(hours: &[WeeklyHours], zone: Zone, range: Interval) -> Vec<Interval> {
    let last = civil_day(zone, range.end());
    let mut day = civil_day(zone, range.start()).checked_sub_days(Days::new(1));
    let mut windows = Vec::new();
    while let Some(date) = day.filter(|d| *d <= last) {
        day = date.checked_add_days(Days::new(1));
        if !has_day(zone, date) {
            continue;
        }
        for rule in hours.iter().filter(|rule| rule.weekdays.contains(&date.weekday())) {
            let start = instant_of(zone, date.and_time(rule.start));
            let end = match (rule.end, day) {
                (Some(end), _) => instant_of(zone, date.and_time(end)),
                (None, Some(next)) => day_start(zone, next),
                (None, None) => continue,
            };
            // A rule that lies wholly in a gap has no length left.
            if let Ok(window) = Interval::new(start, end) {
                windows.extend(window.intersection(range));
            }
        }
    }
    merged(windows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Weekday;

    fn windows(zone: &str, start: &str, end: &str, range: (&str, &str)) -> Vec<String> {
        let time = |t: &str| NaiveTime::parse_from_str(t, "%H:%M").unwrap();
        let days = [0, 1, 2, 3, 4, 5, 6].map(|d| Weekday::try_from(d).unwrap());
        let rule = WeeklyHours {
            weekdays: days.to_vec(),
            start: time(start),
            end: (end != "24:00").then(|| time(end)),
        };
        let range = Interval::new(range.0.parse().unwrap(), range.1.parse().unwrap()).unwrap();
        open_windows(&[rule], zone.parse().unwrap(), range)
            .into_iter()
            .map(|w| format!("{} {}", w.start(), w.end()))
            .collect()
    }

    #[test]
    fn hours_keep_their_wall_clock_over_a_clock_change() {
        let got =
            windows("Europe/Lisbon", "09:00", "13:00", ("2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z"));
        assert_eq!(
            got,
            ["2026-10-24T08:00:00Z 2026-10-24T12:00:00Z", "2026-10-25T09:00:00Z 2026-10-25T13:00:00Z"]
        );
    }

    #[test]
    fn a_gap_takes_the_offset_before_it_and_a_fold_its_first_pass() {
        // Berlin 2026-03-29: 02:00 to 03:00 does not exist. 2026-10-25: 02:00 to 03:00 exists twice.
        let spring =
            windows("Europe/Berlin", "02:30", "05:00", ("2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z"));
        assert_eq!(spring, ["2026-03-29T01:30:00Z 2026-03-29T03:00:00Z"]);
        let autumn =
            windows("Europe/Berlin", "02:30", "05:00", ("2026-10-25T00:00:00Z", "2026-10-25T12:00:00Z"));
        assert_eq!(autumn, ["2026-10-25T00:30:00Z 2026-10-25T04:00:00Z"]);
        // Lord Howe moves by half an hour.
        let lord_howe = windows(
            "Australia/Lord_Howe",
            "02:15",
            "04:00",
            ("2026-10-03T12:00:00Z", "2026-10-03T20:00:00Z"),
        );
        assert_eq!(lord_howe, ["2026-10-03T15:45:00Z 2026-10-03T17:00:00Z"]);
    }

    #[test]
    fn odd_offsets_and_skipped_days() {
        let nepal =
            windows("Asia/Kathmandu", "09:00", "10:00", ("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"));
        assert_eq!(nepal, ["2026-01-05T03:15:00Z 2026-01-05T04:15:00Z"]);
        let samoa =
            windows("Pacific/Apia", "09:00", "10:00", ("2011-12-29T12:00:00Z", "2012-01-01T00:00:00Z"));
        assert_eq!(
            samoa,
            [
                "2011-12-29T19:00:00Z 2011-12-29T20:00:00Z",
                "2011-12-30T19:00:00Z 2011-12-30T20:00:00Z",
                "2011-12-31T19:00:00Z 2011-12-31T20:00:00Z"
            ]
        );
    }

    #[test]
    fn days_that_are_open_round_the_clock_are_one_window() {
        let got = windows("UTC", "00:00", "24:00", ("2026-01-05T00:00:00Z", "2026-01-08T00:00:00Z"));
        assert_eq!(got, ["2026-01-05T00:00:00Z 2026-01-08T00:00:00Z"]);
    }
}
