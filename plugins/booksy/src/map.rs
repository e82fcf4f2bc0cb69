//! From the contract's JSON to Berth's types and back. Pure: no request, no clock.

mod block;
mod booking;
mod business;
mod client;
mod create;
mod service;
mod slots;
mod webhook;

use berth_sdk::{json::read, types::Instant};
use serde::Deserialize;
use serde_json::Value;

pub(crate) use self::{
    block::{block, blocks, new_block},
    booking::{booking, carries},
    business::{account, nobody, staff},
    client::clients,
    create::new_booking,
    service::services,
    slots::{busy, slots},
    webhook::{is_heard, message},
};

/// What stands before Berth's reference in `external_ref`, which is free text of any caller.
const REFERENCE: &str = "berth:";

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

/// Set a member of an object.
pub(crate) fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}
