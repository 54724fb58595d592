//! Connections of our own: a test message goes through the gateway as the device, and is no use of the device.
//!
//! Such a connection is known by its own end, which nobody else can have while it is open: what a client says of itself
//! is never asked. It is known for one device, by the protocol that test messages go by, and until the run is over.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::DeviceId;
use crate::peer::Protocol;

/// The ends of connections that run now; as many as whoever sends test messages lets run at once.
#[derive(Default)]
pub(super) struct Trials {
    /// How many there are, so that logins need not ask for the lock.
    running: AtomicUsize,
    by_end: Mutex<HashMap<(IpAddr, u16), DeviceId>>,
}

/// A connection of our own; dropped when its run is over.
#[must_use = "the connection is known as our own until this is dropped"]
pub struct Trial<'t> {
    trials: &'t Trials,
    end: (IpAddr, u16),
}

impl Trials {
    fn by_end(&self) -> MutexGuard<'_, HashMap<(IpAddr, u16), DeviceId>> {
        self.by_end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, own: SocketAddr, device: DeviceId) -> Trial<'_> {
        let end = key(own);
        let mut by_end = self.by_end();
        by_end.insert(end, device);
        self.running.store(by_end.len(), Ordering::Release);
        Trial { trials: self, end }
    }

    pub(super) fn of(&self, peer: SocketAddr, protocol: Protocol) -> Option<DeviceId> {
        if protocol != Protocol::Smtp || self.running.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.by_end().get(&key(peer)).copied()
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        let mut by_end = self.trials.by_end();
        by_end.remove(&self.end);
        self.trials.running.store(by_end.len(), Ordering::Release);
    }
}

/// Peers are known in their canonical form, and without what IPv6 has beside address and port.
fn key(end: SocketAddr) -> (IpAddr, u16) {
    (end.ip().to_canonical(), end.port())
}
