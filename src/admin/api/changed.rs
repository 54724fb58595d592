//! What a change ended.

use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use crate::admin::applied::Before;
use crate::store::Seq;

/// What a change ended among the live mail sessions.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(super) struct Ended {
    /// Sessions that were ended.
    pub(super) sessions: usize,
    /// From the beginning of the change until they were told, in milliseconds.
    pub(super) milliseconds: f64,
}

impl Api {
    /// To be called before a change that may end sessions.
    pub(super) fn before_change(&self) -> Before {
        Before::now(&self.tail, &self.clock)
    }

    /// Waits until the changes up to `last` have been applied here, and says what they ended. Nothing where that takes
    /// too long: then it is still to come.
    pub(super) async fn applied(&self, before: Before, last: Seq) -> Option<Ended> {
        let effect = before.applied(&self.tail, &self.clock, last).await?;
        // No more digits than the clock is good for.
        let micros = u32::try_from(effect.took.as_micros()).unwrap_or(u32::MAX);
        Some(Ended {
            sessions: effect.sessions,
            milliseconds: f64::from(micros) / 1000.0,
        })
    }
}
