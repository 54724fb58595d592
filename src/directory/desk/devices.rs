//! Devices, as people may handle them: all of a mailbox by role or right, and those that belong to oneself.
//!
//! A device that belongs to a person may send as whatever that person may. So whoever manages a mailbox by a right handles
//! devices that belong to nobody, and their own; the password of somebody else's device is for roles that could give
//! themselves that person's rights anyway (`device.assign`).

use super::super::rights::Operation;
use super::super::{DeviceSpec, Error};
use super::acting::UNKNOWN_MAILBOX;
use super::{Acting, Desk, Letter};
use crate::model::password::PlainPassword;
use crate::model::{Device, DeviceId, DeviceState, Grant, Mailbox, MailboxId, Rights, SenderRule, UserId};
use crate::store::{
    Actor, Cursor, DeviceEdit, DeviceOwner, DeviceQuery, DeviceRow, DeviceStatus, MailboxRow, NoticeBy, NoticeTurn,
    Page, Seq,
};

/// The most people who are told of a new device.
const TOLD_MAX: usize = 50;

const UNKNOWN_DEVICE: Error = Error::Unknown { what: "device" };

/// A device with the password that was made for it, shown once.
#[derive(Debug)]
pub struct DeviceAdded {
    /// The device.
    pub row: DeviceRow,
    /// Its password.
    pub password: PlainPassword,
    /// The change by which the old password ended, where there was one.
    pub seq: Option<Seq>,
}

/// What is done to a device without touching its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChange {
    /// Switched off for a while.
    Pause,
    /// Switched on again.
    Resume,
    /// Ended for good.
    Revoke,
}

/// What somebody means to do with a device, asked before its form is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceDeed {
    /// Pause, resume or revoke it.
    Change(DeviceChange),
    /// Change its record.
    Edit,
    /// End one of its live sessions.
    EndSession,
    /// Give it a new password.
    Replace,
}

/// What whoever acts may do with a device, for pages that show or leave out what can be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceMay {
    /// Change its record.
    pub edit: bool,
    /// Pause it.
    pub pause: bool,
    /// Resume it.
    pub resume: bool,
    /// Give it a new password.
    pub replace: bool,
    /// Revoke it.
    pub revoke: bool,
    /// End its live sessions.
    pub end_sessions: bool,
}

/// Whose a device is, from where whoever acts stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Mine,
    Nobodys,
    Somebodys,
}

impl Whose {
    pub(super) fn of(acting: &Acting, user: Option<UserId>) -> Self {
        match user {
            None => Self::Nobodys,
            Some(user) if user == acting.user.id => Self::Mine,
            Some(_) => Self::Somebodys,
        }
    }

    const fn read(self) -> Operation {
        match self {
            Self::Mine => Operation::OwnDeviceRead,
            Self::Nobodys | Self::Somebodys => Operation::DeviceRead,
        }
    }

    pub(super) const fn add(self) -> Operation {
        match self {
            Self::Mine => Operation::OwnDeviceAdd,
            Self::Nobodys => Operation::DeviceAdd,
            Self::Somebodys => Operation::DeviceAssign,
        }
    }

    pub(super) const fn replace(self) -> Operation {
        match self {
            Self::Mine => Operation::OwnDeviceReplace,
            Self::Nobodys => Operation::DeviceReplace,
            Self::Somebodys => Operation::DeviceAssign,
        }
    }

    const fn edit(self) -> Operation {
        match self {
            Self::Mine => Operation::OwnDeviceEdit,
            Self::Nobodys | Self::Somebodys => Operation::DeviceEdit,
        }
    }

    pub(super) const fn change(self, change: DeviceChange) -> Operation {
        match (self, change) {
            (Self::Mine, DeviceChange::Pause | DeviceChange::Revoke) => Operation::OwnDeviceEnd,
            (Self::Mine, DeviceChange::Resume) => Operation::OwnDeviceResume,
            (_, DeviceChange::Pause) => Operation::DevicePause,
            (_, DeviceChange::Resume) => Operation::DeviceResume,
            (_, DeviceChange::Revoke) => Operation::DeviceRevoke,
        }
    }

    const fn end_session(self) -> Operation {
        match self {
            Self::Mine => Operation::OwnDeviceEnd,
            Self::Nobodys | Self::Somebodys => Operation::SessionEnd,
        }
    }

