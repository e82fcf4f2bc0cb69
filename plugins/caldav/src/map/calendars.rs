//! The calendars of an account.

use berth_icalendar::clocks::Clock;
use berth_sdk::{icalendar::Known, types::EventType};
use serde_json::json;

use super::{
    href, ical,
    xml::{Multistatus, Resource},
};

/// A calendar says nothing of lengths: what calendar programs give a new event, in minutes. Berth's own event type says what counts.
const LENGTH_MINUTES: u32 = 60;

/// A calendar that holds events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Calendar {
    /// A URL in one spelling.
    pub(crate) url: String,
    pub(crate) name: String,
    description: Option<String>,
    /// May events be written? A server that does not tell is asked by writing.
    pub(crate) writable: bool,
    /// Do its events take time (RFC 6638 section 9.1)?
    pub(crate) opaque: bool,
    /// Does the server count its busy times?
    pub(crate) counts_busy: bool,
    /// For times that belong to no zone.
    pub(crate) clock: Option<Clock>,
    /// Name of that zone.
    pub(crate) time_zone: Option<String>,
}

/// Those of an answer about everything at `home`, in the order of their addresses.
pub(crate) fn calendars(answer: &Multistatus, home: &str) -> Vec<Calendar> {
    let mut found: Vec<_> = answer.resources.iter().filter_map(|resource| calendar(resource, home)).collect();
    found.sort_by(|a, b| a.url.cmp(&b.url));
    found.dedup_by(|a, b| a.url == b.url);
    found
}

fn calendar(resource: &Resource, home: &str) -> Option<Calendar> {
    let components = "supported-calendar-component-set";
    let holds_events = !resource.has(components) || resource.contains(components, "VEVENT");
    if !resource.contains("resourcetype", "calendar") || !holds_events {
        return None;
    }
    let url = href::folder(&href::resolve(home, &resource.href));
    let privileges = "current-user-privilege-set";
    let may = |privilege| resource.contains(privileges, privilege);
    let definition = resource.text("calendar-timezone").and_then(|text| ical::read(text).ok());
    let definition = definition.as_ref().and_then(|calendar| calendar.all("VTIMEZONE").next());
    Some(Calendar {
        name: resource.text("displayname").map_or_else(|| href::name(href::path(&url)), str::to_owned),
        description: resource.text("calendar-description").map(str::to_owned),
        writable: !resource.has(privileges)
            || may("all")
            || may("write")
            || may("write-content")
            || may("bind"),
        opaque: !resource.contains("schedule-calendar-transp", "transparent"),
        counts_busy: resource.contains("supported-report-set", "free-busy-query"),
        clock: definition.and_then(|zone| Clock::of(zone, &Known)),
        time_zone: definition.and_then(|zone| zone.text("TZID")).filter(|name| is_zone_name(name)),
        url,
    })
}

/// Does it look like an IANA name? Others have their own, which mean nothing here.
fn is_zone_name(name: &str) -> bool {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b));
    plain && name.contains('/') && !name.starts_with('/')
}

/// As something that can be booked; only the connection's calendar can.
pub(crate) fn event_type(calendar: &Calendar, id: String, booked: bool) -> EventType {
    let raw = json!({ "href": id, "displayname": calendar.name, "calendar-description": calendar.description,
        "writable": calendar.writable, "schedule-calendar-transp": if calendar.opaque { "opaque" } else { "transparent" } });
    EventType {
        description: calendar.description.clone(),
        active: booked && calendar.writable,
        ..EventType::plain(id, &calendar.name, LENGTH_MINUTES, raw.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::xml, *};

    fn response(href: &str, properties: &str) -> String {
        format!("<response><href>{href}</href><propstat><prop>{properties}</prop></propstat></response>")
    }

    fn found(responses: &str) -> Vec<Calendar> {
        let text = format!(
            r#"<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{responses}</multistatus>"#
        );
        calendars(&xml::multistatus(&text).unwrap(), "https://dav.example.com/eve/")
    }

    const IS: &str = "<resourcetype><collection/><C:calendar/></resourcetype>";

    #[test]
    fn calendars_that_hold_events() {
        let tasks = "<C:supported-calendar-component-set><C:comp name=\"VJOURNAL\"/></C:supported-calendar-component-set>";
        let both = "<C:supported-calendar-component-set><C:comp name=\"VJOURNAL\"/><C:comp name=\"VEVENT\"/></C:supported-calendar-component-set>";
        let all = [
            response("/eve/", "<resourcetype><collection/></resourcetype>"),
            response("/eve/work/", &format!("{IS}{both}<displayname>Work</displayname>")),
            response("/eve/tasks/", &format!("{IS}{tasks}")),
            response("/eve/H%c3%b6me/", IS),
        ];
        let found = found(&all.concat());
        let names: Vec<_> = found.iter().map(|c| (c.url.as_str(), c.name.as_str())).collect();
        assert_eq!(
            names,
            [
                ("https://dav.example.com/eve/H%C3%B6me/", "Höme"),
                ("https://dav.example.com/eve/work/", "Work")
            ]
        );
    }

    #[test]
    fn what_can_be_done_with_one() {
        let one = |properties: &str| found(&response("/a/", &format!("{IS}{properties}"))).remove(0);
        let plain = one("");
        assert!(plain.writable && plain.opaque && !plain.counts_busy && plain.time_zone.is_none());
        let privilege = |name: &str| {
            format!(
                "<current-user-privilege-set><privilege><read/></privilege><privilege><{name}/></privilege></current-user-privilege-set>"
            )
        };
        for (name, writable) in [("all", true), ("write-content", true), ("C:read-free-busy", false)] {
            assert_eq!(one(&privilege(name)).writable, writable, "{name}");
        }
        assert!(!one("<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>").opaque);
        let reports = "<supported-report-set><supported-report><report><C:free-busy-query/></report></supported-report></supported-report-set>";
        assert!(one(reports).counts_busy);
        let zone = |name: &str| {
            one(&format!(
                "<C:calendar-timezone>BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:{name}\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR</C:calendar-timezone>"
            ))
        };
        assert_eq!(zone("Europe/Warsaw").time_zone.as_deref(), Some("Europe/Warsaw"));
        let odd = zone("Central European Standard Time");
        assert!(odd.time_zone.is_none() && odd.clock.is_some());
    }

    #[test]
    fn only_the_calendar_of_the_connection_can_be_booked() {
        let calendar = found(&response("/a/", IS)).remove(0);
        assert!(event_type(&calendar, "/a/".to_owned(), true).active);
        assert!(!event_type(&calendar, "/a/".to_owned(), false).active);
        let shared = Calendar { writable: false, ..calendar };
        assert!(!event_type(&shared, "/a/".to_owned(), true).active);
    }
}
