//! What a run saw: operations, failures by kind, latencies.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::failure::Failure;

/// Latencies are kept up to an hour, in microseconds; longer ones count as an hour.
const MAX_LATENCY_US: u64 = 3_600_000_000;
/// Significant digits of a latency.
const DIGITS: u8 = 3;

/// Operations that are not what was asked for but the way to it, or that overlap: a rate of them says nothing.
pub const BESIDE: [&str; 3] = ["store", "open", "hold"];

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// By operation: `login`, `resumed_login`, `wrong_password`, `open` and `hold` (idle), `store` and `fetch`, `send`.
    pub parts: BTreeMap<&'static str, Part>,
    /// The first failure of each kind, in words for people.
    pub examples: BTreeMap<&'static str, String>,
    /// Operations that were cut off at the end: neither right nor wrong.
    pub unfinished: u64,
    /// Folders that could not be deleted.
    pub left_behind: Vec<LeftBehind>,
    /// From the first operation's begin to the end of the last; without the making and deleting of folders.
    pub elapsed: Duration,
}

/// One kind of operation.
#[derive(Debug, Clone)]
pub struct Part {
    /// How many came out right.
    pub done: u64,
    /// The others, by [`Failure::word`].
    pub errors: BTreeMap<&'static str, u64>,
    /// How many connections resumed a TLS session.
    pub resumed: u64,
    /// Octets of messages that were compared, or accepted by the server.
    pub octets: u64,
    latency: Histogram<u64>,
}

/// A folder of ours that is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// In whose mailbox.
    pub username: String,
    /// Its name.
    pub folder: String,
    /// Why it could not be deleted.
    pub reason: String,
}

/// Latencies of the operations that came out right, in microseconds, exact to three digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    /// The shortest.
    pub min: u64,
    /// The median.
    pub p50: u64,
    /// 90 of 100 are at most this.
    pub p90: u64,
    /// 99 of 100 are.
    pub p99: u64,
    /// 999 of 1,000 are.
    pub p999: u64,
    /// The longest.
    pub max: u64,
    /// The arithmetic mean.
    pub mean: f64,
}

/// What an operation that came out right has to tell.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Done {
    pub(super) latency: Option<Duration>,
    pub(super) resumed: bool,
    pub(super) octets: u64,
}

impl Report {
    /// Operations that came out right.
    pub fn done(&self) -> u64 {
        self.parts.values().map(|part| part.done).sum()
    }

    /// Operations that failed.
    pub fn failed(&self) -> u64 {
        self.errors().values().sum()
    }

    /// Failures by kind.
    pub fn errors(&self) -> BTreeMap<&'static str, u64> {
        let mut errors = BTreeMap::new();
        for (&word, number) in self.parts.values().flat_map(|part| &part.errors) {
            *errors.entry(word).or_default() += number;
        }
        errors
    }

    /// Octets of messages.
    pub fn octets(&self) -> u64 {
        self.parts.values().map(|part| part.octets).sum()
    }

    pub(super) fn add(&mut self, operation: &'static str, outcome: Result<Done, Failure>) {
        let part = self.parts.entry(operation).or_default();
        match outcome {
            Ok(done) => part.add(done),
            Err(failure) => {
                let word = failure.word();
                *part.errors.entry(word).or_default() += 1;
                self.examples.entry(word).or_insert_with(|| failure.to_string());
            }
        }
    }
}

impl Part {
    /// The latencies; nothing where no operation came out right, or where they have none.
    pub fn latency(&self) -> Option<Latency> {
        let quantile = |quantile| self.latency.value_at_quantile(quantile);
        (!self.latency.is_empty()).then(|| Latency {
            min: self.latency.min(),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: self.latency.max(),
            mean: self.latency.mean(),
        })
    }

    /// Operations that failed.
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    fn add(&mut self, done: Done) {
        self.done += 1;
        self.resumed += u64::from(done.resumed);
        self.octets += done.octets;
        if let Some(latency) = done.latency {
            let microseconds = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
            self.latency.saturating_record(microseconds.max(1));
        }
    }
}

impl Default for Part {
    fn default() -> Self {
        Self {
            done: 0,
            errors: BTreeMap::new(),
            resumed: 0,
            octets: 0,
            latency: Histogram::new_with_bounds(1, MAX_LATENCY_US, DIGITS).expect("bounds and digits are valid"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_failures_are_counted_by_kind() {
        let mut report = Report::default();
        for milliseconds in 1..=100 {
            let latency = Some(Duration::from_millis(milliseconds));
            let done = Done {
                latency,
                resumed: milliseconds > 1,
                octets: 10,
            };
            report.add("login", Ok(done));
        }
        report.add("login", Err(Failure::Closed));
        report.add("fetch", Err(Failure::BadAnswer("octet 7".to_owned())));
        report.add("fetch", Err(Failure::BadAnswer("octet 8".to_owned())));
        assert_eq!((report.done(), report.failed(), report.octets()), (100, 3, 1000));
        assert_eq!(report.errors(), BTreeMap::from([("bad_answer", 2), ("closed", 1)]));
        assert_eq!(report.examples["bad_answer"], "wrong answer: octet 7");
        assert_eq!(report.parts["login"].resumed, 99);
        assert_eq!(report.parts["fetch"].latency(), None);
        let latency = report.parts["login"].latency().unwrap();
        assert!(latency.p50.abs_diff(50_000) <= 50 && latency.max.abs_diff(100_000) <= 100);
        assert!(latency.min <= latency.p50 && latency.p99 <= latency.max);
    }

    #[test]
    fn latencies_beyond_the_scale_are_counted_at_its_ends() {
        let mut part = Part::default();
        for latency in [Duration::ZERO, Duration::MAX] {
            part.add(Done {
                latency: Some(latency),
                ..Done::default()
            });
        }
        let latency = part.latency().unwrap();
        assert!(latency.min == 1 && latency.max >= MAX_LATENCY_US, "{latency:?}");
    }
}
