//! The one door through which components reach the network.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, OnceLock},
};

use berth_model::{
    connections::secret::Credentials,
    id::{ConnectionId, ProviderCallId, TenantId},
    outbound::provider::{Asked, CallContext},
    plugins::manifest::Manifest,
    time::Clock,
};
use serde_json::Value;

use super::{
    attach,
    client::Clients,
    config::{EgressLimits, GateConfig, GateError},
    interceptor::Interceptor,
    quota::CallQuota,
    rates::Rates,
    record::Records,
    scrub::Scrubber,
    urgency::Urgency,
};

/// What all calls share: clients, rates, the operator's configuration. One per process.
pub struct Gate {
    pub(super) insecure_hosts: BTreeSet<String>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: EgressLimits,
    pub(super) clients: Clients,
    pub(super) rates: Rates,
    pub(super) interceptor: Option<Arc<dyn Interceptor>>,
}

impl Gate {
    /// A gate with this configuration.
    pub fn new(config: GateConfig) -> Result<Arc<Self>, GateError> {
        // As URLs are read: whatever they would not say is a typing error.
        let is_authority = |text: &str| {
            url::Url::parse(&format!("unknown://{text}/")).is_ok_and(|u| {
                let host = u.host_str().unwrap_or_default();
                u.port().map_or_else(|| host.to_owned(), |p| format!("{host}:{p}")) == text
            }) && !text.is_empty()
                && !text.bytes().any(|b| b.is_ascii_uppercase())
        };
        if let Some(bad) = config.insecure_hosts.iter().find(|h| !is_authority(h)) {
            return Err(GateError::InsecureHost(bad.clone()));
        }
        Ok(Arc::new(Self {
            rates: Rates::new(Arc::clone(&config.clock), &config.limits),
            clients: Clients::new(config.resolver, config.limits, &config.extra_roots)?,
            insecure_hosts: config.insecure_hosts,
            clock: config.clock,
            limits: config.limits,
            interceptor: config.interceptor,
        }))
    }
}

impl Gate {
    /// So many processes ask the same providers: each takes its part of every rate.
    pub fn share_rates_with(&self, replicas: u32) {
        self.rates.share_with(replicas);
    }

    /// Is it the way out of a trial, whose requests are neither counted nor complained about?
    pub(crate) fn is_trial(&self) -> bool {
        self.interceptor.is_some()
    }

    /// A provider said that it was asked too often over this connection: nobody asks it until then, or for a moment if it named no time.
    pub(crate) fn pause(&self, connection: ConnectionId, retry_after_ms: Option<u64>) {
        self.rates.pause(connection, retry_after_ms);
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("insecure_hosts", &self.insecure_hosts).finish_non_exhaustive()
    }
}

/// The gate as one call sees it. Goes into the call's store as its `wasi:http` hooks.
pub struct CallEgress {
    pub(super) call: Arc<Call>,
}

/// What the requests of one call share.
pub(super) struct Call {
    pub(super) gate: Arc<Gate>,
    pub(super) manifest: Arc<Manifest>,
    pub(super) tenant: TenantId,
    pub(super) connection: ConnectionId,
    pub(super) id: ProviderCallId,
    pub(super) request_id: String,
    pub(super) settings: Arc<Value>,
    pub(super) credentials: Arc<Credentials>,
    pub(super) granted: Arc<BTreeSet<String>>,
    pub(super) urgency: Urgency,
    /// Noted when a request leaves.
    pub(super) provider_asked: Asked,
    asked: OnceLock<BTreeSet<String>>,
    scrubber: OnceLock<Arc<Scrubber>>,
    pub(super) quota: CallQuota,
    pub(super) records: Records,
}

impl Call {
    /// Hosts that the manifest asks for under the connection's settings.
    pub(super) fn asked(&self) -> &BTreeSet<String> {
        self.asked.get_or_init(|| self.manifest.hosts_asked(&self.settings))
    }

    /// Removes the connection's credentials from answers.
    pub(super) fn scrubber(&self) -> Arc<Scrubber> {
        let make = || Arc::new(Scrubber::new(&attach::secrets(&self.manifest, &self.credentials)));
        Arc::clone(self.scrubber.get_or_init(make))
    }
}

impl CallEgress {
    /// The gate for one call of a plugin with this manifest. Cheap: nothing is computed before the first request. A call that is less
    /// urgent leaves some of the provider's rate to others.
    #[must_use]
    pub fn new(gate: Arc<Gate>, cx: &CallContext, manifest: Arc<Manifest>, urgency: Urgency) -> Self {
        let call = Call {
            quota: CallQuota::new(&gate.limits),
            gate,
            manifest,
            tenant: cx.tenant,
            connection: cx.connection,
            id: cx.call,
            request_id: cx.request_id.clone(),
            settings: Arc::clone(&cx.settings),
            credentials: Arc::clone(&cx.credentials),
            granted: Arc::clone(&cx.granted_hosts),
            urgency,
            provider_asked: cx.asked.clone(),
            asked: OnceLock::new(),
            scrubber: OnceLock::new(),
            records: Records::default(),
        };
        Self { call: Arc::new(call) }
    }

    /// What the call did on the network. The handle stays good after the call and its store are gone; a request that was
    /// cut off is `unfinished`.
    #[must_use]
    pub fn records(&self) -> Records {
        self.call.records.clone()
    }
}

impl fmt::Debug for CallEgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallEgress").field("call", &self.call.id).finish_non_exhaustive()
    }
}
