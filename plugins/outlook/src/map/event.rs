//! Events as bookings.

use std::collections::BTreeMap;

use berth_sdk::{
    Result,
    json::read,
    time,
    types::{Attendee, Booking, BookingStatus, Instant},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    marks::{REFERENCE, TRANSACTION},
    reading::{Reading, Shown},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    id: String,
    subject: Option<String>,
    #[serde(flatten)]
    shown: Shown,
    attendees: Option<Vec<Person>>,
    location: Option<Location>,
    online_meeting: Option<OnlineMeeting>,
    last_modified_date_time: Option<String>,
    single_value_extended_properties: Option<Vec<Property>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    email_address: Option<Mailbox>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Mailbox {
    name: Option<String>,
    address: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    display_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnlineMeeting {
    join_url: Option<String>,
}

#[derive(Deserialize)]
struct Property {
    id: String,
    value: Option<String>,
}

/// An item of a delta query.
#[derive(Debug, PartialEq)]
pub(crate) enum Change<'a> {
    /// An event as it stands.
    Changed(&'a Value),
    /// An occurrence of the series with this id, told without what all of them have in common.
    Occurrence { event: &'a Value, of: &'a str },
    /// An event that was deleted, or lies outside of the window: nothing but its id is told.
    Removed(String),
}

/// What an item of a delta query means; none if it means nothing. A series that others entered means nothing by itself: it is told at the
/// time of its first occurrence, which is told as well.
pub(crate) fn change(item: &Value) -> Option<Change<'_>> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    if item.get("@removed").is_some() {
        return Some(Change::Removed(text("id")?.to_owned()));
    }
    match (text("type"), text("seriesMasterId")) {
        (Some("seriesMaster"), _) if !is_ours(item) => None,
        (Some("occurrence"), Some(of)) => Some(Change::Occurrence { event: item, of }),
        _ => Some(Change::Changed(item)),
    }
}

/// The series among these items, by id.
pub(crate) fn series(items: &[Value]) -> BTreeMap<String, Option<Value>> {
    let of_kind = |item: &&Value| item.get("type").and_then(Value::as_str) == Some("seriesMaster");
    let named = |item: &Value| Some((item.get("id")?.as_str()?.to_owned(), Some(item.clone())));
    items.iter().filter(of_kind).filter_map(named).collect()
}

/// An occurrence with what it has in common with its series. Who made the series made no booking of each of its occurrences.
pub(crate) fn with_series(occurrence: &Value, series: Option<&Value>) -> Value {
    let mut whole = series.cloned().unwrap_or_else(|| json!({}));
    if let (Some(whole), Some(own)) = (whole.as_object_mut(), occurrence.as_object()) {
        whole.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
        whole.remove("transactionId");
    }
    whole
}

/// The booking that an event is.
pub(crate) fn booking(event: &Value, reading: Reading) -> Result<Booking> {
    read_booking(event, reading).map(|(booking, _)| booking)
}

/// The booking that an event is, and whether it takes its time.
fn read_booking(event: &Value, reading: Reading) -> Result<(Booking, bool)> {
    let e: Event = read("event", event)?;
    let (when, taken) = (reading.when(&e.shown)?, reading.takes_time(&e.shown));
    let given = |text: &String| !text.is_empty();
    let link = e.online_meeting.and_then(|m| m.join_url).filter(given);
    let booking = Booking {
        id: e.id,
        reference: e.single_value_extended_properties.into_iter().flatten().find_map(reference),
        status: if e.shown.is_cancelled() { BookingStatus::Cancelled } else { BookingStatus::Confirmed },
        when,
        event_type: None,
        title: e.subject.filter(given),
        attendees: e.attendees.into_iter().flatten().filter_map(attendee).collect(),
        location: link.or_else(|| e.location.and_then(|l| l.display_name).filter(given)),
        cancellation_reason: None,
        rescheduled_from: None,
        rescheduled_to: None,
        updated_at: e.last_modified_date_time.as_deref().and_then(time::parse),
        raw: event.to_string(),
    };
    Ok((booking, taken))
}

