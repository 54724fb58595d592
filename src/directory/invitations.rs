//! Invitations and API tokens, as the machine makes them; the desk asks for rights first and then calls these.

use super::mailboxes::parse;
use super::{Directory, Error};
use crate::clock::Timestamp;
use crate::identity::Token;
use crate::identity::lifetime::API_TOKEN_MAX;
use crate::identity::token::{Api, Invitation as InvitationLink};
use crate::model::{
    ApiToken, Invitation, InvitationId, Language, MailboxId, OrgId, Role, TokenId, TokenScope, UserId, name,
};
use crate::store::{Actor, GrantTerms, InvitationQuery, NewInvitation, NewToken, Page};

/// Whom to invite, as what, and with which mailboxes.
#[derive(Debug, Clone)]
pub struct Invite {
    /// Their address.
    pub address: String,
    /// Their role.
    pub role: Role,
    /// What they may do with which mailboxes.
    pub grants: Vec<(MailboxId, GrantTerms)>,
    /// In which language they are written to.
    pub language: Language,
    /// Who invites, as people read it.
    pub invited_by: String,
}

/// A token for the API to be made.
#[derive(Debug, Clone)]
pub struct TokenSpec {
    /// What it is called.
    pub name: String,
    /// The most it may do.
    pub role: Role,
    /// Whether it may change anything.
    pub scope: TokenScope,
    /// Its end: at most [`API_TOKEN_MAX`] from now.
    pub expires_at: Timestamp,
}

impl Directory {
    /// Invites somebody; the link is shown or sent once.
    ///
    /// # Errors
    /// The address is none, they are a member or have an open invitation, or a mailbox is not of this organisation.
    pub async fn invite(
        &self,
        actor: &Actor,
        org: OrgId,
        invite: Invite,
    ) -> Result<(Invitation, Token<InvitationLink>), Error> {
        let address = parse(&invite.address)?;
        for (_, terms) in &invite.grants {
            self.must_end_later(terms.ends_at, "an access")?;
        }
        let link = Token::generate();
        let new = NewInvitation {
            address,
            role: invite.role,
            grants: invite.grants,
            language: invite.language,
            invited_by: invite.invited_by,
            link: link.hash(&self.keys),
            expires_at: self.clock.utc().plus(self.lifetimes.invitation),
        };
        Ok((self.store.create_invitation(actor, org, &new).await?, link))
    }

    /// Makes a further link to an invitation and moves its end.
    ///
    /// # Errors
    /// It was accepted or withdrawn.
    pub async fn renew_invitation(
        &self,
        actor: &Actor,
        org: OrgId,
        id: InvitationId,
    ) -> Result<(Invitation, Token<InvitationLink>), Error> {
        let link = Token::generate();
        let expires_at = self.clock.utc().plus(self.lifetimes.invitation);
        let hash = link.hash(&self.keys);
        let renewed = self.store.renew_invitation(actor, org, id, &hash, expires_at).await?;
        Ok((renewed, link))
    }

    /// One invitation.
    ///
    /// # Errors
    /// There is none with this id here.
    pub async fn invitation(&self, org: OrgId, id: InvitationId) -> Result<Invitation, Error> {
        self.store
            .invitation(org, id)
            .await?
            .ok_or(Error::Unknown { what: "invitation" })
    }

    /// Invitations, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn invitations(
        &self,
        org: OrgId,
        query: &InvitationQuery,
    ) -> Result<Page<Invitation, InvitationId>, Error> {
        Ok(self.store.invitations(org, query).await?)
    }

    /// Takes an invitation back.
    ///
    /// # Errors
    /// It was accepted.
    pub async fn withdraw_invitation(&self, actor: &Actor, org: OrgId, id: InvitationId) -> Result<Invitation, Error> {
        Ok(self.store.withdraw_invitation(actor, org, id).await?)
    }

    /// Makes an API token in a member's name; it is shown once.
    ///
    /// # Errors
    /// The name cannot be accepted, the end has passed or is too far away, or the user is no member.
    pub async fn create_token(
        &self,
        actor: &Actor,
        org: OrgId,
        user: UserId,
        spec: TokenSpec,
    ) -> Result<(ApiToken, Token<Api>), Error> {
        let now = self.clock.utc();
        if spec.expires_at <= now || spec.expires_at > now.plus(API_TOKEN_MAX) {
            return Err(Error::Ends {
                what: "an API token",
                latest: "a year from now",
            });
        }
        let token = Token::generate();
        let new = NewToken {
            user,
            name: name::token_name(&spec.name)?,
            hash: token.hash(&self.keys),
            role: spec.role,
            scope: spec.scope,
            expires_at: Some(spec.expires_at),
        };
        Ok((self.store.create_token(actor, org, &new).await?, token))
    }

    /// The API tokens of an organisation, or of one member.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn tokens(&self, org: OrgId, user: Option<UserId>) -> Result<Vec<ApiToken>, Error> {
        Ok(self.store.tokens(org, user).await?)
    }

    /// Ends an API token.
    ///
    /// # Errors
    /// There is none with this id here.
    pub async fn revoke_token(&self, actor: &Actor, org: OrgId, id: TokenId) -> Result<(), Error> {
        Ok(self.store.revoke_token(actor, org, id).await?)
    }
}
