//! Why a login at the mail store did not work. For the client every case is temporary: a mail program that
//! is told "wrong password" throws a good password away.

use std::io;
use std::sync::Arc;

use crate::model::DomainName;

use super::route::Endpoint;

/// Why a login at the mail store did not work. Never contains a password; the mail store's own words are cut to one
/// printable line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The mailbox's name has a character that the mail store would interpret; nothing was sent.
    #[error(
        "route `{route}`: the mailbox's name has a character that this route's mail store interprets: rename it or choose another login strategy"
    )]
    BadName {
        /// The route.
        route: Arc<str>,
    },
    /// The mail store ended the connection before it answered the login.
    #[error("route `{route}`: the mail store closed the connection before it answered")]
    Closed {
        /// The route.
        route: Arc<str>,
    },
    /// No connection to the mail store.
    #[error("route `{route}`: cannot connect to {endpoint}: {source}")]
    Connect {
        /// The route.
        route: Arc<str>,
        /// Where to.
        endpoint: Endpoint,
        /// What the system said.
        source: io::Error,
    },
    /// No route serves this mail domain with this protocol.
    #[error("no route serves {protocol} for {domain}: add the domain to a route, or a route without domains")]
    NoRoute {
        /// The mail domain.
        domain: DomainName,
        /// `imap` or `smtp`.
        protocol: &'static str,
    },
    /// The route logs in with stored passwords and this mailbox has none that can be opened.
    #[error(
        "route `{route}`: the mailbox has no stored upstream password, or another server key sealed it: store it again"
    )]
    NoSecret {
        /// The route.
        route: Arc<str>,
    },
    /// The mail store said something that it must not say at this point.
    #[error("route `{route}`: the mail store broke the protocol: {problem}")]
    Protocol {
        /// The route.
        route: Arc<str>,
        /// Which rule.
        problem: String,
    },
    /// The mail store refused our credentials, or does not know the mailbox.
    #[error("route `{route}`: {answer}; check the route's credentials and that the mailbox exists there")]
    Refused {
        /// The route.
        route: Arc<str>,
        /// Its answer.
        answer: String,
    },
    /// The mail store said that it cannot serve now.
    #[error("route `{route}`: {answer}")]
    Temporary {
        /// The route.
        route: Arc<str>,
        /// Its answer.
        answer: String,
    },
    /// Connecting or logging in took longer than the route allows.
    #[error("route `{route}`: no answer within the limit for {phase}")]
    Timeout {
        /// The route.
        route: Arc<str>,
        /// Which limit: `connecting` or `logging in`.
        phase: &'static str,
    },
    /// The handshake failed: usually a certificate that does not fit.
    #[error("route `{route}`: TLS with {endpoint} failed: {source}")]
    Tls {
        /// The route.
        route: Arc<str>,
        /// Where to.
        endpoint: Endpoint,
        /// What is wrong.
        source: io::Error,
    },
    /// The route's strategy does not exist in this protocol.
    #[error("route `{route}`: its login strategy does not exist in {protocol}: choose another one")]
    Unsupported {
        /// The route.
        route: Arc<str>,
        /// `imap` or `smtp`.
        protocol: &'static str,
    },
}

impl Error {
    /// The fixed word for the metric `upstream_failures`.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::BadName { .. } => "bad_name",
            Self::Closed { .. } => "closed",
            Self::Connect { .. } => "connect",
            Self::NoRoute { .. } => "no_route",
            Self::NoSecret { .. } => "no_secret",
            Self::Protocol { .. } => "protocol",
            Self::Refused { .. } => "refused",
            Self::Temporary { .. } => "temporary",
            Self::Timeout { .. } => "timeout",
            Self::Tls { .. } => "tls",
            Self::Unsupported { .. } => "unsupported",
        }
    }

    /// The route, for the log; `None` where there was none.
    pub const fn route(&self) -> Option<&Arc<str>> {
        match self {
            Self::NoRoute { .. } => None,
            Self::BadName { route }
            | Self::Closed { route }
            | Self::Connect { route, .. }
            | Self::NoSecret { route }
            | Self::Protocol { route, .. }
            | Self::Refused { route, .. }
            | Self::Temporary { route, .. }
            | Self::Timeout { route, .. }
            | Self::Tls { route, .. }
            | Self::Unsupported { route, .. } => Some(route),
        }
    }
}
