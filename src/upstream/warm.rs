//! Warm connections: connected, under TLS and greeted, but not logged in, so that a login need not wait for them.
//!
//! The newest is taken first: the older ones age out while load is low, instead of all being used in turn just before
//! their end. A connection that has said something or closed since its greeting (a goodbye before a restart) is never
//! handed out. A pool that was closed, because its route is gone, takes nothing back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::dialogue::Dialogue;

/// Ready connections of one service.
pub(super) struct Pool {
    capacity: usize,
    max_age: Duration,
    /// Oldest first; `None` once closed.
    ready: Mutex<Option<Vec<Ready>>>,
    taken: Notify,
}

struct Ready {
    dialogue: Dialogue,
    since: Instant,
}

impl Pool {
    pub(super) fn new(capacity: usize, max_age: Duration) -> Self {
        Self {
            capacity,
            max_age,
            ready: Mutex::new(Some(Vec::new())),
            taken: Notify::new(),
        }
    }

    /// The newest connection that still lives.
    pub(super) fn take(&self, now: Instant) -> Option<Dialogue> {
        let mut ready = self.lock();
        let stack = ready.as_mut()?;
        while let Some(mut newest) = stack.pop() {
            self.taken.notify_one();
            if !newest.is_too_old(now, self.max_age) && newest.dialogue.is_quiet() {
                return Some(newest.dialogue);
            }
        }
        None
    }

    /// Keeps a connection where there is room; hands it back otherwise.
    pub(super) fn put(&self, dialogue: Dialogue, now: Instant) -> Option<Dialogue> {
        match self.lock().as_mut() {
            Some(stack) if stack.len() < self.capacity => {
                stack.push(Ready { dialogue, since: now });
                None
            }
            _ => Some(dialogue),
        }
    }

    /// How many more connections there is room for.
    pub(super) fn room(&self) -> usize {
        self.lock()
            .as_ref()
            .map_or(0, |stack| self.capacity.saturating_sub(stack.len()))
    }

    /// Removes what is too old or was ended by the mail store.
    pub(super) fn retire(&self, now: Instant) -> Vec<Dialogue> {
        let mut ready = self.lock();
        let Some(stack) = ready.as_mut() else { return Vec::new() };
        stack
            .extract_if(.., |kept| {
                kept.is_too_old(now, self.max_age) || !kept.dialogue.is_quiet()
            })
            .map(|kept| kept.dialogue)
            .collect()
    }

    /// Drops all connections and takes no more.
    pub(super) fn close(&self) {
        self.lock().take();
    }

    /// Waits until somebody takes one.
    pub(super) async fn taken(&self) {
        self.taken.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Ready>>> {
        // A panic cannot leave the list half changed.
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ready {
    fn is_too_old(&self, now: Instant, max_age: Duration) -> bool {
        now.saturating_duration_since(self.since) >= max_age
    }
}
