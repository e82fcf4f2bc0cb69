//! Writing iCalendar (RFC 5545): an invitation for one booking, a feed of many.

mod line;
mod zone;

use std::fmt::Write as _;

use crate::time::{Instant, Interval, Zone};
use line::{escaped, line, quoted, utc};

/// Somebody in an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IcsPerson {
    /// Their name.
    pub name: String,
    /// A URI: `mailto:ada@example.com`, or `urn:uuid:…` of somebody whose mailbox is not known.
    pub address: String,
}

/// `STATUS` of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum IcsStatus {
    Tentative,
    Confirmed,
    Cancelled,
}

/// `METHOD` of an invitation (RFC 5546).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IcsMethod {
    /// Put it into the calendar, or change what is there.
    Request,
    /// Take it out.
    Cancel,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IcsEvent {
    /// The same for ever: `<booking>@berth`.
    pub uid: String,
    /// Counts changes.
    pub sequence: i64,
    /// When it last changed.
    pub stamp: Instant,
    /// The meeting.
    pub when: Interval,
    /// On whose clock it is written.
    pub zone: Zone,
    /// Its status.
    pub status: IcsStatus,
    /// One line.
    pub summary: String,
    /// Several lines.
    pub description: Option<String>,
    /// Where.
    pub location: Option<String>,
    /// With whom.
    pub organiser: IcsPerson,
    /// Who else; not in feeds.
    pub attendees: Vec<IcsPerson>,
}

const HEAD: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Berth//Berth//EN\r\nCALSCALE:GREGORIAN\r\n";

/// An invitation to one booking, or its withdrawal. Lines end with CRLF and are at most 75 octets long.
#[must_use]
pub fn invitation(event: &IcsEvent, method: IcsMethod) -> String {
    let mut out = HEAD.to_owned();
    let method = match method {
        IcsMethod::Request => "REQUEST",
        IcsMethod::Cancel => "CANCEL",
    };
    line(&mut out, &format!("METHOD:{method}"));
    zone::write(&mut out, event.zone, event.when);
    write(&mut out, event, true);
    line(&mut out, "END:VCALENDAR");
    out
}

/// A calendar of many events under a name, to subscribe to (`METHOD:PUBLISH`, so without attendees).
#[must_use]
pub fn feed(name: &str, events: &[IcsEvent]) -> String {
    let mut out = HEAD.to_owned();
    line(&mut out, "METHOD:PUBLISH");
    line(&mut out, &format!("X-WR-CALNAME:{}", escaped(name)));
    let mut zones: Vec<(Zone, Interval)> = Vec::new();
    for event in events {
        match zones.iter_mut().find(|(zone, _)| *zone == event.zone) {
            Some((_, seen)) => *seen = seen.joined(event.when),
            None => zones.push((event.zone, event.when)),
        }
    }
    for (zone, seen) in zones {
        zone::write(&mut out, zone, seen);
    }
    for event in events {
        write(&mut out, event, false);
    }
    line(&mut out, "END:VCALENDAR");
    out
}

fn write(out: &mut String, event: &IcsEvent, with_attendees: bool) {
    let local = |at| crate::hours::local_of(event.zone, at).format("%Y%m%dT%H%M%S");
    let status = match event.status {
        IcsStatus::Tentative => "TENTATIVE",
        IcsStatus::Confirmed => "CONFIRMED",
        IcsStatus::Cancelled => "CANCELLED",
    };
    line(out, "BEGIN:VEVENT");
    line(out, &format!("UID:{}", escaped(&event.uid)));
    line(out, &format!("SEQUENCE:{}", event.sequence));
    line(out, &format!("DTSTAMP:{}", utc(event.stamp)));
    line(out, &format!("LAST-MODIFIED:{}", utc(event.stamp)));
    if event.zone == Zone::UTC {
        line(out, &format!("DTSTART:{}", utc(event.when.start())));
        line(out, &format!("DTEND:{}", utc(event.when.end())));
    } else {
        line(out, &format!("DTSTART;TZID={}:{}", event.zone, local(event.when.start())));
        line(out, &format!("DTEND;TZID={}:{}", event.zone, local(event.when.end())));
    }
    line(out, &format!("STATUS:{status}"));
    line(out, &format!("SUMMARY:{}", escaped(&event.summary)));
    for (name, value) in [("DESCRIPTION", &event.description), ("LOCATION", &event.location)] {
        if let Some(value) = value {
            line(out, &format!("{name}:{}", escaped(value)));
        }
    }
    let organiser = &event.organiser;
    line(out, &format!("ORGANIZER;CN={}:{}", quoted(&organiser.name), uri(&organiser.address)));
    for person in event.attendees.iter().filter(|_| with_attendees) {
        let mut text = format!("ATTENDEE;CN={};", quoted(&person.name));
        let _ = write!(text, "ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED:{}", uri(&person.address));
        line(out, &text);
    }
    line(out, "END:VEVENT");
}

/// An address without what would end its line.
fn uri(address: &str) -> String {
    address.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests;
