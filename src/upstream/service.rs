//! One protocol of one route while the daemon runs: its warm connections, its health, and what it offers.
//!
//! Health is what the last attempt to reach a greeting gave, whoever made it. A service that is down is tried again
//! every second, so that logins work as soon as the mail store is back without a client having to be refused first.

use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::peer::Protocol;
use crate::smtp::Extensions;
use crate::tls::{self, Connector};

use super::Connected;
use super::dialogue::Dialogue;
use super::error::Error;
use super::plan::Plan;
use super::route::{Endpoint, Service, Transport};
use super::warm::Pool;

/// How often a service looks after itself: replaces warm connections that ended, and tries again while it is down.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);
/// How often the EHLO keywords are learned anew where no login does it in passing.
const PROBE_INTERVAL: Duration = Duration::from_secs(300);
/// How long a connection that is not needed may take to say goodbye.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

/// One protocol of one route.
pub(super) struct LiveService {
    pub(super) route: Arc<str>,
    pub(super) protocol: Protocol,
    pub(super) config: Service,
    pub(super) pool: Pool,
    connector: Option<Connector>,
    hostname: Arc<str>,
    seen: Mutex<Seen>,
    /// Told once, not with every login.
    told_of_hidden_address: Once,
    clock: Clock,
    metrics: Arc<Metrics>,
}

/// What is known of the mail store.
struct Seen {
    health: Health,
    /// When it last greeted us.
    greeted_at: Option<Instant>,
    /// SMTP: what it offered then, as far as it may be passed on.
    extensions: Option<Arc<Extensions>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Unknown,
    Up,
    Down,
}

/// What all services share.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) hostname: Arc<str>,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
}

impl LiveService {
    pub(super) fn new(
        route: Arc<str>,
        protocol: Protocol,
        config: Service,
        surroundings: Surroundings,
    ) -> Result<Self, tls::Error> {
        let connector = match (config.transport, &config.endpoint) {
            (Transport::Cleartext, _) => None,
            (_, Endpoint::Unix(path)) => return Err(tls::Error::UnixSocket { path: path.clone() }),
            (_, Endpoint::Tcp { host, .. }) => {
                Connector::check_name(config.tls_name.as_deref().unwrap_or(host))?;
                Some(Connector::new(&config.tls)?)
            }
        };
        Ok(Self {
            pool: Pool::new(config.warm, config.warm_age),
            seen: Mutex::new(Seen {
                health: Health::Unknown,
                greeted_at: None,
                extensions: None,
            }),
            told_of_hidden_address: Once::new(),
            clock: surroundings.clock,
            metrics: surroundings.metrics,
            hostname: surroundings.hostname,
            route,
            protocol,
            config,
            connector,
        })
    }

    /// A fresh connection, greeted, within the service's time limit.
    pub(super) async fn connect(&self) -> Result<Dialogue, Error> {
        let started = self.clock.now();
        let opened = self.open().await;
        let now = self.clock.now();
        if opened.is_ok() {
            self.metrics
                .upstream_connect_seconds
                .observe(now.saturating_duration_since(started).as_secs_f64());
        }
        self.note(opened.as_ref(), now);
        opened
    }

    /// As [`LiveService::connect`], but nothing is remembered of it.
    pub(super) async fn open(&self) -> Result<Dialogue, Error> {
        timeout(self.config.connect_timeout, Dialogue::open(self))
            .await
            .unwrap_or_else(|_| Err(self.too_late("connecting")))
    }

    /// Logs in on a greeted connection, within the service's time limit.
    pub(super) async fn log_in(&self, dialogue: Dialogue, plan: &Plan<'_>) -> Result<Connected, Error> {
        let started = self.clock.now();
        let connected = timeout(self.config.login_timeout, dialogue.log_in(self, plan))
            .await
            .unwrap_or_else(|_| Err(self.too_late("logging in")))?;
        let took = self.clock.now().saturating_duration_since(started);
        self.metrics.upstream_login_seconds.observe(took.as_secs_f64());
        Ok(connected)
    }