fn reference(property: Property) -> Option<String> {
    if property.id.eq_ignore_ascii_case(REFERENCE) { property.value } else { None }
}

/// People, not rooms.
fn attendee(person: Person) -> Option<Attendee> {
    if person.kind.as_deref() == Some("resource") {
        return None;
    }
    let Mailbox { name, address } = person.email_address?;
    let email = address.filter(|a| !a.is_empty());
    Some(Attendee {
        name: name.filter(|n| !n.is_empty()).or_else(|| email.clone()).unwrap_or_default(),
        email,
        phone: None,
        time_zone: "UTC".to_owned(),
        language: None,
    })
}

/// The booking that an event of a delta query is. Reference and calendar are not told there; an event that Berth made is taken for a
/// booking in this calendar, one that others entered for a booking of nothing. Of theirs, what takes no time is as good as none.
pub(crate) fn listed(event: &Value, calendar: &str, reading: Reading) -> Result<Booking> {
    let ours = is_ours(event);
    let (booking, taken) = read_booking(event, reading)?;
    Ok(Booking {
        event_type: ours.then(|| calendar.to_owned()),
        status: if taken || ours { booking.status } else { BookingStatus::Cancelled },
        ..booking
    })
}

/// Did Berth make this event?
fn is_ours(event: &Value) -> bool {
    event.get("transactionId").and_then(Value::as_str).is_some_and(|id| id.starts_with(TRANSACTION))
}

/// When an event was made, if it says so.
pub(crate) fn created_at(event: &Value) -> Option<Instant> {
    time::parse(event.get("createdDateTime")?.as_str()?)
}

/// Is this a meeting of the account, whose attendees are told when it is cancelled?
pub(crate) fn has_attendees_to_tell(event: &Value) -> bool {
    let is_organizer = event.get("isOrganizer").and_then(Value::as_bool).unwrap_or(true);
    is_organizer && event.get("attendees").and_then(Value::as_array).is_some_and(|a| !a.is_empty())
}

