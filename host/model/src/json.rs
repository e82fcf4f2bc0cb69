//! Reading JSON so that a refusal names the field.

use std::fmt::Display;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use serde_path_to_error::{Error, Path, Segment};

use crate::problem::FieldError;

/// A name as a part of a JSON Pointer (RFC 6901, section 3).
#[must_use]
pub fn pointer_part(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The JSON Pointer of a path.
#[must_use]
pub fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let part = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => pointer_part(key),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&part);
    }
    pointer
}

/// Which field is wrong, and why. A field that is missing is named itself, not what it is missing from.
#[must_use]
pub fn field_error<E: Display>(error: &Error<E>) -> FieldError {
    let mut field = pointer(error.path());
    let message = without_position(&error.inner().to_string()).to_owned();
    if let Some((name, _)) = message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')) {
        field.push('/');
        field.push_str(&pointer_part(name));
        return FieldError::new(field, "is required");
    }
    FieldError::new(field, message)
}

/// What the reader says, without where in the text it was: a pointer says that to people.
#[must_use]
pub fn without_position(message: &str) -> &str {
    let is_position = |rest: &str| {
        let (line, column) = rest.split_once(" column ").unwrap_or_default();
        [line, column].iter().all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    match message.rsplit_once(" at line ") {
        Some((said, rest)) if is_position(rest) => said,
        _ => message,
    }
}

/// `current` with `changes` in place of its own members; null sets a member's default (RFC 7396, one level deep). Refusals name
/// the field below `at`.
pub fn merged<T: Serialize + DeserializeOwned>(
    current: &T,
    changes: Map<String, Value>,
    at: &str,
) -> Result<T, FieldError> {
    let mut members = match serde_json::to_value(current) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    for (name, value) in changes {
        if value.is_null() {
            // Put back for a name that does not exist, so that it is refused like any other.
            if members.remove(&name).is_some() {
                continue;
            }
        }
        members.insert(name, value);
    }
    serde_path_to_error::deserialize(Value::Object(members)).map_err(|error| {
        let error = field_error(&error);
        FieldError::new(format!("{at}{}", error.field), error.message)
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Rules {
        seats: u32,
        zone: Option<String>,
        limits: Vec<Limit>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Limit {
        per: String,
    }

    fn merge(changes: Value) -> Result<Rules, (String, String)> {
        let current = Rules { seats: 3, zone: Some("UTC".to_owned()), limits: Vec::new() };
        let Value::Object(changes) = changes else { panic!("an object") };
        merged(&current, changes, "/policy").map_err(|error| (error.field, error.message))
    }

    #[test]
    fn absent_members_stay_and_null_sets_the_default() {
        let rules = merge(json!({ "zone": null, "limits": [{ "per": "day" }] })).unwrap();
        assert_eq!((rules.seats, rules.zone, rules.limits.len()), (3, None, 1));
    }

    #[test]
    fn positions_are_not_for_people() {
        for (message, said) in [
            ("not an IANA time zone at line 1 column 58", "not an IANA time zone"),
            ("starts at line 4", "starts at line 4"),
            ("at line 1 column x", "at line 1 column x"),
        ] {
            assert_eq!(without_position(message), said);
        }
        let text = r#"{ "seats": 1, "limits": [{ "per": 7 }] }"#;
        let mut reader = serde_json::Deserializer::from_str(text);
        let error = serde_path_to_error::deserialize::<_, Rules>(&mut reader).unwrap_err();
        let error = field_error(&error);
        assert_eq!(error.field, "/limits/0/per");
        assert!(
            error.message.contains("expected a string") && !error.message.contains("column"),
            "{}",
            error.message
        );
    }

    #[test]
    fn refusals_name_the_field() {
        assert_eq!(
            merge(json!({ "limits": [{}] })),
            Err(("/policy/limits/0/per".into(), "is required".into()))
        );
        let (field, message) = merge(json!({ "seats": "two" })).unwrap_err();
        assert_eq!(field, "/policy/seats");
        assert!(message.contains("expected u32"), "{message}");
        for unknown in [json!({ "seat": 1 }), json!({ "seat": null })] {
            let (field, message) = merge(unknown).unwrap_err();
            assert_eq!(field, "/policy/seat");
            assert!(message.contains("expected one of"), "{message}");
        }
    }
}
