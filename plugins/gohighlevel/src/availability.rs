//! Free slots of a calendar, and times that are taken in calendars.

use berth_sdk::{
    Availability, Result,
    time::{DAY, MINUTE},
    types::{BusyQuery, BusyTime, Instant, Interval, ProviderError, QuerySpans, Slot, SlotQuery},
};

use crate::{HighLevel, map};

/// Longest query, in days: HighLevel refuses more.
const SPAN_DAYS: u32 = 31;
/// Calendars in one question for busy times: each costs two requests, and a call may make 20.
const BUSY_CALENDARS_MAX: usize = 9;
/// Nothing that is booked is longer, and hardly anything that is blocked. They are asked for from so much earlier, in case HighLevel
/// looks at starts alone.
pub(crate) const EVENT_MAX: i64 = DAY;
const BLOCK_MAX: i64 = 62 * DAY;

impl Availability for HighLevel {
    fn spans() -> QuerySpans {
        QuerySpans { free_slots_days: SPAN_DAYS, busy_days: SPAN_DAYS }
    }

    fn free_slots(&self, query: SlotQuery) -> Result<Vec<Slot>> {
        // The answer has starts only.
        let calendar = self.bookable(&query.event_type)?;
        calendar.check_length("length-minutes", query.length_minutes.map(i64::from))?;
        let starts = map::starts(&self.api.free_slots(&query.event_type, query.within)?)?;
        let length = i64::from(calendar.length_minutes()) * MINUTE;
        Ok(map::slots(starts, length, query.within))
    }

    fn busy(&self, query: BusyQuery) -> Result<Vec<BusyTime>> {
        let calendars = if query.calendars.is_empty() { self.calendars_in_use()? } else { query.calendars };
        if calendars.len() > BUSY_CALENDARS_MAX {
            let message = format!(
                "busy times of at most {BUSY_CALENDARS_MAX} calendars can be asked for at once, and these are {}; name those that \
                count, here or in the connection's settings (calendar_ids)",
                calendars.len()
            );
            return Err(ProviderError::invalid("calendars", message));
        }
        let from = |earlier: i64| Interval {
            start: query.within.start.saturating_sub(earlier),
            end: query.within.end,
        };
        let mut busy = Vec::new();
        for calendar in calendars {
            busy.extend(map::busy(&self.api.events(&calendar, from(EVENT_MAX))?, query.within)?);
            busy.extend(map::busy(&self.api.blocked_slots(&calendar, from(BLOCK_MAX))?, query.within)?);
        }
        busy.sort_by_key(|time| (time.when.start, time.when.end));
        Ok(busy)
    }
}

impl HighLevel {
    /// A start as HighLevel wants it back: in the very words of its free slots. Another way to write the same instant has
    /// been refused as taken. If the instant is not offered, HighLevel decides, and it is written in the offset of the
    /// nearest text known: a slot's, or `sample`.
    pub(crate) fn start_text(
        &self,
        calendar: &str,
        start: Instant,
        token: Option<String>,
        sample: Option<&str>,
    ) -> Result<String> {
        if let Some(token) = token.filter(|token| berth_sdk::time::parse(token) == Some(start)) {
            return Ok(token);
        }
        let around = Interval { start: start.saturating_sub(DAY / 2), end: start.saturating_add(DAY / 2) };
        let starts = map::starts(&self.api.free_slots(calendar, around)?)?;
        let nearest = starts.iter().min_by_key(|(at, _)| at.abs_diff(start));
        Ok(match nearest {
            Some((at, text)) if *at == start => text.clone(),
            nearest => map::in_offset_of(nearest.map(|(_, text)| text.as_str()).or(sample), start),
        })
    }
}
