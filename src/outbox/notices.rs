//! The notices of devices that wait in the store become mails: one for each reader of each device, and of unused devices
//! one for each reader.
//!
//! What was read is told only if it still waits so when the mails are put, in one transaction ([`NoticeStore`]): a crash
//! between the two tells nothing, and the next round tells it. Where this installation sends no mail, what waits is
//! forgotten: nobody wants to hear of last month on the day on which a mail server is configured.
//!
//! What cannot be told now, for whatever reason, keeps nobody else waiting: a device is postponed, and of unused devices the
//! next reading goes on behind those that were read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::keys::Keyring;
use crate::model::device::Use;
use crate::model::{DeviceId, NoticeKind, OrgId, UserId};
use crate::store::notice::UNUSED_DAYS;
use crate::store::{
    self, DueNotices, Notice, NoticeDevice, NoticeMail, NoticeReader, NoticeStore, UnusedDevice, UnusedPlace,
};

use super::content::{
    Content, DeviceAdded, DeviceDigest, DeviceNetwork, DeviceUnused, Happened, Happening, Recipient, SignedIn, Unused,
};
use super::{NotPut, Outbox};

/// How soon it is noticed that something waits.
const ROUND_EVERY: Duration = Duration::from_secs(5);
/// How often unused devices are looked for: what is told is a matter of months.
const UNUSED_EVERY: Duration = Duration::from_secs(60 * 60);
/// The most devices of one read, and the most reads of one round: other writers come between.
const DUE_MAX: u32 = 100;
const READS_MAX: u32 = 10;
/// The most unused devices of one read. A round reads on only where somebody could not be told.
const UNUSED_MAX: u32 = 500;
/// The most people who are told of unused devices in one transaction: as many mails are never too many for an outbox in
/// which nothing else waits.
const UNUSED_READERS_MAX: usize = 500;
/// The most unused devices that one mail names.
const UNUSED_NAMED_MAX: usize = 20;
/// After how long a device is looked at again whose mails the outbox had no room for.
const POSTPONED: Duration = Duration::from_secs(10 * 60);

/// Turns what waits into mails.
pub struct Notices {
    store: Arc<dyn NoticeStore>,
    outbox: Arc<Outbox>,
    keys: Arc<Keyring>,
    clock: Clock,
    /// Behind which unused device the next round goes on; none: with the first.
    unused_after: Mutex<Option<UnusedPlace>>,
}

impl Notices {
    /// Notices of this store, for this outbox over the same store.
    pub fn new(store: Arc<dyn NoticeStore>, outbox: Arc<Outbox>, keys: Arc<Keyring>, clock: Clock) -> Self {
        Self {
            store,
            outbox,
            keys,
            clock,
            unused_after: Mutex::default(),
        }
    }

