//! Making, moving and cancelling bookings, by the service's rules.

use serde_json::{Value, json};

use super::{
    config::EventType,
    refusal::{Refusal, forbidden, invalid, not_found},
    state::{Invitee, Meeting, State},
    subscriptions,
    views::{self, utc},
};
use crate::times::micros;

/// Keys of `tracking`: all or none.
const TRACKING: [&str; 6] =
    ["utm_campaign", "utm_source", "utm_medium", "utm_content", "utm_term", "salesforce_uuid"];
const GUESTS_MAX: usize = 10;
const REASON_CHARS_MAX: usize = 10_000;

fn text<'a>(body: &'a Value, pointer: &str, parameter: &str) -> Result<&'a str, Refusal> {
    let found = body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    found.ok_or_else(|| invalid(parameter, "is required"))
}

/// The event type of an address.
pub(super) fn event_type_of(state: &State, uri: &str, parameter: &str) -> Result<EventType, Refusal> {
    let found = state.config.event_types.iter().find(|e| views::event_type_uri(&e.id) == uri).cloned();
    match (found, uri.starts_with("https://api.calendly.com/event_types/")) {
        (Some(event_type), _) => Ok(event_type),
        (None, true) => Err(not_found()),
        (None, false) => Err(invalid(parameter, "is not a URI of an event type")),
    }
}

/// `POST /invitees`.
pub(super) fn create(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let mut view = views::invitee(&book(state, body, false)?);
    view["scheduling_method"] = json!("instant_book");
    Ok(view)
}

/// Book. On Calendly's own pages the form sees to places and answers, so they are not checked.
pub(super) fn book(state: &mut State, body: &Value, on_a_page: bool) -> Result<Invitee, Refusal> {
    let event_type = event_type_of(state, text(body, "/event_type", "event_type")?, "event_type")?;
    let start = micros(text(body, "/start_time", "start_time")?);
    let start = start.ok_or_else(|| invalid("start_time", "is not a valid date-time"))?;
    let given = body["invitee"]["name"].as_str().or(body["invitee"]["first_name"].as_str());
    let name = given.filter(|n| !n.is_empty()).ok_or_else(|| invalid("invitee.name", "is required"))?;
    let email = text(body, "/invitee/email", "invitee.email")?;
    if !email.contains('@') {
        return Err(invalid("invitee.email", "is invalid"));
    }
    let time_zone = text(body, "/invitee/timezone", "invitee.timezone")?;
    if time_zone.parse::<chrono_tz::Tz>().is_err() {
        return Err(invalid("invitee.timezone", "is not a known time zone"));
    }
    let location = if on_a_page { event_type.locations.first() } else { location_of(&event_type, body)? };
    let tracking = tracking_of(body)?;
    let guests = body["event_guests"].as_array().cloned().unwrap_or_default();
    if guests.len() > GUESTS_MAX {
        return Err(invalid("event_guests", "must have at most 10 items"));
    }
    let answers = if on_a_page { Vec::new() } else { answers_of(&event_type, body)? };
    is_offered(state, &event_type, start)?;
    let invitee = Invitee {
        id: state.new_id(),
        event: String::new(),
        name: name.to_owned(),
        email: email.to_owned(),
        time_zone: time_zone.to_owned(),
        phone: body["invitee"]["text_reminder_number"].as_str().map(str::to_owned),
        answers,
        tracking,
        cancellation: None,
        old: None,
        new: None,
        no_show: None,
        created_at: state.now(),
        updated_at: state.now(),
    };
    let place = location.map(|l| place(l, body)).unwrap_or_default();
    let made = seat(state, &event_type, start, invitee, place, &guests);
    subscriptions::emit(state, "invitee.created", &made.id());
    Ok(made)
}

/// Is this start in the future, one of those that are shown, and free?
fn is_offered(state: &State, event_type: &EventType, start: i64) -> Result<(), Refusal> {
    if start <= state.now() {
        return Err(invalid("start_time", "must be in the future"));
    }
    let end = start + i64::from(event_type.length_minutes) * 60_000_000;
    let shown = state.config.hours.starts(start, end, event_type.length_minutes).contains(&start);
    if shown && state.places(event_type, start) > 0 {
        return Ok(());
    }
    let mut taken = invalid("start_time", "is not available for this event type");
    if let Some(detail) = taken.details.first_mut() {
        detail["code"] = json!("already_filled");
    }
    Err(taken)
}

