//! Devices: made with a generated password that is shown once, changed, paused, replaced, revoked.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Directory, Error};
use crate::clock::Timestamp;
use crate::keys::fill_random;
use crate::model::device::Knocking;
use crate::model::near::nearest;
use crate::model::password::PlainPassword;
use crate::model::{
    Address, Device, DeviceId, DeviceKind, DeviceState, MailboxId, Networks, Scopes, SenderRule, UserId, name,
};
use crate::secret::Secret;
use crate::store::{Actor, DeviceEdit, DeviceFilter, DeviceRow, NewCredential, NewDevice, Resolved, Seq};
use crate::verify;
use crate::verify::hash::Memory;

/// Passwords that are drawn until one has a tag of its own. With a full mailbox one draw fails once in a hundred.
const DRAWS_MAX: usize = 64;

/// What a device starts with.
#[derive(Debug, Clone, Default)]
pub struct DeviceSpec {
    /// What people call it: 1 to 64 characters.
    pub label: String,
    /// What it is.
    pub kind: DeviceKind,
    /// The person it belongs to, if to one.
    pub user: Option<UserId>,
    /// Its protocols; both where unset.
    pub scopes: Option<Scopes>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// From where it may log in; from anywhere where empty.
    pub networks: Networks,
    /// Which sender addresses it may use.
    pub senders: SenderRule,
}

impl DeviceSpec {
    /// The device of a mailbox with this password, or with none yet.
    pub(super) fn of(self, mailbox: MailboxId, credential: Option<NewCredential>) -> NewDevice {
        NewDevice {
            mailbox,
            label: self.label,
            kind: self.kind,
            user: self.user,
            scopes: self.scopes.unwrap_or(Scopes::ALL),
            expires_at: self.expires_at,
            networks: self.networks,
            senders: self.senders,
            credential,
            imported: false,
        }
    }
}

impl Directory {
    /// Adds a device to a mailbox. The password is shown once by the caller and then dropped.
    ///
    /// # Errors
    /// There is no such mailbox, or the label is taken or cannot be accepted.
    pub async fn add_device(
        &self,
        actor: &Actor,
        mailbox: &str,
        spec: DeviceSpec,
    ) -> Result<(Device, PlainPassword), Error> {
        let mailbox = self.find_mailbox(mailbox).await?;
        let (credential, password) = self.new_credential(actor.user, mailbox.id, &mailbox.address).await?;
        let new = spec.of(mailbox.id, Some(credential));
        Ok((self.store.create_device(actor, &new).await?, password))
    }

    /// Finds a device by its id, or by `address/label`, whatever the case; a device in use goes before a revoked one of
    /// the same name.
    ///
    /// # Errors
    /// There is none, or several revoked ones have this name.
    pub async fn find_device(&self, id_or_path: &str) -> Result<Device, Error> {
        let given = id_or_path.trim();
        let unknown = |near| Error::UnknownDevice {
            given: given.to_owned(),
            near,
        };
        if let Ok(id) = given.parse::<DeviceId>() {
            return self.store.device(id).await?.ok_or_else(|| unknown(None));
        }
        // A local part may hold a slash, a domain never does.
        let at = given.find('@').ok_or_else(|| Error::BadDevice {
            given: given.to_owned(),
        })?;
        let (address, label) = given
            .get(at..)
            .and_then(|domain_on| domain_on.find('/'))
            .and_then(|slash| Some((given.get(..at + slash)?, given.get(at + slash + 1..)?)))
            .ok_or_else(|| Error::BadDevice {
                given: given.to_owned(),
            })?;
        let mailbox = self.find_mailbox(address).await?;
        let filter = DeviceFilter {
            mailbox: Some(mailbox.id),
            with_revoked: true,
            ..DeviceFilter::default()
        };
        let devices = self.store.devices(&filter).await?;
        let key = name::name_key(label.trim());
        let mut named: Vec<_> = devices
            .iter()
            .filter(|device| name::name_key(&device.label) == key)
            .collect();
        if let Some(live) = named.iter().find(|device| !is_revoked(device)) {
            return Ok((*live).clone());
        }
        match (named.pop(), named.len()) {
            (Some(device), 0) => Ok(device.clone()),
            (Some(_), others) => Err(Error::AmbiguousDevice {
                given: given.to_owned(),
                count: others + 1,
            }),
            (None, _) => {
                let live = devices.iter().filter(|device| !is_revoked(device));
                let near = nearest(label, live.map(|device| device.label.as_str()));
                Err(unknown(
                    near.map(|label| format!("{:?}", format!("{}/{label}", mailbox.address))),
                ))
            }
        }
    }

    /// The address of a device's mailbox.
    ///
    /// # Errors
    /// The mailbox was deleted meanwhile, and the device with it.
    pub async fn address_of(&self, device: &Device) -> Result<Address, Error> {
        let own = self.store.sender_addresses(device.mailbox).await?;
        own.into_iter().next().ok_or_else(|| Error::UnknownDevice {
            given: device.id.to_string(),
            near: None,
        })
    }

    /// Lists devices, by mailbox and creation.
    ///
    /// # Errors
    /// More match than one listing returns.
    pub async fn devices(&self, filter: &DeviceFilter) -> Result<Vec<Device>, Error> {
        Ok(self.store.devices(filter).await?)
    }

