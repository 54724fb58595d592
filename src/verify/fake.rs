//! A store in memory for tests of the login path: what it holds can be changed at any moment, and it can fail.

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use hashbrown::HashMap;

use crate::clock::Timestamp;
use crate::model::{Address, CredentialId, DeviceId, DeviceState, MailboxId, Networks, Scopes, SenderRule};
use crate::store::{
    Credential, CredentialStore, DeviceUse, Epoch, Error, Hash, Knocks, LoginDevice, LoginMailbox, Resolved,
};

/// When everything was made.
pub(crate) const CREATED: Timestamp = Timestamp(1_790_000_000_000);

/// An active device that may do everything.
pub(crate) fn device(id: i64) -> LoginDevice {
    LoginDevice {
        id: DeviceId::from_raw(id),
        label: format!("Device {id}"),
        state: DeviceState::Active,
        scopes: Scopes::ALL,
        expires_at: None,
        networks: Networks::default(),
        senders: SenderRule::default(),
        epoch: 0,
    }
}

/// An empty mailbox.
pub(crate) fn mailbox(id: i64, address: &str) -> LoginMailbox {
    LoginMailbox {
        id: MailboxId::from_raw(id),
        address: Address::parse(address).unwrap(),
        suspended: false,
        epoch: 0,
        upstream_secret: None,
        credentials: Vec::new(),
    }
}

#[derive(Default)]
struct Content {
    names: HashMap<Address, Resolved>,
    failing: bool,
    /// How many writes of uses or tries are taken before all fail.
    taken_before_failing: Option<usize>,
    /// How many uses or tries each write had that was taken.
    parts: Vec<usize>,
    uses: Vec<DeviceUse>,
    upgrades: Vec<(CredentialId, Hash, u32)>,
    knocks: Vec<Knocks>,
}

/// The store.
#[derive(Default)]
pub(crate) struct FakeStore(Mutex<Content>);

impl FakeStore {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap()
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

    pub(crate) fn put(&self, mailbox: LoginMailbox) {
        self.content()
            .names
            .insert(mailbox.address.clone(), Resolved::Mailbox(mailbox));
    }

    pub(crate) fn put_alias(&self, alias: &str, target: &str) {
        let target = Address::parse(target).unwrap();
        self.content()
            .names
            .insert(Address::parse(alias).unwrap(), Resolved::Alias { target });
    }

    /// Changes the record of a mailbox.
    pub(crate) fn edit(&self, address: &str, edit: impl FnOnce(&mut LoginMailbox)) {
        match self.content().names.get_mut(&Address::parse(address).unwrap()) {
            Some(Resolved::Mailbox(mailbox)) => edit(mailbox),
            _ => panic!("no mailbox {address}"),
        }
    }

    pub(crate) fn set_failing(&self, failing: bool) {
        self.content().failing = failing;
    }

    /// Fails from now on, once it has taken so many writes of uses or tries.
    pub(crate) fn fail_after(&self, writes: usize) {
        self.content().taken_before_failing = Some(writes);
    }

    /// How many uses or tries each write had that was taken.
    pub(crate) fn parts(&self) -> Vec<usize> {
        self.content().parts.clone()
    }

    /// All uses that were written.
    pub(crate) fn uses(&self) -> Vec<DeviceUse> {
        self.content().uses.clone()
    }

    /// Takes a part of uses or tries.
    fn take_part(&self, length: usize) -> Result<MutexGuard<'_, Content>, Error> {
        {
            let mut content = self.content();
            match &mut content.taken_before_failing {
                Some(0) => {
                    content.taken_before_failing = None;
                    content.failing = true;
                }
                Some(left) => *left -= 1,
                None => {}
            }
        }
        let mut content = self.answering()?;
        content.parts.push(length);
        Ok(content)
    }

    /// Upgraded hashes with the number of the key that made them.
    pub(crate) fn upgrades(&self) -> Vec<(CredentialId, Hash, u32)> {
        self.content().upgrades.clone()
    }

    /// All that was written about tries with retired passwords.
    pub(crate) fn knocks(&self) -> Vec<Knocks> {
        self.content().knocks.clone()
    }

    fn find_credential(content: &mut Content, id: CredentialId) -> Option<&mut Credential> {
        content.names.values_mut().find_map(|name| match name {
            Resolved::Mailbox(mailbox) => mailbox.credentials.iter_mut().find(|credential| credential.id == id),
            _ => None,
        })
    }
}

#[async_trait]
impl CredentialStore for FakeStore {
    async fn resolve_login(&self, address: &Address) -> Result<Resolved, Error> {
        let content = self.answering()?;
        Ok(content.names.get(address).cloned().unwrap_or(Resolved::Unknown))
    }

    async fn epoch(&self, device: DeviceId, _: MailboxId) -> Result<Option<Epoch>, Error> {
        let content = self.answering()?;
        Ok(content.names.values().find_map(|name| match name {
            Resolved::Mailbox(mailbox) => {
                let credential = mailbox
                    .credentials
                    .iter()
                    .find(|credential| credential.device.id == device)?;
                Some(Epoch {
                    device: credential.device.epoch,
                    mailbox: mailbox.epoch,
                })
            }
            _ => None,
        }))
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

    async fn upgrade_hash(
        &self,
        credential: CredentialId,
        verified: &Hash,
        stronger: &Hash,
        key_id: u32,
    ) -> Result<(), Error> {
        let mut content = self.answering()?;
        content.upgrades.push((credential, stronger.clone(), key_id));
        if let Some(found) = Self::find_credential(&mut content, credential).filter(|found| found.hash == *verified) {
            found.hash = stronger.clone();
            found.key_id = key_id;
        }
        Ok(())
    }

    async fn record_uses(&self, uses: &[DeviceUse]) -> Result<(), Error> {
        self.take_part(uses.len())?.uses.extend_from_slice(uses);
        Ok(())
    }

    async fn record_knocks(&self, knocks: &[Knocks]) -> Result<(), Error> {
        self.take_part(knocks.len())?.knocks.extend_from_slice(knocks);
        Ok(())
    }

    async fn ping(&self) -> Result<(), Error> {
        self.answering().map(drop)
    }
}
