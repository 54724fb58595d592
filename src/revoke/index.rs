//! Live sessions by one of their ids, split into independently locked parts.
//!
//! A session costs one pointer in each index: a device with one session, which is what most have, needs no list of its
//! own. Entries of the same id stand behind each other in the same table.

use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::registry::Record;

/// Independently locked parts of an index.
pub(super) const SHARDS: usize = 64;

type Shard = HashTable<Arc<Record>>;

/// Sessions by the number of their device, or of their mailbox.
pub(super) struct Index {
    shards: Vec<Mutex<Shard>>,
    hasher: DefaultHashBuilder,
    key: fn(&Record) -> i64,
}

impl Index {
    /// An empty index by this number; its lower bits have to be random.
    pub(super) fn new(key: fn(&Record) -> i64) -> Self {
        Self {
            shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            hasher: DefaultHashBuilder::default(),
            key,
        }
    }

    pub(super) fn insert(&self, record: &Arc<Record>) {
        let key = (self.key)(record);
        let hash_of = |record: &Arc<Record>| self.hash((self.key)(record));
        self.shard_of(key)
            .insert_unique(self.hash(key), Arc::clone(record), hash_of);
    }

    pub(super) fn remove(&self, record: &Record) {
        let key = (self.key)(record);
        let is_it = |other: &Arc<Record>| other.id == record.id;
        if let Ok(found) = self.shard_of(key).find_entry(self.hash(key), is_it) {
            found.remove();
        }
    }

    pub(super) fn count(&self, key: i64) -> usize {
        let shard = self.shard_of(key);
        self.among(&shard, key).count()
    }

    /// A copy, so that nobody is woken under the lock.
    pub(super) fn of(&self, key: i64) -> Vec<Arc<Record>> {
        let shard = self.shard_of(key);
        self.among(&shard, key).cloned().collect()
    }

    /// A copy of those in one part for which `wanted` holds.
    pub(super) fn filtered(&self, part: usize, wanted: impl Fn(&Record) -> bool) -> Vec<Arc<Record>> {
        let wanted = |record: &&Arc<Record>| wanted(record);
        self.lock(part).iter().filter(wanted).cloned().collect()
    }

    /// A copy of all.
    pub(super) fn all(&self) -> Vec<Arc<Record>> {
        (0..SHARDS).flat_map(|part| self.filtered(part, |_| true)).collect()
    }

    fn among<'a>(&'a self, shard: &'a Shard, key: i64) -> impl Iterator<Item = &'a Arc<Record>> {
        // What has the same hash need not have the same id.
        shard
            .iter_hash(self.hash(key))
            .filter(move |record| (self.key)(record) == key)
    }

    fn hash(&self, key: i64) -> u64 {
        self.hasher.hash_one(key)
    }

    fn shard_of(&self, key: i64) -> MutexGuard<'_, Shard> {
        let part = usize::try_from(key.unsigned_abs() % SHARDS as u64);
        self.lock(part.unwrap_or_default())
    }

    fn lock(&self, part: usize) -> MutexGuard<'_, Shard> {
        let shard = self.shards.get(part % SHARDS);
        let shard = shard.expect("the remainder is below the number of shards");
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