/// Put an invitee into the group's event at this start, or into a new one.
fn seat(
    state: &mut State,
    event_type: &EventType,
    start: i64,
    mut invitee: Invitee,
    location: Value,
    guests: &[Value],
) -> Invitee {
    let now = state.now();
    let session = state.session(&event_type.id, start).map(|m| m.id.clone());
    let id = session.unwrap_or_else(|| {
        let id = state.new_id();
        let end = start + i64::from(event_type.length_minutes) * 60_000_000;
        state.add(Meeting {
            id: id.clone(),
            event_type: event_type.id.clone(),
            start,
            end,
            location,
            guests: Vec::new(),
            invitees: Vec::new(),
            cancellation: None,
            created_at: now,
            updated_at: now,
        });
        id
    });
    invitee.event.clone_from(&id);
    if let Some(meeting) = state.meeting_mut(&id) {
        let guest = |email| json!({ "email": email, "created_at": utc(now), "updated_at": utc(now) });
        meeting.guests.extend(guests.iter().map(guest));
        meeting.invitees.push(invitee.clone());
        meeting.updated_at = now;
    }
    invitee
}

/// The place asked for, one of the event type's. With several the caller must choose.
fn location_of<'a>(event_type: &'a EventType, body: &Value) -> Result<Option<&'a Value>, Refusal> {
    let Some(kind) = body.pointer("/location/kind") else {
        return match event_type.locations.as_slice() {
            [] => Ok(None),
            _ => Err(invalid("location", "is required for this event type")),
        };
    };
    let found = event_type.locations.iter().find(|l| l["kind"] == *kind);
    let found = found.ok_or_else(|| invalid("location.kind", "is not offered by this event type"))?;
    if kind == "outbound_call" {
        text(body, "/location/location", "location.location")?;
    }
    Ok(Some(found))
}

/// How a place looks in an event.
fn place(location: &Value, body: &Value) -> Value {
    let at = || location.get("location").or(body.pointer("/location/location")).cloned();
    match location["kind"].as_str().unwrap_or_default() {
        "zoom_conference" => json!({ "type": "zoom_conference", "status": "pushed",
            "join_url": "https://zoom.example/j/1", "data": { "id": "1" } }),
        kind => {
            json!({ "type": kind, "location": at().unwrap_or(body["invitee"]["text_reminder_number"].clone()) })
        }
    }
}

fn tracking_of(body: &Value) -> Result<Value, Refusal> {
    let given = body.get("tracking").filter(|t| !t.is_null());
    if let Some(missing) = given.and_then(|given| TRACKING.iter().find(|key| given.get(**key).is_none())) {
        return Err(invalid(&format!("tracking.{missing}"), "is required"));
    }
    let value = |key: &&str| given.and_then(|g| g.get(*key)).cloned().unwrap_or(Value::Null);
    Ok(TRACKING.iter().map(|key| ((*key).to_owned(), value(key))).collect())
}

fn answers_of(event_type: &EventType, body: &Value) -> Result<Vec<Value>, Refusal> {
    let given = body["questions_and_answers"].as_array().cloned().unwrap_or_default();
    for answer in &given {
        if !event_type.questions.iter().any(|q| q["name"] == answer["question"]) {
            return Err(invalid("questions_and_answers", format!("{} is not asked", answer["question"])));
        }
    }
    for question in event_type.questions.iter().filter(|q| q["required"] == true) {
        if !given.iter().any(|a| a["question"] == question["name"]) {
            return Err(invalid("questions_and_answers", format!("{} is required", question["name"])));
        }
    }
    Ok(given)
}

/// `POST /scheduled_events/{uuid}/cancellation`: everybody's booking is cancelled.
pub(super) fn cancel(state: &mut State, event: &str, reason: Option<&str>) -> Result<Value, Refusal> {
    if reason.is_some_and(|r| r.chars().count() > REASON_CHARS_MAX) {
        return Err(invalid("reason", "is too long"));
    }
    let now = state.now();
    let meeting = state.meeting_mut(event).ok_or_else(not_found)?;
    if !meeting.active() {
        return Err(forbidden("Event is already canceled"));
    }
    if meeting.end <= now {
        return Err(forbidden("Event is in the past"));
    }
    let cancellation =
        json!({ "canceled_by": "Eve", "reason": reason, "canceler_type": "host", "created_at": utc(now) });
    meeting.cancellation = Some(cancellation.clone());
    meeting.updated_at = now.max(meeting.updated_at + 1);
    let mut hit = Vec::new();
    for invitee in meeting.invitees.iter_mut().filter(|i| i.active()) {
        invitee.cancellation = Some(cancellation.clone());
        invitee.updated_at = now.max(invitee.updated_at + 1);
        hit.push(invitee.id());
    }
    for id in hit {
        subscriptions::emit(state, "invitee.canceled", &id);
    }
    Ok(json!({ "canceled_by": "Eve", "reason": reason, "canceler_type": "host" }))
}

