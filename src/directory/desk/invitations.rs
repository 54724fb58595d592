//! Inviting people, sending an invitation again, copying its link, taking it back.

use std::collections::HashMap;
use std::time::Duration;

use super::super::rights::Operation;
use super::super::{Error, Invite};
use super::people::is_powerful;
use super::{Acting, Desk, Letter, Recipient};
use crate::identity::Token;
use crate::identity::token::Invitation as InvitationLink;
use crate::model::{Invitation, InvitationId, InvitationState, Language, Mail, MailboxId, Role};
use crate::secret::Secret;
use crate::store::{GrantTerms, InvitationQuery, MailFilter, Page};

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
    /// What its link ends with, where it was not sent by mail.
    pub link: Option<Secret<String>>,
    /// A mail was wanted, and could not be put into the outbox, or enough went to this address: so there is the link.
    pub not_mailed: bool,
}

impl Desk {
    /// Invites somebody. The answer does not depend on whether they are a user already.
    ///
    /// # Errors
    /// Whoever acts may not, the proof for administrators and owners or for access is too old, a mailbox is not of this
    /// organisation, or somebody with this address is a member or invited already.
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
        if !spec.grants.is_empty() {
            // It is a way to give access.
            self.fresh_or_token(acting)?;
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
                not_mailed: false,
            };
        }
        let shown = link.shown();
        let (org, now) = (acting.org.id.raw().to_le_bytes(), self.directory.clock.now());
        if self
            .throttle
            .take_invitation(now, &org, invitation.address.as_str())
            .is_err()
        {
            tracing::warn!(org.id = %acting.org.id, "an invitation is not sent: enough went out already");
            return Invited {
                invitation,
                link: Some(shown),
                not_mailed: true,
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
        let to = Recipient {
            address: invitation.address.clone(),
            language: invitation.language,
        };
        let put = self.post.put(&to, Some(acting.org.id), letter).await;
        if let Err(error) = &put {
            tracing::error!(%error, "an invitation is not sent");
        }
        Invited {
            invitation,
            link: put.is_err().then_some(shown),
            not_mailed: put.is_err(),
        }
    }

    /// The newest mail of each of these invitations that nobody has opened yet. One without any was not sent: its link was
    /// handed over, or its mail was lost.
    ///
    /// # Errors
    /// Whoever acts may not see invitations.
    pub async fn invitation_mails(
        &self,
        acting: &Acting,
        invitations: &[Invitation],
    ) -> Result<HashMap<InvitationId, Mail>, Error> {
        self.allow(acting, Operation::InvitationRead).await?;
        let mut mails = HashMap::new();
        let waits = |one: &&Invitation| one.state == InvitationState::Sent && one.opened_at.is_none();
        for invitation in invitations.iter().filter(waits) {
            let filter = MailFilter {
                org: Some(acting.org.id),
                invitation: Some(invitation.id),
                limit: 1,
                ..MailFilter::default()
            };
            let newest = self.store().mails(&filter).await?.pop();
            mails.extend(newest.map(|mail| (invitation.id, mail)));
        }
        Ok(mails)
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
        if matches!(
            invitation.state,
            InvitationState::Declined(_) | InvitationState::Withdrawn(_)
        ) {
            return Ok(invitation);
        }
        self.directory.withdraw_invitation(&actor, acting.org.id, id).await
    }
}
