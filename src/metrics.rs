//! Counters and histograms of a running daemon, in OpenMetrics.
//!
//! Labels are closed sets of fixed words: never a user, a mailbox, a device or an address. What every login counts is
//! looked up once, at the start, so that all its series are there from then on; an increment is one atomic addition.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::peer::Protocol;

/// `protocol` and `outcome` (`accepted`, `refused`, `unavailable`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LoginLabels {
    /// `imap` or `smtp`.
    pub protocol: &'static str,
    /// How it ended.
    pub outcome: &'static str,
}

/// `path`: see [`VerdictPath`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PathLabel {
    /// How the verifier came to its verdict.
    pub path: &'static str,
}

/// How a login ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginOutcome {
    /// The session was admitted; OK is on its way.
    Accepted,
    /// For good.
    Refused,
    /// For now.
    Unavailable,
}

impl LoginOutcome {
    const ALL: [Self; 3] = [Self::Accepted, Self::Refused, Self::Unavailable];

    /// The label's value.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        }
    }
}

/// How the verifier came to its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictPath {
    /// The password was hashed, whatever came of it.
    Hashed,
    /// The password had been proved before.
    Hit,
    /// The name is none, none that logs in, or another than that to act as.
    RejectedByName,
    /// No device's tag fits the password, or it is too long to be looked at.
    RejectedByTag,
    /// Only passwords without a tag were left, and there were too many failures to hash for them.
    Throttled,
    /// A generated password with a wrong letter.
    Typo,
    /// It could not be judged.
    Unavailable,
}

impl VerdictPath {
    const ALL: [Self; 7] = [
        Self::Hashed,
        Self::Hit,
        Self::RejectedByName,
        Self::RejectedByTag,
        Self::Throttled,
        Self::Typo,
        Self::Unavailable,
    ];

    /// The label's value.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hashed => "hashed",
            Self::Hit => "hit",
            Self::RejectedByName => "rejected_by_name",
            Self::RejectedByTag => "rejected_by_tag",
            Self::Throttled => "throttled",
            Self::Typo => "typo",
            Self::Unavailable => "unavailable",
        }
    }
}

/// `outcome`: see [`MailOutcome`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabel {
    /// How it ended.
    pub outcome: &'static str,
}

/// How an attempt to send a mail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailOutcome {
    /// The mail server took it.
    Sent,
    /// It did not; it is tried again.
    Deferred,
    /// It is not tried again.
    Failed,
}

impl MailOutcome {
    const ALL: [Self; 3] = [Self::Sent, Self::Deferred, Self::Failed];

    /// The label's value.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
        }
    }
}

/// `protocol` alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ProtocolLabel {
    /// `imap` or `smtp`.
    pub protocol: &'static str,
}

/// `reason`: which limit or rule closed a connection before login.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabel {
    /// A fixed word.
    pub reason: &'static str,
}

/// `route` and `status` of a request to the Manager.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HttpLabel {
    /// The route's pattern (`/o/{org}/devices`), never the path: patterns are few and name nobody.
    pub route: String,
    /// The answer's status code.
    pub status: u16,
}

impl HttpLabel {
    /// For this pattern and status.
    pub fn new(route: &str, status: u16) -> Self {
        Self {
            route: route.to_owned(),
            status,
        }
    }
}

/// Every metric of the daemon.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// In the order of [`LoginOutcome::ALL`].
    imap_logins: [Counter; LoginOutcome::ALL.len()],
    smtp_logins: [Counter; LoginOutcome::ALL.len()],
    /// In the order of [`VerdictPath::ALL`].
    verdicts: [Counter; VerdictPath::ALL.len()],
    /// Argon2id (or imported hash) runs.
    pub hash_runs: Counter,
    /// Requests waiting for a hash lane.
    pub hash_queue: Gauge,
    /// Users' passwords waiting for a hash lane of the Manager's.
    pub sign_in_queue: Gauge,
    /// Entries in the entry cache.
    pub entries: Gauge,
    /// Open connections, before and after login.
    pub connections: Gauge,
    /// Connections closed before login, by reason.
    pub closed_before_login: Family<ReasonLabel, Counter>,
    /// Live sessions by protocol.
    pub live_sessions: Family<ProtocolLabel, Gauge>,
    /// Seconds to connect upstream (TLS and greeting included).
    pub upstream_connect_seconds: Histogram,
    /// Seconds to log in upstream on a connected stream.
    pub upstream_login_seconds: Histogram,
    /// Upstream failures by reason.
    pub upstream_failures: Family<ReasonLabel, Counter>,
    /// Seconds from noticing a change to its last session being told to end.
    pub revocation_seconds: Histogram,
    /// Sessions ended by a change.
    pub sessions_ended: Counter,
    /// Octets copied downstream to upstream and back.
    pub bytes_up: Counter<u64, AtomicU64>,
    /// Octets copied upstream to downstream.
    pub bytes_down: Counter<u64, AtomicU64>,
    /// Reads or writes of the store that failed.
    pub store_errors: Counter,
    /// Requests to the Manager, by route and status.
    pub http_requests: Family<HttpLabel, Counter>,
    /// In the order of [`MailOutcome::ALL`].
    mails: [Counter; MailOutcome::ALL.len()],
    /// Mails that wait in the outbox.
    pub mails_queued: Gauge,
}

fn logins_of(protocol: Protocol, logins: &Family<LoginLabels, Counter>) -> [Counter; LoginOutcome::ALL.len()] {
    let counter = |outcome: LoginOutcome| {
        let labels = LoginLabels {
            protocol: protocol.name(),
            outcome: outcome.word(),
        };
        logins.get_or_create(&labels).clone()
    };
    LoginOutcome::ALL.map(counter)
}

