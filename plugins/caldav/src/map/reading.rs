//! What an event of somebody's calendar means, for busy times and for the mirror alike.

use berth_icalendar::{Component, Property, clocks::Clock, stamp::Stamp};
use serde::{Deserialize, Serialize};

use super::mailbox::mailbox;

/// Who the account is in an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Own {
    /// Addresses that the server names (RFC 6638 section 2.4.1), in lower case.
    pub(crate) addresses: Vec<String>,
    /// The account's name on the server.
    pub(crate) name: String,
}

impl Own {
    /// Has the account declined this event?
    fn declined(&self, event: &Component) -> bool {
        event.properties("ATTENDEE").any(|attendee| {
            let declined =
                attendee.parameter("PARTSTAT").is_some_and(|status| status.eq_ignore_ascii_case("DECLINED"));
            declined && self.is(attendee, event)
        })
    }

    fn is(&self, attendee: &Property, event: &Component) -> bool {
        let address = attendee.value().to_ascii_lowercase();
        if self.addresses.iter().any(|own| mailbox(own).is_some()) {
            return self.addresses.contains(&address);
        }
        // A server that names no mailbox: then its own name for the account may be that of the mailbox, if only one has it.
        let named = |p: &&Property| {
            let lower = p.value().to_ascii_lowercase();
            mailbox(&lower)
                .and_then(|mailbox| mailbox.split_once('@'))
                .is_some_and(|(local, _)| local == self.name)
        };
        self.addresses.contains(&address)
            || (!self.name.is_empty()
                && named(&attendee)
                && event.properties("ATTENDEE").filter(named).count() == 1)
    }
}

/// How a calendar is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    /// For days, and for times that belong to no zone.
    pub(crate) floating: Clock,
    pub(crate) own: Own,
    pub(crate) tentative_is_busy: bool,
}

impl Reading {
    /// Does this event of others take time?
    pub(crate) fn takes_time(&self, event: &Component) -> bool {
        let free = event.says("STATUS", "CANCELLED")
            || event.says("TRANSP", "TRANSPARENT")
            || (!self.tentative_is_busy && event.says("STATUS", "TENTATIVE"));
        !free && !self.own.declined(event)
    }
}

/// Does what an event means depend on whose calendar it is in?
pub(crate) fn asks_who(event: &Component) -> bool {
    event
        .properties("ATTENDEE")
        .any(|p| p.parameter("PARTSTAT").is_some_and(|s| s.eq_ignore_ascii_case("DECLINED")))
}

/// Does an event depend on the calendar's zone?
pub(crate) fn asks_where(event: &Component) -> bool {
    ["DTSTART", "DTEND"].iter().filter_map(|name| event.property(name)).any(|p| {
        match Stamp::read(p.value()) {
            Some(Stamp::Day(_)) => true,
            Some(Stamp::Local(_)) => p.parameter("TZID").is_none(),
            Some(Stamp::Utc(_)) | None => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_time() {
        let takes = |lines: &str, own: &[&str], tentative_is_busy: bool| {
            let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\n{lines}\nEND:VEVENT\nEND:VCALENDAR");
            let calendar = Component::read(text.as_bytes()).unwrap();
            let addresses = own.iter().map(|address| (*address).to_owned()).collect();
            let own = Own { addresses, name: "eve".to_owned() };
            Reading { floating: Clock::Utc, own, tentative_is_busy }.takes_time(&calendar.parts[0])
        };
        let eve: &[&str] = &["/eve/", "mailto:eve@example.com"];
        let declined = "ATTENDEE;CN=\"E: E\";PARTSTAT=declined:MAILTO:Eve@example.com";
        let others = "ATTENDEE;PARTSTAT=DECLINED:mailto:bob@example.com";
        for (lines, own, tentative, expected) in [
            ("STATUS:CONFIRMED", eve, true, true),
            ("STATUS:cancelled", eve, true, false),
            ("TRANSP:TRANSPARENT", eve, true, false),
            ("STATUS:TENTATIVE", eve, true, true),
            ("STATUS:TENTATIVE", eve, false, false),
            (declined, eve, true, false),
            (others, eve, true, true),
            (&format!("{others}\n{declined}"), eve, true, false),
            ("ATTENDEE;PARTSTAT=ACCEPTED:mailto:eve@example.com", eve, true, true),
            // Of a server that names nobody's mailbox.
            (declined, &["/eve/"], true, false),
            (others, &[], true, true),
            (&format!("{declined}\nATTENDEE:mailto:eve@example.org"), &[], true, true),
            // The server knows the mailbox: it is another one.
            (declined, &["mailto:eve@example.org"], true, true),
        ] {
            assert_eq!(takes(lines, own, tentative), expected, "{lines} {own:?}");
        }
    }
}
