//! Caps on connections: in all, before login, and of one network.
//!
//! A [`Place`] is taken at accept and given back on drop; its second half, the place before login, is given back as
//! soon as the client proved itself, so that strangers cannot use up what sessions need.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::IpNet;

use super::Config;
use crate::peer::NetworkPrefixes;

/// Which cap a connection ran into; a fixed word for log and metric.
pub(super) type Full = &'static str;

/// Counts connections.
#[derive(Debug)]
pub struct Limiter {
    max: Caps,
    network: NetworkPrefixes,
    all: AtomicUsize,
    before_login: AtomicUsize,
    networks: Mutex<HashMap<IpNet, Counts>>,
}

#[derive(Debug, Clone, Copy)]
struct Caps {
    all: usize,
    before_login: usize,
    network_all: usize,
    network_before_login: usize,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    all: usize,
    before_login: usize,
}

/// A connection's place.
#[derive(Debug)]
pub(super) struct Place {
    limiter: Arc<Limiter>,
    network: Option<IpNet>,
}

/// The place of a connection that has not logged in.
#[derive(Debug)]
pub(super) struct PlaceBeforeLogin {
    limiter: Arc<Limiter>,
    network: Option<IpNet>,
}

impl Limiter {
    /// Nobody is connected.
    pub fn new(config: &Config) -> Arc<Self> {
        Arc::new(Self {
            max: Caps {
                all: config.max_connections,
                before_login: config.max_before_login,
                network_all: config.max_per_network,
                network_before_login: config.max_before_login_per_network,
            },
            network: config.network,
            all: AtomicUsize::new(0),
            before_login: AtomicUsize::new(0),
            networks: Mutex::default(),
        })
    }

    /// Takes a place in every count, or none.
    pub(super) fn enter(self: &Arc<Self>, ip: IpAddr) -> Result<(Place, PlaceBeforeLogin), Full> {
        self.take(Some(self.network.network_of(ip)))
    }

    /// Takes a place of a connection whose network is not known yet: a trusted balancer has still to name it.
    pub(super) fn enter_unnamed(self: &Arc<Self>) -> Result<(Place, PlaceBeforeLogin), Full> {
        self.take(None)
    }

    fn take(self: &Arc<Self>, network: Option<IpNet>) -> Result<(Place, PlaceBeforeLogin), Full> {
        // The map holds networks with at least one connection, so `max.all` bounds it.
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = network
            .and_then(|network| networks.get(&network).copied())
            .unwrap_or_default();
        let full = [
            (self.all.load(Ordering::Relaxed) >= self.max.all, "max_connections"),
            (
                self.before_login.load(Ordering::Relaxed) >= self.max.before_login,
                "max_before_login",
            ),
            (counts.all >= self.max.network_all, "max_per_network"),
            (
                counts.before_login >= self.max.network_before_login,
                "max_before_login_per_network",
            ),
        ];
        if let Some((_, cap)) = full.into_iter().find(|(full, _)| *full) {
            return Err(cap);
        }
        if let Some(network) = network {
            networks.insert(
                network,
                Counts {
                    all: counts.all + 1,
                    before_login: counts.before_login + 1,
                },
            );
        }
        self.all.fetch_add(1, Ordering::Relaxed);
        self.before_login.fetch_add(1, Ordering::Relaxed);
        drop(networks);
        let limiter = Arc::clone(self);
        Ok((
            Place {
                limiter: Arc::clone(&limiter),
                network,
            },
            PlaceBeforeLogin { limiter, network },
        ))
    }

    /// Whether more than half of the places before login are taken.
    pub(super) fn is_stressed(&self) -> bool {
        self.before_login.load(Ordering::Relaxed) > self.max.before_login / 2
    }

    fn leave(&self, network: Option<IpNet>, count: impl FnOnce(&mut Counts)) {
        let Some(network) = network else { return };
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counts) = networks.get_mut(&network) {
            count(counts);
            if counts.all == 0 && counts.before_login == 0 {
                networks.remove(&network);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.limiter.all.fetch_sub(1, Ordering::Relaxed);
        self.limiter
            .leave(self.network, |counts| counts.all = counts.all.saturating_sub(1));
    }
}

impl Drop for PlaceBeforeLogin {
    fn drop(&mut self) {
        self.limiter.before_login.fetch_sub(1, Ordering::Relaxed);
        self.limiter.leave(self.network, |counts| {
            counts.before_login = counts.before_login.saturating_sub(1)
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn limiter(all: usize, before: usize, network: usize, network_before: usize) -> Arc<Limiter> {
        Limiter::new(&Config {
            listeners: Vec::new(),
            max_connections: all,
            max_before_login: before,
            max_per_network: network,
            max_before_login_per_network: network_before,
            network: NetworkPrefixes::default(),
            proxy_header_time: Duration::ZERO,
            drain_time: Duration::ZERO,
            close_time: Duration::ZERO,
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_cap_names_itself_and_a_dropped_place_is_free_again() {
        let limiter = limiter(3, 9, 9, 9);
        let kept: Vec<_> = (1..=3)
            .map(|n| limiter.enter(ip(&format!("192.0.2.{n}"))).unwrap())
            .collect();
        assert_eq!(limiter.enter(ip("192.0.2.9")).unwrap_err(), "max_connections");
        drop(kept);
        assert_eq!(limiter.all.load(Ordering::Relaxed), 0);
        assert!(limiter.networks.lock().unwrap().is_empty());
        assert!(limiter.enter(ip("192.0.2.9")).is_ok());
    }

    #[test]
    fn a_client_that_logged_in_makes_room_for_strangers_but_keeps_its_own_place() {
        let limiter = limiter(9, 1, 9, 9);
        let (place, before) = limiter.enter(ip("192.0.2.1")).unwrap();
        assert_eq!(limiter.enter(ip("192.0.2.2")).unwrap_err(), "max_before_login");
        drop(before);
        assert!(limiter.enter(ip("192.0.2.2")).is_ok());
        assert_eq!(limiter.all.load(Ordering::Relaxed), 1);
        drop(place);
    }

    #[test]
    fn connections_of_a_balancer_are_not_capped_as_one_network_before_it_named_the_client() {
        let limiter = limiter(3, 9, 1, 1);
        let waiting: Vec<_> = (0..3).map(|_| limiter.enter_unnamed().unwrap()).collect();
        assert_eq!(limiter.enter_unnamed().unwrap_err(), "max_connections");
        drop(waiting);
        assert_eq!(limiter.all.load(Ordering::Relaxed), 0);
        let _client = limiter.enter(ip("192.0.2.1")).unwrap();
        assert!(limiter.enter_unnamed().is_ok());
    }

    #[test]
    fn an_ipv6_network_of_64_bits_counts_as_one() {
        let limiter = limiter(9, 9, 9, 1);
        let _first = limiter.enter(ip("2001:db8::1")).unwrap();
        assert_eq!(
            limiter.enter(ip("2001:db8::2")).unwrap_err(),
            "max_before_login_per_network"
        );
        assert!(limiter.enter(ip("2001:db8:0:1::2")).is_ok());
    }
}
