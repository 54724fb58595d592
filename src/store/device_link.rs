//! The role of the store that holds set-up links: a device without a password, and who may give it one, once.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;

use super::{Actor, Error, NewCredential, NewDevice, Seq, TokenHash};
use crate::clock::Timestamp;
use crate::model::{Address, ApiToken, Device, DeviceId, DeviceLink, Language, OrgId, TokenId};

/// The most links of one mailbox that wait to be opened.
pub const OPEN_LINKS_MAX_OF_MAILBOX: u32 = 32;

/// The same of one organisation.
pub const OPEN_LINKS_MAX_OF_ORG: u32 = 1_000;

/// How often one link may give a password or a file: whoever opened it may start again, and no more often than somebody
/// does whose telephone makes trouble.
pub const LINK_STARTS_MAX: u32 = 10;

/// How long after the end of its link a device without a password is kept, so that its link can be sent again.
pub const UNOPENED_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A set-up link to be made.
#[derive(Debug, Clone)]
pub struct NewDeviceLink {
    /// What its link hides.
    pub hash: TokenHash,
    /// Who makes it, as people read it.
    pub sent_by: String,
    /// Where it is mailed to.
    pub recipient: Option<Address>,
    /// In which language.
    pub language: Language,
    /// The API's token that it is made with, by its sender.
    pub token: Option<TokenId>,
    /// Its end.
    pub expires_at: Timestamp,
}

/// By what whoever sent a link acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkBy {
    /// In person, or at the command line.
    Person,
    /// By a token of the API that is in force.
    Token(ApiToken),
    /// By one that has ended or was revoked.
    EndedToken,
}

/// A link that somebody follows, and what it is about.
#[derive(Debug, Clone)]
pub struct FoundLink {
    /// The link.
    pub link: DeviceLink,
    /// By what its sender acted.
    pub by: LinkBy,
    /// Its device.
    pub device: Device,
    /// The address of the mailbox.
    pub address: Address,
    /// The organisation's name.
    pub org: String,
    /// The name of the person whom the device belongs to.
    pub owner: Option<String>,
    /// The mailbox is suspended.
    pub suspended: bool,
    /// When the link gave the password that the device has now.
    pub given_at: Option<Timestamp>,
    /// What the cookie of the browser hides that opened it.
    pub browser: Option<TokenHash>,
    /// How often it gave something.
    pub starts: u32,
    /// What the address of its file hides, while one waits to be read.
    pub file: Option<TokenHash>,
    /// Until when that file can be read.
    pub file_until: Option<Timestamp>,
}

/// Who opens a link.
#[derive(Debug, Clone, Copy)]
pub enum Opener {
    /// Somebody, for the first time; the browser is known by this from now on.
    First(TokenHash),
    /// The browser that opened it, which is known by this.
    Again(TokenHash),
}

/// What opening a link gives.
#[derive(Debug, Clone)]
pub enum LinkGives {
    /// A password, shown in the answer.
    Password(NewCredential),
    /// A file that can be read once until this moment; the device gets its password when it is read.
    File {
        /// What its address hides.
        hash: TokenHash,
        /// Until when.
        until: Timestamp,
    },
}

/// A link that is opened.
#[derive(Debug, Clone)]
pub struct LinkOpening {
    /// Which.
    pub link: TokenHash,
    /// By whom.
    pub by: Opener,
    /// What it gives.
    pub gives: LinkGives,
}

/// Set-up links. Every change is one transaction with its audit row.
#[async_trait]
pub trait DeviceLinkStore: Send + Sync {
    /// Adds a device without a password, and the link that sets it up. As
    /// [`create_device`](super::DirectoryStore::create_device), and `Refused` where too many links wait. `NotFound` where the
    /// token that it is made with was revoked meanwhile.
    async fn create_linked_device(
        &self,
        actor: &Actor,
        device: &NewDevice,
        link: &NewDeviceLink,
    ) -> Result<(Device, DeviceLink), Error>;

    /// Makes a further link of a device; the one before is dead from now on. `NotFound` where there is no such device in
    /// the organisation, `Refused` where it is revoked or too many links wait.
    async fn send_device_link(
        &self,
        actor: &Actor,
        org: OrgId,
        device: DeviceId,
        link: &NewDeviceLink,
    ) -> Result<DeviceLink, Error>;

    /// The newest link of each of these devices that has one.
    async fn device_links(&self, org: OrgId, devices: &[DeviceId]) -> Result<HashMap<DeviceId, DeviceLink>, Error>;

    /// Withdraws the link of a device, if one is not withdrawn. A password that it gave goes on working.
    async fn withdraw_device_link(
        &self,
        actor: &Actor,
        org: OrgId,
        device: DeviceId,
    ) -> Result<Option<DeviceLink>, Error>;

    /// Finds what a link leads to, whatever became of it.
    async fn device_link_by(&self, link: &TokenHash) -> Result<Option<FoundLink>, Error>;

    /// Opens a link: the first one has it, and nobody else. `NotFound` for a link that leads nowhere; `Refused` where it
    /// cannot be opened, or not by this browser, any more; `Conflict` where the password's tag is taken.
    async fn open_device_link(&self, actor: &Actor, opening: &LinkOpening) -> Result<(DeviceLink, Seq), Error>;

    /// Gives a device the password that stands in the file of its link, which can be read only once. `Refused` where it was
    /// read, or its time ran out.
    async fn fetch_device_file(
        &self,
        actor: &Actor,
        link: &TokenHash,
        file: &TokenHash,
        credential: &NewCredential,
    ) -> Result<(DeviceLink, Seq), Error>;
}
