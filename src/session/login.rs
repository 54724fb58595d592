//! From credentials to an admitted login: throttle, verify, log in upstream, register, re-check, and only then OK.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::metrics::LoginLabels;
use crate::model::device::{SenderPattern, SenderRule, Use};
use crate::peer::{Peer, Protocol};
use crate::preauth::{Credentials, Refusal};
use crate::revoke::{LiveSession, NotAdmitted, SessionInfo, admit};
use crate::smtp::guard::{self, Guard, SenderPolicy};
use crate::store;
use crate::upstream::Connected;
use crate::verify::{Cause, Rejection, Verdict, VerifiedLogin};

use super::{Config, Plane};

const TRY_LATER: &str = "Temporary failure, please try again later";
const TOO_MANY_FAILURES: &str = "Too many failed logins, please try again later";
const TOO_MANY: &str = "Too many connections of this device or mailbox";

/// A login that may be answered with OK.
pub(super) struct Admitted {
    /// The proof.
    pub(super) login: Box<VerifiedLogin>,
    /// The mail store, logged in as the mailbox.
    pub(super) upstream: Connected,
    /// The place in the registry of live sessions.
    pub(super) live: LiveSession,
    /// SMTP: what stands in the path from now on.
    pub(super) guard: Option<Guard>,
}

/// How an attempt ended.
pub(super) enum Outcome {
    /// Answer OK.
    Admitted(Box<Admitted>),
    /// Answer this, not before `release_at`.
    Refused {
        /// What the client is told.
        refusal: Refusal,
        /// The fixed clock of failures.
        release_at: Instant,
        /// It was a wrong secret, to be counted on this connection.
        counts: bool,
    },
}

/// Who tries to log in.
pub(super) struct Attempt<'a> {
    pub(super) plane: &'a Plane,
    pub(super) config: &'a Config,
    pub(super) peer: &'a Peer,
    pub(super) protocol: Protocol,
    pub(super) id: u64,
    pub(super) client: Option<String>,
}

