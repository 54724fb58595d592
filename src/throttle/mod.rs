//! Slows failed logins and counts distinct wrong secrets; never refuses anybody who proves a secret.
//!
//! What counts is how many *different* wrong secrets came from a network, and for a name, of late: a phone that repeats
//! one old password all day counts once. Names that exist and names that do not are treated alike. The answer to every
//! failure goes out on a fixed clock (whole multiples of a base delay after its beginning), so that its time tells
//! neither the reason nor how long judging took. All state lives in tables of fixed size under keyed hashes with a key
//! that is random per process (`table`): nobody can make it grow, nor choose whom to push out of it.
//!
//! Sign-ins at the Manager have rules of their own, over the same tables (`sign_in`).

mod sign_in;
mod table;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::{Duration, Instant};

pub use sign_in::{Guesser, SignInConfig, SignInThrottle, Taken, Wait};

use self::table::Table;
use crate::keys::random_bytes;
use crate::peer::NetworkPrefixes;
use crate::secret::{Secret, on_wiped_stack};

/// A secret seen for a name and network is new again after this many half-lives without it.
const SEEN_HALF_LIVES: u8 = 4;

/// Doublings of the delay beyond which no more are computed.
const MAX_DOUBLINGS: u32 = 16;

/// The least grid of answers, should none be configured.
const MIN_GRID: Duration = Duration::from_millis(1);

/// Settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What one network is.
    pub network: NetworkPrefixes,
    /// Answer time of a failure with no history, and the grid of all others.
    pub base_delay: Duration,
    /// No answer waits longer than this.
    pub max_delay: Duration,
    /// Distinct wrong secrets before the delay grows.
    pub free_failures: u32,
    /// Half-life of the counts.
    pub half_life: Duration,
    /// Fixed number of counters in each of the three tables; about 32 octets each.
    pub table_entries: usize,
    /// From this count of distinct wrong secrets on, imported passwords (which have no tag) are not hashed for this
    /// network or name.
    pub hash_stop: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            network: NetworkPrefixes::default(),
            base_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(5),
            free_failures: 5,
            half_life: Duration::from_secs(15 * 60),
            table_entries: 65_536,
            hash_stop: 50,
        }
    }
}

/// Counts failures; one for the whole daemon.
pub struct Throttle {
    config: Config,
    key: Secret<[u8; 32]>,
    networks: Table,
    names: Table,
    seen: Table,
}

/// What a failure did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// First time this secret was seen for this name from this network in the window.
    pub distinct: bool,
    /// Distinct wrong secrets from this network, decayed and rounded.
    pub network_count: u32,
    /// Distinct wrong secrets for this name, decayed and rounded.
    pub name_count: u32,
}

/// Whose failures are counted together: a network and a claimed name. Made by [`Throttle::source`], once a login.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    network: Ids,
    name: Ids,
}

/// Under which ids the two kinds of failures count.
#[derive(Debug, Clone, Copy)]
struct Ids {
    wrong: u64,
    typos: u64,
}

/// What a keyed hash is of, so that no two uses share one.
#[derive(Clone, Copy)]
enum Of {
    Network = 1,
    Name = 2,
    Secret = 3,
}

impl Throttle {
    /// Empty tables under a fresh key.
    pub fn new(config: Config) -> Self {
        let table = || Table::new(config.table_entries, config.half_life);
        Self {
            key: random_bytes(),
            networks: table(),
            names: table(),
            seen: table(),
            config,
        }
    }

    /// Whose failures a login's would be. Callers give a name in the one form that logins look up; where it has none,
    /// blanks around it and case still do not make another one.
    pub fn source(&self, ip: IpAddr, name: &str) -> Source {
        let name = name.trim();
        let is_folded = name.is_ascii() && !name.bytes().any(|octet| octet.is_ascii_uppercase());
        let name = if is_folded {
            self.ids(Of::Name, &[name.as_bytes()])
        } else {
            self.ids(Of::Name, &[name.to_lowercase().as_bytes()])
        };
        let network = match self.config.network.network_of(ip).addr() {
            IpAddr::V4(network) => self.ids(Of::Network, &[&network.octets()]),
            IpAddr::V6(network) => self.ids(Of::Network, &[&network.octets()]),
        };
        Source { network, name }
    }

