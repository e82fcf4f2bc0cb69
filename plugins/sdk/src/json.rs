//! JSON of the provider's own shapes.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Result, log, types::ProviderError};

/// Read JSON of a known shape. What cannot be read is no usable answer: `unavailable`. The log names `what` and the place, never the
/// content.
pub fn read<T: DeserializeOwned>(what: &str, value: &Value) -> Result<T> {
    T::deserialize(value).map_err(|e| {
        log::warn(&format!("unexpected {what}: {e}"));
        ProviderError::Unavailable(None)
    })
}

/// Set a member of an object; what is no object stays as it is.
pub fn set(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
}

/// As [`set`], if there is a value.
pub fn set_some(object: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        set(object, name, value);
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Named {
        name: String,
    }

    #[test]
    fn what_cannot_be_read_is_no_answer_and_is_not_shown() {
        assert_eq!(
            read("person", &json!({ "name": "Ada", "more": 1 })),
            Ok(Named { name: "Ada".to_owned() })
        );
        let odd = read::<Named>("person", &json!({ "name": ["made-up-secret"] }));
        assert_eq!(odd, Err(ProviderError::Unavailable(None)));
        let lines = crate::testing::lines();
        assert!(lines.iter().any(|(_, line)| line.starts_with("unexpected person")));
        assert!(!lines.iter().any(|(_, line)| line.contains("made-up-secret")));
    }

    #[test]
    fn members_are_set_if_there_is_something() {
        let mut object = json!({ "a": 1 });
        set(&mut object, "b", true);
        set_some(&mut object, "c", Some("x"));
        set_some(&mut object, "d", None::<&str>);
        assert_eq!(object, json!({ "a": 1, "b": true, "c": "x" }));
        let mut list = json!([]);
        set(&mut list, "b", true);
        assert_eq!(list, json!([]));
    }
}
