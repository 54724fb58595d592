//! Inviting people, sending an invitation again, copying its link, taking it back.

use std::time::Duration;

use super::super::rights::Operation;
use super::super::{Error, Invite};
use super::people::is_powerful;
use super::{Acting, Desk, Letter};
use crate::identity::Token;
use crate::identity::token::Invitation as InvitationLink;
use crate::model::{Invitation, InvitationId, InvitationState, Language, MailboxId, Role};
use crate::secret::Secret;
use crate::store::{GrantTerms, InvitationQuery, Page};

/// Between two mails with the same invitation.
pub const SENT_AGAIN_AFTER: Duration = Duration::from_secs(10 * 60);

/// Whom to invite.
#[derive(Debug, Clone)]
pub struct InviteSpec {
    /// Their address.
    pub address: String,
    /// As what.
    pub role: Role,
    /// With which mailboxes.
    pub grants: Vec<(MailboxId, GrantTerms)>,
    /// In which language.
    pub language: Language,
    /// Send a mail; otherwise the link is handed over by whoever invites.
    pub by_mail: bool,
}

/// An invitation that was made or renewed.
#[derive(Debug)]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// What its link ends with, where it was not to be sent by mail.
    pub link: Option<Secret<String>>,
    /// It was to be sent by mail, and could not: too many mails wait, or went out to this address. It can be sent later, or
    /// a link be made to be handed over.
    pub is_unsent: bool,
}

impl Desk {
    /// Invites somebody. The answer does not depend on whether they are a user already.
    ///
    /// # Errors
    /// Whoever acts may not, the proof for administrators and owners is too old, a mailbox is not of this organisation, or
    /// somebody with this address is a member or invited already.
    pub async fn invite(&self, acting: &Acting, spec: InviteSpec) -> Result<Invited, Error> {
        let mut actor = self.allow(acting, Operation::InvitationCreate).await?;
        if spec.role == Role::Owner {
            actor = self.allow(acting, Operation::OwnerChange).await?;
        }
        if is_powerful(spec.role) {
            self.fresh_in_person(acting)?;
        }
        for (mailbox, _) in &spec.grants {
            self.allow_on(acting, Operation::GrantGive, *mailbox).await?;
        }
        let by_mail = spec.by_mail && self.post.is_open();
        let invite = Invite {
            address: spec.address,
            role: spec.role,
            grants: spec.grants,
            language: spec.language,
            invited_by: acting.user.name.clone(),
        };
        let (invitation, link) = self.directory.invite(&actor, acting.org.id, invite).await?;
        Ok(self.send(acting, invitation, link, by_mail).await)
    }

    /// Sends an invitation again, or makes a further link of it to be copied. Its end moves.
    ///
    /// # Errors
    /// Whoever acts may not, there is none, it was accepted or withdrawn, or a mail went out a moment ago.
    pub async fn renew_invitation(&self, acting: &Acting, id: InvitationId, by_mail: bool) -> Result<Invited, Error> {
        let actor = self.allow(acting, Operation::InvitationSend).await?;
        let invitation = self.directory.invitation(acting.org.id, id).await?;
        if is_powerful(invitation.role) {
            self.fresh_in_person(acting)?;
        }
        if invitation.role == Role::Owner {
            self.allow(acting, Operation::OwnerChange).await?;
        }
        let by_mail = by_mail && self.post.is_open();
        let again_at = invitation.sent_at.map(|at| at.plus(SENT_AGAIN_AFTER));
        let now = self.now();
        if let Some(again_at) = again_at.filter(|again_at| by_mail && *again_at > now) {
            let wait = u64::try_from(again_at.0.saturating_sub(now.0)).unwrap_or_default();
            return Err(Error::TooSoon {
                wait: Duration::from_millis(wait),
            });
        }
        let (invitation, link) = self.directory.renew_invitation(&actor, acting.org.id, id).await?;
        Ok(self.send(acting, invitation, link, by_mail).await)
    }

    async fn send(
        &self,
        acting: &Acting,
        invitation: Invitation,
        link: Token<InvitationLink>,
        by_mail: bool,
    ) -> Invited {
        if !by_mail {
            return Invited {
                invitation,
                link: Some(link.shown()),
                is_unsent: false,
            };
        }
        let org = acting.org.id.raw().to_le_bytes();
        let now = self.directory.clock.now();
        let room = self.throttle.take_invitation(now, &org, invitation.address.as_str());
        if room.is_err() {
            tracing::warn!(org.id = %acting.org.id, "an invitation was not sent: too many went out already");
            return Invited {
                invitation,
                link: None,
                is_unsent: true,
            };
        }
        let letter = Letter::Invitation {
            by: invitation.invited_by.clone(),
            org: acting.org.name.clone(),
            invitation: invitation.id,
            role: invitation.role,
            grants: invitation.grants.clone(),
            expires_at: invitation.expires_at,
            link,
        };
        let is_put = self
            .tell(&invitation.address, invitation.language, Some(acting.org.id), letter)
            .await;
        Invited {
            invitation,
            link: None,
            is_unsent: !is_put,
        }
    }

    /// Invitations, newest first.
    ///
    /// # Errors
    /// Whoever acts may not see them.
    pub async fn invitations(
        &self,
        acting: &Acting,
        query: &InvitationQuery,
    ) -> Result<Page<Invitation, InvitationId>, Error> {
        self.allow(acting, Operation::InvitationRead).await?;
        self.directory.invitations(acting.org.id, query).await
    }

    /// One invitation.
    ///
    /// # Errors
    /// Whoever acts may not see it, or there is none with this id here.
    pub async fn invitation(&self, acting: &Acting, id: InvitationId) -> Result<Invitation, Error> {
        self.allow(acting, Operation::InvitationRead).await?;
        self.directory.invitation(acting.org.id, id).await
    }

    /// Takes an invitation back: its links are dead at once.
    ///
    /// # Errors
    /// Whoever acts may not, there is none, or it was accepted.
    pub async fn withdraw_invitation(&self, acting: &Acting, id: InvitationId) -> Result<Invitation, Error> {
        let actor = self.allow(acting, Operation::InvitationWithdraw).await?;
        let invitation = self.directory.invitation(acting.org.id, id).await?;
        if matches!(invitation.state, InvitationState::Withdrawn(_)) {
            return Ok(invitation);
        }
        self.directory.withdraw_invitation(&actor, acting.org.id, id).await
    }
}
