//! Fields of JSON objects.

use berth_sdk::{time, types::Instant};
use serde_json::Value;

/// Text in a JSON field, if there is any.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// A time in a JSON field.
pub(crate) fn instant(value: &Value, name: &str) -> Option<Instant> {
    time::parse(text(value, name)?)
}
