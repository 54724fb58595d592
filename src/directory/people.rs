//! Users, members, roles and grants, as the machine changes them; the desk asks for rights first and then calls these.

use std::sync::Arc;
use std::time::Duration;

use super::mailboxes::parse;
use super::{Directory, Error};
use crate::clock::Timestamp;
use crate::identity::token::{Address as AddressLink, Reset, SetUp};
use crate::identity::{NewPassword, Token, password};
use crate::model::near::nearest;
use crate::model::{Address, Grant, Language, MailboxId, Member, Org, OrgId, Role, User, UserId};
use crate::store::{
    Actor, Cursor, Ended, Ending, FirstOrg, GrantRow, GrantTerms, Keep, MemberQuery, MemberRow, NewUser, Page,
    RoleChange, Seq, Tidied, UserEdit, UserOrg, UserPassword,
};

/// Users that are searched for one with a similar address.
const NEAR_SEARCHED_MAX: u32 = 1000;

/// How long invitations and tokens that ended are still listed.
const ENDED_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Things of each kind that one round of tidying removes: other writers wait for it.
pub const TIDIED_MAX: u32 = 500;

/// Grants that are read at once.
const GRANTS_PAGE: u32 = 1000;

impl Directory {
    /// Makes what a new user is stored as: the address is read, and a password judged and hashed.
    ///
    /// # Errors
    /// The address is none, or the password breaks the rule.
    pub async fn new_user(
        &self,
        address: &str,
        name: &str,
        language: Language,
        password: Option<&str>,
    ) -> Result<NewUser, Error> {
        let address = parse(address)?;
        let password = match password {
            Some(typed) => Some(
                self.hash_user_password(NewPassword::check(typed, &address, name)?)
                    .await?,
            ),
            None => None,
        };
        Ok(NewUser {
            address,
            name: name.to_owned(),
            language,
            password,
        })
    }

    /// Adds a user who belongs to no organisation yet.
    ///
    /// # Errors
    /// The address is a user's already, or the name cannot be accepted.
    pub async fn create_user(&self, actor: &Actor, user: &NewUser) -> Result<User, Error> {
        Ok(self.store.create_user(actor, user).await?)
    }

    /// Makes the first owner of an organisation that has none.
    ///
    /// # Errors
    /// It has one, or the address is a user's already.
    pub async fn create_first_owner(
        &self,
        actor: &Actor,
        org: &FirstOrg,
        user: &NewUser,
    ) -> Result<(User, Org), Error> {
        Ok(self.store.create_first_owner(actor, None, org, user).await?)
    }

    /// Makes the link with which the first owner is made in the browser, in place of an older one.
    ///
    /// # Errors
    /// An organisation has an owner already.
    pub async fn make_set_up_link(&self, actor: &Actor) -> Result<Token<SetUp>, Error> {
        let link = Token::generate();
        let expires_at = self.clock.utc().plus(self.lifetimes.set_up);
        let hash = link.hash(&self.keys);
        self.store.set_set_up_link(actor, &hash, expires_at).await?;
        Ok(link)
    }

