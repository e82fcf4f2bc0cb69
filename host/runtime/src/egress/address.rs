//! What kind of network address is this? Pure.
//!
//! A name that a component may reach can still resolve to the machine's own services, to its neighbours, or to the cloud's
//! metadata service. So every address is judged after the lookup, by the registries of special addresses (RFC 6890 and
//! the IANA IPv4 and IPv6 special-purpose registries). Forms that carry an IPv4 address inside an IPv6 one are refused
//! whole: nothing on the public internet needs them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// What an address may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// On the public internet.
    Public,
    /// This machine or a private network: only for hosts that the operator's configuration names.
    Internal(&'static str),
    /// Never. The name of the rule.
    Prohibited(&'static str),
}

use AddressKind::{Internal, Prohibited, Public};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8, kind: AddressKind) -> (Ipv4Net, AddressKind) {
    (Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix), kind)
}

const fn v6(first: u16, second: u16, prefix: u8, kind: AddressKind) -> (Ipv6Net, AddressKind) {
    (Ipv6Net::new_assert(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0), prefix), kind)
}

/// First match counts.
const SPECIAL_V4: &[(Ipv4Net, AddressKind)] = &[
    v4(0, 0, 0, 0, 8, Prohibited("unspecified")),
    v4(10, 0, 0, 0, 8, Internal("private")),
    v4(100, 64, 0, 0, 10, Prohibited("carrier_nat")),
    v4(127, 0, 0, 0, 8, Internal("loopback")),
    // Answers metadata requests on one cloud, though it looks public.
    v4(168, 63, 129, 16, 32, Prohibited("metadata")),
    v4(169, 254, 0, 0, 16, Prohibited("link_local")),
    v4(172, 16, 0, 0, 12, Internal("private")),
    v4(192, 0, 0, 0, 24, Prohibited("protocol_assignments")),
    v4(192, 0, 2, 0, 24, Prohibited("documentation")),
    v4(192, 88, 99, 0, 24, Prohibited("6to4_relay")),
    v4(192, 168, 0, 0, 16, Internal("private")),
    v4(198, 18, 0, 0, 15, Prohibited("benchmarking")),
    v4(198, 51, 100, 0, 24, Prohibited("documentation")),
    v4(203, 0, 113, 0, 24, Prohibited("documentation")),
    v4(224, 0, 0, 0, 4, Prohibited("multicast")),
    v4(255, 255, 255, 255, 32, Prohibited("broadcast")),
    v4(240, 0, 0, 0, 4, Prohibited("reserved")),
];

/// First match counts; what matches none is outside the global unicast range and refused.
const SPECIAL_V6: &[(Ipv6Net, AddressKind)] = &[
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), Prohibited("unspecified")),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), Internal("loopback")),
    (Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), Prohibited("ipv4_mapped")),
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 96), Prohibited("ipv4_compatible")),
    v6(0x64, 0xff9b, 32, Prohibited("nat64")),
    // The IPv6 address of one cloud's metadata service; a private address otherwise.
    (Ipv6Net::new_assert(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128), Prohibited("metadata")),
    v6(0xfc00, 0, 7, Internal("unique_local")),
    v6(0xfe80, 0, 10, Prohibited("link_local")),
    v6(0xff00, 0, 8, Prohibited("multicast")),
    v6(0x2001, 0, 32, Prohibited("teredo")),
    v6(0x2001, 0xdb8, 32, Prohibited("documentation")),
    // Benchmarking, ORCHID and other protocol assignments.
    v6(0x2001, 0, 23, Prohibited("protocol_assignments")),
    v6(0x2002, 0, 16, Prohibited("6to4")),
    v6(0x3fff, 0, 20, Prohibited("documentation")),
    v6(0x2000, 0, 3, Public),
];

/// What this address may be used for.
#[must_use]
pub fn classify(address: IpAddr) -> AddressKind {
    let found = match address {
        IpAddr::V4(ip) => {
            Some(SPECIAL_V4.iter().find(|(net, _)| net.contains(&ip)).map_or(Public, |(_, kind)| *kind))
        }
        IpAddr::V6(ip) => SPECIAL_V6.iter().find(|(net, _)| net.contains(&ip)).map(|(_, kind)| *kind),
    };
    found.unwrap_or(Prohibited("unallocated"))
}

