//! What Calendly's errors mean: `{"title", "message", "details": [{"parameter", "message", "code"}]}`.

use berth_sdk::{
    http::Response,
    types::{FieldProblem, ProviderError},
};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    message: String,
    details: Vec<Detail>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    parameter: Option<String>,
    message: Option<String>,
    code: Option<String>,
}

/// Errors of every request. 424: a calendar that Calendly asks does not answer it.
pub(crate) fn of_any(response: &Response) -> Option<ProviderError> {
    (response.status == 424).then_some(ProviderError::Unavailable(None))
}

/// Errors of a new booking: a taken start has no status of its own, and what is wrong with the data is named by parameter.
pub(crate) fn of_booking(response: &Response) -> Option<ProviderError> {
    if !matches!(response.status, 400 | 409 | 422) {
        return of_any(response);
    }
    let refusal: Refusal = serde_json::from_slice(&response.body).ok()?;
    if is_taken(&refusal) {
        return Some(ProviderError::slot_taken());
    }
    let problems: Vec<FieldProblem> = refusal.details.into_iter().filter_map(problem).collect();
    (response.status != 409 && !problems.is_empty()).then_some(ProviderError::Invalid(problems))
}

fn is_taken(refusal: &Refusal) -> bool {
    let says = |text: Option<&str>, what: &str| text.is_some_and(|t| t.to_lowercase().contains(what));
    says(Some(&refusal.message), "no longer available")
        || refusal.details.iter().any(|d| {
            let about_start = d.parameter.as_deref() == Some("start_time");
            d.code.as_deref() == Some("already_filled")
                || says(d.message.as_deref(), "no longer available")
                || (about_start && says(d.message.as_deref(), "not available"))
        })
}

fn problem(detail: Detail) -> Option<FieldProblem> {
    let message = detail.message.or(detail.code)?;
    Some(FieldProblem { field: field(detail.parameter.as_deref().unwrap_or_default()), message })
}

/// The field of the request to Berth that became this parameter.
fn field(parameter: &str) -> String {
    let parameter = parameter.trim_start_matches('/').replace(['/', '['], ".").replace(']', "");
    let bare = parameter.strip_prefix("invitee.").unwrap_or(&parameter);
    let first = bare.split('.').next().unwrap_or_default();
    match first {
        "email" => "attendee.email",
        "name" | "first_name" | "last_name" => "attendee.name",
        "timezone" => "attendee.time_zone",
        "text_reminder_number" => "attendee.phone",
        "start_time" => "when",
        "event_guests" => "guests",
        "questions_and_answers" => "answers",
        _ => return parameter,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response {
        Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_taken_start_in_all_its_forms() {
        for (status, body) in [
            (400, r#"{"title":"Invalid Argument","message":"x","details":[{"code":"already_filled"}]}"#),
            (409, r#"{"message":"This time is no longer available."}"#),
            (422, r#"{"message":"x","details":[{"parameter":"start_time","message":"is not available"}]}"#),
        ] {
            assert_eq!(of_booking(&answer(status, body)), Some(ProviderError::slot_taken()), "{body}");
        }
        for (status, body) in [
            (400, r#"{"message":"x","details":[{"parameter":"event_type","message":"is not available"}]}"#),
            (500, r#"{"message":"This time is no longer available."}"#),
            (400, "<html>"),
        ] {
            assert_ne!(of_booking(&answer(status, body)), Some(ProviderError::slot_taken()), "{body}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_as_berth_names_it() {
        for (parameter, expected) in [
            ("invitee.email", "attendee.email"),
            ("email", "attendee.email"),
            ("invitee/timezone", "attendee.time_zone"),
            ("event_guests[0]", "guests"),
            ("questions_and_answers.0.answer", "answers"),
            ("start_time", "when"),
            ("location.kind", "location.kind"),
        ] {
            let body = format!(r#"{{"details":[{{"parameter":"{parameter}","message":"is wrong"}}]}}"#);
            let expected = ProviderError::invalid(expected, "is wrong");
            assert_eq!(of_booking(&answer(400, &body)), Some(expected), "{parameter}");
        }
    }

    #[test]
    fn a_calendar_that_fails_may_answer_later() {
        assert_eq!(of_any(&answer(424, "{}")), Some(ProviderError::Unavailable(None)));
        assert_eq!(of_any(&answer(403, "{}")), None);
    }
}
