//! A booking: an invitee together with the event.

use berth_sdk::{
    Result,
    json::read,
    log,
    types::{Attendee, Booking, BookingStatus, Instant, Interval, ProviderError},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    field::{instant, text},
    tracking::SOURCE,
    uri::{booking_id, last_part},
};

#[derive(Deserialize)]
struct CalendlyEvent {
    name: Option<String>,
    status: String,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start_time: i64,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    end_time: i64,
    event_type: Option<String>,
    location: Option<Value>,
    cancellation: Option<Cancellation>,
}

#[derive(Deserialize)]
struct CalendlyInvitee {
    uri: String,
    name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    text_reminder_number: Option<String>,
    timezone: Option<String>,
    status: String,
    #[serde(default)]
    rescheduled: bool,
    old_invitee: Option<String>,
    new_invitee: Option<String>,
    no_show: Option<Value>,
    cancellation: Option<Cancellation>,
}

#[derive(Deserialize)]
struct Cancellation {
    reason: Option<String>,
}

/// The booking of an invitee in an event. One that is being moved, and does not say yet where to, cannot be shown: as cancelled it
/// would be freed, and it is not.
pub(crate) fn booking(event: &Value, invitee: &Value) -> Result<Booking> {
    let (e, i): (CalendlyEvent, CalendlyInvitee) = (read("event", event)?, read("invitee", invitee)?);
    let id = booking_id(&i.uri).ok_or(ProviderError::Unavailable(None))?;
    if i.rescheduled && i.new_invitee.is_none() {
        log::info("a booking is being moved, and its new place is not known yet");
        return Err(ProviderError::Unavailable(None));
    }
    let cancelled = e.status == "canceled" || i.status == "canceled";
    let noted = i.no_show.as_ref().and_then(|no_show| instant(no_show, "created_at"));
    let reason = i.cancellation.or(e.cancellation).and_then(|c| c.reason).filter(|r| !r.is_empty());
    Ok(Booking {
        id,
        reference: reference(invitee),
        status: match (cancelled, &i.no_show) {
            (true, _) => BookingStatus::Cancelled,
            (false, Some(Value::Object(_))) => BookingStatus::NoShow,
            (false, _) => BookingStatus::Confirmed,
        },
        when: Interval { start: e.start_time, end: e.end_time },
        event_type: e.event_type.as_deref().map(|uri| last_part(uri).to_owned()),
        title: e.name,
        attendees: vec![Attendee {
            name: full_name(i.name, i.first_name, i.last_name),
            email: i.email.filter(|email| !email.is_empty()),
            phone: i.text_reminder_number,
            time_zone: i.timezone.unwrap_or_else(|| "UTC".to_owned()),
            language: None,
        }],
        location: e.location.as_ref().and_then(location),
        cancellation_reason: reason.filter(|_| cancelled),
        rescheduled_from: i.old_invitee.as_deref().and_then(booking_id),
        rescheduled_to: i.new_invitee.as_deref().and_then(booking_id),
        updated_at: [instant(event, "updated_at"), instant(invitee, "updated_at"), noted]
            .into_iter()
            .max()
            .flatten(),
        raw: json!({ "event": event, "invitee": invitee }).to_string(),
    })
}

fn full_name(name: Option<String>, first: Option<String>, last: Option<String>) -> String {
    let parts = || [first, last].into_iter().flatten().collect::<Vec<_>>().join(" ");
    name.filter(|n| !n.is_empty()).unwrap_or_else(parts)
}

/// A video link, an address or a phone number; a conference that is still being made has neither.
fn location(value: &Value) -> Option<String> {
    text(value, "join_url").or_else(|| text(value, "location")).map(str::to_owned)
}

/// Berth's reference, if Berth made the booking or the link that led to it.
pub(crate) fn reference(invitee: &Value) -> Option<String> {
    let tracking = invitee.get("tracking")?;
    let ours = text(tracking, "utm_source") == Some(SOURCE);
    text(tracking, "utm_content").filter(|_| ours).map(str::to_owned)
}

/// When an invitee booked.
pub(crate) fn created_at(invitee: &Value) -> Instant {
    instant(invitee, "created_at").unwrap_or_default()
}

/// The id of an event.
pub(crate) fn event_id(event: &Value) -> Result<&str> {
    text(event, "uri").map(last_part).ok_or(ProviderError::Unavailable(None))
}

/// Has the event more invitees than one?
pub(crate) fn others_take_part(event: &Value) -> bool {
    event.pointer("/invitees_counter/active").and_then(Value::as_u64).is_some_and(|active| active > 1)
}

