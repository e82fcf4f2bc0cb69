//! Open every day from 9 to 17 on the clocks of the `time_zone` in the settings, one start after the other.

use berth_sdk::{
    Availability, Result,
    time::{DAY, HOUR, MINUTE},
    types::{BusyQuery, BusyTime, Interval, ProviderError, QuerySpans, Slot, SlotQuery},
    zone::Zone,
};

use crate::{Reference, blocks, catalog, store};

const SPAN_DAYS: u32 = 62;
const OPENS: i64 = 9 * HOUR;
const CLOSES: i64 = 17 * HOUR;

impl Availability for Reference {
    fn spans() -> QuerySpans {
        QuerySpans { free_slots_days: SPAN_DAYS, busy_days: SPAN_DAYS }
    }

    fn free_slots(&self, query: SlotQuery) -> Result<Vec<Slot>> {
        self.run("free_slots", || {
            within_span(query.within)?;
            let event_type = catalog::find(&query.event_type)?;
            if !event_type.active {
                return Ok(Vec::new());
            }
            let minutes = query.length_minutes.unwrap_or(event_type.length_minutes);
            if minutes == 0 || i64::from(minutes) * MINUTE > CLOSES - OPENS {
                return Err(ProviderError::invalid("length_minutes", "must be 1 to 480"));
            }
            let mut bookings = store::all()?;
            bookings.retain(|s| {
                s.booking.status.is_active()
                    && s.booking.event_type.as_deref() == Some(&event_type.id)
                    && Some(&s.booking.id) != query.rescheduling.as_ref()
            });
            let blocks = blocks::closing(query.within)?;
            let closed =
                |when: Interval| blocks.iter().any(|b| b.when.start < when.end && when.start < b.when.end);
            let taken = |when: Interval| {
                bookings
                    .iter()
                    .filter(|s| s.booking.when.start < when.end && when.start < s.booking.when.end)
                    .count()
            };
            let starts = starts(query.within, i64::from(minutes) * MINUTE, self.settings.zone()?);
            let slots = starts.filter_map(|when| {
                let left = event_type.seats.saturating_sub(u32::try_from(taken(when)).unwrap_or(u32::MAX));
                (left > 0 && !closed(when)).then(|| Slot {
                    when,
                    token: Some(format!("slot-{}", when.start)),
                    seats_left: Some(left),
                })
            });
            Ok(slots.collect())
        })
    }

    fn busy(&self, query: BusyQuery) -> Result<Vec<BusyTime>> {
        self.run("busy", || {
            within_span(query.within)?;
            let mut times: Vec<_> = store::all()?
                .into_iter()
                .map(|s| s.booking)
                .filter(|b| b.status.is_active())
                .filter(|b| b.when.start < query.within.end && query.within.start < b.when.end)
                .map(|b| BusyTime { when: b.when, source: Some(b.id) })
                .collect();
            let blocks = blocks::closing(query.within)?;
            times.extend(blocks.into_iter().map(|b| BusyTime { when: b.when, source: Some(b.id) }));
            times.sort_by_key(|t| (t.when.start, t.when.end));
            Ok(times)
        })
    }
}

fn within_span(within: Interval) -> Result<()> {
    if within.end.saturating_sub(within.start) > i64::from(SPAN_DAYS) * DAY {
        return Err(ProviderError::invalid("within", format!("must be at most {SPAN_DAYS} days")));
    }
    Ok(())
}

/// Every start of the opening hours whose slot lies inside.
fn starts(within: Interval, length: i64, zone: Zone) -> impl Iterator<Item = Interval> {
    let per_day = (CLOSES - OPENS) / length;
    // A day more at each end: where the day began earlier or begins later than in UTC.
    let days = within.start.div_euclid(DAY) - 1..=within.end.div_euclid(DAY) + 1;
    days.flat_map(move |day| (0..per_day).map(move |n| zone.instant(day * DAY + OPENS + n * length)))
        .map(move |start| Interval { start, end: start + length })
        .filter(move |when| within.start <= when.start && when.end <= within.end)
}
