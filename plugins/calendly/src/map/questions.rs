//! Answers to an event type's questions. Calendly wants each question's text as it is stored, case included, and its place. Berth
//! names questions by keys of `a-z 0-9 _`, so each of Calendly's has one: `What is it about?` is `what_is_it_about`.

use berth_sdk::{
    Result,
    json::read,
    types::{CreateRequest, FieldProblem, ProviderError},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Longest key of a question, in characters: Berth's own limit.
const KEY_CHARS_MAX: usize = 64;

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
        let known = asked.iter().position(|q| q.is_called(&answer.question));
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
            let field = format!("answers.{}", question.key());
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

impl Question {
    /// Its key; by its place, `question_2`, where the text has no letters of that alphabet.
    fn key(&self) -> String {
        match key(&self.name) {
            key if key.is_empty() => format!("question_{}", self.position.saturating_add(1)),
            key => key,
        }
    }

    /// By its key, or by its text.
    fn is_called(&self, name: &str) -> bool {
        self.name.trim() == name.trim() || self.key() == key(name)
    }
}

/// The letters and digits of a text in lower case, everything between them as one `_`.
fn key(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").chars().take(KEY_CHARS_MAX).collect()
}

fn not_asked(asked: &[&Question]) -> String {
    if asked.is_empty() {
        return "the event type asks no questions".to_owned();
    }
    let names: Vec<String> = asked.iter().map(|q| format!("{} (\"{}\")", q.key(), q.name)).collect();
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
    use berth_sdk::{
        testing::create_request,
        types::{Answer, Interval},
    };

    use super::*;

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
            ..create_request("k1", "r_1", "ET1", Interval { start: 0, end: 1 })
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
    fn questions_have_keys() {
        let question = |name: &str| Question {
            name: name.to_owned(),
            kind: "text".to_owned(),
            position: 1,
            enabled: true,
            required: false,
        };
        for (name, key) in [
            ("What is it about?", "what_is_it_about"),
            ("  E-mail / phone 2 ", "e_mail_phone_2"),
            ("Компания?", "question_2"),
            (&"a".repeat(80), &"a".repeat(64)),
        ] {
            assert_eq!(question(name).key(), key, "{name}");
            assert!(question(name).is_called(key) && question(name).is_called(name), "{name}");
        }
        assert!(!question("Company?").is_called("companies"));
        assert!(!question("Компания?").is_called("Город?"));
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
        assert_eq!(fields, ["answers.Old", "answers.Topics", "answers.Shoe size", "answers.company"]);
        assert!(problems[0].message.contains("anything_else (\"Anything else?\")"));
    }

    #[test]
    fn an_event_type_without_questions() {
        assert!(answers(&with(&[], Some("first visit")), &json!({})).unwrap().is_empty());
        assert!(answers(&with(&[("a", "1")], None), &json!({"custom_questions": []})).is_err());
    }
}
