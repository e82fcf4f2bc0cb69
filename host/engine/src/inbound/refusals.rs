//! Messages that are refused, counted. Strangers cause them, so that they are added up in memory and written now and then.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use berth_model::{
    id::{ConnectionId, TenantId},
    limits,
};
use ipnet::IpNet;

use crate::Engine;

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

impl Engine {
    /// Write what was counted. To be called now and then.
    pub async fn write_refusals(&self) {
        for ((tenant, connection, reason), count) in self.inner.refusals.take() {
            let written = self.store().count_webhook_refusals(tenant, connection, reason, count, self.now());
            if let Err(error) = written.await {
                tracing::warn!(%error, %connection, reason, count, "refusals were not written");
            }
        }
    }
}

/// Is this address in one of the networks? An unknown address is in none.
pub(crate) fn is_from(networks: &[String], source: Option<IpAddr>) -> bool {
    let Some(source) = source.map(|ip| ip.to_canonical()) else { return false };
    networks.iter().filter_map(|text| network(text)).any(|network| network.contains(&source))
}

/// A network (`192.0.2.0/24`) or a single address.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_addresses() {
        let allowed = ["192.0.2.0/24".to_owned(), "2001:db8::1".to_owned()];
        let from = |ip: &str| is_from(&allowed, Some(ip.parse().unwrap()));
        assert!(from("192.0.2.7") && from("::ffff:192.0.2.7") && from("2001:db8::1"));
        assert!(!from("192.0.3.7") && !from("2001:db8::2") && !is_from(&allowed, None));
        assert!(network("nonsense").is_none() && network("192.0.2.0/33").is_none());
    }
}
