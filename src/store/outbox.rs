//! The outbox's role of the store: mails that wait to be sent, and what became of those that were.
//!
//! A mail is put in the transaction of what it is about, so that there is neither an invitation without its mail nor a
//! mail about something that was rolled back. Its content is sealed by whoever writes it and forgotten here as soon as
//! the mail is sent, given up or withdrawn; who, when and how it went stay for [`MAILS_KEPT`].
//!
//! Several processes may send. A mail that was taken belongs to its taker until the lease is over; only then may
//! another one take it. Each taking has a number ([`DueMail::attempt`]), and a failure that is reported late, by a taker
//! whose lease is over, changes nothing.

use std::time::Duration;

use async_trait::async_trait;

use super::{Actor, Error};
use crate::clock::Timestamp;
use crate::model::{Address, DeviceLinkId, InvitationId, Language, Mail, MailId, MailKind, OrgId};

/// How long it stays known that a mail was sent, given up or withdrawn.
pub const MAILS_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The most mails that wait: an installation that sends none must not fill its database.
pub const MAILS_QUEUED_MAX: u32 = 10_000;

/// Of these, mails that concern one organisation: what it asks for must not keep others waiting.
pub const MAILS_QUEUED_MAX_OF_ORG: u32 = 2_000;

/// The share of both that mails without a link may take: what somebody waits for has room when many are told of changes.
pub const NOTICES_SHARE: (u32, u32) = (3, 4);

/// The largest sealed content, in octets.
pub const MAIL_SEALED_MAX: usize = 256 * 1024;

/// The longest kept reason of a failure, in characters.
pub const MAIL_ERROR_MAX: usize = 500;

/// A mail to be put into the outbox.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// What it is about.
    pub kind: MailKind,
    /// The organisation that it concerns.
    pub org: Option<OrgId>,
    /// The invitation that it brings. The store sets it where it makes the invitation in the same transaction.
    pub invitation: Option<InvitationId>,
    /// The set-up link that it brings.
    pub link: Option<DeviceLinkId>,
    /// Whom it goes to.
    pub recipient: Address,
    /// In which language.
    pub language: Language,
    /// Its content, sealed with the server key.
    pub sealed: Vec<u8>,
    /// When its link ends: later it is not sent any more.
    pub useful_until: Option<Timestamp>,
}

/// A mail that was taken to be sent.
#[derive(Debug, Clone)]
pub struct DueMail {
    /// Its id.
    pub id: MailId,
    /// What it is about.
    pub kind: MailKind,
    /// The organisation that it concerns.
    pub org: Option<OrgId>,
    /// Whom it goes to.
    pub recipient: Address,
    /// In which language.
    pub language: Language,
    /// Its sealed content.
    pub sealed: Vec<u8>,
    /// When its link ends.
    pub useful_until: Option<Timestamp>,
    /// When it was written.
    pub created_at: Timestamp,
    /// The number of this attempt, from 1.
    pub attempt: u32,
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// Another one, not before this moment.
    RetryAt(Timestamp),
    /// None: it is failed for good, and its content forgotten.
    GiveUp,
}

/// How much waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailBacklog {
    /// Mails that are neither sent nor given up nor withdrawn.
    pub queued: u32,
    /// When the first of them can be taken.
    pub due_at: Option<Timestamp>,
}

/// Which mails to list; empty fields match everything.
#[derive(Debug, Clone, Default)]
pub struct MailFilter {
    /// Mails that concern this organisation.
    pub org: Option<OrgId>,
    /// Mails that bring this invitation.
    pub invitation: Option<InvitationId>,
    /// Mails that bring this set-up link.
    pub link: Option<DeviceLinkId>,
    /// Mails in this state ([`crate::model::MailState::name`]).
    pub state: Option<&'static str>,
    /// At most this many, the newest.
    pub limit: u32,
}

/// Mails that wait, are sent, or were.
#[async_trait]
pub trait OutboxStore: Send + Sync {
    /// Puts a mail that belongs to no other write; one with the same invitation that still waits is withdrawn. `Refused`
    /// where the set-up link that it brings is no more, beyond [`MAILS_QUEUED_MAX`], [`MAILS_QUEUED_MAX_OF_ORG`], [`NOTICES_SHARE`] of them or [`MAIL_SEALED_MAX`].
    async fn put_mail(&self, mail: &NewMail) -> Result<MailId, Error>;

    /// How much waits, and until when.
    async fn mail_backlog(&self) -> Result<MailBacklog, Error>;

    /// Takes at most `limit` mails that are due, those with a link first and of these the longest due, for as long as
    /// `lease`. A notice ([`super::NoticeStore`]) for somebody who may not see its device any more is withdrawn instead.
    async fn take_due_mails(&self, lease: Duration, limit: u32) -> Result<Vec<DueMail>, Error>;

    /// A mail was taken by the mail server: its content is forgotten, and the invitation that it brings has been sent. Whoever says so is believed, also when its lease
    /// was over or the mail was withdrawn meanwhile, because it is the truth.
    async fn mail_sent(&self, id: MailId) -> Result<(), Error>;

    /// An attempt failed. False, and nothing is changed, where the mail is not waiting any more or another attempt has
    /// begun since.
    async fn mail_failed(&self, id: MailId, attempt: u32, reason: &str, then: AfterFailure) -> Result<bool, Error>;

    /// Makes all waiting mails due now, but those that are under way: what kept them may be mended.
    async fn hurry_mails(&self) -> Result<u64, Error>;

    /// Withdraws a mail that waits, and forgets its content. `Refused` where it does not wait any more.
    async fn withdraw_mail(&self, actor: &Actor, id: MailId) -> Result<(), Error>;

    /// Withdraws the mails of an invitation that wait: its link leads nowhere any more. Tells how many.
    async fn withdraw_mails_of(&self, invitation: InvitationId) -> Result<u64, Error>;

    /// Finds one.
    async fn mail(&self, id: MailId) -> Result<Option<Mail>, Error>;

    /// Lists mails, newest first.
    async fn mails(&self, filter: &MailFilter) -> Result<Vec<Mail>, Error>;

    /// Deletes rows of mails that were sent, given up or withdrawn before this moment.
    async fn purge_mails(&self, before: Timestamp) -> Result<u64, Error>;

    /// Waits until a mail may have been put, or at the latest for `poll`; as [`super::ChangeStore::wait_for_change`].
    async fn wait_for_mail(&self, poll: Duration) -> Result<(), Error>;
}
