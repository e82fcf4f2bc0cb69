//! Answers to an event type's questions. Calendly wants each question's text as it is stored, case included, and its place.

use berth_sdk::{
    Result,
    types::{CreateRequest, FieldProblem, ProviderError},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::read;

#[derive(Deserialize)]
struct Question {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    position: u32,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    required: bool,
}

const fn yes() -> bool {
    true
}

/// `questions_and_answers`, in the order of the questions. Notes answer the first question for free text that has no answer of its own.
pub(super) fn answers(request: &CreateRequest, event_type: &Value) -> Result<Vec<Value>> {
    let questions = event_type.get("custom_questions").filter(|q| !q.is_null());
    let questions: Vec<Question> = questions.map_or_else(|| Ok(Vec::new()), |q| read("questions", q))?;
    let asked: Vec<&Question> = questions.iter().filter(|q| q.enabled).collect();
    let mut given: Vec<Option<String>> = vec![None; asked.len()];
    let mut problems = Vec::new();
    for answer in &request.answers {
        let field = format!("answers.{}", answer.question);
        let known = asked.iter().position(|q| same(&q.name, &answer.question));
        match (known.and_then(|at| given.get_mut(at)), plain(&answer.value)) {
            (Some(place), Ok(text)) => *place = Some(text),
            (None, _) => problems.push(FieldProblem { field, message: not_asked(&asked) }),
            (_, Err(message)) => problems.push(FieldProblem { field, message }),
        }
    }
    if let Some(notes) = &request.notes {
        let free = asked.iter().zip(&given).position(|(q, answer)| q.kind == "text" && answer.is_none());
        if let Some(place) = free.and_then(|at| given.get_mut(at)) {
            *place = Some(notes.clone());
        }
    }
    for (question, answer) in asked.iter().zip(&given) {
        if question.required && answer.as_ref().is_none_or(String::is_empty) {
            let field = format!("answers.{}", question.name);
            problems.push(FieldProblem { field, message: "is needed by the event type".to_owned() });
        }
    }
    if !problems.is_empty() {
        return Err(ProviderError::Invalid(problems));
    }
    let answered = asked.iter().zip(given).filter_map(|(q, answer)| Some((q, answer?)));
    let shown = |(q, answer): (&&Question, String)| json!({"question": q.name, "answer": answer, "position": q.position});
    Ok(answered.map(shown).collect())
}

fn same(stored: &str, given: &str) -> bool {
    stored.trim().to_lowercase() == given.trim().to_lowercase()
}

fn not_asked(asked: &[&Question]) -> String {
    if asked.is_empty() {
        return "the event type asks no questions".to_owned();
    }
    let names: Vec<String> = asked.iter().map(|q| format!("\"{}\"", q.name)).collect();
    format!("is no question of the event type; it asks {}", names.join(", "))
}

/// Calendly's answers are text; several choices are lines of it.
fn plain(json: &str) -> std::result::Result<String, String> {
    let value: Value = serde_json::from_str(json).map_err(|e| format!("is not JSON: {e}"))?;
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    let text = match &value {
        Value::Array(many) => many.iter().map(one).collect::<Option<Vec<_>>>().map(|lines| lines.join("\n")),
        other => one(other),
    };
    text.ok_or_else(|| "must be a text, a number, true or false, or a list of these".to_owned())
}

#[cfg(test)]
mod tests {
    use berth_sdk::types::Answer;

    use super::{super::create::tests::request, *};

    fn event_type() -> Value {
        let question = |name: &str, kind: &str, position: u32, enabled: bool, required: bool| {
            json!({"name": name, "type": kind, "position": position, "enabled": enabled, "required": required,
                "answer_choices": [], "include_other": false})
        };
        json!({"custom_questions": [question("Company?", "string", 0, true, true), question("Topics", "multi_select", 1, true, false),
            question("Old", "text", 2, false, true), question("Anything else?", "text", 3, true, false)]})
    }

    fn with(given: &[(&str, &str)], notes: Option<&str>) -> CreateRequest {
        let answer = |(question, value): &(&str, &str)| Answer {
            question: (*question).into(),
            value: (*value).into(),
        };
        CreateRequest {
            answers: given.iter().map(answer).collect(),
            notes: notes.map(str::to_owned),
            ..request()
        }
    }

    #[test]
    fn answers_get_the_stored_text_and_place() {
        let given = [("topics", r#"["a",2]"#), ("company? ", r#""Acme""#)];
        let expected = json!([
            {"question": "Company?", "answer": "Acme", "position": 0},
            {"question": "Topics", "answer": "a\n2", "position": 1},
            {"question": "Anything else?", "answer": "first visit", "position": 3}]);
        assert_eq!(json!(answers(&with(&given, Some("first visit")), &event_type()).unwrap()), expected);
    }

    #[test]
    fn notes_never_replace_an_answer() {
        let given = [("Company?", r#""Acme""#), ("Anything else?", r#""no""#)];
        let answers = answers(&with(&given, Some("first visit")), &event_type()).unwrap();
        assert_eq!(answers.last().unwrap()["answer"], "no");
        assert_eq!(answers.len(), 2);
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let given = [("Old", r#""x""#), ("Topics", "{}"), ("Shoe size", "junk")];
        let Err(ProviderError::Invalid(problems)) = answers(&with(&given, None), &event_type()) else {
            panic!("refused")
        };
        let fields: Vec<_> = problems.iter().map(|p| p.field.as_str()).collect();
        assert_eq!(fields, ["answers.Old", "answers.Topics", "answers.Shoe size", "answers.Company?"]);
        assert!(problems[0].message.contains("\"Anything else?\""));
    }

    #[test]
    fn an_event_type_without_questions() {
        assert!(answers(&with(&[], Some("first visit")), &json!({})).unwrap().is_empty());
        assert!(answers(&with(&[("a", "1")], None), &json!({"custom_questions": []})).is_err());
    }
}
