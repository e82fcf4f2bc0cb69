//! Events as bookings.

use std::collections::BTreeMap;

use berth_sdk::{
    Result,
    json::read,
    log, time,
    types::{Attendee, Booking, BookingStatus, Instant, Interval, ProviderError},
    zone::Zone,
};
use serde::Deserialize;
use serde_json::Value;

use super::reference::REFERENCE;

/// A page of a list of events.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    pub(crate) items: Vec<Value>,
    /// The calendar's.
    time_zone: Option<String>,
    pub(crate) next_page_token: Option<String>,
    pub(crate) next_sync_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    status: Option<String>,
    event_type: Option<String>,
    transparency: Option<String>,
    summary: Option<String>,
    location: Option<String>,
    hangout_link: Option<String>,
    start: Option<Point>,
    end: Option<Point>,
    original_start_time: Option<Point>,
    #[serde(default)]
    attendees: Vec<Guest>,
    extended_properties: Option<Properties>,
    #[serde(default, deserialize_with = "time::rfc3339_option")]
    updated: Option<Instant>,
    #[serde(default, deserialize_with = "time::rfc3339_option")]
    created: Option<Instant>,
}

/// A time, or a date for events of whole days.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    date_time: Option<String>,
    date: Option<String>,
    time_zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Guest {
    email: Option<String>,
    display_name: Option<String>,
    #[serde(default)]
    organizer: bool,
    #[serde(default)]
    resource: bool,
    #[serde(default, rename = "self")]
    is_self: bool,
    response_status: Option<String>,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(default)]
    private: BTreeMap<String, String>,
}

impl Page {
    /// Where its days begin.
    pub(crate) fn zone(&self) -> Zone {
        self.time_zone.as_deref().and_then(Zone::named).unwrap_or(Zone::UTC)
    }
}

impl Point {
    /// Days begin at midnight in this zone.
    fn instant(&self, zone: Zone) -> Option<Instant> {
        match (&self.date_time, &self.date) {
            (Some(text), _) => time::parse(text),
            (None, Some(date)) => Some(zone.instant(time::parse_date(date)?)),
            (None, None) => None,
        }
    }
}

impl Entry {
    /// When it takes place. Of a deleted event often only the id is left: then where it was to be, without a length, or the year 1970.
    fn when(&self, status: BookingStatus, zone: Zone) -> Option<Interval> {
        let at = |point: &Option<Point>| point.as_ref()?.instant(zone);
        match (at(&self.start), at(&self.end)) {
            (Some(start), Some(end)) if start <= end => Some(Interval { start, end }),
            _ if status == BookingStatus::Cancelled => {
                let at = at(&self.original_start_time).unwrap_or(0);
                Some(Interval { start: at, end: at })
            }
            _ => None,
        }
    }

    /// Is it shown as free, or an invitation that the account declined? Busy times leave both out, too.
    fn takes_no_time(&self) -> bool {
        let declined = |guest: &Guest| guest.is_self && guest.response_status.as_deref() == Some("declined");
        self.transparency.as_deref() == Some("transparent") || self.attendees.iter().any(declined)
    }

    fn reference(&self) -> Option<&String> {
        self.extended_properties.as_ref()?.private.get(REFERENCE)
    }
}

/// A page of events.
pub(crate) fn events(answer: Value) -> Result<Page> {
    Page::deserialize(answer).map_err(|e| {
        log::warn(&format!("unexpected list of events: {e}"));
        ProviderError::Unavailable(None)
    })
}

/// The tag by which a change can be bound to this state of the event.
pub(crate) fn etag(event: &Value) -> Option<&str> {
    event.get("etag").and_then(Value::as_str)
}

/// Is it an event of whole days? By itself it does not say where these begin.
pub(crate) fn is_of_days(event: &Value) -> bool {
    event.pointer("/start/date").is_some_and(Value::is_string)
}

/// An event of this calendar, whose days begin in this zone.
pub(crate) fn booking(item: &Value, calendar: &str, zone: Zone) -> Result<Booking> {
    let event: Entry = read("event", item)?;
    of_event(&event, item, calendar, zone)
}