    /// Works until cancelled.
    pub async fn run(&self) {
        let mut tick = tokio::time::interval(ROUND_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut looked_at = None;
        loop {
            tick.tick().await;
            note(self.tell_due().await);
            let now = self.clock.now();
            if looked_at.is_none_or(|at| now.duration_since(at) >= UNUSED_EVERY) {
                looked_at = Some(now);
                note(self.tell_unused().await);
            }
        }
    }

    /// Tells what may be told by now.
    ///
    /// # Errors
    /// The store does not answer.
    pub(super) async fn tell_due(&self) -> Result<(), store::Error> {
        for _ in 0..READS_MAX {
            let due = self.store.due_notices(DUE_MAX).await?;
            let mut failed = None;
            for due in &due {
                // Those behind it are told all the same.
                failed = self.tell(due).await.err().or(failed);
            }
            // What is neither told nor postponed would be read again at once.
            if let Some(error) = failed {
                return Err(error);
            }
            if due.len() < DUE_MAX as usize {
                break;
            }
        }
        Ok(())
    }

    async fn tell(&self, due: &DueNotices) -> Result<(), store::Error> {
        let about = &due.about;
        let mut mails = Vec::new();
        for reader in self.told(&about.readers) {
            let Some(content) = content(due, Sees::All, reader.user) else {
                continue;
            };
            mails.extend(self.mail(&content, reader, about.org, vec![about.device]));
        }
        for reader in self.told(&due.also) {
            let Some(content) = content(due, Sees::Passwords, reader.user) else {
                continue;
            };
            // They may not see the device anyway.
            mails.extend(self.mail(&content, reader, about.org, Vec::new()));
        }
        // Where something else waits by now, the next round tells it all.
        match self.store.tell_notices(due, &mails).await {
            Ok(_) => Ok(()),
            Err(store::Error::Refused(reason)) => {
                tracing::warn!(device.id = %about.device, reason, "a notice of a device waits for room in the outbox");
                let until = self.clock.utc().plus(POSTPONED);
                self.store.postpone_notices(about.device, until).await
            }
            Err(error) => {
                tracing::error!(device.id = %about.device, %error, "a notice of a device was not put into the outbox");
                let until = self.clock.utc().plus(POSTPONED);
                self.store.postpone_notices(about.device, until).await
            }
        }
    }

    /// Tells of devices that were not used for a long time.
    ///
    /// # Errors
    /// The store does not answer.
    pub(super) async fn tell_unused(&self) -> Result<(), store::Error> {
        for _ in 0..READS_MAX {
            let after = *self.unused_after();
            let unused = self.store.unused_devices(UNUSED_MAX, after).await?;
            let is_more = unused.len() >= UNUSED_MAX as usize;
            *self.unused_after() = unused.last().filter(|_| is_more).map(|device| device.place);
            let mut by_org: BTreeMap<OrgId, Vec<&UnusedDevice>> = BTreeMap::new();
            for device in &unused {
                by_org.entry(device.about.org).or_default().push(device);
            }
            let mut all_told = true;
            for (org, devices) in by_org {
                for part in parts(&devices) {
                    all_told &= self.tell_of_unused(org, part).await;
                }
            }
            if all_told || !is_more {
                break;
            }
        }
        Ok(())
    }

    fn unused_after(&self) -> MutexGuard<'_, Option<UnusedPlace>> {
        self.unused_after.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of unused devices of one organisation; false where that was not possible.
    async fn tell_of_unused(&self, org: OrgId, devices: &[&UnusedDevice]) -> bool {
        let ids: Vec<DeviceId> = devices.iter().map(|device| device.about.device).collect();
        let mails = self.unused_mails(org, devices);
        match self.store.tell_unused(&ids, &mails).await {
            // Where one of them was used meanwhile, a later round tells of the others.
            Ok(_) => true,
            Err(store::Error::Refused(reason)) => {
                tracing::warn!(org.id = %org, reason, "notices of unused devices wait for room in the outbox");
                false
            }
            Err(error) => {
                tracing::error!(org.id = %org, %error, "notices of unused devices were not put into the outbox");
                false
            }
        }
    }

    fn unused_mails(&self, org: OrgId, devices: &[&UnusedDevice]) -> Vec<NoticeMail> {
        let mut by_reader: BTreeMap<UserId, (&NoticeReader, Vec<&UnusedDevice>)> = BTreeMap::new();
        for device in devices {
            for reader in self.told(&device.about.readers) {
                let (_, theirs) = by_reader.entry(reader.user).or_insert((reader, Vec::new()));
                theirs.push(device);
            }
        }
        let mails = by_reader.into_values().filter_map(|(reader, theirs)| {
            let named = theirs.iter().take(UNUSED_NAMED_MAX);
            let content = Content::DeviceUnused(DeviceUnused {
                org,
                devices: named.clone().map(|device| unused(device)).collect(),
                more: u32::try_from(theirs.len().saturating_sub(UNUSED_NAMED_MAX)).unwrap_or(u32::MAX),
                days: UNUSED_DAYS,
            });
            let named = named.map(|device| device.about.device).collect();
            self.mail(&content, reader, org, named)
        });
        mails.collect()
    }

    /// Whom a mail goes to: nobody where none goes out.
    fn told<'a>(&self, readers: &'a [NoticeReader]) -> &'a [NoticeReader] {
        if self.outbox.sends_links() { readers } else { &[] }
    }

    fn mail(&self, content: &Content, reader: &NoticeReader, org: OrgId, devices: Vec<DeviceId>) -> Option<NoticeMail> {
        let to = Recipient {
            address: &reader.address,
            language: reader.language,
        };
        match content.sealed(to, Some(org), &self.keys) {
            Ok(mail) => Some(NoticeMail {
                user: reader.user,
                devices,
                mail,
            }),
            Err(error) => {
                note::<NotPut>(Err(error.into()));
                None
            }
        }
    }
}

fn note<E: std::fmt::Display>(told: Result<(), E>) {
    if let Err(error) = told {
        tracing::error!(%error, "notices of devices were not put into the outbox");
    }
}

/// Parts of the devices of an organisation, each of which tells [`UNUSED_READERS_MAX`] people at most.
fn parts<'d, 'a>(devices: &'d [&'a UnusedDevice]) -> Vec<&'d [&'a UnusedDevice]> {
    let (mut parts, mut begin) = (Vec::new(), 0);
    let mut readers = BTreeSet::new();
    for (index, device) in devices.iter().enumerate() {
        let theirs: BTreeSet<UserId> = device.about.readers.iter().map(|reader| reader.user).collect();
        if readers.union(&theirs).count() > UNUSED_READERS_MAX {
            parts.extend(devices.get(begin..index).filter(|part| !part.is_empty()));
            begin = index;
            readers.clear();
        }
        readers.extend(theirs);
    }
    parts.extend(devices.get(begin..).filter(|part| !part.is_empty()));
    parts
}

/// What somebody who is told may know of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sees {
    All,
    /// That it got a new password.
    Passwords,
}