const FAST_SECONDS: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0, 10.0];

impl Metrics {
    /// All metrics at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("postern");
        let logins = Family::<LoginLabels, Counter>::default();
        registry.register("logins", "Logins by protocol and outcome", logins.clone());
        let paths = Family::<PathLabel, Counter>::default();
        registry.register("verify", "Verdicts by the path that led to them", paths.clone());
        let mails = Family::<OutcomeLabel, Counter>::default();
        registry.register("mails", "Attempts to send a mail by outcome", mails.clone());
        let mut metrics = Self {
            registry,
            imap_logins: logins_of(Protocol::Imap, &logins),
            smtp_logins: logins_of(Protocol::Smtp, &logins),
            verdicts: VerdictPath::ALL.map(|path| paths.get_or_create(&PathLabel { path: path.word() }).clone()),
            hash_runs: Counter::default(),
            hash_queue: Gauge::default(),
            sign_in_queue: Gauge::default(),
            entries: Gauge::default(),
            connections: Gauge::default(),
            closed_before_login: Family::default(),
            live_sessions: Family::default(),
            upstream_connect_seconds: Histogram::new(FAST_SECONDS),
            upstream_login_seconds: Histogram::new(FAST_SECONDS),
            upstream_failures: Family::default(),
            revocation_seconds: Histogram::new(FAST_SECONDS),
            sessions_ended: Counter::default(),
            bytes_up: Counter::default(),
            bytes_down: Counter::default(),
            store_errors: Counter::default(),
            http_requests: Family::default(),
            mails: MailOutcome::ALL.map(|outcome| {
                let outcome = outcome.word();
                mails.get_or_create(&OutcomeLabel { outcome }).clone()
            }),
            mails_queued: Gauge::default(),
        };
        metrics.register_judging();
        metrics.register_sessions();
        metrics
    }

    /// Logins by protocol and outcome.
    pub fn logins(&self, protocol: Protocol, outcome: LoginOutcome) -> &Counter {
        let logins = match protocol {
            Protocol::Imap => &self.imap_logins,
            Protocol::Smtp => &self.smtp_logins,
        };
        &logins[outcome as usize]
    }

    /// Verdicts by the path that led to them.
    pub fn verdicts(&self, path: VerdictPath) -> &Counter {
        &self.verdicts[path as usize]
    }

    /// Attempts to send a mail by outcome.
    pub fn mails(&self, outcome: MailOutcome) -> &Counter {
        &self.mails[outcome as usize]
    }

    fn register_judging(&mut self) {
        let registry = &mut self.registry;
        registry.register("hash_runs", "Password hashes computed", self.hash_runs.clone());
        registry.register(
            "hash_queue",
            "Requests waiting for a hash lane",
            self.hash_queue.clone(),
        );
        registry.register(
            "sign_in_queue",
            "Passwords of users waiting for a hash lane",
            self.sign_in_queue.clone(),
        );
        registry.register("entries", "Entries in the entry cache", self.entries.clone());
        registry.register(
            "closed_before_login",
            "Connections closed before login",
            self.closed_before_login.clone(),
        );
        registry.register("store_errors", "Store requests that failed", self.store_errors.clone());
        let requests = self.http_requests.clone();
        registry.register("http_requests", "Requests to the Manager", requests);
        registry.register("mails_queued", "Mails that wait to be sent", self.mails_queued.clone());
    }

    fn register_sessions(&mut self) {
        let registry = &mut self.registry;
        registry.register("connections", "Open downstream connections", self.connections.clone());
        registry.register("live_sessions", "Sessions after login", self.live_sessions.clone());
        let connect = self.upstream_connect_seconds.clone();
        registry.register("upstream_connect_seconds", "Time to connect upstream", connect);
        let login = self.upstream_login_seconds.clone();
        registry.register("upstream_login_seconds", "Time to log in upstream", login);
        registry.register(
            "upstream_failures",
            "Upstream failures by reason",
            self.upstream_failures.clone(),
        );
        registry.register(
            "revocation_seconds",
            "Time to end the sessions of a change",
            self.revocation_seconds.clone(),
        );
        registry.register(
            "sessions_ended",
            "Sessions ended by a change",
            self.sessions_ended.clone(),
        );
        registry.register("upstream_bytes", "Octets sent upstream", self.bytes_up.clone());
        registry.register("downstream_bytes", "Octets sent downstream", self.bytes_down.clone());
    }

    /// The exposition in OpenMetrics text form.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_series_of_a_login_is_there_from_the_start_and_counts_under_its_own_words() {
        let metrics = Metrics::new();
        let text = metrics.encode();
        for path in VerdictPath::ALL {
            assert!(
                text.contains(&format!("postern_verify_total{{path=\"{}\"}} 0\n", path.word())),
                "{text}"
            );
            metrics.verdicts(path).inc_by(path as u64 + 1);
        }
        for outcome in LoginOutcome::ALL {
            metrics.logins(Protocol::Smtp, outcome).inc_by(outcome as u64 + 1);
        }
        let text = metrics.encode();
        for path in VerdictPath::ALL {
            let line = format!("postern_verify_total{{path=\"{}\"}} {}\n", path.word(), path as u64 + 1);
            assert!(text.contains(&line), "{line}{text}");
        }
        for outcome in LoginOutcome::ALL {
            for (protocol, count) in [("imap", 0), ("smtp", outcome as u64 + 1)] {
                let line = format!(
                    "postern_logins_total{{protocol=\"{protocol}\",outcome=\"{}\"}} {count}\n",
                    outcome.word()
                );
                assert!(text.contains(&line), "{line}{text}");
            }
        }
    }
}