/// The events that carry a reference, newest first.
pub(crate) fn found(items: &[Value], reference: &str, calendar: &str, zone: Zone) -> Result<Vec<Booking>> {
    let mut found = Vec::new();
    for item in items {
        let event: Entry = read("event", item)?;
        if event.reference().is_some_and(|r| r == reference) {
            found.push((event.created, of_event(&event, item, calendar, zone)?));
        }
    }
    found.sort_by_key(|(created, _)| std::cmp::Reverse(*created));
    Ok(found.into_iter().map(|(_, booking)| booking).collect())
}

/// What changed, oldest change first. Birthdays and places of work are no appointments; an odd event must not stop the sync of all the
/// others.
pub(crate) fn changes(page: &Page, calendar: &str) -> Vec<Booking> {
    let zone = page.zone();
    let readable = |item: &Value| {
        let event: Entry = read("event", item).ok()?;
        let other = matches!(event.event_type.as_deref(), Some("birthday" | "workingLocation"));
        if other { Some(None) } else { of_event(&event, item, calendar, zone).ok().map(Some) }
    };
    let mut bookings = Vec::new();
    for item in &page.items {
        if let Some(booking) = readable(item) {
            bookings.extend(booking);
        } else {
            let id = item.get("id").and_then(Value::as_str).unwrap_or("without an id");
            log::error(&format!("left out of the sync: event {id}"));
        }
    }
    bookings.sort_by_key(|booking| booking.updated_at);
    bookings
}

fn of_event(event: &Entry, item: &Value, calendar: &str, zone: Zone) -> Result<Booking> {
    let status = match event.status.as_deref() {
        Some("cancelled") => BookingStatus::Cancelled,
        // What takes no time is for Berth as good as none; ours takes place however it is shown.
        Some(_) if event.reference().is_none() && event.takes_no_time() => BookingStatus::Cancelled,
        Some("tentative") => BookingStatus::Pending,
        // An unknown word counts as confirmed: the time is taken.
        Some(_) => BookingStatus::Confirmed,
        None => return Err(ProviderError::Unavailable(None)),
    };
    let when = event.when(status, zone).ok_or_else(|| {
        log::warn("an event has no time");
        ProviderError::Unavailable(None)
    })?;
    let shown_in = event.start.as_ref().and_then(|s| s.time_zone.as_deref()).unwrap_or("UTC");
    let guests = event.attendees.iter().filter(|g| !g.organizer && !g.resource && !g.is_self);
    Ok(Booking {
        id: event.id.clone(),
        reference: event.reference().cloned(),
        status,
        when,
        // What a person entered is no booking of anything.
        event_type: event.reference().map(|_| calendar.to_owned()),
        title: event.summary.clone(),
        attendees: guests.map(|guest| attendee(guest, shown_in)).collect(),
        location: event.hangout_link.clone().or_else(|| event.location.clone()),
        cancellation_reason: None,
        rescheduled_from: None,
        rescheduled_to: None,
        updated_at: event.updated,
        raw: item.to_string(),
    })
}

