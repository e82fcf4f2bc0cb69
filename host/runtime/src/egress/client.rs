//! HTTP clients whose connections go to checked addresses only.
//!
//! One client per tenant and origin, so that tenants share neither connections nor TLS sessions. A client never looks a
//! name up by itself: it is made with the addresses that were found and checked, and connects to nothing else. A name
//! server that changes its answer after the check changes nothing.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use berth_model::{id::TenantId, limits, time::Instant};
use reqwest::{
    Client,
    dns::{Addrs, Name, Resolving},
    redirect,
};
use rustls::{ClientConfig, RootCertStore, crypto::CryptoProvider};
use url::Host;

use super::{
    address,
    config::{EgressLimits, GateError, Resolve},
    failure::{Failure, Refusal},
    policy::Target,
};

/// Answers with the checked addresses, whatever the name.
struct Checked(Vec<SocketAddr>);

impl reqwest::dns::Resolve for Checked {
    fn resolve(&self, _name: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(async move { Ok(addresses) })
    }
}

/// Tenant, and origin as `scheme://host:port`.
type Key = (TenantId, String);

#[derive(Clone)]
struct Pinned {
    client: Client,
    addresses: Vec<IpAddr>,
    checked_at: Instant,
    used: u64,
}

#[derive(Default)]
struct Table {
    by_key: HashMap<Key, Pinned>,
    uses: u64,
}

/// All clients of the process.
pub(super) struct Clients {
    roots: Arc<RootCertStore>,
    crypto: Arc<CryptoProvider>,
    resolver: Arc<dyn Resolve>,
    limits: EgressLimits,
    table: Mutex<Table>,
}

