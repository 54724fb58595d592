//! People, invitations, tokens, and what was done.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Device, MailboxRef, revision};
use crate::admin::api::Api;
use crate::admin::api::words::{
    InvitationId, Language, MailboxId, Moment, Right, Role, TokenId, TokenScope, UserId, rights,
};
use crate::model::{self, ApiToken, InvitationState, MailState};
use crate::store::{self, AuditRow, MemberRow};

/// A person, by id and name.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct PersonRef {
    pub(in crate::admin::api) id: UserId,
    name: String,
}

impl PersonRef {
    pub(in crate::admin::api) const fn new(id: model::UserId, name: String) -> Self {
        Self { id: UserId(id), name }
    }
}

/// A person who signs in to the Manager.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct User {
    id: UserId,
    /// What they sign in with.
    address: String,
    name: String,
    language: Language,
    /// They give a one-time code beside their password.
    has_code: bool,
    created_at: Moment,
    /// When they last used the Manager.
    #[schema(required = true)]
    seen_at: Option<Moment>,
}

impl From<&model::User> for User {
    fn from(user: &model::User) -> Self {
        Self {
            id: UserId(user.id),
            address: user.address.to_string(),
            name: user.name.clone(),
            language: Language(user.language),
            has_code: user.has_code,
            created_at: Moment(user.created_at),
            seen_at: user.seen_at.map(Moment),
        }
    }
}

/// A user as the organisation sees them.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Member {
    user: User,
    role: Role,
    /// Since when they are a member.
    since: Moment,
    /// Mailboxes that they have access to.
    mailboxes: u32,
    /// Devices of theirs that are not revoked.
    devices: u32,
    /// To be given back with a change of the role.
    revision: String,
}

impl Member {
    /// The revision of a member with this role.
    pub(in crate::admin::api) fn revision_of(role: model::Role) -> String {
        revision(&role.name())
    }
}

impl From<&MemberRow> for Member {
    fn from(row: &MemberRow) -> Self {
        let member = &row.member;
        Self {
            user: User::from(&member.user),
            role: Role(member.role),
            since: Moment(member.since),
            mailboxes: row.mailboxes,
            devices: row.devices,
            revision: Self::revision_of(member.role),
        }
    }
}

/// What ends with an access or a membership, or would.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Ending {
    /// Devices that are revoked.
    devices: Vec<Device>,
    /// Other devices of theirs whose sessions end because they may use fewer senders; these may sign in again at once.
    narrowed: Vec<Device>,
    /// Mailboxes that they lose access to.
    mailboxes: Vec<MailboxRef>,
    /// API tokens of theirs that stop working.
    tokens: u32,
    /// Sessions of the Manager that end.
    console_sessions_ending: u32,
    /// Sessions of the Manager that go on without what was taken away.
    console_sessions_staying: u32,
}

impl Ending {
    pub(in crate::admin::api) fn of(api: &Api, ending: &store::Ending) -> Self {
        let devices = |rows: &[store::DeviceRow]| rows.iter().map(|row| Device::of(api, row)).collect();
        let mailbox = |grant: &model::Grant| MailboxRef::new(grant.mailbox, &grant.address);
        Self {
            devices: devices(&ending.devices),
            narrowed: devices(&ending.narrowed),
            mailboxes: ending.grants.iter().map(mailbox).collect(),
            tokens: ending.tokens,
            console_sessions_ending: ending.sessions_ending,
            console_sessions_staying: ending.sessions_staying,
        }
    }
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::admin::api) enum InvitationStand {
    /// It can be accepted, and no mail with it has gone out.
    Waiting,
    /// A mail with it went out.
    Sent,
    /// One of its links was opened.
    Opened,
    /// Accepted.
    Accepted,
    /// Whoever was invited does not want it.
    Declined,
    /// Taken back.
    Withdrawn,
    /// Its time ran out.
    Expired,
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::admin::api) enum MailStand {
    /// It waits for its first or next attempt.
    Queued,
    /// The mail server has taken it.
    Sent,
    /// It was refused for good, or not taken in time.
    Failed,
    /// It is not wanted any more.
    Withdrawn,
}

/// The mail with an invitation or a set-up link.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Mail {
    state: MailStand,
    /// Why the last attempt did not work, in the words of the mail server or ours.
    #[schema(required = true)]
    last_error: Option<String>,
}

impl From<&model::Mail> for Mail {
    fn from(mail: &model::Mail) -> Self {
        let state = match mail.state {
            MailState::Queued { .. } => MailStand::Queued,
            MailState::Sent(_) => MailStand::Sent,
            MailState::Failed(_) => MailStand::Failed,
            MailState::Withdrawn(_) => MailStand::Withdrawn,
        };
        Self {
            state,
            last_error: mail.last_error.clone(),
        }
    }
}

/// What an invitation will grant.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct InvitedGrant {
    mailbox: MailboxId,
    address: String,
    rights: Vec<Right>,
    #[schema(required = true)]
    ends_at: Option<Moment>,
}

