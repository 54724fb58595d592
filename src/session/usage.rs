//! Remembers when a device was used, and when an old password of it was tried, off the login path.
//!
//! A login leaves its trace in a bounded map; a task writes the maps to the store every so often, in parts that are one
//! transaction each ([`WRITTEN_AT_ONCE`]), so that a revocation waits for one of them at most. When the store does not take
//! a part, it and those behind it wait; when a map is full, new traces are dropped and counted as a store error: a login
//! never waits for its own trace. Tries with one old password are one entry and one row however many they
//! are, so that a program that knocks all day costs as much as one that knocks once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::metrics::Metrics;
use crate::model::device::{Knocking, Use};
use crate::model::{CredentialId, DeviceId};
use crate::peer::NetworkPrefixes;
use crate::store::notice::NETWORKS_KEPT_MAX;
use crate::store::{CredentialStore, DeviceUse, Knocks};

/// Uses that wait to be written: of each device the last one from each network.
const MAX_WAITING: usize = 100_000;

/// Uses, or old passwords with their tries, that are written in one transaction. Devices are written whole, so that a few
/// more may come along ([`MAX_NETWORKS`]).
const WRITTEN_AT_ONCE: usize = 500;

/// Networks of one device that wait to be written, the last ones: as many as the store keeps.
const MAX_NETWORKS: usize = NETWORKS_KEPT_MAX as usize;

/// A network is no smaller than this to those who are told of a new one: the address of a phone or of
/// a home changes every day, and nobody reads a mail a day.
const SMALLEST: NetworkPrefixes = NetworkPrefixes { ipv4: 24, ipv6: 48 };

/// Old passwords whose tries wait to be written.
const MAX_KNOCKING: usize = 10_000;

