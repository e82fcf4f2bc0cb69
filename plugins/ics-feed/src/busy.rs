//! When a published calendar is taken: its events, each time of a series for itself.

use std::collections::BTreeSet;

use berth_icalendar::{
    Component,
    clocks::{Clock, Clocks},
    event::When,
    expansion::expanded,
    series::series,
};
use berth_sdk::{
    icalendar::{Followed, Known, interval, utc},
    log,
    types::Interval,
};

use crate::feed::Feed;

/// Times that are told; a calendar with more of them in a year is not one person's. Those that come first count.
const TIMES_MAX: usize = 8_000;

/// The taken times that overlap a stretch, ascending. Days, and times that belong to no zone, are those of the calendar, or of where somebody
/// asks (`zone`). What cannot be read closes what is known of its time, and is named.
pub(crate) fn times(feed: &Feed, zone: &str, within: Interval, tentative: bool) -> Vec<Interval> {
    let (Some(start), Some(end)) = (utc(within.start), utc(within.end)) else { return Vec::new() };
    let mut found = BTreeSet::new();
    for calendar in &feed.calendars {
        let own = calendar.text("X-WR-TIMEZONE").and_then(|name| Clock::named(&name, &Known));
        let floating = own.or_else(|| Clock::named(zone, &Known)).unwrap_or(Clock::Utc);
        let clocks = Clocks::new(calendar, &Known, floating);
        for series in series(calendar.all("VEVENT")) {
            let all = expanded(&series, &clocks, &Followed, When { start, end });
            for (event, why) in all.odd.into_iter().filter(|(event, _)| takes_time(event, tentative)) {
                log::warn(&format!("the event at line {} {why}", event.line));
            }
            let taken = all.taken.into_iter().filter(|taken| takes_time(taken.event, tentative));
            let each = taken.map(|taken| interval(taken.when)).map(|when| (when.start, when.end));
            found.extend(each.filter(|(start, end)| start < end));
        }
    }
    if found.len() > TIMES_MAX {
        log::warn(&format!("the calendar has {} times; the first {TIMES_MAX} count", found.len()));
    }
    found.into_iter().take(TIMES_MAX).map(|(start, end)| Interval { start, end }).collect()
}

/// Not what is cancelled, shown as free, or only maybe, where that does not count.
fn takes_time(event: &Component, tentative: bool) -> bool {
    let shown = "X-MICROSOFT-CDO-BUSYSTATUS";
    let maybe = event.says("STATUS", "TENTATIVE") || event.says(shown, "TENTATIVE");
    let free =
        event.says("STATUS", "CANCELLED") || event.says("TRANSP", "TRANSPARENT") || event.says(shown, "FREE");
    !free && (tentative || !maybe)
}
