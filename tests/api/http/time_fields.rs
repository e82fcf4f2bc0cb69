//! Every parameter and every field that the interface describes as a day or an instant, found in its own description: what lies beyond
//! both ends of time, or is written otherwise, is refused there by name.

use std::time::Instant;

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth_engine::OPERATOR_SCOPE;
use berth_tests::PATIENCE;
use serde_json::{Map, Value, json};

use crate::{
    Answer,
    http::time_bounds::{DAYS, Doors, INSTANTS, doors, encoded},
    key_of,
};

const ID: &str = "0193b3f0-0000-7000-8000-000000000000";
/// What no door takes as a day, besides [`DAYS`].
const NO_DAYS: &[&str] =
    &["+10000-01-01", "2026-02-30", "2026-11-24T00:30:00Z", "24.11.2026", "2026\u{2212}11\u{2212}24"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Day,
    Instant,
}

impl Kind {
    fn of(schema: &Value) -> Option<Self> {
        match schema["format"].as_str()? {
            "date" => Some(Self::Day),
            "date-time" => Some(Self::Instant),
            _ => None,
        }
    }

    fn bad(self) -> Vec<&'static str> {
        match self {
            Self::Day => DAYS.iter().chain(NO_DAYS).copied().collect(),
            Self::Instant => INSTANTS.to_vec(),
        }
    }
}

/// A described interface, and things that exist behind it.
struct Described {
    doors: Doors,
    document: Value,
    operator: String,
}

impl Described {
    async fn new() -> Self {
        let doors = doors().await;
        let document = doors.api.send("GET", "/openapi.json", None, &[], Value::Null).await.body;
        let operator = key_of(&doors.api.world, None, &[OPERATOR_SCOPE]).await;
        Self { doors, document, operator }
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(place) => self.document.pointer(place.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }

    /// The forms that a value of this schema may have: of each the parts that describe it together.
    fn forms<'a>(&'a self, schema: &'a Value) -> Vec<Vec<&'a Value>> {
        let schema = self.resolved(schema);
        let list = |of: &str| schema[of].as_array().into_iter().flatten();
        let both = |having: Vec<Vec<&'a Value>>, more: Vec<Vec<&'a Value>>| -> Vec<Vec<&'a Value>> {
            having.iter().flat_map(|have| more.iter().map(|more| [have.as_slice(), more].concat())).collect()
        };
        let all = list("allOf").fold(vec![vec![schema]], |having, part| both(having, self.forms(part)));
        let one: Vec<_> = list("oneOf").chain(list("anyOf")).flat_map(|part| self.forms(part)).collect();
        let forms = if one.is_empty() { all } else { both(all, one) };
        let is_null = |form: &Vec<&Value>| form.iter().any(|part| part["type"] == "null");
        forms.into_iter().filter(|form| !is_null(form)).collect()
    }

    /// Where days and instants stand in a value, as JSON Pointers, each in the least value that has it.
    fn places(&self, schema: &Value, depth: usize) -> Vec<(String, Kind, Value)> {
        assert!(depth < 16, "a schema within itself");
        let mut found = Vec::new();
        for form in self.forms(schema) {
            found.extend(
                form.iter().find_map(|part| Kind::of(part)).map(|kind| (String::new(), kind, Value::Null)),
            );
            for part in &form {
                for (name, inner) in part["properties"].as_object().into_iter().flatten() {
                    for (pointer, kind, value) in self.places(inner, depth + 1) {
                        let mut around = self.least(&form);
                        around[name] = value;
                        found.push((format!("/{name}{pointer}"), kind, around));
                    }
                }
                if part["items"].is_object() {
                    let items = self.places(&part["items"], depth + 1).into_iter();
                    found.extend(
                        items.map(|(pointer, kind, value)| (format!("/0{pointer}"), kind, json!([value]))),
                    );
                }
            }
        }
        found.dedup_by(|a, b| a.0 == b.0 && a.2 == b.2);
        found
    }

