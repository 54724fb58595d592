//! The role of the store that holds people: each operation handed to the right thread.

use async_trait::async_trait;
use rusqlite::params;

use super::fault::Outcome;
use super::write::Write;
use super::{
    SqliteStore, address, device_link, ending, grant, invitation, member, person, request, session, sign_in, token,
};
use crate::clock::Timestamp;
use crate::model::{Address, Grant, Invitation, InvitationId, MailboxId, Member, Org, OrgId, Role, User, UserId};
use crate::store::{
    Accepted, Accepting, Actor, Cursor, Ended, Ending, Error, FirstOrg, GrantRow, GrantTerms, InvitationQuery,
    MemberQuery, MemberRow, NewInvitation, NewUser, Page, PeopleStore, RoleChange, Seq, Standing, Tidied, TokenHash,
    UserEdit, UserOrg,
};

#[async_trait]
impl PeopleStore for SqliteStore {
    async fn create_user(&self, actor: &Actor, user: &NewUser) -> Result<User, Error> {
        let (actor, user) = (actor.clone(), user.clone());
        self.write(move |write| person::create_user(write, &actor, &user)).await
    }

    async fn create_first_owner(
        &self,
        actor: &Actor,
        set_up: Option<&TokenHash>,
        org: &FirstOrg,
        user: &NewUser,
    ) -> Result<(User, Org), Error> {
        let (actor, set_up, org, user) = (actor.clone(), set_up.copied(), org.clone(), user.clone());
        self.write(move |write| person::create_first_owner(write, &actor, set_up.as_ref(), &org, &user))
            .await
    }

