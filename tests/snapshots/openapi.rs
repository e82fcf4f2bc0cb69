//! The HTTP interface as text, cut by tag: a change of one resource shows in one file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::{Map, Value, json};

use super::{root, settings, updating};

/// Beside this file.
const FOLDER: &str = "openapi";
/// What several tags use, and what stands beside all of them.
const SHARED: &str = "shared";
const SCHEMAS: &str = "#/components/schemas/";

/// Every route with its parameters, bodies and answers: a file for each tag, with the schemas that it alone uses, and one for the rest.
#[test]
fn the_http_interface() {
    let parts = cut(serde_json::to_value(berth_server::openapi()).unwrap());
    let mut settings = settings();
    settings.set_snapshot_path(FOLDER);
    settings.bind(|| {
        for (name, part) in &parts {
            insta::assert_json_snapshot!(name.as_str(), part);
        }
    });
    for entry in fs::read_dir(root().join("tests/snapshots").join(FOLDER)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if parts.contains_key(name) {
            continue;
        }
        if updating() {
            fs::remove_file(&path).unwrap();
        } else if path.extension().is_some_and(|ending| ending == "snap") {
            panic!("{} is of a tag that is not there any more", path.display());
        }
    }
}

/// The document by tag. Each operation has one; a schema belongs to the tag whose operations alone lead to it.
fn cut(mut document: Value) -> BTreeMap<String, Value> {
    let paths = document["paths"].take();
    let mut schemas = document["components"]["schemas"].take();
    let mut parts: BTreeMap<String, (Map<String, Value>, BTreeSet<String>)> = BTreeMap::new();
    for (path, methods) in paths.as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let [tag] = operation["tags"].as_array().unwrap().as_slice() else {
                panic!("{method} {path} has not one tag: {}", operation["tags"])
            };
            let name = tag.as_str().unwrap().replace(' ', "_");
            assert_ne!(name, SHARED);
            let (paths, used) = parts.entry(name).or_default();
            let there = paths.entry(path).or_insert_with(|| json!({}));
            there[method] = operation.clone();
            follow(operation, &schemas, used);
        }
    }
    let users = |schema: &String| parts.values().filter(|(_, used)| used.contains(schema)).count();
    let own: BTreeSet<String> =
        schemas.as_object().unwrap().keys().filter(|name| users(name) == 1).cloned().collect();
    let mut cut = BTreeMap::new();
    for (name, (paths, used)) in parts {
        let of_it: Map<_, _> =
            used.intersection(&own).map(|schema| (schema.clone(), schemas[schema].take())).collect();
        cut.insert(name, json!({ "paths": paths, "schemas": of_it }));
    }
    schemas.as_object_mut().unwrap().retain(|name, _| !own.contains(name));
    document["components"]["schemas"] = schemas;
    document.as_object_mut().unwrap().remove("paths");
    cut.insert(SHARED.to_owned(), document);
    cut
}

/// The schemas that a value leads to.
fn follow(value: &Value, schemas: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix(SCHEMAS)
                && used.insert(name.to_owned())
            {
                follow(&schemas[name], schemas, used);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| follow(item, schemas, used)),
        Value::Object(members) => members.values().for_each(|member| follow(member, schemas, used)),
        _ => {}
    }
}

#[test]
fn schemas_stand_with_the_tag_that_alone_uses_them() {
    let to = |name: &str| json!({ "$ref": format!("{SCHEMAS}{name}") });
    let parts = cut(json!({
        "openapi": "3.1.0",
        "paths": {
            "/cars": { "get": { "tags": ["cars"], "answer": to("Car") }, "put": { "tags": ["paint shop"], "body": to("Colour") } },
            "/doors": { "get": { "tags": ["cars"], "answer": to("Problem") } },
            "/colours": { "get": { "tags": ["paint shop"], "answer": [to("Colour"), to("Problem")] } },
        },
        "components": {
            "schemas": { "Car": { "wheels": to("Wheel") }, "Wheel": to("Wheel"), "Colour": {}, "Problem": to("Field"), "Field": {}, "Unused": {} },
            "securitySchemes": { "key": {} },
        },
    }));
    let schemas = |part: &Value| part.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(schemas(&parts["cars"]["schemas"]), ["Car", "Wheel"]);
    assert_eq!(schemas(&parts["paint_shop"]["schemas"]), ["Colour"]);
    assert_eq!(
        parts["paint_shop"]["paths"]["/cars"],
        json!({ "put": { "tags": ["paint shop"], "body": to("Colour") } })
    );
    assert_eq!(parts["cars"]["paths"].as_object().unwrap().len(), 2);
    let shared = &parts["shared"];
    assert_eq!(schemas(&shared["components"]["schemas"]), ["Field", "Problem", "Unused"]);
    assert_eq!((schemas(shared).len(), &shared["components"]["securitySchemes"]), (2, &json!({ "key": {} })));
}
