//! Who is at the other end of a downstream connection: address and TLS facts.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

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
}
