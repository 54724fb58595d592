//! What a change ended, as pages say it.

use super::Pages;
use crate::admin::applied::Before;
use crate::admin::console::view::done::Ended;
use crate::store::Seq;

impl Pages {
    /// To be called before a change that may end sessions.
    pub(super) fn before_change(&self) -> Before {
        Before::now(&self.tail, &self.clock)
    }

    /// Waits until the changes up to `last` have been applied here, and says what they ended.
    pub(super) async fn applied(&self, before: Before, last: Seq) -> Ended {
        match before.applied(&self.tail, &self.clock, last).await {
            None => Ended::Unconfirmed,
            Some(effect) => Ended::Sessions {
                count: u64::try_from(effect.sessions).unwrap_or(u64::MAX),
                // "In 0 ms" would look like a mistake.
                milliseconds: u64::try_from(effect.took.as_millis()).unwrap_or(u64::MAX).max(1),
            },
        }
    }
}
