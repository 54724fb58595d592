//! How long things of the Manager live: pure functions of moments that others read from store and clock.
//!
//! A console session ends when nothing was done in it for a while, and in any case some days after its sign-in. What was
//! proved (password or code) is fresh for some minutes; before what is weighty it is asked for again.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::SessionEnds;

/// How long each thing lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// A console session in which nothing is done.
    pub session_idle: Duration,
    /// A console session, whatever is done in it.
    pub session: Duration,
    /// A sign-in of which only the password was right, until the code comes.
    pub half_sign_in: Duration,
    /// A proof by password or code.
    pub step_up: Duration,
    /// An invitation.
    pub invitation: Duration,
    /// The link of a password reset.
    pub reset: Duration,
    /// The link that confirms another sign-in address.
    pub address: Duration,
    /// The link that makes the first owner.
    pub set_up: Duration,
    /// The link that sets a device up.
    pub device_link: Duration,
    /// The file of such a link, from the tap on: browsers fetch it at once, and its path alone is enough to read it.
    pub device_file: Duration,
}

/// Between two notes of when a session was last used: not every request writes into the store.
pub const SEEN_EVERY: Duration = Duration::from_secs(60);

/// The longest life of an API token.
pub const API_TOKEN_MAX: Duration = days(366);

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 60 * 60)
}

const fn days(days: u64) -> Duration {
    hours(days * 24)
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            session_idle: hours(12),
            session: days(7),
            half_sign_in: Duration::from_secs(10 * 60),
            step_up: Duration::from_secs(10 * 60),
            invitation: days(7),
            reset: hours(1),
            address: days(1),
            set_up: days(1),
            device_link: days(1),
            device_file: Duration::from_secs(5 * 60),
        }
    }
}

impl Lifetimes {
    /// When a session that is opened now ends.
    pub fn session_ends(&self, now: Timestamp) -> SessionEnds {
        SessionEnds {
            idle_at: now.plus(self.session_idle),
            at: now.plus(self.session),
        }
    }

    /// When a session ends in which a code is still owed.
    pub fn half_ends(&self, now: Timestamp) -> SessionEnds {
        let at = now.plus(self.half_sign_in);
        SessionEnds { idle_at: at, at }
    }

    /// The same session's ends after it was used now: never later than it would have ended in any case.
    pub fn after_use(&self, ends: SessionEnds, now: Timestamp) -> SessionEnds {
        SessionEnds {
            idle_at: now.plus(self.session_idle).min(ends.at),
            at: ends.at,
        }
    }

    /// Whether what was proved then still counts. A proof from the future (the clock was set back) does not.
    pub fn is_fresh(&self, proved_at: Timestamp, now: Timestamp) -> bool {
        proved_at <= now && now < proved_at.plus(self.step_up)
    }
}

/// Whether a session has not ended by itself.
pub fn is_alive(ends: SessionEnds, now: Timestamp) -> bool {
    now < ends.at && now < ends.idle_at
}

/// Whether a session's last use is to be written down anew.
pub fn is_seen_stale(seen_at: Timestamp, now: Timestamp) -> bool {
    now >= seen_at.plus(SEEN_EVERY)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp(1_795_000_000_000);
    const MOMENT: Duration = Duration::from_millis(1);

    #[test]
    fn a_session_ends_after_twelve_hours_of_nothing_and_after_seven_days_of_anything() {
        let lives = Lifetimes::default();
        let mut ends = lives.session_ends(START);
        let idle_end = START.plus(hours(12));
        assert!(is_alive(ends, idle_end.minus(MOMENT)) && !is_alive(ends, idle_end));
        let end = START.plus(days(7));
        for hour in 0..24 * 7 {
            ends = lives.after_use(ends, START.plus(hours(hour)));
        }
        assert!(is_alive(ends, end.minus(MOMENT)) && !is_alive(ends, end));
    }

    #[test]
    fn half_a_sign_in_lives_ten_minutes() {
        let ends = Lifetimes::default().half_ends(START);
        let end = START.plus(Duration::from_secs(600));
        assert!(is_alive(ends, end.minus(MOMENT)) && !is_alive(ends, end));
    }

    #[test]
    fn a_proof_is_fresh_for_ten_minutes() {
        let lives = Lifetimes::default();
        let end = START.plus(Duration::from_secs(600));
        assert!(lives.is_fresh(START, START) && lives.is_fresh(START, end.minus(MOMENT)));
        assert!(!lives.is_fresh(START, end));
        assert!(!lives.is_fresh(START, START.minus(MOMENT)), "the clock was set back");
    }

    #[test]
    fn a_last_use_is_written_once_a_minute() {
        assert!(!is_seen_stale(START, START.plus(Duration::from_secs(59))));
        assert!(is_seen_stale(START, START.plus(Duration::from_secs(60))));
    }

    proptest! {
        #[test]
        fn no_use_moves_the_absolute_end(began in 0_i64..1 << 41, uses in prop::collection::vec(0_i64..1 << 26, 0..40)) {
            let lives = Lifetimes::default();
            let mut ends = lives.session_ends(Timestamp(began));
            let mut now = began;
            for pause in uses {
                now += pause;
                ends = lives.after_use(ends, Timestamp(now));
                prop_assert!(ends.idle_at <= ends.at && ends.at == Timestamp(began).plus(lives.session));
            }
        }
    }
}
