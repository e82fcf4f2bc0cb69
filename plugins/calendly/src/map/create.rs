//! The body of a new booking, and the event that it becomes.

use berth_sdk::{
    Result,
    time::{self, MINUTE},
    types::{CreateRequest, ProviderError},
};
use serde_json::{Value, json};

use super::{event_type::event_type, field::text, questions, tracking::SOURCE, uri::last_part};

/// Guests that Calendly takes.
const GUESTS_MAX: usize = 10;

/// The event of a new booking, as far as it is known without asking.
pub(crate) struct MadeEvent {
    pub(crate) id: String,
    pub(crate) event: Value,
}

/// The body of `POST /invitees`.
pub(crate) fn create_body(request: &CreateRequest, uri: &str, resource: &Value) -> Result<Value> {
    let minutes = event_type(resource)?.length_minutes;
    if request.when.end.saturating_sub(request.when.start) != i64::from(minutes) * MINUTE {
        let message = format!("must be {minutes} minutes long, as this event type is");
        return Err(ProviderError::invalid("when", message));
    }
    let Some(email) = &request.attendee.email else {
        return Err(ProviderError::invalid("attendee.email", "Calendly needs an e-mail address"));
    };
    if request.guests.len() > GUESTS_MAX {
        return Err(ProviderError::invalid("guests", format!("must be at most {GUESTS_MAX}")));
    }
    let mut body = json!({
        "event_type": uri,
        "start_time": time::format(request.when.start),
        "invitee": { "name": request.attendee.name, "email": email, "timezone": request.attendee.time_zone },
        // All six keys must be there.
        "tracking": { "utm_campaign": null, "utm_source": SOURCE, "utm_medium": null, "utm_content": request.reference,
            "utm_term": null, "salesforce_uuid": null },
    });
    let mut set = |pointer: &str, name: &str, value: Value| {
        if let Some(fields) = body.pointer_mut(pointer).and_then(Value::as_object_mut) {
            fields.insert(name.to_owned(), value);
        }
    };
    if let Some(phone) = &request.attendee.phone {
        set("/invitee", "text_reminder_number", json!(phone));
    }
    if let Some(location) = location(request, resource)? {
        set("", "location", location);
    }
    let answers = questions::answers(request, resource)?;
    if !answers.is_empty() {
        set("", "questions_and_answers", json!(answers));
    }
    if !request.guests.is_empty() {
        set("", "event_guests", json!(request.guests));
    }
    Ok(body)
}

/// Where to meet: the first place of the event type that needs nothing that is not known; none where it has no places.
fn location(request: &CreateRequest, event_type: &Value) -> Result<Option<Value>> {
    let places = event_type.get("locations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if places.is_empty() {
        return Ok(None);
    }
    let phone = request.attendee.phone.as_deref();
    let known = places.iter().find_map(|place| match text(place, "kind")? {
        // The invitee would have to name one.
        "ask_invitee" => None,
        kind @ "outbound_call" => Some(json!({ "kind": kind, "location": phone? })),
        kind => Some(match text(place, "location") {
            Some(at) => json!({ "kind": kind, "location": at }),
            None => json!({ "kind": kind }),
        }),
    });
    let by_phone = places.iter().any(|place| text(place, "kind") == Some("outbound_call"));
    match known {
        None if by_phone => Err(ProviderError::invalid(
            "attendee.phone",
            "the event type is a call: a phone number is needed",
        )),
        None => Err(ProviderError::invalid(
            "event_type",
            "lets the invitee name the place, which a booking by API cannot do",
        )),
        known => Ok(known),
    }
}

/// The event of a booking that was just made.
pub(crate) fn made_event(request: &CreateRequest, invitee: &Value, resource: &Value) -> Result<MadeEvent> {
    let uri = text(invitee, "event").ok_or(ProviderError::Unavailable(None))?;
    let event = json!({
        "uri": uri, "name": resource.get("name"), "status": "active", "event_type": resource.get("uri"),
        "start_time": time::format(request.when.start), "end_time": time::format(request.when.end),
    });
    Ok(MadeEvent { id: last_part(uri).to_owned(), event })
}

#[cfg(test)]
mod tests {
    use berth_sdk::types::{Attendee, Interval};

