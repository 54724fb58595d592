//! What somebody who runs the gateway looks up about people: across organisations, and by what people call things.

use super::{Directory, Error};
use crate::audit::chain::Walk;
use crate::model::{ApiToken, Invitation, InvitationId, InvitationState, OrgId, TokenId, User, UserId};
use crate::store::{
    AuditFilter, AuditPage, ConsoleSession, DeviceOwner, DeviceQuery, DeviceRow, Ending, InvitationQuery, page,
};

/// Rows of the audit log that one step of a verification reads: the store serves others in between.
const VERIFIED_AT_ONCE: u32 = 10_000;

impl Directory {
    /// All users, by address.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn all_users(&self) -> Result<Vec<User>, Error> {
        let mut users: Vec<User> = Vec::new();
        loop {
            let after = users.last().map(|user| user.address.clone());
            let read = self.users(after.as_ref(), page::PAGE_MAX).await?;
            let is_last = read.len() < page::PAGE_MAX as usize;
            users.extend(read);
            if is_last {
                return Ok(users);
            }
        }
    }

    /// The devices of an organisation that belong to a user and are not revoked, by address.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn devices_of(&self, org: OrgId, user: UserId) -> Result<Vec<DeviceRow>, Error> {
        let mut query = DeviceQuery {
            owner: Some(DeviceOwner::User(user)),
            limit: page::PAGE_MAX,
            ..DeviceQuery::default()
        };
        let mut devices = Vec::new();
        loop {
            let page = self.store.device_page(org, &query).await?;
            devices.extend(page.rows);
            if page.next.is_none() {
                return Ok(devices);
            }
            query.after = page.next;
        }
    }

    /// The console sessions of a user that have not ended, the latest seen first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<ConsoleSession>, Error> {
        Ok(self.store.sessions_of(user).await?)
    }

    /// Recovery codes of a user that were not used yet.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn recovery_codes_of(&self, user: UserId) -> Result<u32, Error> {
        let sign_in = self.store.sign_in_of(user).await?;
        Ok(sign_in.map_or(0, |sign_in| sign_in.recovery_codes))
    }

    /// What would end with a user, everywhere.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn ending_with_user(&self, user: UserId) -> Result<Ending, Error> {
        let mut all = Ending::default();
        for membership in self.orgs_of(user).await? {
            let here = self.ending_with(membership.org.id, user, None).await?;
            all.devices.extend(here.devices);
            all.grants.extend(here.grants);
            all.tokens = all.tokens.saturating_add(here.tokens);
        }
        all.sessions_ending = u32::try_from(self.sessions_of(user).await?.len()).unwrap_or(u32::MAX);
        Ok(all)
    }

    /// Finds an invitation by its id or by the invited address: one that can be accepted goes before others, and a newer
    /// one before an older one.
    ///
    /// # Errors
    /// There is none.
    pub async fn find_invitation(&self, org: OrgId, id_or_address: &str) -> Result<Invitation, Error> {
        let given = id_or_address.trim();
        if let Ok(id) = given.parse::<InvitationId>() {
            return self.invitation(org, id).await;
        }
        let address = super::mailboxes::parse(given)?;
        let mut of_address = self.all_invitations(org, false).await?;
        of_address.retain(|invitation| invitation.address == address);
        let open = of_address
            .iter()
            .position(|invitation| invitation.state == InvitationState::Sent);
        of_address
            .into_iter()
            .nth(open.unwrap_or(0))
            .ok_or(Error::Unknown { what: "invitation" })
    }

    /// All invitations of an organisation, or those that can be accepted, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn all_invitations(&self, org: OrgId, open: bool) -> Result<Vec<Invitation>, Error> {
        let mut query = InvitationQuery {
            open,
            limit: page::PAGE_MAX,
            ..InvitationQuery::default()
        };
        let mut invitations = Vec::new();
        loop {
            let page = self.invitations(org, &query).await?;
            invitations.extend(page.rows);
            if page.next.is_none() {
                return Ok(invitations);
            }
            query.before = page.next;
        }
    }

    /// Finds an API token by its id, in whatever organisation.
    ///
    /// # Errors
    /// There is none.
    pub async fn find_token(&self, id: TokenId) -> Result<ApiToken, Error> {
        for org in self.orgs().await? {
            let tokens = self.tokens(org.id, None).await?;
            if let Some(token) = tokens.into_iter().find(|token| token.id == id) {
                return Ok(token);
            }
        }
        Err(Error::Unknown { what: "API token" })
    }

    /// A page of audit rows, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn audit_page(&self, filter: &AuditFilter) -> Result<AuditPage, Error> {
        Ok(self.store.audit_page(filter).await?)
    }

    /// Walks on along the chain of audit rows, a step; the caller repeats it until the walk says how it ended.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn verify_audit(&self, walk: Walk) -> Result<Walk, Error> {
        Ok(self.store.verify_audit(walk, VERIFIED_AT_ONCE).await?)
    }
}
