//! Positions of an incremental sync, kept by Berth as opaque text: JSON of the provider's own shape.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Result, types::ProviderError};

/// The position in a text that [`text`] made. What cannot be read is of no use any more: `cursor-expired`, and the sync begins anew.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| ProviderError::CursorExpired)
}

/// A position as text.
pub fn text<T: Serialize>(cursor: &T) -> Result<String> {
    serde_json::to_string(cursor).map_err(|_| ProviderError::Unavailable(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        assert_eq!(parse(&text(&(7, "page")).unwrap()), Ok((7, "page".to_owned())));
        for junk in ["", "{}", "[7]"] {
            assert_eq!(parse::<(u32, String)>(junk), Err(ProviderError::CursorExpired), "{junk}");
        }
    }
}
