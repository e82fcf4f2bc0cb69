//! What the gate is made with.

use std::{collections::BTreeSet, future::Future, io, net::IpAddr, pin::Pin, sync::Arc, time::Duration};

use berth_model::{limits, time::Clock};

use super::interceptor::Interceptor;

/// The addresses of a name.
pub type Lookup<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Looks names up. A parameter, so that tests can play a name server that changes its mind.
pub trait Resolve: Send + Sync {
    /// All addresses of a host name.
    fn resolve<'a>(&'a self, host: &'a str) -> Lookup<'a>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Lookup<'a> {
        Box::pin(async move {
            // One more than allowed, so that too many are noticed.
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|a| a.ip()).take(limits::EGRESS_ADDRESSES_MAX + 1).collect())
        })
    }
}

/// The numbers that bound the traffic of components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EgressLimits {
    /// Requests in one call.
    pub requests: u32,
    /// Requests of one call at the same time; further ones wait.
    pub concurrent: usize,
    /// Largest request body, in bytes.
    pub body_out_bytes: usize,
    /// Largest response body, in bytes.
    pub body_in_bytes: usize,
    /// Response bytes of one call, summed.
    pub call_body_in_bytes: usize,
    /// All headers of a request or response, in bytes.
    pub header_bytes: usize,
    /// Longest URL, in bytes.
    pub url_bytes: usize,
    /// Longest name lookup.
    pub lookup: Duration,
    /// Time to connect.
    pub connect: Duration,
    /// Time from the connection to the answer's headers.
    pub first_byte: Duration,
    /// Time between two pieces of the answer.
    pub between_bytes: Duration,
    /// Whole time of one request.
    pub request: Duration,
    /// Longest wait for the rates of connection and provider.
    pub rate_wait: Duration,
    /// Connections and providers whose requests are counted.
    pub rate_limiters: usize,
    /// HTTP clients kept.
    pub clients: usize,
}

impl Default for EgressLimits {
    fn default() -> Self {
        Self {
            requests: limits::CALL_EGRESS_REQUESTS_MAX,
            concurrent: limits::CALL_EGRESS_CONCURRENT_MAX,
            body_out_bytes: limits::EGRESS_BODY_OUT_BYTES_MAX,
            body_in_bytes: limits::EGRESS_BODY_IN_BYTES_MAX,
            call_body_in_bytes: limits::CALL_EGRESS_BODY_IN_BYTES_MAX,
            header_bytes: limits::EGRESS_HEADER_BYTES_MAX,
            url_bytes: limits::EGRESS_URL_BYTES_MAX,
            lookup: Duration::from_millis(limits::EGRESS_LOOKUP_MS_MAX),
            connect: Duration::from_millis(limits::EGRESS_CONNECT_MS_MAX),
            first_byte: Duration::from_millis(limits::EGRESS_FIRST_BYTE_MS_MAX),
            between_bytes: Duration::from_millis(limits::EGRESS_BETWEEN_BYTES_MS_MAX),
            request: Duration::from_millis(limits::EGRESS_REQUEST_MS_MAX),
            rate_wait: Duration::from_millis(limits::EGRESS_RATE_WAIT_MS_MAX),
            rate_limiters: limits::EGRESS_RATE_LIMITERS_MAX,
            clients: limits::EGRESS_CLIENTS_MAX,
        }
    }
}

/// What [`super::Gate::new`] needs.
#[derive(Clone)]
pub struct GateConfig {
    /// Hosts, as `host` or `host:port`, that the operator's configuration names: plain http, private and loopback
    /// addresses, and addresses in place of names are allowed for these and no others. Link-local and metadata addresses
    /// are not allowed even for these. The manifest must ask for them and the grant name them all the same.
    pub insecure_hosts: BTreeSet<String>,
    /// Certificates (DER) of authorities that are trusted beside the public ones: a company's own, before a self-hosted
    /// provider.
    pub extra_roots: Vec<Vec<u8>>,
    /// For rates, the age of pinned addresses, and times in records.
    pub clock: Arc<dyn Clock>,
    /// Looks names up.
    pub resolver: Arc<dyn Resolve>,
    /// The numbers.
    pub limits: EgressLimits,
    /// For tests of components.
    pub interceptor: Option<Arc<dyn Interceptor>>,
}

impl GateConfig {
    /// For the product: the system's resolver, the default numbers, nothing insecure, public authorities only.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            insecure_hosts: BTreeSet::new(),
            extra_roots: Vec::new(),
            clock,
            resolver: Arc::new(SystemResolver),
            limits: EgressLimits::default(),
            interceptor: None,
        }
    }
}

/// What is wrong with a [`GateConfig`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// A host that is none.
    #[error("insecure host {0:?}: must be a host name or an address in lower case, with an optional port")]
    InsecureHost(String),
    /// A certificate that cannot be read; its place in the list, from 0.
    #[error("extra root {0}: must be a certificate in DER")]
    ExtraRoot(usize),
}
