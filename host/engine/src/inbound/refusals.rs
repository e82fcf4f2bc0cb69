//! Messages that are refused, counted. Strangers cause them, so that they are added up in memory and written now and then.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use berth_model::{
    id::{ConnectionId, TenantId},
    limits,
};

use crate::inbound::Inbound;

type Counts = HashMap<(TenantId, ConnectionId, &'static str), i64>;

/// Refusals that are not written yet.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Counts>);

impl Refusals {
    pub(crate) fn count(&self, tenant: TenantId, connection: ConnectionId, reason: &'static str) {
        metrics::counter!("berth_webhooks_refused_total", "reason" => reason).increment(1);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = counts.len() >= limits::WEBHOOK_REFUSALS_COUNTED_MAX;
        match counts.get_mut(&(tenant, connection, reason)) {
            Some(count) => *count = count.saturating_add(1),
            None if is_full => {}
            None => {
                counts.insert((tenant, connection, reason), 1);
            }
        }
    }

    fn take(&self) -> Counts {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inbound {
    /// Write what was counted. To be called now and then.
    pub async fn write_refusals(&self) {
        for ((tenant, connection, reason), count) in self.refusals.take() {
            let written =
                self.base.store().count_webhook_refusals(tenant, connection, reason, count, self.base.now());
            if let Err(error) = written.await {
                tracing::warn!(%error, %connection, reason, count, "refusals were not written");
            }
        }
    }
}
