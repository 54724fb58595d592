//! Tries a route for real, for `postern doctor`.
//!
//! A mail store behind Postern must let nobody in without our proof: a login with a wrong password of ours has to be
//! refused, or everybody who reaches the mail store can read every mailbox. Then the right one is tried, if there is a
//! mailbox to try it with. Each connection is closed in order; nothing is read or written in any mailbox.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::time::timeout;

use super::dialogue::Dialogue;
use super::error::Error;
use super::plan::{Account, Plan, Visitor};
use super::route::{Route, Service, Strategy};
use super::service::{LiveService, Surroundings};
use crate::clock::Clock;
use crate::keys::Keyring;
use crate::metrics::Metrics;
use crate::model::{Address, MailboxId};
use crate::peer::{Peer, Protocol};
use crate::secret::Secret;

/// What the mail store logs as the client's name.
const CLIENT_NAME: &str = "postern-doctor";
/// No mail store has this as a password; it is short enough for all of them.
const WRONG_PASSWORD: &[u8] = b"postern-doctor-wrong-password";

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What, with its protocol first: `imap greeting`, `smtp login`.
    pub check: String,
    /// Whether it is as it must be.
    pub ok: bool,
    /// What was found and, where it is not as it must be, what to do.
    pub detail: String,
}

/// The mailbox whose login is tried.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The name that goes upstream.
    pub address: &'a Address,
    /// Its id, to which its sealed secret is bound.
    pub mailbox: MailboxId,
    /// Its sealed upstream secret, where it has one.
    pub sealed: Option<&'a [u8]>,
}

/// Tries both protocols of a route; without a subject nothing is logged in to.
pub async fn route(route: &Route, hostname: &str, subject: Option<&Subject<'_>>, keys: &Keyring) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (protocol, service) in [(Protocol::Imap, &route.imap), (Protocol::Smtp, &route.smtp)] {
        if let Some(service) = service {
            let surroundings = Surroundings {
                hostname: hostname.into(),
                clock: Clock::system(),
                metrics: Arc::new(Metrics::new()),
            };
            let trial = Trial {
                name: &route.name,
                protocol,
                service,
                surroundings,
            };
            trial.run(subject, keys, &mut findings).await;
        }
    }
    findings
}

/// One protocol under trial.
struct Trial<'a> {
    name: &'a Arc<str>,
    protocol: Protocol,
    service: &'a Service,
    surroundings: Surroundings,
}

impl Trial<'_> {
    async fn run(&self, subject: Option<&Subject<'_>>, keys: &Keyring, findings: &mut Vec<Finding>) {
        let greeted = self.greeting().await;
        let reached = greeted.ok;
        findings.push(greeted);
        let Some(subject) = subject.filter(|_| reached) else {
            return;
        };
        if let Some(refused) = self.wrong_password(subject, keys).await {
            findings.push(refused);
        }
        findings.push(match self.log_in(self.service.clone(), subject, keys).await {
            Ok(capabilities) => self.finding(
                "login",
                true,
                format!("{} is open; {}", subject.address, capabilities.join(" ")),
            ),
            Err(error) => self.finding("login", false, error.to_string()),
        });
    }

    /// Connects, with TLS where it is configured, and says goodbye.
    async fn greeting(&self) -> Finding {
        let connected = match self.live(self.service.clone()) {
            Ok(live) => live.connect().await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match connected {
            Ok(dialogue) => {
                let offered = dialogue.keywords().unwrap_or_default().join(", ");
                let offered = if offered.is_empty() {
                    String::new()
                } else {
                    format!("; offers {offered}")
                };
                leave(dialogue, self.service).await;
                self.finding("greeting", true, format!("{} answers{offered}", self.service.endpoint))
            }
            Err(error) => self.finding("greeting", false, error),
        }
    }

    /// A wrong password in our place; `None` for strategies that trust our address instead of a password.
    async fn wrong_password(&self, subject: &Subject<'_>, keys: &Keyring) -> Option<Finding> {
        let password = Arc::new(Secret::new(WRONG_PASSWORD.to_vec()));
        let (strategy, user) = match &self.service.strategy {
            Strategy::Authzid { user, .. } => (
                Strategy::Authzid {
                    user: user.clone(),
                    password,
                },
                user.as_str(),
            ),
            Strategy::MasterUser { user, separator, .. } => (
                Strategy::MasterUser {
                    user: user.clone(),
                    password,
                    separator: *separator,
                },
                user.as_str(),
            ),
            Strategy::Plain { user, .. } => (
                Strategy::Plain {
                    user: user.clone(),
                    password,
                },
                user.as_str(),
            ),
            // The mailbox itself with a wrong password: its own name takes the place of ours.
            Strategy::Stored => {
                let user = subject.address.as_str();
                (
                    Strategy::Authzid {
                        user: user.to_owned(),
                        password,
                    },
                    user,
                )
            }
            Strategy::TrustedNetwork | Strategy::Xclient => return None,
        };
        let service = Service {
            strategy,
            ..self.service.clone()
        };
        Some(match self.log_in(service, subject, keys).await {
            Err(Error::Refused { .. }) => self.finding("wrong password", true, format!("refused for {user}, as it must be")),
            Ok(_) => self.finding(
                "wrong password",
                false,
                format!("ACCEPTED for {user}: everybody who reaches the mail store can open every mailbox; correct its authentication"),
            ),
            Err(error) => self.finding("wrong password", false, format!("not clearly refused: {error}")),
        })
    }

    async fn log_in(&self, service: Service, subject: &Subject<'_>, keys: &Keyring) -> Result<Vec<String>, Error> {
        let limit = service.login_timeout;
        let live = self.live(service).map_err(|error| Error::Protocol {
            route: Arc::clone(self.name),
            problem: error.to_string(),
        })?;
        let account = Account {
            mailbox: subject.mailbox,
            address: subject.address,
            sealed: subject.sealed,
        };
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let peer = Peer::new(nowhere, nowhere);
        let visitor = Visitor {
            peer: &peer,
            client: Some(CLIENT_NAME),
            session_id: 0,
        };
        let plan = Plan::new(&live, account, keys, visitor)?;
        let dialogue = live.connect().await?;
        let late = |_| Error::Timeout {
            route: Arc::clone(self.name),
            phase: "logging in",
        };
        timeout(limit, dialogue.log_in(&plan))
            .await
            .map_err(late)?
            .map(|connected| connected.capabilities)
    }

    fn live(&self, service: Service) -> Result<LiveService, crate::tls::Error> {
        LiveService::new(Arc::clone(self.name), self.protocol, service, self.surroundings.clone())
    }

    fn finding(&self, check: &str, ok: bool, detail: String) -> Finding {
        Finding {
            check: format!("{} {check}", self.protocol.name()),
            ok,
            detail,
        }
    }
}

/// Goodbyes are polite, not needed.
async fn leave(dialogue: Dialogue, service: &Service) {
    let _ = timeout(service.connect_timeout, dialogue.leave()).await;
}
