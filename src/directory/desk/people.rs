//! Members and their roles, and who has access to which mailbox.

use super::super::Error;
use super::super::rights::Operation;
use super::{Acting, Desk, Letter};
use crate::model::{Grant, Mailbox, MailboxId, Role, User, UserId};
use crate::store::{Actor, Cursor, Ended, Ending, GrantRow, GrantTerms, MemberQuery, MemberRow, Page, RoleChange, Seq};

impl Desk {
    /// Members by name.
    ///
    /// # Errors
    /// Whoever acts may not see them.
    pub async fn members(
        &self,
        acting: &Acting,
        query: &MemberQuery,
    ) -> Result<Page<MemberRow, Cursor<UserId>>, Error> {
        self.allow(acting, Operation::MemberRead).await?;
        self.directory.members(acting.org.id, query).await
    }

    /// One member.
    ///
    /// # Errors
    /// Whoever acts may not see them, or there is none with this id here.
    pub async fn member(&self, acting: &Acting, user: UserId) -> Result<MemberRow, Error> {
        self.allow(acting, Operation::MemberRead).await?;
        self.directory.member(acting.org.id, user).await
    }

    /// Gives a member another role than the one that was seen. Devices of theirs end on mailboxes that only the old one
    /// reached.
    ///
    /// # Errors
    /// Whoever acts may not, the proof for administrators and owners is too old, the role is another one by now, or no
    /// owner would remain.
    pub async fn set_role(&self, acting: &Acting, user: UserId, from: Role, to: Role) -> Result<RoleChange, Error> {
        let actor = self.allow_role(acting, from, to).await?;
        if is_powerful(to) {
            self.fresh_in_person(acting)?;
        }
        let changed = self.directory.set_role(&actor, acting.org.id, user, from, to).await?;
        if !changed.ended.what.devices.is_empty() {
            self.tell_withdrawn(acting, &changed.member.user, &changed.ended, false)
                .await;
        }
        Ok(changed)
    }

    /// What would end with another role than the one that was seen, to be shown before.
    ///
    /// # Errors
    /// Whoever acts may not give it, or there is none with this id here.
    pub async fn ending_with_role(
        &self,
        acting: &Acting,
        user: UserId,
        (from, to): (Role, Role),
    ) -> Result<Ending, Error> {
        self.allow_role(acting, from, to).await?;
        self.directory.ending_with_role(acting.org.id, user, to).await
    }

    async fn allow_role(&self, acting: &Acting, from: Role, to: Role) -> Result<Actor, Error> {
        let of_owner = from == Role::Owner || to == Role::Owner;
        let operation = if of_owner {
            Operation::OwnerChange
        } else {
            Operation::MemberRole
        };
        self.allow(acting, operation).await
    }

    /// What would end with a member, to be shown before.
    ///
    /// # Errors
    /// Whoever acts may not remove them, or there is none with this id here.
    pub async fn ending_with_member(&self, acting: &Acting, user: UserId) -> Result<Ending, Error> {
        self.allow_removal(acting, user).await?;
        self.directory.ending_with(acting.org.id, user, None).await
    }

    /// Removes a member whose role was seen to be this one, with their accesses and the devices that belong to them here.
    ///
    /// # Errors
    /// Whoever acts may not, there is none with this id here, the role is another one by now, or no owner would remain.
    pub async fn remove_member(&self, acting: &Acting, user: UserId, role: Role) -> Result<Ended, Error> {
        // The store removes nobody who has another role than the one that is asked about here.
        let (actor, member) = self.allow_removal(acting, user).await?;
        if role == Role::Owner {
            self.allow(acting, Operation::OwnerChange).await?;
        }
        let ended = self.directory.remove_member(&actor, acting.org.id, user, role).await?;
        self.tell_withdrawn(acting, &member.member.user, &ended, true).await;
        Ok(ended)
    }

    async fn allow_removal(&self, acting: &Acting, user: UserId) -> Result<(Actor, MemberRow), Error> {
        // Whoever may remove nobody learns nothing about who is there.
        let actor = self.allow(acting, Operation::MemberRemove).await?;
        let member = self.directory.member(acting.org.id, user).await?;
        if member.member.role == Role::Owner {
            self.allow(acting, Operation::OwnerChange).await?;
        }
        Ok((actor, member))
    }

    /// Who has access to a mailbox, by name.
    ///
    /// # Errors
    /// Whoever acts may not see it, or there is no such mailbox here.
    pub async fn grants_on(&self, acting: &Acting, mailbox: MailboxId) -> Result<Vec<GrantRow>, Error> {
        self.allow_on(acting, Operation::GrantRead, mailbox).await?;
        self.directory.grants_on(acting.org.id, mailbox).await
    }

