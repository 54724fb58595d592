//! What was lately tried by devices whose first sign-in somebody waits for: the data plane notes, pages read.
//!
//! It is memory only, it is bounded, and it forgets: what it holds is a help for people who look at a page now. A try
//! belongs to a device where the password was the device's own, to a mailbox where the name was, and to a network where
//! there was neither, as with a certificate that was not accepted. Whoever reads gets what belongs to the device that they
//! may see, and nothing of anybody else.
//!
//! That a try under another name is the device's own is told by the password alone. Of a password that is waited for there
//! is a keyed fingerprint, whose key lives as long as the process; a name is never enough, because every organisation has
//! its own `anna`.
//!
//! A login that succeeds costs one atomic load here, unless somebody waits for that device.

mod recent;
mod trials;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;

use crate::clock::Timestamp;
use crate::model::device::Use;
use crate::model::password::{PlainPassword, Typed};
use crate::model::{Address, DeviceId, MailboxId};
use crate::peer::{NetworkPrefixes, Protocol};
use crate::secret::SecretBytes;

use recent::Recent;
use trials::Trials;

pub use trials::Trial;

/// How long a try is told, and how long a device is waited for after somebody looked last.
pub const KEPT: Duration = Duration::from_secs(60 * 60);
/// Devices that are waited for.
const AWAITED_MAX: usize = 4096;
/// Tries of each kind: with a device's password, for a mailbox, under a name in clear, from a network.
const TRIES_MAX: usize = 4096;
/// Characters of a name that are kept.
const NAME_MAX: usize = 100;

/// Why a try came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The certificate was not accepted.
    Certificate,
    /// The device's time is over.
    Expired,
    /// The password was right, and the mail store did not let it in.
    MailStore,
    /// It used the password that it had before.
    OldPassword,
    /// It is switched off for a while.
    Paused,
    /// The mailbox takes no sign-in.
    Suspended,
    /// So many connections are open that there is no room for another one.
    TooMany,
    /// It did not turn on TLS.
    Unencrypted {
        /// The device's password, or one that may be it, went over the network so.
        exposed: bool,
    },
    /// It used another name than the address; which is not told where it looks like a password.
    WrongName {
        /// The name, cut.
        given: Option<String>,
    },
    /// It came from a network that the device may not come from.
    WrongNetwork,
    /// No device has this password.
    WrongPassword,
    /// The device may not use this protocol.
    WrongScope,
}

/// A try that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub from: IpAddr,
    /// By which protocol.
    pub protocol: Protocol,
    /// Why.
    pub what: What,
}

/// The circumstances of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempted {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub from: IpAddr,
    /// By which protocol.
    pub protocol: Protocol,
}

impl Attempted {
    const fn came_to(self, what: What) -> Tried {
        Tried {
            at: self.at,
            from: self.from,
            protocol: self.protocol,
            what,
        }
    }
}

/// Whose tries are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The device.
    pub device: DeviceId,
    /// Its mailbox.
    pub mailbox: MailboxId,
    /// The mailbox's address.
    pub address: &'a Address,
    /// Since when it has its password.
    pub since: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// From where the page is looked at.
    pub reader: Option<IpAddr>,
}

/// The tries of the last hour.
pub struct Tries {
    /// Devices that are waited for, so that other logins need not ask for the lock.
    awaited: AtomicUsize,
    /// Connections of our own.
    trials: Trials,
    key: RandomState,
    network: NetworkPrefixes,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    awaited: HashMap<DeviceId, Awaited>,
    passwords: HashMap<u64, DeviceId>,
    devices: Recent<(DeviceId, Protocol)>,
    mailboxes: Recent<(MailboxId, Protocol)>,
    names: Recent<(String, Protocol)>,
    networks: Recent<(IpNet, Protocol)>,
}

/// A device that is waited for.
struct Awaited {
    asked_at: Timestamp,
    fingerprint: Option<u64>,
    imap: Option<Use>,
    smtp: Option<Use>,
}

