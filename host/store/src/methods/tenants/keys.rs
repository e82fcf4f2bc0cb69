//! API keys.

use berth_model::{
    catalog::listing::TenantState,
    id::{ApiKeyId, TenantId},
    time::Instant,
};

use crate::{
    Store, StoreError,
    records::{ApiKeyRecord, Audit, KeyPatch},
};

impl Store {
    /// Add a key. Only the SHA-256 of its secret is stored.
    pub async fn create_key(
        &self,
        key: ApiKeyRecord,
        hash: [u8; 32],
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [key, audit], |q, conn| q::tenants::keys::insert(conn, &key, &hash, &audit))
    }

    /// The key with this hash, revoked and expired ones included, and the state of its tenant if it is not an operator's.
    pub async fn key_by_hash(
        &self,
        hash: [u8; 32],
    ) -> Result<(ApiKeyRecord, Option<TenantState>), StoreError> {
        read!(self, |q, conn| q::tenants::keys::by_hash(conn, &hash))
    }

    /// Keys of a tenant; those of operators if none is given.
    pub async fn list_keys(&self, tenant: Option<TenantId>) -> Result<Vec<ApiKeyRecord>, StoreError> {
        read!(self, |q, conn| q::tenants::keys::list(conn, tenant))
    }

    /// Revoke a key. `NotFound` if it is another tenant's or revoked already.
    pub async fn revoke_key(
        &self,
        tenant: Option<TenantId>,
        key: ApiKeyId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::tenants::keys::revoke(conn, tenant, key, &audit))
    }

    /// Change a key. `NotFound` if it is another tenant's or revoked.
    pub async fn change_key(
        &self,
        tenant: Option<TenantId>,
        key: ApiKeyId,
        patch: KeyPatch,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [patch, audit], |q, conn| q::tenants::keys::change(conn, tenant, key, &patch, &audit))
    }

    /// Give a key another text (its first characters and the SHA-256 of the whole); the one before ends. The id stays. `NotFound` if it
    /// is another tenant's, `WrongState` if it is revoked or expired.
    pub async fn rotate_key(
        &self,
        tenant: Option<TenantId>,
        key: ApiKeyId,
        prefix: String,
        hash: [u8; 32],
        audit: Audit,
    ) -> Result<ApiKeyRecord, StoreError> {
        write_tx!(self, [prefix, audit], |q, conn| q::tenants::keys::rotate(
            conn, tenant, key, &hash, &prefix, &audit
        ))
    }

    /// Remember when a key was last used.
    pub async fn touch_key(
        &self,
        tenant: Option<TenantId>,
        key: ApiKeyId,
        now: Instant,
    ) -> Result<(), StoreError> {
        write_tx!(self, [], |q, conn| q::tenants::keys::touch(conn, tenant, key, now))
    }
}
