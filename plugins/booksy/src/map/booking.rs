//! Bookings. One keeps its id when it is moved; `version` counts its changes.

use berth_sdk::{
    Result,
    json::read,
    types::{Booking, BookingStatus, Instant, Interval},
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    client::{Person, attendee},
    list::updated_at,
    reference::REFERENCE,
};

#[derive(Deserialize)]
struct Appointment {
    id: String,
    service_id: String,
    client: Option<Person>,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start: Instant,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    end: Instant,
    timezone: String,
    status: String,
    external_ref: Option<String>,
    cancellation: Option<Cancellation>,
}

#[derive(Deserialize)]
struct Cancellation {
    reason: Option<String>,
}

/// One booking.
pub(crate) fn booking(item: &Value) -> Result<Booking> {
    let appointment: Appointment = read("booking", item)?;
    let person = appointment.client.map(|person| attendee(person, &appointment.timezone));
    let is_known =
        person.as_ref().is_some_and(|p| !p.name.is_empty() || p.email.is_some() || p.phone.is_some());
    Ok(Booking {
        reference: appointment
            .external_ref
            .as_deref()
            .and_then(|r| r.strip_prefix(REFERENCE))
            .map(str::to_owned),
        status: status(&appointment.status),
        when: Interval { start: appointment.start, end: appointment.end },
        event_type: Some(appointment.service_id),
        title: None,
        attendees: person.into_iter().filter(|_| is_known).collect(),
        location: None,
        cancellation_reason: appointment.cancellation.and_then(|c| c.reason).filter(|r| !r.is_empty()),
        rescheduled_from: None,
        rescheduled_to: None,
        updated_at: updated_at(item),
        raw: item.to_string(),
        id: appointment.id,
    })
}

/// A word that is new to us counts as confirmed: the time is taken.
fn status(text: &str) -> BookingStatus {
    match text {
        "pending" => BookingStatus::Pending,
        "cancelled" | "declined" => BookingStatus::Cancelled,
        "completed" => BookingStatus::Completed,
        "no_show" => BookingStatus::NoShow,
        _ => BookingStatus::Confirmed,
    }
}

#[cfg(test)]
mod tests {
    use berth_sdk::{time, types::ProviderError};
    use serde_json::json;

    use super::*;

    fn plain() -> Value {
        serde_json::from_str(include_str!("../../fixtures/booking.json")).unwrap()
    }

    #[test]
    fn a_plain_booking() {
        let found = booking(&plain()).unwrap();
        assert_eq!((found.id.as_str(), found.reference.as_deref()), ("bk_1", Some("b_1")));
        assert_eq!((found.status, found.event_type.as_deref()), (BookingStatus::Confirmed, Some("svc_1")));
        assert_eq!(time::format(found.when.start), "2026-01-05T09:00:00Z");
        assert_eq!(time::format(found.when.end), "2026-01-05T09:45:00Z");
        let ada = &found.attendees[0];
        assert_eq!((ada.name.as_str(), ada.email.as_deref()), ("Ada Nowak", Some("ada@example.com")));
        assert_eq!((ada.phone.as_deref(), ada.time_zone.as_str()), (Some("+48600100200"), "Europe/Warsaw"));
        assert_eq!(found.updated_at, time::parse("2026-01-02T09:00:00Z"));
        assert_eq!(serde_json::from_str::<Value>(&found.raw).unwrap(), plain());
    }

    #[test]
    fn statuses() {
        for (text, expected) in [
            ("pending", BookingStatus::Pending),
            ("confirmed", BookingStatus::Confirmed),
            ("cancelled", BookingStatus::Cancelled),
            ("declined", BookingStatus::Cancelled),
            ("completed", BookingStatus::Completed),
            ("no_show", BookingStatus::NoShow),
            ("in_progress", BookingStatus::Confirmed),
        ] {
            assert_eq!(status(text), expected, "{text}");
        }
    }

    #[test]
    fn a_cancelled_booking_says_why() {
        let mut item = plain();
        item["status"] = json!("cancelled");
        item["cancellation"] =
            json!({"reason": "ill", "cancelled_by": "client", "at": "2026-01-03T09:00:00Z"});
        assert_eq!(booking(&item).unwrap().cancellation_reason.as_deref(), Some("ill"));
        item["cancellation"]["reason"] = json!("");
        assert_eq!(booking(&item).unwrap().cancellation_reason, None);
    }

    #[test]
    fn references_of_others_are_not_ours() {
        let mut item = plain();
        for other in [json!("b_1"), json!("other:b_1"), Value::Null] {
            item["external_ref"] = other;
            assert_eq!(booking(&item).unwrap().reference, None);
        }
    }

    #[test]
    fn an_erased_client_is_nobody() {
        let mut item = plain();
        item["client"] = json!({"first_name": null, "last_name": null, "email": null, "phone": null});
        assert!(booking(&item).unwrap().attendees.is_empty());
        item["client"] = Value::Null;
        assert!(booking(&item).unwrap().attendees.is_empty());
    }

    #[test]
    fn a_missing_field_is_no_usable_answer() {
        assert_eq!(booking(&json!({"id": "bk_1"})), Err(ProviderError::Unavailable(None)));
    }
}
