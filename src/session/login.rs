//! From credentials to an admitted login: throttle, verify, log in upstream, register, re-check, and only then OK.

use std::sync::Arc;
use std::time::Instant;

use crate::metrics::LoginOutcome;
use crate::model::device::{SenderPattern, SenderRule, Use};
use crate::model::{Address, DeviceId};
use crate::peer::{Peer, Protocol};
use crate::preauth::{Credentials, Refusal};
use crate::revoke::{LiveSession, NotAdmitted, SessionInfo, admit, admit_sender};
use crate::secret::SecretBytes;
use crate::smtp::guard::{self, Guard, SenderPolicy};
use crate::store;
use crate::throttle::Source;
use crate::tries::{Attempted, What};
use crate::upstream::Connected;
use crate::verify::{Cause, Reason, Rejection, Verdict, VerifiedLogin};

use super::{Config, Plane};

const TRY_LATER: &str = "Temporary failure, please try again later";
const TOO_MANY_FAILURES: &str = "Too many failed logins, please try again later";
const TOO_MANY: &str = "Too many connections of this device or mailbox";
const RESTARTING: &str = "Server is restarting, please try again";

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
        /// A wrong secret and the name it was for, to be counted on this connection.
        wrong: Option<(String, SecretBytes)>,
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
    /// The device that a connection of our own tries: its login is no use of it.
    pub(super) trial: Option<DeviceId>,
}

