//! Who is at the other end of a downstream connection: address, network and TLS facts.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

/// The protocols that Postern speaks downstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// IMAP4rev1 and IMAP4rev2 (RFC 3501, RFC 9051).
    Imap,
    /// Message submission (RFC 6409).
    Smtp,
}

impl Protocol {
    /// The lower-case name used in logs, metrics, the store and the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Smtp => "smtp",
        }
    }

    /// Reads what [`Protocol::name`] wrote.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Imap, Self::Smtp]
            .into_iter()
            .find(|protocol| protocol.name() == name)
    }
}

/// What the TLS handshake agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite's IANA name.
    pub cipher: Arc<str>,
    /// The server name that the client asked for, lower-case.
    pub server_name: Option<Arc<str>>,
}

/// The client's end of a connection, as the PROXY header or the socket gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The client's address; IPv4-mapped IPv6 is folded to IPv4.
    pub addr: SocketAddr,
    /// Our end.
    pub local: SocketAddr,
    /// Present once TLS is up.
    pub tls: Option<TlsFacts>,
}

impl Peer {
    /// A peer before TLS. Folds `::ffff:192.0.2.1` to `192.0.2.1`, so that limits, rules and logs see one form.
    pub fn new(addr: SocketAddr, local: SocketAddr) -> Self {
        Self {
            addr: canonical(addr),
            local: canonical(local),
            tls: None,
        }
    }

    /// The client's address without the port.
    pub const fn ip(&self) -> IpAddr {
        self.addr.ip()
    }
}

/// How many leading bits of an address make one network: whatever is capped, queued or slowed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkPrefixes {
    /// Of an IPv4 address, at most 32.
    pub ipv4: u8,
    /// Of an IPv6 address, at most 128.
    pub ipv6: u8,
}

impl NetworkPrefixes {
    /// The network of an address, without the bits behind its prefix. A prefix that is too long means the one address.
    pub fn network_of(self, ip: IpAddr) -> IpNet {
        let prefix = if ip.is_ipv4() { self.ipv4 } else { self.ipv6 };
        IpNet::new(ip, prefix).unwrap_or_else(|_| IpNet::from(ip)).trunc()
    }
}

impl Default for NetworkPrefixes {
    /// An IPv4 address, or the /64 that an IPv6 customer gets.
    fn default() -> Self {
        Self { ipv4: 32, ipv6: 64 }
    }
}

fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_are_folded() {
        let local = "[::]:993".parse().unwrap();
        let peer = Peer::new("[::ffff:192.0.2.1]:4711".parse().unwrap(), local);
        assert_eq!(peer.ip(), "192.0.2.1".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn a_network_is_what_the_prefixes_say() {
        let check = |ipv4, ipv6, address: &str, network: &str| {
            let prefixes = NetworkPrefixes { ipv4, ipv6 };
            assert_eq!(prefixes.network_of(address.parse().unwrap()).to_string(), network);
        };
        check(32, 64, "192.0.2.7", "192.0.2.7/32");
        check(24, 64, "192.0.2.7", "192.0.2.0/24");
        check(32, 64, "2001:db8::ffff:1", "2001:db8::/64");
        check(32, 48, "2001:db8:0:1::1", "2001:db8::/48");
        check(33, 129, "192.0.2.7", "192.0.2.7/32");
        check(33, 129, "2001:db8::1", "2001:db8::1/128");
    }
}
