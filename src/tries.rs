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
use crate::model::{Address, DeviceId, MailboxId, Scopes};
use crate::peer::{NetworkPrefixes, Protocol};
use crate::secret::SecretBytes;

use recent::Recent;
use trials::Trials;

pub use trials::Trial;

/// How long a try is told, and how long a device is waited for after somebody looked last.
pub const KEPT: Duration = Duration::from_secs(60 * 60);
/// So long after the last look a page counts as looked at.
const LOOKED_AT: Duration = Duration::from_secs(2 * 60);
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
        /// The device's password went over the network so.
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

/// By what a try belongs to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By its password: nobody else can have made it.
    Password,
    /// By the name of its mailbox, which anybody may have used.
    Name,
    /// By the network alone.
    Network,
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
    /// How sure it is that it was the device.
    pub by: By,
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
    const fn came_to(self, what: What, by: By) -> Tried {
        Tried {
            at: self.at,
            from: self.from,
            protocol: self.protocol,
            what,
            by,
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
    strangers: Mutex<Strangers>,
}

#[derive(Default)]
struct State {
    awaited: HashMap<DeviceId, Awaited>,
    passwords: HashMap<u64, Owner>,
    devices: Recent<(DeviceId, Protocol)>,
    mailboxes: Recent<(MailboxId, Protocol)>,
}

/// Tries of those who proved nothing: a flood of them has a lock of its own, and no login waits for it.
#[derive(Default)]
struct Strangers {
    names: Recent<(String, Protocol)>,
    networks: Recent<(IpNet, Protocol)>,
}

/// Whose a password is.
#[derive(Clone)]
struct Owner {
    device: DeviceId,
    /// Its mailbox's address before the @: a name that may be shown.
    local: String,
}

/// A device that is waited for.
struct Awaited {
    asked_at: Timestamp,
    /// From where somebody looks.
    reader: Option<IpNet>,
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
            strangers: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn strangers(&self) -> MutexGuard<'_, Strangers> {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what is older than [`KEPT`]; to be called every now and then. Where nobody waits any more, logins cost
    /// nothing here again.
    pub fn tidy(&self, now: Timestamp) {
        let begin = now.minus(KEPT);
        let mut state = self.state();
        state.forget_awaited(begin);
        state.devices.forget_before(begin);
        state.mailboxes.forget_before(begin);
        self.awaited.store(state.awaited.len(), Ordering::Relaxed);
        drop(state);
        let mut strangers = self.strangers();
        strangers.names.forget_before(begin);
        strangers.networks.forget_before(begin);
    }

    /// This password was just given to a device of the mailbox with this address, and its first sign-in is waited for.
    pub fn expect(&self, device: DeviceId, address: &Address, password: &PlainPassword, now: Timestamp) {
        let fingerprint = self.key.hash_one(password.canonical());
        let mut state = self.state();
        state.watch(device, None, now);
        if let Some(awaited) = state.awaited.get_mut(&device)
            && let Some(old) = awaited.fingerprint.replace(fingerprint)
        {
            state.passwords.remove(&old);
        }
        let local = address.local().to_owned();
        state.passwords.insert(fingerprint, Owner { device, local });
        self.awaited.store(state.awaited.len(), Ordering::Relaxed);
    }

    /// Somebody looks from there whether this device has signed in.
    pub fn watch(&self, device: DeviceId, reader: IpAddr, now: Timestamp) {
        let network = self.network.network_of(reader);
        let mut state = self.state();
        state.watch(device, Some(network), now);
        self.awaited.store(state.awaited.len(), Ordering::Relaxed);
    }

    /// A device has signed in. With all that it may do, its password is not waited for any more.
    pub fn signed_in(&self, device: DeviceId, scopes: Scopes, used: impl FnOnce() -> Use) {
        if self.awaited.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut state = self.state();
        let Some(awaited) = state.awaited.get_mut(&device) else {
            return;
        };
        let used = used();
        match used.protocol {
            Protocol::Imap => awaited.imap = Some(used),
            Protocol::Smtp => awaited.smtp = Some(used),
        }
        let is_done = (awaited.imap.is_some() || !scopes.imap) && (awaited.smtp.is_some() || !scopes.smtp);
        if is_done && let Some(fingerprint) = awaited.fingerprint.take() {
            state.passwords.remove(&fingerprint);
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
        self.state().devices.note(key, attempted.came_to(what, By::Password));
    }

    /// A name and a password do not belong together. Where the password is that of a device which is waited for, the name is
    /// wrong; otherwise the password is, and the try is the mailbox's, where there is one of that name.
    pub fn unproved(&self, attempted: Attempted, name: &str, password: &SecretBytes, mailbox: Option<MailboxId>) {
        if let Some(owner) = self.owner(password) {
            let given = shown(name, &owner.local);
            self.refused(owner.device, attempted, What::WrongName { given });
        } else if let Some(mailbox) = mailbox {
            let key = (mailbox, attempted.protocol);
            self.state()
                .mailboxes
                .note(key, attempted.came_to(What::WrongPassword, By::Name));
        }
    }

    /// A login was refused because it came in clear; with name and password where the client sent them all the same. They
    /// are not judged: the password is only compared with those that are waited for.
    pub fn in_clear(&self, attempted: Attempted, sent: Option<(&str, &SecretBytes)>) {
        let Some((name, password)) = sent else {
            return self.nameless(attempted, What::Unencrypted { exposed: false });
        };
        if let Some(owner) = self.owner(password) {
            return self.refused(owner.device, attempted, What::Unencrypted { exposed: true });
        }
        if let Ok(address) = Address::from_login(name, None) {
            let key = (address.as_str().to_owned(), attempted.protocol);
            let tried = attempted.came_to(What::Unencrypted { exposed: false }, By::Name);
            self.strangers().names.note(key, tried);
        }
    }

    /// Nobody knows who it was: the certificate was not accepted, or there was no room for another connection.
    pub fn nameless(&self, attempted: Attempted, what: What) {
        let key = (self.network.network_of(attempted.from), attempted.protocol);
        self.strangers()
            .networks
            .note(key, attempted.came_to(what, By::Network));
    }

    /// The try by each protocol that belongs to a device and tells most of it, and is not older than its password. What
    /// anybody could have made from afar never takes the place of what its password proves, nor of what happened where the
    /// reader is.
    pub fn of(&self, asked: &Asked<'_>) -> Vec<Tried> {
        let begin = asked.since.max(asked.now.minus(KEPT));
        let network_of = |ip| self.network.network_of(ip);
        let reader = asked.reader.map(network_of);
        let state = self.state();
        // What has no name is shown to those on whose network it was, and not where it may be another one's.
        let alone = reader.filter(|network| state.is_only_one(asked.device, *network, asked.now));
        let protocols = [Protocol::Imap, Protocol::Smtp];
        let proved = protocols.map(|protocol| state.devices.get(&(asked.device, protocol)).cloned());
        let named = protocols.map(|protocol| state.mailboxes.get(&(asked.mailbox, protocol)).cloned());
        drop(state);
        let strangers = self.strangers();
        let of_strangers = protocols.map(|protocol| {
            let name = (asked.address.as_str().to_owned(), protocol);
            let nameless = alone.and_then(|network| strangers.networks.get(&(network, protocol)));
            [nameless.cloned(), strangers.names.get(&name).cloned()]
        });
        drop(strangers);
        let all = proved.into_iter().zip(named).zip(of_strangers);
        all.filter_map(|((proved, named), [nameless, in_clear])| {
            let proved = proved.filter(|tried| tried.at >= begin);
            let own = proved.as_ref().map(|tried| network_of(tried.from));
            // Of two at the same moment, the last: the one that is known to be the device's own.
            let all = [nameless, in_clear, named, proved].into_iter().flatten();
            let rank = |tried: &Tried| {
                let network = Some(network_of(tried.from));
                (
                    tried.by == By::Password || network == own || network == reader,
                    tried.at,
                )
            };
            all.filter(|tried| tried.at >= begin).max_by_key(rank)
        })
        .collect()
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
    fn owner(&self, password: &SecretBytes) -> Option<Owner> {
        if self.awaited.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let Typed::Generated(password) = PlainPassword::read(password.expose()) else {
            return None;
        };
        let fingerprint = self.key.hash_one(password.canonical());
        self.state().passwords.get(&fingerprint).cloned()
    }
}

impl Default for Tries {
    fn default() -> Self {
        Self::new(NetworkPrefixes::default())
    }
}

impl State {
    fn watch(&mut self, device: DeviceId, reader: Option<IpNet>, now: Timestamp) {
        if let Some(awaited) = self.awaited.get_mut(&device) {
            awaited.asked_at = now;
            awaited.reader = reader.or(awaited.reader);
            return;
        }
        if self.awaited.len() >= AWAITED_MAX {
            self.make_room(now);
        }
        self.awaited.insert(
            device,
            Awaited {
                asked_at: now,
                reader,
                fingerprint: None,
                imap: None,
                smtp: None,
            },
        );
    }

    /// Makes room: whoever was not asked for lately goes, and if nobody did, the one that was asked for the longest ago.
    fn make_room(&mut self, now: Timestamp) {
        self.forget_awaited(now.minus(KEPT));
        if self.awaited.len() >= AWAITED_MAX {
            let oldest = self.awaited.iter().min_by_key(|(_, awaited)| awaited.asked_at);
            if let Some(oldest) = oldest.map(|(device, _)| *device) {
                self.awaited.remove(&oldest);
                self.passwords.retain(|_, owner| owner.device != oldest);
            }
        }
    }

    fn forget_awaited(&mut self, begin: Timestamp) {
        let Self { awaited, passwords, .. } = self;
        awaited.retain(|_, awaited| awaited.asked_at >= begin);
        passwords.retain(|_, owner| awaited.contains_key(&owner.device));
    }

    /// Whether this is the only device at whose page somebody looks now from this network.
    fn is_only_one(&self, device: DeviceId, network: IpNet, now: Timestamp) -> bool {
        let begin = now.minus(LOOKED_AT);
        let mut others = self.awaited.iter().filter(|(id, _)| **id != device);
        others.all(|(_, other)| other.reader != Some(network) || other.asked_at < begin)
    }
}

/// A name as it may be shown: people type a password where the name belongs, so it has to look like an address, or be the
/// part of the right one before the @.
fn shown(name: &str, local: &str) -> Option<String> {
    let is_name = || name.eq_ignore_ascii_case(local) || Address::parse(name).is_ok();
    match PlainPassword::read(name.as_bytes()) {
        Typed::Other(_) if is_name() => Some(name.chars().take(NAME_MAX).collect()),
        _ => None,
    }
}
