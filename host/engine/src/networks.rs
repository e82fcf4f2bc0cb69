//! From where keys may be used, and messages may come.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// Is this address in one of the networks? An unknown address is in none.
pub(crate) fn is_from(networks: &[String], source: Option<IpAddr>) -> bool {
    let Some(source) = source.map(|ip| ip.to_canonical()) else { return false };
    networks.iter().filter_map(|text| network(text)).any(|network| network.contains(&source))
}

/// A network (`192.0.2.0/24`) or a single address.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// One sender, as far as limits tell strangers apart: an IPv4 address, or an IPv6 network of /64, all of which one house has.
#[must_use]
pub fn one_sender(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
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
