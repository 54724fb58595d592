//! Mails that Postern sends to people: what each is about, and what has become of it.
//!
//! Only what may be shown: the content, which may hold a link, is sealed and stays between `outbox` and the store.

use super::person::Language;
use super::{Address, DeviceLinkId, InvitationId, MailId, OrgId};
use crate::clock::Timestamp;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident => $word:literal,)*) => {
        /// What a mail is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum MailKind {
            $($(#[$doc])* $name,)*
        }

        impl MailKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The fixed word in the store, in logs and listings.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

kinds! {
    /// Somebody may now use a mailbox, or has other rights there.
    AccessGiven => "access-given",
    /// Somebody may no longer use a mailbox.
    AccessWithdrawn => "access-withdrawn",
    /// Another sign-in address is to be confirmed; has a link.
    AddressConfirm => "address-confirm",
    /// Somebody signs in with another address from now on.
    AddressConfirmed => "address-confirmed",
    /// A mailbox has a new device.
    DeviceAdded => "device-added",
    /// What happened to a device since the last mail about it.
    DeviceDigest => "device-digest",
    /// A device is to be set up; has a link.
    DeviceLink => "device-link",
    /// A device signed in from a network that it was not known from.
    DeviceNetwork => "device-network",
    /// Devices were not used for a long time.
    DeviceUnused => "device-unused",
    /// An offer to become a member; has a link.
    Invitation => "invitation",
    /// Notices of devices were switched off.
    NoticesOff => "notices-off",
    /// A new password was asked for; has a link.
    PasswordReset => "password-reset",
    /// A password or a code was changed.
    SignInChanged => "sign-in-changed",
    /// Somebody tried whether mail arrives.
    Test => "test",
    /// A token for the API was made in somebody's name.
    TokenMade => "token-made",
}

impl MailKind {
    /// The kind with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// What has become of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// It waits for its first or next attempt, which is not made before this moment.
    Queued {
        /// Not before.
        next_at: Timestamp,
    },
    /// The mail server has taken it.
    Sent(Timestamp),
    /// It was refused for good, or not taken in time.
    Failed(Timestamp),
    /// It is not wanted any more.
    Withdrawn(Timestamp),
}

impl MailState {
    /// The words of all states.
    pub const NAMES: [&'static str; 4] = ["queued", "sent", "failed", "withdrawn"];

    /// The fixed word in the store, on the command line and in listings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Sent(_) => "sent",
            Self::Failed(_) => "failed",
            Self::Withdrawn(_) => "withdrawn",
        }
    }
}

/// A mail, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its id, and the first half of its Message-ID.
    pub id: MailId,
    /// What it is about.
    pub kind: MailKind,
    /// The organisation that it concerns, if one.
    pub org: Option<OrgId>,
    /// The invitation that it brings, if it does.
    pub invitation: Option<InvitationId>,
    /// The set-up link that it brings, if it does.
    pub link: Option<DeviceLinkId>,
    /// Whom it goes to.
    pub recipient: Address,
    /// In which language.
    pub language: Language,
    /// What has become of it.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt did not work, in the words of the mail server or ours.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_distinct_words_and_read_back() {
        for kind in MailKind::ALL {
            assert_eq!(MailKind::from_name(kind.name()), Some(*kind));
        }
        assert!(MailKind::ALL.is_sorted_by_key(|kind| kind.name()));
        assert_eq!(MailKind::from_name("newsletter"), None);
    }
}
