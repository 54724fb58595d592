//! Judges credentials: the only maker of a [`VerifiedLogin`].
//!
//! A login is judged by the live record, read from the store every time; what is remembered between logins is only that
//! a secret was proved once for a credential (`entry`), never a yes. The order is: read the name, read the record,
//! tell typos, look for an entry, select by tag, and only then hash, on `lanes` of a fixed number; then judge device,
//! mailbox, time, protocol and network. A right generated password costs exactly one Argon2id run however many devices
//! the mailbox has, a wrong one none. Only who proved a secret is told more than "no" (`hint`).
//!
//! The time of an answer is not made equal here: the session releases failures on the throttle's clock.

mod claim;
mod digest;
mod entry;
pub mod hash;
mod hint;
mod imported;
pub(crate) mod lanes;
mod permit;
mod search;
mod tag;
mod verifier;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use claim::Claim;
pub use tag::tag;
pub use verifier::Verifier;

use crate::model::{Address, CredentialId, DeviceId, DomainName, MailboxId};
use crate::peer::NetworkPrefixes;
use crate::store::{Epoch, LoginDevice};

/// Octets of the longest password that is looked at: SHA-crypt's time grows with the password's length.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// Proof that a login is allowed; made only here, demanded by `upstream` and `session`.
#[derive(Debug, Clone)]
pub struct VerifiedLogin {
    mailbox: MailboxId,
    address: Address,
    device: LoginDevice,
    epoch: Epoch,
    upstream_secret: Option<Vec<u8>>,
}

impl VerifiedLogin {
    /// The mailbox that is logged into.
    pub const fn mailbox(&self) -> MailboxId {
        self.mailbox
    }

    /// The name that goes upstream: from our record, never from the client.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The device's record as it was judged.
    pub const fn device(&self) -> &LoginDevice {
        &self.device
    }

    /// The epoch under which it was judged; `revoke::admit` compares it with the present one.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The sealed secret for the `stored` strategy, where the mailbox has one.
    pub fn upstream_secret(&self) -> Option<&[u8]> {
        self.upstream_secret.as_deref()
    }
}

/// The judgement.
#[derive(Debug)]
pub enum Verdict {
    /// The login is allowed at this moment.
    Accept(Box<VerifiedLogin>),
    /// It is not, and trying the same again will not help.
    Reject(Rejection),
    /// It cannot be judged now: the client must be told to try again, never that its password is wrong.
    Unavailable(Cause),
}

/// A permanent refusal; goes to log and audit, only `hint` may go to the client.
#[derive(Debug, Clone)]
pub struct Rejection {
    /// Why.
    pub reason: Reason,
    /// The device whose password was proved or whose old password it is, where there is one.
    pub device: Option<DeviceId>,
    /// The mailbox, where the name resolved to one.
    pub mailbox: Option<MailboxId>,
    /// The password was right once: whose it was. Somebody forgot to change it there.
    pub retired: Option<CredentialId>,
    /// For the client: only set where the secret of a refused device was proved. At most 140 printable ASCII characters.
    pub hint: Option<String>,
    /// Counts for the throttle.
    pub counts: bool,
    /// For the log: what an operator should know about it, such as whose alias it is. Never a secret, never typed text.
    pub note: Option<String>,
}

/// Why a login is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The name is an alias; only its mailbox logs in.
    AliasLogin,
    /// The client wants to act as somebody else than it says it is (RFC 4616 §2).
    AuthzidMismatch,
    /// The name is no address that a mailbox can have.
    BadName,
    /// The device's date has passed.
    DeviceExpired,
    /// The device is switched off for a while.
    DevicePaused,
    /// The device was ended.
    DeviceRevoked,
    /// The mailbox refuses every login.
    MailboxSuspended,
    /// The device may not log in from there.
    NetworkNotAllowed,
    /// The mailbox has no device that could log in.
    NoDevice,
    /// The device has a newer password.
    OldPassword,
    /// The device may not use this protocol.
    ScopeNotAllowed,
    /// A generated password with a wrong letter.
    Typo,
    /// There is no such mailbox.
    UnknownMailbox,
    /// No device of the mailbox has this password.
    WrongPassword,
}

impl Reason {
    /// The fixed word of logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AliasLogin => "alias_login",
            Self::AuthzidMismatch => "authzid_mismatch",
            Self::BadName => "bad_name",
            Self::DeviceExpired => "device_expired",
            Self::DevicePaused => "device_paused",
            Self::DeviceRevoked => "device_revoked",
            Self::MailboxSuspended => "mailbox_suspended",
            Self::NetworkNotAllowed => "network_not_allowed",
            Self::NoDevice => "no_device",
            Self::OldPassword => "old_password",
            Self::ScopeNotAllowed => "scope_not_allowed",
            Self::Typo => "typo",
            Self::UnknownMailbox => "unknown_mailbox",
            Self::WrongPassword => "wrong_password",
        }
    }
}

/// Why a login cannot be judged now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The store did not answer, or it or the key file lacks what is needed.
    Store,
    /// Too many passwords wait to be hashed.
    QueueFull,
    /// The password was not hashed in time.
    Deadline,
}

impl Cause {
    /// The fixed word of logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::QueueFull => "queue_full",
            Self::Deadline => "deadline",
        }
    }
}

/// Settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Hash lanes: OS threads; 0 means one a core.
    pub lanes: usize,
    /// Requests waiting for a lane.
    pub queue: usize,
    /// Of these, requests of one source network.
    pub queue_per_network: usize,
    /// What one network is.
    pub network: NetworkPrefixes,
    /// Longest wait for a lane and its run.
    pub hash_deadline: Duration,
    /// Argon2id's memory in KiB.
    pub argon2_memory_kib: u32,
    /// Argon2id's passes.
    pub argon2_passes: u32,
    /// Budget of the entry cache in octets.
    pub entry_bytes: usize,
    /// Completes names without a domain, where set.
    pub default_domain: Option<DomainName>,
    /// Where people get a new password; ends the hints.
    pub help_url: Option<String>,
}

impl Config {
    /// The parameters of new hashes.
    pub const fn params(&self) -> hash::Params {
        hash::Params {
            memory_kib: self.argon2_memory_kib,
            passes: self.argon2_passes,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lanes: 0,
            queue: 1024,
            queue_per_network: 128,
            network: NetworkPrefixes::default(),
            hash_deadline: Duration::from_secs(5),
            // OWASP's recommendation for Argon2id.
            argon2_memory_kib: 19 * 1024,
            argon2_passes: 2,
            entry_bytes: 16 * 1024 * 1024,
            default_domain: None,
            help_url: None,
        }
    }
}
