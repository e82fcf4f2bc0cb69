//! Idempotency keys, and forgetting what is old.

use berth_model::{limits, time::Instant};

use crate::{Backend, Store, StoreError, records::Idempotency};

impl Store {
    /// Begin idempotent.
    pub async fn begin_idempotent(
        &self,
        scope: uuid::Uuid,
        key: &str,
        fingerprint: [u8; 32],
        now: Instant,
    ) -> Result<Idempotency, StoreError> {
        let key = key.to_owned();
        write!(self, (scope, key, fingerprint, now), |conn, queries| queries::idempotency::begin(
            conn,
            scope,
            &key,
            &fingerprint,
            now
        ))
    }

    /// Complete idempotent.
    pub async fn complete_idempotent(
        &self,
        scope: uuid::Uuid,
        key: &str,
        status: u16,
        content_type: &str,
        location: Option<&str>,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let key = key.to_owned();
        let content_type = content_type.to_owned();
        let location = location.map(str::to_owned);
        let body = body.to_vec();
        write!(self, (scope, key, status, content_type, location, body), |conn, queries| {
            queries::idempotency::complete(
                conn,
                scope,
                &key,
                status,
                &content_type,
                location.as_deref(),
                &body,
            )
        })
    }

    /// Release idempotent.
    pub async fn release_idempotent(&self, scope: uuid::Uuid, key: &str) -> Result<(), StoreError> {
        let key = key.to_owned();
        write!(self, (scope, key), |conn, queries| queries::idempotency::release(conn, scope, &key))
    }

    /// Forget idempotency keys and calls that are older than they need to be kept. How many rows.
    pub async fn prune(&self, now: Instant) -> Result<u64, StoreError> {
        let keys_before = now.plus_seconds(-limits::IDEMPOTENCY_SECONDS);
        let calls_before = now.plus_seconds(-limits::CALLS_KEPT_SECONDS);
        let keys: u64 =
            write!(self, (keys_before), |conn, queries| queries::idempotency::prune(conn, keys_before))?;
        let calls: u64 =
            write!(self, (calls_before), |conn, queries| queries::calls::prune(conn, calls_before))?;
        Ok(keys.saturating_add(calls))
    }
}