/// Uses on their way to the store.
pub struct Usage {
    waiting: Mutex<Waiting>,
    /// One flush at a time: whoever stops the daemon waits for what another one has taken and not written yet.
    writing: tokio::sync::Mutex<()>,
    network: NetworkPrefixes,
    store: Arc<dyn CredentialStore>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Waiting {
    /// By device, in the order in which they came from each network first.
    uses: HashMap<DeviceId, Vec<DeviceUse>>,
    /// The latest use of each device whose uses are being written at this moment.
    writing: HashMap<DeviceId, Timestamp>,
    /// How many they are together.
    count: usize,
    knocks: HashMap<CredentialId, Knocking>,
}

impl Usage {
    /// Nothing waits yet. `network` says what one network is.
    pub fn new(network: NetworkPrefixes, store: Arc<dyn CredentialStore>, metrics: Arc<Metrics>) -> Self {
        Self {
            waiting: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            network: NetworkPrefixes {
                ipv4: network.ipv4.min(SMALLEST.ipv4),
                ipv6: network.ipv6.min(SMALLEST.ipv6),
            },
            store,
            metrics,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a use; a later one of the same device from the same network takes its place.
    pub fn note(&self, device: DeviceId, usage: Use) {
        let used = DeviceUse {
            device,
            network: self.network.network_of(usage.ip),
            since: usage.at,
            usage,
        };
        if !self.waiting().add_use(used) {
            self.metrics.store_errors.inc();
        }
    }

    /// The latest use of a device that the store may not know of yet. Whoever wants to know of all of them asks here first,
    /// and then the store.
    pub fn unwritten(&self, device: DeviceId) -> Option<Timestamp> {
        let waiting = self.waiting();
        let uses = waiting.uses.get(&device).into_iter().flatten();
        let waits = uses.map(|used| used.usage.at).max();
        waits.max(waiting.writing.get(&device).copied())
    }

    /// Notes a try with a retired password; it is added to those that wait.
    pub fn note_knock(&self, credential: CredentialId, last: Use) {
        let knocking = Knocking {
            tries: 1,
            since: last.at,
            last,
        };
        if !self.waiting().add(credential, knocking) {
            self.metrics.store_errors.inc();
        }
    }

    /// Writes what waits; keeps it where the store refuses.
    pub async fn flush(&self) {
        let _turn = self.writing.lock().await;
        let (uses, knocks) = {
            let mut waiting = self.waiting();
            (waiting.take_uses(), std::mem::take(&mut waiting.knocks))
        };
        self.flush_uses(uses).await;
        self.flush_knocks(knocks).await;
    }

    async fn flush_uses(&self, taken: HashMap<DeviceId, Vec<DeviceUse>>) {
        let mut devices = taken.into_values();
        loop {
            let mut part = Vec::new();
            while part.len() < WRITTEN_AT_ONCE
                && let Some(uses) = devices.next()
            {
                part.extend(uses);
            }
            if part.is_empty() {
                return;
            }
            let written = self.store.record_uses(&part).await;
            let mut waiting = self.waiting();
            if let Err(error) = written {
                let left = part.into_iter().chain(devices.flatten());
                let mut count = 0_usize;
                for used in left {
                    // Where there is no room any more, that is counted with those that come.
                    waiting.add_use(used);
                    count += 1;
                }
                waiting.writing.clear();
                drop(waiting);
                self.metrics.store_errors.inc();
                tracing::error!(error = %error, uses = count, "uses not written yet");
                return;
            }
            for used in &part {
                waiting.writing.remove(&used.device);
            }
        }
    }

    async fn flush_knocks(&self, taken: HashMap<CredentialId, Knocking>) {
        let mut left = taken
            .into_iter()
            .map(|(credential, knocking)| Knocks { credential, knocking });
        loop {
            let part: Vec<Knocks> = left.by_ref().take(WRITTEN_AT_ONCE).collect();
            if part.is_empty() {
                return;
            }
            if let Err(error) = self.store.record_knocks(&part).await {
                let mut waiting = self.waiting();
                let mut count = 0_usize;
                for Knocks { credential, knocking } in part.into_iter().chain(left) {
                    waiting.add(credential, knocking);
                    count += 1;
                }
                drop(waiting);
                self.metrics.store_errors.inc();
                tracing::error!(error = %error, credentials = count, "tries with old passwords not written yet");
                return;
            }
        }
    }
}

impl Waiting {
    /// Takes all uses, to be written.
    fn take_uses(&mut self) -> HashMap<DeviceId, Vec<DeviceUse>> {
        let taken = std::mem::take(&mut self.uses);
        self.count = 0;
        let latest = taken.iter().filter_map(|(device, uses)| {
            let at = uses.iter().map(|used| used.usage.at).max();
            at.map(|at| (*device, at))
        });
        self.writing = latest.collect();
        taken
    }

    /// Adds a use to those that wait, which may be older or newer; false where there is no room for it.
    fn add_use(&mut self, used: DeviceUse) -> bool {
        let is_full = self.count >= MAX_WAITING;
        if is_full && !self.uses.contains_key(&used.device) {
            return false;
        }
        let uses = self.uses.entry(used.device).or_default();
        if let Some(known) = uses.iter_mut().find(|known| known.network == used.network) {
            known.since = known.since.min(used.since);
            if used.usage.at >= known.usage.at {
                known.usage = used.usage;
            }
            return true;
        }
        uses.push(used);
        self.count += 1;
        // The last use of a device that waits already is never lost; one from another network makes room for it.
        if is_full || uses.len() > MAX_NETWORKS {
            let longest_ago = uses.iter().enumerate().min_by_key(|(_, used)| used.usage.at);
            if let Some(longest_ago) = longest_ago.map(|(index, _)| index) {
                uses.remove(longest_ago);
                self.count -= 1;
            }
        }
        true
    }

    /// Adds tries to those that wait; false where there is no room for them.
    fn add(&mut self, credential: CredentialId, knocking: Knocking) -> bool {
        if let Some(known) = self.knocks.get_mut(&credential) {
            known.tries = known.tries.saturating_add(knocking.tries);
            known.since = known.since.min(knocking.since);
            if knocking.last.at >= known.last.at {
                known.last = knocking.last;
            }
            return true;
        }
        let has_room = self.knocks.len() < MAX_KNOCKING;
        if has_room {
            self.knocks.insert(credential, knocking);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Protocol;
    use crate::verify::fake::FakeStore;

    fn at(moment: i64) -> Use {
        Use {
            at: Timestamp(moment),
            ip: "192.0.2.7".parse().unwrap(),
            protocol: Protocol::Imap,
            client: Some(format!("client {moment}")),
        }
    }

    fn usage() -> (Arc<FakeStore>, Usage) {
        let store = Arc::new(FakeStore::default());
        (
            Arc::clone(&store),
            Usage::new(NetworkPrefixes::default(), store, Arc::new(Metrics::new())),
        )
    }

    /// A use from `10.n.n.0/24`.
    fn from(network: usize, moment: i64) -> Use {
        let [.., a, b] = u32::try_from(network).unwrap().to_be_bytes();
        Use {
            ip: [10, a, b, 1].into(),
            ..at(moment)
        }
    }

    #[tokio::test]
    async fn uses_are_bounded_altogether_and_the_last_one_of_a_device_that_waits_is_kept() {
        let (store, usage) = usage();
        let device = |id: usize| DeviceId::from_raw(i64::try_from(id).unwrap());
        let devices = MAX_WAITING / MAX_NETWORKS;
        for id in 0..devices {
            for network in 0..MAX_NETWORKS + 3 {
                usage.note(device(id), from(network, 1));
            }
        }
        assert_eq!(
            (usage.metrics.store_errors.get(), usage.waiting().count),
            (0, MAX_WAITING)
        );
        usage.note(device(devices), from(1, 2));
        assert_eq!(
            usage.metrics.store_errors.get(),
            1,
            "there is no room for another device"
        );
        usage.note(device(7), from(999, 2));
        usage.note(device(7), from(999, 3));
        assert_eq!(
            (usage.metrics.store_errors.get(), usage.waiting().count),
            (1, MAX_WAITING)
        );
        usage.flush().await;
        let written = store.uses();
        assert_eq!(written.len(), MAX_WAITING);
        let of_seven: Vec<_> = written.iter().filter(|used| used.device == device(7)).collect();
        assert_eq!(of_seven.len(), MAX_NETWORKS);
        assert_eq!(of_seven.last().unwrap().usage, from(999, 3));
        assert_eq!(usage.waiting().count, 0);
    }

    #[tokio::test]
    async fn uses_and_tries_are_written_in_parts_and_only_what_was_not_written_waits() {
        let (store, usage) = usage();
        let most = i64::try_from(WRITTEN_AT_ONCE).unwrap();
        for id in 0..most * 3 {
            usage.note(DeviceId::from_raw(id), at(1));
            usage.note(DeviceId::from_raw(id), from(1, 2));
            usage.note_knock(CredentialId::from_raw(id), at(1));
        }
        // The store takes two parts of the six, and none of the tries.
        store.fail_after(2);
        usage.flush().await;
        assert_eq!(store.uses().len(), WRITTEN_AT_ONCE * 2);
        assert_eq!(usage.waiting().count, WRITTEN_AT_ONCE * 4);
        assert_eq!(
            (store.knocks().len(), usage.waiting().knocks.len()),
            (0, WRITTEN_AT_ONCE * 3)
        );
        store.set_failing(false);
        usage.flush().await;
        assert_eq!(store.parts(), [WRITTEN_AT_ONCE; 9], "six of uses, three of tries");
        let mut devices: Vec<_> = store.uses().iter().map(|used| used.device).collect();
        devices.sort_unstable();
        devices.dedup();
        assert_eq!(
            (devices.len(), store.uses().len()),
            (WRITTEN_AT_ONCE * 3, WRITTEN_AT_ONCE * 6)
        );
        assert_eq!(store.knocks().len(), WRITTEN_AT_ONCE * 3);
        assert_eq!(usage.metrics.store_errors.get(), 2, "one of the uses, one of the tries");
    }

    #[tokio::test]
    async fn a_use_is_known_here_until_the_store_knows_it() {
        let (store, usage) = usage();
        let (phone, laptop) = (DeviceId::from_raw(1), DeviceId::from_raw(2));
        usage.note(phone, at(7));
        usage.note(phone, at(5));
        assert_eq!(
            (usage.unwritten(phone), usage.unwritten(laptop)),
            (Some(Timestamp(7)), None)
        );
        store.set_failing(true);
        usage.flush().await;
        assert_eq!(usage.unwritten(phone), Some(Timestamp(7)), "the store did not take it");
        store.set_failing(false);
        // While it is being written it is in neither place for good.
        let being_written = usage.waiting().take_uses();
        assert_eq!(usage.unwritten(phone), Some(Timestamp(7)));
        usage.flush_uses(being_written).await;
        assert_eq!(usage.unwritten(phone), None);
        assert!(usage.waiting().writing.is_empty());
    }

    #[tokio::test]
    async fn tries_with_one_old_password_are_one_row_however_many_they_are() {
        let (store, usage) = usage();
        let (phone, laptop) = (CredentialId::from_raw(1), CredentialId::from_raw(2));
        for moment in 1..=5000 {
            usage.note_knock(phone, at(moment));
        }
        usage.note_knock(laptop, at(7));
        usage.flush().await;
        let mut written = store.knocks();
        written.sort_by_key(|knocks| knocks.credential);
        let of = |tries, since, last| Knocking {
            tries,
            since: Timestamp(since),
            last: at(last),
        };
        let expected = [(phone, of(5000, 1, 5000)), (laptop, of(1, 7, 7))];
        assert_eq!(
            written,
            expected.map(|(credential, knocking)| Knocks { credential, knocking })
        );
        usage.flush().await;
        assert_eq!(store.knocks().len(), 2, "written once");
    }

    #[tokio::test]
    async fn what_the_store_refuses_waits_and_is_added_to() {
        let (store, usage) = usage();
        let credential = CredentialId::from_raw(1);
        usage.note_knock(credential, at(3));
        store.set_failing(true);
        usage.flush().await;
        assert_eq!((store.knocks().len(), usage.metrics.store_errors.get()), (0, 1));
        usage.note_knock(credential, at(9));
        store.set_failing(false);
        usage.flush().await;
        let [written] = &store.knocks()[..] else {
            panic!("one row")
        };
        let knocking = &written.knocking;
        assert_eq!(
            (knocking.tries, knocking.since, &knocking.last),
            (2, Timestamp(3), &at(9))
        );
    }

    #[tokio::test]
    async fn tries_beyond_the_room_are_lost_and_counted() {
        let (store, usage) = usage();
        let most = i64::try_from(MAX_KNOCKING).unwrap();
        for id in 0..most + 3 {
            usage.note_knock(CredentialId::from_raw(id), at(1));
        }
        usage.note_knock(CredentialId::from_raw(0), at(2));
        assert_eq!(usage.metrics.store_errors.get(), 3);
        usage.flush().await;
        assert_eq!(store.knocks().len(), MAX_KNOCKING);
        usage.note_knock(CredentialId::from_raw(most), at(1));
        assert_eq!(usage.metrics.store_errors.get(), 3, "there is room again");
    }
}
