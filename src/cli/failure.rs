//! What a command failed with: a sentence for people, a code for scripts.

use std::fmt::Display;
use std::process::ExitCode;

use super::control;
use crate::{config, directory, keys, store};

/// Exit codes other than 0. clap itself ends wrong usage with 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// Failed, or refused by a rule.
    Failed = 1,
    /// A needed confirmation or option is missing.
    Usage = 2,
    /// There is no such thing.
    NotFound = 3,
    /// It exists already, or something else has its name.
    Conflict = 4,
    /// The database, the daemon or the DNS cannot be used now.
    Unavailable = 5,
    /// Written, but the daemon did not confirm it.
    Unconfirmed = 6,
    /// The configuration has errors.
    Config = 7,
    /// The audit log does not fit together.
    AuditBroken = 8,
}

impl Exit {
    /// The word in JSON.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Unavailable => "unavailable",
            Self::Unconfirmed => "unconfirmed",
            Self::Config => "config",
            Self::AuditBroken => "audit_broken",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not succeed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
        }
    }

    pub(super) fn failed(message: impl Display) -> Self {
        Self::new(Exit::Failed, message)
    }

    pub(super) fn usage(message: impl Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(super) fn not_found(message: impl Display) -> Self {
        Self::new(Exit::NotFound, message)
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        let exit = match &error {
            store::Error::Conflict(_) | store::Error::Stale { .. } => Exit::Conflict,
            store::Error::NotFound(_) => Exit::NotFound,
            store::Error::Refused(_) => Exit::Failed,
            store::Error::NewerSchema { .. }
            | store::Error::AlteredMigration { .. }
            | store::Error::Unavailable { .. } => Exit::Unavailable,
        };
        Self::new(exit, error)
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        Self::new(Exit::Config, error)
    }
}

impl From<keys::Error> for Failure {
    fn from(error: keys::Error) -> Self {
        Self::new(Exit::Unavailable, error)
    }
}

impl From<control::Error> for Failure {
    fn from(error: control::Error) -> Self {
        let exit = match &error {
            control::Error::NotFound(_) => Exit::NotFound,
            control::Error::Refused { .. } => Exit::Failed,
            _ => Exit::Unavailable,
        };
        Self::new(exit, error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::failed(error)
    }
}

impl From<directory::Error> for Failure {
    fn from(error: directory::Error) -> Self {
        let exit = match error {
            directory::Error::Store(error) => return error.into(),
            directory::Error::Keys(error) => return error.into(),
            directory::Error::UnknownAlias { .. }
            | directory::Error::UnknownDevice { .. }
            | directory::Error::UnknownDomain { .. }
            | directory::Error::UnknownMailbox { .. }
            | directory::Error::UnknownOrg { .. }
            | directory::Error::UnknownUser { .. }
            | directory::Error::Unknown { .. }
            | directory::Error::DeadLink => Exit::NotFound,
            directory::Error::AmbiguousDevice { .. }
            | directory::Error::IsMailbox { .. }
            | directory::Error::NoTag { .. }
            | directory::Error::TooSoon { .. } => Exit::Conflict,
            directory::Error::BadAddress { .. }
            | directory::Error::BadDevice { .. }
            | directory::Error::BadDomain { .. }
            | directory::Error::BadName(_)
            | directory::Error::BadPassword(_)
            | directory::Error::Ends { .. }
            | directory::Error::Import(_)
            | directory::Error::IsAlias { .. }
            | directory::Error::NoMail
            | directory::Error::Totp(_)
            // The rest is said to people at the desk and never at the command line.
            | directory::Error::Busy(_)
            | directory::Error::DeadInvitation(_)
            | directory::Error::DomainByOperator
            | directory::Error::ForeignSender { .. }
            | directory::Error::Forbidden(_)
            | directory::Error::OnlyInPerson
            | directory::Error::ReadOnly
            | directory::Error::SignedOut
            | directory::Error::StepUp
            | directory::Error::TooManyTries { .. }
            | directory::Error::WrongCode
            | directory::Error::WrongPassword
            | directory::Error::WrongSignIn => Exit::Failed,
        };
        Self::new(exit, error)
    }
}
