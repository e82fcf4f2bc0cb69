//! Events: placed after the commit, read by position. They are written with the changes that they tell of.

use berth_model::{
    events::{Cursor, EventKind, Head},
    id::TenantId,
    limits,
    time::Instant,
};

use crate::{
    Store, StoreError,
    records::{EventPage, Placed},
};

impl Store {
    /// Wait until something was written that may have told of an event. Once for any number of changes.
    pub async fn written(&self) {
        self.written.notified().await;
    }

    /// Give a tenant's next events their positions, in one transaction. Fewer than `EVENTS_PLACED_AT_ONCE` if none is left. Any
    /// number of replicas may do so at once.
    pub async fn place_events(&self, tenant: TenantId) -> Result<Placed, StoreError> {
        // Quietly, since it would wake whoever asked for it.
        carry_out!(write, self, [], |q, conn| q::events::placing::place(conn, tenant))
    }

    /// A page of the tenants that have events without a position, after this one.
    pub async fn tenants_with_unplaced_events(
        &self,
        after: Option<TenantId>,
    ) -> Result<Vec<TenantId>, StoreError> {
        read!(self, |q, conn| q::events::placing::waiting(conn, after))
    }

    /// A tenant's events after a cursor, at most so many; `PastCursor` if there is no going on from it. With `kinds`, of those alone.
    pub async fn events(
        &self,
        tenant: TenantId,
        cursor: Cursor,
        kinds: &[EventKind],
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        let kinds = kinds.to_owned();
        read!(self, |q, conn| q::events::feed::page(conn, tenant, cursor, &kinds, limit))
    }

    /// Where a tenant's events end.
    pub async fn event_head(&self, tenant: TenantId) -> Result<Head, StoreError> {
        read!(self, |q, conn| q::events::feed::head(conn, tenant))
    }

    /// Where the events of these tenants end; tenants without any are left out.
    pub async fn event_positions(&self, tenants: &[TenantId]) -> Result<Vec<(TenantId, i64)>, StoreError> {
        let tenants = tenants.to_owned();
        read!(self, |q, conn| q::events::feed::heads(conn, &tenants))
    }

    /// Remove events that are older than they are kept, the oldest first. How many; bounded, so there may be more left for the next time.
    pub(crate) async fn forget_events(&self, now: Instant) -> Result<u64, StoreError> {
        let until = now.plus_seconds(-limits::EVENTS_KEPT_SECONDS);
        let mut rows = 0_u64;
        for tenant in read!(self, |q, conn| q::events::placing::forgetting(conn, until))? {
            let forgotten = write_tx!(self, [], |q, conn| q::events::placing::forget(conn, tenant, until))?;
            rows = rows.saturating_add(forgotten);
        }
        Ok(rows)
    }
}
