//! Settings, state, credentials and log of one thread, with the limits that Berth has.

use std::{cell::RefCell, collections::BTreeMap};

use super::{CredentialError, Level, MacAlgorithm, StateError};
use crate::types::Instant;

/// A keyed hash that stands for a credential: message to hash.
pub type Mac = fn(&[u8]) -> Vec<u8>;

const STATE_ENTRIES_MAX: usize = 64;
const STATE_KEY_BYTES_MAX: usize = 128;
const STATE_VALUE_BYTES_MAX: usize = 16 * 1024;

#[derive(Default)]
struct World {
    now: Instant,
    settings: Option<String>,
    state: BTreeMap<String, Vec<u8>>,
    credentials: BTreeMap<String, Mac>,
    lines: Vec<(Level, String)>,
    zone_questions: u32,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

fn with<T>(act: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(act)
}

/// Begin with nothing: 1970, `{}` as settings, no state, no credentials, no lines.
pub fn reset() {
    with(|w| *w = World::default());
}

/// The clock from now on; it stands still.
pub fn set_now(now: Instant) {
    with(|w| w.now = now);
}

/// The settings from now on, as JSON text.
pub fn set_settings(json: &str) {
    with(|w| w.settings = Some(json.to_owned()));
}

/// A credential that the tenant has given, with what `sign` shall answer.
pub fn set_credential(name: &str, mac: Mac) {
    with(|w| w.credentials.insert(name.to_owned(), mac));
}

/// What was logged.
#[must_use]
pub fn lines() -> Vec<(Level, String)> {
    with(|w| w.lines.clone())
}

/// How often Berth was asked for a zone's clocks.
#[must_use]
pub fn zone_questions() -> u32 {
    with(|w| w.zone_questions)
}

/// Count such a question.
#[cfg(feature = "zones")]
pub(super) fn count_zone_question() {
    with(|w| w.zone_questions += 1);
}

/// The clock.
#[must_use]
pub fn now() -> Instant {
    with(|w| w.now)
}

/// `log.write`.
pub fn log(level: Level, message: &str) {
    with(|w| w.lines.push((level, message.to_owned())));
}

/// `settings.get`.
#[must_use]
pub fn settings() -> String {
    with(|w| w.settings.clone().unwrap_or_else(|| "{}".to_owned()))
}

/// `state.get`.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, StateError> {
    Ok(with(|w| w.state.get(key).cloned()))
}

/// `state.set`.
pub fn set(key: &str, value: &[u8]) -> Result<(), StateError> {
    if key.is_empty() || key.len() > STATE_KEY_BYTES_MAX || value.len() > STATE_VALUE_BYTES_MAX {
        return Err(StateError::TooLarge);
    }
    with(|w| {
        if w.state.len() == STATE_ENTRIES_MAX && !w.state.contains_key(key) {
            return Err(StateError::Full);
        }
        w.state.insert(key.to_owned(), value.to_owned());
        Ok(())
    })
}

/// `state.delete`.
pub fn delete(key: &str) -> Result<(), StateError> {
    with(|w| w.state.remove(key));
    Ok(())
}

/// `credentials.has`.
#[must_use]
pub fn has(name: &str) -> bool {
    with(|w| w.credentials.contains_key(name))
}

/// `credentials.sign`.
pub fn sign(name: &str, _algorithm: MacAlgorithm, message: &[u8]) -> Result<Vec<u8>, CredentialError> {
    with(|w| w.credentials.get(name).map(|mac| mac(message)).ok_or(CredentialError::Missing))
}

/// `credentials.mac-equal`.
pub fn mac_equal(
    name: &str,
    algorithm: MacAlgorithm,
    message: &[u8],
    mac: &[u8],
) -> Result<bool, CredentialError> {
    Ok(sign(name, algorithm, message)? == mac)
}
