//! Tags (HMAC-SHA256) that prove that something was made here: links that customers get. Made with a key derived from the one that
//! seals credentials, so there is no further secret to keep; a rotated key still verifies.

use ring::hmac::{HMAC_SHA256, Key, sign, verify};

use crate::{Store, StoreError, vault::VaultKeys};

/// Bytes of a tag.
pub const TAG_BYTES: usize = 32;

impl VaultKeys {
    /// One key for each purpose, which tells nothing of the others.
    fn tag_key(kek: &[u8], purpose: &str) -> Key {
        let root = Key::new(HMAC_SHA256, kek);
        Key::new(HMAC_SHA256, sign(&root, &[b"berth:tag:", purpose.as_bytes()].concat()).as_ref())
    }

    fn tag(&self, purpose: &str, message: &[u8]) -> Result<[u8; TAG_BYTES], StoreError> {
        let (_, kek) = self.0.first().ok_or(StoreError::Vault("no key"))?;
        let tag = sign(&Self::tag_key(kek, purpose), message);
        tag.as_ref().try_into().map_err(|_| StoreError::Vault("the tag has another length"))
    }

    fn tagged(&self, purpose: &str, message: &[u8], tag: &[u8]) -> bool {
        self.0.iter().any(|(_, kek)| verify(&Self::tag_key(kek, purpose), message, tag).is_ok())
    }
}

impl Store {
    /// The tag of a message for a purpose (`manage`). Nobody without the vault's keys can make it.
    pub fn tag(&self, purpose: &str, message: &[u8]) -> Result<[u8; TAG_BYTES], StoreError> {
        self.keys.tag(purpose, message)
    }

    /// Is this the tag of this message for this purpose, by a current or a rotated key? Takes the same time wherever it differs.
    #[must_use]
    pub fn is_tagged(&self, purpose: &str, message: &[u8], tag: &[u8]) -> bool {
        self.keys.tagged(purpose, message, tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_for_one_message_and_purpose_and_outlives_a_rotation() {
        let old = VaultKeys(vec![("k1".into(), [1; 32])]);
        let new = VaultKeys(vec![("k2".into(), [2; 32]), ("k1".into(), [1; 32])]);
        let other = VaultKeys(vec![("k1".into(), [3; 32])]);
        let tag = old.tag("manage", b"booking").unwrap();
        assert!(old.tagged("manage", b"booking", &tag) && new.tagged("manage", b"booking", &tag));
        assert!(!other.tagged("manage", b"booking", &tag), "another key");
        assert!(!old.tagged("feed", b"booking", &tag), "another purpose");
        assert!(!old.tagged("manage", b"bookings", &tag), "another message");
        assert!(!old.tagged("manage", b"booking", &tag[..16]), "cut");
        assert_ne!(new.tag("manage", b"booking").unwrap(), tag);
    }
}
