//! From Calendly's JSON to the contract's types and back. Pure: no request, no clock.

mod account;
mod booking;
mod create;
mod event_type;
mod field;
mod questions;
mod slots;
mod tracking;
mod uri;
mod webhook;

pub(crate) use self::{
    account::{account, owner},
    booking::{booking, created_at, event_id, others_take_part, page, reference},
    create::{create_body, made_event},
    event_type::{booking_link, event_type, has_length, has_link, public_link},
    field::instant,
    slots::{busy, slots},
    uri::{event_type_uri, last_part, split_id},
    webhook::webhook,
};
