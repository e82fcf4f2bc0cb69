//! The body that writes on an event.

use berth_sdk::{
    json::set,
    types::{Interval, MeetingPlace, Part, UpdateRequest},
};
use serde_json::{Value, json};

use super::create::{description, guests};

/// What the parts that changed make of the event; none where only a person can change one of them.
pub(crate) fn update_body(
    request: &UpdateRequest,
    event: &Value,
    when: Interval,
    title: &str,
) -> Option<Value> {
    let anew = request.made_anew("", when);
    let changes = |parts: &[Part]| parts.iter().any(|part| request.changes(*part));
    let mut body = json!({});
    if changes(&[Part::Attendee]) {
        set(&mut body, "summary", json!(title.replace("{name}", &anew.attendee.name)));
    }
    if changes(&[Part::Attendee, Part::Answers, Part::Notes]) {
        set(&mut body, "description", json!(description(&anew)));
    }
    if changes(&[Part::Attendee, Part::Guests]) {
        set(&mut body, "attendees", Value::Array(attendees(event, guests(&anew))));
    }
    if changes(&[Part::Location]) {
        let has_meet = event.get("hangoutLink").is_some_and(Value::is_string);
        let place = match &request.location {
            None => Value::Null,
            Some(MeetingPlace::Address(text) | MeetingPlace::Link(text)) => json!(text),
            Some(MeetingPlace::Phone(number)) => json!(number.as_deref().or(anew.attendee.phone.as_deref())),
            Some(MeetingPlace::Conferencing) if has_meet => Value::Null,
            Some(MeetingPlace::Conferencing) => return None,
        };
        set(&mut body, "location", place);
    }
    Some(body)
}

/// These people, each with what they answered already, and whoever belongs to the calendar: its owner, rooms.
fn attendees(event: &Value, people: Vec<Value>) -> Vec<Value> {
    let there = event.get("attendees").and_then(Value::as_array).cloned().unwrap_or_default();
    let is = |guest: &Value, name: &str| guest.get(name).and_then(Value::as_bool) == Some(true);
    let mut all: Vec<Value> = there
        .iter()
        .filter(|guest| ["organizer", "resource", "self"].into_iter().any(|name| is(guest, name)))
        .cloned()
        .collect();
    for person in people {
        let mut known = there.iter().find(|guest| guest.get("email") == person.get("email")).cloned();
        if let (Some(known), Some(name)) = (&mut known, person.get("displayName")) {
            set(known, "displayName", name.clone());
        }
        all.push(known.unwrap_or(person));
    }
    all
}

#[cfg(test)]
mod tests {
    use berth_sdk::types::Attendee;

    use super::*;

    fn request(changed: &[Part]) -> UpdateRequest {
        UpdateRequest {
            idempotency_key: "k".to_owned(),
            id: "x".to_owned(),
            reference: "r".to_owned(),
            changed: changed.to_vec(),
            attendee: Attendee {
                name: "Bea".to_owned(),
                email: Some("ada@example.com".to_owned()),
                phone: Some("+48600100200".to_owned()),
                time_zone: "UTC".to_owned(),
                language: None,
            },
            guests: vec!["cleo@example.com".to_owned()],
            answers: Vec::new(),
            notes: Some("By the door".to_owned()),
            location: None,
        }
    }

    fn body(request: &UpdateRequest, event: &Value) -> Option<Value> {
        update_body(request, event, Interval { start: 0, end: 1 }, "Visit of {name}")
    }

    #[test]
    fn only_what_changed_is_written() {
        let event = json!({ "attendees": [
            { "email": "me@example.com", "organizer": true, "self": true },
            { "email": "ada@example.com", "displayName": "Ada", "responseStatus": "accepted" },
            { "email": "bob@example.com" },
        ] });
        assert_eq!(
            body(&request(&[Part::Notes]), &event),
            Some(json!({ "description": "By the door\n+48600100200" }))
        );
        let people = body(&request(&[Part::Attendee]), &event).unwrap();
        assert_eq!(people["summary"], "Visit of Bea");
        assert_eq!(
            people["attendees"],
            json!([{ "email": "me@example.com", "organizer": true, "self": true },
                { "email": "ada@example.com", "displayName": "Bea", "responseStatus": "accepted" },
                { "email": "cleo@example.com" }])
        );
    }

    #[test]
    fn places() {
        let at = |place| UpdateRequest { location: place, ..request(&[Part::Location]) };
        let meet = json!({ "hangoutLink": "https://meet.google.com/abc" });
        for (place, event, expected) in [
            (None, json!({}), Some(Value::Null)),
            (Some(MeetingPlace::Address("Pier 1".to_owned())), json!({}), Some(json!("Pier 1"))),
            (Some(MeetingPlace::Phone(None)), json!({}), Some(json!("+48600100200"))),
            (Some(MeetingPlace::Conferencing), meet, Some(Value::Null)),
            (Some(MeetingPlace::Conferencing), json!({}), None),
        ] {
            let made = body(&at(place), &event).map(|body| body["location"].clone());
            assert_eq!(made, expected);
        }
    }
}
