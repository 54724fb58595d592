//! One message that is carried over a redirection: "Anna's iPhone disconnected. 2 connections closed."
//!
//! It waits in this process for the next page of the same console session and is shown once. It is not worth a place in
//! the store: where it is lost (a restart, another node), the page itself still shows what is so.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::admin::console::view::Flash;
use crate::model::ConsoleSessionId;

/// How long a message waits: a redirection takes no longer.
const WAIT: Duration = Duration::from_secs(60);
/// Messages that wait at the same time; beyond it, the oldest go.
const WAITING_MAX: usize = 1024;

/// Messages that wait.
#[derive(Debug, Default)]
pub(super) struct Flashes(Mutex<HashMap<ConsoleSessionId, (Instant, Flash)>>);

impl Flashes {
    /// Leaves a message for the next page of this session.
    pub(super) fn leave(&self, session: ConsoleSessionId, flash: Flash, now: Instant) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            waiting.retain(|_, (left, _)| now.saturating_duration_since(*left) < WAIT);
        }
        if waiting.len() >= WAITING_MAX
            && let Some(oldest) = waiting.iter().min_by_key(|(_, (left, _))| *left).map(|(id, _)| *id)
        {
            waiting.remove(&oldest);
        }
        waiting.insert(session, (now, flash));
    }

    /// Takes the message that waits for this session.
    pub(super) fn take(&self, session: ConsoleSessionId, now: Instant) -> Option<Flash> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, flash) = waiting.remove(&session)?;
        (now.saturating_duration_since(left) < WAIT).then_some(flash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::console::text::Line;
    use crate::clock::Clock;

    #[test]
    fn a_message_is_shown_once_to_its_session_and_soon() {
        let (flashes, now) = (Flashes::default(), Clock::system().now());
        let (anna, ben) = (ConsoleSessionId::from_raw(1), ConsoleSessionId::from_raw(2));
        flashes.leave(anna, Flash::done(Line::new("x")), now);
        assert!(flashes.take(ben, now).is_none());
        assert!(flashes.take(anna, now).is_some());
        assert!(flashes.take(anna, now).is_none());
        flashes.leave(anna, Flash::done(Line::new("x")), now);
        assert!(flashes.take(anna, now + WAIT).is_none());
    }

    #[test]
    fn messages_that_nobody_fetches_do_not_pile_up() {
        let (flashes, now) = (Flashes::default(), Clock::system().now());
        for number in 0..2 * i64::try_from(WAITING_MAX).unwrap() {
            flashes.leave(ConsoleSessionId::from_raw(number), Flash::done(Line::new("x")), now);
        }
        assert_eq!(flashes.0.lock().unwrap().len(), WAITING_MAX);
    }
}
