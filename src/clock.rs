//! The only place that reads the time.
//!
//! A [`Clock`] is passed down; nothing else calls `Instant::now` or `SystemTime::now`. Tests hold the same type and
//! move it by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A point in time in UTC, in whole milliseconds since 1970. Stored and compared as an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The same moment for calendars; beyond their range the last one that they know.
    pub fn calendar(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }

    /// RFC 3339 §5.6 in UTC, as JSON has it: `2026-11-20T14:03:00Z`.
    pub fn rfc3339(self) -> String {
        self.calendar().to_string()
    }

    /// The day in UTC: `2026-11-20`.
    pub fn day(self) -> String {
        self.calendar().strftime("%Y-%m-%d").to_string()
    }

    /// The point `span` later; saturates at the end of time.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// The point `span` earlier; saturates.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

/// Tells the monotonic and the civil time.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual {
        base: Instant,
        base_utc: Timestamp,
        passed_ms: Arc<AtomicU64>,
    },
}

impl Clock {
    /// The machine's clock.
    pub const fn system() -> Self {
        Self { source: Source::System }
    }

    /// A clock for tests: it stands still until [`Clock::advance`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        Self {
            source: Source::Manual {
                base: instant_now(),
                base_utc: start,
                passed_ms: Arc::default(),
            },
        }
    }

    /// Moves a manual clock on; does nothing to the machine's clock.
    pub fn advance(&self, span: Duration) {
        if let Source::Manual { passed_ms, .. } = &self.source {
            passed_ms.fetch_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
        }
    }

    /// Monotonic time, for waits and ages.
    pub fn now(&self) -> Instant {
        match &self.source {
            Source::System => instant_now(),
            Source::Manual { base, passed_ms, .. } => *base + Duration::from_millis(passed_ms.load(Ordering::SeqCst)),
        }
    }

    /// Civil time in UTC, for what is stored and shown.
    pub fn utc(&self) -> Timestamp {
        match &self.source {
            Source::System => utc_now(),
            Source::Manual {
                base_utc, passed_ms, ..
            } => base_utc.plus(Duration::from_millis(passed_ms.load(Ordering::SeqCst))),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the clock is where the time comes from")]
fn instant_now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the clock is where the time comes from")]
fn utc_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