/// The invitee picks another time on the booking's page: a new event with a new invitee, and two messages.
pub(super) fn reschedule(state: &mut State, id: &str, start: i64) -> Result<String, Refusal> {
    let (meeting, old) = state.invitee(id).ok_or_else(not_found)?;
    let (old, location) = (old.clone(), meeting.location.clone());
    let event_type = state.event_type(&meeting.event_type).ok_or_else(not_found)?;
    if !meeting.active() || !old.active() {
        return Err(forbidden("Event is already canceled"));
    }
    let now = state.now();
    // Its own time counts as free, unless others stay in it.
    let alone = meeting.active_invitees() == 1;
    let cancellation =
        json!({ "canceled_by": old.name, "reason": "", "canceler_type": "invitee", "created_at": utc(now) });
    let before = state.meeting(&old.event).cloned();
    if let Some(meeting) = state.meeting_mut(&old.event).filter(|_| alone) {
        meeting.cancellation = Some(cancellation.clone());
    }
    if let Err(refusal) = is_offered(state, &event_type, start) {
        if let (Some(meeting), Some(before)) = (state.meeting_mut(&old.event), before) {
            *meeting = before;
        }
        return Err(refusal);
    }
    let new = Invitee {
        id: state.new_id(),
        old: Some(id.to_owned()),
        created_at: now,
        updated_at: now.max(old.updated_at + 1),
        ..old.clone()
    };
    let new = seat(state, &event_type, start, new, location, &[]);
    if let Some(meeting) = state.meeting_mut(&old.event) {
        meeting.updated_at = now.max(meeting.updated_at + 1);
    }
    if let Some(invitee) = state.invitee_mut(id) {
        invitee.cancellation = Some(cancellation);
        invitee.new = Some(new.id());
        invitee.updated_at = now.max(invitee.updated_at + 1);
    }
    subscriptions::emit(state, "invitee.canceled", id);
    subscriptions::emit(state, "invitee.created", &new.id());
    Ok(new.id())
}

/// Somebody opens a single-use link and books; what the link's query says comes back as tracking.
pub(super) fn book_by_link(state: &mut State, url: &str, start: i64) -> Result<String, Refusal> {
    let url: url::Url = url.parse().map_err(|_| not_found())?;
    let code = url.path().strip_prefix("/d/").and_then(|path| path.split('/').next()).unwrap_or_default();
    let link = state.links.get(code).filter(|link| !link.used).cloned().ok_or_else(not_found)?;
    let asked =
        |key: &str| url.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value.into_owned());
    let tracking: Value = TRACKING.iter().map(|key| ((*key).to_owned(), json!(asked(key)))).collect();
    let body = json!({
        "event_type": views::event_type_uri(&link.event_type), "start_time": utc(start), "tracking": tracking,
        "invitee": { "name": "Link Guest", "email": "link.guest@example.com", "timezone": "Europe/Warsaw",
            "text_reminder_number": "+48600100200" },
    });
    let made = book(state, &body, true)?;
    if let Some(link) = state.links.get_mut(code) {
        link.used = true;
    }
    Ok(made.id())
}

/// The host notes that the invitee did not come.
pub(super) fn mark_no_show(state: &mut State, id: &str) -> Result<(), Refusal> {
    let now = state.now();
    let (meeting, _) = state.invitee(id).ok_or_else(not_found)?;
    if meeting.start > now {
        return Err(forbidden("Event has not started yet"));
    }
    let uri = views::no_show_uri(&state.new_id());
    let invitee = state.invitee_mut(id).ok_or_else(not_found)?;
    invitee.no_show = Some(json!({ "uri": uri, "created_at": utc(now) }));
    invitee.updated_at = now.max(invitee.updated_at + 1);
    subscriptions::emit(state, "invitee_no_show.created", id);
    Ok(())
}
