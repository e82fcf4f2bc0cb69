//! What handlers share: the engine, and what bounds requests.

use std::sync::Arc;

use berth_engine::Engine;
use berth_model::{limits, random::Random};
use ipnet::IpNet;
use metrics_exporter_prometheus::PrometheusHandle;

use super::{known::Known, rate::Rate, room::Room, visits::Visits};
use crate::Readiness;

/// What handlers share.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
    readiness: Readiness,
}

struct Inner {
    engine: Engine,
    rate: Rate,
    link_rate: Rate,
    visits: Visits,
    bodies: Room,
    known: Known,
    metrics: PrometheusHandle,
    random: Arc<dyn Random>,
    trusted_proxies: Vec<IpNet>,
    https_only: bool,
}

/// What the configuration says of requests.
#[derive(Debug, Clone, Default)]
pub struct AppConfig {
    /// Requests of one key in a minute, where the key has no limit of its own.
    pub requests_per_minute: u32,
    /// Our own proxies: what they say of where a request comes from, and how, is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Are keys refused that came over plain http?
    pub https_only: bool,
}

impl App {
    /// Handlers over this engine, over http or https alike.
    #[must_use]
    pub fn new(
        engine: Engine,
        random: Arc<dyn Random>,
        requests_per_minute: u32,
        trusted_proxies: Vec<IpNet>,
    ) -> Self {
        Self::with(engine, random, AppConfig { requests_per_minute, trusted_proxies, https_only: false })
    }

    /// The same, as the configuration says.
    #[must_use]
    pub fn with(engine: Engine, random: Arc<dyn Random>, config: AppConfig) -> Self {
        let metrics = crate::telemetry::start_metrics();
        let AppConfig { requests_per_minute, trusted_proxies, https_only } = config;
        let (rate, link_rate) =
            (Rate::new(requests_per_minute), Rate::new(limits::LINK_REQUESTS_PER_MINUTE_MAX));
        let (bodies, known, visits) = (Room::default(), Known::default(), Visits::default());
        let inner = Inner {
            engine,
            rate,
            link_rate,
            visits,
            bodies,
            known,
            metrics,
            random,
            trusted_proxies,
            https_only,
        };
        Self { inner: Arc::new(inner), readiness: Readiness::default() }
    }

    /// The same, telling of what these checks found.
    #[must_use]
    pub fn with_readiness(self, readiness: Readiness) -> Self {
        Self { readiness, ..self }
    }

    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.inner.random
    }

    pub(crate) fn trusted_proxies(&self) -> &[IpNet] {
        &self.inner.trusted_proxies
    }

    pub(crate) fn https_only(&self) -> bool {
        self.inner.https_only
    }

    pub(crate) fn rate(&self) -> &Rate {
        &self.inner.rate
    }

    /// Room for bodies.
    pub(crate) fn bodies(&self) -> &Room {
        &self.inner.bodies
    }

    /// Idempotency keys.
    pub(crate) fn known(&self) -> &Known {
        &self.inner.known
    }

    /// How often the links of bookings may be used.
    pub(crate) fn link_rate(&self) -> &Rate {
        &self.inner.link_rate
    }

    /// How often people without a key may ask.
    pub(crate) fn visits(&self) -> &Visits {
        &self.inner.visits
    }

    /// Metrics in the text format of Prometheus, with gauges as they are now.
    pub(crate) fn render_metrics(&self) -> String {
        self.inner.engine.plugins.publish_gauges();
        self.upkeep();
        self.inner.metrics.render()
    }

    /// Forget keys that are idle, and add up what was measured. To be called now and then: measurements that nobody reads are
    /// kept one by one until they are added up.
    pub fn upkeep(&self) {
        self.inner.rate.forget_idle();
        self.inner.link_rate.forget_idle();
        self.inner.visits.forget_idle(self.inner.engine.now());
        self.inner.known.forget();
        self.inner.metrics.run_upkeep();
    }
}
