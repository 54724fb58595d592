//! Tries a route for real, for `postern doctor`: reaches the mail store, and asks it to refuse us where it must.
//!
//! Every attempt is a connection of its own and says what a login of a client would say. Only an answer proves anything:
//! a mail store that is down, or refuses for now, has not refused the login. Nothing is sent but logins, so what a mail
//! store does with mail of strangers stays untried.
//!
//! Dovecot lets an address wait after wrong passwords, up to 15 seconds more with each. So all right logins come before
//! the wrong ones, those are said at the same time, and the answer may take longer than a client's login.

mod inspect;
mod trial;

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::clock::Clock;
use crate::keys::Keyring;
use crate::metrics::Metrics;
use crate::model::{Address, MailboxId};
use crate::peer::Protocol;

use super::error::Error;
use super::route::{Route, Service};
use super::service::{LiveService, Surroundings};
use trial::Trial;

/// The least time that an answer to a login is waited for.
const LOGIN_PATIENCE: Duration = Duration::from_secs(30);

/// How a [`Finding`] is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// As it must be.
    Right,
    /// In order, but an operator should know of it.
    Warning,
    /// Not as it must be.
    Wrong,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What, with its protocol first: `imap greeting`, `smtp tls`.
    pub check: String,
    /// How it came out.
    pub grade: Grade,
    /// What was found and, where it is not as it must be, what to do. Never a secret.
    pub detail: String,
}

/// The mailbox whose login is tried.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The name that goes upstream.
    pub address: &'a Address,
    /// Its id, bound to the sealed secret.
    pub mailbox: MailboxId,
    /// Its sealed upstream secret, where it has one.
    pub sealed: Option<&'a [u8]>,
}

/// Tries one route, IMAP first; without a subject nothing is logged in to.
pub async fn route(route: &Route, hostname: &str, subject: Option<&Subject<'_>>, keys: &Keyring) -> Vec<Finding> {
    let surroundings = Surroundings {
        hostname: hostname.into(),
        clock: Clock::system(),
        // Nobody reads them: what is tried here is no login of a client.
        metrics: Arc::new(Metrics::new()),
    };
    let (mut reports, mut trials) = (Vec::new(), Vec::new());
    for (protocol, service) in [(Protocol::Imap, &route.imap), (Protocol::Smtp, &route.smtp)] {
        let Some(service) = service else { continue };
        let mut report = Report::new(protocol);
        let patient = Service {
            login_timeout: service.login_timeout.max(LOGIN_PATIENCE),
            ..service.clone()
        };
        match LiveService::new(Arc::clone(&route.name), protocol, patient, surroundings.clone()) {
            Ok(live) => {
                let reached = inspect::inspect(&live, &surroundings.clock, &mut report).await;
                if let (Some(reached), Some(subject)) = (reached, subject) {
                    let trial = Trial::new(live, subject, keys, reached);
                    let limit = service.login_timeout;
                    let right = trial.right(limit, &surroundings.clock, &mut report).await;
                    trials.push((trial, right, protocol));
                }
            }
            Err(error) => report.wrong("settings", error),
        }
        reports.push(report);
    }
    let wrong = trials.iter().map(|(trial, right, protocol)| async {
        let mut report = Report::new(*protocol);
        trial.wrong(*right, &mut report).await;
        report
    });
    for later in join_all(wrong).await {
        if let Some(report) = reports.iter_mut().find(|report| report.protocol == later.protocol) {
            report.findings.extend(later.findings);
        }
    }
    reports.into_iter().flat_map(|report| report.findings).collect()
}

/// Collects what was found of one protocol.
struct Report {
    protocol: Protocol,
    findings: Vec<Finding>,
}

impl Report {
    const fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            findings: Vec::new(),
        }
    }

    fn right(&mut self, check: &str, detail: impl Display) {
        self.add(check, Grade::Right, &detail);
    }

    fn warn(&mut self, check: &str, detail: impl Display) {
        self.add(check, Grade::Warning, &detail);
    }

    fn wrong(&mut self, check: &str, detail: impl Display) {
        self.add(check, Grade::Wrong, &detail);
    }

    fn add(&mut self, check: &str, grade: Grade, detail: &dyn Display) {
        self.findings.push(Finding {
            check: format!("{} {check}", self.protocol.name()),
            grade,
            detail: detail.to_string(),
        });
    }
}

/// The error without the route's name, which stands in front of every finding already.
fn said(error: &Error) -> String {
    let text = error.to_string();
    let prefix = error.route().map(|route| format!("route `{route}`: "));
    match prefix.and_then(|prefix| text.strip_prefix(&prefix)) {
        Some(rest) => rest.to_owned(),
        None => text,
    }
}
