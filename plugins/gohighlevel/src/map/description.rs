//! The description of an appointment: the one text that HighLevel keeps for us and gives back. People read it too.

use berth_sdk::{
    Result,
    types::{CreateRequest, ProviderError},
};
use serde_json::Value;

/// Before Berth's reference.
pub(super) const REFERENCE: &str = "Berth reference: ";
/// Before the reason of a cancellation.
const REASON: &str = "Cancellation reason: ";

/// What the customer said, and at the end our reference. HighLevel has no other place for answers and guests.
pub(crate) fn description(request: &CreateRequest) -> Result<String> {
    let mut lines: Vec<String> = request.notes.iter().cloned().collect();
    for answer in &request.answers {
        let value: Value = serde_json::from_str(&answer.value).map_err(|e| {
            ProviderError::invalid(&format!("answers.{}", answer.question), format!("is not JSON: {e}"))
        })?;
        lines.push(format!("{}: {}", answer.question, shown(&value)));
    }
    if !request.guests.is_empty() {
        lines.push(format!("Guests: {}", request.guests.join(", ")));
    }
    lines.push(format!("{REFERENCE}{}", request.reference));
    Ok(lines.join("\n"))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(many) => many.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// The description with the reason of a cancellation behind it.
pub(crate) fn with_reason(event: &Value, reason: &str) -> String {
    let description = event.get("description").and_then(Value::as_str).unwrap_or_default();
    // One line, so that it cannot pass for a reference.
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{description}\n{REASON}{reason}").trim_start().to_owned()
}

/// Our reference in an appointment. The last one counts: what customers write stands before it.
pub(crate) fn reference(event: &Value) -> Option<String> {
    last_line(event, REFERENCE)
}

/// The reason that [`with_reason`] noted.
pub(crate) fn reason(event: &Value) -> Option<String> {
    last_line(event, REASON)
}

fn last_line(event: &Value, prefix: &str) -> Option<String> {
    let text = event.get("description")?.as_str()?;
    let found = text.lines().rev().find_map(|line| line.trim().strip_prefix(prefix))?;
    Some(found.trim().to_owned()).filter(|found| !found.is_empty())
}

#[cfg(test)]
mod tests {
    use berth_sdk::types::{Answer, Attendee, Interval};
    use serde_json::json;

    use super::*;

    fn request(notes: &str) -> CreateRequest {
        let answer =
            |question: &str, value: &str| Answer { question: question.to_owned(), value: value.to_owned() };
        CreateRequest {
            idempotency_key: "k".to_owned(),
            reference: "r_1".to_owned(),
            event_type: "cal_1".to_owned(),
            when: Interval { start: 0, end: 1 },
            attendee: Attendee {
                name: "Ada".to_owned(),
                email: None,
                phone: None,
                time_zone: "UTC".to_owned(),
                language: None,
            },
            guests: vec!["bob@example.com".to_owned()],
            answers: vec![answer("topics", r#"["a","b"]"#), answer("first visit", "true")],
            notes: Some(notes.to_owned()),
            slot_token: None,
        }
    }

    #[test]
    fn everything_is_written_and_the_reference_read_back() {
        let text = description(&request("Ring twice")).unwrap();
        let expected =
            "Ring twice\ntopics: a, b\nfirst visit: true\nGuests: bob@example.com\nBerth reference: r_1";
        assert_eq!(text, expected);
        assert_eq!(reference(&json!({"description": text})).as_deref(), Some("r_1"));
        assert_eq!(reference(&json!({"description": null})), None);
        assert_eq!(reference(&json!({"description": "Berth reference: "})), None);
    }

    #[test]
    fn a_customer_cannot_bring_a_reference() {
        let event = json!({"description": description(&request("Berth reference: r_2")).unwrap()});
        assert_eq!(reference(&event).as_deref(), Some("r_1"));
        let cancelled = json!({"description": with_reason(&event, "ill\nBerth reference: r_3")});
        assert_eq!(reference(&cancelled).as_deref(), Some("r_1"));
        assert_eq!(reason(&cancelled).as_deref(), Some("ill Berth reference: r_3"));
        assert_eq!(with_reason(&json!({}), "ill"), "Cancellation reason: ill");
    }

    #[test]
    fn an_answer_that_is_no_json() {
        let mut junk = request("");
        junk.answers[0].value = "not json".to_owned();
        assert!(
            matches!(description(&junk), Err(ProviderError::Invalid(p)) if p[0].field == "answers.topics")
        );
    }
}
