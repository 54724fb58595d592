//! Waiting until a change has reached the mail sessions that it ends, so that a page can say how many and how fast.

use std::time::{Duration, Instant};

use super::Pages;
use crate::admin::console::view::done::Ended;
use crate::store::Seq;

/// How long a page waits for a change to be applied; after that it says that this is still to come.
const APPLY_TIME: Duration = Duration::from_secs(5);

/// The moment before a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    seq: Seq,
    at: Instant,
}

impl Pages {
    /// To be called before a change that may end sessions.
    pub(super) fn before_change(&self) -> Before {
        Before {
            seq: self.tail.seen(),
            at: self.clock.now(),
        }
    }

    /// Waits until the changes up to `last` have been applied here, and says what they ended.
    pub(super) async fn applied(&self, before: Before, last: Seq) -> Ended {
        self.tail.wake();
        let applied = tokio::time::timeout(APPLY_TIME, self.tail.applied_between(before.seq, last)).await;
        let Ok(applied) = applied else {
            return Ended::Unconfirmed;
        };
        let took = self.clock.now().saturating_duration_since(before.at);
        Ended::Sessions {
            count: u64::try_from(applied.sessions_ended).unwrap_or(u64::MAX),
            // "In 0 ms" would look like a mistake.
            milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1),
        }
    }
}
