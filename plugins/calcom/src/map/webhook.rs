//! Webhook messages. Their payload names things differently from the REST API: `startTime`, `organizer`, upper-case status.

use berth_sdk::{
    Result,
    types::{Attendee, Booking, BookingStatus, Instant, Interval, ProviderError, Rescheduled, WebhookEvent},
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    booking::{location, status},
    reference::REFERENCE,
    time::instant,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    trigger_event: String,
    #[serde(default)]
    created_at: Value,
    #[serde(default)]
    payload: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    uid: String,
    reschedule_uid: Option<String>,
    rescheduled_to_uid: Option<String>,
    title: Option<String>,
    event_type_id: Option<i64>,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start_time: i64,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    end_time: i64,
    status: Option<String>,
    #[serde(default)]
    attendees: Vec<Person>,
    location: Option<Value>,
    metadata: Option<Value>,
    cancellation_reason: Option<String>,
    rejection_reason: Option<String>,
    seats_per_time_slot: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    name: Option<String>,
    email: Option<String>,
    phone_number: Option<String>,
    time_zone: Option<String>,
}

/// What a message means; none for those that do not matter (the dashboard's `PING`, recordings, forms …).
pub(crate) fn webhook(body: &[u8]) -> Result<Option<WebhookEvent>> {
    let message: Message = serde_json::from_slice(body)
        .map_err(|e| ProviderError::invalid("body", format!("is no message: {e}")))?;
    let named = |name: &str| message.payload.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    match message.trigger_event.as_str() {
        "BOOKING_CREATED"
        | "BOOKING_REQUESTED"
        | "BOOKING_RESCHEDULED"
        | "BOOKING_CANCELLED"
        | "BOOKING_REJECTED"
        | "BOOKING_PAID" => of_booking(&message).map(Some),
        // These do not carry the booking.
        "BOOKING_NO_SHOW_UPDATED" => Ok(Some(WebhookEvent::ChangedGoAndSync(named("bookingUid")))),
        "BOOKING_PAYMENT_INITIATED" => Ok(Some(WebhookEvent::ChangedGoAndSync(named("uid")))),
        _ => Ok(None),
    }
}

fn of_booking(message: &Message) -> Result<WebhookEvent> {
    let payload = Payload::deserialize(&message.payload)
        .map_err(|e| ProviderError::invalid("body.payload", format!("is no booking: {e}")))?;
    if payload.seats_per_time_slot.is_some_and(|seats| seats > 0) {
        // The message does not say which seat it is about.
        return Ok(WebhookEvent::ChangedGoAndSync(None));
    }
    let trigger = message.trigger_event.as_str();
    let old_id = payload.reschedule_uid.clone();
    let booking = booking(payload, trigger, instant(Some(&message.created_at)), &message.payload);
    Ok(match (trigger, old_id) {
        // It may be half of a move, of which the message says nothing: the booking does.
        ("BOOKING_CANCELLED", _) => WebhookEvent::ChangedGoAndSync(Some(booking.id)),
        ("BOOKING_REJECTED", _) => WebhookEvent::Cancelled(booking),
        ("BOOKING_PAID", _) | ("BOOKING_RESCHEDULED", None) => WebhookEvent::Updated(booking),
        // Where a booking needs confirmation, a move arrives as a request that names the old booking.
        ("BOOKING_RESCHEDULED" | "BOOKING_REQUESTED" | "BOOKING_CREATED", Some(old_id)) => {
            WebhookEvent::Rescheduled(Rescheduled { old_id, booking })
        }
        _ => WebhookEvent::Created(booking),
    })
}

fn booking(payload: Payload, trigger: &str, created_at: Option<Instant>, raw: &Value) -> Booking {
    let rejected = trigger == "BOOKING_REJECTED";
    let told = payload.status.as_deref().map(|text| status(text, false));
    let usual =
        if trigger == "BOOKING_REQUESTED" { BookingStatus::Pending } else { BookingStatus::Confirmed };
    let reason = payload.rejection_reason.or(payload.cancellation_reason).filter(|r| !r.is_empty());
    let text = |name: &str| payload.metadata.as_ref()?.get(name)?.as_str().map(ToOwned::to_owned);
    Booking {
        reference: text(REFERENCE),
        status: if rejected { BookingStatus::Cancelled } else { told.unwrap_or(usual) },
        when: Interval { start: payload.start_time, end: payload.end_time },
        event_type: payload.event_type_id.map(|id| id.to_string()),
        title: payload.title,
        location: text("videoCallUrl").or_else(|| location(payload.location.as_ref())),
        cancellation_reason: if rejected { reason } else { None },
        rescheduled_from: if rejected { None } else { payload.reschedule_uid },
        rescheduled_to: payload.rescheduled_to_uid,
        updated_at: created_at,
        raw: raw.to_string(),
        id: payload.uid,
        attendees: payload.attendees.into_iter().map(attendee).collect(),
    }
}

