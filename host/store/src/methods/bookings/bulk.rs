//! The same change of many bookings.

use berth_model::{
    bookings::bulk::{BulkItem, BulkOperation},
    id::{BulkOperationId, TenantId},
    time::Instant,
};
use serde_json::Value;

use crate::{
    Store, StoreError,
    records::{Audit, NewJob},
};

impl Store {
    /// Keep what is to be done, with its job, in one transaction; `Duplicate` if what was previewed is being done already.
    pub async fn create_bulk(
        &self,
        operation: BulkOperation,
        items: Vec<BulkItem>,
        job: NewJob,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [operation, items, job, audit], |q, conn| q::bookings::bulk::insert(
            conn, &operation, &items, &job, &audit
        ))
    }

    /// An operation.
    pub async fn bulk(&self, tenant: TenantId, id: BulkOperationId) -> Result<BulkOperation, StoreError> {
        read!(self, |q, conn| q::bookings::bulk::get(conn, tenant, id))
    }

    /// The operation that does what was previewed so, if there is one.
    pub async fn bulk_of_preview(
        &self,
        tenant: TenantId,
        digest: &str,
    ) -> Result<Option<BulkOperation>, StoreError> {
        let digest = digest.to_owned();
        read!(self, |q, conn| async move { q::bookings::bulk::by_digest(conn, tenant, &digest).await })
    }

    /// Operations, the latest first, before this one.
    pub async fn list_bulk(
        &self,
        tenant: TenantId,
        before: Option<BulkOperationId>,
        limit: u32,
    ) -> Result<Vec<BulkOperation>, StoreError> {
        read!(self, |q, conn| q::bookings::bulk::list(conn, tenant, before, limit))
    }

    /// How it stands with each of its bookings, in the order in which they are changed.
    pub async fn bulk_items(
        &self,
        tenant: TenantId,
        id: BulkOperationId,
    ) -> Result<Vec<BulkItem>, StoreError> {
        read!(self, |q, conn| q::bookings::bulk::items(conn, tenant, id))
    }

    /// How it went with one of them; whatever another worker said first stays.
    pub async fn end_bulk_item(
        &self,
        tenant: TenantId,
        id: BulkOperationId,
        item: BulkItem,
    ) -> Result<(), StoreError> {
        write_tx!(self, [item], |q, conn| q::bookings::bulk::end_item(conn, tenant, id, &item))
    }

    /// All were done with; `NotFound` if that is known already.
    pub async fn finish_bulk(
        &self,
        tenant: TenantId,
        id: BulkOperationId,
        counts: Value,
        at: Instant,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [counts, audit], |q, conn| q::bookings::bulk::finish(
            conn, tenant, id, &counts, at, &audit
        ))
    }
}
