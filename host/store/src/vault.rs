//! Credentials at rest: envelope encryption with AES-256-GCM (NIST SP 800-38D).
//!
//! Each connection's credentials are sealed under a random data key of their own; the data key is sealed under a key-encryption
//! key. Tenant and connection are authenticated with both, so that a sealed value cannot be moved to another row.
//!
//! Layout: `1 | key id length | key id | nonce | sealed data key | nonce | sealed credentials`.

use berth_model::{
    connections::secret::{Credentials, Secret},
    id::{ConnectionId, TenantId},
    random::Random,
};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::StoreError;

const LAYOUT: u8 = 1;
const KEY_LEN: usize = 32;
const TAG_LEN: usize = 16;

/// Keys that seal credentials at rest (envelope encryption), with names of 1 to 64 bytes: the first seals, all open. To
/// rotate, put a new one in front and call [`crate::Store::reseal_credentials`].
#[derive(Clone)]
pub struct VaultKeys(pub Vec<(String, [u8; KEY_LEN])>);

impl std::fmt::Debug for VaultKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(id, _)| id)).finish()
    }
}

impl VaultKeys {
    /// Keys that are usable: at least one, with names of 1 to 64 bytes.
    pub fn new(keys: Vec<(String, [u8; KEY_LEN])>) -> Result<Self, StoreError> {
        let keys = Self(keys);
        keys.check().map(|()| keys)
    }

    /// Are they usable?
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.0.is_empty() || self.0.iter().any(|(id, _)| id.is_empty() || id.len() > 64) {
            return Err(StoreError::Vault("at least one key with a name of 1 to 64 bytes is needed"));
        }
        Ok(())
    }

    /// Was this sealed with the key that seals now?
    pub(crate) fn is_current(&self, sealed: &[u8]) -> bool {
        let name = sealed.get(1).and_then(|length| sealed.get(2..2 + usize::from(*length)));
        self.0.first().is_some_and(|(id, _)| name == Some(id.as_bytes()))
    }

    /// Seal credentials for this connection.
    pub(crate) fn seal(
        &self,
        random: &dyn Random,
        tenant: TenantId,
        connection: ConnectionId,
        credentials: &Credentials,
    ) -> Result<Vec<u8>, StoreError> {
        let plain: std::collections::BTreeMap<&str, &str> =
            credentials.iter().map(|(name, secret)| (name.as_str(), secret.expose())).collect();
        let plain =
            Zeroizing::new(serde_json::to_vec(&plain).map_err(|_| StoreError::Vault("cannot be written"))?);
        self.seal_bytes(random, &context(tenant, connection), &plain)
    }

    /// Open what [`Self::seal`] made for the same connection.
    pub(crate) fn open(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        sealed: &[u8],
    ) -> Result<Credentials, StoreError> {
        let plain = self.open_bytes(&context(tenant, connection), sealed)?;
        let plain: std::collections::BTreeMap<String, Secret> =
            serde_json::from_slice(&plain).map_err(|_| StoreError::Vault("its content cannot be read"))?;
        Ok(plain)
    }

    /// Seal bytes that belong where `context` says.
    pub(crate) fn seal_bytes(
        &self,
        random: &dyn Random,
        context: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let (id, kek) = self.0.first().ok_or(StoreError::Vault("no key"))?;
        let mut data_key = Zeroizing::new([0; KEY_LEN]);
        random.fill(data_key.as_mut());
        let mut sealed = vec![LAYOUT, u8::try_from(id.len()).unwrap_or(u8::MAX)];
        sealed.extend_from_slice(id.as_bytes());
        sealed.extend(encrypt(random, kek, context, data_key.as_ref())?);
        sealed.extend(encrypt(random, &data_key, context, plain)?);
        Ok(sealed)
    }

    /// Open what [`Self::seal_bytes`] made for the same place.
    pub(crate) fn open_bytes(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        const CUT: StoreError = StoreError::Vault("it is cut short");
        let (layout, rest) = sealed.split_first().ok_or(CUT)?;
        if *layout != LAYOUT {
            return Err(StoreError::Vault("its layout is not known"));
        }
        let (length, rest) = rest.split_first().ok_or(CUT)?;
        let (id, rest) = rest.split_at_checked(usize::from(*length)).ok_or(CUT)?;
        let (wrapped, payload) = rest.split_at_checked(NONCE_LEN + KEY_LEN + TAG_LEN).ok_or(CUT)?;
        let (_, kek) = self
            .0
            .iter()
            .find(|(name, _)| name.as_bytes() == id)
            .ok_or(StoreError::Vault("the key it was sealed with is not configured"))?;
        let data_key = Zeroizing::new(decrypt(kek, context, wrapped)?);
        let data_key: Zeroizing<[u8; KEY_LEN]> =
            Zeroizing::new(data_key.as_slice().try_into().map_err(|_| CUT)?);
        Ok(Zeroizing::new(decrypt(&data_key, context, payload)?))
    }
}

fn context(tenant: TenantId, connection: ConnectionId) -> Vec<u8> {
    [b"berth:credentials".as_slice(), tenant.uuid().as_bytes(), connection.uuid().as_bytes()].concat()
}

fn cipher(key: &[u8; KEY_LEN]) -> Result<LessSafeKey, StoreError> {
    UnboundKey::new(&AES_256_GCM, key)
        .map(LessSafeKey::new)
        .map_err(|_| StoreError::Vault("the key is not usable"))
}

fn encrypt(
    random: &dyn Random,
    key: &[u8; KEY_LEN],
    context: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce);
    let mut text = plain.to_vec();
    cipher(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut text)
        .map_err(|_| StoreError::Vault("sealing failed"))?;
    Ok([nonce.as_slice(), &text].concat())
}

fn decrypt(key: &[u8; KEY_LEN], context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
    let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(StoreError::Vault("it is cut short"))?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| StoreError::Vault("it is cut short"))?;
    let mut text = text.to_vec();
    let plain = cipher(key)?
        .open_in_place(nonce, Aad::from(context), &mut text)
        .map_err(|_| StoreError::Vault("the key is wrong, or the value was changed"))?;
    Ok(plain.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use berth_model::time::Instant;

    struct Counting(std::sync::atomic::AtomicU8);
    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for b in bytes {
                *b = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn sealed_credentials_open_only_where_they_belong() {
        let random = Counting(0.into());
        let old = VaultKeys(vec![("k1".into(), [1; 32])]);
        let new = VaultKeys(vec![("k2".into(), [2; 32]), ("k1".into(), [1; 32])]);
        let other = VaultKeys(vec![("k1".into(), [3; 32])]);
        let (tenant, connection) =
            (TenantId::new(Instant::MIN, &random), ConnectionId::new(Instant::MIN, &random));
        let credentials = Credentials::from([("api-key".into(), Secret::new("not_a_real_secret".into()))]);
        let sealed = old.seal(&random, tenant, connection, &credentials).unwrap();

        assert!(old.is_current(&sealed) && !new.is_current(&sealed));
        assert!(!sealed.windows(17).any(|w| w == b"not_a_real_secret"));
        assert_eq!(new.open(tenant, connection, &sealed).unwrap(), credentials, "a rotated key still opens");
        assert!(other.open(tenant, connection, &sealed).is_err(), "another key");
        assert!(old.open(tenant, ConnectionId::new(Instant::MAX, &random), &sealed).is_err(), "another row");
        for cut in 0..sealed.len() {
            assert!(old.open(tenant, connection, &sealed[..cut]).is_err(), "cut at {cut}");
        }
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(old.open(tenant, connection, &changed).is_err(), "changed");
    }
}
