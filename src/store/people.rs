//! Users, their organisations, what they may do with a mailbox, and invitations.
//!
//! An id of another organisation is answered exactly like an unknown one. Roles and grants are changed by naming their
//! present value ([`Error::Stale`] where that is no longer so), so that nobody overwrites what they
//! have not seen.

use async_trait::async_trait;

use super::page::{Cursor, DeviceRow, Page};
use super::sign_in::{TokenHash, UserPassword};
use super::{Actor, Error, Seq};
use crate::clock::Timestamp;
use crate::model::{
    Address, Grant, Invitation, InvitationId, Language, MailboxId, Member, Membership, Org, OrgId, Rights, Role, User,
    UserId,
};

/// The most mailboxes whose addresses one user may use as senders: each session of theirs reads all of them.
pub const SEND_AS_MAX: u32 = 256;

/// The most mailboxes that one invitation grants.
pub const INVITED_GRANTS_MAX: usize = 256;

/// The most invitations of one organisation that can be accepted at one time.
pub const OPEN_INVITATIONS_MAX: u32 = 1000;

/// The most links of one invitation that work, the newest: each mail and each copied link has one of its own.
pub const INVITATION_LINKS_MAX: u32 = 16;

/// A person who becomes a user.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// What they will sign in with.
    pub address: Address,
    /// 1 to 100 characters.
    pub name: String,
    /// In which language the Manager speaks to them.
    pub language: Language,
    /// Their password; without one they ask for a link to set it.
    pub password: Option<UserPassword>,
}

/// What can be changed about a user. `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct UserEdit {
    /// Another sign-in address; unused links to reset the password end.
    pub address: Option<Address>,
    /// Another name.
    pub name: Option<String>,
    /// Another language.
    pub language: Option<Language>,
}

/// In which organisation the first owner begins.
#[derive(Debug, Clone)]
pub enum FirstOrg {
    /// A new one of this name.
    New(String),
    /// One that is there and has no owner.
    Existing(OrgId),
}

/// An organisation of a user, with their role in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserOrg {
    /// Which.
    pub org: Org,
    /// What they may do there.
    pub role: Role,
    /// Since when.
    pub since: Timestamp,
}

/// What a user may do at this moment in an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Their membership.
    pub membership: Membership,
    /// What was granted to them on the mailbox that was asked about; nothing where it belongs to another organisation.
    pub rights: Rights,
}

/// What a grant says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantTerms {
    /// At least one right.
    pub rights: Rights,
    /// It does not count from this moment on.
    pub ends_at: Option<Timestamp>,
}

/// A grant with whom or what it is about, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    /// The grant.
    pub grant: Grant,
    /// What the user is called.
    pub name: String,
    /// What they sign in with.
    pub user_address: Address,
    /// Devices that belong to them on this mailbox and are not revoked.
    pub devices: u32,
}

/// Which members to list.
#[derive(Debug, Clone, Default)]
pub struct MemberQuery {
    /// Those whose name or address contains this.
    pub text: Option<String>,
    /// Those with this role.
    pub role: Option<Role>,
    /// Those after this one.
    pub after: Option<Cursor<UserId>>,
    /// At most this many, up to [`PAGE_MAX`](super::page::PAGE_MAX).
    pub limit: u32,
}

/// A member with numbers, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// The member.
    pub member: Member,
    /// Mailboxes of this organisation that were granted to them.
    pub mailboxes: u32,
    /// Devices in this organisation that belong to them and are not revoked.
    pub devices: u32,
}

/// What ends when a grant is withdrawn, a role changed or a member removed; or, of a preview, would end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending {
    /// Devices that are revoked: those that belong to this user, on the mailbox, on those that only their role reached, or
    /// in the whole organisation.
    pub devices: Vec<DeviceRow>,
    /// Their other devices whose sessions end because they may use fewer senders; these may log in again at once.
    pub narrowed: Vec<DeviceRow>,
    /// Mailboxes that they lose access to.
    pub grants: Vec<Grant>,
    /// Open invitations that they wrote and may not write any more. They are withdrawn.
    pub invitations: Vec<Invitation>,
    /// Tokens of theirs that stop working.
    pub tokens: u32,
    /// Console sessions that end: all of them where this was their only organisation.
    pub sessions_ending: u32,
    /// Console sessions that go on without what was taken away.
    pub sessions_staying: u32,
}

/// What really ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The number of the last change.
    pub seq: Seq,
    /// What ended, as it was just before.
    pub what: Ending,
}

/// A role that was changed, and what ended with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleChange {
    /// The member, as they are now.
    pub member: Member,
    /// Devices of theirs on mailboxes that only the old role reached.
    pub ended: Ended,
}

/// An invitation to be made.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Whom.
    pub address: Address,
    /// As what.
    pub role: Role,
    /// With which mailboxes; at most [`INVITED_GRANTS_MAX`].
    pub grants: Vec<(MailboxId, GrantTerms)>,
    /// In which language.
    pub language: Language,
    /// Who invites, as people read it.
    pub invited_by: String,
    /// What its first link hides.
    pub link: TokenHash,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

