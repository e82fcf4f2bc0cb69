//! From Google's JSON to the contract's types and back. Pure: no request, no clock.

mod busy;
mod calendars;
mod channel;
mod create;
mod event;
mod id;
mod reference;
mod update;

pub(crate) use self::{
    busy::{busy, overlaps_outside},
    calendars::{account, event_types},
    channel::{says_changed, stop_body, subscription, watch_body},
    create::{insert_body, move_body},
    event::{booking, changes, etag, events, found, is_of_days},
    id::{channel_id, event_id},
    reference::REFERENCE,
    update::update_body,
};
