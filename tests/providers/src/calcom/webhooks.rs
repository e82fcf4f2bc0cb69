//! Messages to subscribers, signed as the service signs them.

use ring::hmac;
use serde_json::{Value, json};

use super::state::{Booking, State, Status};
use crate::{front::Delivery, times::utc};

fn payload(state: &State, booking: &Booking) -> Value {
    let attendee = &booking.attendee;
    let status = match booking.status {
        Status::Accepted => "ACCEPTED",
        Status::Pending => "PENDING",
        Status::Cancelled => "CANCELLED",
        Status::Rejected => "REJECTED",
    };
    let slug = state.event_type(booking.event_type).map(|e| e.slug).unwrap_or_default();
    json!({
        "bookingId": booking.id, "uid": booking.uid, "type": slug, "eventTypeId": booking.event_type,
        "title": format!("Meeting between Eve and {}", attendee["name"].as_str().unwrap_or_default()),
        "startTime": utc(booking.start), "endTime": utc(booking.end), "status": status,
        "length": (booking.end - booking.start) / 60_000_000,
        "organizer": { "id": 7, "name": "Eve", "email": "eve@example.com", "username": "eve",
            "timeZone": state.config.time_zone.name(), "utcOffset": 60 },
        "attendees": [{ "name": attendee["name"], "email": attendee["email"], "timeZone": attendee["timeZone"], "utcOffset": 60 }],
        "responses": { "name": { "label": "your_name", "value": attendee["name"] } },
        "location": "integrations:daily", "metadata": booking.metadata,
    })
}

/// Queue a message for every subscriber of this trigger.
pub(super) fn emit(state: &mut State, trigger: &str, booking: &Booking, extra: Value) {
    let mut payload = payload(state, booking);
    if let (Some(payload), Some(extra)) = (payload.as_object_mut(), extra.as_object()) {
        payload.extend(extra.clone());
    }
    let body = json!({ "triggerEvent": trigger, "createdAt": utc(state.now()), "payload": payload });
    let body = serde_json::to_vec(&body).unwrap_or_default();
    for webhook in state.webhooks.clone().into_iter().filter(|w| w.triggers.iter().any(|t| t == trigger)) {
        let signature = match &webhook.secret {
            Some(secret) => {
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), &body);
                tag.as_ref().iter().map(|b| format!("{b:02x}")).collect()
            }
            None => "no-secret-provided".to_owned(),
        };
        let delivery = Delivery {
            url: webhook.url,
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("x-cal-signature-256".to_owned(), signature),
                ("x-cal-webhook-version".to_owned(), "2021-10-20".to_owned()),
            ],
            body: body.clone(),
        };
        for _ in 0..state.common.faults.webhook_copies() {
            state.common.deliveries.push(delivery.clone());
        }
    }
}
