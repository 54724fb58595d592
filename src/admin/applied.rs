//! Waiting until a change has reached the mail sessions that it ends, so that page and API can say how many and how fast.

use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::revoke::Tail;
use crate::store::Seq;

/// How long an answer waits for a change to be applied; after that it says that this is still to come.
const APPLY_TIME: Duration = Duration::from_secs(5);

/// The moment before a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    seq: Seq,
    at: Instant,
}

/// What a change did to mail sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effect {
    /// Sessions that ended.
    pub(super) sessions: usize,
    /// From the moment before the change until they were told.
    pub(super) took: Duration,
}

impl Before {
    /// To be made before a change that may end sessions.
    pub(super) fn now(tail: &Tail, clock: &Clock) -> Self {
        Self {
            seq: tail.seen(),
            at: clock.now(),
        }
    }

    /// Waits until the changes up to `last` have been applied here. Nothing where that takes too long.
    pub(super) async fn applied(self, tail: &Tail, clock: &Clock, last: Seq) -> Option<Effect> {
        tail.wake();
        let applied = tokio::time::timeout(APPLY_TIME, tail.applied_between(self.seq, last)).await;
        let took = clock.now().saturating_duration_since(self.at);
        applied.ok().map(|applied| Effect {
            sessions: applied.sessions_ended,
            took,
        })
    }
}
