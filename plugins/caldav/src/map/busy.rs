//! Busy times, from the server's own count or from single events.

use berth_icalendar::{
    clocks::Clocks,
    event::When,
    expansion::expanded,
    series::series,
    stamp::{Length, Stamp},
};
use berth_sdk::{
    Result,
    icalendar::{Followed, Known, interval, micros, utc},
    log,
    types::{BusyTime, Interval, ProviderError},
};

use super::{ical, reading::Reading, xml::Resource};

fn unusable(why: &str) -> ProviderError {
    log::warn(&format!("busy times cannot be told: {why}"));
    ProviderError::Unavailable(None)
}

fn taken(when: Interval, source: &str) -> Option<BusyTime> {
    (when.start < when.end).then(|| BusyTime { when, source: Some(source.to_owned()) })
}

/// The answer to a `free-busy-query` (RFC 4791 section 7.10): a `VFREEBUSY`.
pub(crate) fn free_busy(text: &str, source: &str) -> Result<Vec<BusyTime>> {
    let calendar = ical::read(text)?;
    let mut busy = Vec::new();
    let mut told = false;
    for answer in calendar.all("VFREEBUSY") {
        told = true;
        for line in answer.properties("FREEBUSY") {
            // An unknown type is busy (RFC 5545 section 3.2.9).
            if line.parameter("FBTYPE").is_some_and(|kind| kind.eq_ignore_ascii_case("FREE")) {
                continue;
            }
            for period in line.value().split(',') {
                let when = of_period(period).ok_or_else(|| unusable("a period cannot be read"))?;
                busy.extend(taken(when, source));
            }
        }
    }
    if told { Ok(busy) } else { Err(unusable("the answer holds no VFREEBUSY")) }
}

/// `20300105T090000Z/20300105T093000Z`, `20300105T090000Z/PT30M`.
fn of_period(text: &str) -> Option<Interval> {
    let (start, end) = text.split_once('/')?;
    let Stamp::Utc(start) = Stamp::read(start)? else { return None };
    let end = match Stamp::read(end) {
        Some(Stamp::Utc(end)) => end,
        Some(_) => return None,
        None => {
            let length = Length::read(end)?;
            length.after_seconds(length.after_days(start)?)?
        }
    };
    (start <= end).then_some(Interval { start: micros(start), end: micros(end) })
}

/// The busy times of single events and series. What cannot be read is named, closes what is known of it, and nothing else.
pub(crate) fn of_events(
    resources: &[Resource],
    within: Interval,
    reading: &Reading,
    source: &str,
) -> Vec<BusyTime> {
    let (Some(start), Some(end)) = (utc(within.start), utc(within.end)) else { return Vec::new() };
    let mut busy = Vec::new();
    for resource in resources {
        let odd = |why: &str| log::error(&format!("event {} {why}", resource.href));
        let Some(text) = resource.text("calendar-data") else {
            odd("came without its data and takes no time");
            continue;
        };
        let Ok(calendar) = ical::read(text) else {
            odd("cannot be read and takes no time");
            continue;
        };
        let clocks = Clocks::new(&calendar, &Known, reading.floating.clone());
        for series in series(calendar.all("VEVENT")) {
            let found = expanded(&series, &clocks, &Followed, When { start, end });
            for (event, why) in found.odd.into_iter().filter(|(event, _)| reading.takes_time(event)) {
                let uid = event.text("UID").unwrap_or_default();
                odd(&format!("(UID {uid}) {why}; only what is known of its time is taken"));
            }
            let takes = found.taken.into_iter().filter(|taken| reading.takes_time(taken.event));
            busy.extend(takes.filter_map(|each| taken(interval(each.when), source)));
        }
    }
    busy
}

#[cfg(test)]
mod tests {
    use berth_icalendar::clocks::Clock;
    use berth_sdk::{testing, time};

    use super::{
        super::{reading::Own, xml},
        *,
    };

    fn at(text: &str) -> i64 {
        time::parse(text).unwrap()
    }