    /// Whether any organisation has an owner: until then the Manager is of no use to anybody.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn has_owner(&self) -> Result<bool, Error> {
        Ok(self.store.has_owner().await?)
    }

    /// Users by address, after the given one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn users(&self, after: Option<&Address>, limit: u32) -> Result<Vec<User>, Error> {
        Ok(self.store.users(after, limit).await?)
    }

    /// Finds a user by the sign-in address or the id.
    ///
    /// # Errors
    /// There is none; one with a similar address is named.
    pub async fn find_user(&self, address_or_id: &str) -> Result<User, Error> {
        let given = address_or_id.trim();
        let found = match given.parse::<UserId>() {
            Ok(id) => self.store.user(id).await?,
            Err(_) => self.store.user_by_address(&parse(given)?).await?,
        };
        if let Some(user) = found {
            return Ok(user);
        }
        let known = self.store.users(None, NEAR_SEARCHED_MAX).await?;
        let near = nearest(given, known.iter().map(|user| user.address.as_str()));
        Err(Error::UnknownUser {
            given: given.to_owned(),
            near: near.map(str::to_owned),
        })
    }

    /// Changes a user's address, name or language.
    ///
    /// # Errors
    /// The new address is a user's already, or the name cannot be accepted.
    pub async fn edit_user(&self, actor: &Actor, user: UserId, edit: &UserEdit) -> Result<User, Error> {
        Ok(self.store.edit_user(actor, user, edit).await?)
    }

    /// Removes a user everywhere, with the devices that belong to them.
    ///
    /// # Errors
    /// They are the last owner of an organisation.
    pub async fn delete_user(&self, actor: &Actor, user: UserId) -> Result<Ended, Error> {
        Ok(self.store.delete_user(actor, user).await?)
    }

    /// Sets a user's password and ends their console sessions.
    ///
    /// # Errors
    /// The password breaks the rule.
    pub async fn set_user_password(&self, actor: &Actor, user: &User, typed: &str) -> Result<(), Error> {
        let password = NewPassword::check(typed, &user.address, &user.name)?;
        let password = self.hash_user_password(password).await?;
        Ok(self.store.set_password(actor, user.id, &password, Keep::None).await?)
    }

    /// Makes a link with which a user sets a new password.
    ///
    /// # Errors
    /// There is no such user.
    pub async fn make_reset_link(&self, actor: &Actor, user: UserId) -> Result<(Token<Reset>, Timestamp), Error> {
        let link = Token::generate();
        let expires_at = self.clock.utc().plus(self.lifetimes.reset);
        let hash = link.hash(&self.keys);
        self.store.create_reset(actor, user, &hash, expires_at).await?;
        Ok((link, expires_at))
    }

    /// Makes a link with which a user confirms another sign-in address.
    ///
    /// # Errors
    /// Somebody signs in with it, or there is no such user.
    pub async fn make_address_link(
        &self,
        actor: &Actor,
        user: UserId,
        address: &Address,
    ) -> Result<(Token<AddressLink>, Timestamp), Error> {
        let link = Token::generate();
        let expires_at = self.clock.utc().plus(self.lifetimes.address);
        let hash = link.hash(&self.keys);
        self.store.ask_address(actor, user, address, &hash, expires_at).await?;
        Ok((link, expires_at))
    }

    /// No longer asks a user for one-time codes and ends their console sessions: for somebody whose phone and recovery
    /// codes are both gone.
    ///
    /// # Errors
    /// There is no such user.
    pub async fn remove_user_code(&self, actor: &Actor, user: UserId) -> Result<(), Error> {
        Ok(self.store.remove_code(actor, user, Keep::None).await?)
    }

    /// Ends all console sessions of a user; says how many.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn sign_out_everywhere(&self, actor: &Actor, user: UserId) -> Result<u32, Error> {
        Ok(self.store.end_sessions(actor, user, Keep::None).await?)
    }

    /// The organisations of a user, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn orgs_of(&self, user: UserId) -> Result<Vec<UserOrg>, Error> {
        Ok(self.store.orgs_of(user).await?)
    }

    /// Members by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn members(&self, org: OrgId, query: &MemberQuery) -> Result<Page<MemberRow, Cursor<UserId>>, Error> {
        Ok(self.store.members(org, query).await?)
    }

    /// One member.
    ///
    /// # Errors
    /// There is none with this id here.
    pub async fn member(&self, org: OrgId, user: UserId) -> Result<MemberRow, Error> {
        self.store
            .member(org, user)
            .await?
            .ok_or(Error::Unknown { what: "member" })
    }

    /// Makes a user a member.
    ///
    /// # Errors
    /// They are one already.
    pub async fn add_member(&self, actor: &Actor, org: OrgId, user: UserId, role: Role) -> Result<Member, Error> {
        Ok(self.store.add_member(actor, org, user, role).await?)
    }

    /// Changes a member's role from what it is known to be; devices of theirs end on mailboxes that only the old one
    /// reached.
    ///
    /// # Errors
    /// It is another one by now, or no owner would remain.
    pub async fn set_role(
        &self,
        actor: &Actor,
        org: OrgId,
        user: UserId,
        from: Role,
        to: Role,
    ) -> Result<RoleChange, Error> {
        Ok(self.store.set_role(actor, org, user, from, to).await?)
    }

    /// What would end with another role.
    ///
    /// # Errors
    /// They are no member.
    pub async fn ending_with_role(&self, org: OrgId, user: UserId, to: Role) -> Result<Ending, Error> {
        Ok(self.store.ending_with_role(org, user, to).await?)
    }

    /// Removes a member who is known to have this role, with their grants and the devices that belong to them here.
    ///
    /// # Errors
    /// They are none, have another role by now, or no owner would remain.
    pub async fn remove_member(&self, actor: &Actor, org: OrgId, user: UserId, role: Role) -> Result<Ended, Error> {
        Ok(self.store.remove_member(actor, org, user, role).await?)
    }

    /// What would end with a member (without a mailbox) or with a grant.
    ///
    /// # Errors
    /// There is no such member or grant.
    pub async fn ending_with(&self, org: OrgId, user: UserId, mailbox: Option<MailboxId>) -> Result<Ending, Error> {
        Ok(self.store.ending_with(org, user, mailbox).await?)
    }

    /// The grants on one mailbox, by the users' names.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn grants_on(&self, org: OrgId, mailbox: MailboxId) -> Result<Vec<GrantRow>, Error> {
        Ok(self.store.grants_on(org, mailbox).await?)
    }

    /// All grants of a user in one organisation, or in all, by address.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn grants_of(&self, org: Option<OrgId>, user: UserId) -> Result<Vec<Grant>, Error> {
        let mut grants: Vec<Grant> = Vec::new();
        loop {
            let after = grants.last().map(|grant| &grant.address);
            let page = self.store.grants_of(org, user, after, GRANTS_PAGE).await?;
            let last = u32::try_from(page.len()).is_ok_and(|read| read < GRANTS_PAGE);
            grants.extend(page);
            if last {
                return Ok(grants);
            }
        }
    }

    /// One grant.
    ///
    /// # Errors
    /// There is none.
    pub async fn grant(&self, org: OrgId, mailbox: MailboxId, user: UserId) -> Result<Grant, Error> {
        self.store
            .grant(org, mailbox, user)
            .await?
            .ok_or(Error::Unknown { what: "access" })
    }

    /// Gives a member access to a mailbox.
    ///
    /// # Errors
    /// They have some already, the end has passed, or one of them is not of this organisation.
    pub async fn give_grant(
        &self,
        actor: &Actor,
        org: OrgId,
        mailbox: MailboxId,
        user: UserId,
        terms: &GrantTerms,
    ) -> Result<Grant, Error> {
        self.must_end_later(terms.ends_at, "an access")?;
        Ok(self.store.give_grant(actor, org, mailbox, user, terms).await?)
    }

    /// Changes a grant from what it is known to say.
    ///
    /// # Errors
    /// It says something else by now, or the new end has passed.
    pub async fn change_grant(
        &self,
        actor: &Actor,
        grant: &Grant,
        org: OrgId,
        to: &GrantTerms,
    ) -> Result<(Grant, Seq), Error> {
        self.must_end_later(to.ends_at, "an access")?;
        let from = GrantTerms {
            rights: grant.rights,
            ends_at: grant.ends_at,
        };
        let changed = self
            .store
            .change_grant(actor, org, grant.mailbox, grant.user, &from, to)
            .await?;
        Ok(changed)
    }

    /// Withdraws a grant, with the devices of this mailbox that belong to its user.
    ///
    /// # Errors
    /// There is none.
    pub async fn withdraw_grant(
        &self,
        actor: &Actor,
        org: OrgId,
        mailbox: MailboxId,
        user: UserId,
    ) -> Result<Ended, Error> {
        Ok(self.store.withdraw_grant(actor, org, mailbox, user).await?)
    }

    /// Withdraws accesses whose date has come, and removes what ended long ago; called by the daemon again and again.
    ///
    /// # Errors
    /// The store cannot be written; the next round tries again.
    pub async fn tidy_people(&self) -> Result<Tidied, Error> {
        let kept_since = self.clock.utc().minus(ENDED_KEPT);
        Ok(self.store.tidy_people(&Actor::daemon(), kept_since, TIDIED_MAX).await?)
    }

    /// An end that has passed would take away at once what was to be given.
    pub(super) fn must_end_later(&self, ends_at: Option<Timestamp>, what: &'static str) -> Result<(), Error> {
        if ends_at.is_some_and(|ends_at| ends_at <= self.clock.utc()) {
            return Err(Error::Ends {
                what,
                latest: "any later day",
            });
        }
        Ok(())
    }

    /// Hashes a user's password off the runtime's threads, one at a time.
    async fn hash_user_password(&self, typed: NewPassword) -> Result<UserPassword, Error> {
        let _turn = self.hashing.wait(None).await?;
        let (keys, params) = (Arc::clone(&self.keys), self.params);
        let hashed = tokio::task::spawn_blocking(move || password::hash(params, &keys, &typed));
        Ok(hashed.await.expect("hashing does not panic and is never cancelled"))
    }
}