/// An offer to become a member.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Invitation {
    pub(in crate::admin::api) id: InvitationId,
    /// Whom: only a user with this address can accept it.
    address: String,
    role: Role,
    grants: Vec<InvitedGrant>,
    language: Language,
    /// Who invited, as people read it.
    invited_by: String,
    state: InvitationStand,
    /// The newest mail with it, while nobody has opened its link; null where it was handed over.
    #[schema(required = true)]
    mail: Option<Mail>,
    created_at: Moment,
    /// When a mail with it last went out.
    #[schema(required = true)]
    sent_at: Option<Moment>,
    /// When one of its links was first opened.
    #[schema(required = true)]
    opened_at: Option<Moment>,
    /// When it was accepted, declined or withdrawn.
    #[schema(required = true)]
    ended_at: Option<Moment>,
    /// Until when it can be accepted.
    expires_at: Moment,
}

impl Invitation {
    pub(in crate::admin::api) fn new(invitation: &model::Invitation, mail: Option<&model::Mail>) -> Self {
        let (state, ended_at) = match invitation.state {
            InvitationState::Accepted(at) => (InvitationStand::Accepted, Some(at)),
            InvitationState::Declined(at) => (InvitationStand::Declined, Some(at)),
            InvitationState::Withdrawn(at) => (InvitationStand::Withdrawn, Some(at)),
            InvitationState::Expired => (InvitationStand::Expired, None),
            InvitationState::Sent if invitation.opened_at.is_some() => (InvitationStand::Opened, None),
            InvitationState::Sent if invitation.sent_at.is_some() => (InvitationStand::Sent, None),
            InvitationState::Sent => (InvitationStand::Waiting, None),
        };
        let grants = invitation.grants.iter().map(|grant| InvitedGrant {
            mailbox: MailboxId(grant.mailbox),
            address: grant.address.to_string(),
            rights: rights(grant.rights),
            ends_at: grant.ends_at.map(Moment),
        });
        Self {
            id: InvitationId(invitation.id),
            address: invitation.address.to_string(),
            role: Role(invitation.role),
            grants: grants.collect(),
            language: Language(invitation.language),
            invited_by: invitation.invited_by.clone(),
            state,
            mail: mail.map(Mail::from),
            created_at: Moment(invitation.created_at),
            sent_at: invitation.sent_at.map(Moment),
            opened_at: invitation.opened_at.map(Moment),
            ended_at: ended_at.map(Moment),
            expires_at: Moment(invitation.expires_at),
        }
    }
}

/// A key with which a program uses the API. Its secret was shown when it was made, and never again.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Token {
    id: TokenId,
    /// In whose name it acts.
    user: UserId,
    name: String,
    /// The most it may do; never more than its user's own role at that moment.
    role: Role,
    scope: TokenScope,
    created_at: Moment,
    #[schema(required = true)]
    expires_at: Option<Moment>,
    /// When it was last used, up to a minute ago.
    #[schema(required = true)]
    used_at: Option<Moment>,
    /// From where.
    #[schema(required = true)]
    used_from: Option<String>,
}

impl From<&ApiToken> for Token {
    fn from(token: &ApiToken) -> Self {
        Self {
            id: TokenId(token.id),
            user: UserId(token.user),
            name: token.name.clone(),
            role: Role(token.role),
            scope: TokenScope(token.scope),
            created_at: Moment(token.created_at),
            expires_at: token.expires_at.map(Moment),
            used_at: token.used_at.map(Moment),
            used_from: token.used_from.clone(),
        }
    }
}

/// One entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Entry {
    /// Its number; numbers grow with time.
    number: i64,
    at: Moment,
    /// Who did it: `user:`, `token:`, `cli:` and a name, or `daemon`.
    who: String,
    /// The user who did it, or in whose name it was done; names and addresses may change.
    #[schema(required = true)]
    user: Option<UserId>,
    /// From where.
    origin: String,
    /// On whose behalf.
    #[schema(required = true)]
    behalf: Option<String>,
    /// What was done: dotted words, the thing first.
    action: String,
    /// Which mailbox it concerns.
    #[schema(required = true)]
    mailbox: Option<MailboxId>,
    /// On what: an id, an address or a name.
    subject: String,
    /// Further facts.
    #[schema(value_type = Object)]
    detail: Value,
    /// Its place in the chain, in hexadecimal digits; null for entries from before there was one.
    #[schema(required = true)]
    hash: Option<String>,
}

impl From<AuditRow> for Entry {
    fn from(row: AuditRow) -> Self {
        Self {
            number: row.number,
            at: Moment(row.at),
            who: row.actor.who,
            user: row.actor.user.map(UserId),
            origin: row.actor.origin,
            behalf: row.actor.behalf,
            action: row.action,
            mailbox: row.mailbox.map(MailboxId),
            subject: row.subject,
            detail: row.detail,
            hash: row
                .hash
                .map(|hash| hash.iter().map(|octet| format!("{octet:02x}")).collect()),
        }
    }
}
