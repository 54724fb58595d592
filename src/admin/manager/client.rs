//! Who is asking: the address behind a reverse proxy, where that proxy is known.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::{HeaderMap, HeaderValue};
use ipnet::IpNet;

/// What proxies add the address to that they were asked from (de facto; RFC 7239 §5.2 has the same meaning).
const FORWARDED_FOR: &str = "x-forwarded-for";
/// The most addresses that are looked at; a longer chain is somebody's invention.
const HOPS_MAX: usize = 16;

/// The address that a request comes from, as far as it can be trusted; an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// Who connected to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Neighbour {
    Tcp(IpAddr),
    /// Whoever may open the socket is the reverse proxy.
    Unix,
}

impl Neighbour {
    /// The address that connections are counted by.
    pub(super) const fn address(self) -> IpAddr {
        match self {
            Self::Tcp(address) => address,
            Self::Unix => IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }

    /// Whether it is one of our proxies.
    pub(super) fn is_proxy(self, proxies: &[IpNet]) -> bool {
        match self {
            Self::Tcp(address) => proxies.iter().any(|network| network.contains(&address)),
            Self::Unix => true,
        }
    }

    /// The last address in the chain that is not one of our proxies. What stands left of it was written by the client,
    /// octets that are no text among it. Nothing where one of our proxies does not say from whom it was asked.
    pub(super) fn client(self, headers: &HeaderMap, proxies: &[IpNet]) -> Option<ClientAddress> {
        if !self.is_proxy(proxies) {
            return Some(ClientAddress(self.address()));
        }
        let is_proxy = |address: IpAddr| proxies.iter().any(|network| network.contains(&address));
        let values: Vec<&[u8]> = headers
            .get_all(FORWARDED_FOR)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        let hops = values
            .iter()
            .rev()
            .flat_map(|value| value.rsplit(|octet| *octet == b','));
        let mut last = None;
        for hop in hops.take(HOPS_MAX) {
            let Some(address) = read(hop) else { break };
            last = Some(ClientAddress(address));
            if !is_proxy(address) {
                break;
            }
        }
        last
    }
}

fn read(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop.trim_ascii()).ok()?;
    Some(hop.parse::<IpAddr>().ok()?.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_of(neighbour: Neighbour, chain: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for value in chain {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(value).unwrap());
        }
        let proxies = ["10.0.0.0/8".parse().unwrap(), "2001:db8::1/128".parse().unwrap()];
        let client = neighbour.client(&headers, &proxies);
        client.map_or_else(|| "not said".to_owned(), |client| client.0.to_string())
    }

    fn client(neighbour: Neighbour, chain: &[&str]) -> String {
        let chain: Vec<&[u8]> = chain.iter().map(|value| value.as_bytes()).collect();
        client_of(neighbour, &chain)
    }

    #[test]
    fn octets_that_are_no_text_hide_nobody() {
        let proxy = Neighbour::Tcp("10.1.2.3".parse().unwrap());
        assert_eq!(client_of(proxy, &[b"\xff, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(client_of(proxy, &[b"\xff", b"203.0.113.9,10.9.9.9"]), "203.0.113.9");
        // What is left of the first proxy that is ours is what it was asked from.
        assert_eq!(client_of(proxy, &[b"\xff, 10.9.9.9"]), "10.9.9.9");
        assert_eq!(
            client_of(proxy, &[b"203.0.113.9, \xff"]),
            "not said",
            "the proxy's own doing"
        );
    }

    #[test]
    fn only_a_known_proxy_can_name_the_client() {
        let stranger = Neighbour::Tcp("192.0.2.7".parse().unwrap());
        assert_eq!(client(stranger, &["198.51.100.1"]), "192.0.2.7");
        let proxy = Neighbour::Tcp("10.1.2.3".parse().unwrap());
        assert_eq!(client(proxy, &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(Neighbour::Unix, &["198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn what_the_client_wrote_itself_does_not_count() {
        let proxy = Neighbour::Tcp("10.1.2.3".parse().unwrap());
        assert_eq!(client(proxy, &["203.0.113.9, 198.51.100.1, 10.9.9.9"]), "198.51.100.1");
        assert_eq!(client(proxy, &["203.0.113.9", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(proxy, &["nonsense"]), "not said");
        assert_eq!(client(proxy, &[]), "not said");
        assert_eq!(client(Neighbour::Unix, &[]), "not said");
        assert_eq!(client(proxy, &["::ffff:198.51.100.1"]), "198.51.100.1");
    }
}
