//! The body of a new event.

use berth_sdk::{
    Result,
    types::{CreateRequest, ProviderError},
};
use serde_json::{Value, json};

use super::{
    marks::{REFERENCE, TRANSACTION},
    time::time_of,
};
use crate::settings::Settings;

/// Longest subject that Outlook keeps, in characters.
const SUBJECT_CHARS_MAX: usize = 255;

/// The body of `POST /me/events`. The same for every try of a booking, as a repeated `transactionId` must be.
pub(crate) fn create_body(request: &CreateRequest, settings: &Settings) -> Result<Value> {
    let name = &request.attendee.name;
    let subject: String = settings.subject.replace("{name}", name).chars().take(SUBJECT_CHARS_MAX).collect();
    let mut body = json!({
        "subject": subject,
        "body": { "contentType": "text", "content": content(request)? },
        "start": time_of(request.when.start),
        "end": time_of(request.when.end),
        "showAs": "busy",
        "isOnlineMeeting": settings.online_meeting,
        "transactionId": format!("{TRANSACTION}{}", request.idempotency_key),
        "singleValueExtendedProperties": [{ "id": REFERENCE, "value": request.reference }],
    });
    let mut put = |name: &str, value: Value| {
        if let Some(fields) = body.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    };
    if settings.online_meeting {
        put("onlineMeetingProvider", json!("teamsForBusiness"));
    }
    if settings.invite {
        let customer = request.attendee.email.iter().map(|address| attendee(address, name, "required"));
        let guests = request.guests.iter().map(|address| attendee(address, "", "optional"));
        put("attendees", customer.chain(guests).collect());
    }
    Ok(body)
}

fn attendee(address: &str, name: &str, kind: &str) -> Value {
    let mailbox = if name.is_empty() {
        json!({ "address": address })
    } else {
        json!({ "address": address, "name": name })
    };
    json!({ "emailAddress": mailbox, "type": kind })
}

/// Who comes and what they said, for whoever opens the event.
fn content(request: &CreateRequest) -> Result<String> {
    let person = &request.attendee;
    let mut lines = vec![person.name.clone()];
    lines.extend(person.email.clone());
    lines.extend(person.phone.clone());
    lines.extend(request.guests.iter().map(|guest| format!("+ {guest}")));
    if !request.answers.is_empty() || request.notes.is_some() {
        lines.push(String::new());
    }
    for answer in &request.answers {
        let value: Value = serde_json::from_str(&answer.value).map_err(|e| {
            ProviderError::invalid(&format!("answers.{}", answer.question), format!("is not JSON: {e}"))
        })?;
        lines.push(format!("{}: {}", answer.question, words(&value)));
    }
    lines.extend(request.notes.clone());
    Ok(lines.join("\n"))
}

/// A value as people write it.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use berth_sdk::{
        testing::create_request,
        types::{Answer, Interval},
    };

    use super::*;

    fn settings() -> Settings {
        Settings {
            base_url: String::new(),
            calendars: Vec::new(),
            also_busy: Vec::new(),
            tentative_is_busy: true,
            time_zone: String::new(),
            invite: true,
            online_meeting: false,
            subject: "Consultation: {name}".to_owned(),
        }
    }

    fn request() -> CreateRequest {
        let when = Interval { start: 1_767_603_600_000_000, end: 1_767_605_400_000_000 };
        let mut request = create_request("b-1-create", "b-1", "default", when);
        request.attendee.phone = Some("+48600100200".to_owned());
        request.guests = vec!["bob@example.com".to_owned()];
        request.answers = vec![
            Answer { question: "visit".to_owned(), value: r#""first""#.to_owned() },
            Answer { question: "topics".to_owned(), value: r#"["a",true,2]"#.to_owned() },
        ];
        request.notes = Some("Ring twice".to_owned());
        request
    }

    #[test]
    fn everything_that_is_known_is_in_it() {
        let content = "Ada Nowak\nada@example.com\n+48600100200\n+ bob@example.com\n\nvisit: first\ntopics: a, true, 2\nRing twice";
        assert_eq!(
            create_body(&request(), &settings()).unwrap(),
            json!({
                "subject": "Consultation: Ada Nowak",
                "body": { "contentType": "text", "content": content },
                "start": { "dateTime": "2026-01-05T09:00:00", "timeZone": "UTC" },
                "end": { "dateTime": "2026-01-05T09:30:00", "timeZone": "UTC" },
                "showAs": "busy",
                "isOnlineMeeting": false,
                "transactionId": "berth-b-1-create",
                "singleValueExtendedProperties": [{ "id": REFERENCE, "value": "b-1" }],
                "attendees": [
                    { "emailAddress": { "address": "ada@example.com", "name": "Ada Nowak" }, "type": "required" },
                    { "emailAddress": { "address": "bob@example.com" }, "type": "optional" },
                ],
            })
        );
    }

    #[test]
    fn nobody_is_invited_where_that_is_off() {
        let quiet = Settings { invite: false, online_meeting: true, ..settings() };
        let body = create_body(&request(), &quiet).unwrap();
        assert!(body.get("attendees").is_none());
        assert_eq!(body["onlineMeetingProvider"], "teamsForBusiness");
        let mut bare = request();
        (bare.attendee.email, bare.guests) = (None, Vec::new());
        assert_eq!(create_body(&bare, &settings()).unwrap()["attendees"], json!([]));
    }

    #[test]
    fn an_answer_that_is_no_json_is_refused_and_a_long_subject_cut() {
        let mut bad = request();
        bad.answers[0].value = "first".to_owned();
        assert!(
            matches!(create_body(&bad, &settings()), Err(ProviderError::Invalid(p)) if p[0].field == "answers.visit")
        );
        let mut long = request();
        long.attendee.name = "é".repeat(1_000);
        let body = create_body(&long, &settings()).unwrap();
        assert_eq!(body["subject"].as_str().unwrap().chars().count(), SUBJECT_CHARS_MAX);
    }
}