    const fn deed(self, deed: DeviceDeed) -> Operation {
        match deed {
            DeviceDeed::Change(change) => self.change(change),
            DeviceDeed::Edit => self.edit(),
            DeviceDeed::EndSession => self.end_session(),
            DeviceDeed::Replace => self.replace(),
        }
    }
}

impl Desk {
    /// Devices of the organisation or of one mailbox. Whoever may not see them all gets their own among them.
    ///
    /// # Errors
    /// Whoever acts may see none of what is asked for, or there is no such mailbox here.
    pub async fn devices(
        &self,
        acting: &Acting,
        query: &DeviceQuery,
    ) -> Result<Page<DeviceRow, Cursor<DeviceId>>, Error> {
        let mut query = query.clone();
        let mine = Some(DeviceOwner::User(acting.user.id));
        match query.mailbox {
            Some(mailbox) => {
                let (_, row) = self.allow_on(acting, Operation::MailboxRead, mailbox).await?;
                let all = self.allow_any(acting, &[Operation::DeviceRead], &row.mailbox).await;
                if let Err(refused) = all {
                    only_mine(&mut query, mine, refused)?;
                }
            }
            None => {
                if let Err(refused) = self.allow(acting, Operation::DeviceRead).await {
                    only_mine(&mut query, mine, refused)?;
                }
            }
        }
        Ok(self.store().device_page(acting.org.id, &query).await?)
    }

    /// One device.
    ///
    /// # Errors
    /// There is none with this id here that whoever acts may see.
    pub async fn device(&self, acting: &Acting, id: DeviceId) -> Result<DeviceRow, Error> {
        let (row, _) = self.device_on(acting, id).await?;
        Ok(row)
    }

    /// One device with which whoever acts may do this, before its form is shown. Doing it asks again.
    ///
    /// # Errors
    /// They may not, or there is none with this id here that they may see.
    pub async fn check_device(&self, acting: &Acting, id: DeviceId, deed: DeviceDeed) -> Result<DeviceRow, Error> {
        let (row, mailbox) = self.device_on(acting, id).await?;
        let operation = Whose::of(acting, row.device.user).deed(deed);
        self.allow_any(acting, &[operation], &mailbox).await?;
        Ok(row)
    }

    /// Whether a device has this password now, before it is tried: only whoever may give it another one may ask, and
    /// nobody else's password is told.
    ///
    /// # Errors
    /// They may not, there is none with this id here that they may see, or too many ask.
    pub async fn has_password(&self, acting: &Acting, id: DeviceId, password: &PlainPassword) -> Result<bool, Error> {
        let (row, mailbox) = self.device_on(acting, id).await?;
        let operation = Whose::of(acting, row.device.user).deed(DeviceDeed::Replace);
        let actor = self.allow_any(acting, &[operation], &mailbox).await?;
        self.directory.has_password(&actor, &row, password).await
    }

    /// What whoever acts may do with a device that they were shown.
    ///
    /// # Errors
    /// They are no member any more.
    pub async fn device_may(&self, acting: &Acting, device: &Device) -> Result<DeviceMay, Error> {
        let rights = self.rights_on(acting, device.mailbox).await?;
        let whose = Whose::of(acting, device.user);
        let may = |deed| acting.may_on(rights, whose.deed(deed));
        Ok(DeviceMay {
            edit: may(DeviceDeed::Edit),
            pause: may(DeviceDeed::Change(DeviceChange::Pause)),
            resume: may(DeviceDeed::Change(DeviceChange::Resume)),
            replace: may(DeviceDeed::Replace),
            revoke: may(DeviceDeed::Change(DeviceChange::Revoke)),
            end_sessions: may(DeviceDeed::EndSession),
        })
    }

    /// A device that whoever acts may see, and its mailbox.
    pub(super) async fn device_on(&self, acting: &Acting, id: DeviceId) -> Result<(DeviceRow, Mailbox), Error> {
        let row = self.store().device_in(acting.org.id, id).await?.ok_or(UNKNOWN_DEVICE)?;
        let mailbox = self
            .store()
            .mailbox_in(acting.org.id, row.device.mailbox)
            .await?
            .ok_or(UNKNOWN_DEVICE)?;
        let whose = Whose::of(acting, row.device.user);
        match self.allow_any(acting, &[whose.read()], &mailbox.mailbox).await {
            Ok(_) => Ok((row, mailbox.mailbox)),
            // What somebody may not see is not there.
            Err(Error::Forbidden(_) | Error::Unknown { .. }) => Err(UNKNOWN_DEVICE),
            Err(error) => Err(error),
        }
    }

