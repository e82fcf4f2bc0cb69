//! Giving events their positions, soon after the commit that wrote them.
//!
//! No job does it: one per tenant would be a row that every booking of the tenant writes, and waits for. The database itself says what
//! has no position, so nothing is lost with a process; what was written here is placed at once, and what another process left is found by
//! looking.

use std::time::Duration;

use berth_model::{id::TenantId, limits};
use berth_store::StoreError;
use tokio::sync::watch;

use crate::{Outcome, events::Events};

impl Events {
    /// Give every event its position that has none. How many got one. May be done by any number of processes at once.
    pub async fn place_events(&self) -> Outcome<u64> {
        let mut placed = 0_u64;
        // Ends: each round places what is left, and the last one leaves nothing behind.
        loop {
            let (count, is_more) = self.place_round().await?;
            placed = placed.saturating_add(count);
            if !is_more {
                return Ok(placed);
            }
        }
    }

    /// Some events of each tenant that has any, so that a tenant with many keeps no other waiting. How many, and whether there are more.
    async fn place_round(&self) -> Result<(u64, bool), StoreError> {
        let (mut placed, mut is_more, mut after) = (0_u64, false, None::<TenantId>);
        // Ends: each page begins after the last one.
        loop {
            let tenants = self.base.store().tenants_with_unplaced_events(after).await?;
            let Some(last) = tenants.last() else { break };
            after = Some(*last);
            for tenant in tenants {
                let done = self.base.store().place_events(tenant).await?;
                self.event_waits.moved(tenant, done.position);
                placed = placed.saturating_add(u64::from(done.count));
                is_more |= done.count >= limits::EVENTS_PLACED_AT_ONCE;
            }
        }
        if placed > 0 {
            metrics::counter!("berth_events_placed_total").increment(placed);
        }
        Ok((placed, is_more))
    }

    /// Place events as they are written, and tell who waits, until told to stop; then nobody waits any more.
    pub async fn keep_placing_events(&self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            if let Err(error) = self.place_and_tell().await {
                // Said by the store, and not twice a second here.
                if error.trouble().is_some() {
                    tracing::debug!(%error, "events were not placed");
                } else {
                    tracing::error!(%error, "events were not placed");
                }
            }
            tokio::select! {
                // Many changes share one look.
                () = self.base.store().written() => {
                    tokio::time::sleep(Duration::from_millis(limits::EVENTS_PLACED_AFTER_MS)).await;
                }
                () = tokio::time::sleep(Duration::from_millis(limits::EVENTS_LOOK_MS)) => {}
                _ = stop.changed() => {}
            }
        }
        self.event_waits.close();
    }

    async fn place_and_tell(&self) -> Result<(), StoreError> {
        // Ends as `place_events` does.
        while self.place_round().await?.1 {}
        // What others placed.
        let tenants = self.event_waits.tenants();
        if !tenants.is_empty() {
            for (tenant, position) in self.base.store().event_positions(&tenants).await? {
                self.event_waits.moved(tenant, position);
            }
        }
        Ok(())
    }
}
