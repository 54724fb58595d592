//! A table of decaying counters: fixed size, no allocation after its making, no lock that all logins share.
//!
//! A counter lives in one of the eight slots of the bucket that its hash selects; where all are taken, the smallest is
//! overwritten, so that a flood of new sources pushes out its own kind before anybody with a history.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Slots that a counter can be in.
const WAYS: usize = 8;

/// Independently locked parts.
const SHARDS: usize = 64;

/// What a counter may be above its limit: halvings of whole numbers are not whole, and a wait must be enough.
const SLACK: f64 = 1.0 / 16.0;

/// Below this a counter is as good as absent.
const NOTHING: f32 = 1.0 / 64.0;

#[derive(Clone, Copy)]
struct Slot {
    id: u64,
    weight: f32,
    at: Instant,
}

type Bucket = [Option<Slot>; WAYS];

/// Decaying counters by 64-bit id.
pub(super) struct Table {
    shards: Vec<Mutex<Vec<Bucket>>>,
    half_life: Duration,
}

impl Slot {
    fn weight_at(&self, now: Instant, half_life: Duration) -> f32 {
        let halvings = now.saturating_duration_since(self.at).as_secs_f32() / half_life.as_secs_f32();
        self.weight * (-halvings).exp2()
    }
}

impl Table {
    /// At least `entries` slots, in whole buckets and shards.
    pub(super) fn new(entries: usize, half_life: Duration) -> Self {
        let buckets = entries.div_ceil(WAYS * SHARDS).max(1);
        let shard = || Mutex::new(vec![[None; WAYS]; buckets]);
        let half_life = half_life.max(Duration::from_millis(1));
        Self {
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            half_life,
        }
    }

    /// The counter, rounded; 0 where there is none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count is positive and far below 2^32"
    )]
    pub(super) fn count(&self, now: Instant, id: u64) -> u32 {
        self.with_bucket(id, |bucket| {
            bucket
                .iter()
                .flatten()
                .find(|slot| slot.id == id)
                .map_or(0, |slot| slot.weight_at(now, self.half_life).round() as u32)
        })
    }

    /// Adds one to the counter.
    pub(super) fn add(&self, now: Instant, id: u64) {
        self.with_bucket(id, |bucket| {
            let before = self.place(bucket, now, id);
            before.weight += 1.0;
        });
    }

    /// Adds one to the counter if that leaves it at `limit` or below; otherwise tells how long it takes until it would.
    pub(super) fn take(&self, now: Instant, id: u64, limit: u32) -> Result<(), Duration> {
        self.with_bucket(id, |bucket| {
            let known = bucket.iter_mut().flatten().find(|slot| slot.id == id);
            let weight = known.map_or(0.0, |slot| slot.weight_at(now, self.half_life));
            let most = f64::from(limit) - 1.0;
            // A counter without room for a single one never has any: waiting does not help.
            if most < 0.0 {
                return Err(Duration::MAX);
            }
            if f64::from(weight) <= most + SLACK {
                self.place(bucket, now, id).weight += 1.0;
                return Ok(());
            }
            let half_lives = (f64::from(weight) / most.max(f64::from(NOTHING))).log2();
            Err(self.half_life.mul_f64(half_lives.max(0.0)))
        })
    }

    /// Takes back what [`Table::take`] added.
    pub(super) fn give_back(&self, now: Instant, id: u64) {
        self.with_bucket(id, |bucket| {
            if let Some(slot) = bucket.iter_mut().flatten().find(|slot| slot.id == id) {
                slot.weight = (slot.weight_at(now, self.half_life) - 1.0).max(0.0);
                slot.at = now;
            }
        });
    }

    /// Marks the id as seen now; true where it had not been seen for so many half-lives.
    pub(super) fn refresh(&self, now: Instant, id: u64, half_lives: u8) -> bool {
        self.with_bucket(id, |bucket| {
            let slot = self.place(bucket, now, id);
            let is_new = slot.weight <= (-f32::from(half_lives)).exp2();
            slot.weight = 1.0;
            is_new
        })
    }

    /// The id's slot with its weight brought up to now; a free or the lightest one where it has none.
    fn place<'a>(&self, bucket: &'a mut Bucket, now: Instant, id: u64) -> &'a mut Slot {
        let weight = |slot: &Option<Slot>| slot.map_or(0.0, |slot| slot.weight_at(now, self.half_life));
        let own = bucket.iter().position(|slot| slot.is_some_and(|slot| slot.id == id));
        let lightest = || {
            (0..WAYS)
                .min_by(|a, b| weight(&bucket[*a]).total_cmp(&weight(&bucket[*b])))
                .unwrap_or(0)
        };
        let index = own.unwrap_or_else(lightest);
        let kept = if own.is_some() { weight(&bucket[index]) } else { 0.0 };
        bucket[index].insert(Slot {
            id,
            weight: if kept < NOTHING { 0.0 } else { kept },
            at: now,
        })
    }

    fn with_bucket<T>(&self, id: u64, work: impl FnOnce(&mut Bucket) -> T) -> T {
        let shard = remainder(id, self.shards.len());
        let shard = self
            .shards
            .get(shard)
            .expect("the remainder is below the number of shards");
        let mut buckets = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = remainder(id / SHARDS as u64, buckets.len());
        work(
            buckets
                .get_mut(bucket)
                .expect("the remainder is below the number of buckets"),
        )
    }
}

fn remainder(id: u64, places: usize) -> usize {
    usize::try_from(id % places as u64).expect("it is below a usize")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_new_ids_neither_grows_the_table_nor_pushes_out_who_has_a_history() {
        let (table, now) = (
            Table::new(0, Duration::from_secs(60)),
            crate::clock::Clock::system().now(),
        );
        for _ in 0..10 {
            table.add(now, 7);
        }
        for id in 1000..100_000_u64 {
            table.add(now, id);
        }
        assert_eq!(table.count(now, 7), 10);
        assert_eq!(
            table
                .shards
                .iter()
                .map(|shard| shard.lock().unwrap().len() * WAYS)
                .sum::<usize>(),
            SHARDS * WAYS
        );
    }
}
