//! What is in an answer.

use berth_sdk::{Result, log, types::ProviderError};
use serde_json::Value;

/// The member of an answer that holds what was asked for.
pub(super) fn member(what: &str, mut answer: Value) -> Result<Value> {
    answer.get_mut(what).map(Value::take).ok_or_else(|| {
        log::warn(&format!("an answer without {what}"));
        ProviderError::Unavailable(None)
    })
}

/// Text that says something.
pub(super) fn some_text(value: Option<&Value>) -> Option<String> {
    value?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}
