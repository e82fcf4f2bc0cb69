//! The bodies of new and of moved events.

use berth_sdk::{
    json::set,
    time::format_millis,
    types::{CreateRequest, Interval},
};
use serde_json::{Value, json};

use super::reference::REFERENCE;

/// Longest description, in characters: a little below what Google takes.
const DESCRIPTION_CHARS_MAX: usize = 8_000;

/// The body of a new event. `title`: `{name}` stands for the customer's name.
pub(crate) fn insert_body(request: &CreateRequest, id: &str, title: &str, meet: bool) -> Value {
    let attendee = &request.attendee;
    let zone = Some(attendee.time_zone.as_str());
    let mut body = json!({
        "id": id,
        "summary": title.replace("{name}", &attendee.name),
        "start": point(request.when.start, zone),
        "end": point(request.when.end, zone),
        "extendedProperties": { "private": { REFERENCE: request.reference } },
    });
    let guests = guests(request);
    if !guests.is_empty() {
        set(&mut body, "attendees", Value::Array(guests));
    }
    let description = description(request);
    if !description.is_empty() {
        set(&mut body, "description", Value::String(description));
    }
    if meet {
        let key = json!({ "type": "hangoutsMeet" });
        let conference = json!({ "createRequest": { "requestId": id, "conferenceSolutionKey": key } });
        set(&mut body, "conferenceData", conference);
    }
    body
}

/// The customer and their guests, as far as they can be invited.
pub(super) fn guests(request: &CreateRequest) -> Vec<Value> {
    let attendee = &request.attendee;
    let customer = attendee.email.iter().map(|email| json!({ "email": email, "displayName": attendee.name }));
    customer.chain(request.guests.iter().map(|email| json!({ "email": email }))).collect()
}

/// The body that moves an event; the zones that it is shown in stay. A date, if it was for whole days, goes.
pub(crate) fn move_body(to: Interval, event: &Value) -> Value {
    let zone = |name: &str| event.get(name)?.get("timeZone")?.as_str();
    let moved = |at, name| {
        let mut point = point(at, zone(name));
        if event.get(name).is_some_and(|old| old.get("date").is_some_and(|date| !date.is_null())) {
            set(&mut point, "date", Value::Null);
        }
        point
    };
    json!({ "start": moved(to.start, "start"), "end": moved(to.end, "end") })
}

/// An instant, and the zone in which invitations show it.
fn point(at: i64, zone: Option<&str>) -> Value {
    match zone {
        Some(zone) => json!({ "dateTime": format_millis(at), "timeZone": zone }),
        None => json!({ "dateTime": format_millis(at) }),
    }
}

/// Notes, answers, and how to reach who has no e-mail address.
pub(super) fn description(request: &CreateRequest) -> String {
    let mut lines: Vec<String> = request.notes.iter().cloned().collect();
    for answer in &request.answers {
        let value: Value = serde_json::from_str(&answer.value).unwrap_or(Value::Null);
        let text = match value {
            Value::String(text) => text,
            Value::Null => answer.value.clone(),
            other => other.to_string(),
        };
        lines.push(format!("{}: {text}", answer.question));
    }
    lines.extend(request.attendee.phone.iter().cloned());
    lines.join("\n").chars().take(DESCRIPTION_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use berth_sdk::{
        testing::create_request,
        time::{self, MINUTE},
        types::Answer,
    };

    use super::*;

    fn half_hour(start: &str) -> Interval {
        let start = time::parse(start).unwrap();
        Interval { start, end: start + 30 * MINUTE }
    }

    fn request() -> CreateRequest {
        let mut request = create_request("k1", "r_1", "primary", half_hour("2026-01-05T09:00:00Z"));
        request.attendee.phone = Some("+48600100200".to_owned());
        request.guests = vec!["bob@example.com".to_owned()];
        request.answers = vec![
            Answer { question: "topic".to_owned(), value: r#""taxes""#.to_owned() },
            Answer { question: "first".to_owned(), value: "true".to_owned() },
        ];
        request.notes = Some("rings twice".to_owned());
        request
    }

    #[test]
    fn a_full_event() {
        let expected = json!({
            "id": "berth1", "summary": "Consultation: Ada Nowak",
            "description": "rings twice\ntopic: taxes\nfirst: true\n+48600100200",
            "start": { "dateTime": "2026-01-05T09:00:00Z", "timeZone": "Europe/Warsaw" },
            "end": { "dateTime": "2026-01-05T09:30:00Z", "timeZone": "Europe/Warsaw" },
            "attendees": [{ "email": "ada@example.com", "displayName": "Ada Nowak" }, { "email": "bob@example.com" }],
            "extendedProperties": { "private": { "berth_booking_id": "r_1" } },
            "conferenceData": { "createRequest": { "requestId": "berth1",
                "conferenceSolutionKey": { "type": "hangoutsMeet" } } },
        });
        assert_eq!(insert_body(&request(), "berth1", "Consultation: {name}", true), expected);
    }

    #[test]
    fn a_bare_event_leaves_out_what_is_not_there() {
        let mut bare = request();
        (bare.attendee.email, bare.attendee.phone, bare.notes) = (None, None, None);
        (bare.guests, bare.answers) = (Vec::new(), Vec::new());
        let body = insert_body(&bare, "berth1", "Booking", false);
        let names: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(names, ["end", "extendedProperties", "id", "start", "summary"]);
    }

    #[test]
    fn a_long_description_is_cut() {
        let mut long = request();
        long.notes = Some("é".repeat(20_000));
        let body = insert_body(&long, "berth1", "Booking", false);
        assert_eq!(body["description"].as_str().unwrap().chars().count(), DESCRIPTION_CHARS_MAX);
    }

    #[test]
    fn a_move_keeps_the_zones() {
        let event = json!({ "start": { "dateTime": "2026-01-05T10:00:00+01:00", "timeZone": "Europe/Warsaw" },
            "end": { "date": "2026-01-06" } });
        let expected = json!({ "start": { "dateTime": "2026-01-06T10:00:00Z", "timeZone": "Europe/Warsaw" },
            "end": { "dateTime": "2026-01-06T10:30:00Z", "date": null } });
        assert_eq!(move_body(half_hour("2026-01-06T10:00:00Z"), &event), expected);
    }
}