    fn too_late(&self, phase: &'static str) -> Error {
        Error::Timeout {
            route: Arc::clone(&self.route),
            phase,
        }
    }

    /// The TLS connector and the name to verify; `None` in clear.
    pub(super) fn tls(&self) -> Option<(&Connector, &str)> {
        let Endpoint::Tcp { host, .. } = &self.config.endpoint else {
            return None;
        };
        self.connector
            .as_ref()
            .map(|connector| (connector, self.config.tls_name.as_deref().unwrap_or(host)))
    }

    pub(super) fn hostname(&self) -> &str {
        &self.hostname
    }

    pub(super) fn health(&self) -> Health {
        self.seen().health
    }

    /// SMTP: what the mail store offered last; `None` before the first greeting.
    pub(super) fn extensions(&self) -> Option<Arc<Extensions>> {
        self.seen().extensions.clone()
    }

    /// Looks after health and warm connections until cancelled; calls `learned` after every greeting.
    pub(super) async fn maintain(&self, learned: impl Fn()) {
        loop {
            for dialogue in self.pool.retire(self.clock.now()) {
                leave(dialogue).await;
            }
            if self.is_probe_due() || self.pool.room() > 0 {
                self.refill(&learned).await;
            }
            tokio::select! {
                () = self.pool.taken() => {}
                () = sleep(UPKEEP_INTERVAL) => {}
            }
        }
    }

    /// Connects once, and on while there is room for warm connections; stops at the first failure.
    async fn refill(&self, learned: &impl Fn()) {
        loop {
            let connected = self.connect().await;
            let Ok(dialogue) = connected else { return };
            learned();
            if let Some(not_needed) = self.pool.put(dialogue, self.clock.now()) {
                leave(not_needed).await;
            }
            if self.pool.room() == 0 {
                return;
            }
        }
    }

    fn is_probe_due(&self) -> bool {
        let seen = self.seen();
        let age = seen.greeted_at.map(|at| self.clock.now().saturating_duration_since(at));
        match (seen.health, age) {
            (Health::Up, Some(age)) => self.protocol == Protocol::Smtp && age >= PROBE_INTERVAL,
            _ => true,
        }
    }

    /// Remembers an attempt, and logs where it changes anything: the attempts themselves are the callers' to log.
    fn note(&self, attempt: Result<&Dialogue, &Error>, now: Instant) {
        let mut seen = self.seen();
        let before = seen.health;
        match attempt {
            Ok(dialogue) => {
                seen.health = Health::Up;
                seen.greeted_at = Some(now);
                if let Some(keywords) = dialogue.keywords() {
                    seen.extensions = Some(Arc::new(Extensions::passable(keywords)));
                }
            }
            Err(_) => seen.health = Health::Down,
        }
        let protocol = self.protocol.name();
        match (before, attempt) {
            (Health::Unknown | Health::Up, Err(error)) => {
                tracing::warn!(route = %self.route, upstream.protocol = protocol, %error, "mail store went down");
            }
            (Health::Down, Ok(_)) => {
                tracing::info!(route = %self.route, upstream.protocol = protocol, "mail store is back")
            }
            _ => {}
        }
    }

    /// The mail store refused a client's IPv6 address, and got none.
    pub(super) fn note_hidden_address(&self) {
        self.told_of_hidden_address.call_once(|| {
            tracing::warn!(route = %self.route, upstream.protocol = self.protocol.name(), "the mail store refuses IPv6 addresses in XCLIENT, so it is told none: set inet_protocols = all there");
        });
    }

    #[cfg(test)]
    pub(super) fn has_told_of_hidden_address(&self) -> bool {
        self.told_of_hidden_address.is_completed()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Plain values: a panic cannot leave them half changed.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a connection in order, so that the mail store's log does not fill with lost connections.
pub(super) async fn leave(dialogue: Dialogue) {
    // Nobody waits for this, and a mail store that does not answer is found out elsewhere.
    let _ = timeout(LEAVE_TIMEOUT, dialogue.leave()).await;
}