impl Tries {
    /// Nothing was tried yet. `network` is what one network is.
    pub fn new(network: NetworkPrefixes) -> Self {
        Self {
            awaited: AtomicUsize::new(0),
            trials: Trials::default(),
            key: RandomState::new(),
            network,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This password was just given to a device, and its first sign-in is waited for.
    pub fn expect(&self, device: DeviceId, password: &PlainPassword, now: Timestamp) {
        let fingerprint = self.key.hash_one(password.canonical());
        let mut state = self.state();
        state.watch(device, now);
        if let Some(awaited) = state.awaited.get_mut(&device)
            && let Some(old) = awaited.fingerprint.replace(fingerprint)
        {
            state.passwords.remove(&old);
        }
        state.passwords.insert(fingerprint, device);
        self.awaited.store(state.awaited.len(), Ordering::Relaxed);
    }

    /// Somebody looks whether this device has signed in.
    pub fn watch(&self, device: DeviceId, now: Timestamp) {
        let mut state = self.state();
        state.watch(device, now);
        self.awaited.store(state.awaited.len(), Ordering::Relaxed);
    }

    /// A device has signed in.
    pub fn signed_in(&self, device: DeviceId, used: impl FnOnce() -> Use) {
        if self.awaited.load(Ordering::Relaxed) == 0 {
            return;
        }
        if let Some(awaited) = self.state().awaited.get_mut(&device) {
            let used = used();
            match used.protocol {
                Protocol::Imap => awaited.imap = Some(used),
                Protocol::Smtp => awaited.smtp = Some(used),
            }
        }
    }

    /// The newest sign-in by each protocol of a device that is waited for.
    pub fn uses(&self, device: DeviceId) -> impl Iterator<Item = Use> + use<> {
        let state = self.state();
        let awaited = state.awaited.get(&device);
        let uses = awaited.map(|awaited| [awaited.imap.clone(), awaited.smtp.clone()]);
        uses.into_iter().flatten().flatten()
    }

    /// The password was the device's own, and it was not let in all the same.
    pub fn refused(&self, device: DeviceId, attempted: Attempted, what: What) {
        let key = (device, attempted.protocol);
        self.state().devices.note(key, attempted.came_to(what));
    }

    /// A name and a password do not belong together. Where the password is that of a device which is waited for, the name is
    /// wrong; otherwise the password is, and the try is the mailbox's, where there is one of that name.
    pub fn unproved(&self, attempted: Attempted, name: &str, password: &SecretBytes, mailbox: Option<MailboxId>) {
        if let Some(device) = self.owner(password) {
            let given = shown(name);
            self.refused(device, attempted, What::WrongName { given });
        } else if let Some(mailbox) = mailbox {
            let key = (mailbox, attempted.protocol);
            self.state().mailboxes.note(key, attempted.came_to(What::WrongPassword));
        }
    }

    /// A login was refused because it came in clear; with name and password where the client sent them all the same. They
    /// are not judged: the password is only compared with those that are waited for.
    pub fn in_clear(&self, attempted: Attempted, sent: Option<(&str, &SecretBytes)>) {
        let Some((name, password)) = sent else {
            return self.nameless(attempted, What::Unencrypted { exposed: false });
        };
        if let Some(device) = self.owner(password) {
            return self.refused(device, attempted, What::Unencrypted { exposed: true });
        }
        if let Ok(address) = Address::from_login(name, None) {
            let key = (address.as_str().to_owned(), attempted.protocol);
            let tried = attempted.came_to(What::Unencrypted { exposed: false });
            self.state().names.note(key, tried);
        }
    }

    /// Nobody knows who it was: the certificate was not accepted, or there was no room for another connection.
    pub fn nameless(&self, attempted: Attempted, what: What) {
        let key = (self.network.network_of(attempted.from), attempted.protocol);
        self.state().networks.note(key, attempted.came_to(what));
    }

    /// The newest try by each protocol that belongs to a device, and is not older than its password.
    pub fn of(&self, asked: &Asked<'_>) -> Vec<Tried> {
        let begin = asked.since.max(asked.now.minus(KEPT));
        let state = self.state();
        let is_known = state
            .awaited
            .get(&asked.device)
            .is_some_and(|awaited| awaited.fingerprint.is_some());
        let own = |protocol| {
            let in_clear = state.names.get(&(asked.address.as_str().to_owned(), protocol)).cloned();
            let in_clear = in_clear.map(|tried| Tried {
                // Where it is not known which password this device has, it may have been this one.
                what: What::Unencrypted { exposed: !is_known },
                ..tried
            });
            let by_password = state.devices.get(&(asked.device, protocol)).cloned();
            let by_name = state.mailboxes.get(&(asked.mailbox, protocol)).cloned();
            [by_password, by_name, in_clear].into_iter().flatten()
        };
        let protocols = [Protocol::Imap, Protocol::Smtp];
        let mut found: Vec<Tried> = protocols.into_iter().flat_map(own).collect();
        found.retain(|tried| tried.at >= begin);
        // What has no name is shown only to those on whose network it was, and where this mailbox was tried from.
        let mut networks: Vec<IpNet> = found.iter().map(|tried| self.network.network_of(tried.from)).collect();
        networks.extend(asked.reader.map(|reader| self.network.network_of(reader)));
        let mut all = Vec::new();
        for network in networks {
            let nameless = protocols
                .into_iter()
                .filter_map(|protocol| state.networks.get(&(network, protocol)));
            all.extend(nameless.filter(|tried| tried.at >= begin).cloned());
        }
        drop(state);
        // Of two at the same moment, the last: the one that is known to be the device's own.
        all.append(&mut found);
        let newest = |protocol| {
            let of_it = all.iter().filter(|tried| tried.protocol == protocol);
            of_it.max_by_key(|tried| tried.at).cloned()
        };
        protocols.into_iter().filter_map(newest).collect()
    }

    /// Begins a connection of our own that tries a device, and is no use of it; `own` is our end. To be called before the
    /// connection says anything.
    pub fn begin_trial(&self, own: SocketAddr, device: DeviceId) -> Trial<'_> {
        self.trials.begin(own, device)
    }

    /// Which device a connection of our own tries; none where it is somebody else's.
    pub fn trial_of(&self, peer: SocketAddr, protocol: Protocol) -> Option<DeviceId> {
        self.trials.of(peer, protocol)
    }

    /// Whose password this is, among those that are waited for.
    fn owner(&self, password: &SecretBytes) -> Option<DeviceId> {
        if self.awaited.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let Typed::Generated(password) = PlainPassword::read(password.expose()) else {
            return None;
        };
        let fingerprint = self.key.hash_one(password.canonical());
        self.state().passwords.get(&fingerprint).copied()
    }
}

impl Default for Tries {
    fn default() -> Self {
        Self::new(NetworkPrefixes::default())
    }
}

impl State {
    fn watch(&mut self, device: DeviceId, now: Timestamp) {
        if let Some(awaited) = self.awaited.get_mut(&device) {
            awaited.asked_at = now;
            return;
        }
        if self.awaited.len() >= AWAITED_MAX {
            self.forget_awaited(now);
        }
        self.awaited.insert(
            device,
            Awaited {
                asked_at: now,
                fingerprint: None,
                imap: None,
                smtp: None,
            },
        );
    }

    /// Makes room: whoever was not asked for lately goes, and if nobody did, the one that was asked for the longest ago.
    fn forget_awaited(&mut self, now: Timestamp) {
        let begin = now.minus(KEPT);
        self.awaited.retain(|_, awaited| awaited.asked_at >= begin);
        if self.awaited.len() >= AWAITED_MAX {
            let oldest = self.awaited.iter().min_by_key(|(_, awaited)| awaited.asked_at);
            if let Some(oldest) = oldest.map(|(device, _)| *device) {
                self.awaited.remove(&oldest);
            }
        }
        let Self { awaited, passwords, .. } = self;
        passwords.retain(|_, device| awaited.contains_key(device));
    }
}

/// A name as it may be shown: people type their password where the name belongs.
fn shown(name: &str) -> Option<String> {
    match PlainPassword::read(name.as_bytes()) {
        Typed::Other(_) => Some(name.chars().take(NAME_MAX).collect()),
        Typed::Generated(_) | Typed::Typo => None,
    }
}
