//! Descriptions in Google's discovery format, told as OpenAPI. Unlike there, an object may have no other members than those described.

use serde_json::{Map, Value, json};

/// Ending of the names of schemas for PATCH, where null takes a member away.
const PATCH: &str = ".patch";

/// Is it a discovery document?
pub(super) fn is_one(document: &Value) -> bool {
    document["discoveryVersion"].is_string()
}

/// The same as OpenAPI, as far as [`super::Spec`] reads it.
pub(super) fn as_openapi(document: &Value) -> Value {
    let mut paths = Map::new();
    add_methods(document, document, &mut paths);
    let mut schemas = Map::new();
    for (name, schema) in document["schemas"].as_object().into_iter().flatten() {
        schemas.insert(name.clone(), as_schema(schema, ""));
        schemas.insert(format!("{name}{PATCH}"), as_schema(schema, PATCH));
    }
    json!({ "paths": paths, "components": { "schemas": schemas } })
}

/// The methods of this resource and of those within.
fn add_methods(document: &Value, resource: &Value, paths: &mut Map<String, Value>) {
    for method in resource["methods"].as_object().into_iter().flatten().map(|(_, method)| method) {
        let base = document["basePath"].as_str().unwrap_or("/");
        let path = format!("{base}{}", method["path"].as_str().unwrap_or_default());
        let verb = method["httpMethod"].as_str().unwrap_or_default().to_lowercase();
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[verb] = operation(document, method);
    }
    for inner in resource["resources"].as_object().into_iter().flatten().map(|(_, inner)| inner) {
        add_methods(document, inner, paths);
    }
}

fn operation(document: &Value, method: &Value) -> Value {
    let own = method["parameters"].as_object().into_iter().flatten();
    let all = own.chain(document["parameters"].as_object().into_iter().flatten());
    let parameters: Vec<Value> = all
        .map(|(name, p)| json!({ "name": name, "in": p["location"], "required": p["required"] == true }))
        .collect();
    let mut operation = json!({ "parameters": parameters });
    let content = |schema: Value| json!({ "content": { "application/json": { "schema": schema } } });
    if let Some(name) = method["request"]["$ref"].as_str() {
        let required = required(&document["schemas"][name], &method["id"]);
        let ending = if method["httpMethod"] == "PATCH" { PATCH } else { "" };
        let sent = json!({ "allOf": [reference(name, ending), { "required": required }] });
        operation["requestBody"] = content(sent);
    }
    if let Some(name) = method["response"]["$ref"].as_str() {
        operation["responses"] = json!({ "200": content(reference(name, "")) });
    }
    operation
}

fn reference(name: &str, ending: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}{ending}") })
}

/// Members that this method must be sent.
fn required(schema: &Value, method: &Value) -> Vec<String> {
    let needs = |property: &Value| {
        property["annotations"]["required"].as_array().is_some_and(|methods| methods.contains(method))
    };
    let all = schema["properties"].as_object().into_iter().flatten();
    all.filter(|(_, property)| needs(property)).map(|(name, _)| name.clone()).collect()
}

fn as_schema(schema: &Value, ending: &str) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        return reference(name, ending);
    }
    let mut told = Map::new();
    match schema["type"].as_str() {
        None | Some("any") => {}
        Some(kind) => {
            told.insert("type".to_owned(), json!(kind));
        }
    }
    if schema["items"].is_object() {
        told.insert("items".to_owned(), as_schema(&schema["items"], ending));
    }
    if schema["enum"].is_array() {
        told.insert("enum".to_owned(), schema["enum"].clone());
    }
    if let Some(properties) = schema["properties"].as_object() {
        let mut members = Map::new();
        for (name, property) in properties {
            let member = as_schema(property, ending);
            let is_patch = ending == PATCH;
            let member = if is_patch { json!({ "anyOf": [member, { "type": "null" }] }) } else { member };
            members.insert(name.clone(), member);
        }
        told.insert("properties".to_owned(), Value::Object(members));
        told.insert("additionalProperties".to_owned(), json!(false));
    }
    if schema["additionalProperties"].is_object() {
        told.insert("additionalProperties".to_owned(), as_schema(&schema["additionalProperties"], ending));
    }
    Value::Object(told)
}

#[cfg(test)]
mod tests {
    use super::super::{Exchange, Spec};
    use super::*;

    fn spec() -> Spec {
        Spec::new(json!({
            "discoveryVersion": "v1", "basePath": "/cal/v3/",
            "parameters": { "alt": { "location": "query", "type": "string" } },
            "resources": { "things": { "resources": { "parts": { "methods": {
                "insert": {
                    "id": "cal.parts.insert", "path": "things/{thing}/parts", "httpMethod": "POST",
                    "parameters": { "thing": { "location": "path", "required": true }, "dry": { "location": "query" } },
                    "request": { "$ref": "Part" }, "response": { "$ref": "Part" }
                },
                "patch": {
                    "id": "cal.parts.patch", "path": "things/{thing}/parts", "httpMethod": "PATCH",
                    "request": { "$ref": "Part" }, "response": { "$ref": "Part" }
                }
            } } } } },
            "schemas": {
                "Part": { "type": "object", "properties": {
                    "name": { "type": "string", "annotations": { "required": ["cal.parts.insert"] } },
                    "size": { "$ref": "Size" }, "labels": { "type": "object", "additionalProperties": { "type": "string" } }
                } },
                "Size": { "type": "object", "properties": { "cm": { "type": "integer", "format": "int32" } } }
            }
        }))
    }

    fn problems(path: &str, query: &[(&str, &str)], request: Value, response: Value) -> Vec<String> {
        let query: Vec<_> = query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let (request, response) = (&request, &response);
        spec().problems(Exchange { method: "POST", path, query: &query, request, status: 200, response })
    }

    #[test]
    fn what_is_not_described_is_found() {
        let path = "/cal/v3/things/7/parts";
        let good = json!({ "name": "a", "size": { "cm": 3 }, "labels": { "any": "text" } });
        let query = [("alt", "json"), ("dry", "1")];
        assert_eq!(problems(path, &query, good.clone(), good.clone()), Vec::<String>::new());
        for (path, query, request, response, said) in [
            ("/cal/v3/parts", &query[..], good.clone(), good.clone(), "not described"),
            (path, &[("wet", "1")], good.clone(), good.clone(), "no query parameter wet"),
            (path, &query, json!({}), good.clone(), "sends"),
            (path, &query, json!({ "name": "a", "colour": "red" }), good.clone(), "sends"),
            (path, &query, good.clone(), json!({ "size": { "cm": "3" } }), "answers"),
            (path, &query, good.clone(), json!({ "labels": { "any": 7 } }), "answers"),
        ] {
            let found = problems(path, query, request, response);
            assert!(matches!(found.as_slice(), [one] if one.contains(said)), "{said}: {found:?}");
        }
    }

    #[test]
    fn null_takes_a_member_away_in_a_patch_only() {
        let (nulls, good) = (json!({ "name": null, "size": { "cm": null } }), json!({ "name": "a" }));
        let problems = |method, request| {
            let path = "/cal/v3/things/7/parts";
            spec().problems(Exchange { method, path, query: &[], request, status: 200, response: &good })
        };
        assert_eq!(problems("PATCH", &nulls), Vec::<String>::new());
        assert_eq!(problems("POST", &nulls).len(), 2);
        assert_eq!(problems("PATCH", &json!({ "colour": null })).len(), 1);
    }
}
