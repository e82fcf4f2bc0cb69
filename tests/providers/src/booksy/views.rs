//! How things look on the wire.

use serde_json::{Value, json};

use super::{
    config::{Service, Staff},
    state::{Block, Booking, Client, State},
};
use crate::times::utc;

/// Nothing about a service ever changes here.
const SERVICES_SINCE: &str = "2026-01-01T00:00:00Z";

pub(super) fn business(state: &State) -> Value {
    json!({
        "id": state.config.business_id, "name": "Salon Ada", "timezone": state.config.hours.time_zone.name(),
        "currency": "PLN", "status": "active",
    })
}

pub(super) fn service(service: &Service) -> Value {
    json!({
        "id": service.id, "name": service.name, "description": "", "category": "Hair",
        "duration_minutes": service.duration_minutes, "buffer_before_minutes": service.buffer_before_minutes,
        "buffer_after_minutes": service.buffer_after_minutes, "price": price(service), "price_type": "fixed",
        "capacity": service.capacity, "active": service.active, "staff_ids": service.staff,
        "updated_at": SERVICES_SINCE,
    })
}

fn price(service: &Service) -> Value {
    json!({ "amount": service.price, "currency": "PLN" })
}

pub(super) fn staff(state: &State, staff: &Staff) -> Value {
    let does = |s: &&Service| s.staff.contains(&staff.id);
    let services: Vec<&str> = state.config.services.iter().filter(does).map(|s| s.id.as_str()).collect();
    json!({ "id": staff.id, "name": staff.name, "active": staff.active, "service_ids": services })
}

/// Without consent nobody learns how to reach the client.
pub(super) fn client(client: &Client) -> Value {
    let mut view = person(client);
    view["id"] = json!(client.id);
    view["consent"] = json!({
        "data_sync": true, "contact_info": client.contact_info, "appointment_history": false,
        "service_preferences": true, "marketing": false,
    });
    for (name, value) in [("locale", &client.locale), ("external_ref", &client.external_ref)] {
        if let Some(value) = value {
            view[name] = json!(value);
        }
    }
    view["created_at"] = json!(utc(client.created_at));
    view["updated_at"] = json!(utc(client.updated_at));
    view
}

fn person(client: &Client) -> Value {
    let shown = |value: &Option<String>| value.clone().filter(|_| client.contact_info);
    json!({
        "first_name": client.first_name, "last_name": client.last_name, "email": shown(&client.email),
        "phone": shown(&client.phone),
    })
}

pub(super) fn booking(state: &State, booking: &Booking) -> Value {
    let client = state.clients.iter().find(|c| c.id == booking.client);
    json!({
        "id": booking.id, "business_id": state.config.business_id, "service_id": booking.service,
        "staff_id": booking.staff, "client_id": booking.client, "client": client.map(person),
        "start": utc(booking.start), "end": utc(booking.end),
        "timezone": state.config.hours.time_zone.name(), "status": booking.status.as_str(),
        "price": state.service(&booking.service).as_ref().map(price), "notes": booking.notes,
        "source": booking.source, "external_ref": booking.external_ref,
        "cancellation": booking.cancellation.as_ref().map(|c| {
            json!({ "reason": c.reason, "cancelled_by": c.by, "at": utc(c.at) })
        }),
        "version": booking.version, "created_at": utc(booking.created_at), "updated_at": utc(booking.updated_at),
    })
}

pub(super) fn block(block: &Block) -> Value {
    let mut view = block.body.clone();
    view["id"] = json!(block.id);
    view["start"] = json!(utc(block.start));
    view["end"] = json!(utc(block.end));
    view
}
