//! Appointments as bookings.

use berth_sdk::{
    Result,
    json::read,
    time,
    types::{Attendee, Booking, BookingStatus, Instant, Interval},
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    answer::{member, some_text},
    description::{reason, reference},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Appointment {
    id: String,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start_time: i64,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    end_time: i64,
}

/// One appointment, as it is in `{"event": …}`, or `{"appointment": …}` as some answers have it.
pub(crate) fn event(answer: Value) -> Result<Value> {
    let name = if answer.get("appointment").is_some() { "appointment" } else { "event" };
    member(name, answer)
}

/// A list of appointments, as it is in `{"events": […]}`.
pub(crate) fn events(answer: Value) -> Result<Vec<Value>> {
    read("events", &member("events", answer)?)
}

/// An appointment as a booking. `event` has everything that is known of it, `raw` is HighLevel's own answer.
pub(crate) fn booking(event: &Value, raw: &Value, attendees: Vec<Attendee>) -> Result<Booking> {
    let appointment: Appointment = read("appointment", event)?;
    let text = |name: &str| some_text(event.get(name));
    // One of the answers spells it with a letter less.
    let said = text("appointmentStatus").or_else(|| text("appoinmentStatus")).unwrap_or_default();
    let deleted = event.get("deleted").and_then(Value::as_bool) == Some(true);
    let status = if deleted { BookingStatus::Cancelled } else { status(&said) };
    let why = || reason(event).or_else(|| (said == "invalid").then(|| "Marked as invalid.".to_owned()));
    Ok(Booking {
        id: appointment.id,
        reference: reference(event),
        status,
        when: Interval { start: appointment.start_time, end: appointment.end_time },
        event_type: text("calendarId"),
        title: text("title"),
        attendees,
        location: text("address"),
        cancellation_reason: (status == BookingStatus::Cancelled).then(why).flatten(),
        rescheduled_from: None,
        rescheduled_to: None,
        updated_at: instant(event, "dateUpdated"),
        raw: raw.to_string(),
    })
}

/// The id of the contact whose appointment it is.
pub(crate) fn contact_of(event: &Value) -> Option<&str> {
    event.get("contactId")?.as_str().filter(|id| !id.is_empty())
}

/// When an appointment was made.
pub(crate) fn added_at(event: &Value) -> Option<Instant> {
    instant(event, "dateAdded")
}

fn instant(event: &Value, name: &str) -> Option<Instant> {
    time::parse(event.get(name)?.as_str()?)
}

/// Is the time of an appointment with this status free?
pub(super) fn is_void(event: &Value) -> bool {
    let said = event.get("appointmentStatus").and_then(Value::as_str).unwrap_or_default();
    status(said) == BookingStatus::Cancelled || event.get("deleted").and_then(Value::as_bool) == Some(true)
}

/// HighLevel's words. An unknown one counts as confirmed: the time is taken.
fn status(text: &str) -> BookingStatus {
    match text {
        "new" => BookingStatus::Pending,
        "cancelled" | "invalid" => BookingStatus::Cancelled,
        "showed" | "completed" => BookingStatus::Completed,
        "noshow" => BookingStatus::NoShow,
        _ => BookingStatus::Confirmed,
    }
}

/// What is known, with an answer laid over it: answers to changes leave out much of what was said.
pub(crate) fn overlaid(mut known: Value, answer: &Value) -> Value {
    if let (Some(known), Some(answer)) = (known.as_object_mut(), answer.as_object()) {
        let said = answer.iter().filter(|(_, value)| !value.is_null());
        known.extend(said.map(|(name, value)| (name.clone(), value.clone())));
    }
    known
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain() -> Value {
        event(serde_json::from_str(include_str!("../../fixtures/appointment.json")).unwrap()).unwrap()
    }

    fn with(name: &str, value: Value) -> Booking {
        let mut changed = plain();
        changed[name] = value;
        booking(&changed, &changed, Vec::new()).unwrap()
    }

    #[test]
    fn a_plain_appointment() {
        let b = booking(&plain(), &plain(), Vec::new()).unwrap();
        assert_eq!((b.id.as_str(), b.reference.as_deref()), ("ap_1", Some("r_1")));
        assert_eq!(b.status, BookingStatus::Confirmed);
        assert_eq!(time::format(b.when.start), "2026-01-05T09:00:00Z");
        assert_eq!(time::format(b.when.end), "2026-01-05T09:30:00Z");
        assert_eq!(
            (b.event_type.as_deref(), b.title.as_deref()),
            (Some("cal_1"), Some("Consultation: Ada Nowak"))
        );
        assert_eq!((b.location, b.cancellation_reason), (None, None), "an empty address is none");
        assert_eq!(b.updated_at, time::parse("2026-01-02T09:00:00Z"));
        assert_eq!(added_at(&plain()), time::parse("2026-01-02T09:00:00Z"));
        assert_eq!(serde_json::from_str::<Value>(&b.raw).unwrap(), plain());
    }

    #[test]
    fn statuses() {
        for (text, expected) in [
            ("new", BookingStatus::Pending),
            ("confirmed", BookingStatus::Confirmed),
            ("active", BookingStatus::Confirmed),
            ("cancelled", BookingStatus::Cancelled),
            ("invalid", BookingStatus::Cancelled),
            ("showed", BookingStatus::Completed),
            ("completed", BookingStatus::Completed),
            ("noshow", BookingStatus::NoShow),
            ("something new", BookingStatus::Confirmed),
        ] {
            assert_eq!(with("appointmentStatus", json!(text)).status, expected, "{text}");
        }
        assert_eq!(with("deleted", json!(true)).status, BookingStatus::Cancelled);
        let invalid = with("appointmentStatus", json!("invalid"));
        assert_eq!(invalid.cancellation_reason.as_deref(), Some("Marked as invalid."));
        let mut odd = plain();
        odd["appointmentStatus"] = Value::Null;
        odd["appoinmentStatus"] = json!("new");
        assert_eq!(booking(&odd, &odd, Vec::new()).unwrap().status, BookingStatus::Pending);
        assert!(is_void(&json!({"appointmentStatus": "invalid"})) && !is_void(&json!({})));
    }

    #[test]
    fn an_answer_fills_in_and_what_it_leaves_out_stays() {
        let known = json!({"startTime": "a", "description": "d", "id": "x"});
        let both = overlaid(known.clone(), &json!({"id": "ap_1", "description": null, "title": "t"}));
        assert_eq!(both, json!({"startTime": "a", "description": "d", "id": "ap_1", "title": "t"}));
        assert_eq!(overlaid(known.clone(), &json!([1])), known);
    }

    #[test]
    fn answers_of_other_shapes() {
        assert!(event(json!({"appointment": {"id": "ap_1"}})).is_ok());
        assert!(
            event(json!({})).is_err() && events(json!({"events": {}})).is_err() && events(json!([])).is_err()
        );
        assert!(
            booking(&json!({"id": "ap_1", "startTime": "soon", "endTime": "later"}), &json!({}), Vec::new())
                .is_err()
        );
    }
}
