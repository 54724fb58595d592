//! Which mail domains are ours, remembered for some seconds.
//!
//! Anybody may ask as often as they like, and the store answers people at the Manager with the same few threads. So an
//! answer counts for [`KEPT`], strangers take one thread of the store at most, and a store that fails is one line in the
//! log and not one for each program that asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::model::DomainName;
use crate::store::{self, DirectoryStore};

/// How long an answer of the store is used: a domain that is added is answered for after that time at the latest.
pub(super) const KEPT: Duration = Duration::from_secs(5);
/// The most domains that an answer is kept of. Names that are not ours make room first, as anybody can make them up.
pub(super) const KEPT_MAX: usize = 4096;
/// How many questions the store is asked at a time; the others wait, as long as a request may take.
const READS_AT_ONCE: usize = 1;
/// How often it is logged that the store fails.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// What the store said lately.
pub(super) struct Known {
    store: Arc<dyn DirectoryStore>,
    clock: Clock,
    kept: Mutex<Kept>,
    reading: Semaphore,
}

#[derive(Default)]
struct Kept {
    answers: HashMap<DomainName, Answer>,
    /// When it was logged last that the store fails.
    told_at: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Answer {
    is_ours: bool,
    until: Instant,
}

/// The store does not answer, which is logged.
pub(super) struct Failed;

impl Known {
    pub(super) fn new(store: Arc<dyn DirectoryStore>, clock: Clock) -> Self {
        Self {
            store,
            clock,
            kept: Mutex::default(),
            reading: Semaphore::new(READS_AT_ONCE),
        }
    }

    /// Whether this is a mail domain of ours, or was some seconds ago.
    pub(super) async fn is_ours(&self, domain: &DomainName) -> Result<bool, Failed> {
        if let Some(is_ours) = self.with(|kept, now| kept.get(domain, now)) {
            return Ok(is_ours);
        }
        let _turn = self.reading.acquire().await.map_err(|_| Failed)?;
        // Whoever was before may have asked for the same.
        if let Some(is_ours) = self.with(|kept, now| kept.get(domain, now)) {
            return Ok(is_ours);
        }
        // Before the question: what is added while it is under way must not be unknown for longer.
        let asked_at = self.clock.now();
        match self.store.has_domain(domain).await {
            Ok(is_ours) => {
                let until = asked_at + KEPT;
                self.with(|kept, now| kept.put(domain.clone(), Answer { is_ours, until }, now));
                Ok(is_ours)
            }
            Err(error) => {
                self.tell(&error);
                Err(Failed)
            }
        }
    }

    fn tell(&self, error: &store::Error) {
        let is_due = self.with(|kept, now| {
            let is_due = kept.told_at.is_none_or(|at| now.duration_since(at) >= TOLD_EVERY);
            if is_due {
                kept.told_at = Some(now);
            }
            is_due
        });
        if is_due {
            tracing::error!(%error, "a mail program looks for its settings and the store cannot be read");
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept, Instant) -> T) -> T {
        let now = self.clock.now();
        // Each change is one step, so a poisoned map is still whole.
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner), now)
    }
}

impl Kept {
    fn get(&self, domain: &DomainName, now: Instant) -> Option<bool> {
        let answer = self.answers.get(domain)?;
        (now < answer.until).then_some(answer.is_ours)
    }

    fn put(&mut self, domain: DomainName, answer: Answer, now: Instant) {
        if self.answers.len() >= KEPT_MAX {
            self.make_room(now);
        }
        self.answers.insert(domain, answer);
    }

    /// Leaves half of the room free at least, so that this is rare.
    fn make_room(&mut self, now: Instant) {
        self.answers.retain(|_, answer| now < answer.until);
        if self.answers.len() > KEPT_MAX / 2 {
            self.answers.retain(|_, answer| answer.is_ours);
        }
        if self.answers.len() > KEPT_MAX / 2 {
            self.answers.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes the answer of as many domains as room is for three times over, and gives what is kept of `acme.example`, which
    /// came first and is ours.
    fn after_a_flood(of_ours: bool) -> (Option<bool>, Kept) {
        let (now, mut kept) = (Clock::system().now(), Kept::default());
        let mut put = |name: &str, is_ours| {
            let until = now + KEPT;
            kept.put(DomainName::parse(name).unwrap(), Answer { is_ours, until }, now);
            assert!(kept.answers.len() <= KEPT_MAX);
        };
        put("acme.example", true);
        for number in 0..KEPT_MAX * 3 {
            put(&format!("d{number}.example"), of_ours);
        }
        (kept.get(&DomainName::parse("acme.example").unwrap(), now), kept)
    }

    #[test]
    fn names_that_are_made_up_make_room_before_ours_do_and_all_are_bounded() {
        assert_eq!(after_a_flood(false).0, Some(true));
        let (_, mut kept) = after_a_flood(true);
        let later = Clock::system().now() + KEPT;
        kept.make_room(later);
        assert!(kept.answers.is_empty(), "their time is over");
    }
}