/// What a mail to somebody tells: one thing in full, several as a list.
fn content(due: &DueNotices, sees: Sees, reader: UserId) -> Option<Content> {
    let NoticeDevice {
        org,
        device,
        label,
        mailbox,
        address,
        ..
    } = &due.about;
    let always = due.always.contains(&reader);
    let seen = due.notices.iter().filter(|notice| {
        let is_told = sees == Sees::All || notice.is_password();
        is_told && (always || !notice.while_off)
    });
    let mut happened: Vec<Happened> = seen.filter_map(happened).collect();
    let alone = (happened.len() == 1 && due.more == 0).then(|| happened.pop()).flatten();
    match alone {
        None if happened.is_empty() => None,
        None => Some(Content::DeviceDigest(DeviceDigest {
            org: *org,
            device: *device,
            label: label.clone(),
            mailbox: address.clone(),
            page_of: (sees == Sees::Passwords).then_some(*mailbox),
            happened,
            more: due.more,
        })),
        Some(Happened { at, what }) => Some(match what {
            Happening::Added(by) => added(due, at, by, None),
            Happening::SetUp(signed_in) => added(due, at, String::new(), Some(signed_in)),
            Happening::Network(signed_in) => Content::DeviceNetwork(DeviceNetwork {
                org: *org,
                device: *device,
                label: label.clone(),
                mailbox: address.clone(),
                at,
                signed_in,
            }),
        }),
    }
}

fn added(due: &DueNotices, at: Timestamp, by: String, set_up: Option<SignedIn>) -> Content {
    let about = &due.about;
    Content::DeviceAdded(DeviceAdded {
        by,
        org: about.org,
        mailbox: about.mailbox,
        address: about.address.clone(),
        device: about.label.clone(),
        at,
        set_up,
    })
}

fn happened(notice: &Notice) -> Option<Happened> {
    let what = match (notice.kind, &notice.usage) {
        (NoticeKind::DeviceAdded, None) => Happening::Added(notice.by.clone().unwrap_or_default()),
        (NoticeKind::DeviceAdded, Some(usage)) => Happening::SetUp(signed_in(usage)),
        (NoticeKind::DeviceNetwork, Some(usage)) => Happening::Network(signed_in(usage)),
        // Of unused devices there is a mail of its own.
        (NoticeKind::DeviceNetwork, None) | (NoticeKind::DeviceUnused, _) => return None,
    };
    Some(Happened { at: notice.at, what })
}

fn signed_in(usage: &Use) -> SignedIn {
    SignedIn {
        protocol: usage.protocol.name().to_owned(),
        client: usage.client.clone(),
        from: usage.ip,
    }
}

fn unused(device: &UnusedDevice) -> Unused {
    Unused {
        device: device.about.device,
        label: device.about.label.clone(),
        mailbox: device.about.address.clone(),
        used_at: device.used_at,
        created_at: device.created_at,
    }
}

impl std::fmt::Debug for Notices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notices").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Address, Language, MailboxId};

    /// An unused device of which these people are told.
    fn read_by(users: std::ops::Range<i64>) -> UnusedDevice {
        let address = Address::parse("contact@acme.test").unwrap();
        let readers = users.map(|user| NoticeReader {
            user: UserId::from_raw(user),
            address: address.clone(),
            language: Language::English,
        });
        let device = DeviceId::from_raw(1);
        UnusedDevice {
            about: NoticeDevice {
                org: OrgId::from_raw(1),
                device,
                label: "Phone".to_owned(),
                mailbox: MailboxId::from_raw(1),
                readers: readers.collect(),
                address,
            },
            used_at: None,
            created_at: Timestamp(0),
            place: UnusedPlace { day: 0, device },
        }
    }

    #[test]
    fn what_happened_while_off_is_told_to_those_only_who_are_always_told() {
        let (reader, always) = (UserId::from_raw(1), UserId::from_raw(2));
        let notice = |id, while_off| Notice {
            id,
            kind: NoticeKind::DeviceAdded,
            at: Timestamp(0),
            by: Some("Anna".to_owned()),
            usage: None,
            while_off,
        };
        let mut due = DueNotices {
            about: read_by(1..3).about,
            notices: vec![notice(1, true), notice(2, false)],
            more: 0,
            also: Vec::new(),
            always: vec![always],
        };
        for sees in [Sees::All, Sees::Passwords] {
            assert!(matches!(content(&due, sees, reader), Some(Content::DeviceAdded(_))));
            let Some(Content::DeviceDigest(digest)) = content(&due, sees, always) else {
                panic!("{sees:?}")
            };
            assert_eq!(digest.happened.len(), 2);
        }
        due.notices.pop();
        assert!(content(&due, Sees::All, reader).is_none());
        assert!(content(&due, Sees::Passwords, always).is_some());
    }

    #[test]
    fn no_part_tells_more_people_than_an_outbox_has_room_for() {
        let most = i64::try_from(UNUSED_READERS_MAX).unwrap();
        let devices = [
            read_by(0..50),
            read_by(0..most),
            read_by(10..60),
            read_by(most..most + 1),
            read_by(0..most),
            read_by(0..0),
        ];
        let devices: Vec<&UnusedDevice> = devices.iter().collect();
        let lengths: Vec<_> = parts(&devices).iter().map(|part| part.len()).collect();
        assert_eq!(lengths, [3, 1, 2]);
        assert_eq!(parts(&[]).len(), 0);
        let alone = read_by(0..most + 1);
        assert_eq!(parts(&[&alone]).len(), 1);
    }
}
