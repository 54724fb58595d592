//! Who may have a connection: how many in all, how many of one network, and some that strangers do not get.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use ipnet::IpNet;

use super::Config;
use super::client::{ClientAddress, Neighbour};
use crate::clock::Clock;

/// One place in this many is kept for networks that people have signed in from, and for reverse proxies.
const KEPT_SHARE: usize = 4;
/// How long a network is known after somebody who is signed in has asked from it: a console session's longest life.
const KNOWN_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The most networks that are known; beyond it the one that was seen longest ago is forgotten.
const KNOWN_MAX: usize = 1024;

/// Connections that are open, and networks that are known.
pub(super) struct Places {
    pub(super) config: Config,
    clock: Clock,
    /// It was told that a proxy does not say from whom it is asked.
    has_warned: AtomicBool,
    taken: Mutex<Taken>,
    known: Mutex<HashMap<IpNet, Instant>>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    /// Networks with at least one connection, so that the most connections bound it.
    networks: HashMap<IpNet, usize>,
}

/// A connection's place; given back when dropped.
pub(super) struct Place {
    pub(super) places: Arc<Places>,
    pub(super) neighbour: Neighbour,
    network: IpNet,
}

/// By which network a request came, to be noted as known; an extension of every request that no proxy has sent.
#[derive(Clone)]
pub struct OwnNetwork {
    places: Arc<Places>,
    network: IpNet,
}

impl Places {
    pub(super) fn new(config: &Config, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            config: config.clone(),
            clock,
            has_warned: AtomicBool::new(false),
            taken: Mutex::default(),
            known: Mutex::default(),
        })
    }

    /// Takes a place, unless all that this neighbour may have are taken.
    pub(super) fn take(self: &Arc<Self>, neighbour: Neighbour) -> Option<Place> {
        let network = self.config.network.network_of(neighbour.address());
        // All clients of a proxy arrive from its one address.
        let is_proxy = neighbour.is_proxy(&self.config.proxies);
        let most = if is_proxy || self.knows(network) {
            self.config.max_connections
        } else {
            self.config.max_connections - self.config.max_connections / KEPT_SHARE
        };
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_this = taken.networks.get(&network).copied().unwrap_or_default();
        if taken.all >= most || (!is_proxy && of_this >= self.config.max_per_network) {
            return None;
        }
        taken.all += 1;
        taken.networks.insert(network, of_this + 1);
        Some(Place {
            places: Arc::clone(self),
            neighbour,
            network,
        })
    }

    fn knows(&self, network: IpNet) -> bool {
        let now = self.clock.now();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = known.get(&network);
        seen.is_some_and(|seen| now.duration_since(*seen) < KNOWN_FOR)
    }

    fn note(&self, network: IpNet) {
        let now = self.clock.now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = known.get_mut(&network) {
            *seen = now;
            return;
        }
        if known.len() >= KNOWN_MAX
            && let Some(oldest) = known.iter().min_by_key(|(_, seen)| **seen).map(|(network, _)| *network)
        {
            known.remove(&oldest);
        }
        known.insert(network, now);
    }
}

impl Place {
    /// From whom a request of this connection comes; the neighbour, where it is a proxy that does not say.
    pub(super) fn client(&self, headers: &HeaderMap) -> ClientAddress {
        let said = self.neighbour.client(headers, &self.places.config.proxies);
        said.unwrap_or_else(|| {
            if !self.places.has_warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    listener.name = "manager",
                    proxy.addr = %self.neighbour.address(),
                    "the reverse proxy does not say from whom it is asked, so that all people count as one network; let it set X-Forwarded-For"
                );
            }
            ClientAddress(self.neighbour.address())
        })
    }

    /// What a request of this connection may note; nothing behind a proxy, whose address is no one person's.
    pub(super) fn own_network(&self) -> Option<OwnNetwork> {
        (!self.neighbour.is_proxy(&self.places.config.proxies)).then(|| OwnNetwork {
            places: Arc::clone(&self.places),
            network: self.network,
        })
    }
}