/// Which invitations to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct InvitationQuery {
    /// Only those that can be accepted.
    pub open: bool,
    /// Those older than this one.
    pub before: Option<InvitationId>,
    /// At most this many, up to [`PAGE_MAX`](super::page::PAGE_MAX).
    pub limit: u32,
}

/// Who accepts an invitation.
#[derive(Debug, Clone)]
pub enum Accepting {
    /// A user who is signed in. Their sign-in address must be the invited one.
    User(UserId),
    /// Somebody who becomes a user with the invited address.
    New {
        /// 1 to 100 characters.
        name: String,
        /// Their language.
        language: Language,
        /// Their password.
        password: UserPassword,
    },
}

/// An invitation that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The invitation.
    pub invitation: Invitation,
    /// Who accepted it.
    pub user: User,
}

/// What one round of tidying removed; where a number reaches the limit, there may be more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Grants whose date has come, withdrawn as by hand.
    pub grants: u32,
    /// Console sessions past their end.
    pub sessions: u32,
    /// Links to reset a password that ran out.
    pub resets: u32,
    /// Sign-in addresses that nobody confirmed in time.
    pub addresses: u32,
    /// Invitations whose end lies before the given moment.
    pub invitations: u32,
    /// Tokens whose end lies before the given moment.
    pub tokens: u32,
    /// Devices that never got a password, whose set-up link ended some days ago, revoked; or links of which nobody asks
    /// any more.
    pub device_links: u32,
    /// Requests to the API of which it need not be known any longer what they made.
    pub requests: u32,
}

/// Users, memberships, grants and invitations. Every change is one transaction with its audit row, and with change-log
/// rows where it takes something away from a device.
#[async_trait]
pub trait PeopleStore: Send + Sync {
    /// Adds a user who belongs to no organisation yet. `Conflict` where the address is a user's already.
    async fn create_user(&self, actor: &Actor, user: &NewUser) -> Result<User, Error>;
    /// Makes the first owner of an organisation, and the user. With `set_up` it works only with the set-up link that is
    /// out ([`SignInStore::set_set_up_link`](super::SignInStore::set_set_up_link)), once, and only while no organisation
    /// has an owner; without, for any organisation without an owner.
    async fn create_first_owner(
        &self,
        actor: &Actor,
        set_up: Option<&TokenHash>,
        org: &FirstOrg,
        user: &NewUser,
    ) -> Result<(User, Org), Error>;
    /// Whether any organisation has an owner.
    async fn has_owner(&self) -> Result<bool, Error>;
    /// Finds one.
    async fn user(&self, id: UserId) -> Result<Option<User>, Error>;
    /// Finds one by the sign-in address.
    async fn user_by_address(&self, address: &Address) -> Result<Option<User>, Error>;
    /// Those who sign in with an address of this mailbox, its aliases included.
    async fn sign_ins_of(&self, mailbox: MailboxId) -> Result<Vec<User>, Error>;
    /// All users by address, after the given one, at most `limit`.
    async fn users(&self, after: Option<&Address>, limit: u32) -> Result<Vec<User>, Error>;
    /// Changes a user's own facts.
    async fn edit_user(&self, actor: &Actor, id: UserId, edit: &UserEdit) -> Result<User, Error>;
    /// Removes a user everywhere, as [`PeopleStore::remove_member`] does in each of their organisations. `Refused` where
    /// they are the last owner of one.
    async fn delete_user(&self, actor: &Actor, id: UserId) -> Result<Ended, Error>;

    /// The organisations of a user, by name.
    async fn orgs_of(&self, user: UserId) -> Result<Vec<UserOrg>, Error>;
    /// What a user may do at this moment: their role, and their rights on one mailbox. `None` where they are no member.
    async fn standing(&self, org: OrgId, user: UserId, mailbox: Option<MailboxId>) -> Result<Option<Standing>, Error>;
    /// Finds one member.
    async fn member(&self, org: OrgId, user: UserId) -> Result<Option<MemberRow>, Error>;
    /// Members by name.
    async fn members(&self, org: OrgId, query: &MemberQuery) -> Result<Page<MemberRow, Cursor<UserId>>, Error>;
    /// Makes a user a member. `Conflict` where they are one.
    async fn add_member(&self, actor: &Actor, org: OrgId, user: UserId, role: Role) -> Result<Member, Error>;
    /// Changes a member's role from what it is known to be. A device belongs to somebody who reaches its mailbox: those on
    /// mailboxes that only the old role reached are revoked. `Stale` where the role is another one by now; `Refused` where
    /// the organisation would have no owner left.
    async fn set_role(
        &self,
        actor: &Actor,
        org: OrgId,
        user: UserId,
        from: Role,
        to: Role,
    ) -> Result<RoleChange, Error>;
    /// What [`PeopleStore::set_role`] would end. `NotFound` where they are no member.
    async fn ending_with_role(&self, org: OrgId, user: UserId, to: Role) -> Result<Ending, Error>;
    /// Removes a member who is known to have this role, with their grants and tokens here, revokes the devices of this
    /// organisation that belong to them and nobody else's. `Stale` where they have another role by now; `Refused` where
    /// the organisation would have no owner left.
    async fn remove_member(&self, actor: &Actor, org: OrgId, user: UserId, role: Role) -> Result<Ended, Error>;

