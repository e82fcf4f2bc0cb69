//! Exchanges against a provider's own description (OpenAPI 3.0, or Google's discovery format), when `BERTH_PROVIDER_SPECS` names the folder that has it.
//!
//! What a plugin sends and what a simulator answers is compared with the published schemas. Two things are read more loosely than they are
//! written, since the descriptions are generated and say more than they mean: `oneOf` as `anyOf` (their alternatives overlap), and
//! `nullable` as JSON Schema's null.

mod discovery;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// Violations that are kept of one simulator.
const VIOLATIONS_MAX: usize = 50;

/// Exchanges of a kind that are all looked at, and of which one is looked at from then on.
const LOOKS_FIRST: u64 = 20;
const LOOKS_THEN: u64 = 200;

/// An exchange to be checked.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a [(String, String)],
    /// JSON; null for none.
    pub request: &'a Value,
    pub status: u16,
    /// JSON; null for none.
    pub response: &'a Value,
}

/// A provider's description.
pub struct Spec {
    document: Value,
    /// Method, path by segments (`{…}` for any), and the pointer to the operation.
    operations: Vec<(String, Vec<String>, String)>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
    /// How often each kind of exchange was seen.
    seen: Mutex<HashMap<(String, String, u16), u64>>,
}

static LOADED: LazyLock<Mutex<BTreeMap<String, Option<Arc<Spec>>>>> = LazyLock::new(Mutex::default);

impl Spec {
    /// The description in this file, if there is the folder and the file.
    #[must_use]
    pub fn named(file: &str) -> Option<Arc<Self>> {
        let folder = PathBuf::from(std::env::var_os("BERTH_PROVIDER_SPECS")?);
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let load = || {
            let text = std::fs::read_to_string(folder.join(file)).ok()?;
            let document = if file.ends_with(".json") {
                serde_json::from_str(&text).expect("a description is JSON")
            } else {
                serde_saphyr::from_str(&text).expect("a description is YAML")
            };
            Some(Arc::new(Self::new(document)))
        };
        loaded.entry(file.to_owned()).or_insert_with(load).clone()
    }

