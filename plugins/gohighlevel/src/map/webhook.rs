//! Webhook messages. They say what an appointment looked like when they were written, without our reference and the
//! customer's name, and they may arrive late: so all but the last of an appointment ask for it as it is now.

use berth_sdk::{
    Result,
    types::{Booking, BookingStatus, ProviderError, WebhookEvent},
};
use serde::Deserialize;
use serde_json::Value;

use super::{answer::some_text, booking::booking};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    location_id: Option<String>,
    #[serde(default)]
    appointment: Value,
}

/// What a message means to this sub-account; none for those that do not matter. One key signs for all sub-accounts, so a
/// good signature does not say whose message it is.
pub(crate) fn webhook(body: &[u8], location: &str) -> Result<Option<WebhookEvent>> {
    let message: Message = serde_json::from_slice(body)
        .map_err(|e| ProviderError::invalid("body", format!("is no message: {e}")))?;
    if message.location_id.as_deref() != Some(location) {
        return Ok(None);
    }
    let id = || {
        some_text(message.appointment.get("id"))
            .ok_or_else(|| ProviderError::invalid("body.appointment.id", "is missing"))
    };
    match message.kind.as_str() {
        // The vendor's own sample of an update calls itself a creation.
        "AppointmentCreate" | "AppointmentUpdate" => Ok(Some(WebhookEvent::ChangedGoAndSync(Some(id()?)))),
        // It cannot be asked for any more.
        "AppointmentDelete" => {
            id()?;
            let last = booking(&message.appointment, &message.appointment, Vec::new())
                .map_err(|_| ProviderError::invalid("body.appointment", "is no appointment"))?;
            let deleted = Booking { status: BookingStatus::Cancelled, updated_at: None, ..last };
            Ok(Some(WebhookEvent::Cancelled(deleted)))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(kind: &str) -> Value {
        let mut message: Value =
            serde_json::from_str(include_str!("../../fixtures/webhook-appointment-update.json")).unwrap();
        message["type"] = json!(kind);
        message
    }

    fn event(message: &Value) -> Option<WebhookEvent> {
        webhook(message.to_string().as_bytes(), "loc_1").unwrap()
    }

    #[test]
    fn what_is_there_is_asked_for() {
        for kind in ["AppointmentCreate", "AppointmentUpdate"] {
            assert!(
                matches!(event(&message(kind)), Some(WebhookEvent::ChangedGoAndSync(Some(id))) if id == "ap_1"),
                "{kind}"
            );
        }
    }

    #[test]
    fn what_is_deleted_is_cancelled() {
        let Some(WebhookEvent::Cancelled(booking)) = event(&message("AppointmentDelete")) else {
            panic!("no cancellation")
        };
        assert_eq!((booking.id.as_str(), booking.status), ("ap_1", BookingStatus::Cancelled));
        assert_eq!(booking.updated_at, None, "older than the deletion, which has no time of its own");
    }

    #[test]
    fn messages_that_do_not_matter() {
        for kind in ["ContactUpdate", "INSTALL", "SomethingNew"] {
            assert_eq!(event(&message(kind)), None, "{kind}");
        }
        let mut foreign = message("AppointmentUpdate");
        foreign["locationId"] = json!("loc_2");
        assert_eq!(event(&foreign), None, "another sub-account");
        foreign["locationId"] = Value::Null;
        assert_eq!(event(&foreign), None);
    }

    #[test]
    fn junk_is_invalid() {
        let nameless = json!({"type": "AppointmentUpdate", "locationId": "loc_1"}).to_string();
        let formless =
            json!({"type": "AppointmentDelete", "locationId": "loc_1", "appointment": {"id": "x"}})
                .to_string();
        for body in ["", "[]", "{}", &nameless, &formless] {
            assert!(matches!(webhook(body.as_bytes(), "loc_1"), Err(ProviderError::Invalid(_))), "{body}");
        }
    }
}