impl Clients {
    pub(super) fn new(
        resolver: Arc<dyn Resolve>,
        limits: EgressLimits,
        extra_roots: &[Vec<u8>],
    ) -> Result<Self, GateError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for (at, der) in extra_roots.iter().enumerate() {
            roots.add(der.as_slice().into()).map_err(|_| GateError::ExtraRoot(at))?;
        }
        Ok(Self {
            roots: Arc::new(roots),
            crypto: Arc::new(rustls::crypto::ring::default_provider()),
            resolver,
            limits,
            table: Mutex::default(),
        })
    }

    /// A client for this target whose addresses were checked within the last [`limits::EGRESS_PIN_SECONDS`].
    pub(super) async fn get(
        &self,
        tenant: TenantId,
        target: &Target,
        now: Instant,
    ) -> Result<Client, Refusal> {
        let key = (tenant, target.url.origin().ascii_serialization());
        let pinned = self.pinned(&key);
        if let Some(pinned) = &pinned {
            let age = now.micros_since(pinned.checked_at);
            if (0..limits::EGRESS_PIN_SECONDS * 1_000_000).contains(&age) {
                return Ok(pinned.client.clone());
            }
        }
        let addresses = self.checked_addresses(target).await?;
        let client = match pinned {
            // Still one of the provider's: keep the warm connections. They go to addresses that were checked.
            Some(pinned) if pinned.addresses.iter().any(|a| addresses.contains(a)) => {
                self.keep(key, pinned.client.clone(), pinned.addresses, now);
                pinned.client
            }
            _ => {
                let client = self.build(target, &addresses).map_err(|()| Failure::Client)?;
                self.keep(key, client.clone(), addresses, now);
                client
            }
        };
        Ok(client)
    }

    /// Look the name up again at the next request: its addresses did not answer.
    pub(super) fn forget(&self, tenant: TenantId, target: &Target) {
        let key = (tenant, target.url.origin().ascii_serialization());
        self.table.lock().unwrap_or_else(PoisonError::into_inner).by_key.remove(&key);
    }

    fn pinned(&self, key: &Key) -> Option<Pinned> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.uses += 1;
        let used = table.uses;
        let pinned = table.by_key.get_mut(key)?;
        pinned.used = used;
        Some(pinned.clone())
    }

    fn keep(&self, key: Key, client: Client, addresses: Vec<IpAddr>, checked_at: Instant) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.uses += 1;
        let used = table.uses;
        if !table.by_key.contains_key(&key) && table.by_key.len() >= self.limits.clients {
            let oldest = table.by_key.iter().min_by_key(|(_, p)| p.used).map(|(key, _)| key.clone());
            oldest.map(|key| table.by_key.remove(&key));
        }
        table.by_key.insert(key, Pinned { client, addresses, checked_at, used });
    }

    /// The target's addresses, every one of them allowed.
    async fn checked_addresses(&self, target: &Target) -> Result<Vec<IpAddr>, Refusal> {
        let addresses = match target.url.host() {
            Some(Host::Ipv4(ip)) => vec![ip.into()],
            Some(Host::Ipv6(ip)) => vec![ip.into()],
            Some(Host::Domain(name)) => tokio::time::timeout(self.limits.lookup, self.resolver.resolve(name))
                .await
                .map_err(|_| Failure::LookupTimeout)?
                .map_err(|_| Failure::Lookup)?,
            None => return Err(Failure::Url.into()),
        };
        if addresses.is_empty() || addresses.len() > limits::EGRESS_ADDRESSES_MAX {
            return Err(Failure::Lookup.into());
        }
        // All of them: which one a connection takes must not matter.
        match addresses.iter().find_map(|ip| address::prohibition(*ip, target.insecure)) {
            None => Ok(addresses),
            Some(rule) => Err(Refusal::with_hint(
                Failure::AddressProhibited,
                if target.insecure {
                    format!("{} has a {rule} address, which no configuration allows", target.authority)
                } else {
                    format!(
                        "{host} has a {rule} address; if it is the operator's own, the configuration may say insecure-hosts = [\"{host}\"]",
                        host = target.authority
                    )
                },
            )),
        }
    }

    fn build(&self, target: &Target, addresses: &[IpAddr]) -> Result<Client, ()> {
        let mut tls = ClientConfig::builder_with_provider(Arc::clone(&self.crypto))
            .with_safe_default_protocol_versions()
            .map_err(|_| ())?
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let port = target.url.port_or_known_default().ok_or(())?;
        let addresses = addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        Client::builder()
            .dns_resolver(Arc::new(Checked(addresses)))
            .tls_backend_preconfigured(tls)
            .https_only(!target.insecure)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("berth/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.limits.connect)
            .pool_max_idle_per_host(limits::EGRESS_IDLE_CONNECTIONS_MAX)
            .pool_idle_timeout(Duration::from_millis(limits::EGRESS_IDLE_MS_MAX))
            .http2_max_header_list_size(u32::try_from(self.limits.header_bytes).unwrap_or(u32::MAX))
            .build()
            .map_err(|_| ())
    }
}

/// What an error of the client means. The error itself is not kept: it holds the URL, and that may hold a credential.
pub(super) fn failure_of(error: &reqwest::Error) -> Failure {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    // Causes are a short chain; the bound is for one that is not.
    for _ in 0..16 {
        let Some(found) = cause else { break };
        match found.downcast_ref() {
            Some(rustls::Error::InvalidCertificate(_)) => return Failure::TlsCertificate,
            Some(_) => return Failure::Tls,
            None => {}
        }
        if found.downcast_ref().is_some_and(hyper::Error::is_parse) {
            return Failure::Protocol;
        }
        let io = found.downcast_ref::<io::Error>();
        match io.map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => return Failure::ConnectRefused,
            Some(io::ErrorKind::TimedOut) if error.is_connect() => return Failure::ConnectTimeout,
            Some(io::ErrorKind::UnexpectedEof) => return Failure::Incomplete,
            _ => {}
        }
        // An I/O error names as its source not what it wraps, but the source of that.
        cause = match io.and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => found.source(),
        };
    }
    if error.is_timeout() {
        if error.is_connect() { Failure::ConnectTimeout } else { Failure::FirstByteTimeout }
    } else if error.is_connect() {
        Failure::ConnectRefused
    } else if error.is_body() || error.is_decode() {
        Failure::Incomplete
    } else {
        Failure::Terminated
    }
}
