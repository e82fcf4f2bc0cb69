//! Bookings in the connection's state: a fixed number of entries, each a JSON list, a booking's entry chosen by its id.

use berth_sdk::{
    Result, state,
    types::{Booking, Interval, ProviderError},
};
use serde::{Deserialize, Serialize};

/// State entries for bookings. With some 500 bytes a booking and 16 KiB an entry, about a thousand bookings fit.
const ENTRIES: u64 = 32;

/// A booking and its place in the order of changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// Grows with every change of any booking.
    pub(crate) sequence: u64,
    pub(crate) booking: Booking,
}

/// All bookings, in the order of their last change.
pub(crate) fn all() -> Result<Vec<Stored>> {
    let mut bookings = Vec::new();
    for entry in 0..ENTRIES {
        bookings.extend(state::get_json::<Vec<Stored>>(&key(entry))?.unwrap_or_default());
    }
    bookings.sort_by_key(|s| s.sequence);
    Ok(bookings)
}

/// The booking with this id.
pub(crate) fn get(id: &str) -> Result<Booking> {
    let entry: Vec<Stored> = state::get_json(&key(entry_of(id)))?.unwrap_or_default();
    entry.into_iter().map(|s| s.booking).find(|b| b.id == id).ok_or(ProviderError::NotFound)
}

/// Write a booking that is new or has changed. Its `updated-at` becomes now.
pub(crate) fn put(mut booking: Booking) -> Result<Booking> {
    let sequence = all()?.last().map_or(0, |s| s.sequence) + 1;
    booking.updated_at = Some(berth_sdk::time::now());
    booking.raw = format!(r#"{{"id":"{}","sequence":{sequence}}}"#, booking.id);
    let key = key(entry_of(&booking.id));
    let mut entry: Vec<Stored> = state::get_json(&key)?.unwrap_or_default();
    entry.retain(|s| s.booking.id != booking.id);
    entry.push(Stored { sequence, booking: booking.clone() });
    state::set_json(&key, &entry)?;
    Ok(booking)
}

/// Does any booking take a part of this time?
pub(crate) fn is_booked(when: Interval) -> Result<bool> {
    let mut active = all()?.into_iter().map(|s| s.booking).filter(|b| b.status.is_active());
    Ok(active.any(|b| b.when.start < when.end && when.start < b.when.end))
}

/// The id of what a key made: the same for the same key.
pub(crate) fn id_of(kind: &str, key: &str) -> String {
    format!("{kind}-{:016x}", hash(key))
}

fn key(entry: u64) -> String {
    format!("bookings/{entry:02}")
}

fn entry_of(id: &str) -> u64 {
    hash(id) % ENTRIES
}

/// FNV-1a, 64 bits: the same on every machine and in every version.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}