/// The rule that forbids this address, if one does. `internal_allowed` for hosts that the operator's configuration names.
#[must_use]
pub fn prohibition(address: IpAddr, internal_allowed: bool) -> Option<&'static str> {
    match classify(address) {
        Public => None,
        Internal(_) if internal_allowed => None,
        Internal(rule) | Prohibited(rule) => Some(rule),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn table() {
        for (text, expected) in [
            ("8.8.8.8", Public),
            ("1.1.1.1", Public),
            ("2606:4700:4700::1111", Public),
            ("2a00:1450:4001::1", Public),
            ("0.0.0.0", Prohibited("unspecified")),
            ("127.0.0.1", Internal("loopback")),
            ("127.255.255.254", Internal("loopback")),
            ("10.1.2.3", Internal("private")),
            ("172.15.255.255", Public),
            ("172.16.0.0", Internal("private")),
            ("172.31.255.255", Internal("private")),
            ("172.32.0.0", Public),
            ("192.168.1.1", Internal("private")),
            ("100.63.255.255", Public),
            ("100.100.100.200", Prohibited("carrier_nat")),
            ("100.128.0.0", Public),
            ("169.254.169.254", Prohibited("link_local")),
            ("168.63.129.16", Prohibited("metadata")),
            ("168.63.129.17", Public),
            ("192.0.0.170", Prohibited("protocol_assignments")),
            ("192.0.2.1", Prohibited("documentation")),
            ("198.19.255.255", Prohibited("benchmarking")),
            ("224.0.0.1", Prohibited("multicast")),
            ("240.0.0.1", Prohibited("reserved")),
            ("255.255.255.255", Prohibited("broadcast")),
            ("::", Prohibited("unspecified")),
            ("::1", Internal("loopback")),
            ("::2", Prohibited("ipv4_compatible")),
            ("::ffff:127.0.0.1", Prohibited("ipv4_mapped")),
            ("::ffff:8.8.8.8", Prohibited("ipv4_mapped")),
            ("::ffff:0:8.8.8.8", Prohibited("unallocated")),
            ("64:ff9b::a9fe:a9fe", Prohibited("nat64")),
            ("64:ff9b:1::1", Prohibited("nat64")),
            ("2002:7f00:1::", Prohibited("6to4")),
            ("2001:0:4136:e378::1", Prohibited("teredo")),
            ("2001:2::1", Prohibited("protocol_assignments")),
            ("2001:db8::1", Prohibited("documentation")),
            ("3fff::1", Prohibited("documentation")),
            ("fd00:ec2::254", Prohibited("metadata")),
            ("fd12:3456::1", Internal("unique_local")),
            ("fe80::1", Prohibited("link_local")),
            ("fec0::1", Prohibited("unallocated")),
            ("ff02::1", Prohibited("multicast")),
            ("100::1", Prohibited("unallocated")),
            ("5f00::1", Prohibited("unallocated")),
        ] {
            assert_eq!(classify(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn internal_addresses_need_permission_and_metadata_never_gets_it() {
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        assert_eq!(prohibition(loopback, false), Some("loopback"));
        assert_eq!(prohibition(loopback, true), None);
        assert_eq!(prohibition("169.254.169.254".parse().unwrap(), true), Some("link_local"));
        assert_eq!(prohibition("8.8.8.8".parse().unwrap(), false), None);
    }

    proptest! {
        /// Inside a block nothing is public, and the addresses around it are what the whole table says of them, not
        /// what this block does: no block is one too wide or too narrow.
        #[test]
        fn edges_of_the_blocks(block in 0..SPECIAL_V4.len(), at in 0.0..=1.0_f64) {
            let (net, _) = SPECIAL_V4[block];
            let (first, last) = (u32::from(net.network()), u32::from(net.broadcast()));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to the width of the block")]
            let inside = first + (f64::from(last - first) * at) as u32;
            for ip in [first, inside, last] {
                prop_assert_ne!(classify(Ipv4Addr::from(ip).into()), Public);
            }
            for ip in [first.checked_sub(1), last.checked_add(1)].into_iter().flatten().map(Ipv4Addr::from) {
                let in_another = SPECIAL_V4.iter().any(|(n, _)| n.contains(&ip));
                prop_assert_eq!(classify(ip.into()) == Public, !in_another);
            }
        }

        /// By the standard library's own opinion, where it has one.
        #[test]
        fn agrees_with_std(bits: u32) {
            let ip = Ipv4Addr::from(bits);
            let special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_broadcast()
                || ip.is_documentation() || ip.is_multicast() || ip.is_unspecified();
            prop_assert!(!special || classify(ip.into()) != Public);
        }

        /// However an IPv4 address is wrapped, it is not public.
        #[test]
        fn wrapped_ipv4(bits: u32) {
            let [w, x, y, z] = bits.to_be_bytes();
            let (a, b) = (u16::from_be_bytes([w, x]), u16::from_be_bytes([y, z]));
            for ip in [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, a, b),
                Ipv6Addr::new(0, 0, 0, 0, 0, 0, a, b),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b),
                Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !a, !b),
            ] {
                prop_assert_ne!(classify(ip.into()), Public);
            }
        }

        /// Only 2000::/3 is handed out for the public internet.
        #[test]
        fn outside_global_unicast(bits: u128) {
            let ip = Ipv6Addr::from(bits);
            prop_assert!(classify(ip.into()) != Public || ip.segments()[0] & 0xe000 == 0x2000);
        }
    }
}
