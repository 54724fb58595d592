//! A device as lists and pages show it.

use std::net::IpAddr;

use super::scope::*;
use crate::model::device::Use;
use crate::model::{DeviceId, DeviceKind, DeviceLinkState, MailboxId, OrgId, Scopes, UserId};
use crate::peer::Protocol;

/// An end nearer than this is shown in lists.
const SOON_MS: i64 = 14 * 24 * 60 * 60 * 1000;

/// A mailbox to link to.
#[derive(Debug, Clone)]
pub struct MailboxLink {
    /// Which.
    pub id: MailboxId,
    /// Its address.
    pub address: String,
}

/// A person to link to.
#[derive(Debug, Clone)]
pub struct PersonLink {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: String,
}

/// Whether a device may log in, apart from network and scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Active,
    /// Its time is over.
    Expired(Timestamp),
    /// Switched off for a while.
    Paused(Timestamp),
    /// Ended for good.
    Revoked(Timestamp),
}

/// Somewhere a password that is no longer valid is still tried.
#[derive(Debug, Clone)]
pub struct Knocking {
    /// How often so far.
    pub tries: u64,
    /// The first time.
    pub since: Timestamp,
    /// The last time.
    pub last: Timestamp,
    /// By which protocol, the last time.
    pub by: Protocol,
    /// From where, the last time.
    pub from: IpAddr,
}

impl Knocking {
    /// The protocol as people know it.
    pub fn protocol(&self) -> String {
        self.by.name().to_uppercase()
    }
}

/// A device in a list.
#[derive(Debug, Clone)]
pub struct DeviceRow {
    /// In which organisation.
    pub org: OrgId,
    /// Which.
    pub id: DeviceId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: DeviceKind,
    /// Whose password it is.
    pub mailbox: MailboxLink,
    /// The person it belongs to.
    pub person: Option<PersonLink>,
    /// What it may do with mail.
    pub scopes: Scopes,
    /// Whether it may log in.
    pub standing: Standing,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// The last sign-in.
    pub last_used: Option<Use>,
    /// Connections at this moment.
    pub live: u32,
    /// Its password came by import.
    pub imported: bool,
    /// An old password of it is still tried.
    pub knocking: Option<Knocking>,
    /// What has become of the link that sets it up, where it has one.
    pub link: Option<DeviceLinkState>,
}

impl DeviceRow {
    /// The path of its page.
    pub fn href(&self) -> String {
        format!("/o/{}/devices/{}", self.org, self.id)
    }

    /// It will not log in again.
    pub const fn is_over(&self) -> bool {
        matches!(self.standing, Standing::Revoked(_))
    }

    /// What to do about an old password that is still tried.
    pub const fn knocking_key(&self) -> &'static str {
        if self.is_over() {
            "device-gone-password"
        } else {
            "device-old-password"
        }
    }

    /// Its state.
    pub fn badge(&self) -> Badge {
        badge(self.standing, self.live, self.last_used.is_some(), self.link)
    }

    /// Its end, where that is near and it has not ended.
    pub fn expires_soon(&self, now: &Timestamp) -> Option<Timestamp> {
        let end = self.expires_at?;
        let is_near = end > *now && end.0.saturating_sub(now.0) < SOON_MS;
        (is_near && self.standing == Standing::Active).then_some(end)
    }

    /// The name of its state in the live stream.
    pub fn live_key(&self) -> String {
        live_key(self.id)
    }
}

/// The name of a device's state in the live stream.
pub fn live_key(device: DeviceId) -> String {
    format!("device:{device}")
}

/// The state of a device in a word.
pub fn badge(standing: Standing, live: u32, was_used: bool, link: Option<DeviceLinkState>) -> Badge {
    match standing {
        Standing::Revoked(_) => Badge::new(Tone::Plain, Line::new("device-state-disconnected")),
        Standing::Expired(_) => Badge::new(Tone::Plain, Line::new("device-state-expired")),
        Standing::Paused(_) => Badge::new(Tone::Warning, Line::new("device-state-paused")),
        Standing::Active if live > 0 => Badge::new(Tone::Good, Line::new("device-state-connected").with("count", live)),
        Standing::Active if was_used => Badge::new(Tone::Plain, Line::new("device-state-active")),
        Standing::Active => match link {
            Some(
                state @ (DeviceLinkState::Sent
                | DeviceLinkState::Expired(_)
                | DeviceLinkState::Opened(_)
                | DeviceLinkState::Fetched(_)),
            ) => link_badge(&state),
            _ => Badge::new(Tone::Warning, Line::new("device-state-never")),
        },
    }
}

/// What has become of a set-up link, in a few words.
pub const fn link_badge(state: &DeviceLinkState) -> Badge {
    let (tone, key) = match state {
        DeviceLinkState::Sent => (Tone::Warning, "link-state-sent"),
        DeviceLinkState::Opened(_) => (Tone::Warning, "link-state-opened"),
        DeviceLinkState::Fetched(_) => (Tone::Warning, "link-state-fetched"),
        DeviceLinkState::SignedIn(_) => (Tone::Good, "link-state-signed-in"),
        DeviceLinkState::Withdrawn(_) => (Tone::Plain, "link-state-withdrawn"),
        DeviceLinkState::Expired(_) => (Tone::Plain, "link-state-expired"),
        DeviceLinkState::Ended(_) => (Tone::Plain, "device-state-disconnected"),
    };
    Badge::new(tone, Line::new(key))
}

/// A device's state by itself, for the live stream: what stands in the element whose `data-live` is
/// [`live_key`].
#[derive(Debug, Template)]
#[template(path = "live/badge.html")]
pub struct LiveBadge<'a> {
    /// The reader's frame.
    pub frame: &'a Frame,
    /// The state.
    pub badge: Badge,
}

