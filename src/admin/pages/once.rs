//! Forms that make something and show its secret are taken once: sent again (a page loaded anew, a button pressed twice),
//! they would make a second one.
//!
//! Each such form carries a mark. What came of it is remembered here for its console session; where that is lost (a
//! restart), the form is taken as a new one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Timestamp;
use crate::model::ConsoleSessionId;

/// How long a form is remembered: browsers ask before they send one again, and nobody waits for a day with that.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// Forms that are remembered; beyond it the oldest is forgotten.
const KEPT_MAX: usize = 4096;
/// A longer mark is none of ours.
const MARK_MAX: usize = 40;

type Key = (ConsoleSessionId, String);

/// Forms that were taken.
#[derive(Debug, Default)]
pub(super) struct Once {
    issued: AtomicU64,
    taken: Mutex<HashMap<Key, Taken>>,
}

#[derive(Debug)]
struct Taken {
    at: Instant,
    made: Option<String>,
}

/// Whether a form comes for the first time.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Coming {
    /// It does. [`Once::made`] is to be called with what came of it, or [`Once::refused`].
    First,
    /// It was sent before; this is the path of what it made, where that is known yet.
    Again(Option<String>),
}

impl Once {
    /// A mark for a form that is shown now. It need not be secret: it counts in one console session.
    pub(super) fn mark(&self, now: Timestamp) -> String {
        let number = self.issued.fetch_add(1, Ordering::Relaxed);
        format!("{:x}-{number:x}", now.0)
    }

    /// To be asked just before something is made.
    pub(super) fn come(&self, session: ConsoleSessionId, mark: &str, now: Instant) -> Coming {
        if mark.is_empty() || mark.len() > MARK_MAX {
            return Coming::First;
        }
        let mut taken = self.taken();
        if let Some(before) = taken.get(&(session, mark.to_owned())) {
            return Coming::Again(before.made.clone());
        }
        if taken.len() >= KEPT_MAX {
            taken.retain(|_, taken| now.saturating_duration_since(taken.at) < KEPT);
        }
        if taken.len() >= KEPT_MAX
            && let Some(oldest) = taken
                .iter()
                .min_by_key(|(_, taken)| taken.at)
                .map(|(key, _)| key.clone())
        {
            taken.remove(&oldest);
        }
        taken.insert((session, mark.to_owned()), Taken { at: now, made: None });
        Coming::First
    }

    /// Notes what came of it: the path of the thing that was made.
    pub(super) fn made(&self, session: ConsoleSessionId, mark: &str, path: String) {
        if let Some(taken) = self.taken().get_mut(&(session, mark.to_owned())) {
            taken.made = Some(path);
        }
    }

    /// Nothing was made: the form may be sent again.
    pub(super) fn refused(&self, session: ConsoleSessionId, mark: &str) {
        self.taken().remove(&(session, mark.to_owned()));
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Key, Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const NOW: Timestamp = Timestamp(1_795_000_000_000);

    #[test]
    fn a_form_is_taken_once_and_again_only_where_it_was_refused() {
        let (once, now) = (Once::default(), Clock::system().now());
        let (anna, ben) = (ConsoleSessionId::from_raw(1), ConsoleSessionId::from_raw(2));
        let mark = once.mark(NOW);
        assert_ne!(mark, once.mark(NOW));
        assert_eq!(once.come(anna, &mark, now), Coming::First);
        assert_eq!(once.come(anna, &mark, now), Coming::Again(None));
        assert_eq!(once.come(ben, &mark, now), Coming::First, "another session");
        once.refused(anna, &mark);
        assert_eq!(once.come(anna, &mark, now), Coming::First);
        once.made(anna, &mark, "/x".to_owned());
        assert_eq!(once.come(anna, &mark, now), Coming::Again(Some("/x".to_owned())));
        assert_eq!(once.come(anna, "", now), Coming::First, "a form without a mark");
        assert_eq!(once.come(anna, "", now), Coming::First);
    }

    #[test]
    fn forms_do_not_pile_up() {
        let (once, now) = (Once::default(), Clock::system().now());
        let session = ConsoleSessionId::from_raw(1);
        for number in 0..2 * KEPT_MAX {
            once.come(session, &format!("m{number}"), now);
        }
        assert_eq!(once.taken().len(), KEPT_MAX);
    }
}