impl Attempt<'_> {
    /// Judges credentials and, where they are right, logs in upstream.
    pub(super) async fn judge(&self, credentials: Credentials) -> Outcome {
        let plane = self.plane;
        let started = plane.clock.now();
        let claim = plane.verifier.claim(&credentials);
        let source = plane.throttle.source(self.peer.ip(), claim.name());
        let untagged = plane.throttle.may_hash_untagged(started, source);
        let verdict = plane.verifier.verify(&claim, self.protocol, self.peer, untagged).await;
        let (refusal, wrong) = match verdict {
            Verdict::Accept(login) => {
                // The password has done its work, and the mail store may take its time.
                drop(credentials);
                match self.log_in_upstream(login).await {
                    Ok(admitted) => {
                        self.count(LoginOutcome::Accepted);
                        return Outcome::Admitted(Box::new(admitted));
                    }
                    Err(refusal) => (refusal, None),
                }
            }
            Verdict::Reject(rejection) => {
                let refusal = self.rejected((&credentials, source), &rejection, untagged);
                let name = claim.name().to_owned();
                let wrong = rejection.counts.then_some((name, credentials.password));
                (refusal, wrong)
            }
            Verdict::Unavailable(cause) => (self.unjudged(cause), None),
        };
        self.count(match refusal {
            Refusal::Permanent { .. } => LoginOutcome::Refused,
            Refusal::Temporary { .. } => LoginOutcome::Unavailable,
        });
        let release_at = plane.throttle.release_at(started, plane.clock.now(), source);
        Outcome::Refused {
            refusal,
            release_at,
            wrong,
        }
    }

    async fn log_in_upstream(&self, login: Box<VerifiedLogin>) -> Result<Admitted, Refusal> {
        let plane = self.plane;
        let device = login.device();
        let (of_device, of_mailbox) = plane.registry.count(device.id, login.mailbox());
        if of_device >= self.config.max_per_device || of_mailbox >= self.config.max_per_mailbox {
            return Err(self.too_many(&login));
        }
        let client = self.client.as_deref();
        let upstream = plane.upstreams.login(&login, self.protocol, self.peer, client, self.id).await.map_err(|error| {
            self.note_refused(device.id, What::MailStore);
            tracing::warn!(session.id = self.id, mailbox.id = %login.mailbox(), route = error.route().map(|route| &**route), upstream.reason = error.reason(), error = %error, "upstream login failed");
            Refusal::Temporary { text: TRY_LATER }
        })?;
        let info = SessionInfo {
            device: device.id,
            label: device.label.as_str().into(),
            mailbox: login.mailbox(),
            address: login.address().clone(),
            protocol: self.protocol,
            peer: self.peer.ip(),
            since: plane.clock.utc(),
            expires_at: device.expires_at,
            client: self.client.as_deref().map(Into::into),
            route: Arc::clone(&upstream.route),
            is_trial: self.trial == Some(device.id),
        };
        match self.admit(&login, info).await {
            Ok((live, addresses)) => {
                // Logins that were under way together all passed the caps above: only registered sessions count.
                let (of_device, of_mailbox) = plane.registry.count(device.id, login.mailbox());
                if of_device > self.config.max_per_device || of_mailbox > self.config.max_per_mailbox {
                    return Err(self.too_many(&login));
                }
                // After registration, as with epochs: whoever stops after this look finds the session and ends it.
                if plane.stopping.is_cancelled() {
                    return Err(Refusal::Temporary { text: RESTARTING });
                }
                // A test message that we send ourselves is no use of the device.
                if self.trial != Some(device.id) {
                    plane.usage.note(device.id, self.usage());
                    plane.tries.signed_in(device.id, device.scopes, || self.usage());
                }
                let guard = self.guard(&login, &upstream, addresses);
                Ok(Admitted {
                    login,
                    upstream,
                    live,
                    guard,
                })
            }
            Err(NotAdmitted::Ended) => {
                tracing::info!(session.id = self.id, device.id = %device.id, "login refused: something was taken away while it was under way");
                // What is left is for the next login to say: the password was right, and may still be.
                Err(Refusal::Temporary { text: TRY_LATER })
            }
            Err(NotAdmitted::Store(error)) => Err(self.store_failed(&error)),
        }
    }

    fn too_many(&self, login: &VerifiedLogin) -> Refusal {
        self.note_refused(login.device().id, What::TooMany);
        tracing::info!(session.id = self.id, client.addr = %self.peer.ip(), device.id = %login.device().id, mailbox.id = %login.mailbox(), "too many sessions");
        Refusal::Temporary { text: TOO_MANY }
    }

    fn store_failed(&self, error: &store::Error) -> Refusal {
        self.plane.metrics.store_errors.inc();
        tracing::error!(session.id = self.id, error = %error, "login not admitted: the store did not answer");
        Refusal::Temporary { text: TRY_LATER }
    }

    fn checks_senders(&self, login: &VerifiedLogin) -> bool {
        self.protocol == Protocol::Smtp
            && self.config.check_sender
            && !matches!(login.device().senders, SenderRule::Off)
    }

    /// Registers the session and reads again what it was verified by; where its senders are checked, with the addresses
    /// of the mailbox.
    async fn admit(
        &self,
        login: &VerifiedLogin,
        info: SessionInfo,
    ) -> Result<(LiveSession, Option<Vec<Address>>), NotAdmitted> {
        let (registry, store) = (&self.plane.registry, &*self.plane.store);
        if self.checks_senders(login) {
            let (live, addresses) = admit_sender(registry, store, login.epoch(), info).await?;
            Ok((live, Some(addresses)))
        } else {
            Ok((admit(registry, store, login.epoch(), info).await?, None))
        }
    }

    /// The command guard of a submission session, with the senders that this device may use: the mailbox's addresses
    /// and what the device lists, or any.
    fn guard(&self, login: &VerifiedLogin, upstream: &Connected, addresses: Option<Vec<Address>>) -> Option<Guard> {
        let Protocol::Smtp = self.protocol else { return None };
        let config = self.config;
        let senders = if self.checks_senders(login) {
            // Where the addresses were not read, none is allowed.
            let mut allowed = addresses.unwrap_or_default();
            let mut domains = Vec::new();
            if let SenderRule::List(patterns) = &login.device().senders {
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
        } else {
            SenderPolicy::Off
        };
        Some(Guard::new(guard::Config {
            hostname: config.hostname.clone(),
            extensions: upstream.capabilities.clone(),
            senders,
            bare_newline: config.bare_newline,
            limits: guard::Limits::default(),
        }))
    }

    /// A refusal in the client's words. Where so many distinct secrets were tried that people's own passwords are not
    /// hashed any more, nobody can be told "wrong" in truth, so every unproved secret hears "later", whatever the name.
    fn rejected(&self, attempt: (&Credentials, Source), rejection: &Rejection, untagged: bool) -> Refusal {
        let plane = self.plane;
        let (credentials, source) = attempt;
        let (now, secret) = (plane.clock.now(), credentials.password.expose());
        let counted = rejection.counts.then(|| plane.throttle.count(now, source, secret));
        if let Some(credential) = rejection.retired {
            plane.usage.note_knock(credential, self.usage());
        }
        if counted.is_none() && rejection.hint.is_none() {
            plane.throttle.note_typo(now, source, secret);
        }
        self.note_rejected(credentials, rejection);
        tracing::info!(
            session.id = self.id,
            session.protocol = self.protocol.name(),
            client.addr = %self.peer.ip(),
            login.reason = rejection.reason.word(),
            login.mechanism = credentials.mechanism,
            login.counted = counted.is_some_and(|counted| counted.distinct),
            login.network_failures = counted.map(|counted| counted.network_count),
            mailbox.id = rejection.mailbox.map(tracing::field::display),
            device.id = rejection.device.map(tracing::field::display),
            login.note = rejection.note.as_deref(),
            "login refused"
        );
        match &rejection.hint {
            None if !untagged => Refusal::Temporary {
                text: TOO_MANY_FAILURES,
            },
            hint => Refusal::Permanent { hint: hint.clone() },
        }
    }

    /// For those who wait for the device's first sign-in: why this was none.
    fn note_rejected(&self, credentials: &Credentials, rejection: &Rejection) {
        let what = match rejection.reason {
            Reason::DeviceExpired => What::Expired,
            Reason::DevicePaused => What::Paused,
            Reason::MailboxSuspended => What::Suspended,
            Reason::NetworkNotAllowed => What::WrongNetwork,
            Reason::OldPassword => What::OldPassword,
            Reason::ScopeNotAllowed => What::WrongScope,
            Reason::DeviceRevoked => return,
            Reason::AliasLogin
            | Reason::AuthzidMismatch
            | Reason::BadName
            | Reason::NoDevice
            | Reason::Typo
            | Reason::UnknownMailbox
            | Reason::WrongPassword => What::WrongPassword,
        };
        if let Some(device) = rejection.device {
            return self.note_refused(device, what);
        }
        if self.trial.is_some() {
            return;
        }
        let given = match (rejection.reason, &credentials.authzid) {
            (Reason::AuthzidMismatch, Some(authzid)) => authzid,
            _ => &credentials.username,
        };
        let tries = &self.plane.tries;
        tries.unproved(self.attempted(), given, &credentials.password, rejection.mailbox);
    }

    /// The password was the device's own, and it was not let in.
    fn note_refused(&self, device: DeviceId, what: What) {
        if self.trial != Some(device) {
            self.plane.tries.refused(device, self.attempted(), what);
        }
    }

    fn attempted(&self) -> Attempted {
        Attempted {
            at: self.plane.clock.utc(),
            from: self.peer.ip(),
            protocol: self.protocol,
        }
    }

    fn unjudged(&self, cause: Cause) -> Refusal {
        tracing::warn!(session.id = self.id, client.addr = %self.peer.ip(), login.cause = cause.word(), "login not judged");
        Refusal::Temporary { text: TRY_LATER }
    }

    /// This attempt, as people recognise it.
    fn usage(&self) -> Use {
        Use {
            at: self.plane.clock.utc(),
            ip: self.peer.ip(),
            protocol: self.protocol,
            client: self.client.clone(),
        }
    }

    fn count(&self, outcome: LoginOutcome) {
        self.plane.metrics.logins(self.protocol, outcome).inc();
    }
}
