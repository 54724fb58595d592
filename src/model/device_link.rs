//! A set-up link: whoever opens it sets one device up and gets its password, which nobody knew before.

use std::net::IpAddr;

use super::{Address, DeviceId, DeviceLinkId, Language, MailboxId, OrgId, UserId};
use crate::clock::Timestamp;

/// What has become of a set-up link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceLinkState {
    /// Nobody has opened it yet.
    Sent,
    /// Its device was disconnected.
    Ended(Timestamp),
    /// Its time ran out before anybody opened it.
    Expired(Timestamp),
    /// Its file was read.
    Fetched(Timestamp),
    /// It was opened.
    Opened(Timestamp),
    /// Its device has signed in.
    SignedIn(Timestamp),
    /// Withdrawn, or replaced by a newer one or by a password that was shown.
    Withdrawn(Timestamp),
}

/// The moments that tell the state of a link.
#[derive(Debug, Clone, Copy, Default)]
pub struct LinkMoments {
    /// The device was revoked.
    pub revoked: Option<Timestamp>,
    /// The link was withdrawn.
    pub withdrawn: Option<Timestamp>,
    /// It was opened.
    pub opened: Option<Timestamp>,
    /// Its file was read.
    pub fetched: Option<Timestamp>,
    /// The device's last sign-in with the password that the link gave.
    pub used: Option<Timestamp>,
}

impl DeviceLinkState {
    /// The state that these moments tell, of a link with this end.
    pub fn of(moments: LinkMoments, expires_at: Timestamp, now: Timestamp) -> Self {
        if let Some(at) = moments.revoked {
            return Self::Ended(at);
        }
        if let Some(at) = moments.withdrawn {
            return Self::Withdrawn(at);
        }
        let Some(opened) = moments.opened else {
            return if expires_at <= now {
                Self::Expired(expires_at)
            } else {
                Self::Sent
            };
        };
        match (moments.used, moments.fetched) {
            (Some(used), _) if used >= opened => Self::SignedIn(used),
            (_, Some(fetched)) => Self::Fetched(fetched),
            _ => Self::Opened(opened),
        }
    }

    /// The fixed word in the API, on the command line and in the names of texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Ended(_) => "ended",
            Self::Expired(_) => "expired",
            Self::Fetched(_) => "fetched",
            Self::Opened(_) => "opened",
            Self::SignedIn(_) => "signed-in",
            Self::Withdrawn(_) => "withdrawn",
        }
    }

    /// Since when it is in this state; a link that waits has no such moment.
    pub const fn since(self) -> Option<Timestamp> {
        match self {
            Self::Sent => None,
            Self::Ended(at)
            | Self::Expired(at)
            | Self::Fetched(at)
            | Self::Opened(at)
            | Self::SignedIn(at)
            | Self::Withdrawn(at) => Some(at),
        }
    }

    /// Whether there is something to withdraw: nobody has signed in by it, and it was not ended otherwise.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Sent | Self::Opened(_) | Self::Fetched(_))
    }
}

/// A set-up link, as it is shown; its secret is not among it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceLink {
    /// Its id.
    pub id: DeviceLinkId,
    /// The device that it sets up.
    pub device: DeviceId,
    /// The mailbox of the device.
    pub mailbox: MailboxId,
    /// The organisation of both.
    pub org: OrgId,
    /// The user who made it; none where the command line did.
    pub sender: Option<UserId>,
    /// Who made it, as people read it.
    pub sent_by: String,
    /// Where it was mailed to; nowhere where it was handed over.
    pub recipient: Option<Address>,
    /// The language of its mail.
    pub language: Language,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its end.
    pub expires_at: Timestamp,
    /// When it was opened.
    pub opened_at: Option<Timestamp>,
    /// From where it was opened.
    pub opened_from: Option<IpAddr>,
    /// When its file was read.
    pub fetched_at: Option<Timestamp>,
    /// What has become of it.
    pub state: DeviceLinkState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_goes_from_sent_to_signed_in_and_what_ends_it_stands_before_all_else() {
        let at = Timestamp;
        let mut moments = LinkMoments::default();
        let state = |moments, now| DeviceLinkState::of(moments, at(100), at(now));
        assert_eq!(state(moments, 99), DeviceLinkState::Sent);
        assert_eq!(state(moments, 100), DeviceLinkState::Expired(at(100)));
        moments.opened = Some(at(50));
        assert_eq!(state(moments, 200), DeviceLinkState::Opened(at(50)), "opened in time");
        moments.fetched = Some(at(60));
        assert_eq!(state(moments, 70), DeviceLinkState::Fetched(at(60)));
        moments.used = Some(at(40));
        assert_eq!(
            state(moments, 70),
            DeviceLinkState::Fetched(at(60)),
            "used before, with an older password"
        );
        moments.used = Some(at(65));
        assert_eq!(state(moments, 70), DeviceLinkState::SignedIn(at(65)));
        moments.withdrawn = Some(at(66));
        assert_eq!(state(moments, 70), DeviceLinkState::Withdrawn(at(66)));
        moments.revoked = Some(at(67));
        assert_eq!(state(moments, 70), DeviceLinkState::Ended(at(67)));
    }
}