    fn new(mut document: Value) -> Self {
        if discovery::is_one(&document) {
            document = discovery::as_openapi(&document);
        }
        loosened(&mut document);
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for method in item.as_object().into_iter().flatten().map(|(method, _)| method) {
                let segments = path.trim_matches('/').split('/').map(str::to_owned).collect();
                let pointer = format!("/paths/{}/{method}", path.replace('~', "~0").replace('/', "~1"));
                operations.push((method.to_uppercase(), segments, pointer));
            }
        }
        Self { document, operations, validators: Mutex::default(), seen: Mutex::default() }
    }

    /// Is it worth a look? All of the first, then some: a simulation makes ten thousands that are alike, and each look costs a while.
    fn is_due(&self, exchange: Exchange<'_>) -> bool {
        let words = |segment: &str| segment.len() < 20 && !segment.bytes().any(|b| b.is_ascii_digit());
        let shape: Vec<&str> = exchange.path.split('/').map(|s| if words(s) { s } else { "{}" }).collect();
        let key = (exchange.method.to_owned(), shape.join("/"), exchange.status);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let count = seen.entry(key).or_default();
        *count += 1;
        *count <= LOOKS_FIRST || count.is_multiple_of(LOOKS_THEN)
    }

    /// What is wrong with an exchange. A path or status that is not described is wrong too.
    pub fn problems(&self, exchange: Exchange<'_>) -> Vec<String> {
        let line = format!("{} {}", exchange.method, exchange.path);
        let Some(pointer) = self.operation(exchange.method, exchange.path) else {
            return vec![format!("{line}: is not described")];
        };
        let operation = self.document.pointer(&pointer).unwrap_or(&Value::Null);
        let mut problems = Vec::new();
        let known: Vec<&Value> =
            operation["parameters"].as_array().into_iter().flatten().map(|p| self.resolved(p)).collect();
        for (name, _) in exchange.query {
            if !known.iter().any(|p| p["in"] == "query" && p["name"] == name.as_str()) {
                problems.push(format!("{line}: has no query parameter {name}"));
            }
        }
        // A refused request may be wrong; so may the answer to it, which the descriptions leave out.
        if exchange.status >= 400 {
            return problems;
        }
        for parameter in known.iter().filter(|p| p["in"] == "query" && p["required"] == true) {
            if !exchange.query.iter().any(|(name, _)| parameter["name"] == name.as_str()) {
                problems.push(format!("{line}: misses the query parameter {}", parameter["name"]));
            }
        }
        let body = format!("{pointer}/requestBody/content/application~1json/schema");
        problems.extend(self.against(&line, "sends", &body, exchange.request));
        let answer = format!("{pointer}/responses/{}/content/application~1json/schema", exchange.status);
        problems.extend(self.against(&line, "answers", &answer, exchange.response));
        problems
    }

    fn operation(&self, method: &str, path: &str) -> Option<String> {
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let fits = |template: &[String]| {
            template.len() == segments.len()
                && template.iter().zip(&segments).all(|(t, s)| t.starts_with('{') || t == s)
        };
        // A path written out goes before one with a place for anything.
        let fitting = self.operations.iter().filter(|(m, template, _)| m == method && fits(template));
        let best =
            fitting.min_by_key(|(_, template, _)| template.iter().filter(|t| t.starts_with('{')).count());
        best.map(|(.., pointer)| pointer.clone())
    }

    /// Is there anything about this method and path?
    fn describes(&self, method: &str, path: &str) -> bool {
        self.operation(method, path).is_some()
    }

    /// What a reference leads to.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = value["$ref"].as_str().and_then(|r| self.document.pointer(r.strip_prefix('#')?));
        target.unwrap_or(value)
    }

    fn against(&self, line: &str, does: &str, schema: &str, body: &Value) -> Vec<String> {
        let Some(validator) = self.validator(schema) else { return Vec::new() };
        if validator.is_valid(body) {
            return Vec::new();
        }
        validator
            .iter_errors(body)
            .take(5)
            .map(|e| format!("{line} {does} {}: {e}", e.instance_path()))
            .collect()
    }

    fn validator(&self, pointer: &str) -> Option<Arc<Validator>> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = validators.get(pointer) {
            return Some(Arc::clone(known));
        }
        let schema = self.document.pointer(pointer)?;
        // References begin at the top of the document.
        let whole = json!({ "components": self.document["components"], "allOf": [schema] });
        let made = Arc::new(jsonschema::draft202012::new(&whole).expect("a schema"));
        validators.insert(pointer.to_owned(), Arc::clone(&made));
        Some(made)
    }
}

fn loosened(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(loosened),
        Value::Object(object) => {
            object.values_mut().for_each(loosened);
            if let Some(Value::Array(alternatives)) = object.remove("oneOf") {
                object.insert("anyOf".to_owned(), Value::Array(alternatives));
            }
            if object.remove("nullable") == Some(Value::Bool(true)) {
                let schema = Value::Object(std::mem::take(object));
                *object = Map::from_iter([("anyOf".to_owned(), json!([schema, { "type": "null" }]))]);
            }
        }
        _ => {}
    }
}

/// Where a description is wrong about its service.
#[derive(Debug, Clone, Copy)]
pub struct Mistake {
    /// How the finding begins: method and path.
    pub at: &'static str,
    /// What it contains besides.
    pub says: &'static str,
    /// What is known to be so instead.
    pub because: &'static str,
}

/// What one simulator saw that its provider's description does not allow.
#[derive(Default)]
pub struct Findings {
    /// The newest description first.
    specs: Vec<Arc<Spec>>,
    mistakes: &'static [Mistake],
    violations: Vec<String>,
}

impl Findings {
    /// Compare with the description in this file, if it is there, but for where it is known to be wrong.
    #[must_use]
    pub fn with(file: &str, mistakes: &'static [Mistake]) -> Self {
        Self { specs: Spec::named(file).into_iter().collect(), mistakes, violations: Vec::new() }
    }

    /// What is not described there is described in this file, which is older.
    #[must_use]
    pub fn and(mut self, file: &str) -> Self {
        self.specs.extend(Spec::named(file));
        self
    }

    /// Look at an exchange.
    pub fn look(&mut self, exchange: Exchange<'_>) {
        let describing = self.specs.iter().find(|spec| spec.describes(exchange.method, exchange.path));
        let Some(spec) = describing.or(self.specs.first()).filter(|spec| spec.is_due(exchange)) else {
            return;
        };
        let problems = spec.problems(exchange);
        self.note(problems);
    }