    async fn has_owner(&self) -> Result<bool, Error> {
        self.read(|conn| person::has_owner(conn)).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, Error> {
        self.read(move |conn| person::user(conn, id)).await
    }

    async fn user_by_address(&self, address: &Address) -> Result<Option<User>, Error> {
        let address = address.clone();
        self.read(move |conn| person::user_by_address(conn, &address)).await
    }

    async fn sign_ins_of(&self, mailbox: MailboxId) -> Result<Vec<User>, Error> {
        self.read(move |conn| person::sign_ins_of(conn, mailbox)).await
    }

    async fn users(&self, after: Option<&Address>, limit: u32) -> Result<Vec<User>, Error> {
        let after = after.cloned();
        self.read(move |conn| person::users(conn, after.as_ref(), limit)).await
    }

    async fn edit_user(&self, actor: &Actor, id: UserId, edit: &UserEdit) -> Result<User, Error> {
        let (actor, edit) = (actor.clone(), edit.clone());
        self.write(move |write| person::edit_user(write, &actor, id, &edit))
            .await
    }

    async fn delete_user(&self, actor: &Actor, id: UserId) -> Result<Ended, Error> {
        let actor = actor.clone();
        self.write(move |write| person::delete_user(write, &actor, id)).await
    }

    async fn orgs_of(&self, user: UserId) -> Result<Vec<UserOrg>, Error> {
        self.read(move |conn| member::orgs_of(conn, user)).await
    }

    async fn standing(&self, org: OrgId, user: UserId, mailbox: Option<MailboxId>) -> Result<Option<Standing>, Error> {
        let now = self.clock.utc();
        self.read(move |conn| member::standing(conn, (org, user), mailbox, now))
            .await
    }

    async fn member(&self, org: OrgId, user: UserId) -> Result<Option<MemberRow>, Error> {
        self.read(move |conn| member::member(conn, org, user)).await
    }

    async fn members(&self, org: OrgId, query: &MemberQuery) -> Result<Page<MemberRow, Cursor<UserId>>, Error> {
        let query = query.clone();
        self.read(move |conn| member::members(conn, org, &query)).await
    }

    async fn add_member(&self, actor: &Actor, org: OrgId, user: UserId, role: Role) -> Result<Member, Error> {
        let actor = actor.clone();
        self.write(move |write| member::add_member(write, &actor, org, user, role))
            .await
    }

    async fn set_role(
        &self,
        actor: &Actor,
        org: OrgId,
        user: UserId,
        from: Role,
        to: Role,
    ) -> Result<RoleChange, Error> {
        let actor = actor.clone();
        self.write(move |write| member::set_role(write, &actor, (org, user), from, to))
            .await
    }

    async fn ending_with_role(&self, org: OrgId, user: UserId, to: Role) -> Result<Ending, Error> {
        let now = self.clock.utc();
        self.read(move |conn| {
            let tx = conn.transaction()?;
            let member = member::known_member(&tx, org, user)?;
            ending::of_role(&tx, (org, user), member.role, to, now)
        })
        .await
    }

    async fn remove_member(&self, actor: &Actor, org: OrgId, user: UserId, role: Role) -> Result<Ended, Error> {
        let actor = actor.clone();
        self.write(move |write| member::remove_member(write, &actor, (org, user), role))
            .await
    }

    async fn grants_on(&self, org: OrgId, mailbox: MailboxId) -> Result<Vec<GrantRow>, Error> {
        self.read(move |conn| grant::grants_on(conn, org, mailbox)).await
    }

    async fn grants_of(
        &self,
        org: Option<OrgId>,
        user: UserId,
        after: Option<&Address>,
        limit: u32,
    ) -> Result<Vec<Grant>, Error> {
        let after = after.cloned();
        self.read(move |conn| grant::grants_of(conn, org, user, after.as_ref(), limit))
            .await
    }

    async fn grant(&self, org: OrgId, mailbox: MailboxId, user: UserId) -> Result<Option<Grant>, Error> {
        self.read(move |conn| grant::grant(conn, org, mailbox, user)).await
    }

    async fn give_grant(
        &self,
        actor: &Actor,
        org: OrgId,
        mailbox: MailboxId,
        user: UserId,
        terms: &GrantTerms,
    ) -> Result<Grant, Error> {
        let (actor, terms) = (actor.clone(), *terms);
        self.write(move |write| grant::give(write, &actor, (org, mailbox, user), &terms))
            .await
    }

    async fn change_grant(
        &self,
        actor: &Actor,
        org: OrgId,
        mailbox: MailboxId,
        user: UserId,
        from: &GrantTerms,
        to: &GrantTerms,
    ) -> Result<(Grant, Seq), Error> {
        let (actor, from, to) = (actor.clone(), *from, *to);
        self.write(move |write| grant::change(write, &actor, (org, mailbox, user), &from, &to))
            .await
    }

    async fn withdraw_grant(
        &self,
        actor: &Actor,
        org: OrgId,
        mailbox: MailboxId,
        user: UserId,
    ) -> Result<Ended, Error> {
        let actor = actor.clone();
        self.write(move |write| grant::withdraw(write, &actor, (org, mailbox, user)))
            .await
    }

    async fn ending_with(&self, org: OrgId, user: UserId, mailbox: Option<MailboxId>) -> Result<Ending, Error> {
        let now = self.clock.utc();
        self.read(move |conn| {
            // One state, as the deed has.
            let tx = conn.transaction()?;
            ending::preview(&tx, (org, user), mailbox, now)
        })
        .await
    }

    async fn create_invitation(&self, actor: &Actor, org: OrgId, new: &NewInvitation) -> Result<Invitation, Error> {
        let (actor, new) = (actor.clone(), new.clone());
        self.write(move |write| invitation::create(write, &actor, org, &new))
            .await
    }

    async fn invitation(&self, org: OrgId, id: InvitationId) -> Result<Option<Invitation>, Error> {
        let now = self.clock.utc();
        self.read(move |conn| invitation::invitation(conn, org, id, now)).await
    }

    async fn invitation_by_link(&self, link: &TokenHash) -> Result<Option<Invitation>, Error> {
        let (link, now) = (*link, self.clock.utc());
        self.read(move |conn| invitation::by_link(conn, &link, now)).await
    }

    async fn invitations(&self, org: OrgId, query: &InvitationQuery) -> Result<Page<Invitation, InvitationId>, Error> {
        let (query, now) = (query.clone(), self.clock.utc());
        self.read(move |conn| invitation::invitations(conn, org, &query, now))
            .await
    }

    async fn renew_invitation(
        &self,
        actor: &Actor,
        org: OrgId,
        id: InvitationId,
        link: &TokenHash,
        expires_at: Timestamp,
    ) -> Result<Invitation, Error> {
        let (actor, link) = (actor.clone(), *link);
        self.write(move |write| invitation::renew(write, &actor, (org, id), &link, expires_at))
            .await
    }

    async fn note_invitation_sent(&self, id: InvitationId, at: Timestamp) -> Result<(), Error> {
        self.write(move |write| invitation::note_sent(write, id, at)).await
    }

    async fn note_invitation_opened(&self, link: &TokenHash) -> Result<(), Error> {
        let link = *link;
        self.write(move |write| invitation::note_opened(write, &link)).await
    }

    async fn withdraw_invitation(&self, actor: &Actor, org: OrgId, id: InvitationId) -> Result<Invitation, Error> {
        let actor = actor.clone();
        self.write(move |write| invitation::withdraw(write, &actor, org, id))
            .await
    }

    async fn decline_invitation(&self, actor: &Actor, link: &TokenHash) -> Result<Invitation, Error> {
        let (actor, link) = (actor.clone(), *link);
        self.write(move |write| invitation::decline(write, &actor, &link)).await
    }

    async fn accept_invitation(&self, actor: &Actor, link: &TokenHash, who: &Accepting) -> Result<Accepted, Error> {
        let (actor, link, who) = (actor.clone(), *link, who.clone());
        self.write(move |write| invitation::accept(write, &actor, &link, &who))
            .await
    }

    async fn tidy_people(&self, actor: &Actor, kept_since: Timestamp, limit: u32) -> Result<Tidied, Error> {
        let actor = actor.clone();
        self.write(move |write| tidy(write, &actor, kept_since, limit)).await
    }
}

fn tidy(write: &Write<'_>, actor: &Actor, kept_since: Timestamp, limit: u32) -> Outcome<Tidied> {
    let count = |removed: usize| u32::try_from(removed).unwrap_or(u32::MAX);
    let invitations = write.execute(
        "DELETE FROM invitation WHERE id IN
             (SELECT id FROM invitation WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        params![kept_since, limit],
    )?;
    Ok(Tidied {
        grants: grant::end_due(write, actor, limit)?,
        sessions: count(session::tidy(write, limit)?),
        resets: count(sign_in::tidy_resets(write, limit)?),
        addresses: count(address::tidy(write, limit)?),
        invitations: count(invitations),
        tokens: count(token::tidy(write, kept_since, limit)?),
        device_links: device_link::tidy(write, actor, kept_since, limit)?,
        requests: count(request::tidy(write, limit)?),
    })
}
