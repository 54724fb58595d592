//! When a mail is tried again: sooner at first, then ever more seldom, and after three days no more.
//!
//! RFC 5321 §4.5.4.1 asks for a retry after at least 30 minutes and a give-up time of four to five days. That is for
//! servers that reach many others; here the one mail server is ours, and nobody wants an invitation after days.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::AfterFailure;

/// The longest wait between two attempts.
pub(super) const RETRY_MAX: Duration = Duration::from_secs(60 * 60);

/// How long a mail is tried at all, from when it was written.
pub(super) const TRIED_FOR: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// A wait is this part shorter or longer, by chance, so that mails that failed together do not come back together.
const JITTER_PERCENT: u64 = 20;

/// What is known of a mail whose attempt failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried {
    /// The number of the attempt, from 1.
    pub(super) attempt: u32,
    pub(super) written_at: Timestamp,
    /// When its link ends.
    pub(super) useful_until: Option<Timestamp>,
}

/// The next attempt, or none; `random` is any number.
pub(super) fn after(tried: Tried, first: Duration, now: Timestamp, random: u32) -> AfterFailure {
    let next_at = now.plus(wait(tried.attempt, first, random));
    let ends_at = tried.written_at.plus(TRIED_FOR);
    let ends_at = tried.useful_until.map_or(ends_at, |until| until.min(ends_at));
    if next_at > ends_at {
        AfterFailure::GiveUp
    } else {
        AfterFailure::RetryAt(next_at)
    }
}

fn wait(attempt: u32, first: Duration, random: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
    let wait = first.saturating_mul(doubled).min(RETRY_MAX);
    let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    // From 80 to 120 percent.
    let percent = 100 - JITTER_PERCENT + u64::from(random) % (2 * JITTER_PERCENT + 1);
    Duration::from_millis(millis.saturating_mul(percent) / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_795_000_000_000);
    const FIRST: Duration = Duration::from_secs(60);
    /// No jitter.
    const EVEN: u32 = 20;

    fn tried(attempt: u32) -> Tried {
        Tried {
            attempt,
            written_at: START,
            useful_until: None,
        }
    }

    #[test]
    fn waits_double_up_to_their_limit() {
        let minutes: Vec<_> = (1..=9)
            .map(|attempt| wait(attempt, FIRST, EVEN).as_secs() / 60)
            .collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(wait(u32::MAX, FIRST, EVEN), RETRY_MAX);
        assert_eq!(wait(0, FIRST, EVEN), FIRST);
    }

    #[test]
    fn jitter_goes_both_ways_and_is_bounded() {
        let waits: Vec<_> = (0..1000).map(|random| wait(1, FIRST, random)).collect();
        assert_eq!(waits.iter().min(), Some(&Duration::from_secs(48)));
        assert_eq!(waits.iter().max(), Some(&Duration::from_secs(72)));
    }

    #[test]
    fn after_three_days_a_mail_is_given_up_and_not_a_moment_before() {
        let last = START.plus(TRIED_FOR - RETRY_MAX);
        let next_at = START.plus(TRIED_FOR);
        assert_eq!(after(tried(80), FIRST, last, EVEN), AfterFailure::RetryAt(next_at));
        let later = last.plus(Duration::from_millis(1));
        assert_eq!(after(tried(80), FIRST, later, EVEN), AfterFailure::GiveUp);
    }

    #[test]
    fn a_mail_whose_link_will_have_ended_is_given_up() {
        let ending_after = |minutes: u64| Tried {
            useful_until: Some(START.plus(Duration::from_secs(60 * minutes))),
            ..tried(3)
        };
        let next_at = START.plus(FIRST * 4);
        assert_eq!(
            after(ending_after(4), FIRST, START, EVEN),
            AfterFailure::RetryAt(next_at)
        );
        assert_eq!(after(ending_after(3), FIRST, START, EVEN), AfterFailure::GiveUp);
    }
}
