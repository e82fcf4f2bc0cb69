//! From Google's JSON to the contract's types and back. Pure: no request, no clock.

mod busy;
mod calendars;
mod channel;
mod create;
mod event;
mod id;

use berth_sdk::{
    Result, log,
    time::{self, MILLISECOND},
    types::{Instant, ProviderError},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use self::{
    busy::{busy, overlaps_outside},
    calendars::{account, event_types},
    channel::{says_changed, stop_body, subscription, watch_body},
    create::{insert_body, move_body},
    event::{booking, changes, etag, events, found},
    id::{channel_id, event_id},
};

/// Private property of an event that holds Berth's reference.
pub(crate) const REFERENCE: &str = "berth_booking_id";

/// An instant as Google takes it: no finer than milliseconds, rounded down.
pub(crate) fn instant_text(instant: Instant) -> String {
    time::format(instant.saturating_sub(instant.rem_euclid(MILLISECOND)))
}

/// Read JSON of a known shape. What cannot be read is no usable answer; the log names the place, not the content.
fn read<T: DeserializeOwned>(what: &str, value: &Value) -> Result<T> {
    T::deserialize(value).map_err(|e| {
        log::warn(&format!("unexpected {what}: {e}"));
        ProviderError::Unavailable(None)
    })
}
