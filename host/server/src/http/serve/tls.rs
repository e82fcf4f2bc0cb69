//! TLS that ends here: certificate and key from files, which are read again when they change.

use std::{
    fmt, fs,
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use berth_model::limits;
use ring::digest::{Context, SHA256};
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring::default_provider},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// The certificate that serves now.
struct Current(ArcSwap<CertifiedKey>);

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// A certificate with its key, from files, and what encrypts with it.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
    pub(super) acceptor: TlsAcceptor,
    /// What was in the files when they were last looked at, good or bad.
    seen: Mutex<Vec<u8>>,
}

/// What a look at the files found.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    /// What was there before.
    Same,
    /// A new certificate, which serves from now on.
    Replaced,
    /// Something that cannot serve, and why; the certificate before still does.
    Refused(String),
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut text = Vec::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(limits::TLS_FILE_BYTES_MAX).read_to_end(&mut text).map_err(failed)?;
    Ok(text)
}

impl Tls {
    /// Read the files, PEM both: the certificate with those between it and the root, and its key.
    ///
    /// # Errors
    /// Which file is wrong, and how.
    pub fn open(certificate: PathBuf, key: PathBuf) -> Result<Arc<Self>, String> {
        let provider = Arc::new(default_provider());
        let (loaded, seen) = load(&certificate, &key, &provider);
        let current = Arc::new(Current(ArcSwap::from_pointee(loaded?)));
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(rustls::DEFAULT_VERSIONS)
            .map_err(|error| error.to_string())?;
        let mut config = config.with_no_client_auth().with_cert_resolver(Arc::<Current>::clone(&current));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Arc::new(Self { certificate, key, provider, current, acceptor, seen: Mutex::new(seen) }))
    }

    /// Read the files again. What cannot serve is told once, and replaces nothing.
    pub fn look(&self) -> Look {
        let (loaded, seen) = load(&self.certificate, &self.key, &self.provider);
        let mut before = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *before == seen {
            return Look::Same;
        }
        *before = seen;
        match loaded {
            Ok(new) => {
                self.current.0.store(Arc::new(new));
                Look::Replaced
            }
            Err(error) => Look::Refused(error),
        }
    }

    /// Look now and then, until told to stop.
    pub async fn keep(self: Arc<Self>, every: Duration, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                _ = stop.changed() => continue,
            }
            let tls = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || tls.look()).await {
                Ok(Look::Same) => {}
                Ok(Look::Replaced) => tracing::info!("the new TLS certificate serves"),
                Ok(Look::Refused(error)) => {
                    tracing::error!(error, "the new TLS certificate cannot serve; the one before still does");
                }
                Err(error) => tracing::error!(%error, "the TLS certificate was not looked at"),
            }
        }
    }
}

/// The pair, and the hash of what is in the files (or of why they cannot be read).
fn load(
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> (Result<CertifiedKey, String>, Vec<u8>) {
    let files = (read(certificate), read(key));
    let mut hash = Context::new(&SHA256);
    for file in [&files.0, &files.1] {
        let bytes = file.as_ref().map_or_else(|error| error.as_bytes(), Vec::as_slice);
        hash.update(&bytes.len().to_be_bytes());
        hash.update(bytes);
    }
    let pair = || {
        let (chain, secret) = (files.0?, files.1?);
        let failed = |path: &Path, why: &dyn fmt::Display| format!("{}: {why}", path.display());
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&chain)
            .collect::<Result<_, _>>()
            .map_err(|error| failed(certificate, &error))?;
        if chain.is_empty() {
            return Err(failed(certificate, &"there is no certificate in it (PEM is expected)"));
        }
        let secret = PrivateKeyDer::from_pem_slice(&secret).map_err(|error| failed(key, &error))?;
        CertifiedKey::from_der(chain, secret, provider)
            .map_err(|error| format!("{} and {}: {error}", certificate.display(), key.display()))
    };
    (pair(), hash.finish().as_ref().to_vec())
}