    /// Adds a device to a mailbox. The password is shown once.
    ///
    /// # Errors
    /// Whoever acts may not, their proof is too old, there is no such mailbox here, or the label is taken or cannot be
    /// accepted.
    pub async fn add_device(
        &self,
        acting: &Acting,
        mailbox: MailboxId,
        spec: DeviceSpec,
    ) -> Result<DeviceAdded, Error> {
        let (row, operations, actor) = self.may_add(acting, mailbox, &spec).await?;
        self.directory.must_end_later(spec.expires_at, "a device")?;
        let (credential, password) = self
            .directory
            .new_credential(actor.user, mailbox, &row.mailbox.address)
            .await?;
        // Hashing may have waited for others: what was withdrawn meanwhile counts.
        let actor = self.allow_any(acting, &operations, &row.mailbox).await?;
        let new = spec.of(mailbox, Some(credential));
        let device = self.store().create_device(&actor, &new).await?;
        let row = self.with_names(acting, device).await?;
        self.tell_of_device(acting, &row).await;
        Ok(DeviceAdded {
            row,
            password,
            seq: None,
        })
    }

    /// Asks whether whoever acts may add such a device now, by its password or by a link: the mailbox, what was asked for,
    /// and who acts for the audit log.
    pub(super) async fn may_add(
        &self,
        acting: &Acting,
        mailbox: MailboxId,
        spec: &DeviceSpec,
    ) -> Result<(MailboxRow, Vec<Operation>, Actor), Error> {
        let operation = Whose::of(acting, spec.user).add();
        let mut operations = vec![operation];
        if spec.senders != SenderRule::Mailbox {
            operations.push(Operation::DeviceSenders);
        }
        let row = self
            .store()
            .mailbox_in(acting.org.id, mailbox)
            .await?
            .ok_or(UNKNOWN_MAILBOX)?;
        let actor = self.allow_any(acting, &operations, &row.mailbox).await?;
        self.must_not_open_a_sign_in(acting, operation, &row.mailbox).await?;
        self.must_be_own_senders(acting, &spec.senders).await?;
        self.fresh_or_token(acting)?;
        Ok((row, operations, actor))
    }

    /// Gives a device a new password, shown once. The old one is dead at once and its sessions end.
    ///
    /// # Errors
    /// Whoever acts may not, their proof is too old, there is none with this id here, or it is revoked.
    pub async fn replace_device(&self, acting: &Acting, id: DeviceId) -> Result<DeviceAdded, Error> {
        let (row, mailbox) = self.device_on(acting, id).await?;
        let operation = Whose::of(acting, row.device.user).replace();
        let actor = self.allow_any(acting, &[operation], &mailbox).await?;
        self.must_not_open_a_sign_in(acting, operation, &mailbox).await?;
        self.fresh_or_token(acting)?;
        let (credential, password) = self
            .directory
            .new_credential(actor.user, mailbox.id, &mailbox.address)
            .await?;
        // Hashing may have waited for others: what was withdrawn, or given to somebody else, meanwhile counts.
        let (now, _) = self.device_on(acting, id).await?;
        let operation = Whose::of(acting, now.device.user).replace();
        let actor = self.allow_any(acting, &[operation], &mailbox).await?;
        let seq = self.store().replace_credential(&actor, id, &credential).await?;
        let row = self.with_names(acting, row.device).await?;
        self.tell_of_device(acting, &row).await;
        Ok(DeviceAdded {
            row,
            password,
            seq: Some(seq),
        })
    }

