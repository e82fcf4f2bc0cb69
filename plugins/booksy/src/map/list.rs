//! Lists, and what every item of one says of itself.

use berth_sdk::types::Instant;
use serde::Deserialize;
use serde_json::Value;

/// A piece of a list.
#[derive(Deserialize)]
pub(crate) struct Page {
    pub(crate) data: Vec<Value>,
    pub(crate) next_cursor: Option<String>,
}

/// When an item was last changed.
pub(crate) fn updated_at(item: &Value) -> Option<Instant> {
    berth_sdk::time::parse(item.get("updated_at")?.as_str()?)
}

/// When an item was made.
pub(crate) fn created_at(item: &Value) -> Option<Instant> {
    berth_sdk::time::parse(item.get("created_at")?.as_str()?)
}
