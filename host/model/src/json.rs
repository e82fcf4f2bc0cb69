//! Reading JSON so that a refusal names the field.

pub mod names;
pub mod numbers;
mod strict;

use std::{collections::BTreeSet, fmt::Display};

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

/// Why a text is not the JSON that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseError {
    /// It is no JSON.
    Syntax {
        /// JSON Pointer of what was being read.
        at: String,
        /// What the reader says.
        said: String,
        /// Line and column where it stopped, both from 1.
        place: (usize, usize),
    },
    /// It goes on after its JSON has ended.
    Trailing,
    /// A name is given twice in one object.
    Twice(FieldError),
}

/// The JSON in this text, in which no object gives a name twice.
///
/// # Errors
/// What is wrong, and where.
pub fn parse(text: &[u8]) -> Result<Value, ParseError> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let strict::Unique(value) = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let (at, inner) = (pointer(error.path()), error.inner());
        let said = without_position(&inner.to_string()).to_owned();
        if inner.is_data() {
            ParseError::Twice(FieldError::new(at, said))
        } else {
            ParseError::Syntax { at, said, place: (inner.line(), inner.column()) }
        }
    })?;
    reader.end().map_err(|_| ParseError::Trailing)?;
    Ok(value)
}

/// This value as a `T`. An object is asked for where `T` has fields with names: an array is not taken for them.
///
/// # Errors
/// Which field is wrong, and why.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, FieldError> {
    strict::from_value(value).map_err(|error| field_error(&error))
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
    let fields: Vec<String> = members.keys().cloned().collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let mut given = BTreeSet::new();
    for (sent, value) in changes {
        let name = names::field_of(&sent, &fields).into_owned();
        if !given.insert(name.clone()) {
            return Err(FieldError::new(format!("{at}/{}", pointer_part(&sent)), "is given twice"));
        }
        if value.is_null() {
            // Put back for a name that does not exist, so that it is refused like any other.
            if members.remove(&name).is_some() {
                continue;
            }
        }
        members.insert(name, value);
    }
    read(&Value::Object(members))
        .map_err(|error| FieldError::new(format!("{at}{}", error.field), error.message))
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

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sent {
        listing_id: u32,
        #[serde(default)]
        member_ids: Vec<u32>,
        #[serde(default)]
        metadata: Map<String, Value>,
        #[serde(default)]
        place: Option<Place>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
    enum Place {
        Line { phone_number: String },
    }

    #[test]
    fn names_are_read_in_camel_case_and_without_the_ending_of_references() {
        let all = json!({ "listingId": 1, "members": [2], "metadata": { "someKey": 1, "listing": 2 },
            "place": { "type": "line", "phoneNumber": "1" } });
        let sent: Sent = read(&all).unwrap();
        assert_eq!((sent.listing_id, sent.member_ids), (1, vec![2]));
        assert_eq!(sent.metadata.keys().collect::<Vec<_>>(), ["listing", "someKey"], "free names stay");
        assert_eq!(sent.place, Some(Place::Line { phone_number: "1".to_owned() }));
        for (twice, field) in [
            (json!({ "listingId": 1, "listing_id": 1 }), "duplicate"),
            (json!({ "listing": 1, "listing_id": 2 }), "duplicate"),
            (json!({ "listing_id": 1, "memberz": [] }), "memberz"),
        ] {
            let refused = read::<Sent>(&twice).unwrap_err();
            assert!(refused.message.contains(field), "{refused:?}");
        }
        let changes = |changes: Value| {
            let Value::Object(changes) = changes else { unreachable!() };
            merged(&Rules { seats: 1, ..Rules::default() }, changes, "/policy")
        };
        assert_eq!(changes(json!({ "seats": 2 })).unwrap().seats, 2);
        assert_eq!(changes(json!({ "zoneId": "x" })).unwrap_err().field, "/policy/zoneId");
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

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case", tag = "type")]
    enum Tagged {
        Days { days: u32 },
        Never,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Plain {
        Days { days: u32 },
        Pair(u32, u32),
        One(Limit),
        Never,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Everything {
        rules: Rules,
        tagged: Tagged,
        plain: Vec<Plain>,
        by_number: std::collections::BTreeMap<u8, Option<Limit>>,
        pair: (i64, f64),
        any: Value,
    }

    fn everything() -> Value {
        json!({
            "rules": { "seats": 1, "zone": null, "limits": [{ "per": "day" }] },
            "tagged": { "type": "days", "days": 2 },
            "plain": ["never", { "days": { "days": 3 } }, { "pair": [1, 2] }, { "one": { "per": "week" } }],
            "by_number": { "7": { "per": "year" }, "8": null },
            "pair": [-1, 0.5],
            "any": [{ "free": [] }],
        })
    }

    #[test]
    fn what_is_read_strictly_is_what_serde_reads() {
        let plain: Everything = serde_json::from_value(everything()).unwrap();
        assert_eq!(read::<Everything>(&everything()).unwrap(), plain);
        assert_eq!(parse(everything().to_string().as_bytes()).unwrap(), everything());
        for text in ["1 2", "{", "[1,]", "", "\u{feff}{}", "nul"] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(!matches!(error, ParseError::Twice(_)), "{text}: {error:?}");
        }
    }

    /// Each object of the value in turn as an array of its members' values: serde takes most of them for the struct.
    fn with_one_array(value: &Value) -> Vec<Value> {
        let mut found = Vec::new();
        match value {
            Value::Object(members) => {
                found.push(Value::Array(members.values().cloned().collect()));
                for (name, member) in members {
                    found.extend(with_one_array(member).into_iter().map(|changed| {
                        let mut members = members.clone();
                        members.insert(name.clone(), changed);
                        Value::Object(members)
                    }));
                }
            }
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    found.extend(with_one_array(item).into_iter().map(|changed| {
                        let mut items = items.clone();
                        items[n] = changed;
                        Value::Array(items)
                    }));
                }
            }
            _ => {}
        }
        found
    }

    #[test]
    fn no_array_is_taken_for_an_object_at_any_depth() {
        let mut value = everything();
        value.as_object_mut().unwrap().insert("any".to_owned(), Value::Null);
        let changed = with_one_array(&value);
        assert!(changed.len() >= 10, "{}", changed.len());
        for changed in changed {
            assert!(read::<Everything>(&changed).is_err(), "{changed}");
        }
        let taken: Limit = serde_json::from_value(json!(["day"])).unwrap();
        assert_eq!(taken.per, "day", "this is what is refused");
        assert_eq!(
            read::<Tagged>(&json!(["days", 2])).unwrap_err().message,
            "invalid type: sequence, expected an object"
        );
    }

    #[test]
    fn a_name_is_given_once_in_one_object() {
        let twice = |text: &str| parse(text.as_bytes()).unwrap_err();
        let named = |field: &str| ParseError::Twice(FieldError::new(field, "is given twice"));
        assert_eq!(twice(r#"{"a":1,"a":1}"#), named("/a"));
        assert_eq!(twice(r#"{"x":[{},{"b":{"c/d":1,"e":2,"c\u002fd":1}}]}"#), named("/x/1/b/c~1d"));
        assert!(parse(br#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#).is_ok(), "in different objects");
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
