//! Messages: `{"id", "type", "created_at", "business_id", "data": {"booking", "previous"}}`, and the subscription to them.

use berth_sdk::{
    Result,
    types::{BookingStatus, ProviderError, Rescheduled, WebhookEvent},
};
use serde::Deserialize;
use serde_json::Value;

use super::booking::booking;

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize)]
struct Webhook {
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    active: bool,
}

/// Does this webhook send every one of these events?
pub(crate) fn is_heard(webhook: &Value, events: &[&str]) -> bool {
    Webhook::deserialize(webhook)
        .is_ok_and(|w| w.active && events.iter().all(|event| w.events.iter().any(|known| known == event)))
}

/// What a message means; none for those that do not matter.
pub(crate) fn message(body: &[u8]) -> Result<Option<WebhookEvent>> {
    let junk = |what: String| ProviderError::invalid("body", what);
    let message: Message = serde_json::from_slice(body).map_err(|e| junk(e.to_string()))?;
    if matches!(message.kind.as_str(), "service.updated" | "availability.changed") {
        return Ok(Some(WebhookEvent::ChangedGoAndSync(None)));
    }
    if !message.kind.starts_with("booking.") {
        return Ok(None);
    }
    let item = message.data.get("booking").unwrap_or(&Value::Null);
    let Ok(booking) = booking(item) else {
        // Not the whole booking: who has its id can ask for it.
        let id = item.get("id").and_then(Value::as_str).ok_or_else(|| junk("has no booking".to_owned()))?;
        return Ok(Some(WebhookEvent::ChangedGoAndSync(Some(id.to_owned()))));
    };
    Ok(Some(match message.kind.as_str() {
        _ if booking.status == BookingStatus::Cancelled => WebhookEvent::Cancelled(booking),
        "booking.created" => WebhookEvent::Created(booking),
        "booking.rescheduled" => {
            WebhookEvent::Rescheduled(Rescheduled { old_id: booking.id.clone(), booking })
        }
        _ => WebhookEvent::Updated(booking),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(kind: &str, changes: &Value) -> Value {
        let mut booking: Value = serde_json::from_str(include_str!("../../fixtures/booking.json")).unwrap();
        for (name, value) in changes.as_object().unwrap() {
            booking[name] = value.clone();
        }
        json!({"id": "evt_01", "type": kind, "created_at": "2026-01-05T10:00:00Z", "business_id": "biz_1",
            "data": {"booking": booking, "previous": {"start": "2026-01-05T08:00:00Z", "end": "2026-01-05T08:45:00Z"}}})
    }

    fn event(message: &Value) -> Option<WebhookEvent> {
        super::message(message.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn bookings() {
        let same = json!({});
        assert!(matches!(event(&with("booking.created", &same)), Some(WebhookEvent::Created(b))
            if b.id == "bk_1" && b.reference.as_deref() == Some("b_1")));
        assert!(matches!(event(&with("booking.rescheduled", &same)), Some(WebhookEvent::Rescheduled(r))
            if r.old_id == "bk_1" && r.booking.id == "bk_1"));
        assert!(
            matches!(event(&with("booking.updated", &json!({"status": "no_show"}))), Some(WebhookEvent::Updated(b))
            if b.status == BookingStatus::NoShow)
        );
        for (kind, status) in [("booking.cancelled", "cancelled"), ("booking.updated", "declined")] {
            let message = with(kind, &json!({"status": status}));
            assert!(matches!(event(&message), Some(WebhookEvent::Cancelled(_))), "{kind} {status}");
        }
    }

    #[test]
    fn what_is_offered_has_changed() {
        for kind in ["service.updated", "availability.changed"] {
            let message = json!({"id": "e", "type": kind, "data": {"service_ids": [], "staff_ids": []}});
            assert_eq!(event(&message), Some(WebhookEvent::ChangedGoAndSync(None)), "{kind}");
        }
    }

    #[test]
    fn what_does_not_matter() {
        for kind in ["webhook.test", "client.updated", "client.erased", "something.new"] {
            assert_eq!(event(&json!({"id": "e", "type": kind, "data": {}})), None, "{kind}");
        }
    }

    #[test]
    fn a_booking_without_its_fields_is_asked_for() {
        let message = json!({"id": "e", "type": "booking.created", "data": {"booking": {"id": "bk_1"}}});
        assert_eq!(event(&message), Some(WebhookEvent::ChangedGoAndSync(Some("bk_1".to_owned()))));
    }

    #[test]
    fn junk_is_invalid() {
        for body in ["", "[]", "{}", r#"{"type":"booking.created","data":{}}"#, r#"{"type":7}"#] {
            assert!(matches!(message(body.as_bytes()), Err(ProviderError::Invalid(_))), "{body}");
        }
    }

    #[test]
    fn a_webhook_is_good_when_it_is_active_and_sends_everything() {
        let webhook = |active: bool, events: &[&str]| json!({"id": "w", "active": active, "events": events});
        assert!(is_heard(&webhook(true, &["a", "b", "c"]), &["a", "b"]));
        assert!(!is_heard(&webhook(true, &["a"]), &["a", "b"]));
        assert!(!is_heard(&webhook(false, &["a", "b"]), &["a", "b"]));
        assert!(!is_heard(&json!({"events": 7}), &[]));
    }
}
