//! The store's role for notices by mail: from which networks devices sign in, what their people are still to be told, and
//! what organisations have switched off.
//!
//! What there is to tell is written in the transaction of what it is about: a network is learned with the last use of its
//! device. Of one device a mail goes out once in [`NOTICE_EVERY`]; what happens meanwhile waits, and one mail tells of it
//! all. A mail, and that its notices wait no more, are one transaction: neither is there without the other.
//!
//! Told are people, never a mailbox: the one whom the device belongs to, or else those who may see it by an access, or else
//! those who run the organisation. Whoever may not see the device any more when the mail is about to be sent is not told.
//! Of a new password more people are told ([`DueNotices::also`]), and of nothing else.

use std::time::Duration;

use async_trait::async_trait;

use super::{Actor, Error, NewMail};
use crate::clock::Timestamp;
use crate::model::device::Use;
use crate::model::notice::{NoticeKind, NoticesOff};
use crate::model::{Address, DeviceId, Language, MailboxId, OrgId, UserId};

/// The networks that are kept of a device, those used last: with one more the longest unused is forgotten.
pub const NETWORKS_KEPT_MAX: u32 = 16;

/// How exactly it is known when a device last signed in from a network: each use would be a write.
pub const NETWORK_NOTED_EVERY: Duration = Duration::from_secs(60 * 60);

/// The time in which one mail goes out about a device.
pub const NOTICE_EVERY: Duration = Duration::from_secs(60 * 60);

/// What is kept of each kind of what waits to be told of one device; of the rest there is the number. Of each kind, so that
/// a device that goes from network to network hides no new password.
pub const NOTICES_HELD_MAX: u32 = 20;

/// The most devices of one mailbox that wait because of passwords that one person gave, so that somebody who adds devices in
/// a loop fills no outbox. Further passwords are counted with the newest of those that wait.
pub const HELD_BY_ONE_MAX: u32 = 5;

/// After so many days without a use somebody is told of a device.
pub const UNUSED_DAYS: u32 = 90;

/// The most people who are told of a device because of their access to its mailbox.
pub const READERS_MAX: u32 = 50;

/// The most owners and administrators who are told of a device that nobody else could be told of.
pub const RUNNING_READERS_MAX: u32 = 10;

/// What became of a notice that is about to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeTurn {
    /// A mail may go out now, and counts as sent.
    Now,
    /// It waits, with what else happens to this device meanwhile.
    Held,
    /// The organisation has switched it off.
    Off,
}

/// Who gave a device a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeBy {
    /// Who.
    pub user: UserId,
    /// What they are called.
    pub name: String,
}

/// Something that happened to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub id: i64,
    /// What.
    pub kind: NoticeKind,
    /// When.
    pub at: Timestamp,
    /// What they are called who did it, where it was a person.
    pub by: Option<String>,
    /// From where and how the device signed in, where it did.
    pub usage: Option<Use>,
    /// Its kind was switched off when it happened: only those are told who are always told ([`DueNotices::always`]).
    pub while_off: bool,
}

impl Notice {
    /// Whether it is a new password.
    pub fn is_password(&self) -> bool {
        self.kind == NoticeKind::DeviceAdded && self.usage.is_none()
    }
}

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeReader {
    /// Who.
    pub user: UserId,
    /// The sign-in address.
    pub address: Address,
    /// Their language.
    pub language: Language,
}

/// The device that a notice is about, and who is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeDevice {
    /// Of which organisation.
    pub org: OrgId,
    /// Which.
    pub device: DeviceId,
    /// What people call it.
    pub label: String,
    /// Of which mailbox.
    pub mailbox: MailboxId,
    /// That mailbox's address.
    pub address: Address,
    /// Who is told.
    pub readers: Vec<NoticeReader>,
}

