//! How things look on the wire.

use serde_json::{Value, json};

use super::{
    config::Calendar,
    state::{Appointment, Block, Contact, State},
};
use crate::times::utc;

/// The one person at work.
pub(super) const USER: &str = "usr_1";

pub(super) fn location(state: &State) -> Value {
    json!({ "location": {
        "id": state.config.location_id, "companyId": "com_1", "name": "Eve's practice", "email": "eve@example.com",
        "timezone": state.config.hours.time_zone.name(), "country": "PL",
    } })
}

pub(super) fn calendar(state: &State, calendar: &Calendar) -> Value {
    json!({
        "id": calendar.id, "locationId": state.config.location_id, "name": calendar.name, "slug": calendar.slug,
        "widgetSlug": calendar.slug, "description": "", "calendarType": "round_robin", "widgetType": "classic",
        "eventType": "RoundRobin_OptimizeForAvailability", "eventTitle": "{{contact.name}}", "eventColor": "#039be5",
        "teamMembers": [{ "userId": USER, "priority": 0.5, "isPrimary": true }], "isActive": true,
        "slotDuration": calendar.length_minutes, "slotDurationUnit": "mins", "slotInterval": calendar.length_minutes,
        "slotIntervalUnit": "mins", "slotBuffer": 0, "preBuffer": 0, "appoinmentPerSlot": 1,
        "allowBookingAfter": 0, "allowBookingAfterUnit": "hours", "autoConfirm": calendar.auto_confirm,
        "allowReschedule": true, "allowCancellation": true, "enableRecurring": false,
    })
}

/// An appointment where it is asked for.
pub(super) fn event(state: &State, a: &Appointment) -> Value {
    let mut view = json!({
        "id": a.id, "title": a.title, "address": a.address, "calendarId": a.calendar,
        "locationId": state.config.location_id, "contactId": a.contact, "groupId": "",
        "appointmentStatus": a.status.name(), "assignedUserId": a.assigned, "users": [], "isRecurring": false,
        "startTime": state.local(a.start), "endTime": state.local(a.end),
        "dateAdded": utc(a.added_at), "dateUpdated": utc(a.updated_at),
    });
    if let Some(text) = &a.description {
        view["description"] = json!(text);
    }
    view
}

/// An appointment as a change answers it: without its description and the times of its changes.
pub(super) fn appointment(state: &State, a: &Appointment) -> Value {
    json!({
        "id": a.id, "calendarId": a.calendar, "locationId": state.config.location_id, "contactId": a.contact,
        "startTime": state.local(a.start), "endTime": state.local(a.end), "title": a.title,
        "appointmentStatus": a.status.name(), "assignedUserId": a.assigned, "address": a.address, "isRecurring": false,
    })
}

pub(super) fn block(state: &State, block: &Block, calendar: Option<&str>) -> Value {
    json!({
        "id": block.id, "title": block.title,
        "calendarId": block.calendar.as_deref().or(calendar).unwrap_or_default(),
        "locationId": state.config.location_id, "contactId": "", "groupId": "", "appointmentStatus": "confirmed",
        "assignedUserId": USER, "users": [], "startTime": state.local(block.start), "endTime": state.local(block.end),
        "dateAdded": utc(block.start), "dateUpdated": utc(block.start),
    })
}

/// A block where it is made.
pub(super) fn made_block(state: &State, block: &Block) -> Value {
    json!({
        "id": block.id, "locationId": state.config.location_id, "title": block.title, "calendarId": block.calendar,
        "startTime": state.local(block.start), "endTime": state.local(block.end),
    })
}

pub(super) fn contact(state: &State, c: &Contact) -> Value {
    let mut view = json!({
        "id": c.id, "locationId": state.config.location_id, "firstName": c.first_name, "lastName": c.last_name,
        "name": format!("{} {}", c.first_name, c.last_name).trim(), "type": "lead", "dnd": false, "tags": [],
        "dateAdded": utc(c.added_at), "dateUpdated": utc(c.updated_at), "customFields": [],
    });
    for (name, text) in
        [("email", &c.email), ("phone", &c.phone), ("timezone", &c.time_zone), ("source", &c.source)]
    {
        if let Some(text) = text {
            view[name] = json!(text);
        }
    }
    view
}
