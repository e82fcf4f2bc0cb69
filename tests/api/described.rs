//! Every answer of this suite is what the interface's description says of it: a status that the operation is described with, of a media type
//! that is named there, and with the members that its schema names, and no others.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, http::Request};
use berth_model::tenants::version::ApiVersion;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;
use tower::ServiceExt;

use crate::Answer;

/// The description, and what was made of it so far.
pub(crate) struct Described {
    document: Value,
    /// Schemas in which no member may stand that is not named, and beside them the same as they are, for what is put together of several.
    schemas: Value,
    made: Mutex<BTreeMap<String, Arc<Validator>>>,
}

/// The one that this build serves.
pub(crate) async fn described(router: &Router) -> &'static Described {
    static DESCRIBED: OnceCell<Described> = OnceCell::const_new();
    DESCRIBED
        .get_or_init(async || {
            let request = Request::builder().uri("/openapi.json").body(Body::empty()).unwrap();
            let answer = Answer::of(router.clone().oneshot(request).await.unwrap()).await;
            let open = answer.body["components"]["schemas"].clone();
            let mut closed = open.clone();
            closed.as_object_mut().unwrap().values_mut().for_each(close);
            let schemas = json!({ "schemas": closed, "open": open });
            Described { document: answer.body, schemas, made: Mutex::default() }
        })
        .await
}

/// Let no member stand in an object but those that are named.
fn close(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Object(members) => {
            // What is put together of several names its members in all of them.
            if let Some(Value::Array(parts)) = members.get_mut("allOf") {
                parts.iter_mut().for_each(open);
            }
            let names_members = members.contains_key("properties") || members.contains_key("allOf");
            if names_members && !members.contains_key("additionalProperties") {
                members.insert("unevaluatedProperties".to_owned(), json!(false));
            }
            let inner = members
                .iter_mut()
                .filter(|(name, _)| !["allOf", "example", "default"].contains(&name.as_str()));
            inner.for_each(|(_, value)| close(value));
        }
        _ => {}
    }
}

/// A part of several: as it is, with what it refers to.
fn open(part: &mut Value) {
    if let Some(Value::String(reference)) = part.get_mut("$ref") {
        *reference = reference.replace("#/components/schemas/", "#/components/open/");
    }
}

impl Described {
    /// Methods and paths of all operations.
    pub(crate) fn operations(&self) -> Vec<(String, String)> {
        let of = |(path, methods): (&String, &Value)| {
            let methods = methods.as_object().unwrap().keys().filter(|method| *method != "parameters");
            methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        };
        self.document["paths"].as_object().unwrap().iter().flat_map(of).collect()
    }

    /// The path of an operation as it is described, if there is one.
    pub(crate) fn template(&self, method: &str, path: &str) -> Option<&str> {
        let asked = path.split('?').next().unwrap_or(path);
        let paths = self.document["paths"].as_object().unwrap();
        paths
            .iter()
            .filter(|(template, methods)| {
                methods.get(method.to_lowercase()).is_some() && is_of(template, asked)
            })
            .map(|(template, _)| template.as_str())
            // What stands there as it is goes before what is filled in.
            .min_by_key(|template| template.matches('{').count())
    }

    /// An answer in the latest version is as it is described.
    pub(crate) fn hold(&self, method: &str, path: &str, answer: &Answer) {
        let Some(template) = self.template(method, path) else { return };
        let version = answer.headers.get("berth-version").map(|version| version.to_str().unwrap());
        if version.is_some_and(|version| version != ApiVersion::LATEST.as_str()) {
            return;
        }
        let status = answer.status.as_u16().to_string();
        let name = format!("{method} {template} {status}");
        let operation = &self.document["paths"][template][method.to_lowercase()];
        let Some(response) = operation["responses"].get(&status) else {
            panic!("{name} is not described: {}", answer.text)
        };
        let response = match response["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => response,
        };
        let kind = answer.headers.get("content-type").map(|kind| kind.to_str().unwrap());
        let none = Map::new();
        let content = response["content"].as_object().unwrap_or(&none);
        let Some(kind) = kind.map(|kind| kind.split(';').next().unwrap_or_default()) else {
            assert!(
                content.is_empty() || answer.text.is_empty(),
                "{name} has no media type: {}",
                answer.text
            );
            return;
        };
        let Some(of) = content.get(kind).or_else(|| content.get("*/*")) else {
            panic!("{name} is {kind}, and described as {:?}", content.keys())
        };
        assert!(!of["schema"].is_null(), "{name} has no schema");
        if kind.ends_with("json") {
            self.validator(&name, kind, &of["schema"], &answer.body);
        }
    }

    fn validator(&self, name: &str, kind: &str, schema: &Value, body: &Value) {
        let mut made = self.made.lock().unwrap();
        let validator = made.entry(format!("{name} {kind}")).or_insert_with(|| {
            let mut schema = schema.clone();
            close(&mut schema);
            schema["components"] = self.schemas.clone();
            let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
            Arc::new(options.build(&schema).unwrap_or_else(|error| panic!("{name}: {error}")))
        });
        let validator = validator.clone();
        drop(made);
        let wrong: Vec<_> =
            validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{name} is out of its schema: {wrong:#?}\n{body:#}");
    }
}

fn is_of(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(part), Some(asked)) if part == asked || part.starts_with('{') => {}
            _ => return false,
        }
    }
}
