//! Where a request comes from: the address of the connection, or, if that is one of our own proxies, what the proxy says.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use ipnet::IpNet;

use super::app::App;

/// The header in which proxies write where a request came from, the last proxy at the end.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address that a request comes from; none if it is not known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source(pub(crate) Option<IpAddr>);

impl FromRequestParts<App> for Source {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
        Ok(Self(peer.map(|peer| source(peer, &parts.headers, app.trusted_proxies()))))
    }
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
}