    /// Changes a device's record; sessions end where that takes something away. `edit` says which revision was seen.
    ///
    /// # Errors
    /// Whoever acts may not, there is none with this id here, somebody else changed it meanwhile, it is revoked, or the new
    /// label is taken or cannot be accepted.
    pub async fn edit_device(
        &self,
        acting: &Acting,
        id: DeviceId,
        edit: DeviceEdit,
    ) -> Result<(DeviceRow, Seq), Error> {
        let (row, mailbox) = self.device_on(acting, id).await?;
        // Rights were asked for the device as it was read, so no other one may be changed.
        let mut edit = edit;
        edit.revision.get_or_insert(row.device.revision);
        let old = Whose::of(acting, row.device.user);
        let mut operations = vec![old.edit()];
        // Only a change of the rule asks for more: a form sends all fields.
        if edit
            .senders
            .as_ref()
            .is_some_and(|senders| *senders != row.device.senders)
        {
            operations.push(Operation::DeviceSenders);
            if let Some(senders) = &edit.senders {
                self.must_be_own_senders(acting, senders).await?;
            }
        }
        if let Some(user) = edit.user.filter(|user| *user != row.device.user) {
            let new = Whose::of(acting, user);
            // A device that somebody holds goes on with another person's rights, so it is as if it were added for them.
            operations.push(new.add());
            if old == Whose::Somebodys {
                operations.push(Operation::DeviceAssign);
            }
            self.fresh_or_token(acting)?;
        }
        let actor = self.allow_any(acting, &operations, &mailbox).await?;
        self.directory.must_end_later(edit.expires_at.flatten(), "a device")?;
        let seq = self.directory.edit_device(&actor, &row.device, edit).await?;
        Ok((self.with_names(acting, row.device).await?, seq))
    }

    /// Pauses, resumes or revokes a device. A pause and a revocation end its sessions.
    ///
    /// # Errors
    /// Whoever acts may not, or there is none with this id here, or it is revoked and should go on.
    pub async fn change_device(
        &self,
        acting: &Acting,
        id: DeviceId,
        change: DeviceChange,
    ) -> Result<(DeviceRow, Seq), Error> {
        let (row, mailbox) = self.device_on(acting, id).await?;
        let operation = Whose::of(acting, row.device.user).change(change);
        let actor = self.allow_any(acting, &[operation], &mailbox).await?;
        let seq = match change {
            DeviceChange::Pause => self.directory.pause_device(&actor, &row.device).await?,
            DeviceChange::Resume => self.directory.resume_device(&actor, &row.device).await?,
            DeviceChange::Revoke => self.directory.revoke_device(&actor, &row.device).await?,
        };
        Ok((self.with_names(acting, row.device).await?, seq))
    }

    /// Revokes devices of a mailbox together: exactly those that were shown before.
    ///
    /// # Errors
    /// Whoever acts may not, or one of them is not of this mailbox.
    pub async fn revoke_devices(
        &self,
        acting: &Acting,
        mailbox: MailboxId,
        ids: &[DeviceId],
    ) -> Result<(Seq, Vec<DeviceId>), Error> {
        let (actor, _) = self.allow_on(acting, Operation::DeviceRevoke, mailbox).await?;
        let mut revoked = Vec::new();
        for id in ids {
            let row = self.store().device_in(acting.org.id, *id).await?;
            let device = row
                .map(|row| row.device)
                .filter(|device| device.mailbox == mailbox)
                .ok_or(UNKNOWN_DEVICE)?;
            if !matches!(device.state, DeviceState::Revoked(_)) {
                revoked.push(device.id);
            }
        }
        let seq = self.revoke_together(&actor, &revoked).await?;
        Ok((seq, revoked))
    }

    async fn revoke_together(&self, actor: &Actor, ids: &[DeviceId]) -> Result<Seq, Error> {
        let state = DeviceState::Revoked(self.now());
        Ok(self.store().set_device_state(actor, ids, state).await?)
    }

