//! Where people are served: every operation of console and API.
//!
//! Each takes who acts ([`Acting`]), asks the table of rights ([`super::rights`]) by what the store says at this moment, and
//! only then changes anything: the [`Actor`] that every change needs comes out of that question. What somebody may not see
//! answers like something that is not there, and so does everything of another organisation; every other refusal names who
//! can do it ([`Forbidden`]). What is weighty wants a proof that is fresh. The rules of the model itself are not here: the
//! directory and the store hold them, for the command line too.
//!
//! People come in by `sign_in`, by a link (`links`), or by an API token (`acting`).

mod account;
mod acting;
mod activity;
mod beside;
mod codes;
mod device_links;
mod devices;
mod forbidden;
mod guessing;
mod invitations;
mod links;
mod mailboxes;
mod notices;
mod people;
mod reach;
mod sessions;
mod setting_up;
mod sign_in;
mod tokens;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

pub use account::{AccountEdit, AddressChange};
pub use acting::{Acting, Via};
pub use beside::Names;
pub use codes::CodeOffer;
pub use device_links::{LinkSpec, Linked};
pub use devices::{DeviceAdded, DeviceChange, DeviceDeed, DeviceMay};
pub use forbidden::{Because, Forbidden};
pub use guessing::WRONG_PROOFS_MAX;
pub use invitations::{InviteSpec, Invited, SENT_AGAIN_AFTER};
pub use links::{DeadInvitation, DeadReason, InvitationView, NewPerson, Welcomed};
pub use setting_up::{Given, LinkOpened, LinkRefused, LinkStanding, LinkView, LinkWay};
pub use sign_in::{Opened, Proving, SignedIn, Visit};

use super::letter::{Letter, Post, Recipient, SignInChange};
use super::{Directory, Error};
use crate::clock::Timestamp;
use crate::identity::{BrowserId, BrowserMark, Passwords};
use crate::model::{DeviceId, Language, OrgId, User, UserId};
use crate::peer::NetworkPrefixes;
use crate::revoke::Registry;
use crate::secret::Secret;
use crate::store::{Actor, Store};
use crate::throttle::{Guesser, SignInThrottle};

/// The longest name of a browser that is kept, in characters.
const BROWSER_NAME_MAX: usize = 200;

/// Who is at the other end of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// From where.
    pub ip: IpAddr,
    /// What the browser or program calls itself; empty where it says nothing.
    pub browser: String,
}

impl Visitor {
    /// Cuts what the browser says of itself to what is kept of it.
    pub fn new(ip: IpAddr, browser: &str) -> Self {
        Self {
            ip: ip.to_canonical(),
            browser: browser.chars().take(BROWSER_NAME_MAX).collect(),
        }
    }

    fn actor(&self, user: &User) -> Actor {
        Actor::user(&user.address, &self.ip.to_string()).by(user.id)
    }
}

/// Settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What authenticator programs call us: the Manager's host name.
    pub issuer: String,
    /// What one network is, for the fairness of the hash lanes.
    pub network: NetworkPrefixes,
}

/// The latest use of a device that is not in the store yet.
pub type Unwritten = Box<dyn Fn(DeviceId) -> Option<Timestamp> + Send + Sync>;

/// What the desk works with, besides the directory.
pub struct Parts {
    /// Hashes users' passwords.
    pub passwords: Passwords,
    /// Slows guessing.
    pub throttle: SignInThrottle,
    /// The live mail sessions of this process.
    pub registry: Arc<Registry>,
    /// Uses of devices that wait to be written: a session may be over before its use is.
    pub unwritten: Unwritten,
    /// Takes letters.
    pub post: Arc<dyn Post>,
    /// Settings.
    pub settings: Settings,
}

/// The operations of people.
pub struct Desk {
    directory: Directory,
    passwords: Passwords,
    throttle: SignInThrottle,
    wrong_proofs: guessing::WrongProofs,
    registry: Arc<Registry>,
    unwritten: Unwritten,
    post: Arc<dyn Post>,
    settings: Settings,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Desk {
    /// A desk over this directory.
    pub fn new(directory: Directory, parts: Parts) -> Self {
        Self {
            directory,
            passwords: parts.passwords,
            throttle: parts.throttle,
            wrong_proofs: guessing::WrongProofs::default(),
            registry: parts.registry,
            unwritten: parts.unwritten,
            post: parts.post,
            settings: parts.settings,
        }
    }

    /// What the machine may do, without being asked for rights.
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Whether mails go out; otherwise links are shown to be handed over.
    pub fn sends_mail(&self) -> bool {
        self.post.is_open()
    }

    fn store(&self) -> &dyn Store {
        &*self.directory.store
    }

    fn now(&self) -> Timestamp {
        self.directory.clock.utc()
    }

    /// The known browser that a cookie names, where it was marked for this user.
    fn known_browser(&self, mark: Option<&str>, user: UserId) -> Option<BrowserId> {
        let mark = BrowserMark::read(mark?)?;
        mark.browser_of(&self.directory.keys, user, self.now())
    }

    fn mark_for(&self, user: UserId) -> Secret<String> {
        BrowserMark::issue(&self.directory.keys, user, self.now()).shown()
    }

    /// Waits until answers to failures that began at `started` go out, so that their time tells nothing.
    async fn hold(&self, started: Instant) {
        let now = self.directory.clock.now();
        let release_at = self.throttle.release_at(started, now);
        tokio::time::sleep(release_at.saturating_duration_since(now)).await;
    }

    /// Puts a letter. What it tells of is done already, so that a failure is logged and no more. False where nothing
    /// will be sent.
    async fn tell(
        &self,
        address: &crate::model::Address,
        language: Language,
        org: Option<OrgId>,
        letter: Letter,
    ) -> bool {
        // Where no mail is sent, there would be failures about every change.
        if !self.post.is_open() {
            return false;
        }
        let to = Recipient {
            address: address.clone(),
            language,
        };
        let put = self.post.put(&to, org, letter).await;
        if let Err(error) = &put {
            tracing::error!(%error, "a mail about a change was not put into the outbox");
        }
        put.is_ok()
    }

    async fn tell_of_sign_in(&self, visitor: &Visitor, user: &User, change: SignInChange) {
        let letter = Letter::SignInChanged {
            address: user.address.clone(),
            change,
            at: self.now(),
            from: Some(visitor.ip),
        };
        self.tell(&user.address, user.language, None, letter).await;
    }
}

fn guesser<'a>(visitor: &Visitor, browser: Option<&'a BrowserId>) -> Guesser<'a> {
    Guesser {
        ip: visitor.ip,
        browser: browser.map(|browser| browser.0.as_slice()),
    }
}
