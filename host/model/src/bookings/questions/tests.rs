use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::validate::Fields;

fn questions() -> Vec<Question> {
    let questions = json!([
        { "key": "name", "label": "Company", "type": "text", "min_length": 2, "max_length": 10, "required": true },
        { "key": "why", "label": "Why?", "type": "long_text" },
        { "key": "mail", "label": "Invoice to", "type": "email" },
        { "key": "phone", "label": "Call", "type": "phone" },
        { "key": "size", "label": "How many?", "type": "number", "min": 1, "max": 8 },
        { "key": "room", "label": "Room", "type": "select", "options": ["red", "blue"] },
        { "key": "extras", "label": "Extras", "type": "multi_select", "options": ["tea", "cake", "soup"] },
        { "key": "terms", "label": "Agreed", "type": "checkbox", "required": true },
        { "key": "born", "label": "Born", "type": "date" },
    ]);
    serde_json::from_value(questions).unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("an object") };
    map
}

fn check(answers: Value) -> Result<Value, Vec<(String, String)>> {
    check_answers(&questions(), &object(answers))
        .map(Value::Object)
        .map_err(|errors| errors.into_iter().map(|e| (e.field, e.message)).collect())
}

#[test]
fn answers_are_written_in_one_form() {
    let answers = json!({
        "name": "  Żubr  ", "why": "a\r\nb\rc\n", "mail": " Ada@Example.COM", "phone": "+48 (600) 100-200",
        "size": 2.5, "room": "blue ", "extras": ["soup", "tea", "soup"], "terms": true, "born": "1990-02-28",
    });
    let written = json!({
        "name": "Żubr", "why": "a\nb\nc", "mail": "Ada@example.com", "phone": "+48600100200",
        "size": 2.5, "room": "blue", "extras": ["tea", "soup"], "terms": true, "born": "1990-02-28",
    });
    assert_eq!(check(answers), Ok(written));
}

#[test]
fn what_is_left_empty_is_left_out() {
    let answers =
        json!({ "name": "Ada", "terms": true, "why": " \n", "mail": "", "extras": [], "size": null });
    assert_eq!(check(answers), Ok(json!({ "name": "Ada", "terms": true })));
}

#[test]
fn each_bad_answer_is_named() {
    for (key, bad, says) in [
        ("name", json!(null), "answered"),
        ("name", json!(" "), "answered"),
        ("name", json!("A"), "2 to 10 characters"),
        ("name", json!("abcdefghijk"), "2 to 10 characters"),
        ("name", json!("a\nb"), "one line"),
        ("name", json!(7), "a text"),
        ("why", json!("a\u{0}b"), "control"),
        ("why", json!("x".repeat(4_001)), "1 to 4000"),
        ("mail", json!("nobody"), "e-mail"),
        ("phone", json!("600 100 200"), "E.164"),
        ("phone", json!("+0123456789"), "E.164"),
        ("phone", json!("+48 six"), "E.164"),
        ("size", json!("2"), "a number"),
        ("size", json!(0), "1 to 8"),
        ("size", json!(0.999), "1 to 8"),
        ("size", json!(8.001), "1 to 8"),
        ("size", json!(u64::MAX), "1 to 8"),
        ("size", json!(1e300), "1 to 8"),
        ("room", json!("green"), "red, blue"),
        ("room", json!(["red"]), "a text"),
        ("extras", json!("tea"), "a list"),
        ("extras", json!(["tea", "beer"]), "tea, cake, soup"),
        ("extras", json!([1]), "tea, cake, soup"),
        ("terms", json!(false), "ticked"),
        ("terms", json!("yes"), "true or false"),
        ("born", json!("1990-02-30"), "a date"),
        ("born", json!("1990-2-3"), "a date"),
        ("born", json!("28.02.1990"), "a date"),
        ("a/b~", json!("x"), "not asked"),
    ] {
        let mut answers = json!({ "name": "Ada", "terms": true });
        answers[key] = bad.clone();
        let errors = check(answers).unwrap_err();
        let field = format!("/answers/{}", key.replace('~', "~0").replace('/', "~1"));
        assert_eq!(errors.len(), 1, "{key} {bad}: {errors:?}");
        assert_eq!(errors[0].0, field);
        assert!(errors[0].1.contains(says), "{key} {bad}: {}", errors[0].1);
    }
}

#[test]
fn all_bad_answers_are_named_at_once() {
    let errors = check(json!({ "size": 9, "typo": 1 })).unwrap_err();
    let fields: Vec<&str> = errors.iter().map(|e| e.0.as_str()).collect();
    assert_eq!(fields, ["/answers/name", "/answers/size", "/answers/terms", "/answers/typo"]);
}

#[test]
fn too_many_answers_are_refused_without_a_list() {
    let answers: Map<String, Value> = (0..51).map(|n| (format!("k{n}"), json!(n))).collect();
    let errors = check_answers(&questions(), &answers).unwrap_err();
    assert_eq!((errors.len(), errors[0].field.as_str()), (1, "/answers"));
}

#[test]
fn a_refusal_names_some_of_many_options() {
    let options: Vec<String> = (0..300).map(|n| format!("option {n}")).collect();
    let asked = json!([{ "key": "a", "label": "x", "type": "select", "options": options }]);
    let asked: Vec<Question> = serde_json::from_value(asked).unwrap();
    let errors = check_answers(&asked, &object(json!({ "a": "none" }))).unwrap_err();
    assert!(errors[0].message.ends_with("option 9 and 290 more; see the question's options"));
}

