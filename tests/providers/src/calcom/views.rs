//! How things look on the wire.

use serde_json::{Value, json};

use super::{
    config::EventType,
    state::{Booking, State},
};
use crate::times::utc;

pub(super) fn account(state: &State) -> Value {
    json!({
        "id": 7, "username": "eve", "email": "eve@example.com", "name": "Eve", "timeZone": state.config.time_zone.name(),
        "weekStart": "Monday", "timeFormat": 24, "defaultScheduleId": 1, "organizationId": null,
        "avatarUrl": null, "bio": null,
    })
}

pub(super) fn event_type(event_type: &EventType) -> Value {
    json!({
        "id": event_type.id, "ownerId": 7, "lengthInMinutes": event_type.length_minutes, "lengthInMinutesOptions": [],
        "title": event_type.title, "slug": event_type.slug, "description": "", "locations": [], "bookingFields": [],
        "minimumBookingNotice": 0, "beforeEventBuffer": 0, "afterEventBuffer": 0, "slotInterval": null,
        "seatsPerTimeSlot": null, "price": 0, "currency": "eur", "hidden": false, "disableGuests": false, "recurrence": null,
        "metadata": {}, "lockTimeZoneToggleOnBookingPage": false, "forwardParamsSuccessRedirect": null,
        "successRedirectUrl": null, "isInstantEvent": false, "scheduleId": null, "bookingRequiresAuthentication": false,
        "users": [],
        "confirmationPolicy": if event_type.needs_confirmation { json!({ "type": "always" }) } else { json!({ "disabled": true }) },
        "bookingUrl": format!("https://cal.com/eve/{}", event_type.slug),
    })
}

pub(super) fn booking(state: &State, booking: &Booking) -> Value {
    let slug = state.event_type(booking.event_type).map(|e| e.slug).unwrap_or_default();
    let title = state.event_type(booking.event_type).map(|e| e.title).unwrap_or_default();
    let attendee = &booking.attendee;
    let mut view = json!({
        "id": booking.id, "uid": booking.uid,
        "title": format!("{title} between Eve and {}", attendee["name"].as_str().unwrap_or_default()),
        "description": "", "status": booking.status.name(),
        "hosts": [{ "id": 7, "name": "Eve", "email": "eve@example.com", "displayEmail": "eve@example.com",
            "username": "eve", "timeZone": state.config.time_zone.name() }],
        "start": utc(booking.start), "end": utc(booking.end), "duration": (booking.end - booking.start) / 60_000_000,
        "eventTypeId": booking.event_type, "eventType": { "id": booking.event_type, "slug": slug },
        "location": booking.location.clone().unwrap_or_else(|| format!("https://app.cal.com/video/{}", booking.uid)), "absentHost": false,
        "createdAt": utc(booking.created_at), "updatedAt": utc(booking.updated_at),
        "metadata": booking.metadata, "bookingFieldsResponses": booking.responses, "guests": booking.guests,
        "attendees": [{
            "name": attendee["name"], "email": attendee["email"], "displayEmail": attendee["email"],
            "timeZone": attendee["timeZone"], "language": attendee.get("language").cloned().unwrap_or(json!("en")),
            "absent": false,
        }],
    });
    for (name, value) in [
        ("rescheduledFromUid", &booking.rescheduled_from),
        ("rescheduledToUid", &booking.rescheduled_to),
        ("cancellationReason", &booking.cancellation_reason),
    ] {
        if let Some(value) = value {
            view[name] = json!(value);
        }
    }
    if let Some(phone) = attendee.get("phoneNumber") {
        view["attendees"][0]["phoneNumber"] = phone.clone();
    }
    view
}