    /// The grants on one mailbox, by the users' names.
    async fn grants_on(&self, org: OrgId, mailbox: MailboxId) -> Result<Vec<GrantRow>, Error>;
    /// The grants of a user in one organisation (or in all), by address, after the given one, at most `limit`.
    async fn grants_of(
        &self,
        org: Option<OrgId>,
        user: UserId,
        after: Option<&Address>,
        limit: u32,
    ) -> Result<Vec<Grant>, Error>;
    /// Finds one.
    async fn grant(&self, org: OrgId, mailbox: MailboxId, user: UserId) -> Result<Option<Grant>, Error>;
    /// Gives a member access to a mailbox of the same organisation. `Conflict` where they have some already.
    async fn give_grant(
        &self,
        actor: &Actor,
        org: OrgId,
        mailbox: MailboxId,
        user: UserId,
        terms: &GrantTerms,
    ) -> Result<Grant, Error>;
    /// Changes a grant from what it is known to say. `Stale` where it says something else by now. Taking `send-as` away
    /// ends the sessions of the user's devices on other mailboxes that may send.
    async fn change_grant(
        &self,
        actor: &Actor,
        org: OrgId,
        mailbox: MailboxId,
        user: UserId,
        from: &GrantTerms,
        to: &GrantTerms,
    ) -> Result<(Grant, Seq), Error>;
    /// Withdraws a grant and revokes the devices of this mailbox that belong to the user, and nobody else's.
    async fn withdraw_grant(&self, actor: &Actor, org: OrgId, mailbox: MailboxId, user: UserId)
    -> Result<Ended, Error>;
    /// What [`PeopleStore::withdraw_grant`] (with a mailbox) or [`PeopleStore::remove_member`] (without) would end.
    /// `NotFound` where there is nothing to withdraw or remove.
    async fn ending_with(&self, org: OrgId, user: UserId, mailbox: Option<MailboxId>) -> Result<Ending, Error>;

    /// Invites somebody. `Conflict` where they are a member, or have an invitation that can be accepted. Says nothing of
    /// whether the address is a user's.
    async fn create_invitation(&self, actor: &Actor, org: OrgId, new: &NewInvitation) -> Result<Invitation, Error>;
    /// Finds one of an organisation.
    async fn invitation(&self, org: OrgId, id: InvitationId) -> Result<Option<Invitation>, Error>;
    /// Finds the one that a link leads to, whatever became of it.
    async fn invitation_by_link(&self, link: &TokenHash) -> Result<Option<Invitation>, Error>;
    /// Invitations of an organisation, newest first.
    async fn invitations(&self, org: OrgId, query: &InvitationQuery) -> Result<Page<Invitation, InvitationId>, Error>;
    /// Makes a further link to an invitation, to be sent again or copied, and moves its end. The links that are out go on
    /// working, the newest [`INVITATION_LINKS_MAX`]. `Refused` where it was accepted or withdrawn.
    async fn renew_invitation(
        &self,
        actor: &Actor,
        org: OrgId,
        id: InvitationId,
        link: &TokenHash,
        expires_at: Timestamp,
    ) -> Result<Invitation, Error>;
    /// Notes that a mail with the invitation was taken by a mail server.
    async fn note_invitation_sent(&self, id: InvitationId, at: Timestamp) -> Result<(), Error>;
    /// Notes that a link of the invitation was opened; only the first time counts.
    async fn note_invitation_opened(&self, link: &TokenHash) -> Result<(), Error>;
    /// Withdraws an invitation; does nothing to one that is withdrawn or declined. `Refused` where it was accepted.
    async fn withdraw_invitation(&self, actor: &Actor, org: OrgId, id: InvitationId) -> Result<Invitation, Error>;
    /// Withdraws the invitation of this link in the invited person's name. `NotFound` for a link that leads nowhere;
    /// `Refused` where it cannot be accepted any more.
    async fn decline_invitation(&self, actor: &Actor, link: &TokenHash) -> Result<Invitation, Error>;
    /// Accepts an invitation, which works once: makes the user where there is none, the membership, and the grants, in
    /// one transaction. Whoever is a member already keeps their role and the grants that they have.
    /// `NotFound` for a link that leads nowhere; `Refused` where it was used, withdrawn or ran out (its state says which),
    /// or is for another address; `Conflict` where [`Accepting::New`] meets a user with this address.
    async fn accept_invitation(&self, actor: &Actor, link: &TokenHash, who: &Accepting) -> Result<Accepted, Error>;

    /// Withdraws grants whose date has come, and removes what ended: console sessions, links to reset a password, and
    /// those invitations and tokens whose end lies before `kept_since`. At most `limit` of each.
    async fn tidy_people(&self, actor: &Actor, kept_since: Timestamp, limit: u32) -> Result<Tidied, Error>;
}
