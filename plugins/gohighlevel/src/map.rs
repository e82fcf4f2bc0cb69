//! From HighLevel's JSON to the contract's types and back. Pure: no request, no clock.

mod account;
mod block;
mod booking;
mod calendar;
mod contact;
mod description;
mod slots;
mod webhook;

use berth_sdk::{Result, json::read, log, types::ProviderError};
use serde_json::Value;

pub(crate) use self::{
    account::account,
    block::{block, block_body, blocks},
    booking::{added_at, booking, contact_of, event, events, overlaid},
    calendar::{Calendar, Link, calendar, calendars, public_link},
    contact::{contact, contact_body, contact_id, contacts},
    description::{description, reference, with_reason},
    slots::{busy, in_offset_of, slots, starts},
    webhook::webhook,
};

/// The member of an answer that holds what was asked for.
fn member(what: &str, mut answer: Value) -> Result<Value> {
    answer.get_mut(what).map(Value::take).ok_or_else(|| {
        log::warn(&format!("an answer without {what}"));
        ProviderError::Unavailable(None)
    })
}

/// Text that says something.
fn some_text(value: Option<&Value>) -> Option<String> {
    value?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}
