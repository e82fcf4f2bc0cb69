use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use wasmtime_wasi_http::Error;

use super::world::{HOST, KEY, Parts, World};
use crate::egress::{Gate, GateConfig, GateError};

/// An authority of this test, its certificate in DER, and a server's side of TLS with a certificate for `name`.
fn authority_and_server(name: &str) -> (Vec<u8>, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (authority.der().to_vec(), TlsAcceptor::from(Arc::new(config)))
}

/// One request over TLS to a server whose certificate is for `certified`: the outcome, and what the server read.
async fn over_tls(certified: &str, trusted: bool) -> (Result<String, Error>, String, String) {
    let (root, acceptor) = authority_and_server(certified);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = format!("{HOST}:{}", listener.local_addr().unwrap().port());
    let extra_roots = if trusted { vec![root] } else { Vec::new() };
    let mut world = World::new(&authority, Parts { extra_roots, ..Parts::default() });
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(mut tls) = acceptor.accept(stream).await else { return String::new() };
        let mut request = vec![0; 4096];
        let n = tls.read(&mut request).await.unwrap_or(0);
        tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine").await.unwrap_or_default();
        String::from_utf8_lossy(&request[..n]).into_owned()
    };
    let url = format!("https://{authority}/v1");
    let (got, seen) = tokio::join!(world.get(&url), server);
    (got.map(|g| g.body), seen, world.record().outcome)
}

#[tokio::test]
async fn a_trusted_certificate_for_the_name() {
    let (got, seen, _) = over_tls(HOST, true).await;
    assert_eq!(got.unwrap(), "fine");
    assert!(seen.starts_with("GET /v1 HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("host: {HOST}:")) && seen.contains(KEY), "{seen}");
}

#[tokio::test]
async fn any_other_certificate_gets_nothing() {
    for (certified, trusted) in [(HOST, false), ("other.example", true), ("127.0.0.1", true)] {
        let (got, seen, outcome) = over_tls(certified, trusted).await;
        assert!(matches!(got, Err(Error::TlsCertificateError)), "{certified} {trusted}");
        assert_eq!((seen.as_str(), outcome.as_str()), ("", "tls_certificate"), "{certified} {trusted}");
    }
}

#[test]
fn a_configuration_that_cannot_be_meant() {
    let world = World::new("api.acme.example", Parts::default());
    let with = |host: &str, root: Option<&[u8]>| {
        Gate::new(GateConfig {
            insecure_hosts: [host.to_owned()].into(),
            extra_roots: root.map(<[u8]>::to_vec).into_iter().collect(),
            ..GateConfig::new(Arc::clone(&world.hands) as _)
        })
        .map(|_| ())
    };
    for good in ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "sim.example"] {
        assert_eq!(with(good, None), Ok(()), "{good}");
    }
    for bad in ["http://localhost", "Localhost", "localhost/x", "user@localhost", "", "localhost:x"] {
        assert_eq!(with(bad, None), Err(GateError::InsecureHost(bad.to_owned())), "{bad}");
    }
    assert_eq!(with("localhost", Some(b"no certificate")), Err(GateError::ExtraRoot(0)));
}