    /// The least object of this form.
    fn least(&self, form: &[&Value]) -> Value {
        let mut members = Map::new();
        for part in form {
            let required = part["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            // One of the two spellings of a pattern.
            for name in required.chain(["weekdays", "hours"]) {
                if let Some(inner) = part["properties"].get(name) {
                    members.insert(name.to_owned(), self.sample(name, inner));
                }
            }
        }
        Value::Object(members)
    }

    /// The least that fits a schema.
    fn sample(&self, name: &str, schema: &Value) -> Value {
        let doors = &self.doors;
        match name {
            "member" | "member_id" => return doors.member.clone(),
            "member_ids" => return json!([doors.member]),
            "listing_id" => return doors.listing.clone(),
            "event_type_id" => return doors.event_type.clone(),
            "time_zone" => return json!("UTC"),
            "weekdays" => return json!(["Mon"]),
            "hours" => return json!({ "start": "09:00", "end": "10:00" }),
            _ => {}
        }
        let form = self.forms(schema).swap_remove(0);
        if let Some(example) = form.iter().find_map(|part| part.get("example")) {
            return example.clone();
        }
        if let Some(one) = form.iter().find_map(|part| part["enum"].as_array()?.first()) {
            return one.clone();
        }
        let is = |kind: &str| {
            let names = |part: &&Value| {
                part["type"] == kind || part["type"].as_array().is_some_and(|of| of.contains(&json!(kind)))
            };
            form.iter().any(names)
        };
        match form.iter().find_map(|part| Kind::of(part)) {
            Some(Kind::Day) => json!("2026-12-01"),
            Some(Kind::Instant) => json!("2026-11-24T00:30:00Z"),
            None if is("string") => json!("x"),
            None if is("integer") || is("number") => json!(30),
            None if is("boolean") => json!(false),
            None if is("array") => json!([]),
            None => self.least(&form),
        }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let api = &self.doors.api;
        let began = Instant::now();
        let mut answer = api.send(method, path, Some(&api.key), &[], body.clone()).await;
        if answer.status == StatusCode::FORBIDDEN {
            answer = api.send(method, path, Some(&self.operator), &[], body).await;
        }
        assert!(began.elapsed() < PATIENCE, "{method} {path}: {:?}", began.elapsed());
        assert!(!answer.status.is_server_error(), "{method} {path}: {} {}", answer.status, answer.body);
        answer
    }

    fn path(&self, template: &str) -> String {
        let token = &self.doors.manage;
        let provider = if template.contains("/admin/") { "reference" } else { ID };
        let event_type = self.doors.event_type.as_str().unwrap();
        template
            .replace("event-types/{id}", &format!("event-types/{event_type}"))
            .replace("{id}", ID)
            .replace("{tenant}", "studio")
            .replace("{listing}", "quay")
            .replace("{link}", "nothing")
            .replace("{connection}", ID)
            .replace("{token}", token)
            .replace("{provider}", provider)
            .replace("{name}", "nothing")
            .replace("{webhook}", ID)
            .replace("{credential}", "nothing")
    }
}

/// A value with nothing but what stands at this pointer.
fn alone(pointer: &str, value: &Value) -> Value {
    pointer.rsplit('/').filter(|name| !name.is_empty()).fold(value.clone(), |value, name| match name {
        "0" => json!([value]),
        name => json!({ name: value }),
    })
}

/// Is the refusal about this field, or about what it is in?
fn names(answer: &Answer, field: &str) -> bool {
    let errors = answer.body["errors"].as_array().into_iter().flatten();
    errors.filter_map(|error| error["field"].as_str()).any(|named| {
        named == field || named.starts_with(&format!("{field}/")) || field.starts_with(&format!("{named}/"))
    })
}

#[tokio::test]
async fn every_parameter_that_is_a_time_is_refused_by_name() {
    let described = Described::new().await;
    let mut found = 0;
    for (template, methods) in described.document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters: Vec<&Value> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|p| p["in"] == "query")
                .collect();
            for parameter in &parameters {
                let name = parameter["name"].as_str().unwrap();
                let kind = described.forms(&parameter["schema"]).into_iter().flatten().find_map(Kind::of);
                let Some(kind) = kind else { continue };
                found += 1;
                let others =
                    parameters.iter().filter(|other| other["name"] != name && other["required"] == true);
                let others = others.map(|other| {
                    let other_name = other["name"].as_str().unwrap();
                    let value = described.sample(other_name, &other["schema"]);
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    format!("&{other_name}={}", encoded(&value))
                });
                let others: String = others.collect();
                for at in kind.bad() {
                    let path = format!("{}?{name}={}{others}", described.path(template), encoded(at));
                    let answer = described.ask(&method.to_uppercase(), &path, Value::Null).await;
                    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}: {}", answer.body);
                    assert!(names(&answer, name), "{path}: {}", answer.body);
                }
            }
        }
    }
    assert!(found >= 6, "only {found} parameters are described as times");
}

