//! Logins at a mail store: the right one, and those that it must refuse.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::keys::{Keyring, random_bytes};
use crate::peer::Protocol;
use crate::secret::{Secret, SecretBytes};
use crate::upstream::error::Error;
use crate::upstream::plan::{Account, Plan, Visitor};
use crate::upstream::route::Strategy;
use crate::upstream::service::LiveService;

use super::inspect::{Reached, filtered};
use super::{Report, Subject, said};

/// Random octets of a wrong password, twice as many hexadecimal digits.
const WRONG_PASSWORD_BYTES: usize = 12;
/// How long the end of a session may take.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);
/// The mail store's log shows it as the session's id.
const SESSION_ID: u64 = 0;
/// The mail store may refuse every login here, for another reason than the password.
const REFUSED_ANYWAY: &str = "no proof: refused, but the right login does not work either; repair that first";

/// One mailbox's logins with one protocol.
pub(super) struct Trial<'a> {
    service: LiveService,
    subject: &'a Subject<'a>,
    keys: &'a Keyring,
    reached: Reached,
}

/// What a mail store made of a login.
enum Answer {
    Accepted(Vec<String>),
    Refused(Error),
    /// It was not asked, or did not say.
    None(Error),
}

/// Whether the login that clients depend on works.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    Works,
    Fails,
}

impl<'a> Trial<'a> {
    pub(super) const fn new(
        service: LiveService,
        subject: &'a Subject<'a>,
        keys: &'a Keyring,
        reached: Reached,
    ) -> Self {
        Self {
            service,
            subject,
            keys,
            reached,
        }
    }

    /// The login as clients get it; `limit` is what they are given.
    pub(super) async fn right(&self, limit: Duration, clock: &Clock, report: &mut Report) -> Right {
        let started = clock.now();
        let answer = self.ask(self.plan()).await;
        let took = clock.now().saturating_duration_since(started);
        let capabilities = match answer {
            Answer::Accepted(capabilities) => capabilities,
            Answer::Refused(error) | Answer::None(error) => {
                report.wrong("login", said(&error));
                return Right::Fails;
            }
        };
        match self.service.config.strategy {
            _ if took > limit => report.warn(
                "login",
                format_args!(
                    "accepted, but only after {} s, which is longer than a client's login may take: the mail store is \
                     slow, or lets our address wait because of wrong passwords such as this check tries; try again in \
                     a few minutes",
                    took.as_secs()
                ),
            ),
            Strategy::Plain { .. } => report.right("login", "accepted, with the route's own credentials"),
            Strategy::TrustedNetwork => report.right("login", "none is needed from our address"),
            _ => report.right("login", format_args!("accepted, as {}", self.subject.address)),
        }
        // It may offer more after login than before; EHLO lines hold no such capability.
        if !self.reached.is_filtered {
            filtered(&capabilities, report);
        }
        Right::Works
    }

    /// The logins that have to be refused, all at the same time.
    pub(super) async fn wrong(&self, right: Right, report: &mut Report) {
        let (own, random, empty) = tokio::join!(
            self.wrong_password(),
            self.stranger(random_password()),
            self.stranger(Secret::new(Vec::new()))
        );
        if self.trusts_address() {
            report.right(
                "trust",
                "it takes our address as proof: nobody else may send from it. Whether it refuses mail from strangers \
                 cannot be tried from here; try that from a machine that it does not trust",
            );
        }
        let is_proof = right == Right::Works || self.trusts_address();
        if let Some(answer) = own {
            self.judge("wrong password", answer, is_proof, report);
        }
        match (random, empty) {
            (Some(random), Some(empty)) => {
                self.judge("login with a random password", random, is_proof, report);
                self.judge("login with an empty password", empty, is_proof, report);
            }
            _ => report.right(
                "login with a random password",
                "impossible: it offers us no login with a password",
            ),
        }
    }

    /// Our own name with a password that is not ours; `None` where we say none.
    async fn wrong_password(&self) -> Option<Answer> {
        match self.service.config.strategy {
            Strategy::Authzid { .. } | Strategy::MasterUser { .. } | Strategy::Plain { .. } => {
                let plan = self.plan().map(|plan| plan.with_password(random_password()));
                Some(self.ask(plan).await)
            }
            // The wrong password of a mailbox is what a stranger says.
            Strategy::Stored | Strategy::TrustedNetwork | Strategy::Xclient => None,
        }
    }

    /// The mailbox's name without our proof. An empty password is worth a try, as some directories take it for a
    /// question that needs none (RFC 4513 §5.1.2). `None` where no password can be said.
    async fn stranger(&self, password: SecretBytes) -> Option<Answer> {
        if !self.reached.takes_passwords {
            return None;
        }
        let plan = Plan::of_stranger(&self.service, self.account(), password, self.visitor());
        Some(self.ask(plan).await)
    }

    /// A login that has to be refused; `is_proof` says whether a refusal is for its password.
    fn judge(&self, check: &str, answer: Answer, is_proof: bool, report: &mut Report) {
        match answer {
            Answer::Accepted(_) => report.wrong(check, self.open_to_all()),
            Answer::Refused(_) if is_proof => report.right(check, "refused, as it must be"),
            Answer::Refused(_) => report.wrong(check, REFUSED_ANYWAY),
            Answer::None(error) => report.wrong(
                check,
                format_args!("no proof, as it was not judged: {}; try again", said(&error)),
            ),
        }
    }

    const fn trusts_address(&self) -> bool {
        matches!(
            self.service.config.strategy,
            Strategy::TrustedNetwork | Strategy::Xclient
        )
    }

    /// The worst that can be found.
    const fn open_to_all(&self) -> &'static str {
        match self.service.protocol {
            Protocol::Imap => "the store accepts any password: anybody who reaches it reads all mail",
            Protocol::Smtp => "the store accepts any password: anybody who reaches it sends mail as any mailbox",
        }
    }

    async fn ask(&self, plan: Result<Plan<'_>, Error>) -> Answer {
        let plan = match plan {
            Ok(plan) => plan,
            Err(error) => return Answer::None(error),
        };
        let dialogue = match self.service.open().await {
            Ok(dialogue) => dialogue,
            // Whatever it says to a connection, it does not say to a password.
            Err(error) => return Answer::None(error),
        };
        match self.service.log_in(dialogue, &plan).await {
            Ok(mut connected) => {
                // The session is not needed, and its end needs no answer.
                let _ = timeout(LEAVE_TIMEOUT, connected.stream.shutdown()).await;
                Answer::Accepted(connected.capabilities)
            }
            Err(error @ Error::Refused { .. }) => Answer::Refused(error),
            Err(error) => Answer::None(error),
        }
    }

    fn plan(&self) -> Result<Plan<'_>, Error> {
        Plan::new(&self.service, self.account(), self.keys, self.visitor())
    }

    const fn account(&self) -> Account<'_> {
        Account {
            mailbox: self.subject.mailbox,
            address: self.subject.address,
            sealed: self.subject.sealed,
        }
    }

    const fn visitor(&self) -> Visitor<'_> {
        Visitor {
            peer: &self.reached.peer,
            client: None,
            session_id: SESSION_ID,
        }
    }
}

fn random_password() -> SecretBytes {
    let octets = random_bytes::<WRONG_PASSWORD_BYTES>();
    let mut digits = String::with_capacity(2 * WRONG_PASSWORD_BYTES);
    for octet in octets.expose() {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{octet:02x}");
    }
    Secret::new(digits.into_bytes())
}