    use super::*;

    fn request() -> CreateRequest {
        let start = time::parse("2026-01-05T09:00:00Z").unwrap();
        CreateRequest {
            idempotency_key: "k1".to_owned(),
            reference: "r_1".to_owned(),
            event_type: "ET1".to_owned(),
            when: Interval { start, end: start + 30 * MINUTE },
            attendee: Attendee {
                name: "Ada Nowak".to_owned(),
                email: Some("ada@example.com".to_owned()),
                phone: Some("+48600100200".to_owned()),
                time_zone: "Europe/Warsaw".to_owned(),
                language: Some("en-GB".to_owned()),
            },
            guests: vec!["bob@example.com".to_owned()],
            answers: Vec::new(),
            notes: Some("first visit".to_owned()),
            slot_token: None,
        }
    }

    const URI: &str = "https://api.calendly.com/event_types/ET1";

    fn resource(locations: Value) -> Value {
        let mut resource: Value =
            serde_json::from_str(include_str!("../../fixtures/event-type.json")).unwrap();
        resource["locations"] = locations;
        resource
    }

    #[test]
    fn a_full_body() {
        let expected = json!({"event_type": URI, "start_time": "2026-01-05T09:00:00Z",
            "invitee": {"name": "Ada Nowak", "email": "ada@example.com", "timezone": "Europe/Warsaw",
                "text_reminder_number": "+48600100200"},
            "location": {"kind": "outbound_call", "location": "+48600100200"},
            "questions_and_answers": [{"question": "Please share anything that will help.", "answer": "first visit", "position": 1}],
            "event_guests": ["bob@example.com"],
            "tracking": {"utm_campaign": null, "utm_source": "berth", "utm_medium": null, "utm_content": "r_1",
                "utm_term": null, "salesforce_uuid": null}});
        let event_type = resource(json!([{"kind": "outbound_call"}]));
        assert_eq!(create_body(&request(), URI, &event_type).unwrap(), expected);
    }

    #[test]
    fn a_bare_body_leaves_out_what_is_not_there() {
        let mut bare = request();
        bare.attendee.phone = None;
        (bare.guests, bare.notes) = (Vec::new(), None);
        let body = create_body(&bare, URI, &resource(Value::Null)).unwrap();
        for name in ["location", "questions_and_answers", "event_guests"] {
            assert!(body.get(name).is_none(), "{name}");
        }
        assert_eq!(body["invitee"].as_object().unwrap().len(), 3);
    }

    #[test]
    fn what_cannot_work_is_refused_before_it_is_sent() {
        let field =
            |request: CreateRequest, locations: Value| match create_body(&request, URI, &resource(locations))
            {
                Err(ProviderError::Invalid(problems)) => problems[0].field.clone(),
                other => panic!("{other:?}"),
            };
        let mut nobody = request();
        nobody.attendee.email = None;
        assert_eq!(field(nobody, Value::Null), "attendee.email");
        let mut long = request();
        long.when.end += MINUTE;
        assert_eq!(field(long, Value::Null), "when");
        let crowd = CreateRequest { guests: vec!["a@example.com".to_owned(); 11], ..request() };
        assert_eq!(field(crowd, Value::Null), "guests");
        let mut silent = request();
        silent.attendee.phone = None;
        assert_eq!(field(silent, json!([{"kind": "outbound_call"}])), "attendee.phone");
        assert_eq!(field(request(), json!([{"kind": "ask_invitee"}])), "event_type");
    }

    #[test]
    fn the_first_place_that_can_be_named() {
        let places = json!([{"kind": "ask_invitee"}, {"kind": "outbound_call"}, {"kind": "physical", "location": "Long Street 1"},
            {"kind": "zoom_conference"}]);
        let mut silent = request();
        silent.attendee.phone = None;
        let body = create_body(&silent, URI, &resource(places)).unwrap();
        assert_eq!(body["location"], json!({"kind": "physical", "location": "Long Street 1"}));
        let body =
            create_body(&silent, URI, &resource(json!([{"kind": "zoom_conference", "location": null}])))
                .unwrap();
        assert_eq!(body["location"], json!({"kind": "zoom_conference"}));
    }
}