/// An event that is there no more.
pub(crate) fn gone(id: &str) -> Booking {
    Booking::gone(id, json!({ "id": id, "@removed": { "reason": "deleted" } }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use berth_sdk::types::ProviderError;

    const READING: Reading = Reading { tentative: true, zone: None };

    fn event() -> Value {
        json!({
            "id": "AAMk1", "iCalUId": "040000", "changeKey": "x", "subject": "Ada Nowak", "isCancelled": false,
            "showAs": "busy", "transactionId": "berth-b-1-create", "lastModifiedDateTime": "2026-01-02T09:00:00.1234567Z",
            "createdDateTime": "2026-01-02T08:00:00Z", "isOrganizer": true,
            "start": {"dateTime": "2026-01-05T09:00:00.0000000", "timeZone": "UTC"},
            "end": {"dateTime": "2026-01-05T09:30:00.0000000", "timeZone": "UTC"},
            "location": {"displayName": "Room 1"}, "onlineMeeting": null,
            "attendees": [
                {"type": "required", "emailAddress": {"name": "Ada Nowak", "address": "ada@example.com"}},
                {"type": "resource", "emailAddress": {"name": "Room 1", "address": "room@example.com"}},
                {"type": "optional", "emailAddress": {"address": "bob@example.com"}}],
            "singleValueExtendedProperties": [{"id": REFERENCE.to_uppercase(), "value": "b-1"}]
        })
    }

    #[test]
    fn an_event_is_a_booking() {
        let b = booking(&event(), READING).unwrap();
        assert_eq!(
            (b.id.as_str(), b.reference.as_deref(), b.status),
            ("AAMk1", Some("b-1"), BookingStatus::Confirmed)
        );
        assert_eq!(time::format(b.when.start), "2026-01-05T09:00:00Z");
        assert_eq!(time::format(b.when.end), "2026-01-05T09:30:00Z");
        assert_eq!((b.title.as_deref(), b.location.as_deref()), (Some("Ada Nowak"), Some("Room 1")));
        assert_eq!(b.updated_at, time::parse("2026-01-02T09:00:00.123456Z"));
        let people: Vec<_> = b.attendees.iter().map(|a| (a.name.as_str(), a.email.as_deref())).collect();
        assert_eq!(
            people,
            [("Ada Nowak", Some("ada@example.com")), ("bob@example.com", Some("bob@example.com"))]
        );
        assert_eq!(created_at(&event()), time::parse("2026-01-02T08:00:00Z"));
        assert_eq!(serde_json::from_str::<Value>(&b.raw).unwrap(), event());
    }

    #[test]
    fn a_cancelled_meeting_an_online_one_and_odd_ones() {
        let with = |name: &str, value: Value| {
            let mut event = event();
            event[name] = value;
            booking(&event, READING)
        };
        assert_eq!(with("isCancelled", json!(true)).unwrap().status, BookingStatus::Cancelled);
        let online = with("onlineMeeting", json!({"joinUrl": "https://teams.example/x"})).unwrap();
        assert_eq!(online.location.as_deref(), Some("https://teams.example/x"));
        let foreign =
            with("singleValueExtendedProperties", json!([{"id": "String {0} Name x", "value": "b-1"}]));
        assert_eq!(foreign.unwrap().reference, None);
        for (name, value) in [
            ("id", Value::Null),
            ("start", Value::Null),
            ("end", json!("2026-01-05T09:30:00Z")),
            (
                "start",
                json!({"dateTime": "2026-01-05T10:00:00", "timeZone": "Central European Standard Time"}),
            ),
        ] {
            assert_eq!(with(name, value), Err(ProviderError::Unavailable(None)), "{name}");
        }
    }

    #[test]
    fn what_a_person_entered_is_a_booking_of_nothing() {
        let of = |transaction: Value, show_as: &str| {
            let mut event = event();
            (event["transactionId"], event["showAs"]) = (transaction, json!(show_as));
            let booking = listed(&event, "default", READING).unwrap();
            (booking.event_type, booking.status)
        };
        let ours = Some("default".to_owned());
        assert_eq!(of(json!("berth-b-1-create"), "busy"), (ours.clone(), BookingStatus::Confirmed));
        assert_eq!(
            of(json!("berth-b-1-create"), "free"),
            (ours, BookingStatus::Confirmed),
            "its time is Berth's to say"
        );
        assert_eq!(of(json!("localevent:1"), "free"), (None, BookingStatus::Cancelled));
        assert_eq!(of(Value::Null, "busy"), (None, BookingStatus::Confirmed));
        assert_eq!(of(Value::Null, "workingElsewhere"), (None, BookingStatus::Cancelled));
    }

    #[test]
    fn who_is_told() {
        let told = |changes: Value| {
            let mut event = event();
            event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            has_attendees_to_tell(&event)
        };
        assert!(told(json!({})));
        assert!(!told(json!({"isOrganizer": false})));
        assert!(!told(json!({"attendees": []})));
        assert!(!told(json!({"attendees": null})));
    }

    #[test]
    fn items_of_a_delta() {
        let removed = json!({"id": "AAMk2", "@removed": {"reason": "deleted"}});
        assert_eq!(change(&removed), Some(Change::Removed("AAMk2".to_owned())));
        assert_eq!(change(&event()), Some(Change::Changed(&event())));
        assert_eq!(change(&json!({"@removed": {}})), None);
        let mut series = event();
        series["type"] = json!("seriesMaster");
        assert_eq!(change(&series), Some(Change::Changed(&series)), "ours, which a person repeats");
        series["transactionId"] = Value::Null;
        assert_eq!(change(&series), None);
    }
}
