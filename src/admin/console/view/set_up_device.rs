//! `/s/{token}`: what whoever follows a set-up link sees. It is for people who have no sign-in, on the device itself.

use super::devices::{Server, letters};
use super::qr::Qr;
use super::scope::*;
use crate::admin::console::text::Said;
use crate::secret::Secret;

/// What the device seems to be, or was said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// iPhone or iPad.
    Iphone,
    /// A Mac; an iPad may call itself one.
    Mac,
    /// An Android device.
    Android,
    /// Anything else.
    Other,
}

impl Platform {
    /// Every one, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Iphone, Self::Mac, Self::Android, Self::Other];

    /// The word in `?for=` and in the names of texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iphone => "iphone",
            Self::Mac => "mac",
            Self::Android => "android",
            Self::Other => "other",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Iphone => "platform-iphone",
            Self::Mac => "platform-mac",
            Self::Android => "platform-android",
            Self::Other => "platform-other",
        }
    }

    const fn heading(self) -> &'static str {
        match self {
            Self::Iphone => "setup-title-iphone",
            Self::Mac => "setup-title-mac",
            Self::Android => "setup-title-android",
            Self::Other => "setup-title-other",
        }
    }

    /// The four lines with the words of the system, where a profile is installed.
    const fn steps(self) -> [&'static str; 4] {
        match self {
            Self::Mac => ["setup-mac-1", "setup-mac-2", "setup-mac-3", "setup-mac-4"],
            Self::Iphone | Self::Android | Self::Other => {
                ["setup-iphone-1", "setup-iphone-2", "setup-iphone-3", "setup-iphone-4"]
            }
        }
    }
}

/// What is set up, and by whose leave.
#[derive(Debug, Clone)]
pub struct SetUpOffer {
    /// The organisation.
    pub org: String,
    /// The mailbox.
    pub address: String,
    /// The device.
    pub device: String,
    /// Who sent the link.
    pub by: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// How far whoever follows the link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetUpWay {
    /// Nobody has opened it.
    Ready,
    /// This browser has, and may start again.
    Again {
        /// The file was read.
        fetched: bool,
    },
    /// This browser has, and it may not start again.
    Over,
    /// The device has signed in.
    Done,
}

/// `/s/{token}` while there is something to do. Sends `action` (`profile` or `password`), and `again` where the password
/// that was shown is replaced. Takes `for`.
#[derive(Debug, Template)]
#[template(path = "door/set_up_device.html")]
pub struct SetUpDevice {
    /// What stands around it.
    pub frame: Frame,
    /// Its own path.
    pub path: String,
    /// What is set up.
    pub offer: SetUpOffer,
    /// On what.
    pub platform: Platform,
    /// A profile can be had: the device is Apple's, and receives and sends.
    pub has_profile: bool,
    /// How far.
    pub way: SetUpWay,
}

impl SetUpDevice {
    fn title(&self) -> Line {
        Line::new(match self.way {
            SetUpWay::Ready => self.platform.heading(),
            SetUpWay::Again { .. } | SetUpWay::Over => "setup-again-title",
            SetUpWay::Done => "setup-done-title",
        })
    }

    const fn is_again(&self) -> bool {
        matches!(self.way, SetUpWay::Again { .. })
    }
}

/// The answer to opening a link: the one showing of the password.
#[derive(Template)]
#[template(path = "door/set_up_device_password.html")]
pub struct SetUpPassword {
    /// What stands around it.
    pub frame: Frame,
    /// The link's path, where nothing is shown again.
    pub path: String,
    /// What is set up.
    pub offer: SetUpOffer,
    /// The password, as it is shown.
    pub password: Secret<String>,
    /// Where mail is received.
    pub imap: Option<Server>,
    /// Where mail is sent.
    pub smtp: Option<Server>,
    /// What Thunderbird for Android reads, on such a device.
    pub qr: Option<Qr>,
}

impl SetUpPassword {
    fn title(&self) -> Line {
        Line::new("password-title").with("device", &self.offer.device)
    }

    fn shown(&self) -> &str {
        self.password.expose()
    }

    fn letters(&self) -> Vec<(char, Said<'_>)> {
        letters(&self.frame, self.shown())
    }
}

/// Why a link gives nothing.
#[derive(Debug, Clone)]
pub enum SetUpClosed {
    /// Another browser opened it.
    Taken {
        /// When.
        at: Timestamp,
        /// Whom to ask.
        by: String,
    },
    /// Its time ran out.
    Expired {
        /// When.
        at: Timestamp,
        /// Whom to ask.
        by: String,
    },
    /// It was withdrawn, or a newer one was sent.
    Withdrawn {
        /// Whom to ask.
        by: String,
    },
    /// The device was disconnected or switched off.
    Off {
        /// Whom to ask.
        by: String,
    },
    /// No such link.
    Unknown,
}

/// `/s/{token}` where the link gives nothing (any more).
#[derive(Debug, Template)]
#[template(path = "door/set_up_device_closed.html")]
pub struct SetUpDeviceClosed {
    /// What stands around it.
    pub frame: Frame,
    /// Its own path.
    pub path: String,
    /// Why.
    pub reason: SetUpClosed,
}

impl SetUpDeviceClosed {
    fn title(&self) -> Line {
        Line::new(match self.reason {
            SetUpClosed::Taken { .. } => "setup-taken-title",
            SetUpClosed::Expired { .. } => "setup-expired-title",
            SetUpClosed::Withdrawn { .. } => "setup-withdrawn-title",
            SetUpClosed::Off { .. } => "setup-off-title",
            SetUpClosed::Unknown => "setup-unknown-title",
        })
    }
}