fn attendee(guest: &Guest, zone: &str) -> Attendee {
    let name = guest.display_name.as_ref().filter(|name| !name.is_empty()).or(guest.email.as_ref());
    Attendee {
        name: name.cloned().unwrap_or_default(),
        email: guest.email.clone(),
        phone: None,
        time_zone: zone.to_owned(),
        language: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> Value {
        serde_json::from_str(include_str!("../../fixtures/event.json")).unwrap()
    }

    fn with(changes: &Value) -> Value {
        let mut event = event();
        for (name, value) in changes.as_object().unwrap() {
            event[name] = value.clone();
        }
        event
    }

    #[test]
    fn an_event_is_a_booking() {
        let b = booking(&event(), "primary", Zone::UTC).unwrap();
        assert_eq!((b.id.as_str(), b.reference.as_deref()), ("b5h1k2m3n4p5q6r7", Some("b_1")));
        assert_eq!((b.status, b.event_type.as_deref()), (BookingStatus::Confirmed, Some("primary")));
        assert_eq!(time::format(b.when.start), "2026-01-05T09:00:00Z");
        assert_eq!(time::format(b.when.end), "2026-01-05T09:30:00Z");
        let names: Vec<_> = b.attendees.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names, ["Ada Nowak", "bob@example.com"], "the organiser is no customer");
        assert_eq!(b.attendees[0].time_zone, "Europe/Warsaw");
        assert_eq!(b.location.as_deref(), Some("https://meet.google.com/abc"));
        assert_eq!(b.updated_at, time::parse("2026-01-02T09:00:00.123Z"));
        assert_eq!(serde_json::from_str::<Value>(&b.raw).unwrap(), event());
    }

    #[test]
    fn what_a_person_entered_is_a_booking_of_nothing() {
        let own = booking(&with(&json!({ "extendedProperties": null })), "primary", Zone::UTC).unwrap();
        assert_eq!((own.reference, own.event_type), (None, None));
    }

    #[test]
    fn states_and_times() {
        for (status, expected) in [
            ("confirmed", BookingStatus::Confirmed),
            ("tentative", BookingStatus::Pending),
            ("cancelled", BookingStatus::Cancelled),
            ("somethingNew", BookingStatus::Confirmed),
        ] {
            assert_eq!(
                booking(&with(&json!({ "status": status })), "primary", Zone::UTC).unwrap().status,
                expected
            );
        }
        let days = with(&json!({ "start": { "date": "2026-01-05" }, "end": { "date": "2026-01-07" } }));
        let when = booking(&days, "primary", Zone::UTC).unwrap().when;
        assert_eq!(when.end - when.start, 2 * time::DAY, "the last day is not in it");
        assert!(is_of_days(&days) && !is_of_days(&event()));
        let in_tokyo = booking(&days, "primary", Zone::named("Asia/Tokyo").unwrap()).unwrap().when;
        assert_eq!(time::format(in_tokyo.start), "2026-01-04T15:00:00Z");
        for changes in [
            json!({ "start": {} }),
            json!({ "end": { "dateTime": "2026-01-05T08:00:00Z" } }),
            json!({ "status": null }),
            json!({ "id": 7 }),
        ] {
            let odd = booking(&with(&changes), "primary", Zone::UTC);
            assert_eq!(odd, Err(ProviderError::Unavailable(None)), "{changes}");
        }
    }

    #[test]
    fn of_a_deleted_event_the_id_is_enough() {
        let stub = json!({ "kind": "calendar#event", "id": "x", "status": "cancelled" });
        let gone = booking(&stub, "primary", Zone::UTC).unwrap();
        assert_eq!((gone.status, gone.when), (BookingStatus::Cancelled, Interval { start: 0, end: 0 }));
        let instance = json!({ "id": "r_20260105T090000Z", "status": "cancelled", "recurringEventId": "r",
            "originalStartTime": { "dateTime": "2026-01-05T10:00:00+01:00" } });
        let at = time::parse("2026-01-05T09:00:00Z").unwrap();
        assert_eq!(booking(&instance, "primary", Zone::UTC).unwrap().when, Interval { start: at, end: at });
    }

    #[test]
    fn changes_are_in_order_without_what_is_no_appointment() {
        let items = vec![
            with(&json!({ "id": "b", "updated": "2026-01-02T10:00:00.000Z" })),
            with(&json!({ "id": "a", "updated": "2026-01-02T09:00:00.000Z" })),
            with(&json!({ "id": "c", "eventType": "birthday" })),
            json!({ "id": "odd", "status": "confirmed" }),
        ];
        let page = Page { items, time_zone: None, next_page_token: None, next_sync_token: None };
        let ids: Vec<_> = changes(&page, "primary").into_iter().map(|b| b.id).collect();
        assert_eq!(ids, ["a", "b"]);
        let lines = berth_sdk::testing::lines();
        assert!(lines.iter().any(|(_, line)| line == "left out of the sync: event odd"), "{lines:?}");
        assert!(!lines.iter().any(|(_, line)| line.contains("event c")));
    }

    #[test]
    fn only_what_carries_the_reference_is_found() {
        let other = json!({ "extendedProperties": { "private": { "berth_booking_id": "b_2" } } });
        let items = [
            with(&json!({ "id": "old", "created": "2026-01-01T09:00:00.000Z" })),
            with(&json!({ "id": "new", "created": "2026-01-03T09:00:00.000Z", "status": "cancelled" })),
            with(&other),
            json!({ "id": "stub", "status": "cancelled" }),
        ];
        let ids: Vec<_> =
            found(&items, "b_1", "primary", Zone::UTC).unwrap().into_iter().map(|b| b.id).collect();
        assert_eq!(ids, ["new", "old"]);
    }
}
