//! What an address says: who stands behind it, and from how far away it can be reached.

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who is counted and banned together: an IPv4 address, or the /64 of an IPv6 address, which one customer has whole.
/// Never loopback, where all nodes of a test network are neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Source(IpAddr);

impl Source {
    /// `None` for loopback and for addresses without an IP.
    pub(crate) fn of(address: &Multiaddr) -> Option<Self> {
        match ip(address)? {
            ip if ip.is_loopback() => None,
            IpAddr::V4(ip) => Some(Self(ip.into())),
            IpAddr::V6(ip) => Some(Self(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into())),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(ip) => ip.fmt(f),
            IpAddr::V6(ip) => write!(f, "{ip}/64"),
        }
    }
}

/// From how far away an address can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// From the same machine.
    Loopback,
    /// From the same private network: RFC 1918, RFC 6598, RFC 4193, link-local.
    Private,
    /// From everywhere.
    Global,
}

impl Reach {
    /// `None` if nobody can be dialled there: no IP address, an unspecified, multicast or reserved one.
    pub(crate) fn of(address: &Multiaddr) -> Option<Self> {
        match ip(address)? {
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => Self::of_v6(ip),
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Option<Self> {
        match ip.octets() {
            [0 | 224..=255, ..] => None,
            [127, ..] => Some(Self::Loopback),
            [100, 64..=127, ..] => Some(Self::Private),
            _ if ip.is_private() || ip.is_link_local() => Some(Self::Private),
            _ => Some(Self::Global),
        }
    }

    fn of_v6(ip: Ipv6Addr) -> Option<Self> {
        match ip {
            _ if ip.is_unspecified() || ip.is_multicast() => None,
            _ if ip.is_loopback() => Some(Self::Loopback),
            _ if ip.is_unique_local() || ip.is_unicast_link_local() => Some(Self::Private),
            _ => Some(Self::Global),
        }
    }
}

/// True for exactly an IP address and a port: `/ip4|ip6/../tcp/PORT` or `/ip4|ip6/../udp/PORT/quic-v1`.
pub(crate) fn is_plain(address: &Multiaddr) -> bool {
    let mut parts = address.iter();
    let host = matches!(parts.next(), Some(Protocol::Ip4(_) | Protocol::Ip6(_)));
    let port = match parts.next() {
        Some(Protocol::Tcp(port)) => port,
        Some(Protocol::Udp(port)) if parts.next() == Some(Protocol::QuicV1) => port,
        _ => 0,
    };
    host && port != 0 && parts.next().is_none()
}

/// The IP address that an address begins with; one that is mapped into IPv6 is IPv4.
pub(crate) fn ip(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(IpAddr::from(ip).to_canonical()),
        _ => None,
    }
}

/// The same address with another IP address in front.
pub(crate) fn with_ip(address: &Multiaddr, ip: IpAddr) -> Multiaddr {
    let rest = address.iter().skip(1);
    rest.fold(Multiaddr::from(ip), |address, part| address.with(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn sources_are_addresses_or_networks_of_64_bits() {
        let source = |text| Source::of(&at(text)).map(|source| source.to_string());
        assert_eq!(source("/ip4/203.0.113.7/tcp/1").as_deref(), Some("203.0.113.7"));
        assert_eq!(source("/ip6/2001:db8:1:2:3:4:5:6/udp/1/quic-v1").as_deref(), Some("2001:db8:1:2::/64"));
        assert_eq!(source("/ip6/::ffff:203.0.113.7/tcp/1").as_deref(), Some("203.0.113.7"));
        for exempt in ["/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/1", "/ip6/::ffff:127.0.0.1/tcp/1", "/dns4/node/tcp/1"] {
            assert_eq!(source(exempt), None, "{exempt}");
        }
    }

    #[test]
    fn reaches() {
        for (text, reach) in [
            ("/ip4/127.9.9.9/tcp/1", Some(Reach::Loopback)),
            ("/ip6/::1/tcp/1", Some(Reach::Loopback)),
            ("/ip4/10.1.2.3/tcp/1", Some(Reach::Private)),
            ("/ip4/169.254.169.254/tcp/80", Some(Reach::Private)),
            ("/ip4/100.64.0.1/tcp/1", Some(Reach::Private)),
            ("/ip4/100.128.0.1/tcp/1", Some(Reach::Global)),
            ("/ip6/fd00::1/tcp/1", Some(Reach::Private)),
            ("/ip6/fe80::1/tcp/1", Some(Reach::Private)),
            ("/ip6/::ffff:10.0.0.1/tcp/1", Some(Reach::Private)),
            ("/ip4/203.0.113.7/tcp/1", Some(Reach::Global)),
            ("/ip6/2001:db8::1/tcp/1", Some(Reach::Global)),
            ("/ip4/0.0.0.0/tcp/1", None),
            ("/ip4/224.0.0.1/udp/1", None),
            ("/ip4/255.255.255.255/udp/1", None),
            ("/ip6/::/tcp/1", None),
            ("/ip6/ff02::1/udp/1", None),
            ("/dns4/node/tcp/1", None),
        ] {
            assert_eq!(Reach::of(&at(text)), reach, "{text}");
        }
    }

    #[test]
    fn plain_addresses() {
        for good in ["/ip4/1.2.3.4/tcp/1", "/ip6/2001:db8::1/tcp/65535", "/ip4/1.2.3.4/udp/1/quic-v1"] {
            assert!(is_plain(&at(good)), "{good}");
        }
        for bad in [
            "/ip4/1.2.3.4",
            "/ip4/1.2.3.4/tcp/0",
            "/ip4/1.2.3.4/udp/1",
            "/ip4/1.2.3.4/udp/1/quic-v1/p2p-circuit",
            "/ip4/1.2.3.4/tcp/1/ws",
            "/dns4/node/tcp/1",
            "/memory/7",
        ] {
            assert!(!is_plain(&at(bad)), "{bad}");
        }
        assert!(!is_plain(&Multiaddr::empty()));
    }

    #[test]
    fn the_ip_is_replaced() {
        let ip = "203.0.113.7".parse().unwrap();
        assert_eq!(with_ip(&at("/ip4/10.0.0.1/udp/9/quic-v1"), ip), at("/ip4/203.0.113.7/udp/9/quic-v1"));
    }
}
