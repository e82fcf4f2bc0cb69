//! From HighLevel's JSON to the contract's types and back. Pure: no request, no clock.

mod account;
mod answer;
mod block;
mod booking;
mod calendar;
mod contact;
mod description;
mod slots;
mod webhook;

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
