//! For `cargo test`, native builds only: a world that stands in for Berth, one per thread, and a transport that answers
//! from a script. A test says what it needs and owns it all.

mod requests;
mod scripted;
mod world;
#[cfg(feature = "zones")]
mod zones;

#[cfg(feature = "zones")]
pub use crate::bindings::connection::berth::provider::recurrence::RuleError;
#[doc(hidden)]
pub use world::{delete, get, has, log, mac_equal, now, set, settings, sign};
#[cfg(feature = "zones")]
#[doc(hidden)]
pub use zones::occurrences;
#[cfg(feature = "zones")]
pub(crate) use zones::transitions;
pub use {
    crate::bindings::connection::berth::provider::{
        credentials::{CredentialError, MacAlgorithm},
        log::Level,
        state::StateError,
    },
    requests::create_request,
    scripted::{Live, Scripted, play},
    world::{Mac, lines, reset, set_credential, set_now, set_settings, zone_questions},
};
