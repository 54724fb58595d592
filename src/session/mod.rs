//! The data plane: one mail session from the accepted socket to its last octet.
//!
//! `drive` owns the socket and the timers before login, `talk` runs a sans-IO [`preauth::Session`](crate::preauth::Session);
//! `login` turns credentials into an admitted login. `logged_in` is all that stays of it: `splice` (IMAP) or `relay`
//! (SMTP, through the command guard) copies octets. `usage` remembers when a device was last used, and when an old
//! password of it was tried. Nothing a client sends before a [`VerifiedLogin`](crate::verify::VerifiedLogin) exists
//! reaches the mail store.

mod drive;
mod input;
mod logged_in;
mod login;
mod relay;
mod splice;
mod summary;
mod talk;
mod transfer;
mod usage;

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::TcpStream;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

pub use drive::log_in;
pub use logged_in::LoggedIn;
pub use usage::Usage;

pub use crate::smtp::guard::BareNewline;

use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::peer::{NetworkPrefixes, Peer, Protocol};
use crate::preauth::Limits;
use crate::revoke::{IdleLimits, Registry, SWEEP_INTERVAL, Sweeper};
use crate::store::CredentialStore;
use crate::throttle::Throttle;
use crate::tls::Acceptor;
use crate::tries::{Attempted, Tries, What};
use crate::upstream::Upstreams;
use crate::verify::Verifier;

/// A store that takes longer to say that it is there counts as down.
const STORE_ANSWER_TIME: Duration = Duration::from_secs(5);

/// How a listener speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// From the first octet: 993, 465 (RFC 8314 §3).
    Implicit,
    /// After STARTTLS: 143, 587. A client that speaks TLS at once is served as on an implicit port.
    StartTls,
}

/// Settings of mail sessions; each is a configuration key of the same name.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our name in greetings and EHLO replies.
    pub hostname: String,
    /// Caps on what a client may say before login.
    pub limits: Limits,
    /// From accept to login, TLS included.
    pub login_time: Duration,
    /// The part of it that a TLS handshake may take.
    pub handshake_time: Duration,
    /// The whole of it while more than half of the places before login are taken: slow strangers must not keep the
    /// others out.
    pub stress_time: Duration,
    /// Octets that a client may send before login.
    pub login_bytes: usize,
    /// How long a STARTTLS listener waits for a client that speaks TLS at once before it greets in clear.
    pub tls_first_time: Duration,
    /// Distinct wrong passwords on one connection before it is closed.
    pub max_failures: u32,
    /// Live sessions of one device.
    pub max_per_device: usize,
    /// Live sessions of one mailbox.
    pub max_per_mailbox: usize,
    /// Ends an IMAP session that moved no octet for so long (RFC 9051 §5.4: at least 30 minutes).
    pub imap_idle_time: Duration,
    /// Ends an SMTP session that moved no octet for so long (RFC 5321 §4.5.3.2).
    pub smtp_idle_time: Duration,
    /// How long a goodbye to a client that does not read may take.
    pub close_time: Duration,
    /// Whether MAIL FROM is checked at all.
    pub check_sender: bool,
    /// Whether the null reverse-path `<>` passes the sender check (read receipts use it).
    pub allow_null_sender: bool,
    /// With `+`, anna+x@ counts as anna@ in the sender check.
    pub subaddress_delimiter: Option<char>,
    /// What a bare CR or LF in a message leads to.
    pub bare_newline: BareNewline,
    /// How often last uses are written.
    pub usage_write_interval: Duration,
}

impl Config {
    /// From accept to login; less where many who have not logged in hold places.
    fn time_to_log_in(&self, stressed: bool) -> Duration {
        if stressed {
            self.login_time.min(self.stress_time)
        } else {
            self.login_time
        }
    }
}

/// Everything that mail sessions share.
pub struct Plane {
    /// Settings; swapped by a reload, read once a connection.
    pub config: ArcSwap<Config>,
    /// The time.
    pub clock: Clock,
    /// Judges credentials.
    pub verifier: Arc<Verifier>,
    /// Slows failures.
    pub throttle: Arc<Throttle>,
    /// Live sessions.
    pub registry: Arc<Registry>,
    /// Epochs and sender addresses.
    pub store: Arc<dyn CredentialStore>,
    /// Mail stores.
    pub upstreams: Arc<Upstreams>,
    /// Last uses on their way to the store.
    pub usage: Arc<Usage>,
    /// What was tried lately, for those who wait for a first sign-in.
    pub tries: Arc<Tries>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the daemon begins to stop: nobody logs in any more.
    pub stopping: CancellationToken,
    store_down: AtomicBool,
    next_session: AtomicU64,
}