    /// Counts one wrong secret. The same secret for the same name from the same network counts once, over however many
    /// connections it comes.
    pub fn count(&self, now: Instant, source: Source, secret: &[u8]) -> Counted {
        let (network, name) = (source.network.wrong, source.name.wrong);
        let distinct = self.is_distinct(now, network, name, secret);
        if distinct {
            self.networks.add(now, network);
            self.names.add(now, name);
        }
        Counted {
            distinct,
            network_count: self.networks.count(now, network),
            name_count: self.names.count(now, name),
        }
    }

    /// Notes a typo: it slows no answer, and counts only for [`Throttle::may_hash_untagged`], as where people brought
    /// their own passwords along a typo costs a hash run like any other guess. The same one counts once as well.
    pub fn note_typo(&self, now: Instant, source: Source, secret: &[u8]) {
        let (network, name) = (source.network.typos, source.name.typos);
        if self.is_distinct(now, network, name, secret) {
            self.networks.add(now, network);
            self.names.add(now, name);
        }
    }

    fn is_distinct(&self, now: Instant, network: u64, name: u64, secret: &[u8]) -> bool {
        let parts = [&network.to_le_bytes()[..], &name.to_le_bytes(), secret];
        let Ids { wrong: secret, .. } = on_wiped_stack(|| self.ids(Of::Secret, &parts));
        self.seen.refresh(now, secret, SEEN_HALF_LIVES)
    }

    /// When the answer to a failure that began at `started` may go out: a whole number of base delays later, equal for
    /// all reasons. Each distinct failure beyond the free ones doubles the wait, up to `max_delay`; where judging took
    /// longer than that, the next step of the same grid.
    pub fn release_at(&self, started: Instant, now: Instant, source: Source) -> Instant {
        let grid = self.config.base_delay.max(MIN_GRID);
        let failures = self.worst(now, source).saturating_sub(self.config.free_failures);
        let wanted = grid
            .saturating_mul(1 << failures.min(MAX_DOUBLINGS))
            .min(self.config.max_delay);
        on_grid(started, now, grid, wanted.as_nanos() / grid.as_nanos())
    }

    /// Whether untagged (imported) hashes may still be run for this source.
    pub fn may_hash_untagged(&self, now: Instant, source: Source) -> bool {
        let network = self.networks.count(now, source.network.typos);
        let name = self.names.count(now, source.name.typos);
        self.worst(now, source).saturating_add(network.max(name)) < self.config.hash_stop
    }

    fn worst(&self, now: Instant, source: Source) -> u32 {
        self.networks
            .count(now, source.network.wrong)
            .max(self.names.count(now, source.name.wrong))
    }

    fn ids(&self, of: Of, parts: &[&[u8]]) -> Ids {
        let mut hasher = blake3::Hasher::new_keyed(self.key.expose());
        hasher.update(&[of as u8]);
        for part in parts {
            hasher.update(part);
        }
        let hash = hasher.finalize();
        let (ids, _) = hash.as_bytes().as_chunks::<8>();
        let id = |place: usize| ids.get(place).copied().map_or(0, u64::from_le_bytes);
        Ids {
            wrong: id(0),
            typos: id(1),
        }
    }
}

/// The next whole number of grid steps after `started`: at least `steps` of them, at least one, and not before `now`.
fn on_grid(started: Instant, now: Instant, grid: Duration, steps: u128) -> Instant {
    let judged = now
        .saturating_duration_since(started)
        .as_nanos()
        .div_ceil(grid.as_nanos());
    started + grid.saturating_mul(u32::try_from(steps.max(judged).max(1)).unwrap_or(u32::MAX))
}
