//! Bodies of `PROPFIND` and `REPORT` requests (RFC 4918, 4791, 6578).

use berth_sdk::types::Interval;

use super::ical::stamped;

const DECLARATION: &str = r#"<?xml version="1.0" encoding="utf-8"?>"#;
const NAMESPACES: &str = r#"xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav""#;

/// What is asked of the place where discovery begins.
pub(crate) const ENTRY: &[&str] = &["current-user-principal", "C:calendar-home-set"];
/// What is asked of a principal.
pub(crate) const PRINCIPAL: &[&str] =
    &["displayname", "C:calendar-home-set", "C:calendar-user-address-set", "C:schedule-inbox-URL"];
/// What is asked of a scheduling inbox (RFC 6638 section 9.2).
pub(crate) const INBOX: &[&str] = &["C:schedule-default-calendar-URL"];
/// What is asked of each calendar.
pub(crate) const CALENDAR: &[&str] = &[
    "displayname",
    "resourcetype",
    "current-user-privilege-set",
    "supported-report-set",
    "C:calendar-description",
    "C:calendar-timezone",
    "C:schedule-calendar-transp",
    "C:supported-calendar-component-set",
];
/// What is told of an event: what its time and a booking need (RFC 4791 section 9.6.1), and no attachment.
const PARTS: &[&str] = &[
    "UID",
    "SUMMARY",
    "LOCATION",
    "DTSTART",
    "DTEND",
    "DURATION",
    "RRULE",
    "RDATE",
    "EXDATE",
    "EXRULE",
    "RECURRENCE-ID",
    "STATUS",
    "TRANSP",
    "SEQUENCE",
    "LAST-MODIFIED",
    "COMMENT",
    "ATTENDEE",
    "X-BERTH-CUSTOMER",
];
/// What is asked of a calendar for days and times that belong to no zone.
pub(crate) const ZONE: &[&str] = &["C:calendar-timezone"];
/// Where changes are counted from.
pub(crate) const SYNC_TOKEN: &[&str] = &["sync-token"];

/// Which properties to tell; `C:` stands before those of `CalDAV`.
pub(crate) fn propfind(properties: &[&str]) -> String {
    let names: String = properties.iter().flat_map(|name| ["<", name, "/>"]).collect();
    format!("{DECLARATION}<propfind {NAMESPACES}><prop>{names}</prop></propfind>")
}

/// Busy times, as the server counts them.
pub(crate) fn free_busy(within: Interval) -> String {
    format!("{DECLARATION}<C:free-busy-query {NAMESPACES}>{}</C:free-busy-query>", time_range(within))
}

/// What is asked of events.
fn events_asked() -> String {
    let parts: String = PARTS.iter().flat_map(|name| [r#"<C:prop name=""#, name, r#""/>"#]).collect();
    format!(
        r#"<getetag/><getlastmodified/><C:calendar-data><C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT">{parts}</C:comp><C:comp name="VTIMEZONE"><C:allprop/><C:allcomp/></C:comp></C:comp></C:calendar-data>"#
    )
}

/// The events that touch this time, series as they are stored: not every server takes them apart rightly.
pub(crate) fn events(within: Interval) -> String {
    calendar_query(&events_asked(), &time_range(within))
}

/// The sizes of these.
pub(crate) fn sizes(within: Interval) -> String {
    calendar_query("<getcontentlength/>", &time_range(within))
}

/// The tags of the events that are not over at this time.
pub(crate) fn not_over(at: berth_sdk::types::Instant) -> String {
    calendar_query("<getetag/>", &format!(r#"<C:time-range start="{}"/>"#, stamped(at)))
}

/// The event with this UID.
pub(crate) fn by_uid(uid: &str) -> String {
    let wanted = format!(r#"<C:text-match collation="i;octet">{}</C:text-match>"#, escaped(uid));
    let filter = format!(r#"<C:prop-filter name="UID">{wanted}</C:prop-filter>"#);
    calendar_query(&events_asked(), &filter)
}

fn calendar_query(properties: &str, filter: &str) -> String {
    let filter = format!(
        r#"<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{filter}</C:comp-filter></C:comp-filter>"#
    );
    format!(
        "{DECLARATION}<C:calendar-query {NAMESPACES}><prop>{properties}</prop><C:filter>{filter}</C:filter></C:calendar-query>"
    )
}

/// These objects.
pub(crate) fn multiget(paths: &[String]) -> String {
    let hrefs = paths.iter().map(|path| escaped(path)).collect::<Vec<_>>().join("</href><href>");
    let hrefs = format!("<href>{hrefs}</href>");
    format!(
        "{DECLARATION}<C:calendar-multiget {NAMESPACES}><prop>{}</prop>{hrefs}</C:calendar-multiget>",
        events_asked()
    )
}

/// What changed since a token was given.
pub(crate) fn changes(token: &str) -> String {
    format!(
        "{DECLARATION}<sync-collection {NAMESPACES}><sync-token>{}</sync-token><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>",
        escaped(token)
    )
}

fn time_range(within: Interval) -> String {
    format!(r#"<C:time-range start="{}" end="{}"/>"#, stamped(within.start), stamped(within.end))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::*;

    #[test]
    fn every_body_is_xml_and_holds_what_was_given() {
        let within = Interval { start: 0, end: 3_600_000_000 };
        for (body, root, expected) in [
            (propfind(CALENDAR), "propfind", "<C:schedule-calendar-transp/>"),
            (free_busy(within), "free-busy-query", r#"start="19700101T000000Z" end="19700101T010000Z""#),
            (events(within), "calendar-query", r#"<C:prop name="DTSTART"/>"#),
            (sizes(within), "calendar-query", "<getcontentlength/>"),
            (not_over(0), "calendar-query", r#"<C:time-range start="19700101T000000Z"/>"#),
            (by_uid("a&b<c"), "calendar-query", "a&amp;b&lt;c"),
            (multiget(&["/a&b".to_owned()]), "calendar-multiget", "<href>/a&amp;b</href>"),
            (changes("urn:x?a&b"), "sync-collection", "<sync-token>urn:x?a&amp;b</sync-token>"),
        ] {
            let document = Document::parse(&body).unwrap();
            assert_eq!(document.root_element().tag_name().name(), root);
            assert!(body.contains(expected), "{body}");
        }
    }
}