/// The parts of a [`Plane`].
pub struct Parts {
    /// See [`Plane::config`].
    pub config: Config,
    /// See [`Plane::clock`].
    pub clock: Clock,
    /// What one network is.
    pub network: NetworkPrefixes,
    /// See [`Plane::verifier`].
    pub verifier: Arc<Verifier>,
    /// See [`Plane::throttle`].
    pub throttle: Arc<Throttle>,
    /// See [`Plane::registry`].
    pub registry: Arc<Registry>,
    /// See [`Plane::store`].
    pub store: Arc<dyn CredentialStore>,
    /// See [`Plane::upstreams`].
    pub upstreams: Arc<Upstreams>,
    /// See [`Plane::tries`].
    pub tries: Arc<Tries>,
    /// See [`Plane::metrics`].
    pub metrics: Arc<Metrics>,
    /// See [`Plane::stopping`].
    pub stopping: CancellationToken,
}

impl Plane {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            usage: Arc::new(Usage::new(
                parts.network,
                Arc::clone(&parts.store),
                Arc::clone(&parts.metrics),
            )),
            config: ArcSwap::from_pointee(parts.config),
            clock: parts.clock,
            verifier: parts.verifier,
            throttle: parts.throttle,
            registry: parts.registry,
            store: parts.store,
            upstreams: parts.upstreams,
            tries: parts.tries,
            metrics: parts.metrics,
            stopping: parts.stopping,
            store_down: AtomicBool::new(false),
            next_session: AtomicU64::new(1),
        })
    }

    /// Asks the store whether it answers, and remembers the answer for [`Plane::can_serve`].
    pub async fn probe_store(&self) -> bool {
        // Whoever asks also keeps the watchdog quiet, and a store that hangs must not end sessions in progress.
        let answer = tokio::time::timeout(STORE_ANSWER_TIME, self.store.ping()).await;
        let up = matches!(answer, Ok(Ok(())));
        self.store_down.store(!up, Ordering::Relaxed);
        up
    }

    /// Ends sessions that are idle for too long, or whose device's date has come; runs until cancelled. One caller at a
    /// time.
    pub async fn sweep(&self) {
        let mut sweeper = Sweeper::new(Arc::clone(&self.registry), self.clock.now());
        let mut tick = tokio::time::interval(SWEEP_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let limits = {
                let config = self.config.load();
                IdleLimits {
                    imap: config.imap_idle_time,
                    smtp: config.smtp_idle_time,
                }
            };
            sweeper.step(self.clock.now(), self.clock.utc(), &limits);
            self.tries.tidy(self.clock.utc());
        }
    }

    /// Whether a login by this protocol has any chance at this moment. Where it has none, the greeting says so, because
    /// many clients take any refusal after that for a wrong password.
    pub fn can_serve(&self, protocol: Protocol) -> bool {
        !self.store_down.load(Ordering::Relaxed) && !self.upstreams.all_down(protocol) && !self.stopping.is_cancelled()
    }

    /// There was no room for a connection: nobody knows whose it was.
    pub fn no_room(&self, peer: &Peer, protocol: Protocol) {
        let attempted = Attempted {
            at: self.clock.utc(),
            from: peer.ip(),
            protocol,
        };
        self.tries.nameless(attempted, What::TooMany);
    }

    fn next_connection_id(&self) -> NonZeroU64 {
        let id = self.next_session.fetch_add(1, Ordering::Relaxed);
        NonZeroU64::new(id).unwrap_or(NonZeroU64::MIN)
    }
}

/// An accepted connection that has not said anything yet.
pub struct Connection {
    /// The socket; the PROXY header, where there was one, is consumed.
    pub stream: TcpStream,
    /// Who is there.
    pub peer: Peer,
    /// What is spoken.
    pub protocol: Protocol,
    /// When TLS starts.
    pub tls: TlsMode,
    /// The listener's TLS.
    pub acceptor: Arc<Acceptor>,
    /// The listener's name, for the log.
    pub listener: Arc<str>,
    /// More than half of the places before login are taken.
    pub stressed: bool,
    /// Dropped once the client is logged in: the place among connections that have not proved anything.
    pub before_login: Box<dyn Send>,
}
