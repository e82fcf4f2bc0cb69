//! Messages to the app's address, signed as the service signs them, but with made-up keys.

use serde_json::json;

use super::state::{Appointment, State};
use crate::{front::Delivery, times::utc};

/// Queue a message for the app.
pub(super) fn emit(state: &mut State, kind: &str, a: &Appointment) {
    let appointment = json!({
        "id": a.id, "address": a.address, "title": a.title, "calendarId": a.calendar, "contactId": a.contact,
        "groupId": "", "appointmentStatus": a.status.name(), "assignedUserId": "usr_1", "users": ["usr_1"],
        "notes": "", "source": "third_party", "startTime": state.local(a.start), "endTime": state.local(a.end),
        "dateAdded": utc(a.added_at), "dateUpdated": utc(a.updated_at),
    });
    let body = json!({
        "type": kind, "locationId": state.config.location_id, "timestamp": utc(state.now()),
        "webhookId": state.new_id(), "appointment": appointment,
    });
    let body = body.to_string().into_bytes();
    let mut headers = state.keys.headers(state.config.signatures, &body);
    headers.push(("content-type".to_owned(), "application/json".to_owned()));
    let delivery = Delivery { url: state.config.webhook_url.clone(), headers, body };
    for _ in 0..state.common.faults.webhook_copies() {
        state.common.deliveries.push(delivery.clone());
    }
}
