//! From Cal.com's JSON to the contract's types and back. Pure: no request, no clock.

mod account;
mod booking;
mod catalog;
mod create;
mod reference;
mod slots;
mod time;
mod webhook;

use serde_json::Value;

pub(crate) use self::{
    account::account,
    booking::{all as bookings, pick as pick_booking, split_id, updated_at},
    catalog::{event_type, event_type_id, event_types, private_link, public_link, repeats},
    create::{Kind, create_body},
    slots::{CalendarKey, busy, calendars, slots},
    webhook::webhook,
};

/// `data` is an object or, for recurring and seated bookings, an array.
pub(crate) fn one_or_many(data: Value) -> Vec<Value> {
    match data {
        Value::Array(items) => items,
        Value::Null => Vec::new(),
        one => vec![one],
    }
}