    /// One's own devices in this organisation that are not revoked.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn my_devices(&self, acting: &Acting) -> Result<Vec<DeviceRow>, Error> {
        let mut query = DeviceQuery {
            status: DeviceStatus::Live,
            owner: Some(DeviceOwner::User(acting.user.id)),
            limit: crate::store::page::PAGE_MAX,
            ..DeviceQuery::default()
        };
        let mut devices = Vec::new();
        loop {
            let page = self.store().device_page(acting.org.id, &query).await?;
            devices.extend(page.rows);
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(devices),
            }
        }
    }

    /// What was granted to whoever acts in this organisation and counts now.
    pub(super) async fn granted(&self, acting: &Acting) -> Result<Vec<Grant>, Error> {
        let now = self.now();
        let mut grants = self.directory.grants_of(Some(acting.org.id), acting.user.id).await?;
        grants.retain(|grant| grant.rights_at(now) != Rights::NONE);
        Ok(grants)
    }

    /// The device as it is now, with the names of what it belongs to.
    pub(super) async fn with_names(&self, acting: &Acting, device: Device) -> Result<DeviceRow, Error> {
        self.store()
            .device_in(acting.org.id, device.id)
            .await?
            .ok_or(UNKNOWN_DEVICE)
    }

    /// Tells everybody who may use the mailbox that it has a new password. What cannot be told now waits for the next mail
    /// about this device, so that whoever uses up what may be sent hides nothing.
    pub(super) async fn tell_of_device(&self, acting: &Acting, row: &DeviceRow) {
        let (user, mailbox) = (acting.user.id.raw(), row.device.mailbox.raw());
        let (user, mailbox) = (user.to_le_bytes(), mailbox.to_le_bytes());
        let now = self.directory.clock.now();
        if self.throttle.take_device_letters(now, &user, &mailbox).is_err() {
            tracing::warn!(user.id = %acting.user.id, "people are told of a device within the hour: they were told often enough of this user");
            return self.hold_notice(acting, row).await;
        }
        let is_told = match self.tell_now(acting, row).await {
            Ok(is_told) => is_told,
            Err(error) => {
                tracing::error!(%error, "a mail about a change was not put into the outbox");
                false
            }
        };
        if !is_told {
            self.hold_notice(acting, row).await;
        }
    }

    async fn hold_notice(&self, acting: &Acting, row: &DeviceRow) {
        if self.post.is_open()
            && let Err(error) = self.store().hold_notice(row.device.id, &giver(acting)).await
        {
            tracing::error!(%error, "a notice of a device was not kept for later");
        }
    }

    /// Tells those who may be told at this moment; false where one of them could not be, and nothing waits that tells them.
    async fn tell_now(&self, acting: &Acting, row: &DeviceRow) -> Result<bool, Error> {
        // Whoever signs in with an address of the mailbox could be signed in as by whoever reads its mail: they are told of
        // each new password, at once.
        let mut told = self.store().sign_ins_of(row.device.mailbox).await?;
        let grants = self.directory.grants_on(acting.org.id, row.device.mailbox).await?;
        let turn = self.store().take_notice(row.device.id, &giver(acting)).await?;
        let mut all_told = true;
        if turn == NoticeTurn::Now {
            let now = self.now();
            let live = grants.into_iter().filter(|row| !row.grant.rights_at(now).is_empty());
            for grant in live.take(TOLD_MAX) {
                if told.iter().any(|user| user.id == grant.grant.user) {
                    continue;
                }
                match self.store().user(grant.grant.user).await {
                    Ok(user) => told.extend(user),
                    Err(error) => {
                        tracing::error!(%error, "a mail about a change was not put into the outbox");
                        all_told = false;
                    }
                }
            }
            if told.iter().all(|user| user.id != acting.user.id) {
                told.push(acting.user.clone());
            }
        }
        for user in told {
            let letter = Letter::DeviceAdded {
                by: acting.user.name.clone(),
                org: acting.org.id,
                mailbox: row.device.mailbox,
                address: row.address.clone(),
                device: row.device.label.clone(),
                at: self.now(),
            };
            let org = Some(acting.org.id);
            all_told &= self.tell(&user.address, user.language, org, letter).await;
        }
        Ok(all_told || turn == NoticeTurn::Held)
    }
}

/// Whoever acts, as the one who gave a password.
fn giver(acting: &Acting) -> NoticeBy {
    NoticeBy {
        user: acting.user.id,
        name: acting.user.name.clone(),
    }
}

/// Narrows a query that was refused to one's own devices, unless it asks for somebody else's.
fn only_mine(query: &mut DeviceQuery, mine: Option<DeviceOwner>, refused: Error) -> Result<(), Error> {
    if !matches!(refused, Error::Forbidden(_)) || (query.owner.is_some() && query.owner != mine) {
        return Err(refused);
    }
    query.owner = mine;
    Ok(())
}