/// A device of which something waits to be told, and may be by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueNotices {
    /// Of which.
    pub about: NoticeDevice,
    /// What is told, oldest first. It is told although its kind is switched off by now: it was not when it happened, and
    /// nobody hides something by switching it off afterwards.
    pub notices: Vec<Notice>,
    /// How much more there was, of this device or, of passwords that one person gave, of others of its mailbox.
    pub more: u32,
    /// Who is told of new passwords besides those who are told of the device, and of nothing else: whoever gave them,
    /// everybody with access to the mailbox, and whoever signs in with an address of it. Nobody where there are none.
    pub also: Vec<NoticeReader>,
    /// Who of all these signs in with an address of the mailbox: they are told of new passwords also where that was switched
    /// off. The others are not.
    pub always: Vec<UserId>,
}

impl DueNotices {
    /// The numbers of all that waits.
    pub fn all(&self) -> Vec<i64> {
        self.notices.iter().map(|notice| notice.id).collect()
    }
}

/// A device that was not used for [`UNUSED_DAYS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedDevice {
    /// Which. Nobody is told where it has ended by itself, its mailbox is suspended, or the organisation has switched it off.
    pub about: NoticeDevice,
    /// Its last use.
    pub used_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Where the next reading goes on.
    pub place: UnusedPlace,
}

/// The place of a device among those that were not used for a long time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnusedPlace {
    /// The day of its last use, or on which it was added, counted from 1970.
    pub day: i64,
    /// Which.
    pub device: DeviceId,
}

/// A mail about devices, and whom it is for.
#[derive(Debug, Clone)]
pub struct NoticeMail {
    /// For whom.
    pub user: UserId,
    /// The devices that it tells of.
    pub devices: Vec<DeviceId>,
    /// The mail.
    pub mail: NewMail,
}

/// Notices by mail.
#[async_trait]
pub trait NoticeStore: Send + Sync {
    /// What an organisation has switched off.
    async fn notices_off(&self, org: OrgId) -> Result<NoticesOff, Error>;

    /// Switches notices off and on. `Stale` where not exactly `from` is switched off by now.
    async fn set_notices_off(&self, actor: &Actor, org: OrgId, from: NoticesOff, to: NoticesOff) -> Result<(), Error>;

    /// Asks whether a mail about a new password of a device may go out now, which then counts as sent; otherwise it is kept
    /// for the next mail about this device.
    async fn take_notice(&self, device: DeviceId, by: &NoticeBy) -> Result<NoticeTurn, Error>;

    /// Keeps a new password of a device, of which nobody could be told now, for a mail that goes out in [`NOTICE_EVERY`].
    /// Where the organisation has switched that off, it is told to those only who sign in with an address of the mailbox.
    /// Of one person and mailbox [`HELD_BY_ONE_MAX`] devices wait so; of a device that was revoked before it had a password
    /// nobody is told.
    async fn hold_notice(&self, device: DeviceId, by: &NoticeBy) -> Result<(), Error>;

    /// Devices of which something may be told by now, at most `limit`.
    async fn due_notices(&self, limit: u32) -> Result<Vec<DueNotices>, Error>;

    /// Puts the mails that tell what waits (none where nobody is to be told), and forgets it. False, and nothing is done,
    /// where not exactly what was read waits by now.
    async fn tell_notices(&self, due: &DueNotices, mails: &[NoticeMail]) -> Result<bool, Error>;

    /// Leaves what waits of a device until this moment.
    async fn postpone_notices(&self, device: DeviceId, until: Timestamp) -> Result<(), Error>;

    /// Devices that nobody was told of since they were last used, at most `limit`, the longest unused first, and those only
    /// that come behind `after`.
    async fn unused_devices(&self, limit: u32, after: Option<UnusedPlace>) -> Result<Vec<UnusedDevice>, Error>;

    /// Puts the mails that tell of unused devices, and notes that it was told of all of these. False, and nothing is done,
    /// where one of them was used or ended meanwhile.
    async fn tell_unused(&self, devices: &[DeviceId], mails: &[NoticeMail]) -> Result<bool, Error>;
}
