//! Answers: are they acceptable, and how are they written down?

use chrono::NaiveDate;
use serde_json::{Map, Number, Value};

use super::{Question, QuestionKind};
use crate::{
    json::pointer_part,
    limits::{ANSWER_LINE_CHARS_MAX, ANSWER_NUMBER_MAX, ANSWER_TEXT_CHARS_MAX, QUESTIONS_MAX},
    problem::FieldError,
    text::is_forbidden,
    validate::{EMAIL_FORM, PHONE_FORM, is_email, is_phone},
};

/// Options that a refusal names.
const OPTIONS_SHOWN: usize = 10;

/// Check a customer's answers and write them down in one form: text without space around it, an e-mail domain in small
/// letters, a telephone number as E.164, choices in the order of the options. What was left empty is left out.
///
/// Refused: a required question without an answer, an answer of the wrong form, an answer to what is not asked. Each refusal
/// names `/answers/<key>`. Accepted answers are accepted again, unchanged.
pub fn check_answers(
    questions: &[Question],
    answers: &Map<String, Value>,
) -> Result<Map<String, Value>, Vec<FieldError>> {
    if answers.len() > QUESTIONS_MAX {
        return Err(vec![FieldError::new("/answers", format!("must be at most {QUESTIONS_MAX} answers"))]);
    }
    let mut errors = Vec::new();
    let mut accepted = Map::new();
    for question in questions {
        let answer = answers.get(&question.key).unwrap_or(&Value::Null);
        match written(&question.kind, answer) {
            Ok(Some(Value::Bool(false))) if question.required => {
                errors.push(error(&question.key, "must be ticked (true)"));
            }
            Ok(Some(answer)) => {
                accepted.insert(question.key.clone(), answer);
            }
            Ok(None) if question.required => errors.push(error(&question.key, "must be answered")),
            Ok(None) => {}
            Err(message) => errors.push(error(&question.key, message)),
        }
    }
    for key in answers.keys().filter(|key| questions.iter().all(|q| q.key != **key)) {
        let asked: Vec<&str> = questions.iter().map(|q| q.key.as_str()).collect();
        let asked = if asked.is_empty() { "nothing".to_owned() } else { asked.join(", ") };
        errors.push(error(key, format!("is not asked; asked is {asked}")));
    }
    if errors.is_empty() { Ok(accepted) } else { Err(errors) }
}

fn error(key: &str, message: impl Into<String>) -> FieldError {
    FieldError::new(format!("/answers/{}", pointer_part(key)), message)
}

/// The answer as it is written down; none if there is none.
fn written(kind: &QuestionKind, answer: &Value) -> Result<Option<Value>, String> {
    match (kind, answer) {
        (_, Value::Null) => Ok(None),
        (QuestionKind::Checkbox, Value::Bool(ticked)) => Ok(Some(Value::Bool(*ticked))),
        (QuestionKind::Checkbox, _) => Err("must be true or false".to_owned()),
        (QuestionKind::Number { min, max }, Value::Number(number)) => {
            within(number, *min, *max).map(|()| Some(answer.clone()))
        }
        (QuestionKind::Number { .. }, _) => Err("must be a number".to_owned()),
        (QuestionKind::MultiSelect { options }, Value::Array(chosen)) => any_of(options, chosen),
        (QuestionKind::MultiSelect { .. }, _) => Err("must be a list of options".to_owned()),
        (_, Value::String(text)) if text.trim().is_empty() => Ok(None),
        (_, Value::String(text)) => text_written(kind, text.trim()).map(|text| Some(Value::String(text))),
        _ => Err("must be a text".to_owned()),
    }
}

fn text_written(kind: &QuestionKind, text: &str) -> Result<String, String> {
    match kind {
        QuestionKind::LongText { min_length, max_length } => {
            let text = text.replace("\r\n", "\n").replace('\r', "\n");
            if text.chars().any(|c| is_forbidden(c) && c != '\n' && c != '\t') {
                return Err("must not contain control characters".to_owned());
            }
            long_enough(&text, *min_length, max_length.unwrap_or(ANSWER_TEXT_CHARS_MAX)).map(|()| text)
        }
        QuestionKind::Email if is_email(text) => {
            let (local, domain) = text.split_once('@').unwrap_or((text, ""));
            Ok(format!("{local}@{}", domain.to_ascii_lowercase()))
        }
        QuestionKind::Email => Err(EMAIL_FORM.to_owned()),
        QuestionKind::Phone => {
            let number: String =
                text.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')' | '/')).collect();
            if is_phone(&number) { Ok(number) } else { Err(PHONE_FORM.to_owned()) }
        }
        QuestionKind::Date => NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .map(|date| date.to_string())
            .filter(|written| written == text)
            .ok_or_else(|| "must be a date such as 2026-11-20".to_owned()),
        QuestionKind::Select { options } if options.iter().any(|option| option == text) => {
            Ok(text.to_owned())
        }
        QuestionKind::Select { options } => Err(format!("must be one of {}", listed(options))),
        QuestionKind::Text { min_length, max_length } => {
            if text.chars().any(is_forbidden) {
                return Err("must be one line without control characters".to_owned());
            }
            long_enough(text, *min_length, max_length.unwrap_or(ANSWER_LINE_CHARS_MAX))
                .map(|()| text.to_owned())
        }
        // Not answered by a text; refused before.
        QuestionKind::Number { .. } | QuestionKind::MultiSelect { .. } | QuestionKind::Checkbox => {
            Err("must not be a text".to_owned())
        }
    }
}

fn long_enough(text: &str, least: Option<u32>, most: u32) -> Result<(), String> {
    let least = least.unwrap_or(1).max(1);
    let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    if (least..=most).contains(&length) {
        return Ok(());
    }
    Err(format!("must be {least} to {most} characters"))
}

fn within(number: &Number, min: Option<i64>, max: Option<i64>) -> Result<(), String> {
    let (least, most) = (min.unwrap_or(-ANSWER_NUMBER_MAX), max.unwrap_or(ANSWER_NUMBER_MAX));
    // Exact: the bounds are whole numbers that a float holds.
    let good = number.as_i64().map_or_else(
        || {
            let bounds = Number::from(least).as_f64().zip(Number::from(most).as_f64());
            number.as_f64().zip(bounds).is_some_and(|(n, (least, most))| least <= n && n <= most)
        },
        |n| (least..=most).contains(&n),
    );
    if good { Ok(()) } else { Err(format!("must be {least} to {most}")) }
}

/// The options for people: so many that they can be read.
fn listed(options: &[String]) -> String {
    let some: Vec<&str> = options.iter().take(OPTIONS_SHOWN).map(String::as_str).collect();
    let more = options.len().saturating_sub(OPTIONS_SHOWN);
    let some = some.join(", ");
    if more == 0 { some } else { format!("{some} and {more} more; see the question's options") }
}

fn any_of(options: &[String], chosen: &[Value]) -> Result<Option<Value>, String> {
    let known = |choice: &Value| choice.as_str().is_some_and(|c| options.iter().any(|o| o == c.trim()));
    if !chosen.iter().all(known) {
        return Err(format!("must be a list of some of {}", listed(options)));
    }
    // In the order of the options, each once.
    let chosen: Vec<Value> = options
        .iter()
        .filter(|option| chosen.iter().any(|c| c.as_str().is_some_and(|c| c.trim() == **option)))
        .map(|option| Value::String(option.clone()))
        .collect();
    Ok((!chosen.is_empty()).then_some(Value::Array(chosen)))
}