/// How far the first sign-in of a new password has come.
#[derive(Debug, Clone)]
pub enum FirstSignIn {
    /// Nothing has been seen yet.
    Waiting,
    /// Nothing has been seen for a minute: which server and port it should try.
    Silent {
        /// The server.
        host: String,
        /// Its port.
        port: u16,
    },
    /// It tried, and this was wrong.
    Tried(Trouble),
    /// It is switched off, so that it cannot.
    Paused,
    /// Its time is over, so that it cannot.
    Expired,
    /// It signed in.
    Connected {
        /// The sign-in.
        used: Use,
        /// It may receive, and whether it has.
        receiving: Option<bool>,
        /// It may send, and whether it has.
        sending: Option<bool>,
        /// What was wrong when it tried the other.
        trouble: Option<Trouble>,
    },
}

impl FirstSignIn {
    /// Its password should be replaced.
    pub const fn wants_replacement(&self) -> bool {
        let trouble = match self {
            Self::Tried(trouble) => trouble,
            Self::Connected {
                trouble: Some(trouble), ..
            } => trouble,
            _ => return false,
        };
        matches!(trouble.why, Why::Unencrypted { exposed: true, .. })
    }
}

/// A try that came to nothing.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub from: IpAddr,
    /// Whether the reader may know from where.
    pub is_from_told: bool,
    /// By which protocol.
    pub protocol: Protocol,
    /// Why.
    pub why: Why,
}

/// Why a try came to nothing.
#[derive(Debug, Clone)]
pub enum Why {
    /// It broke off when it saw the certificate.
    Certificate {
        /// The name that it should know the server by.
        host: String,
    },
    /// Its time was over.
    Expired,
    /// Its password is right; the mail store did not let it in.
    MailStore,
    /// It used the password that it had before.
    OldPassword,
    /// It was switched off.
    Paused,
    /// The mailbox was suspended.
    Suspended,
    /// There were too many connections.
    TooMany,
    /// It wanted to sign in without encryption.
    Unencrypted {
        /// Its password went over the network so.
        exposed: bool,
        /// Where it gets another one.
        replace: Option<String>,
    },
    /// It used another name than the mailbox's address.
    WrongName {
        /// Which, where that can be shown.
        given: Option<String>,
        /// Which it should use.
        address: String,
    },
    /// It was in a network from which it may not sign in.
    WrongNetwork,
    /// It used another password.
    WrongPassword,
    /// It used a protocol that it may not use.
    WrongScope,
}

impl Trouble {
    /// What was wrong, and what to do.
    pub fn line(&self) -> Line {
        let (at, from) = (&self.at, &self.from);
        let told = |with_place, without| {
            if self.is_from_told {
                Line::new(with_place).with("when", at).with("from", from)
            } else {
                Line::new(without).with("when", at)
            }
        };
        match &self.why {
            Why::Certificate { host } => Line::new("first-certificate").with("when", at).with("host", host),
            Why::Expired => Line::new("first-expired"),
            Why::MailStore => Line::new("first-mail-store").with("when", at),
            Why::OldPassword => Line::new("first-old-password").with("when", at).with("from", from),
            Why::Paused => Line::new("first-paused"),
            Why::Suspended => Line::new("first-suspended").with("when", at),
            Why::TooMany => told("first-too-many", "first-too-many-near"),
            Why::Unencrypted { exposed: true, .. } => {
                Line::new("first-unencrypted").with("when", at).with("from", from)
            }
            Why::Unencrypted { .. } => told("first-somebody-unencrypted", "first-unencrypted-near"),
            Why::WrongName {
                given: Some(given),
                address,
            } => Line::new("first-wrong-name")
                .with("given", given)
                .with("address", address),
            Why::WrongName { given: None, address } => Line::new("first-other-name").with("address", address),
            Why::WrongNetwork => Line::new("first-wrong-network").with("when", at).with("from", from),
            Why::WrongPassword => told("first-wrong-password", "first-wrong-password-elsewhere"),
            Why::WrongScope if self.protocol == Protocol::Imap => Line::new("first-may-not-receive").with("when", at),
            Why::WrongScope => Line::new("first-may-not-send").with("when", at),
        }
    }

    /// Its password went over the network in clear.
    pub const fn is_exposed(&self) -> bool {
        matches!(self.why, Why::Unencrypted { exposed: true, .. })
    }

    /// Where it gets another password, for those who may.
    pub fn replace(&self) -> Option<&str> {
        match &self.why {
            Why::Unencrypted { replace, .. } => replace.as_deref(),
            _ => None,
        }
    }
}

/// How far the first sign-in has come, by itself, for the live stream: what stands in the element whose `data-live` is
/// [`first_sign_in_key`].
#[derive(Debug, Template)]
#[template(path = "live/first_sign_in.html")]
pub struct LiveFirstSignIn<'a> {
    /// The reader's frame.
    pub frame: &'a Frame,
    /// How far.
    pub state: FirstSignIn,
}

/// The name of a device's first sign-in in the live stream.
pub fn first_sign_in_key(device: DeviceId) -> String {
    format!("first:{device}")
}

/// What has become of a set-up link, by itself, for the live stream: what stands in the element whose `data-live` is
/// [`link_key`].
#[derive(Debug, Template)]
#[template(path = "live/device_link.html")]
pub struct LiveLink<'a> {
    /// The reader's frame.
    pub frame: &'a Frame,
    /// What has become of it.
    pub state: DeviceLinkState,
}

/// The name of a device's set-up link in the live stream.
pub fn link_key(device: DeviceId) -> String {
    format!("link:{device}")
}
