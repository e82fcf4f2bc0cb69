//! A host's opening hours: the same on each day, in the host's zone.

use chrono::{DateTime, Datelike, NaiveTime, TimeZone, Timelike, Weekday};
use chrono_tz::Tz;

/// Days of one question.
const DAYS_MAX: i64 = 366;
const MINUTE_MICROS: i64 = 60_000_000;

/// When a host is at work: local minutes from midnight, every weekday or every day.
#[derive(Debug, Clone)]
pub struct Hours {
    pub time_zone: Tz,
    pub opens_minute: u32,
    pub closes_minute: u32,
    pub weekends: bool,
}

impl Hours {
    fn local(&self, micros: i64) -> DateTime<Tz> {
        DateTime::from_timestamp_micros(micros).unwrap_or_default().with_timezone(&self.time_zone)
    }

    /// Is the host at work for this whole stretch?
    pub fn open(&self, start: i64, end: i64) -> bool {
        let (from, to) = (self.local(start), self.local(end - 1));
        let minute = |t: &DateTime<Tz>| t.time().num_seconds_from_midnight() / 60;
        from.date_naive() == to.date_naive()
            && (self.weekends || !matches!(from.weekday(), Weekday::Sat | Weekday::Sun))
            && minute(&from) >= self.opens_minute
            && minute(&to) < self.closes_minute
    }

    /// Every start of this length that lies wholly inside, ascending: one behind the other from the opening on.
    pub fn starts(&self, start: i64, end: i64, length_minutes: u32) -> Vec<i64> {
        let length = i64::from(length_minutes) * MINUTE_MICROS;
        let opens =
            NaiveTime::from_num_seconds_from_midnight_opt(self.opens_minute * 60, 0).unwrap_or_default();
        let mut found = Vec::new();
        let mut day = self.local(start).date_naive() - chrono::Days::new(1);
        for _ in 0..DAYS_MAX {
            let opening = self.time_zone.from_local_datetime(&day.and_time(opens)).earliest();
            day = day + chrono::Days::new(1);
            let Some(opening) = opening else { continue };
            let mut at = opening.timestamp_micros();
            if at >= end {
                break;
            }
            // Round-the-clock hours go on into the next day, which has its own turn.
            let closes = at + i64::from(self.closes_minute - self.opens_minute) * MINUTE_MICROS;
            while at < closes.min(end) && self.open(at, at + length) {
                if at >= start && at + length <= end {
                    found.push(at);
                }
                at += length;
            }
        }
        found
    }
}
