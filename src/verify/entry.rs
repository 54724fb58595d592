//! Entries: in-memory proofs that a secret was verified for a credential before.
//!
//! An entry spares the hash run and nothing else: whoever finds one still reads the live device record. The key is a
//! full BLAKE3 MAC, under a key that is random per process, over mailbox, kind and length-prefixed password, so that two
//! mailboxes can never share an entry (compare CVE-2025-30189). There are no entries for wrong passwords: a new password
//! works at once. The cache holds a fixed number of octets, evicts by the clock rule (second chance), and wipes what it
//! drops.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::{HashMap, HashTable};
use prometheus_client::metrics::gauge::Gauge;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::keys::random_bytes;
use crate::model::{CredentialId, DeviceId, MailboxId};
use crate::secret::{Secret, on_wiped_stack};

/// Independent parts, each with a lock of its own; a mailbox is always in the same one.
const SHARDS: usize = 64;

/// Octets of an entry with its share of the indexes, rounded up.
const ENTRY_BYTES: usize = 192;

/// Which of two readings of the same octets was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The canonical letters of a generated password.
    Generated = 1,
    /// The octets as the client sent them.
    Imported = 2,
}

/// The key of an entry. Made only by [`Entries::key`].
pub(super) struct EntryKey {
    /// The MAC, in the pieces in which it is compared.
    mac: Secret<[u64; 4]>,
    mailbox: MailboxId,
}

impl EntryKey {
    /// The MAC is random to everybody outside, so any part of it spreads evenly.
    const fn short(&self) -> u64 {
        let [short, ..] = *self.mac.expose();
        short
    }

    fn is(&self, other: &Self) -> bool {
        self.mac.expose().as_slice().ct_eq(other.mac.expose().as_slice()).into()
    }
}

/// What an entry proves: this secret belongs to this credential of this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proof {
    pub(super) device: DeviceId,
    pub(super) credential: CredentialId,
}

struct Slot {
    key: EntryKey,
    proof: Proof,
    /// Used since the clock's hand last came by.
    used: bool,
}

/// One part of the cache.
#[derive(Default)]
struct Shard {
    /// Never grows beyond its first allocation, so that no key is copied and left behind unwiped.
    slots: Vec<Option<Slot>>,
    by_key: HashTable<u32>,
    by_device: HashMap<DeviceId, Vec<u32>>,
    free: Vec<u32>,
    hand: usize,
}

/// The entry cache.
pub(super) struct Entries {
    mac_key: Secret<[u8; 32]>,
    shards: Vec<Mutex<Shard>>,
    per_shard: usize,
    gauge: Gauge,
}

impl Entries {
    /// A cache within a budget of octets; at least one entry a shard.
    pub(super) fn new(bytes: usize, gauge: Gauge) -> Self {
        let per_shard = (bytes / ENTRY_BYTES / SHARDS).max(1);
        let shard = || {
            Mutex::new(Shard {
                slots: Vec::with_capacity(per_shard),
                ..Shard::default()
            })
        };
        Self {
            mac_key: random_bytes(),
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            per_shard,
            gauge,
        }
    }

    pub(super) fn key(&self, mailbox: MailboxId, kind: Kind, password: &[u8]) -> EntryKey {
        let mac = on_wiped_stack(|| self.mac(mailbox, kind, password));
        EntryKey { mac, mailbox }
    }

    fn mac(&self, mailbox: MailboxId, kind: Kind, password: &[u8]) -> Secret<[u64; 4]> {
        let mut head = [0; 17];
        let (id, rest) = head.split_at_mut(8);
        id.copy_from_slice(&mailbox.raw().to_le_bytes());
        rest[0] = kind as u8;
        rest[1..].copy_from_slice(&(password.len() as u64).to_le_bytes());
        let mut hasher = blake3::Hasher::new_keyed(self.mac_key.expose());
        let hash = hasher.update(&head).update(password).finalize();
        let mut mac = Secret::new([0; 4]);
        for (piece, octets) in mac.expose_mut().iter_mut().zip(hash.as_bytes().as_chunks().0) {
            *piece = u64::from_le_bytes(*octets);
        }
        mac
    }

    /// What was proved under this key.
    pub(super) fn find(&self, key: &EntryKey) -> Option<Proof> {
        let mut shard = self.shard(key.mailbox);
        let index = shard.index_of(key)?;
        let slot = shard.slot_mut(index);
        slot.used = true;
        Some(slot.proof)
    }

