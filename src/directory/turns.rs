//! Turns at hashing passwords outside the lanes: one after another, few waiting, and nobody with more than their share.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::identity::Busy;
use crate::model::UserId;

/// Passwords that are hashed at the same time here: each takes the memory of one Argon2id run, beside the lanes.
const AT_ONCE: usize = 1;
/// Passwords that wait or are being hashed; more are refused, as their answers would come too late.
const WAITING_MAX: usize = 32;
/// Of these, by one user or their tokens: what they ask for in a loop makes others wait for two at most.
const WAITING_MAX_OF_ONE: usize = 2;

pub(super) struct Turns {
    running: Semaphore,
    /// By who waits, none for the machine; at most [`WAITING_MAX`] in all.
    waiting: Mutex<HashMap<Option<UserId>, usize>>,
}

/// One that has come; over when dropped.
pub(super) struct Turn<'a> {
    // Dropped first: the next one runs before another one may wait.
    _permit: SemaphorePermit<'a>,
    _place: Place<'a>,
}

struct Place<'a> {
    turns: &'a Turns,
    who: Option<UserId>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self {
            running: Semaphore::new(AT_ONCE),
            waiting: Mutex::default(),
        }
    }

    /// Waits for a turn of this user, or of the machine.
    pub(super) async fn wait(&self, who: Option<UserId>) -> Result<Turn<'_>, Busy> {
        let place = self.place(who)?;
        Ok(Turn {
            _permit: self.running.acquire().await.expect("the semaphore is never closed"),
            _place: place,
        })
    }

    fn place(&self, who: Option<UserId>) -> Result<Place<'_>, Busy> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let in_all: usize = waiting.values().sum();
        let of_this = waiting.get(&who).copied().unwrap_or_default();
        if in_all >= WAITING_MAX || (who.is_some() && of_this >= WAITING_MAX_OF_ONE) {
            return Err(Busy);
        }
        waiting.insert(who, of_this + 1);
        Ok(Place { turns: self, who })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.turns.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.who) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                waiting.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn whoever_asks_in_a_loop_makes_others_wait_for_two_at_most() {
        let turns = Turns::new();
        let [mallory, lucie] = [1, 2].map(|number| Some(UserId::from_raw(number)));
        let first = turns.wait(mallory).await.unwrap();
        let mut second = Box::pin(turns.wait(mallory));
        assert!(poll!(second.as_mut()).is_pending());
        assert_eq!(turns.wait(mallory).await.err(), Some(Busy));
        let mut hers = Box::pin(turns.wait(lucie));
        assert!(poll!(hers.as_mut()).is_pending());
        drop(first);
        drop(second.await.unwrap());
        drop(hers.await.unwrap());
        drop(turns.wait(mallory).await.unwrap());
        assert!(turns.waiting.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn the_queue_has_an_end_and_whoever_goes_away_leaves_it() {
        let turns = Turns::new();
        let mut waiting: Vec<_> = (0..WAITING_MAX).map(|_| Box::pin(turns.wait(None))).collect();
        let mut first = None;
        for turn in &mut waiting {
            if let std::task::Poll::Ready(turn) = poll!(turn.as_mut()) {
                first = Some(turn.unwrap());
            }
        }
        let late = Some(UserId::from_raw(1));
        assert_eq!(turns.wait(late).await.err(), Some(Busy));
        waiting.clear();
        drop(first);
        assert!(turns.wait(late).await.is_ok());
    }
}
