//! Where a request comes from: the address of the connection, or, if that is one of our own proxies, what the proxy says.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, HeaderMap, request::Parts},
};
use ipnet::IpNet;

use super::{app::App, arrival::Arrival};

/// The header in which proxies write where a request came from, the last proxy at the end.
const FORWARDED_FOR: &str = "x-forwarded-for";
/// The header in which proxies write how it came to them.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The address that a request comes from; none if it is not known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source(pub(crate) Option<IpAddr>);

impl FromRequestParts<App> for Source {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self(source_of(&parts.extensions, &parts.headers, app.trusted_proxies())))
    }
}

fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical())
}

/// The address that a request comes from; none if it is not known.
pub(crate) fn source_of(extensions: &Extensions, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    peer(extensions).map(|peer| source(peer, headers, trusted))
}

/// Did the request come so that nobody on the way could read it: over TLS that ends here, or at a proxy of ours that says so?
pub(crate) fn is_private(extensions: &Extensions, headers: &HeaderMap, trusted: &[IpNet]) -> bool {
    if extensions.get::<Arrival>().is_some_and(|arrival| arrival.tls) {
        return true;
    }
    let is_ours = peer(extensions).is_some_and(|peer| trusted.iter().any(|network| network.contains(&peer)));
    let mut said = headers.get_all(FORWARDED_PROTO).iter().peekable();
    // A proxy that adds its own word to what was sent says "http, https", or the other way round: one of them is made up.
    is_ours
        && said.peek().is_some()
        && said.all(|value| {
            value
                .to_str()
                .is_ok_and(|text| text.split(',').all(|way| way.trim().eq_ignore_ascii_case("https")))
        })
}

/// The last address that none of our own proxies has: whatever stands before it may be made up.
fn source(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_ours = |ip: &IpAddr| trusted.iter().any(|network| network.contains(ip));
    if !is_ours(&peer) {
        return peer;
    }
    let values = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let said: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut from = peer;
    for text in said.iter().rev() {
        let Ok(ip) = text.parse::<IpAddr>() else { return from };
        from = ip.to_canonical();
        if !is_ours(&from) {
            return from;
        }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_proxies_are_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let from = |peer: &str, forwarded: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append(FORWARDED_FOR, value.parse().unwrap());
            }
            source(peer.parse().unwrap(), &headers, &trusted).to_string()
        };
        assert_eq!(from("192.0.2.1", &["198.51.100.9"]), "192.0.2.1", "a stranger says what it likes");
        assert_eq!(from("10.0.0.1", &["198.51.100.9"]), "198.51.100.9");
        assert_eq!(from("10.0.0.1", &["203.0.113.5, 198.51.100.9", "10.0.0.2"]), "198.51.100.9");
        assert_eq!(from("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn a_request_is_private_over_tls_and_where_our_proxy_says_so() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let is = |tls: bool, from: &str, said: &[&str]| {
            let (mut extensions, mut headers) = (Extensions::new(), HeaderMap::new());
            extensions.insert(Arrival { tls });
            extensions.insert(ConnectInfo(SocketAddr::new(from.parse().unwrap(), 1)));
            for value in said {
                headers.append(FORWARDED_PROTO, value.parse().unwrap());
            }
            is_private(&extensions, &headers, &trusted)
        };
        assert!(is(true, "192.0.2.1", &[]) && is(true, "192.0.2.1", &["http"]));
        assert!(is(false, "10.1.2.3", &["https"]) && is(false, "10.1.2.3", &["HTTPS, https"]));
        for (from, said) in [
            ("192.0.2.1", vec!["https"]),
            ("127.0.0.1", vec!["https"]),
            ("10.1.2.3", vec![]),
            ("10.1.2.3", vec![""]),
            ("10.1.2.3", vec!["http"]),
            ("10.1.2.3", vec!["https, http"]),
            ("10.1.2.3", vec!["https", "http"]),
            ("10.1.2.3", vec!["httpsx"]),
        ] {
            assert!(!is(false, from, &said), "{from} {said:?}");
        }
    }
}
