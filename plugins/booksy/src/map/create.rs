//! The body of a new booking.

use berth_sdk::{
    Result,
    json::set,
    log, time,
    types::{CreateRequest, ProviderError},
};
use serde_json::{Value, json};

use super::reference::REFERENCE;

/// The body of `POST …/bookings`. Answers to questions have no place of their own, so they become lines of the notes. Guests
/// have none either, and are left out: what is in notes cannot be erased with its person.
pub(crate) fn new_booking(request: &CreateRequest, staff: Option<&str>) -> Result<Value> {
    let person = &request.attendee;
    if person.email.is_none() && person.phone.is_none() {
        return Err(ProviderError::invalid(
            "attendee.email",
            "an e-mail address or a phone number is needed",
        ));
    }
    let (first, last) = person.name.trim().split_once(' ').unwrap_or((person.name.trim(), ""));
    if first.is_empty() {
        return Err(ProviderError::invalid("attendee.name", "a name is needed"));
    }
    let mut client = json!({ "first_name": first });
    let rest = [
        ("last_name", Some(last.trim())),
        ("email", person.email.as_deref()),
        ("phone", person.phone.as_deref()),
    ];
    for (name, value) in rest.into_iter().chain([("locale", person.language.as_deref())]) {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            set(&mut client, name, json!(value));
        }
    }
    let mut body = json!({
        "service_id": request.event_type,
        "start": time::format(request.when.start),
        "end": time::format(request.when.end),
        "client": client,
        "external_ref": format!("{REFERENCE}{}", request.reference),
    });
    if let Some(staff) = staff {
        set(&mut body, "staff_id", json!(staff));
    }
    let notes = notes(request)?;
    if !notes.is_empty() {
        set(&mut body, "notes", json!(notes));
    }
    if !request.guests.is_empty() {
        log::info("guests are not passed on: a booking has one client");
    }
    Ok(body)
}

fn notes(request: &CreateRequest) -> Result<String> {
    let mut lines: Vec<String> = request.notes.iter().filter(|n| !n.is_empty()).cloned().collect();
    for answer in &request.answers {
        let value: Value = serde_json::from_str(&answer.value).map_err(|e| {
            ProviderError::invalid(&format!("answers.{}", answer.question), format!("is not JSON: {e}"))
        })?;
        let text = match value {
            Value::String(text) => text,
            Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
            other => other.to_string(),
        };
        lines.push(format!("{}: {text}", answer.question));
    }
    Ok(lines.join("\n"))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use berth_sdk::{
        time::MINUTE,
        types::{Answer, Attendee, Interval},
    };

    use super::*;

    fn request() -> CreateRequest {
        let start = time::parse("2026-01-05T09:00:00Z").unwrap();
        CreateRequest {
            idempotency_key: "k1".to_owned(),
            reference: "b_1".to_owned(),
            event_type: "svc_1".to_owned(),
            when: Interval { start, end: start + 45 * MINUTE },
            attendee: Attendee {
                name: "Ada Maria Nowak".to_owned(),
                email: Some("ada@example.com".to_owned()),
                phone: Some("+48600100200".to_owned()),
                time_zone: "Europe/Warsaw".to_owned(),
                language: Some("pl".to_owned()),
            },
            guests: vec!["bob@example.com".to_owned()],
            answers: vec![
                Answer { question: "topics".to_owned(), value: r#"["a","b"]"#.to_owned() },
                Answer { question: "first".to_owned(), value: "true".to_owned() },
            ],
            notes: Some("By the window".to_owned()),
            slot_token: None,
        }
    }

    #[test]
    fn a_full_body() {
        let expected = json!({"service_id": "svc_1", "staff_id": "stf_1", "start": "2026-01-05T09:00:00Z",
            "end": "2026-01-05T09:45:00Z", "external_ref": "berth:b_1",
            "client": {"first_name": "Ada", "last_name": "Maria Nowak", "email": "ada@example.com",
                "phone": "+48600100200", "locale": "pl"},
            "notes": "By the window\ntopics: a, b\nfirst: true"});
        assert_eq!(new_booking(&request(), Some("stf_1")).unwrap(), expected);
    }

    #[test]
    fn a_bare_body_leaves_out_what_is_not_there() {
        let mut bare = request();
        (bare.answers, bare.guests, bare.notes) = (Vec::new(), Vec::new(), None);
        bare.attendee.name = " Ada ".to_owned();
        (bare.attendee.phone, bare.attendee.language) = (None, None);
        let expected = json!({"service_id": "svc_1", "start": "2026-01-05T09:00:00Z", "end": "2026-01-05T09:45:00Z",
            "external_ref": "berth:b_1", "client": {"first_name": "Ada", "email": "ada@example.com"}});
        assert_eq!(new_booking(&bare, None).unwrap(), expected);
    }

    #[test]
    fn what_cannot_work_is_refused_before_it_is_sent() {
        let field = |request: &CreateRequest| match new_booking(request, None) {
            Err(ProviderError::Invalid(problems)) => problems[0].field.clone(),
            other => panic!("{other:?}"),
        };
        let mut nobody = request();
        (nobody.attendee.email, nobody.attendee.phone) = (None, None);
        assert_eq!(field(&nobody), "attendee.email");
        let mut nameless = request();
        nameless.attendee.name = " ".to_owned();
        assert_eq!(field(&nameless), "attendee.name");
        let mut junk = request();
        junk.answers[0].value = "not json".to_owned();
        assert_eq!(field(&junk), "answers.topics");
    }
}
