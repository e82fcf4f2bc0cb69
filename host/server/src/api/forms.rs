//! What the description of the interface says of forms that no type of Rust says: which objects are open, which texts are UUIDs, how long a page
//! is and how providers are named.

use berth_model::limits;
use serde_json::{Map, Value};

/// Ids that somebody else chooses: texts of any form. What begins with `external_` is a provider's.
const OTHERS: [&str; 3] = ["client_id", "request_id", "user_id"];

/// How providers are named, and their aliases (`berth_model::plugins::manifest::PluginId`).
const PROVIDER: &str = "^[a-z][a-z0-9-]{1,31}$";

/// What says something of a text's form. An id that has it is not one of ours.
const FORMS: [&str; 4] = ["enum", "format", "maxLength", "pattern"];

/// An object of which nothing is said may have any members: said so, or generated clients let it have none. The document is ours: so is
/// how deep it is.
pub(super) fn open_objects(of: &mut Value) {
    match of {
        Value::Array(items) => items.iter_mut().for_each(open_objects),
        Value::Object(members) => {
            let is_object = members.get("type").is_some_and(|kind| {
                kind == "object"
                    || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "object"))
            });
            let said = ["properties", "additionalProperties", "$ref"];
            if is_object && !said.iter().any(|name| members.contains_key(*name)) {
                members.insert("additionalProperties".to_owned(), Value::Bool(true));
            }
            members
                .iter_mut()
                .filter(|(name, _)| *name != "example")
                .for_each(|(_, value)| open_objects(value));
        }
        _ => {}
    }
}

/// Ids are UUIDs: what is called `id` or ends in `_id` (`_ids`), in bodies, paths and queries. The document is ours: so is how deep it is.
pub(super) fn uuids(of: &mut Value) {
    match of {
        Value::Array(items) => {
            for item in items {
                if let Value::Object(members) = item {
                    parameter(members);
                }
                uuids(item);
            }
        }
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get_mut("properties") {
                for (name, schema) in properties.iter_mut().filter(|(name, _)| is_id(name)) {
                    uuid(name, schema);
                }
            }
            members.iter_mut().filter(|(name, _)| *name != "example").for_each(|(_, value)| uuids(value));
        }
        _ => {}
    }
}

fn is_id(name: &str) -> bool {
    let is_ours = name == "id" || name.ends_with("_id") || name.ends_with("_ids");
    is_ours && !OTHERS.contains(&name) && !name.starts_with("external_")
}

/// A parameter of a path or a query.
fn parameter(members: &mut Map<String, Value>) {
    let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (name, place) = (text("name"), text("in"));
    if !matches!(place.as_str(), "path" | "query") {
        return;
    }
    let Some(schema) = members.get_mut("schema") else { return };
    match name.as_str() {
        "limit" => {
            schema["minimum"] = 1.into();
            schema["maximum"] = limits::PAGE_ITEMS_MAX.into();
        }
        "provider" => schema["pattern"] = PROVIDER.into(),
        "webhook" | "connection" | "booking" => uuid(&name, schema),
        _ if is_id(&name) => uuid(&name, schema),
        _ => {}
    }
}

/// A text of which nothing else is said is a UUID; so are the items of a list.
fn uuid(name: &str, schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    if name.ends_with("_ids")
        && let Some(items) = members.get_mut("items")
    {
        return uuid("id", items);
    }
    let is_text = members.get("type").is_some_and(|kind| {
        kind == "string" || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "string"))
    });
    if is_text && !FORMS.iter().any(|form| members.contains_key(*form)) {
        members.insert("format".to_owned(), "uuid".into());
    }
}
