//! Invitations: the list, a new one, one with its link.

use super::device::MailboxLink;
use super::door::InvitedMailbox;
use super::scope::*;
use crate::model::{InvitationId, Role};

/// Where an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationState {
    /// Somebody accepted it.
    Accepted(Timestamp),
    /// The mail could not be delivered.
    Bounced(Timestamp),
    /// The person declined it.
    Declined(Timestamp),
    /// Its time is over.
    Expired(Timestamp),
    /// Its link was opened, and nothing more.
    Opened(Timestamp),
    /// The mail went out.
    Sent(Timestamp),
    /// No mail with it went out, and none waits.
    Unsent,
    /// The mail waits to go out, or to be tried again.
    Waiting,
    /// It was taken back.
    Withdrawn(Timestamp),
}

impl InvitationState {
    /// It can still be accepted.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Bounced(_) | Self::Opened(_) | Self::Sent(_) | Self::Unsent | Self::Waiting
        )
    }

    /// When it came to stand so.
    pub const fn at(self) -> Option<Timestamp> {
        match self {
            Self::Accepted(at)
            | Self::Bounced(at)
            | Self::Declined(at)
            | Self::Expired(at)
            | Self::Opened(at)
            | Self::Sent(at)
            | Self::Withdrawn(at) => Some(at),
            Self::Unsent | Self::Waiting => None,
        }
    }

    /// As a badge.
    pub const fn badge(self) -> Badge {
        let (tone, key) = match self {
            Self::Accepted(_) => (Tone::Good, "invitation-accepted"),
            Self::Bounced(_) => (Tone::Bad, "invitation-bounced"),
            Self::Declined(_) => (Tone::Plain, "invitation-declined"),
            Self::Expired(_) => (Tone::Plain, "invitation-expired"),
            Self::Opened(_) => (Tone::Good, "invitation-opened"),
            Self::Sent(_) => (Tone::Plain, "invitation-sent"),
            Self::Unsent => (Tone::Warning, "invitation-unsent"),
            Self::Waiting => (Tone::Warning, "invitation-waiting"),
            Self::Withdrawn(_) => (Tone::Plain, "invitation-withdrawn"),
        };
        Badge::new(tone, Line::new(key))
    }
}

/// An invitation in the list.
#[derive(Debug, Clone)]
pub struct InvitationRow {
    /// Which.
    pub id: InvitationId,
    /// Whom.
    pub address: String,
    /// With which role.
    pub role: Role,
    /// To how many mailboxes.
    pub mailboxes: u64,
    /// Who invited.
    pub invited_by: String,
    /// Where it stands.
    pub state: InvitationState,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

/// `/o/{org}/invitations`.
#[derive(Debug, Template)]
#[template(path = "org/invitations.html")]
pub struct Invitations {
    /// What stands around it.
    pub frame: Frame,
    /// The list.
    pub listing: Listing,
    /// Its rows.
    pub rows: Vec<InvitationRow>,
    /// People may be invited.
    pub may_invite: bool,
}

impl Invitations {
    fn title(&self) -> Line {
        Line::new("nav-invitations")
    }
}

/// `/o/{org}/invitations/new`. Sends `address`, `role`, `mailbox` (any number of ids), `rights` (the same for all of them),
/// `ends`, `language`, and `send`: `mail` or `link`.
#[derive(Debug, Template)]
#[template(path = "org/invitation_new.html")]
pub struct NewInvitation {
    /// What stands around it.
    pub frame: Frame,
    /// Whom.
    pub address: Field,
    /// The address is in one of the organisation's own domains: whoever loses the mailbox loses the sign-in.
    pub is_own_domain: bool,
    /// With which role.
    pub role: Field,
    /// The roles that may be given.
    pub offered: Vec<Role>,
    /// The mailboxes to choose from; with more than a few, those that match what was searched for.
    pub mailboxes: Vec<MailboxLink>,
    /// Which of them were chosen.
    pub chosen: Ticks,
    /// With which rights.
    pub rights: Ticks,
    /// The last day.
    pub ends: Field,
    /// The language of the mail and of the Manager for them.
    pub language: Field,
    /// Mail can be sent; otherwise only the link is offered.
    pub can_send: bool,
}

impl NewInvitation {
    fn title(&self) -> Line {
        Line::new("invitation-new")
    }
}

/// `/o/{org}/invitations/{invitation}`. `.../resend` sends `send`; `.../withdraw` is `confirm`'s.
#[derive(Debug, Template)]
#[template(path = "org/invitation.html")]
pub struct InvitationPage {
    /// What stands around it.
    pub frame: Frame,
    /// Which.
    pub invitation: InvitationRow,
    /// What it gives access to.
    pub mailboxes: Vec<InvitedMailbox>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its link, once: right after it was made or sent again.
    pub link: Option<String>,
    /// What the mail server said, where the mail could not be delivered.
    pub bounce: Option<String>,
    /// What it said so far, where the mail is tried again.
    pub trouble: Option<String>,
    /// It may be sent again and withdrawn.
    pub may_change: bool,
    /// Mail can be sent; otherwise only a new link is offered.
    pub can_send: bool,
    /// It cannot be sent again before this moment.
    pub again_at: Option<Timestamp>,
}

impl InvitationPage {
    fn title(&self) -> Line {
        Line::name(&self.invitation.address)
    }

    /// Nothing is on its way; with the link on the page it is about to be.
    fn is_unsent(&self) -> bool {
        self.invitation.state == InvitationState::Unsent && self.link.is_none()
    }
}
