//! What Berth gives a component: log, settings, state, credentials, zones, recurrence. In a native build the same functions work on the
//! thread's [`crate::testing`] world.

pub mod log {
    //! Log lines. Never write personal data.

    /// How much a line matters.
    #[cfg(target_arch = "wasm32")]
    pub use crate::bindings::connection::berth::provider::log::Level;
    #[cfg(target_arch = "wasm32")]
    use crate::bindings::connection::berth::provider::log::write as put;
    #[cfg(not(target_arch = "wasm32"))]
    pub use crate::testing::Level;
    #[cfg(not(target_arch = "wasm32"))]
    use crate::testing::log as put;

    /// Write one line.
    pub fn write(level: Level, message: &str) {
        put(level, message);
    }
    /// For authors.
    pub fn debug(message: &str) {
        put(Level::Debug, message);
    }
    /// For operators who look.
    pub fn info(message: &str) {
        put(Level::Info, message);
    }
    /// For operators who should look.
    pub fn warn(message: &str) {
        put(Level::Warn, message);
    }
    /// For operators who must look.
    pub fn error(message: &str) {
        put(Level::Error, message);
    }
}

pub mod settings {
    //! What the tenant configured.

    use serde::de::DeserializeOwned;

    #[cfg(target_arch = "wasm32")]
    use crate::bindings::connection::berth::provider::settings::get as text;
    #[cfg(not(target_arch = "wasm32"))]
    use crate::testing::settings as text;
    use crate::{Result, types::ProviderError};

    /// The settings as a type of the provider's own. Berth has checked them against the manifest's schema, so a failure
    /// means that type and schema disagree.
    pub fn get<T: DeserializeOwned>() -> Result<T> {
        serde_json::from_str(&text()).map_err(|e| ProviderError::invalid("settings", e.to_string()))
    }
}

pub mod state {
    //! A small store per connection. It is a cache: a call should go on without it.

    use serde::{Serialize, de::DeserializeOwned};

    #[cfg(target_arch = "wasm32")]
    pub use crate::bindings::connection::berth::provider::state::{StateError, delete, get, set};
    #[cfg(not(target_arch = "wasm32"))]
    pub use crate::testing::{StateError, delete, get, set};
    use crate::types::ProviderError;

    /// An entry as JSON. None if there is none, or none that `T` can be read from.
    pub fn get_json<T: DeserializeOwned>(key: &str) -> Result<Option<T>, StateError> {
        Ok(get(key)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Write an entry as JSON.
    pub fn set_json<T: Serialize>(key: &str, value: &T) -> Result<(), StateError> {
        let bytes = serde_json::to_vec(value).map_err(|_| StateError::TooLarge)?;
        set(key, &bytes)
    }

    /// For providers that cannot work without it.
    impl From<StateError> for ProviderError {
        fn from(error: StateError) -> Self {
            match error {
                StateError::Unavailable => Self::Unavailable(None),
                StateError::TooLarge => Self::vendor(507, "state-too-large", "a state entry is too large"),
                StateError::Full => Self::vendor(507, "state-full", "all state entries are in use"),
            }
        }
    }
}

pub mod credentials {
    //! Credentials by the names of the manifest. None of these gives one away.

    #[cfg(target_arch = "wasm32")]
    pub use crate::bindings::connection::berth::provider::credentials::{
        CredentialError, MacAlgorithm, has, mac_equal, sign,
    };
    #[cfg(not(target_arch = "wasm32"))]
    pub use crate::testing::{CredentialError, MacAlgorithm, has, mac_equal, sign};
}

#[cfg(feature = "zones")]
pub mod recurrence {
    //! Times of recurrence rules (RFC 5545 section 3.3.10), on a wall clock; see `wit/imports.wit`. A part of the feature `zones`.

    #[cfg(target_arch = "wasm32")]
    pub use crate::bindings::connection::berth::provider::recurrence::{RuleError, occurrences};
    #[cfg(not(target_arch = "wasm32"))]
    pub use crate::testing::{RuleError, occurrences};
}

#[cfg(feature = "zones")]
pub(crate) mod zones {
    //! Changes of clocks; see [`crate::zone`].

    #[cfg(target_arch = "wasm32")]
    pub(crate) use crate::bindings::connection::berth::provider::zones::transitions;
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) use crate::testing::transitions;
}
