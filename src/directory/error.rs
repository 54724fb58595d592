//! Why an operation was not done. Each error says what to do, and names what was probably meant; each has a stable key
//! by which console, API and command line find their own words.

use std::time::Duration;

use super::desk::{DeadInvitation, Forbidden};
use super::import::RowError;
use crate::identity::{BadPassword, BadTotp, Busy};
use crate::model::address::BadAddress;
use crate::model::name::BadName;
use crate::model::{Address, DomainName};
use crate::{keys, store};

/// Why an operation was not done; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Several revoked devices share this name.
    #[error("{given:?} names {count} revoked devices; name one by its id")]
    AmbiguousDevice {
        /// What was given.
        given: String,
        /// How many.
        count: usize,
    },
    /// Not an address.
    #[error("{given:?} is not a mail address: {why}")]
    BadAddress {
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: BadAddress,
    },
    /// Neither an id nor `address/label`.
    #[error("{given:?} is not a device: write its id (dev-...) or address/label, such as anna@example.org/iPhone")]
    BadDevice {
        /// What was given.
        given: String,
    },
    /// Not a mail domain.
    #[error("{given:?} is not a mail domain such as example.org: {why}")]
    BadDomain {
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: BadAddress,
    },
    /// Not a name that can be shown.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// Not a password that may be set.
    #[error(transparent)]
    BadPassword(#[from] BadPassword),
    /// The hash lanes of the Manager are full.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The link of a reset or of the set-up does not work (any more).
    #[error("this link was used, ran out, or was replaced by a newer one; ask for a new one")]
    DeadLink,
    /// The invitation cannot be accepted.
    #[error(transparent)]
    DeadInvitation(#[from] DeadInvitation),
    /// The end of something lies in the past, or too far away.
    #[error("{what} must end between now and {latest}")]
    Ends {
        /// What ends.
        what: &'static str,
        /// The latest end, in words.
        latest: &'static str,
    },
    /// Whoever asks may not do this.
    #[error(transparent)]
    Forbidden(#[from] Box<Forbidden>),
    /// Rows of an import are refused; none was written.
    #[error("{} row(s) of the import are refused and nothing was written; the first is {}", .0.len(), first(.0))]
    Import(Vec<RowError>),
    /// An alias stands where a mailbox is needed.
    #[error("{alias} is an alias of {target}; devices belong to the mailbox: use {target}")]
    IsAlias {
        /// The alias.
        alias: Address,
        /// Its mailbox.
        target: Address,
    },
    /// A mailbox stands where an alias is needed.
    #[error("{address} is a mailbox, not an alias")]
    IsMailbox {
        /// The mailbox.
        address: Address,
    },
    /// The server keys cannot do it.
    #[error(transparent)]
    Keys(#[from] keys::Error),
    /// This installation sends no mail.
    #[error("this installation sends no mail; ask its operator for a link, or for `[mail]` in its configuration")]
    NoMail,
    /// No unused tag was found for a new password.
    #[error("no password with a tag of its own was found for {address}; revoke devices that are no longer used")]
    NoTag {
        /// The mailbox.
        address: Address,
    },
    /// A token speaks where only a person may.
    #[error("an API token cannot do this; sign in to the Manager")]
    OnlyInPerson,
    /// A token that may only read was asked to change something.
    #[error("this API token may only read; make one that may write")]
    ReadOnly,
    /// No session, or one that has ended.
    #[error("sign in first")]
    SignedOut,
    /// The last proof is too old for this.
    #[error("give your password or a code again first")]
    StepUp,
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The same thing was done a moment ago.
    #[error("this was done a moment ago; it can be done again in {}", in_words(*.wait))]
    TooSoon {
        /// How long to wait.
        wait: Duration,
    },
    /// Too many tries at a sign-in.
    #[error(
        "too many tries; the next one can be made in {}. A browser in which you signed in before has tries of its own, and a new password can be asked for by mail",
        in_words(*.wait)
    )]
    TooManyTries {
        /// How long to wait.
        wait: Duration,
    },
    /// The secret of one-time codes cannot be used.
    #[error(transparent)]
    Totp(#[from] BadTotp),
    /// There is no such thing, or it is another organisation's, or nothing that this person may see: one answer for all.
    #[error("there is no such {what}")]
    Unknown {
        /// What was asked for.
        what: &'static str,
    },
    /// No such alias.
    #[error("there is no alias {address}")]
    UnknownAlias {
        /// What was looked for.
        address: Address,
    },
    /// No such device.
    #[error("there is no device {given:?}{}", meant(.near))]
    UnknownDevice {
        /// What was given.
        given: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// There are other organisations, so whose a mail domain is only the operator can tell.
    #[error(
        "this server serves several organisations, so its operator adds mail domains: postern domain add DOMAIN --org ORGANISATION"
    )]
    DomainByOperator,
    /// A sender that may be another organisation's.
    #[error(
        "{sender} is not an address of this organisation's mail domains; the operator of this server can allow it: postern device edit"
    )]
    ForeignSender {
        /// As it was given.
        sender: String,
    },
    /// No such mail domain.
    #[error("the mail domain {domain} is not known here; add it to an organisation first{}", meant(.near))]
    UnknownDomain {
        /// What was looked for.
        domain: DomainName,
        /// What may have been meant.
        near: Option<String>,
    },
    /// No such mailbox, in a known domain.
    #[error("there is no mailbox {address}{}", meant(.near))]
    UnknownMailbox {
        /// What was looked for.
        address: Address,
        /// What may have been meant.
        near: Option<String>,
    },
    /// No such organisation.
    #[error("there is no organisation {given:?}{}", meant(.near))]
    UnknownOrg {
        /// What was given.
        given: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// No such user.
    #[error("there is no user {given:?}{}", meant(.near))]
    UnknownUser {
        /// What was given.
        given: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// A one-time code or recovery code is wrong, or was used.
    #[error("this code is wrong or was used already; wait for the next one, or take a recovery code")]
    WrongCode,
    /// The password of a step-up is wrong.
    #[error("this is not your password")]
    WrongPassword,
    /// A sign-in is wrong; which part of it is not told.
    #[error("address or password is wrong")]
    WrongSignIn,
}

impl Error {
    /// The stable key: what console and API have texts for, and programs can rely on.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::AmbiguousDevice { .. } => "device.ambiguous",
            Self::BadAddress { .. } => "address.bad",
            Self::BadDevice { .. } => "device.bad",
            Self::BadDomain { .. } => "domain.bad",
            Self::BadName(_) => "name.bad",
            Self::BadPassword(bad) => bad.key(),
            Self::Busy(_) => "signin.busy",
            Self::DeadInvitation(dead) => dead.key(),
            Self::DeadLink => "ui.link_dead",
            Self::DomainByOperator => "domain.operator",
            Self::Ends { .. } => "ends.bad",
            Self::ForeignSender { .. } => "sender.foreign",
            Self::Forbidden(_) => "ui.forbidden",
            Self::Import(_) => "import.refused",
            Self::IsAlias { .. } => "ui.alias",
            Self::IsMailbox { .. } => "alias.is_mailbox",
            Self::Keys(_) | Self::Totp(BadTotp::Keys(_)) => "server.keys",
            Self::NoMail => "mail.none",
            Self::NoTag { .. } => "device.no_tag",
            Self::OnlyInPerson => "token.only_in_person",
            Self::ReadOnly => "token.read_only",
            Self::SignedOut => "signin.needed",
            Self::StepUp => "signin.step_up",
            Self::Store(store::Error::Conflict(_)) => "conflict",
            Self::Store(store::Error::NotFound(_))
            | Self::Unknown { .. }
            | Self::UnknownAlias { .. }
            | Self::UnknownDevice { .. }
            | Self::UnknownDomain { .. }
            | Self::UnknownMailbox { .. }
            | Self::UnknownOrg { .. }
            | Self::UnknownUser { .. } => "not_found",
            Self::Store(store::Error::Refused(_)) => "refused",
            Self::Store(store::Error::Stale { .. }) => "ui.conflict",
            Self::Store(_) => "server.store",
            Self::TooManyTries { .. } => "signin.wait",
            Self::TooSoon { .. } => "too_soon",
            Self::Totp(_) => "code.damaged",
            Self::WrongCode => "signin.wrong_code",
            Self::WrongPassword => "signin.wrong_password",
            Self::WrongSignIn => "signin.wrong",
        }
    }
}

/// `3 minutes`: rounded up, so that whoever waits as long has waited enough.
fn in_words(span: Duration) -> String {
    let seconds = span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0));
    let (count, unit) = match seconds {
        0..60 => (seconds.max(1), "second"),
        60..3600 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3600), "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

fn meant(near: &Option<String>) -> String {
    near.as_ref()
        .map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

fn first(rows: &[RowError]) -> String {
    rows.first().map_or_else(String::new, ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_never_told_shorter_than_it_is() {
        for (milliseconds, words) in [
            (0, "1 second"),
            (900, "1 second"),
            (1_001, "2 seconds"),
            (59_001, "1 minute"),
            (61_000, "2 minutes"),
            (3_600_000, "1 hour"),
            (3_600_001, "2 hours"),
        ] {
            assert_eq!(in_words(Duration::from_millis(milliseconds)), words, "{milliseconds}");
        }
    }
}