fn attendee(person: Person) -> Attendee {
    Attendee {
        name: person.name.unwrap_or_default(),
        email: person.email.filter(|e| !e.is_empty()),
        phone: person.phone_number,
        time_zone: person.time_zone.unwrap_or_else(|| "UTC".to_owned()),
        language: None,
    }
}

#[cfg(test)]
mod tests {
    use berth_sdk::time;
    use serde_json::json;

    use super::*;

    fn moved() -> Value {
        serde_json::from_str(include_str!("../../fixtures/webhook-rescheduled.json")).unwrap()
    }

    fn event(message: &Value) -> Option<WebhookEvent> {
        webhook(message.to_string().as_bytes()).unwrap()
    }

    fn with(trigger: &str, changes: &Value) -> Value {
        let mut message = moved();
        message["triggerEvent"] = json!(trigger);
        for (name, value) in changes.as_object().unwrap() {
            message["payload"][name] = value.clone();
        }
        message
    }

    #[test]
    fn a_move() {
        let Some(WebhookEvent::Rescheduled(r)) = event(&moved()) else { panic!("no move") };
        assert_eq!((r.old_id.as_str(), r.booking.id.as_str()), ("bk_uid_1", "bk_uid_2"));
        assert_eq!(r.booking.rescheduled_from.as_deref(), Some("bk_uid_1"));
        assert_eq!(r.booking.status, BookingStatus::Confirmed);
        assert_eq!(r.booking.when.start, time::parse("2026-01-06T10:00:00Z").unwrap());
        assert_eq!(r.booking.location.as_deref(), Some("https://video.example/room"));
        assert_eq!(r.booking.updated_at, time::parse("2026-01-03T08:00:00Z"));
    }

    #[test]
    fn a_move_that_must_be_confirmed_arrives_as_a_request() {
        let asked = with("BOOKING_REQUESTED", &json!({"status": "PENDING"}));
        assert!(matches!(event(&asked), Some(WebhookEvent::Rescheduled(r))
            if r.old_id == "bk_uid_1" && r.booking.status == BookingStatus::Pending));
    }

    #[test]
    fn new_ones() {
        let new = json!({"rescheduleUid": null, "uid": "bk_new", "metadata": {"berth_reference": "r_9"}});
        assert!(matches!(event(&with("BOOKING_CREATED", &new)), Some(WebhookEvent::Created(b))
            if b.reference.as_deref() == Some("r_9") && b.status == BookingStatus::Confirmed && b.location.is_none()));
        let mut asked = new.clone();
        asked["status"] = Value::Null;
        assert!(matches!(event(&with("BOOKING_REQUESTED", &asked)), Some(WebhookEvent::Created(b))
            if b.status == BookingStatus::Pending));
        assert!(matches!(event(&with("BOOKING_PAID", &new)), Some(WebhookEvent::Updated(_))));
    }

    #[test]
    fn cancelled_and_rejected() {
        let changes = json!({"status": "CANCELLED", "cancellationReason": "ill"});
        let uid = |changes: &Value| match event(&with("BOOKING_CANCELLED", changes)) {
            Some(WebhookEvent::ChangedGoAndSync(uid)) => uid,
            other => panic!("{other:?}"),
        };
        assert_eq!(uid(&changes).as_deref(), Some("bk_uid_2"), "it may be half of a move");
        assert_eq!(uid(&json!({"seatsPerTimeSlot": 5})), None, "nobody says which seat");
        let changes = json!({"status": "REJECTED", "rejectionReason": "full"});
        assert!(matches!(event(&with("BOOKING_REJECTED", &changes)), Some(WebhookEvent::Cancelled(b))
            if b.status == BookingStatus::Cancelled && b.cancellation_reason.as_deref() == Some("full")
                && b.rescheduled_from.is_none()));
    }

    #[test]
    fn messages_without_a_booking() {
        let absent = json!({"triggerEvent": "BOOKING_NO_SHOW_UPDATED", "createdAt": "2026-01-05T10:00:00.000Z",
            "payload": {"message": "x", "bookingUid": "bk_1", "attendees": [{"email": "a@x", "noShow": true}]}});
        assert!(matches!(event(&absent), Some(WebhookEvent::ChangedGoAndSync(Some(id))) if id == "bk_1"));
        let seats = with("BOOKING_CREATED", &json!({"seatsPerTimeSlot": 5}));
        assert!(matches!(event(&seats), Some(WebhookEvent::ChangedGoAndSync(None))));
        for trigger in ["PING", "MEETING_ENDED", "FORM_SUBMITTED", "SOMETHING_NEW"] {
            assert_eq!(event(&json!({"triggerEvent": trigger})), None, "{trigger}");
        }
    }

    #[test]
    fn junk_is_invalid() {
        for body in ["", "[]", "{}", r#"{"triggerEvent":"BOOKING_CREATED","payload":{"uid":"x"}}"#] {
            assert!(matches!(webhook(body.as_bytes()), Err(ProviderError::Invalid(_))), "{body}");
        }
    }
}
