//! Ends what has outlived its time: sessions in which nothing moved, and sessions of devices whose date has come.
//!
//! One task looks for both, so that a session needs no timer of its own. Dates stand in order and are looked at in every
//! step; whether octets moved since the last look, a step asks of an eighth of all sessions. An idle session so ends at
//! most [`ROUND`] steps late on either side of its idle time, and never early.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::index::SHARDS;
use super::registry::{Record, Registry, SessionId};
use crate::clock::Timestamp;
use crate::peer::Protocol;
use crate::store::EndReason;

/// How often to call [`Sweeper::step`].
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// So many steps look at every session once.
const ROUND: usize = 8;

/// For how long nothing may move in a session.
#[derive(Debug, Clone, Copy)]
pub struct IdleLimits {
    /// In an IMAP session.
    pub imap: Duration,
    /// In an SMTP session.
    pub smtp: Duration,
}

/// When octets were last seen to move in a session. Only the sweeper writes it.
#[derive(Debug)]
pub(super) struct Quiet {
    /// All octets of the session at that time.
    octets: AtomicU64,
    /// Seconds since the sweeper began.
    since: AtomicU32,
}

impl Default for Quiet {
    /// Nobody has looked yet.
    fn default() -> Self {
        Self {
            octets: AtomicU64::new(u64::MAX),
            since: AtomicU32::new(0),
        }
    }
}

impl Quiet {
    /// Seconds since octets were last seen to move.
    fn look(&self, octets: u64, now: u32) -> u32 {
        if self.octets.swap(octets, Ordering::Relaxed) == octets {
            now.saturating_sub(self.since.load(Ordering::Relaxed))
        } else {
            self.since.store(now, Ordering::Relaxed);
            0
        }
    }
}

/// Sessions whose device has an end, the first to come first.
#[derive(Default)]
pub(super) struct Expiring(Mutex<BTreeMap<(Timestamp, SessionId), Arc<Record>>>);

impl Expiring {
    pub(super) fn insert(&self, record: &Arc<Record>) {
        if let Some(at) = record.info.expires_at {
            self.lock().insert((at, record.id), Arc::clone(record));
        }
    }

    pub(super) fn remove(&self, record: &Record) {
        if let Some(at) = record.info.expires_at {
            self.lock().remove(&(at, record.id));
        }
    }

    /// Takes out those whose date has come.
    fn due(&self, now: Timestamp) -> BTreeMap<(Timestamp, SessionId), Arc<Record>> {
        let mut all = self.lock();
        // Session numbers begin at 1.
        let later = all.split_off(&(now.plus(Duration::from_millis(1)), SessionId(0)));
        std::mem::replace(&mut all, later)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(Timestamp, SessionId), Arc<Record>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks through the sessions of one registry, a part at a time.
pub struct Sweeper {
    registry: Arc<Registry>,
    began: Instant,
    step: usize,
}

impl Sweeper {
    /// The only sweeper of this registry.
    pub fn new(registry: Arc<Registry>, now: Instant) -> Self {
        Self {
            registry,
            began: now,
            step: 0,
        }
    }

    /// Ends the sessions whose device's date has come, and those of the next part that were idle for too long; says how
    /// many. Holds no lock longer than one part takes to look at.
    pub fn step(&mut self, now: Instant, utc: Timestamp, limits: &IdleLimits) -> usize {
        let expired = self.registry.expiring.due(utc);
        let expired = expired
            .values()
            .filter(|record| record.tell(EndReason::Expired))
            .count();
        let seconds = now.saturating_duration_since(self.began).as_secs();
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        let is_idle = |record: &Record| {
            let limit = match record.info.protocol {
                Protocol::Imap => limits.imap,
                Protocol::Smtp => limits.smtp,
            };
            u64::from(record.quiet.look(record.octets(), seconds)) >= limit.as_secs().max(1)
        };
        let parts = (self.step..SHARDS).step_by(ROUND);
        let idle = parts.map(|part| {
            let idle = self.registry.devices.filtered(part, is_idle);
            idle.iter().filter(|record| record.tell(EndReason::Idle)).count()
        });
        let idle: usize = idle.sum();
        self.step = (self.step + 1) % ROUND;
        expired + idle
    }
}
