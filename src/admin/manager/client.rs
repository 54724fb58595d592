//! Who is asking: the address behind a reverse proxy, where that proxy is known.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::HeaderMap;
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

    /// The last address in the chain that is not one of our proxies. What stands left of it was written by the client.
    pub(super) fn client(self, headers: &HeaderMap, proxies: &[IpNet]) -> ClientAddress {
        let is_proxy = |address: IpAddr| proxies.iter().any(|network| network.contains(&address));
        let mut last = self.address();
        if !self.is_proxy(proxies) {
            return ClientAddress(last);
        }
        let chain: Vec<&str> = headers
            .get_all(FORWARDED_FOR)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        for hop in chain.iter().rev().take(HOPS_MAX) {
            let Ok(address) = hop.trim().parse::<IpAddr>() else {
                break;
            };
            last = address.to_canonical();
            if !is_proxy(last) {
                break;
            }
        }
        ClientAddress(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(neighbour: Neighbour, chain: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in chain {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let proxies = ["10.0.0.0/8".parse().unwrap(), "2001:db8::1/128".parse().unwrap()];
        neighbour.client(&headers, &proxies).0.to_string()
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
        assert_eq!(client(proxy, &["nonsense"]), "10.1.2.3");
        assert_eq!(client(proxy, &[]), "10.1.2.3");
        assert_eq!(client(proxy, &["::ffff:198.51.100.1"]), "198.51.100.1");
    }
}
