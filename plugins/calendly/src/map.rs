//! From Calendly's JSON to the contract's types and back. Pure: no request, no clock.

mod account;
mod booking;
mod create;
mod event_type;
mod questions;
mod slots;
mod uri;
mod webhook;

use berth_sdk::{json::read, types::Instant};
use serde_json::Value;

pub(crate) use self::{
    account::{account, owner},
    booking::{booking, created_at, event_id, others_take_part, page, reference},
    create::{create_body, made_event},
    event_type::{booking_link, event_type, has_length, has_link, public_link},
    slots::{busy, slots},
    uri::{event_type_uri, last_part, split_id},
    webhook::webhook,
};

/// What the tracking field `utm_source` says of bookings that Berth made; `utm_content` is the reference.
const SOURCE: &str = "berth";

/// Text in a JSON field, if there is any.
fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// A time in a JSON field.
pub(crate) fn instant(value: &Value, name: &str) -> Option<Instant> {
    berth_sdk::time::parse(text(value, name)?)
}
