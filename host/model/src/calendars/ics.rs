//! iCalendar (RFC 5545): an invitation for one booking, a feed of many, and holiday files that are read.

mod import;
mod origin;
mod read;
mod zone;

pub use import::{HolidayChange, change};
pub use origin::Origin;
pub use read::{ClosedBy, ClosedDays, LeftOut, closed_days};

use berth_icalendar::{Property, stamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

use crate::{
    limits::LOCATION_URL_BYTES_MAX,
    scheduling::hours::{is_shown_twice, local_of},
    text::{is_forbidden, is_web_address},
    time::{Instant, Interval},
    zone::Zone,
};

/// Somebody in an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IcsPerson {
    /// Their name.
    pub name: String,
    /// Their e-mail address, written as a `mailto:`; else something that is nobody's mailbox, but the same each time.
    pub address: Result<String, Uuid>,
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
    /// On whose clock it is written. What this clock shows twice is written in UTC.
    pub zone: Zone,
    /// Its status.
    pub status: IcsStatus,
    /// One line.
    pub summary: String,
    /// Several lines.
    pub description: Option<String>,
    /// Where.
    pub location: Option<String>,
    /// Where people meet on the web.
    pub meeting_url: Option<String>,
    /// With whom.
    pub organiser: IcsPerson,
    /// Who comes; not in feeds.
    pub attendees: Vec<IcsPerson>,
    /// Whom the customer named, and who were not asked yet; not in feeds.
    pub guests: Vec<IcsPerson>,
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
    plain(&mut out, "METHOD", method);
    if is_on_clock(event) {
        zone::write(&mut out, event.zone, event.when);
    }
    write(&mut out, event, true);
    plain(&mut out, "END", "VCALENDAR");
    out
}

/// A calendar of many events under a name, to subscribe to (`METHOD:PUBLISH`, so without attendees).
#[must_use]
pub fn feed(name: &str, events: &[IcsEvent]) -> String {
    let mut out = HEAD.to_owned();
    plain(&mut out, "METHOD", "PUBLISH");
    text(&mut out, "X-WR-CALNAME", name);
    let mut zones: Vec<(Zone, Interval)> = Vec::new();
    for event in events.iter().filter(|event| is_on_clock(event)) {
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
    plain(&mut out, "END", "VCALENDAR");
    out
}

fn write(out: &mut String, event: &IcsEvent, with_attendees: bool) {
    let status = match event.status {
        IcsStatus::Tentative => "TENTATIVE",
        IcsStatus::Confirmed => "CONFIRMED",
        IcsStatus::Cancelled => "CANCELLED",
    };
    plain(out, "BEGIN", "VEVENT");
    text(out, "UID", &event.uid);
    plain(out, "SEQUENCE", &event.sequence.to_string());
    plain(out, "DTSTAMP", &utc(event.stamp));
    plain(out, "LAST-MODIFIED", &utc(event.stamp));
    for (name, at) in [("DTSTART", event.when.start()), ("DTEND", event.when.end())] {
        if is_on_clock(event) {
            let local = local_of(event.zone, at).format("%Y%m%dT%H%M%S").to_string();
            Property::with(name, &[("TZID", event.zone.name())], &local).write(out);
        } else {
            plain(out, name, &utc(at));
        }
    }
    plain(out, "STATUS", status);
    text(out, "SUMMARY", &event.summary);
    for (name, value) in [("DESCRIPTION", &event.description), ("LOCATION", &event.location)] {
        if let Some(value) = value {
            text(out, name, value);
        }
    }
    if let Some(address) =
        event.meeting_url.as_deref().filter(|url| is_web_address(url, LOCATION_URL_BYTES_MAX))
    {
        plain(out, "URL", address);
        // RFC 7986: where it is joined, for programs that have a button for that.
        Property::with("CONFERENCE", &[("VALUE", "URI"), ("FEATURE", "VIDEO")], address).write(out);
    }
    let organiser = &event.organiser;
    Property::with("ORGANIZER", &[("CN", &allowed(&organiser.name))], &uri(&organiser.address)).write(out);
    if with_attendees {
        for (people, answer) in [(&event.attendees, "ACCEPTED"), (&event.guests, "NEEDS-ACTION")] {
            for person in people {
                let name = allowed(&person.name);
                let parameters = [("CN", name.as_str()), ("ROLE", "REQ-PARTICIPANT"), ("PARTSTAT", answer)];
                Property::with("ATTENDEE", &parameters, &uri(&person.address)).write(out);
            }
        }
    }
    plain(out, "END", "VEVENT");
}

/// A line whose value stands as it is.
fn plain(out: &mut String, name: &str, value: &str) {
    Property::plain(name, value).write(out);
}

/// A line whose value is text.
fn text(out: &mut String, name: &str, value: &str) {
    Property::text(name, &allowed(value)).write(out);
}

/// Text without what nobody may write here, line breaks and tabs excepted.
fn allowed(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\r' | '\t') || !is_forbidden(*c)).collect()
}

/// An instant in UTC, cut to seconds.
fn utc(at: Instant) -> String {
    stamp::utc(at.to_chrono().naive_utc())
}

/// Is the event written on its zone's clock? A local time that comes twice names its first occurrence (section 3.3.5), and readers
/// disagree about it: it could not be told from the second, and an end could lie before its start.
fn is_on_clock(event: &IcsEvent) -> bool {
    let is_twice = |at| is_shown_twice(event.zone, local_of(event.zone, at));
    event.zone != Zone::UTC && !is_twice(event.when.start()) && !is_twice(event.when.end())
}

/// What stands for itself in the address of a `mailto:` (RFC 6068 section 2), less what means something in iCalendar.
const MAILBOX: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'+')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'*')
    .remove(b'\'');

fn uri(address: &Result<String, Uuid>) -> String {
    match address {
        Ok(mailbox) => format!("mailto:{}", utf8_percent_encode(mailbox, MAILBOX)),
        Err(id) => format!("urn:uuid:{id}"),
    }
}

#[cfg(test)]
mod tests;
