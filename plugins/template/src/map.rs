//! From Acme's JSON to the contract's types and back. Pure: no request, no clock.

use berth_sdk::{
    Result,
    json::{read, set},
    time,
    types::{
        Account, Attendee, Booking, BookingStatus, ChangePage, CreateRequest, EventType, EventTypePage,
        Interval, Part, ProviderError, Rescheduled, Slot, Subscription, UpdateRequest, WebhookEvent,
        WebhookOutcome,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct AcmeAccount {
    id: String,
    name: String,
    email: Option<String>,
    time_zone: Option<String>,
}

#[derive(Deserialize)]
struct Services {
    items: Vec<Value>,
    next_page: Option<String>,
}

#[derive(Deserialize)]
struct Service {
    id: String,
    title: String,
    minutes: u32,
    active: bool,
}

#[derive(Deserialize)]
struct Openings {
    openings: Vec<Opening>,
}

#[derive(Deserialize)]
struct Opening {
    #[serde(deserialize_with = "time::rfc3339")]
    start: i64,
    #[serde(deserialize_with = "time::rfc3339")]
    end: i64,
}

#[derive(Deserialize)]
struct Appointments {
    items: Vec<Value>,
    #[serde(default)]
    cursor: String,
    #[serde(default)]
    more: bool,
}

#[derive(Deserialize)]
struct Appointment {
    id: String,
    reference: Option<String>,
    status: String,
    service_id: String,
    #[serde(deserialize_with = "time::rfc3339")]
    start: i64,
    #[serde(deserialize_with = "time::rfc3339")]
    end: i64,
    customer: Attendee,
    reason: Option<String>,
    #[serde(default, deserialize_with = "time::rfc3339_option")]
    updated_at: Option<i64>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    appointment: Option<Value>,
}

pub(crate) fn account(answer: &Value) -> Result<Account> {
    let a: AcmeAccount = read("answer", answer)?;
    Ok(Account { id: a.id, name: a.name, email: a.email, time_zone: a.time_zone, raw: answer.to_string() })
}

pub(crate) fn services(answer: &Value) -> Result<EventTypePage> {
    let services: Services = read("answer", answer)?;
    let items = services.items.iter().map(service).collect::<Result<_>>()?;
    Ok(EventTypePage { items, next: services.next_page })
}

fn service(item: &Value) -> Result<EventType> {
    let s: Service = read("answer", item)?;
    Ok(EventType {
        booking_url: Some(format!("https://acme.example/book/{}", s.id)),
        id: s.id,
        title: s.title,
        description: None,
        length_minutes: s.minutes,
        length_options_minutes: Vec::new(),
        buffer_before_minutes: 0,
        buffer_after_minutes: 0,
        minimum_notice_minutes: 0,
        seats: 1,
        price: None,
        needs_confirmation: false,
        active: s.active,
        raw: item.to_string(),
    })
}

pub(crate) fn openings(answer: &Value) -> Result<Vec<Slot>> {
    let mut openings: Openings = read("answer", answer)?;
    openings.openings.sort_by_key(|o| o.start);
    let slots = openings.openings.iter().map(|o| Slot {
        when: Interval { start: o.start, end: o.end },
        token: None,
        seats_left: None,
    });
    Ok(slots.collect())
}

pub(crate) fn new_appointment(request: &CreateRequest) -> Value {
    json!({
        "service_id": request.event_type,
        "start": time::format(request.when.start),
        "end": time::format(request.when.end),
        "reference": request.reference,
        "customer": request.attendee,
        "notes": request.notes,
    })
}

/// The members that changed; none where one of them has no place at Acme.
pub(crate) fn changed(request: &UpdateRequest) -> Option<Value> {
    let mut members = json!({});
    for part in &request.changed {
        match part {
            Part::Attendee => set(&mut members, "customer", json!(request.attendee)),
            Part::Notes => set(&mut members, "notes", json!(request.notes)),
            Part::Guests | Part::Answers | Part::Location => return None,
        }
    }
    Some(members)
}

pub(crate) fn appointments(answer: &Value) -> Result<ChangePage> {
    let page: Appointments = read("answer", answer)?;
    let items = page.items.iter().map(appointment).collect::<Result<_>>()?;
    Ok(ChangePage { items, cursor: page.cursor, more: page.more })
}

pub(crate) fn appointment(item: &Value) -> Result<Booking> {
    let a: Appointment = read("answer", item)?;
    Ok(Booking {
        id: a.id,
        reference: a.reference,
        status: match a.status.as_str() {
            "requested" => BookingStatus::Pending,
            "cancelled" => BookingStatus::Cancelled,
            "done" => BookingStatus::Completed,
            "missed" => BookingStatus::NoShow,
            // A status that is new to us: the time is taken.
            _ => BookingStatus::Confirmed,
        },
        when: Interval { start: a.start, end: a.end },
        event_type: Some(a.service_id),
        title: None,
        attendees: vec![a.customer],
        location: None,
        cancellation_reason: a.reason,
        rescheduled_from: None,
        rescheduled_to: None,
        updated_at: a.updated_at,
        raw: item.to_string(),
    })
}

pub(crate) fn webhook(answer: &Value) -> Result<Subscription> {
    let id = answer.get("id").and_then(Value::as_str).ok_or(ProviderError::Unavailable(None))?;
    Ok(Subscription { id: id.to_owned(), expires_at: None, data: None })
}

/// `{"type": "appointment.moved", "sent_at": "…", "appointment": {…}}`. Types that do not matter are no events.
pub(crate) fn message(body: &[u8]) -> Result<WebhookOutcome> {
    let junk = |what: String| ProviderError::invalid("body", what);
    let message: Message = serde_json::from_slice(body).map_err(|e| junk(e.to_string()))?;
    let booking = || {
        let item = message.appointment.as_ref().ok_or_else(|| junk("has no appointment".to_owned()))?;
        appointment(item)
    };
    let event = match message.kind.as_str() {
        "appointment.created" => WebhookEvent::Created(booking()?),
        "appointment.cancelled" => WebhookEvent::Cancelled(booking()?),
        "appointment.moved" => {
            let booking = booking()?;
            WebhookEvent::Rescheduled(Rescheduled { old_id: booking.id.clone(), booking })
        }
        _ => return Ok(WebhookOutcome { events: Vec::new(), reply: None }),
    };
    Ok(WebhookOutcome { events: vec![event], reply: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Value {
        json!({"id": "a1", "reference": "r1", "status": "booked", "service_id": "s1", "unknown": [1],
            "start": "2026-01-05T10:00:00+01:00", "end": "2026-01-05T10:30:00+01:00",
            "customer": {"name": "Ada Nowak", "email": "ada@example.com", "time_zone": "Europe/Warsaw"}})
    }

    #[test]
    fn an_appointment() {
        let booking = appointment(&item()).unwrap();
        assert_eq!((booking.id.as_str(), booking.status), ("a1", BookingStatus::Confirmed));
        assert_eq!(time::format(booking.when.start), "2026-01-05T09:00:00Z");
        assert_eq!(booking.attendees[0].email.as_deref(), Some("ada@example.com"));
        assert_eq!(serde_json::from_str::<Value>(&booking.raw).unwrap(), item());
    }

    #[test]
    fn a_missing_field_is_no_usable_answer() {
        let mut broken = item();
        broken.as_object_mut().unwrap().remove("start");
        assert_eq!(appointment(&broken), Err(ProviderError::Unavailable(None)));
    }

    #[test]
    fn messages() {
        let handle =
            |kind: &str| message(json!({"type": kind, "appointment": item()}).to_string().as_bytes());
        assert!(matches!(handle("appointment.created").unwrap().events[..], [WebhookEvent::Created(_)]));
        assert!(matches!(&handle("appointment.moved").unwrap().events[..],
            [WebhookEvent::Rescheduled(r)] if r.old_id == "a1"));
        assert!(handle("ping").unwrap().events.is_empty());
        assert!(matches!(message(b"junk"), Err(ProviderError::Invalid(_))));
    }
}