    /// Of the devices that the filter matches, those of which an old password is still tried.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn knocking(&self, filter: &DeviceFilter) -> Result<HashMap<DeviceId, Knocking>, Error> {
        Ok(self.store.knocking(filter).await?)
    }

    /// Changes a device's record; sessions end where that takes something away.
    ///
    /// # Errors
    /// The device is revoked, or the new label is taken or cannot be accepted.
    pub async fn edit_device(&self, actor: &Actor, device: &Device, edit: DeviceEdit) -> Result<Seq, Error> {
        Ok(self.store.edit_device(actor, device.id, &edit).await?)
    }

    /// Gives a device a new password; the old one is dead at once and its sessions end.
    ///
    /// # Errors
    /// The device is revoked.
    pub async fn replace_device(&self, actor: &Actor, device: &Device) -> Result<(Seq, PlainPassword), Error> {
        let address = self.address_of(device).await?;
        let (credential, password) = self.new_credential(actor.user, device.mailbox, &address).await?;
        Ok((
            self.store.replace_credential(actor, device.id, &credential).await?,
            password,
        ))
    }

    /// Ends a device for good; revoking it again changes nothing.
    ///
    /// # Errors
    /// There is no such device any more.
    pub async fn revoke_device(&self, actor: &Actor, device: &Device) -> Result<Seq, Error> {
        self.set_state(actor, device, DeviceState::Revoked(self.clock.utc()))
            .await
    }

    /// Switches a device off for a while and ends its sessions.
    ///
    /// # Errors
    /// The device is revoked.
    pub async fn pause_device(&self, actor: &Actor, device: &Device) -> Result<Seq, Error> {
        self.set_state(actor, device, DeviceState::Paused(self.clock.utc()))
            .await
    }

    /// Switches a paused device on again.
    ///
    /// # Errors
    /// The device is revoked.
    pub async fn resume_device(&self, actor: &Actor, device: &Device) -> Result<Seq, Error> {
        self.set_state(actor, device, DeviceState::Active).await
    }

    async fn set_state(&self, actor: &Actor, device: &Device, state: DeviceState) -> Result<Seq, Error> {
        Ok(self.store.set_device_state(actor, &[device.id], state).await?)
    }

    /// Revokes all devices of a mailbox that are not revoked yet, in one transaction; returns them as they were.
    ///
    /// # Errors
    /// There is no such mailbox.
    pub async fn revoke_all(&self, actor: &Actor, mailbox: &str) -> Result<(Seq, Vec<Device>), Error> {
        let mailbox = self.find_mailbox(mailbox).await?;
        let filter = DeviceFilter {
            mailbox: Some(mailbox.id),
            ..DeviceFilter::default()
        };
        let devices = self.store.devices(&filter).await?;
        let ids: Vec<_> = devices.iter().map(|device| device.id).collect();
        let seq = self
            .store
            .set_device_state(actor, &ids, DeviceState::Revoked(self.clock.utc()))
            .await?;
        Ok((seq, devices))
    }

    /// Draws a password whose tag no other password of the mailbox has, and hashes it off the runtime's threads.
    pub(super) async fn new_credential(
        &self,
        by: Option<UserId>,
        mailbox: MailboxId,
        address: &Address,
    ) -> Result<(NewCredential, PlainPassword), Error> {
        let key = self.keys.current();
        let used = self.store.tags_in_use(mailbox, key.id).await?;
        let mut drawn = std::iter::repeat_with(|| PlainPassword::generate(&mut fill_random))
            .take(DRAWS_MAX)
            .map(|password| (verify::tag(key, mailbox, password.canonical()), password));
        let found = drawn.find(|(tag, _)| !used.contains(tag));
        let (tag, password) = found.ok_or_else(|| Error::NoTag {
            address: address.clone(),
        })?;

        let _turn = self.hashing.wait(by).await?;
        let (keys, params) = (Arc::clone(&self.keys), self.params);
        let hashed = tokio::task::spawn_blocking(move || {
            let key = keys.current();
            let hash = verify::hash::hash(params, key, password.canonical());
            (
                NewCredential {
                    tag: Some(tag),
                    key_id: key.id,
                    hash,
                },
                password,
            )
        });
        Ok(hashed.await.expect("hashing does not panic and is never cancelled"))
    }

    /// Whether a device has this generated password now. One that its tag rules out costs no hash.
    pub(super) async fn has_password(
        &self,
        actor: &Actor,
        row: &DeviceRow,
        password: &PlainPassword,
    ) -> Result<bool, Error> {
        let (device, mailbox) = (row.device.id, row.device.mailbox);
        let Resolved::Mailbox(login) = self.store.resolve_login(&row.address).await? else {
            return Ok(false);
        };
        let tag = |id| {
            let key = self.keys.by_id(id)?;
            Some(verify::tag(key, mailbox, password.canonical()))
        };
        let found = login.credentials.into_iter().find(|credential| {
            let is_its_own = credential.device.id == device && credential.retired_at.is_none();
            is_its_own && credential.tag.is_some() && credential.tag == tag(credential.key_id)
        });
        let Some(credential) = found else { return Ok(false) };
        let _turn = self.hashing.wait(actor.user).await?;
        let (keys, params) = (Arc::clone(&self.keys), self.params);
        let password = Secret::new(password.canonical().to_vec());
        let matched = tokio::task::spawn_blocking(move || {
            let (key, memory) = (keys.by_id(credential.key_id), &mut Memory::new(params));
            verify::hash::matches(&credential.hash, key, password.expose(), memory).unwrap_or_else(|error| {
                tracing::error!(%error, device.id = %device, "a stored password hash cannot be used");
                false
            })
        });
        Ok(matched.await.expect("hashing does not panic and is never cancelled"))
    }
}

const fn is_revoked(device: &Device) -> bool {
    matches!(device.state, DeviceState::Revoked(_))
}
