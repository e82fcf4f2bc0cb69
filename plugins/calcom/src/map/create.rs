//! The body of a new booking.

use berth_sdk::{
    Result,
    json::{set, set_some},
    time::{self, MINUTE},
    types::{CreateRequest, ProviderError},
};
use serde_json::{Map, Value, json};

use super::{catalog::event_type_id, reference::REFERENCE};

/// Languages that Cal.com takes; any other makes it refuse the booking.
const LANGUAGES: &[&str] = &[
    "ar", "ca", "de", "es", "eu", "he", "id", "ja", "lv", "pl", "ro", "sr", "th", "vi", "az", "cs", "el",
    "es-419", "fi", "hr", "it", "km", "nl", "pt", "ru", "sv", "tr", "zh-CN", "bg", "da", "en", "et", "fr",
    "hu", "iw", "ko", "no", "pt-BR", "sk", "ta", "uk", "zh-TW", "bn",
];

/// What an event type wants of its bookings.
#[derive(Default)]
pub(crate) struct Kind {
    /// Does it offer several lengths, so that one must be chosen?
    pub(crate) has_lengths: bool,
    /// Does it make a series of bookings, unless told how many?
    pub(crate) repeats: bool,
}

/// The body of `POST /v2/bookings`.
pub(crate) fn create_body(request: &CreateRequest, kind: &Kind) -> Result<Value> {
    let mut attendee = json!({ "name": request.attendee.name, "timeZone": request.attendee.time_zone });
    if request.attendee.email.is_none() && request.attendee.phone.is_none() {
        return Err(ProviderError::invalid(
            "attendee.email",
            "Cal.com needs an e-mail address or a phone number",
        ));
    }
    set_some(&mut attendee, "email", request.attendee.email.as_deref());
    set_some(&mut attendee, "phoneNumber", request.attendee.phone.as_deref());
    set_some(&mut attendee, "language", request.attendee.language.as_deref().and_then(language));
    let mut body = json!({
        "eventTypeId": event_type_id(&request.event_type)?,
        "start": time::format(request.when.start),
        "attendee": attendee,
        "metadata": { REFERENCE: request.reference },
    });
    if !request.guests.is_empty() {
        set(&mut body, "guests", json!(request.guests));
    }
    let responses = responses(request)?;
    if !responses.is_empty() {
        set(&mut body, "bookingFieldsResponses", Value::Object(responses));
    }
    if kind.has_lengths {
        set(&mut body, "lengthInMinutes", json!((request.when.end - request.when.start) / MINUTE));
    }
    if kind.repeats {
        set(&mut body, "recurrenceCount", json!(1));
    }
    Ok(body)
}

/// Answers by the slug of their question; notes are a question of every event type.
fn responses(request: &CreateRequest) -> Result<Map<String, Value>> {
    let mut responses = Map::new();
    if let Some(notes) = &request.notes {
        responses.insert("notes".to_owned(), json!(notes));
    }
    for answer in &request.answers {
        let value = serde_json::from_str(&answer.value).map_err(|e| {
            ProviderError::invalid(&format!("answers.{}", answer.question), format!("is not JSON: {e}"))
        })?;
        responses.insert(answer.question.clone(), value);
    }
    Ok(responses)
}

/// The nearest language that Cal.com has: the tag itself, else without its region.
fn language(tag: &str) -> Option<&str> {
    let base = tag.split('-').next()?;
    LANGUAGES
        .iter()
        .find(|l| l.eq_ignore_ascii_case(tag))
        .or_else(|| LANGUAGES.iter().find(|l| **l == base))
        .copied()
}

#[cfg(test)]
mod tests {
    use berth_sdk::{
        testing::create_request,
        types::{Answer, Interval},
    };

    use super::*;

    fn request() -> CreateRequest {
        let start = time::parse("2026-01-05T09:00:00Z").unwrap();
        let mut request = create_request("k1", "r_1", "101", Interval { start, end: start + 30 * MINUTE });
        request.attendee.phone = Some("+48600100200".to_owned());
        request.attendee.language = Some("en-GB".to_owned());
        request.guests = vec!["bob@example.com".to_owned()];
        request.answers = vec![Answer { question: "topics".to_owned(), value: r#"["a","b"]"#.to_owned() }];
        request.notes = Some("first visit".to_owned());
        request
    }

    #[test]
    fn a_full_body() {
        let expected = json!({"eventTypeId": 101, "start": "2026-01-05T09:00:00Z",
            "attendee": {"name": "Ada Nowak", "email": "ada@example.com", "timeZone": "Europe/Warsaw",
                "language": "en", "phoneNumber": "+48600100200"},
            "guests": ["bob@example.com"], "bookingFieldsResponses": {"notes": "first visit", "topics": ["a", "b"]},
            "metadata": {"berth_reference": "r_1"}, "lengthInMinutes": 30, "recurrenceCount": 1});
        assert_eq!(create_body(&request(), &Kind { has_lengths: true, repeats: true }).unwrap(), expected);
    }

    #[test]
    fn a_bare_body_leaves_out_what_is_not_there() {
        let mut bare = request();
        bare.attendee.phone = None;
        bare.attendee.language = Some("tlh".to_owned());
        (bare.guests, bare.answers, bare.notes) = (Vec::new(), Vec::new(), None);
        let expected = json!({"eventTypeId": 101, "start": "2026-01-05T09:00:00Z",
            "attendee": {"name": "Ada Nowak", "email": "ada@example.com", "timeZone": "Europe/Warsaw"},
            "metadata": {"berth_reference": "r_1"}});
        assert_eq!(create_body(&bare, &Kind::default()).unwrap(), expected);
    }

    #[test]
    fn what_cannot_work_is_refused_before_it_is_sent() {
        let mut nobody = request();
        (nobody.attendee.email, nobody.attendee.phone) = (None, None);
        assert!(
            matches!(create_body(&nobody, &Kind::default()), Err(ProviderError::Invalid(p)) if p[0].field == "attendee.email")
        );
        let mut junk = request();
        junk.answers[0].value = "not json".to_owned();
        assert!(
            matches!(create_body(&junk, &Kind::default()), Err(ProviderError::Invalid(p)) if p[0].field == "answers.topics")
        );
        let mut foreign = request();
        foreign.event_type = "consultation".to_owned();
        assert_eq!(create_body(&foreign, &Kind::default()), Err(ProviderError::NotFound));
    }

    #[test]
    fn languages() {
        for (tag, expected) in [
            ("pt-BR", Some("pt-BR")),
            ("pt-br", Some("pt-BR")),
            ("de-AT", Some("de")),
            ("zh", None),
            ("", None),
        ] {
            assert_eq!(language(tag), expected, "{tag}");
        }
    }
}
