//! Private calendar feeds.

use berth_model::id::TenantId;

use crate::{
    Store, StoreError,
    records::{Audit, FeedSubject},
};

impl Store {
    /// Give a feed a token (its SHA-256); the one it had opens nothing any more.
    pub async fn set_feed(
        &self,
        tenant: TenantId,
        subject: FeedSubject,
        token_hash: [u8; 32],
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::calendars::feeds::set(
            conn, tenant, subject, token_hash, &audit
        ))
    }

    /// Whose feed a token with this SHA-256 opens.
    pub async fn feed(&self, token_hash: [u8; 32]) -> Result<Option<(TenantId, FeedSubject)>, StoreError> {
        read!(self, |q, conn| q::calendars::feeds::find(conn, token_hash))
    }

    /// End a feed: its token opens nothing any more.
    pub async fn remove_feed(
        &self,
        tenant: TenantId,
        subject: FeedSubject,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::calendars::feeds::remove(conn, tenant, subject, &audit))
    }
}