/// Days on which something ends that may have no end.
const OPEN_ENDS: [&str; 6] =
    ["/end_date", "/valid_to", "/last_date", "/to", "/pattern/end_date", "/pattern/valid_to"];

#[tokio::test]
async fn every_field_that_is_a_time_is_refused_by_name() {
    let described = Described::new().await;
    let (mut instants, mut days) = (0, 0);
    for (template, methods) in described.document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let (method, path) = (method.to_uppercase(), described.path(template));
            for (pointer, kind, whole) in described.places(schema, 0) {
                match kind {
                    Kind::Instant => instants += 1,
                    Kind::Day => days += 1,
                }
                for at in kind.bad() {
                    // As an end it means that there is none: see `as_written.rs`.
                    if at == "9999-12-31" && OPEN_ENDS.contains(&pointer.as_str()) {
                        continue;
                    }
                    let body = match kind {
                        // It is read before anything else is asked for.
                        Kind::Instant => alone(&pointer, &json!(at)),
                        // It is looked at with what stands beside it.
                        Kind::Day => {
                            let mut body = whole.clone();
                            *body.pointer_mut(&pointer).unwrap() = json!(at);
                            body
                        }
                    };
                    let answer = described.ask(&method, &path, body.clone()).await;
                    assert!(
                        matches!(answer.status.as_u16(), 400 | 422),
                        "{method} {path} {body}: {} {}",
                        answer.status,
                        answer.body
                    );
                    assert!(names(&answer, &pointer), "{method} {path} {pointer} {body}: {}", answer.body);
                }
            }
        }
    }
    println!("{instants} fields that are instants, {days} that are days");
    assert!(instants >= 8 && days >= 12, "{instants} instants and {days} days are described");
}

#[tokio::test]
async fn no_cursor_brings_a_time_in() {
    let described = Described::new().await;
    let Doors { api, event_type, .. } = &described.doors;
    api.ok("POST", "/api/booking", crate::booking(event_type, "2026-11-24T15:00:00Z")).await;
    let next = api.ok("GET", "/api/booking?limit=1", Value::Null).await["next"].as_str().unwrap().to_owned();
    let position: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(next).unwrap()).unwrap();
    let with = |at: &Value| -> Value {
        let position = position.to_string().replace("2026-11-24T09:00:00Z", "AT");
        serde_json::from_str(&position.replace("\"AT\"", &at.to_string())).unwrap()
    };
    assert_ne!(with(&json!("x")), position, "the cursor holds an instant");
    let mut lists = 0;
    for (template, methods) in described.document["paths"].as_object().unwrap() {
        let parameters = methods["get"]["parameters"].as_array().into_iter().flatten();
        if !parameters.clone().any(|parameter| parameter["name"] == "cursor") {
            continue;
        }
        lists += 1;
        let path = described.path(template);
        let joint = if path.ends_with("/mirror") { "?kind=client&" } else { "?" };
        let numbers = [json!(i64::MAX), json!(i64::MIN), json!(1e300), json!(null)];
        for at in INSTANTS.iter().map(|at| json!(at)).chain(numbers) {
            for position in [with(&at), at.clone(), json!([at, at]), json!({ "start": at, "id": ID })] {
                let cursor = URL_SAFE_NO_PAD.encode(position.to_string());
                let answer =
                    described.ask("GET", &format!("{path}{joint}cursor={cursor}"), Value::Null).await;
                if path == "/api/booking" {
                    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{position}: {}", answer.body);
                }
            }
        }
    }
    assert!(lists >= 8, "only {lists} lists have cursors");
}