impl Attempt<'_> {
    /// Judges credentials and, where they are right, logs in upstream.
    pub(super) async fn judge(&self, credentials: &Credentials) -> Outcome {
        let plane = self.plane;
        let started = plane.clock.now();
        let ip = self.peer.ip();
        let untagged = plane.throttle.may_hash_untagged(started, ip, &credentials.username);
        let outcome = match plane
            .verifier
            .verify(credentials, self.protocol, self.peer, untagged)
            .await
        {
            Verdict::Accept(login) => self.log_in_upstream(login).await,
            Verdict::Reject(rejection) => Err(self.rejected(credentials, &rejection, untagged)),
            Verdict::Unavailable(cause) => Err(self.unjudged(cause)),
        };
        match outcome {
            Ok(admitted) => {
                self.count("accepted");
                Outcome::Admitted(Box::new(admitted))
            }
            Err((refusal, counts)) => {
                self.count(if matches!(refusal, Refusal::Permanent { .. }) {
                    "refused"
                } else {
                    "unavailable"
                });
                let now = plane.clock.now();
                let release_at = plane.throttle.release_at(started, now, ip, &credentials.username);
                Outcome::Refused {
                    refusal,
                    release_at,
                    counts,
                }
            }
        }
    }

    async fn log_in_upstream(&self, login: Box<VerifiedLogin>) -> Result<Admitted, (Refusal, bool)> {
        let plane = self.plane;
        let device = login.device();
        let (of_device, of_mailbox) = plane.registry.count(device.id, login.mailbox());
        if of_device >= self.config.max_per_device || of_mailbox >= self.config.max_per_mailbox {
            tracing::info!(session.id = self.id, client.addr = %self.peer.ip(), device.id = %device.id, mailbox.id = %login.mailbox(), "too many sessions");
            return Err((Refusal::Temporary { text: TOO_MANY }, false));
        }
        let client = self.client.as_deref();
        let upstream = plane.upstreams.login(&login, self.protocol, self.peer, client, self.id).await.map_err(|error| {
            let reason = error.reason();
            tracing::warn!(session.id = self.id, mailbox.id = %login.mailbox(), upstream.reason = reason, error = %error, "upstream login failed");
            (Refusal::Temporary { text: TRY_LATER }, false)
        })?;
        let guard = self
            .guard(&login, &upstream)
            .await
            .map_err(|error| self.store_failed(&error))?;
        let info = SessionInfo {
            device: device.id,
            label: device.label.clone(),
            mailbox: login.mailbox(),
            address: login.address().clone(),
            protocol: self.protocol,
            peer: self.peer.ip(),
            since: plane.clock.utc(),
            client: self.client.clone(),
            route: Arc::clone(&upstream.route),
        };
        match admit(&plane.registry, &*plane.store, login.epoch(), info).await {
            Ok(live) => {
                self.note_use(&login, self.peer.ip());
                Ok(Admitted {
                    login,
                    upstream,
                    live,
                    guard,
                })
            }
            Err(NotAdmitted::Ended) => {
                tracing::info!(session.id = self.id, device.id = %device.id, "login refused: revoked while it was under way");
                Err((Refusal::Permanent { hint: None }, false))
            }
            Err(NotAdmitted::Store(error)) => Err(self.store_failed(&error)),
        }
    }

    fn store_failed(&self, error: &store::Error) -> (Refusal, bool) {
        self.plane.metrics.store_errors.inc();
        tracing::error!(session.id = self.id, error = %error, "login not admitted: the store did not answer");
        (Refusal::Temporary { text: TRY_LATER }, false)
    }

    /// The command guard of a submission session, with the senders that this device may use.
    async fn guard(&self, login: &VerifiedLogin, upstream: &Connected) -> Result<Option<Guard>, store::Error> {
        let Protocol::Smtp = self.protocol else { return Ok(None) };
        let config = self.config;
        let senders = match &login.device().senders {
            SenderRule::Off => SenderPolicy::Off,
            _ if !config.check_sender => SenderPolicy::Off,
            rule => {
                let mut allowed = self.plane.store.sender_addresses(login.mailbox()).await?;
                let mut domains = Vec::new();
                if let SenderRule::List(patterns) = rule {
                    for pattern in patterns {
                        match pattern {
                            SenderPattern::Address(address) => allowed.push(address.clone()),
                            SenderPattern::Domain(domain) => domains.push(domain.clone()),
                        }
                    }
                }
                SenderPolicy::Check {
                    allowed,
                    domains,
                    null_sender: config.allow_null_sender,
                    subaddress_delimiter: config.subaddress_delimiter,
                }
            }
        };
        Ok(Some(Guard::new(guard::Config {
            hostname: config.hostname.clone(),
            extensions: upstream.capabilities.clone(),
            senders,
            bare_newline: config.bare_newline,
            limits: guard::Limits::default(),
        })))
    }

    /// A refusal in the client's words. Where so many distinct secrets were tried that people's own passwords are not
    /// hashed any more, nobody can be told "wrong" in truth, so every unproved secret hears "later", whatever the name.
    fn rejected(&self, credentials: &Credentials, rejection: &Rejection, untagged: bool) -> (Refusal, bool) {
        let plane = self.plane;
        let (ip, name) = (self.peer.ip(), &credentials.username);
        let counted = rejection.counts.then(|| {
            plane
                .throttle
                .count(plane.clock.now(), ip, name, credentials.password.expose())
        });
        tracing::info!(
            session.id = self.id,
            session.protocol = self.protocol.name(),
            client.addr = %ip,
            login.reason = rejection.reason.word(),
            login.mechanism = credentials.mechanism,
            login.counted = counted.is_some_and(|counted| counted.distinct),
            login.network_failures = counted.map(|counted| counted.network_count),
            mailbox.id = rejection.mailbox.map(tracing::field::display),
            device.id = rejection.device.map(tracing::field::display),
            login.note = rejection.note.as_deref(),
            "login refused"
        );
        let refusal = match &rejection.hint {
            None if !untagged => Refusal::Temporary {
                text: TOO_MANY_FAILURES,
            },
            hint => Refusal::Permanent { hint: hint.clone() },
        };
        (refusal, rejection.counts)
    }

    fn unjudged(&self, cause: Cause) -> (Refusal, bool) {
        tracing::warn!(session.id = self.id, client.addr = %self.peer.ip(), login.cause = cause.word(), "login not judged");
        (Refusal::Temporary { text: TRY_LATER }, false)
    }

    fn note_use(&self, login: &VerifiedLogin, ip: IpAddr) {
        let usage = Use {
            at: self.plane.clock.utc(),
            ip,
            protocol: self.protocol,
            client: self.client.clone(),
        };
        self.plane.usage.note(login.device().id, usage);
    }

    fn count(&self, outcome: &'static str) {
        let labels = LoginLabels {
            protocol: self.protocol.name(),
            outcome,
        };
        self.plane.metrics.logins.get_or_create(&labels).inc();
    }
}
