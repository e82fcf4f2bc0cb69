//! Busy times, from the server's own count or from single events.

use berth_icalendar::{
    clocks::{Clock, Clocks},
    event,
    stamp::{Length, Stamp},
};
use berth_sdk::{
    Result, log,
    types::{BusyTime, Interval, ProviderError},
};

use super::{
    ical::{self, Known, interval, micros},
    xml::Multistatus,
};

/// Code of the error for a server that does not take recurring events apart.
pub(crate) const NOT_EXPANDED: &str = "not-expanded";

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

/// The answer to an expanded `calendar-query`: single events. `floating` is for days, and for times that belong to no zone.
pub(crate) fn of_events(answer: &Multistatus, floating: &Clock, source: &str) -> Result<Vec<BusyTime>> {
    let mut busy = Vec::new();
    for resource in &answer.resources {
        let Some(text) = resource.text("calendar-data") else {
            return Err(unusable("an event came without its data"));
        };
        let calendar = ical::read(text)?;
        let clocks = Clocks::new(&calendar, &Known, floating.clone());
        for event in calendar.all("VEVENT") {
            if event.says("STATUS", "CANCELLED") || event.says("TRANSP", "TRANSPARENT") {
                continue;
            }
            if event.property("RRULE").is_some() || event.property("RDATE").is_some() {
                return Err(ProviderError::vendor(
                    200,
                    NOT_EXPANDED,
                    "The server neither counts busy times nor takes recurring events apart (RFC 4791, CALDAV:expand).",
                ));
            }
            let when = event::when(event, &clocks).map_err(|why| unusable(&format!("an event {why}")))?;
            busy.extend(taken(interval(when), source));
        }
    }
    Ok(busy)
}

#[cfg(test)]
mod tests {
    use berth_sdk::time;

    use super::{
        super::xml::{self},
        *,
    };

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
    fn single_events() {
        let answer = |lines: &str| {
            let object = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR");
            xml::multistatus(&format!(
                r#"<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><response><href>/a</href><propstat><prop><C:calendar-data>{object}</C:calendar-data></prop></propstat></response></multistatus>"#
            ))
            .unwrap()
        };
        let told = |lines: &str| shown(of_events(&answer(lines), &Clock::Utc, "/eve/work/"));
        let half_hour = "DTSTART:20300105T090000Z\nDTEND:20300105T093000Z";
        assert_eq!(told(half_hour).unwrap(), ["2030-01-05T09:00:00Z 30"]);
        assert_eq!(told("DTSTART;VALUE=DATE:20300105").unwrap(), ["2030-01-05T00:00:00Z 1440"]);
        for free in ["STATUS:CANCELLED", "TRANSP:transparent"] {
            assert_eq!(told(&format!("{half_hour}\n{free}")), Ok(Vec::new()));
        }
        assert!(matches!(told(&format!("{half_hour}\nRRULE:FREQ=DAILY")), Err(ProviderError::Vendor(_))));
        assert_eq!(told("DTSTART;TZID=Mars:20300105T090000"), Err(ProviderError::Unavailable(None)));
    }
}