    fn shown(busy: Result<Vec<BusyTime>>) -> Result<Vec<String>> {
        let one = |b: BusyTime| {
            assert_eq!(b.source.as_deref(), Some("/eve/work/"));
            format!("{} {}", time::format(b.when.start), (b.when.end - b.when.start) / time::MINUTE)
        };
        Ok(busy?.into_iter().map(one).collect())
    }

    #[test]
    fn periods_that_the_server_counts() {
        let text = |lines: &str| {
            format!("BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\n{lines}\nEND:VFREEBUSY\nEND:VCALENDAR\n")
        };
        let told = |lines: &str| shown(free_busy(&text(lines), "/eve/work/"));
        let lines = "FREEBUSY:20300105T090000Z/20300105T093000Z,20300105T100000Z/PT45M\nFREEBUSY;FBTYPE=FREE:20300105T110000Z/PT1H\nFREEBUSY;FBTYPE=BUSY-TENTATIVE:20300106T090000Z/PT1H\nFREEBUSY;FBTYPE=X-NEW:20300107T090000Z/PT1H";
        assert_eq!(
            told(lines).unwrap(),
            [
                "2030-01-05T09:00:00Z 30",
                "2030-01-05T10:00:00Z 45",
                "2030-01-06T09:00:00Z 60",
                "2030-01-07T09:00:00Z 60"
            ]
        );
        assert_eq!(told("DTSTAMP:20300105T090000Z"), Ok(Vec::new()), "nothing is taken");
        for lines in ["FREEBUSY:soon", "FREEBUSY:20300105T090000/PT1H", "FREEBUSY:20300105T090000Z/-PT1H"] {
            assert_eq!(told(lines), Err(ProviderError::Unavailable(None)), "what is not known is never free");
        }
        let none = free_busy("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "/eve/work/");
        assert_eq!(none, Err(ProviderError::Unavailable(None)));
    }

    #[test]
    fn single_events_and_series() {
        let answer = |lines: &str| {
            let object = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\n{lines}\nEND:VEVENT\nEND:VCALENDAR");
            xml::multistatus(&format!(
                r#"<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><response><href>/a</href><propstat><prop><C:calendar-data>{object}</C:calendar-data></prop></propstat></response></multistatus>"#
            ))
            .unwrap()
        };
        let within = Interval { start: at("2030-01-01T00:00:00Z"), end: at("2030-02-01T00:00:00Z") };
        let reading = Reading { floating: Clock::Utc, own: Own::default(), tentative_is_busy: true };
        let told = |lines: &str| {
            let busy = of_events(&answer(lines).resources, within, &reading, "/eve/work/");
            shown(Ok(busy)).unwrap()
        };
        let half_hour = "DTSTART:20300105T090000Z\nDTEND:20300105T093000Z";
        let one = ["2030-01-05T09:00:00Z 30"];
        assert_eq!(told(half_hour), one);
        assert_eq!(told("DTSTART;VALUE=DATE:20300105"), ["2030-01-05T00:00:00Z 1440"]);
        for free in ["STATUS:CANCELLED", "TRANSP:transparent"] {
            assert!(told(&format!("{half_hour}\n{free}")).is_empty());
        }
        assert_eq!(
            told(&format!("{half_hour}\nRRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20300112T090000Z")),
            ["2030-01-05T09:00:00Z 30", "2030-01-19T09:00:00Z 30"]
        );
        // What is odd takes what is known of it, and is named.
        testing::set_now(0);
        assert!(told("DTSTART;TZID=Mars:20300105T090000").is_empty());
        assert_eq!(told("DTSTART:20300105T090000Z\nDURATION:PT"), ["2030-01-05T09:00:00Z 60"]);
        assert_eq!(told(&format!("{half_hour}\nRRULE:FREQ=NEVER")), one);
        let lines = testing::lines();
        assert_eq!(
            lines.iter().filter(|(_, line)| line.starts_with("event /a (UID a) ")).count(),
            3,
            "{lines:?}"
        );
        assert_eq!(of_events(&[Resource::default()], within, &reading, "x"), []);
    }
}
