//! What people are told of devices by mail, and may be spared: kinds that an organisation can switch off.
//!
//! Invitations, links for a new password, changes of somebody's sign-in or access, and the owner's word of a new API token
//! are no notices in this sense: they cannot be switched off.

use std::fmt;
use std::str::FromStr;

/// A kind of notice that an organisation can switch off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// A mailbox has a new device, or a device a new password.
    DeviceAdded,
    /// A device signed in from a network that it was not known from.
    DeviceNetwork,
    /// A device was not used for a long time.
    DeviceUnused,
}

impl NoticeKind {
    /// Every kind, in the order of their words.
    pub const ALL: [Self; 3] = [Self::DeviceAdded, Self::DeviceNetwork, Self::DeviceUnused];

    /// The fixed word in the store, the API, the command line and the names of texts; also the kind of its mail.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeviceAdded => "device-added",
            Self::DeviceNetwork => "device-network",
            Self::DeviceUnused => "device-unused",
        }
    }

    /// Reads what [`NoticeKind::name`] wrote.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is no kind of notice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a notice that can be switched: write device-added, device-network or device-unused")]
pub struct BadNotice {
    given: String,
}

impl FromStr for NoticeKind {
    type Err = BadNotice;

    fn from_str(text: &str) -> Result<Self, BadNotice> {
        Self::from_name(text).ok_or_else(|| BadNotice { given: text.to_owned() })
    }
}

/// Which kinds an organisation has switched off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoticesOff(u8);

impl NoticesOff {
    const fn bit(kind: NoticeKind) -> u8 {
        1 << kind as u8
    }

    /// Whether this kind is switched off.
    pub const fn has(self, kind: NoticeKind) -> bool {
        self.0 & Self::bit(kind) != 0
    }

    /// These, with this kind switched off or on.
    #[must_use]
    pub const fn set(self, kind: NoticeKind, off: bool) -> Self {
        if off {
            Self(self.0 | Self::bit(kind))
        } else {
            Self(self.0 & !Self::bit(kind))
        }
    }

    /// The kinds that are switched off, in order.
    pub fn iter(self) -> impl Iterator<Item = NoticeKind> {
        NoticeKind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }
}

impl FromIterator<NoticeKind> for NoticesOff {
    fn from_iter<I: IntoIterator<Item = NoticeKind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::default(), |off, kind| off.set(kind, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MailKind;

    #[test]
    fn kinds_read_back_and_are_kinds_of_mails() {
        for kind in NoticeKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            assert!(MailKind::from_name(kind.name()).is_some(), "{kind}");
        }
        assert!(NoticeKind::ALL.is_sorted_by_key(|kind| kind.name()));
        let bad = "invitation".parse::<NoticeKind>().unwrap_err().to_string();
        assert!(
            bad.starts_with("\"invitation\" is not a notice that can be switched"),
            "{bad}"
        );
    }

    #[test]
    fn kinds_are_switched_one_by_one() {
        let off = NoticesOff::default().set(NoticeKind::DeviceUnused, true);
        assert!(off.has(NoticeKind::DeviceUnused) && !off.has(NoticeKind::DeviceAdded));
        assert_eq!(off.iter().collect::<NoticesOff>(), off);
        assert_eq!(off.set(NoticeKind::DeviceUnused, false), NoticesOff::default());
    }
}