/// A page for the invitee.
pub(crate) fn page(invitee: &Value, name: &str) -> Option<String> {
    text(invitee, name).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use berth_sdk::time;

    use super::*;

    fn event() -> Value {
        serde_json::from_str(include_str!("../../fixtures/event.json")).unwrap()
    }

    fn invitee() -> Value {
        serde_json::from_str(include_str!("../../fixtures/invitee.json")).unwrap()
    }

    fn with(changes: &Value) -> Value {
        let mut invitee = invitee();
        for (name, value) in changes.as_object().unwrap() {
            invitee[name] = value.clone();
        }
        invitee
    }

    #[test]
    fn a_plain_booking() {
        let b = booking(&event(), &invitee()).unwrap();
        assert_eq!((b.id.as_str(), b.reference.as_deref()), ("E1/I1", Some("r_1")));
        assert_eq!((b.status, b.title.as_deref()), (BookingStatus::Confirmed, Some("Consultation")));
        assert_eq!(time::format(b.when.start), "2026-01-05T09:00:00Z");
        assert_eq!(time::format(b.when.end), "2026-01-05T09:30:00Z");
        assert_eq!((b.event_type.as_deref(), b.location.as_deref()), (Some("ET1"), Some("+48600100200")));
        assert_eq!(b.attendees[0].name, "Ada Nowak");
        assert_eq!(b.attendees[0].phone.as_deref(), Some("+48600100200"));
        assert_eq!(b.updated_at, time::parse("2026-01-02T09:00:00.250Z"), "the later of the two");
        let raw: Value = serde_json::from_str(&b.raw).unwrap();
        assert_eq!((&raw["event"], &raw["invitee"]), (&event(), &invitee()));
    }

    #[test]
    fn both_ends_of_a_move() {
        let uri = |id: &str| format!("https://api.calendly.com/scheduled_events/E{id}/invitees/I{id}");
        let new = booking(&event(), &with(&json!({"old_invitee": uri("0")}))).unwrap();
        assert_eq!((new.rescheduled_from.as_deref(), new.status), (Some("E0/I0"), BookingStatus::Confirmed));
        let old = with(&json!({"status": "canceled", "rescheduled": true, "new_invitee": uri("2")}));
        let old = booking(&event(), &old).unwrap();
        assert_eq!((old.rescheduled_to.as_deref(), old.status), (Some("E2/I2"), BookingStatus::Cancelled));
        let between = with(&json!({"status": "canceled", "rescheduled": true}));
        assert_eq!(booking(&event(), &between), Err(ProviderError::Unavailable(None)));
    }

    #[test]
    fn statuses() {
        let absent = json!({"uri": "https://api.calendly.com/invitee_no_shows/N1", "created_at": "2026-01-05T10:00:00Z"});
        assert_eq!(
            booking(&event(), &with(&json!({"no_show": absent}))).unwrap().status,
            BookingStatus::NoShow
        );
        let left = json!({"status": "canceled", "cancellation": {"canceled_by": "Ada", "reason": "ill", "canceler_type": "invitee"}});
        let left = booking(&event(), &with(&left)).unwrap();
        assert_eq!(
            (left.status, left.cancellation_reason.as_deref()),
            (BookingStatus::Cancelled, Some("ill"))
        );
        let mut over = event();
        over["status"] = json!("canceled");
        over["cancellation"] = json!({"canceled_by": "Eve", "reason": "", "canceler_type": "host"});
        let over = booking(&over, &invitee()).unwrap();
        assert_eq!((over.status, over.cancellation_reason), (BookingStatus::Cancelled, None));
    }

    #[test]
    fn references_of_others_are_not_ours() {
        let foreign = with(&json!({"tracking": {"utm_source": "newsletter", "utm_content": "r_1"}}));
        assert_eq!(reference(&foreign), None);
        assert_eq!(reference(&with(&json!({"tracking": null}))), None);
    }

    #[test]
    fn names_and_places() {
        let parts = with(&json!({"name": "", "first_name": "Ada", "last_name": "Nowak"}));
        assert_eq!(booking(&event(), &parts).unwrap().attendees[0].name, "Ada Nowak");
        for (place, expected) in [
            (
                json!({"type": "zoom_conference", "status": "pushed", "join_url": "https://zoom.example/1"}),
                Some("https://zoom.example/1"),
            ),
            (json!({"type": "zoom_conference", "status": "processing", "join_url": null}), None),
            (json!({"type": "physical", "location": "Long Street 1"}), Some("Long Street 1")),
            (Value::Null, None),
        ] {
            let mut event = event();
            event["location"] = place.clone();
            assert_eq!(booking(&event, &invitee()).unwrap().location.as_deref(), expected, "{place}");
        }
    }

    #[test]
    fn an_event_of_many() {
        let mut many = event();
        many["invitees_counter"] = json!({"total": 3, "active": 2, "limit": 8});
        assert!(others_take_part(&many) && !others_take_part(&event()) && !others_take_part(&json!({})));
    }
}