    /// Keeps a proof; the place of the least recently used one is taken where there is none left.
    pub(super) fn insert(&self, key: EntryKey, proof: Proof) {
        let mut shard = self.shard(key.mailbox);
        if let Some(index) = shard.index_of(&key) {
            self.remove(&mut shard, index);
        }
        let index = match shard.free.pop() {
            Some(index) => index,
            None if shard.slots.len() < self.per_shard => {
                shard.slots.push(None);
                u32::try_from(shard.slots.len() - 1).expect("a shard has far fewer than 2^32 entries")
            }
            None => {
                let victim = shard.victim();
                self.remove(&mut shard, victim);
                shard.free.pop().expect("removing an entry frees its place")
            }
        };
        // A newcomer has not been used again yet: many of them in a row do not drive out what is in use.
        shard.fill(
            index,
            Slot {
                key,
                proof,
                used: false,
            },
        );
        self.gauge.inc();
    }

    /// Drops one entry.
    pub(super) fn forget(&self, key: &EntryKey) {
        let mut shard = self.shard(key.mailbox);
        if let Some(index) = shard.index_of(key) {
            self.remove(&mut shard, index);
        }
    }

    /// Drops all entries of a device.
    pub(super) fn forget_device(&self, device: DeviceId) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            for index in shard.by_device.get(&device).cloned().unwrap_or_default() {
                self.remove(&mut shard, index);
            }
        }
    }

    /// Drops all entries of a mailbox.
    pub(super) fn forget_mailbox(&self, mailbox: MailboxId) {
        let mut shard = self.shard(mailbox);
        let of_mailbox = |slot: &Option<Slot>| slot.as_ref().is_some_and(|slot| slot.key.mailbox == mailbox);
        let indexes: Vec<u32> = (0..)
            .zip(&shard.slots)
            .filter(|(_, slot)| of_mailbox(slot))
            .map(|(i, _)| i)
            .collect();
        for index in indexes {
            self.remove(&mut shard, index);
        }
    }

    fn shard(&self, mailbox: MailboxId) -> MutexGuard<'_, Shard> {
        // The lower bits of an id are random.
        let place = usize::try_from(mailbox.raw().unsigned_abs() % SHARDS as u64).ok();
        lock(
            place
                .and_then(|place| self.shards.get(place))
                .expect("the remainder is below the number of shards"),
        )
    }

    fn remove(&self, shard: &mut Shard, index: u32) {
        shard.remove(index);
        self.gauge.dec();
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shard {
    fn index_of(&self, key: &EntryKey) -> Option<u32> {
        let is_it = |index: &u32| {
            self.slots
                .get(*index as usize)
                .and_then(Option::as_ref)
                .is_some_and(|slot| slot.key.is(key))
        };
        self.by_key.find(key.short(), is_it).copied()
    }

    fn slot_mut(&mut self, index: u32) -> &mut Slot {
        self.slots
            .get_mut(index as usize)
            .and_then(Option::as_mut)
            .expect("an index leads to a filled slot")
    }

    fn fill(&mut self, index: u32, slot: Slot) {
        let (short, device) = (slot.key.short(), slot.proof.device);
        *self
            .slots
            .get_mut(index as usize)
            .expect("the place was just found free") = Some(slot);
        let slots = &self.slots;
        let rehash = |index: &u32| {
            slots
                .get(*index as usize)
                .and_then(Option::as_ref)
                .map_or(0, |slot| slot.key.short())
        };
        self.by_key.insert_unique(short, index, rehash);
        self.by_device.entry(device).or_default().push(index);
    }

    fn remove(&mut self, index: u32) {
        let slot = self.slot_mut(index);
        let (short, device) = (slot.key.short(), slot.proof.device);
        // In place: moving the slot out would leave its octets behind.
        slot.key.mac.expose_mut().zeroize();
        if let Some(place) = self.slots.get_mut(index as usize) {
            *place = None;
        }
        if let Ok(found) = self.by_key.find_entry(short, |other| *other == index) {
            found.remove();
        }
        if let Some(of_device) = self.by_device.get_mut(&device) {
            of_device.retain(|other| *other != index);
            if of_device.is_empty() {
                self.by_device.remove(&device);
            }
        }
        self.free.push(index);
    }

    /// The clock rule: the hand passes over entries used since it last came by, and takes the first that was not.
    fn victim(&mut self) -> u32 {
        loop {
            let index = self.hand % self.slots.len().max(1);
            self.hand = index + 1;
            match self.slots.get_mut(index) {
                Some(Some(slot)) if slot.used => slot.used = false,
                _ => return u32::try_from(index).expect("a shard has far fewer than 2^32 entries"),
            }
        }
    }
}

#[cfg(test)]
mod tests;
