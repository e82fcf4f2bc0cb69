//! From the contract's JSON to Berth's types and back. Pure: no request, no clock.

mod block;
mod booking;
mod business;
mod client;
mod create;
mod list;
mod reference;
mod service;
mod slots;
mod webhook;

pub(crate) use self::{
    block::{block, blocks, new_block},
    booking::booking,
    business::{account, nobody, staff},
    client::clients,
    create::new_booking,
    list::{Page, created_at, updated_at},
    reference::carries,
    service::services,
    slots::{busy, slots},
    webhook::{is_heard, message},
};
