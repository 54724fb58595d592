//! A store of epochs and changes in memory that yields between what it reads and what the reader does with it, so that
//! an explorer can put any other step in between.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use hashbrown::HashMap;
use tokio::sync::Notify;

use crate::clock::Timestamp;
use crate::model::{Address, CredentialId, DeviceId, MailboxId};
use crate::peer::Protocol;
use crate::revoke::SessionInfo;
use crate::store::{
    Change, ChangeKind, ChangeStore, CredentialStore, DeviceUse, EndReason, Epoch, Error, Hash, Knocks, Resolved, Seq,
};

/// A session of this device.
pub(super) fn info(device: i64, mailbox: i64) -> SessionInfo {
    SessionInfo {
        device: DeviceId::from_raw(device),
        label: format!("Device {device}").into(),
        mailbox: MailboxId::from_raw(mailbox),
        address: Address::parse("anna@example.org").unwrap(),
        protocol: Protocol::Imap,
        peer: [192, 0, 2, 7].into(),
        since: Timestamp(0),
        expires_at: None,
        client: None,
        route: "main".into(),
        is_trial: false,
    }
}

/// Lets every other task run first, once.
pub(super) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[derive(Default)]
struct Content {
    /// Mailbox and epoch of the devices that may log in.
    devices: HashMap<DeviceId, (MailboxId, i64)>,
    /// Epochs of mailboxes that were suspended.
    suspended: HashMap<MailboxId, i64>,
    changes: Vec<Change>,
    failing: bool,
}

/// The store.
#[derive(Default)]
pub(super) struct FakeStore {
    content: Mutex<Content>,
    changed: Notify,
}

impl FakeStore {
    pub(super) fn with_devices(devices: &[(i64, i64)]) -> Arc<Self> {
        let store = Self::default();
        let entry = |(device, mailbox): &(i64, i64)| (DeviceId::from_raw(*device), (MailboxId::from_raw(*mailbox), 0));
        store.content().devices = devices.iter().map(entry).collect();
        Arc::new(store)
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap()
    }

    fn answering(&self) -> Result<MutexGuard<'_, Content>, Error> {
        let content = self.content();
        if content.failing {
            return Err(Error::Unavailable {
                path: "memory".into(),
                reason: "switched off by the test".into(),
            });
        }
        Ok(content)
    }

    pub(super) fn set_failing(&self, failing: bool) {
        self.content().failing = failing;
    }

    /// One transaction: the epoch grows (or the device is gone) and the change row appears.
    pub(super) fn end_device(&self, device: DeviceId, reason: EndReason) -> Seq {
        let seq = self.commit_device(device, reason);
        self.changed.notify_waiters();
        seq
    }

    /// As a process would whose wake-up does not reach us.
    pub(super) fn end_device_silently(&self, device: DeviceId) -> Seq {
        self.commit_device(device, EndReason::Narrowed)
    }

    fn commit_device(&self, device: DeviceId, reason: EndReason) -> Seq {
        let mut content = self.content();
        let mailbox = content
            .devices
            .get(&device)
            .map_or(MailboxId::from_raw(0), |(mailbox, _)| *mailbox);
        if reason == EndReason::Revoked {
            content.devices.remove(&device);
        } else if let Some((_, epoch)) = content.devices.get_mut(&device) {
            *epoch += 1;
        }
        append(
            &mut content,
            ChangeKind::DeviceEnded {
                device,
                mailbox,
                reason,
            },
        )
    }

    pub(super) fn end_mailbox(&self, mailbox: MailboxId) -> Seq {
        let mut content = self.content();
        *content.suspended.entry(mailbox).or_default() += 1;
        let seq = append(&mut content, ChangeKind::MailboxEnded { mailbox });
        drop(content);
        self.changed.notify_waiters();
        seq
    }

    /// What verification reads: nothing where the record does not allow a login.
    pub(super) fn epoch_now(&self, device: DeviceId) -> Option<Epoch> {
        let content = self.content();
        let (mailbox, epoch) = content.devices.get(&device)?;
        let allowed = !content.suspended.contains_key(mailbox);
        allowed.then_some(Epoch {
            device: *epoch,
            mailbox: 0,
        })
    }
}

fn append(content: &mut Content, kind: ChangeKind) -> Seq {
    let seq = Seq(i64::try_from(content.changes.len()).unwrap() + 1);
    content.changes.push(Change { seq, kind });
    seq
}

#[async_trait]
impl CredentialStore for FakeStore {
    async fn epoch(&self, device: DeviceId, _: MailboxId) -> Result<Option<Epoch>, Error> {
        yield_now().await;
        drop(self.answering()?);
        let epoch = self.epoch_now(device);
        yield_now().await;
        Ok(epoch)
    }

    async fn resolve_login(&self, _: &Address) -> Result<Resolved, Error> {
        Ok(Resolved::Unknown)
    }

    async fn sender_addresses(&self, _: MailboxId) -> Result<Vec<Address>, Error> {
        Ok(Vec::new())
    }

    async fn epoch_and_senders(
        &self,
        device: DeviceId,
        mailbox: MailboxId,
    ) -> Result<Option<(Epoch, Vec<Address>)>, Error> {
        Ok(self.epoch(device, mailbox).await?.map(|epoch| (epoch, Vec::new())))
    }

    async fn upgrade_hash(&self, _: CredentialId, _: &Hash, _: &Hash, _: u32) -> Result<(), Error> {
        Ok(())
    }

    async fn record_uses(&self, _: &[DeviceUse]) -> Result<(), Error> {
        Ok(())
    }

    async fn record_knocks(&self, _: &[Knocks]) -> Result<(), Error> {
        Ok(())
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }
}

#[async_trait]
impl ChangeStore for FakeStore {
    async fn latest_change(&self) -> Result<Seq, Error> {
        Ok(self
            .answering()?
            .changes
            .last()
            .map(|change| change.seq)
            .unwrap_or_default())
    }

    async fn changes_after(&self, seen: Seq, limit: u32) -> Result<Vec<Change>, Error> {
        let later = {
            let content = self.answering()?;
            content
                .changes
                .iter()
                .filter(|change| change.seq > seen)
                .take(limit as usize)
                .cloned()
                .collect()
        };
        yield_now().await;
        Ok(later)
    }

    async fn wait_for_change(&self, poll: Duration) -> Result<(), Error> {
        // The explorer has no timers: there a poll of zero means to trust the wake-ups alone.
        if poll.is_zero() {
            self.changed.notified().await;
        } else {
            let _ = tokio::time::timeout(poll, self.changed.notified()).await;
        }
        Ok(())
    }
}
