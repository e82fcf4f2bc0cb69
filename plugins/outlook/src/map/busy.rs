//! Taken times: of events, and of other people's schedules.

use berth_sdk::{
    Result,
    json::read,
    types::{BusyTime, ProviderError},
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    reading::{Reading, Shown, times, unreadable},
    time::DateTime,
};

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(flatten)]
    shown: Shown,
}

/// Taken times of a calendar's events.
pub(crate) fn of_events(events: &[Value], reading: Reading) -> Result<Vec<BusyTime>> {
    let mut busy = Vec::new();
    for event in events {
        let e: Event = read("event", event)?;
        if reading.takes_time(&e.shown) {
            busy.push(BusyTime { when: reading.when(&e.shown)?, source: Some(e.id) });
        }
    }
    Ok(busy)
}

#[derive(Deserialize)]
struct Schedules {
    value: Vec<Schedule>,
}

#[derive(Deserialize)]
struct Schedule {
    #[serde(rename = "scheduleId")]
    id: String,
    #[serde(rename = "scheduleItems")]
    items: Option<Vec<Item>>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Item {
    status: Option<String>,
    start: DateTime,
    end: DateTime,
}

#[derive(Deserialize)]
struct Failure {
    message: Option<String>,
}

/// Taken times of the schedules of these addresses. One that cannot be read or is not told is a failure: nobody knows that it is free.
pub(crate) fn of_schedules(answer: &Value, asked: &[String], reading: Reading) -> Result<Vec<BusyTime>> {
    let Schedules { value } = read("schedules", answer)?;
    let mut busy = Vec::new();
    for address in asked {
        let told = value.iter().find(|schedule| schedule.id.eq_ignore_ascii_case(address));
        let failed = |why: &str| {
            let message = format!("the schedule of {address} cannot be read: {why}");
            ProviderError::vendor(200, "schedule-unreadable", message)
        };
        if let Some(failure) = told.and_then(|schedule| schedule.error.as_ref()) {
            return Err(failed(failure.message.as_deref().unwrap_or_default()));
        }
        let items = told.and_then(|schedule| schedule.items.as_ref());
        for item in items.ok_or_else(|| failed("Graph tells nothing of it"))? {
            if reading.is_busy(item.status.as_deref()) {
                let when = times(&item.start, &item.end).ok_or_else(unreadable)?;
                busy.push(BusyTime { when, source: Some(address.clone()) });
            }
        }
    }
    Ok(busy)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use berth_sdk::{time, zone::Zone};

    fn rules(zone: &str) -> Reading {
        Reading { tentative: true, zone: Zone::named(zone) }
    }

    fn event(show_as: &str, start: &str, end: &str, changes: &Value) -> Value {
        let at = |text: &str| json!({"dateTime": format!("{text}.0000000"), "timeZone": "UTC"});
        let mut event = json!({"id": "e", "showAs": show_as, "start": at(start), "end": at(end)});
        event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        event
    }

    fn told(events: &[Value], rules: Reading) -> Vec<String> {
        let text = |t: BusyTime| format!("{} {}", time::format(t.when.start), time::format(t.when.end));
        of_events(events, rules).unwrap().into_iter().map(text).collect()
    }

    #[test]
    fn what_counts() {
        let of = |show_as: &str, changes: Value, tentative: bool| {
            let event = event(show_as, "2026-01-05T09:00:00", "2026-01-05T09:30:00", &changes);
            of_events(&[event], Reading { tentative, zone: None }).unwrap().len()
        };
        for (show_as, tentative, expected) in [
            ("busy", true, 1),
            ("oof", true, 1),
            ("unknown", true, 1),
            ("tentative", true, 1),
            ("tentative", false, 0),
            ("free", true, 0),
            ("workingElsewhere", true, 0),
            ("a word of tomorrow", true, 1),
        ] {
            assert_eq!(of(show_as, json!({}), tentative), expected, "{show_as} {tentative}");
        }
        assert_eq!(of("busy", json!({"isCancelled": true}), true), 0);
    }

    #[test]
    fn days_are_days_where_people_are() {
        let all_day = |start: &str, end: &str| {
            let (start, end) = (format!("{start}T00:00:00"), format!("{end}T00:00:00"));
            event("oof", &start, &end, &json!({"isAllDay": true}))
        };
        for (zone, start, end, expected) in [
            ("Europe/Warsaw", "2026-01-05", "2026-01-06", "2026-01-04T23:00:00Z 2026-01-05T23:00:00Z"),
            ("America/New_York", "2026-03-07", "2026-03-09", "2026-03-07T05:00:00Z 2026-03-09T04:00:00Z"),
            // Clocks go from 24:00 to 01:00 there.
            ("Africa/Cairo", "2026-04-24", "2026-04-25", "2026-04-23T22:00:00Z 2026-04-24T21:00:00Z"),
            ("UTC", "2026-01-05", "2026-01-05", "2026-01-05T00:00:00Z 2026-01-06T00:00:00Z"),
        ] {
            assert_eq!(told(&[all_day(start, end)], rules(zone)), [expected], "{zone}");
        }
    }

    #[test]
    fn an_unreadable_schedule_is_not_free() {
        let good = json!({"value": [{"scheduleId": "eve@example.com", "availabilityView": "0002", "scheduleItems": [
            {"status": "busy", "start": {"dateTime": "2026-01-05T09:00:00.0000000", "timeZone": "UTC"},
                "end": {"dateTime": "2026-01-05T09:30:00.0000000", "timeZone": "UTC"}},
            {"status": "free", "start": {"dateTime": "2026-01-05T10:00:00.0000000", "timeZone": "UTC"},
                "end": {"dateTime": "2026-01-05T10:30:00.0000000", "timeZone": "UTC"}}], "workingHours": {}}]});
        let asked = ["eve@example.com".to_owned(), "bob@example.com".to_owned()];
        let busy = of_schedules(&good, &asked[..1], rules("UTC")).unwrap();
        assert_eq!(busy.len(), 1);
        assert_eq!(busy[0].source.as_deref(), Some("eve@example.com"));
        let bad = json!({"value": [good["value"][0], {"scheduleId": "bob@example.com", "scheduleItems": [],
            "error": {"message": "The mailbox was not found.", "responseCode": "ErrorMailRecipientNotFound"}}]});
        let failed = of_schedules(&bad, &asked, rules("UTC"));
        assert!(matches!(failed, Err(ProviderError::Vendor(e)) if e.message.contains("bob@example.com")));
        assert!(of_schedules(&json!({"value": [{}]}), &asked, rules("UTC")).is_err());
    }
}