impl OwnNetwork {
    /// Somebody who is signed in has asked from here: the places that are kept are for this network too.
    pub fn note(&self) {
        self.places.note(self.network);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        if let Some(count) = taken.networks.get_mut(&self.network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.networks.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::clock::Timestamp;
    use crate::model::Origin;
    use crate::peer::NetworkPrefixes;

    fn places(max_connections: usize, max_per_network: usize) -> Arc<Places> {
        let config = Config {
            place: super::super::Place::Unix("/nowhere".into()),
            origin: Origin::parse("https://manager.example.org").unwrap(),
            proxies: vec!["10.0.0.1/32".parse().unwrap()],
            network: NetworkPrefixes::default(),
            max_connections,
            max_per_network,
        };
        Places::new(&config, Clock::manual(Timestamp(1_795_000_000_000)))
    }

    fn from(address: &str) -> Neighbour {
        Neighbour::Tcp(address.parse().unwrap())
    }

    #[test]
    fn an_ipv6_network_of_64_bits_counts_as_one() {
        let places = places(100, 2);
        let held: Vec<_> = ["2001:db8::1", "2001:db8::2"]
            .map(|address| places.take(from(address)))
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(held.len(), 2);
        assert!(
            places.take(from("2001:db8::3")).is_none(),
            "a customer has 2^64 of them"
        );
        assert!(places.take(from("2001:db8:0:1::1")).is_some());
        drop(held);
        assert!(places.take(from("2001:db8::3")).is_some());
        assert!(places.taken.lock().unwrap().networks.is_empty());
    }

    #[test]
    fn strangers_cannot_take_the_places_of_networks_that_are_known() {
        let places = places(8, 8);
        let home = places.take(from("192.0.2.1")).unwrap();
        home.own_network().unwrap().note();
        drop(home);
        let mut flood = Vec::new();
        for last in 0..=255_u8 {
            flood.extend(places.take(Neighbour::Tcp(IpAddr::from([203, 0, 113, last]))));
        }
        assert_eq!(flood.len(), 6, "a quarter is kept");
        let home = places.take(from("192.0.2.1"));
        let proxy = places.take(from("10.0.0.1"));
        assert!(home.is_some() && proxy.is_some());
        assert!(places.take(Neighbour::Unix).is_none(), "the most is the most");
        drop(home);
        places.clock.advance(KNOWN_FOR);
        assert!(places.take(from("192.0.2.1")).is_none(), "known no more");
        assert!(places.take(Neighbour::Unix).is_some());
    }

    #[test]
    fn what_is_known_is_bounded_and_the_oldest_is_forgotten() {
        let places = places(8, 8);
        let network = |number: u32| IpNet::from(IpAddr::from(number.to_be_bytes()));
        for number in 0..=u32::try_from(KNOWN_MAX).unwrap() {
            places.note(network(number));
            places.clock.advance(Duration::from_secs(1));
        }
        assert_eq!(places.known.lock().unwrap().len(), KNOWN_MAX);
        assert!(!places.knows(network(0)) && places.knows(network(1)));
    }

    #[test]
    fn nobody_becomes_known_through_a_proxy() {
        let places = places(8, 8);
        assert!(places.take(from("10.0.0.1")).unwrap().own_network().is_none());
        assert!(places.take(Neighbour::Unix).unwrap().own_network().is_none());
    }

    #[test]
    fn a_proxy_that_does_not_say_who_asks_is_told_of_once() {
        let places = places(8, 8);
        let ours = Neighbour::Tcp("192.0.2.1".parse().unwrap());
        assert_eq!(places.take(ours).unwrap().client(&HeaderMap::new()).0, ours.address());
        assert!(!places.has_warned.load(Ordering::Relaxed), "no proxy");
        let proxy = places.take(from("10.0.0.1")).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "203.0.113.9".parse().unwrap());
        assert_eq!(proxy.client(&headers).0, IpAddr::from([203, 0, 113, 9]));
        assert!(!places.has_warned.load(Ordering::Relaxed));
        assert_eq!(proxy.client(&HeaderMap::new()).0, IpAddr::from([10, 0, 0, 1]));
        assert!(places.has_warned.load(Ordering::Relaxed));
    }
}