    /// Look at a message that the service sends: it is what the schema of this name says.
    pub fn look_at_message(&mut self, schema: &str, body: &Value) {
        let pointer = format!("/components/schemas/{schema}");
        let spec = self.specs.iter().find(|spec| spec.document.pointer(&pointer).is_some());
        let problems = spec.map(|spec| spec.against(schema, "says", &pointer, body)).unwrap_or_default();
        self.note(problems);
    }

    fn note(&mut self, problems: Vec<String>) {
        for problem in problems {
            let known = self.mistakes.iter().any(|m| problem.starts_with(m.at) && problem.contains(m.says));
            if !known && self.violations.len() < VIOLATIONS_MAX && !self.violations.contains(&problem) {
                self.violations.push(problem);
            }
        }
    }

    /// What was found so far.
    #[must_use]
    pub fn violations(&self) -> &[String] {
        &self.violations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        Spec::new(json!({
            "paths": { "/v1/things/{id}": { "post": {
                "parameters": [{ "in": "query", "name": "dry", "required": true }, { "$ref": "#/components/parameters/Page" }],
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
                "responses": { "201": { "content": { "application/json": { "schema": { "oneOf": [
                    { "$ref": "#/components/schemas/Thing" }, { "type": "object" } ] } } } } }
            } } },
            "components": { "parameters": { "Page": { "in": "query", "name": "page" } }, "schemas": { "Thing": {
                "type": "object", "required": ["name"],
                "properties": { "name": { "type": "string" }, "note": { "type": "string", "nullable": true } }
            } } }
        }))
    }

    fn problems(path: &str, query: &[(&str, &str)], request: Value, response: Value) -> Vec<String> {
        let query: Vec<_> = query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let (request, response) = (&request, &response);
        spec().problems(Exchange { method: "POST", path, query: &query, request, status: 201, response })
    }

    #[test]
    fn what_is_not_described_is_found() {
        let good = json!({ "name": "a", "note": null });
        let dry = [("dry", "1"), ("page", "2")];
        assert_eq!(problems("/v1/things/7", &dry, good.clone(), good.clone()), Vec::<String>::new());
        for (path, query, request, response, said) in [
            ("/v1/other", &dry[..], good.clone(), good.clone(), "not described"),
            ("/v1/things/7", &[], good.clone(), good.clone(), "misses the query parameter"),
            (
                "/v1/things/7",
                &[("dry", "1"), ("wet", "1")],
                good.clone(),
                good.clone(),
                "no query parameter wet",
            ),
            ("/v1/things/7", &dry, json!({}), good.clone(), "sends"),
            ("/v1/things/7", &dry, json!({ "name": null }), good.clone(), "sends"),
            ("/v1/things/7", &dry, good.clone(), json!([]), "answers"),
        ] {
            let found = problems(path, query, request, response);
            assert!(matches!(found.as_slice(), [one] if one.contains(said)), "{said}: {found:?}");
        }
    }

    #[test]
    fn the_newest_description_counts_and_mistakes_are_passed_over() {
        let newer = json!({
            "paths": { "/v1/things/{id}": { "post": { "requestBody": { "content": { "application/json": { "schema": {
                "type": "object", "required": ["title"] } } } } } } },
            "components": { "schemas": { "News": { "type": "object", "required": ["event"] } } }
        });
        const MISTAKES: &[Mistake] = &[Mistake { at: "News", says: "event", because: "it is a test" }];
        let found = |mistakes, path: &str, request: Value| {
            let specs = vec![Arc::new(Spec::new(newer.clone())), Arc::new(spec())];
            let mut findings = Findings { specs, mistakes, violations: Vec::new() };
            let (request, response) = (&request, &Value::Null);
            findings.look(Exchange { method: "POST", path, query: &[], request, status: 200, response });
            findings.look_at_message("News", &json!({}));
            findings.violations().to_vec()
        };
        let (title, name) = (json!({ "title": "a" }), json!({ "name": "a" }));
        assert_eq!(found(MISTAKES, "/v1/things/7", title.clone()), Vec::<String>::new());
        assert_eq!(found(MISTAKES, "/v1/things/7", name).len(), 1, "the older one would take it");
        assert_eq!(found(&[], "/v1/things/7", title.clone()).len(), 1, "the message is wrong");
        assert_eq!(found(MISTAKES, "/v1/other", title), ["POST /v1/other: is not described"]);
    }
}
