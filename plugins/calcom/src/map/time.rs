//! Times in JSON fields.

use berth_sdk::{time, types::Instant};
use serde_json::Value;

/// The time in a field, if it holds one.
pub(super) fn instant(value: Option<&Value>) -> Option<Instant> {
    time::parse(value?.as_str()?)
}
