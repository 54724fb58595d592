//! The sans-IO clients of both protocols behind one face, for the one loop that drives them.

use std::sync::Arc;

use bytes::BytesMut;

use crate::imap::client as imap;
use crate::peer::Protocol;
use crate::secret::{Secret, SecretBytes};
use crate::smtp::client as smtp;

use super::error::Error;
use super::plan::Plan;
use super::route::Transport;
use super::service::LiveService;

/// One side of a conversation with a mail store.
pub(super) enum Client {
    Imap(imap::Client),
    Smtp(smtp::Client),
}

/// What the clients ask for.
pub(super) enum Step {
    /// The answer to the last words was read.
    Closed,
    /// EHLO lines; empty for IMAP.
    Greeted(Vec<String>),
    /// IMAP capabilities or EHLO lines.
    LoggedIn(Vec<String>),
    NeedInput,
    Send(SecretBytes),
    StartTls,
}

/// Why a client gave up; the texts are for the log.
pub(super) enum Failure {
    Closed,
    Protocol(String),
    Refused(String),
    Temporary(String),
}

impl Client {
    pub(super) fn new(service: &LiveService) -> Self {
        let starttls = service.config.transport == Transport::StartTls;
        match service.protocol {
            Protocol::Imap if starttls => Self::Imap(imap::Client::new(imap::Upgrade::StartTls)),
            Protocol::Imap => Self::Imap(imap::Client::new(imap::Upgrade::Never)),
            Protocol::Smtp => {
                let hostname = service.hostname().to_owned();
                Self::Smtp(smtp::Client::new(smtp::Config { hostname, starttls }))
            }
        }
    }

    pub(super) fn receive(&mut self, input: &mut BytesMut) -> Result<Step, Failure> {
        match self {
            Self::Imap(client) => Ok(client.receive(input)?.into()),
            Self::Smtp(client) => Ok(client.receive(input)?.into()),
        }
    }

    pub(super) fn secured(&mut self) -> Result<Step, Failure> {
        match self {
            Self::Imap(client) => Ok(client.secured().into()),
            Self::Smtp(client) => Ok(client.secured()?.into()),
        }
    }

    /// Begins the login; `offered` is what came with [`Step::Greeted`].
    pub(super) fn log_in(&mut self, plan: &Plan<'_>, offered: &[String]) -> Result<Step, Failure> {
        match self {
            Self::Imap(client) => {
                let id = plan.id();
                let id: Vec<_> = id.iter().map(|(key, value)| (*key, value.as_str())).collect();
                let login = plan
                    .imap(&id)
                    .ok_or_else(|| Failure::Protocol("no such login in IMAP".to_owned()))?;
                Ok(client.login(&login)?.into())
            }
            Self::Smtp(client) => Ok(client.login(plan.smtp(offered).map_err(Failure::Protocol)?)?.into()),
        }
    }

    /// Whether the mail store refused to be told the client's IPv6 address.
    pub(super) const fn hid_ipv6(&self) -> bool {
        match self {
            Self::Imap(_) => false,
            Self::Smtp(client) => client.hid_ipv6(),
        }
    }

    pub(super) fn quit(&mut self) -> Step {
        match self {
            // Nobody reads the answer, so any tag will do.
            Self::Imap(_) => Step::Send(Secret::new(b"P0 LOGOUT\r\n".to_vec())),
            Self::Smtp(client) => client.quit().into(),
        }
    }
}

impl Failure {
    pub(super) fn named(self, route: &Arc<str>) -> Error {
        let route = Arc::clone(route);
        match self {
            Self::Closed => Error::Closed { route },
            Self::Protocol(problem) => Error::Protocol { route, problem },
            Self::Refused(answer) => Error::Refused { route, answer },
            Self::Temporary(answer) => Error::Temporary { route, answer },
        }
    }
}

impl From<imap::Event> for Step {
    fn from(event: imap::Event) -> Self {
        match event {
            // Nothing of it is promised to clients before their own login, so the list is of no interest.
            imap::Event::Greeted => Self::Greeted(Vec::new()),
            imap::Event::LoggedIn { capabilities } => Self::LoggedIn(capabilities),
            imap::Event::NeedInput => Self::NeedInput,
            imap::Event::Send(octets) => Self::Send(octets),
            imap::Event::StartTls => Self::StartTls,
        }
    }
}

impl From<smtp::Step> for Step {
    fn from(step: smtp::Step) -> Self {
        match step {
            smtp::Step::Closed => Self::Closed,
            smtp::Step::Greeted { extensions } => Self::Greeted(extensions),
            smtp::Step::LoggedIn { extensions } => Self::LoggedIn(extensions),
            smtp::Step::NeedInput => Self::NeedInput,
            smtp::Step::Send(octets) => Self::Send(octets),
            smtp::Step::StartTls => Self::StartTls,
        }
    }
}

impl From<imap::Error> for Failure {
    fn from(error: imap::Error) -> Self {
        let text = error.to_string();
        match error {
            imap::Error::Bye => Self::Closed,
            imap::Error::Refused { code: Some(code) } => Self::Refused(format!("{text} ({code})")),
            imap::Error::Refused { code: None } => Self::Refused(text),
            imap::Error::Temporary { code } => Self::Temporary(format!("{text} ({code})")),
            imap::Error::Injected
            | imap::Error::NoMechanism
            | imap::Error::NoStartTls
            | imap::Error::Preauth
            | imap::Error::Protocol(_)
            | imap::Error::Unsendable => Self::Protocol(text),
        }
    }
}

impl From<smtp::Error> for Failure {
    fn from(error: smtp::Error) -> Self {
        let text = error.to_string();
        match error {
            // "Closing transmission channel" (RFC 5321 §4.2.2).
            smtp::Error::Temporary { code: 421, .. } => Self::Closed,
            smtp::Error::Temporary { .. } => Self::Temporary(text),
            smtp::Error::Refused { .. } => Self::Refused(text),
            smtp::Error::Protocol { .. } | smtp::Error::Unsupported { .. } => Self::Protocol(text),
        }
    }
}