#[test]
fn bad_questions_are_named() {
    for (question, field) in [
        (json!({ "key": "Name", "label": "x", "type": "text" }), "/q/1/key"),
        (json!({ "key": "", "label": "x", "type": "text" }), "/q/1/key"),
        (json!({ "key": "name", "label": "x", "type": "text" }), "/q/1/key"),
        (json!({ "key": "a", "label": " ", "type": "text" }), "/q/1/label"),
        (json!({ "key": "a", "label": "x", "type": "text", "max_length": 501 }), "/q/1/max_length"),
        (
            json!({ "key": "a", "label": "x", "type": "text", "max_length": 5, "min_length": 6 }),
            "/q/1/min_length",
        ),
        (json!({ "key": "a", "label": "x", "type": "long_text", "max_length": 0 }), "/q/1/max_length"),
        (json!({ "key": "a", "label": "x", "type": "number", "min": 2, "max": 1 }), "/q/1/max"),
        (json!({ "key": "a", "label": "x", "type": "number", "min": i64::MIN }), "/q/1/min"),
        (json!({ "key": "a", "label": "x", "type": "select", "options": [] }), "/q/1/options"),
        (json!({ "key": "a", "label": "x", "type": "select", "options": ["a", "a"] }), "/q/1/options/1"),
        (json!({ "key": "a", "label": "x", "type": "multi_select", "options": ["a", ""] }), "/q/1/options/1"),
        (json!({ "key": "a", "label": "x", "type": "multi_select", "options": [" a"] }), "/q/1/options/0"),
    ] {
        let first = json!({ "key": "name", "label": "Name", "type": "text" });
        let asked: Vec<Question> = serde_json::from_value(json!([first, question])).unwrap();
        let mut fields = Fields::default();
        check_questions(&asked, "/q", &mut fields);
        let fields: Vec<String> = fields.into_errors().into_iter().map(|e| e.field).collect();
        assert_eq!(fields, [field], "{question}");
    }
    let mut fields = Fields::default();
    check_questions(&questions(), "/q", &mut fields);
    assert_eq!(fields.into_errors(), []);
}

#[test]
fn members_of_another_type_are_refused() {
    for (question, says) in [
        (json!({ "key": "a", "label": "x", "type": "date", "max_length": 3 }), "max_length is only for"),
        (json!({ "key": "a", "label": "x", "type": "text", "min": 3 }), "min is only for"),
        (json!({ "key": "a", "label": "x", "type": "text", "options": ["a"] }), "options is only for"),
        (json!({ "key": "a", "label": "x", "type": "select" }), "need options"),
        (json!({ "key": "a", "label": "x", "type": "colour" }), "unknown variant"),
        (json!({ "key": "a", "label": "x", "type": "text", "requierd": true }), "unknown field"),
    ] {
        let error = serde_json::from_value::<Question>(question).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn forms_have_other_names_for_types() {
    for (question, shown) in [
        (json!({ "id": "a", "label": "x", "type": "textarea" }), json!({ "type": "long_text" })),
        (json!({ "id": "a", "label": "x", "type": "tel", "options": [] }), json!({ "type": "phone" })),
        (
            json!({ "id": "a", "label": "x", "type": "radio", "options": ["b"] }),
            json!({ "type": "select", "options": ["b"] }),
        ),
        (
            json!({ "id": "a", "label": "x", "type": "checkbox", "options": ["b"] }),
            json!({ "type": "multi_select", "options": ["b"] }),
        ),
        (
            json!({ "id": "a", "label": "x", "type": "checkbox", "options": [] }),
            json!({ "type": "checkbox" }),
        ),
    ] {
        let read: Question = serde_json::from_value(question).unwrap();
        let mut expected = json!({ "key": "a", "label": "x", "required": false });
        expected.as_object_mut().unwrap().extend(shown.as_object().unwrap().clone());
        assert_eq!(serde_json::to_value(read).unwrap(), expected);
    }
}

#[test]
fn questions_are_read_as_they_are_written() {
    let written = serde_json::to_value(questions()).unwrap();
    assert_eq!(serde_json::from_value::<Vec<Question>>(written).unwrap(), questions());
}

/// Any JSON, with texts that come near to what is asked for.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        ".{0,12}",
        "\\+[0-9 ().-]{5,18}",
        "[a-zA-Z]{1,4}@[A-Za-z.]{1,8}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "[ \\r\\n\\ta-c]{0,8}",
        Just("red ".to_owned()),
        Just("tea".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_i64..10).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,4}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn accepted_answers_are_accepted_again_unchanged(
        asked in prop::sample::subsequence(questions(), 0..=9),
        given in prop::collection::vec((prop::sample::select(vec!["name", "why", "mail", "phone", "size", "room", "extras", "terms", "born", "x"]), any_json()), 0..6),
    ) {
        let answers: Map<String, Value> = given.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        match check_answers(&asked, &answers) {
            Ok(accepted) => prop_assert_eq!(check_answers(&asked, &accepted), Ok(accepted)),
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                for error in errors {
                    prop_assert!(error.field.starts_with("/answers/"), "{}", error.field);
                }
            }
        }
    }

    #[test]
    fn each_kind_survives_any_answer(asked in prop::sample::select(questions()), answer in any_json()) {
        let answers = Map::from_iter([(asked.key.clone(), answer)]);
        let asked = [asked];
        if let Ok(accepted) = check_answers(&asked, &answers) {
            prop_assert_eq!(check_answers(&asked, &accepted), Ok(accepted));
        }
    }

    #[test]
    fn any_question_is_read_or_refused(question in any_json(), key in ".{0,3}", kind in prop::sample::select(vec!["text", "select", "number"])) {
        let _ = serde_json::from_value::<Question>(question.clone());
        let near = json!({ "key": key, "label": "x", "type": kind, "options": question, "min": question });
        if let Ok(question) = serde_json::from_value::<Question>(near) {
            let mut fields = Fields::default();
            check_questions(&[question], "/q", &mut fields);
        }
    }
}
