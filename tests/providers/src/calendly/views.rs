//! How things look on the wire.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{
    config::EventType,
    state::{Invitee, Meeting, State, Subscription},
};

const ROOT: &str = "https://api.calendly.com";
/// When the account and its event types were made.
const LONG_AGO: &str = "2020-01-02T03:04:05.678123Z";

/// `2026-01-05T09:00:00.000000Z`.
pub(super) fn utc(micros: i64) -> String {
    let time: DateTime<Utc> = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub(super) fn user_uri() -> String {
    format!("{ROOT}/users/EVE0000000000001")
}

pub(super) fn organization_uri() -> String {
    format!("{ROOT}/organizations/STUDIO0000000001")
}

pub(super) fn event_type_uri(id: &str) -> String {
    format!("{ROOT}/event_types/{id}")
}

pub(super) fn event_uri(id: &str) -> String {
    format!("{ROOT}/scheduled_events/{id}")
}

/// From `event/invitee`.
pub(super) fn invitee_uri(id: &str) -> String {
    let (event, invitee) = id.split_once('/').unwrap_or((id, ""));
    format!("{ROOT}/scheduled_events/{event}/invitees/{invitee}")
}

pub(super) fn no_show_uri(id: &str) -> String {
    format!("{ROOT}/invitee_no_shows/{id}")
}

pub(super) fn user(state: &State) -> Value {
    json!({
        "uri": user_uri(), "name": "Eve", "slug": "eve", "email": "eve@example.com",
        "scheduling_url": "https://calendly.com/eve", "timezone": state.config.hours.time_zone.name(), "avatar_url": null,
        "created_at": LONG_AGO, "updated_at": LONG_AGO, "current_organization": organization_uri(),
    })
}

pub(super) fn event_type(e: &EventType) -> Value {
    let (kind, shown) = if e.seats > 1 { ("group", "Group") } else { ("solo", "One-on-One") };
    json!({
        "uri": event_type_uri(&e.id), "name": e.name, "active": true, "booking_method": "instant", "slug": e.slug,
        "scheduling_url": format!("https://calendly.com/eve/{}", e.slug), "duration": e.length_minutes, "kind": kind,
        "pooling_type": null, "type": "StandardEventType", "kind_description": shown, "color": "#fff200",
        "created_at": LONG_AGO, "updated_at": LONG_AGO, "internal_note": null, "description_plain": null,
        "description_html": null, "profile": { "type": "User", "name": "Eve", "owner": user_uri() }, "secret": false,
        "deleted_at": null, "admin_managed": false, "custom_questions": e.questions, "locations": e.locations,
    })
}

pub(super) fn event(state: &State, m: &Meeting) -> Value {
    let event_type = state.event_type(&m.event_type);
    let mut view = json!({
        "uri": event_uri(&m.id), "name": event_type.as_ref().map(|e| &e.name),
        "status": if m.active() { "active" } else { "canceled" },
        "start_time": utc(m.start), "end_time": utc(m.end), "event_type": event_type_uri(&m.event_type),
        "location": m.location,
        "invitees_counter": { "total": m.invitees.len(), "active": m.active_invitees(),
            "limit": event_type.as_ref().map_or(1, |e| e.seats) },
        "created_at": utc(m.created_at), "updated_at": utc(m.updated_at),
        "event_memberships": [{ "user": user_uri() }], "event_guests": m.guests, "calendar_event": null,
    });
    if let Some(cancellation) = &m.cancellation {
        view["cancellation"] = cancellation.clone();
    }
    view
}

pub(super) fn invitee(i: &Invitee) -> Value {
    let mut view = json!({
        "uri": invitee_uri(&i.id()), "email": i.email, "first_name": null, "last_name": null, "name": i.name,
        "status": if i.active() { "active" } else { "canceled" }, "questions_and_answers": i.answers,
        "timezone": i.time_zone, "event": event_uri(&i.event), "created_at": utc(i.created_at),
        "updated_at": utc(i.updated_at), "tracking": i.tracking, "text_reminder_number": i.phone,
        "rescheduled": i.new.is_some(), "old_invitee": i.old.as_deref().map(invitee_uri),
        "new_invitee": i.new.as_deref().map(invitee_uri),
        "cancel_url": format!("https://calendly.com/cancellations/{}", i.id),
        "reschedule_url": format!("https://calendly.com/reschedulings/{}", i.id), "routing_form_submission": null,
        "payment": null, "no_show": i.no_show, "reconfirmation": null, "scheduling_method": null,
        "invitee_scheduled_by": null,
    });
    if let Some(cancellation) = &i.cancellation {
        view["cancellation"] = cancellation.clone();
    }
    view
}

pub(super) fn subscription(s: &Subscription) -> Value {
    json!({
        "uri": format!("{ROOT}/webhook_subscriptions/{}", s.id), "callback_url": s.url, "created_at": utc(s.created_at),
        "updated_at": utc(s.created_at), "retry_started_at": null, "state": if s.active { "active" } else { "disabled" },
        "events": s.events, "scope": s.scope, "organization": organization_uri(),
        "user": (s.scope == "user").then(user_uri), "creator": user_uri(),
    })
}