    /// What a member has access to, by address. Everybody sees their own.
    ///
    /// # Errors
    /// Whoever acts may not see it, or there is no such member.
    pub async fn grants_of(&self, acting: &Acting, user: UserId) -> Result<Vec<Grant>, Error> {
        if user != acting.user.id {
            self.allow(acting, Operation::MemberRead).await?;
            self.directory.member(acting.org.id, user).await?;
        }
        self.directory.grants_of(Some(acting.org.id), user).await
    }

    /// Gives a member access to a mailbox.
    ///
    /// # Errors
    /// Whoever acts may not, their proof is too old, there is no such mailbox or member here, or they have access already.
    pub async fn give_grant(
        &self,
        acting: &Acting,
        mailbox: MailboxId,
        user: UserId,
        terms: &GrantTerms,
    ) -> Result<Grant, Error> {
        let (actor, row) = self.allow_on(acting, Operation::GrantGive, mailbox).await?;
        self.fresh_or_token(acting)?;
        let member = self.directory.member(acting.org.id, user).await?;
        let grant = self
            .directory
            .give_grant(&actor, acting.org.id, mailbox, user, terms)
            .await?;
        self.tell_given(acting, &member.member.user, &row.mailbox, terms).await;
        Ok(grant)
    }

    /// Changes an access from what was seen of it.
    ///
    /// # Errors
    /// Whoever acts may not, there is no such mailbox here, it gives more and their proof is too old, or the access is another
    /// one by now.
    pub async fn change_grant(&self, acting: &Acting, seen: &Grant, to: &GrantTerms) -> Result<(Grant, Seq), Error> {
        let (actor, row) = self.allow_on(acting, Operation::GrantGive, seen.mailbox).await?;
        if gives_more(seen, to) {
            self.fresh_or_token(acting)?;
        }
        let member = self.directory.member(acting.org.id, seen.user).await?;
        let changed = self.directory.change_grant(&actor, seen, acting.org.id, to).await?;
        self.tell_given(acting, &member.member.user, &row.mailbox, to).await;
        Ok(changed)
    }

    /// One access, as it is to be changed or withdrawn.
    ///
    /// # Errors
    /// Whoever acts may not see it, or there is none.
    pub async fn grant(&self, acting: &Acting, mailbox: MailboxId, user: UserId) -> Result<Grant, Error> {
        self.allow_on(acting, Operation::GrantRead, mailbox).await?;
        self.directory.grant(acting.org.id, mailbox, user).await
    }

    /// What would end with an access, to be shown before.
    ///
    /// # Errors
    /// Whoever acts may not withdraw it, or there is none.
    pub async fn ending_with_grant(&self, acting: &Acting, mailbox: MailboxId, user: UserId) -> Result<Ending, Error> {
        self.allow_on(acting, Operation::GrantWithdraw, mailbox).await?;
        self.directory.ending_with(acting.org.id, user, Some(mailbox)).await
    }

    /// Withdraws an access, with the devices of this mailbox that belong to its user.
    ///
    /// # Errors
    /// Whoever acts may not, or there is none.
    pub async fn withdraw_grant(&self, acting: &Acting, mailbox: MailboxId, user: UserId) -> Result<Ended, Error> {
        let (actor, _) = self.allow_on(acting, Operation::GrantWithdraw, mailbox).await?;
        let member = self.directory.member(acting.org.id, user).await?;
        let ended = self
            .directory
            .withdraw_grant(&actor, acting.org.id, mailbox, user)
            .await?;
        self.tell_withdrawn(acting, &member.member.user, &ended, false).await;
        Ok(ended)
    }

    async fn tell_given(&self, acting: &Acting, user: &User, mailbox: &Mailbox, terms: &GrantTerms) {
        let (by, org) = (acting.user.name.clone(), acting.org.name.clone());
        let letter = Letter::access_given(by, org, mailbox.address.clone(), terms);
        self.tell(&user.address, user.language, Some(acting.org.id), letter)
            .await;
    }

    async fn tell_withdrawn(&self, acting: &Acting, user: &User, ended: &Ended, left: bool) {
        let (by, org) = (acting.user.name.clone(), acting.org.name.clone());
        let letter = Letter::access_withdrawn(by, org, &ended.what, left);
        self.tell(&user.address, user.language, Some(acting.org.id), letter)
            .await;
    }
}

/// Whether an access would allow something that it did not, or for longer.
fn gives_more(seen: &Grant, to: &GrantTerms) -> bool {
    let lasts_longer = match (seen.ends_at, to.ends_at) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(seen), Some(to)) => to > seen,
    };
    lasts_longer || to.rights.iter().any(|right| !seen.rights.has(right))
}

/// Whether this role reaches mailboxes that were not granted: it is given to nobody without a fresh proof, which would
/// otherwise be walked round by giving it to an accomplice.
pub(super) const fn is_powerful(role: Role) -> bool {
    role.manages_mailboxes()
}
