//! Webhook messages: an envelope around an invitee, with its event inside.

use berth_sdk::{
    Result,
    types::{ProviderError, Rescheduled, WebhookEvent},
};
use serde::Deserialize;
use serde_json::Value;

use super::{booking::booking, field::text, uri::booking_id};

#[derive(Deserialize)]
struct Message {
    event: String,
    #[serde(default)]
    payload: Value,
}

/// What a message means; none for those that do not matter.
///
/// A move arrives as two messages in either order: the new invitee is created, the old one cancelled. The first is the move. The
/// second is no cancellation: it only sends Berth to look where the new one is, in case the first is lost.
pub(crate) fn webhook(body: &[u8]) -> Result<Option<WebhookEvent>> {
    let message: Message = serde_json::from_slice(body)
        .map_err(|e| ProviderError::invalid("body", format!("is no message: {e}")))?;
    let payload = &message.payload;
    match message.event.as_str() {
        "invitee.created" | "invitee.canceled" | "invitee_no_show.created" | "invitee_no_show.deleted" => {}
        _ => return Ok(None),
    }
    // A message about a no-show may hold the invitee, or only name it.
    let id = [text(payload, "uri"), text(payload, "invitee")].into_iter().flatten().find_map(booking_id);
    let id = id.ok_or_else(|| ProviderError::invalid("body.payload.uri", "names no invitee"))?;
    if is_half_of_a_move(payload) {
        let new = text(payload, "new_invitee").and_then(booking_id);
        return Ok(new.map(|new| WebhookEvent::ChangedGoAndSync(Some(new))));
    }
    // Older messages do not hold the event.
    let Some(event) = payload.get("scheduled_event").filter(|event| event.is_object()) else {
        return Ok(Some(WebhookEvent::ChangedGoAndSync(Some(id))));
    };
    let booking = booking(event, payload)
        .map_err(|_| ProviderError::invalid("body.payload", "is no invitee with its event"))?;
    Ok(Some(match (message.event.as_str(), booking.rescheduled_from.clone()) {
        ("invitee.created", Some(old_id)) => WebhookEvent::Rescheduled(Rescheduled { old_id, booking }),
        ("invitee.created", None) => WebhookEvent::Created(booking),
        ("invitee.canceled", _) => WebhookEvent::Cancelled(booking),
        _ => WebhookEvent::Updated(booking),
    }))
}

fn is_half_of_a_move(payload: &Value) -> bool {
    payload.get("rescheduled").and_then(Value::as_bool).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use berth_sdk::{time, types::BookingStatus};
    use serde_json::json;

    use super::*;

    fn message(name: &str, changes: &Value) -> Value {
        let mut payload: Value = serde_json::from_str(include_str!("../../fixtures/invitee.json")).unwrap();
        payload["scheduled_event"] = serde_json::from_str(include_str!("../../fixtures/event.json")).unwrap();
        for (name, value) in changes.as_object().unwrap() {
            payload[name] = value.clone();
        }
        json!({"event": name, "created_at": "2026-01-03T08:00:00.000000Z",
            "created_by": "https://api.calendly.com/users/U1", "payload": payload})
    }

    fn event(name: &str, changes: &Value) -> Option<WebhookEvent> {
        webhook(message(name, changes).to_string().as_bytes()).unwrap()
    }

    fn uri(id: &str) -> String {
        format!("https://api.calendly.com/scheduled_events/E{id}/invitees/I{id}")
    }

    #[test]
    fn a_new_booking() {
        let Some(WebhookEvent::Created(b)) = event("invitee.created", &json!({})) else {
            panic!("no booking")
        };
        assert_eq!((b.id.as_str(), b.reference.as_deref()), ("E1/I1", Some("r_1")));
        assert_eq!(b.when.start, time::parse("2026-01-05T09:00:00Z").unwrap());
        assert_eq!(b.updated_at, time::parse("2026-01-02T09:00:00.250Z"));
    }

    #[test]
    fn the_two_halves_of_a_move_are_one_move_and_no_cancellation() {
        let Some(WebhookEvent::Rescheduled(r)) = event("invitee.created", &json!({"old_invitee": uri("0")}))
        else {
            panic!("no move")
        };
        assert_eq!((r.old_id.as_str(), r.booking.id.as_str()), ("E0/I0", "E1/I1"));
        assert_eq!(r.booking.status, BookingStatus::Confirmed);
        let half = json!({"status": "canceled", "rescheduled": true, "new_invitee": uri("2")});
        assert_eq!(
            event("invitee.canceled", &half),
            Some(WebhookEvent::ChangedGoAndSync(Some("E2/I2".to_owned())))
        );
        let unknown = json!({"status": "canceled", "rescheduled": true, "new_invitee": null});
        assert_eq!(event("invitee.canceled", &unknown), None);
    }

    #[test]
    fn a_cancellation() {
        let changes = json!({"status": "canceled", "rescheduled": false,
            "cancellation": {"canceled_by": "Ada Nowak", "reason": "ill", "canceler_type": "invitee"}});
        assert!(matches!(event("invitee.canceled", &changes), Some(WebhookEvent::Cancelled(b))
            if b.status == BookingStatus::Cancelled && b.cancellation_reason.as_deref() == Some("ill")));
    }

    #[test]
    fn no_shows() {
        let absent = json!({"no_show": {"uri": "https://api.calendly.com/invitee_no_shows/N1", "created_at": "2026-01-05T10:00:00Z"}});
        assert!(matches!(event("invitee_no_show.created", &absent), Some(WebhookEvent::Updated(b))
            if b.status == BookingStatus::NoShow));
        assert!(matches!(event("invitee_no_show.deleted", &json!({})), Some(WebhookEvent::Updated(b))
            if b.status == BookingStatus::Confirmed));
        let bare = json!({"event": "invitee_no_show.created", "payload": {
            "uri": "https://api.calendly.com/invitee_no_shows/N1", "invitee": uri("7")}});
        assert_eq!(
            webhook(bare.to_string().as_bytes()),
            Ok(Some(WebhookEvent::ChangedGoAndSync(Some("E7/I7".to_owned()))))
        );
    }

    #[test]
    fn a_message_without_its_event_sends_berth_to_look() {
        for name in ["invitee.created", "invitee.canceled"] {
            let bare = json!({"scheduled_event": null});
            assert_eq!(event(name, &bare), Some(WebhookEvent::ChangedGoAndSync(Some("E1/I1".to_owned()))));
        }
    }

    #[test]
    fn other_messages_do_not_matter() {
        for name in ["event_type.updated", "routing_form_submission.created", "contact.created", "new"] {
            assert_eq!(
                webhook(json!({"event": name, "payload": 7}).to_string().as_bytes()),
                Ok(None),
                "{name}"
            );
        }
    }

    #[test]
    fn junk_is_invalid() {
        let wrong = json!({"event": "invitee.created", "payload": {"uri": uri("1"), "scheduled_event": {}}});
        for body in ["", "[]", "{}", r#"{"event":"invitee.created","payload":{}}"#, &wrong.to_string()] {
            assert!(matches!(webhook(body.as_bytes()), Err(ProviderError::Invalid(_))), "{body}");
        }
    }
}
