//! Devices and their credentials, as the control plane changes them.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde_json::{Map, Value, json};

use super::fault::{Fault, Outcome, conflict, not_found, refused};
use super::mailbox::mailbox;
use super::value::ip_from;
use super::write::{About, Write};
use super::{device_link, grant};
use crate::audit::{Action, device_detail};
use crate::clock::Timestamp;
use crate::model::device::Use;
use crate::model::{CredentialId, Device, DeviceId, DeviceState, Mailbox, MailboxId, name};
use crate::store::{
    Actor, DeviceEdit, DeviceFilter, EndReason, LISTED_MAX, LIVE_DEVICES_MAX, NewCredential, NewDevice, RETIRED_MAX,
    Seq,
};

/// What [`device_at`] reads, of a table called `d`.
pub(super) const DEVICE_COLUMNS: &str = "d.id, d.mailbox_id, d.label, d.paused_at, d.revoked_at, d.scopes, \
     d.expires_at, d.networks, d.senders, d.created_at, d.replaced_at, d.epoch, d.imported, d.first_at, d.first_ip, \
     d.first_protocol, d.first_client, d.last_at, d.last_ip, d.last_protocol, d.last_client, d.kind, d.user_id, \
     d.revision";

/// How many they are.
pub(super) const DEVICE_COLUMN_COUNT: usize = 24;

/// Reads a device from the columns from `at` on.
pub(super) fn device_at(row: &Row<'_>, at: usize) -> rusqlite::Result<Device> {
    Ok(Device {
        id: row.get(at)?,
        mailbox: row.get(at + 1)?,
        label: row.get(at + 2)?,
        state: state_from(row.get(at + 3)?, row.get(at + 4)?),
        scopes: row.get(at + 5)?,
        expires_at: row.get(at + 6)?,
        networks: row.get(at + 7)?,
        senders: row.get(at + 8)?,
        created_at: row.get(at + 9)?,
        replaced_at: row.get(at + 10)?,
        epoch: row.get(at + 11)?,
        imported: row.get(at + 12)?,
        first_used: use_at(row, at + 13)?,
        last_used: use_at(row, at + 17)?,
        kind: row.get(at + 21)?,
        user: row.get(at + 22)?,
        revision: row.get(at + 23)?,
    })
}

/// The state that two columns tell.
pub(super) const fn state_from(paused_at: Option<Timestamp>, revoked_at: Option<Timestamp>) -> DeviceState {
    match (paused_at, revoked_at) {
        (_, Some(revoked_at)) => DeviceState::Revoked(revoked_at),
        (Some(paused_at), None) => DeviceState::Paused(paused_at),
        (None, None) => DeviceState::Active,
    }
}

fn use_at(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Use>> {
    let Some(moment) = row.get(at)? else {
        return Ok(None);
    };
    let ip = ip_from(&row.get::<_, String>(at + 1)?)?;
    Ok(Some(Use {
        at: moment,
        ip,
        protocol: row.get(at + 2)?,
        client: row.get(at + 3)?,
    }))
}

pub(super) fn device(conn: &Connection, id: DeviceId) -> Outcome<Option<Device>> {
    let mut found = conn.prepare_cached(&format!("SELECT {DEVICE_COLUMNS} FROM device d WHERE d.id = ?1"))?;
    Ok(found.query_row([id], |row| device_at(row, 0)).optional()?)
}

pub(super) fn devices(conn: &Connection, filter: &DeviceFilter) -> Outcome<Vec<Device>> {
    let mut sql = format!("SELECT {DEVICE_COLUMNS} FROM device d WHERE true");
    let mut values: Vec<&dyn ToSql> = Vec::new();
    if let Some(mailbox) = &filter.mailbox {
        values.push(mailbox);
        sql.push_str(" AND d.mailbox_id = ?1");
    }
    if let Some(org) = &filter.org {
        values.push(org);
        sql.push_str(&format!(
            " AND d.mailbox_id IN (SELECT m.id FROM mail_domain o JOIN mailbox m ON m.domain_id = o.id
               WHERE o.org_id = ?{})",
            values.len()
        ));
    }
    if !filter.with_revoked {
        sql.push_str(" AND d.revoked_at IS NULL");
    }
    sql.push_str(&format!(" ORDER BY d.mailbox_id, d.id LIMIT {}", LISTED_MAX + 1));
    let mut rows = conn.prepare_cached(&sql)?;
    let devices: Vec<_> = rows
        .query_map(values.as_slice(), |row| device_at(row, 0))?
        .collect::<Result<_, _>>()?;
    if devices.len() > LISTED_MAX {
        return Err(refused(format!(
            "more than {LISTED_MAX} devices match; name an organisation or a mailbox"
        )));
    }
    Ok(devices)
}

pub(super) fn tags_in_use(conn: &Connection, mailbox: MailboxId, key_id: u32) -> Outcome<Vec<u16>> {
    let mut tags = conn.prepare_cached(
        "SELECT tag FROM credential WHERE mailbox_id = ?1 AND key_id = ?2 AND tag IS NOT NULL ORDER BY tag",
    )?;
    Ok(tags
        .query_map(params![mailbox, key_id], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// Adds a device and says so in the audit log.
pub(super) fn create_device(write: &Write<'_>, actor: &Actor, new: &NewDevice) -> Outcome<Device> {
    let mailbox = mailbox(write, new.mailbox)?;
    let device = insert_device(write, &mailbox, new)?;
    let mut detail = device_detail(&mailbox.address, &device);
    detail["scopes"] = json!(device.scopes.to_string());
    detail["expires_at"] = json!(device.expires_at.map(Timestamp::rfc3339));
    detail["networks"] = json!(device.networks.to_string());
    detail["senders"] = json!(device.senders.to_string());
    detail["kind"] = json!(device.kind.to_string());
    detail["user"] = json!(device.user);
    let id = device.id.to_string();
    write.audit(actor, Action::DeviceAdd, About::mailbox(&mailbox, &id), detail)?;
    Ok(device)
}

/// Adds a device; the caller writes the audit row.
pub(super) fn insert_device(write: &Write<'_>, mailbox: &Mailbox, new: &NewDevice) -> Outcome<Device> {
    let label = name::device_label(&new.label).map_err(|bad| refused(bad.to_string()))?;
    label_must_be_free(write, mailbox, &label, None)?;
    if !new.scopes.imap && !new.scopes.smtp {
        return Err(refused(
            "a device needs at least one protocol: imap, smtp, or both".to_owned(),
        ));
    }
    if let Some(user) = new.user {
        grant::must_reach(write, mailbox, user)?;
    }
    let live = "SELECT count(*) FROM device WHERE mailbox_id = ?1 AND revoked_at IS NULL";
    let live: u32 = write
        .tx
        .prepare_cached(live)?
        .query_row([mailbox.id], |row| row.get(0))?;
    if live >= LIVE_DEVICES_MAX {
        let address = &mailbox.address;
        return Err(refused(format!(
            "{address} has {live} devices, the most there may be; revoke unused ones first"
        )));
    }
    let id = DeviceId::from_raw(write.fresh_id());
    write.execute(
        "INSERT INTO device (id, mailbox_id, org_id, label, label_key, kind, user_id, scopes, networks, senders,
             expires_at, imported, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            id,
            mailbox.id,
            mailbox.org,
            label,
            name::name_key(&label),
            new.kind,
            new.user,
            new.scopes,
            new.networks,
            new.senders,
            new.expires_at,
            new.imported,
            write.now
        ],
    )?;
    if let Some(credential) = &new.credential {
        insert_credential(write, id, mailbox, credential)?;
    }
    known_device(write, id)
}

pub(super) fn known_device(write: &Write<'_>, id: DeviceId) -> Outcome<Device> {
    device(&write.tx, id)?.ok_or_else(|| not_found(format!("there is no device {id}")))
}

fn label_must_be_free(write: &Write<'_>, mailbox: &Mailbox, label: &str, except: Option<DeviceId>) -> Outcome<()> {
    let mut taken = write.tx.prepare_cached(
        "SELECT label FROM device WHERE mailbox_id = ?1 AND label_key = ?2 AND revoked_at IS NULL AND id IS NOT ?3",
    )?;
    let taken: Option<String> = taken
        .query_row(params![mailbox.id, name::name_key(label), except], |row| row.get(0))
        .optional()?;
    match taken {
        None => Ok(()),
        Some(taken) => Err(conflict(format!(
            "{} has a device named {taken:?} already; choose another name, or replace that device's password",
            mailbox.address
        ))),
    }
}

fn insert_credential(write: &Write<'_>, device: DeviceId, mailbox: &Mailbox, new: &NewCredential) -> Outcome<()> {
    if let Some(tag) = new.tag {
        let taken = "SELECT EXISTS (SELECT 1 FROM credential WHERE mailbox_id = ?1 AND key_id = ?2 AND tag = ?3)";
        let taken: bool = write
            .tx
            .prepare_cached(taken)?
            .query_row(params![mailbox.id, new.key_id, tag], |row| row.get(0))?;
        if taken {
            let address = &mailbox.address;
            return Err(conflict(format!(
                "another password of {address} has the same tag; generate a new one"
            )));
        }
    }
    let id = CredentialId::from_raw(write.fresh_id());
    write.execute(
        "INSERT INTO credential (id, device_id, mailbox_id, tag, key_id, hash, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![id, device, mailbox.id, new.tag, new.key_id, new.hash, write.now],
    )?;
    Ok(())
}

/// Retires the credential in use. However often passwords are replaced, a login has a bounded number of rows to read.
fn retire_credential(write: &Write<'_>, mailbox: MailboxId, device: DeviceId, at: Timestamp) -> Outcome<()> {
    write.execute(
        "UPDATE credential SET retired_at = ?2 WHERE device_id = ?1 AND retired_at IS NULL",
        params![device, at],
    )?;
    write.execute(
        "DELETE FROM credential WHERE mailbox_id = ?1 AND id IN
             (SELECT id FROM credential WHERE mailbox_id = ?1 AND retired_at IS NOT NULL
              ORDER BY retired_at DESC, id DESC LIMIT -1 OFFSET ?2)",
        params![mailbox, RETIRED_MAX],
    )?;
    Ok(())
}

fn must_not_be_revoked(device: &Device) -> Outcome<()> {
    match device.state {
        DeviceState::Active | DeviceState::Paused(_) => Ok(()),
        DeviceState::Revoked(_) => Err(revoked_for_good(device)),
    }
}

fn revoked_for_good(device: &Device) -> Fault {
    refused(format!(
        "the device {:?} ({}) was revoked, which is for good; add a new device",
        device.label, device.id
    ))
}

pub(super) fn replace_credential(
    write: &Write<'_>,
    actor: &Actor,
    id: DeviceId,
    credential: &NewCredential,
) -> Outcome<Seq> {
    let device = known_device(write, id)?;
    must_not_be_revoked(&device)?;
    let mailbox = mailbox(write, device.mailbox)?;
    // Whoever has a link to set it up would put a password of their own in place of this one.
    device_link::end_of(write, id)?;
    let seq = give_credential(write, &mailbox, &device, credential)?;
    let detail = device_detail(&mailbox.address, &device);
    let about = id.to_string();
    write.audit(actor, Action::DeviceReplace, About::mailbox(&mailbox, &about), detail)?;
    Ok(seq)
}

/// Puts a credential in place of the one in use, if there is one; the caller writes the audit row.
pub(super) fn give_credential(
    write: &Write<'_>,
    mailbox: &Mailbox,
    device: &Device,
    credential: &NewCredential,
) -> Outcome<Seq> {
    retire_credential(write, mailbox.id, device.id, write.now)?;
    insert_credential(write, device.id, mailbox, credential)?;
    // Generated passwords have a tag, imported ones never do.
    write.execute(
        "UPDATE device SET replaced_at = ?2, imported = ?3, epoch = epoch + 1, revision = revision + 1 WHERE id = ?1",
        params![device.id, write.now, credential.tag.is_none()],
    )?;
    write.log_device(mailbox.id, device.id, EndReason::Replaced)
}

pub(super) fn set_state(write: &Write<'_>, actor: &Actor, ids: &[DeviceId], state: DeviceState) -> Outcome<Seq> {
    for id in ids {
        set_state_of(write, actor, &known_device(write, *id)?, state)?;
    }
    write.latest_change()
}

/// Sets the state of one device, with its audit row and, where it loses something, its change.
pub(super) fn set_state_of(write: &Write<'_>, actor: &Actor, device: &Device, state: DeviceState) -> Outcome<()> {
    let id = device.id;
    let (action, reason) = match (device.state, state) {
        (DeviceState::Active, DeviceState::Active)
        | (DeviceState::Paused(_), DeviceState::Paused(_))
        | (DeviceState::Revoked(_), DeviceState::Revoked(_)) => return Ok(()),
        (DeviceState::Revoked(_), _) => return Err(revoked_for_good(device)),
        (_, DeviceState::Revoked(at)) => {
            write.execute(
                "UPDATE device SET revoked_at = ?2, epoch = epoch + 1, revision = revision + 1 WHERE id = ?1",
                params![id, at],
            )?;
            retire_credential(write, device.mailbox, id, at)?;
            device_link::end_of(write, id)?;
            (Action::DeviceRevoke, Some(EndReason::Revoked))
        }
        (DeviceState::Active, DeviceState::Paused(at)) => {
            write.execute(
                "UPDATE device SET paused_at = ?2, epoch = epoch + 1, revision = revision + 1 WHERE id = ?1",
                params![id, at],
            )?;
            (Action::DevicePause, Some(EndReason::Paused))
        }
        (DeviceState::Paused(_), DeviceState::Active) => {
            write.execute(
                "UPDATE device SET paused_at = NULL, revision = revision + 1 WHERE id = ?1",
                [id],
            )?;
            (Action::DeviceResume, None)
        }
    };
    if let Some(reason) = reason {
        write.log_device(device.mailbox, id, reason)?;
    }
    let mailbox = mailbox(write, device.mailbox)?;
    let detail = device_detail(&mailbox.address, device);
    let subject = id.to_string();
    write.audit(actor, action, About::mailbox(&mailbox, &subject), detail)
}

/// Ends the sessions of a device that may do less than when they began; it may log in again at once. The record stays as
/// it is, and the audit row is that of what took something away.
pub(super) fn narrow(write: &Write<'_>, device: &Device) -> Outcome<Seq> {
    write.execute("UPDATE device SET epoch = epoch + 1 WHERE id = ?1", [device.id])?;
    write.log_device(device.mailbox, device.id, EndReason::Narrowed)
}

/// What changes a device's record.
const CHANGES: &[Action] = &[
    Action::DeviceAdd,
    Action::DeviceEdit,
    Action::DeviceImport,
    Action::DevicePause,
    Action::DeviceReplace,
    Action::DeviceResume,
    Action::DeviceRevoke,
];

pub(super) fn edit(write: &Write<'_>, actor: &Actor, id: DeviceId, edit: &DeviceEdit) -> Outcome<Seq> {
    let old = known_device(write, id)?;
    let mailbox = mailbox(write, old.mailbox)?;
    let subject = id.to_string();
    let about = About::mailbox(&mailbox, &subject);
    if edit.revision.is_some_and(|revision| revision != old.revision) {
        return Err(write.stale(about, CHANGES)?);
    }
    must_not_be_revoked(&old)?;
    let new = edited(&old, edit)?;
    if new == old {
        return write.latest_change();
    }
    label_must_be_free(write, &mailbox, &new.label, Some(id))?;
    if let Some(user) = new.user.filter(|_| new.user != old.user) {
        grant::must_reach(write, &mailbox, user)?;
    }
    let narrower = !covers(&new, &old) || (new.user != old.user && grant::sends_by_grant(write, &old)?);
    write.execute(
        "UPDATE device SET label = ?2, label_key = ?3, kind = ?4, user_id = ?5, scopes = ?6, networks = ?7,
             senders = ?8, expires_at = ?9, epoch = epoch + ?10, revision = revision + 1 WHERE id = ?1",
        params![
            id,
            new.label,
            name::name_key(&new.label),
            new.kind,
            new.user,
            new.scopes,
            new.networks,
            new.senders,
            new.expires_at,
            narrower
        ],
    )?;
    let mut detail = device_detail(&mailbox.address, &new);
    detail["changed"] = differences(&old, &new);
    write.audit(actor, Action::DeviceEdit, about, detail)?;
    if !narrower {
        return write.latest_change();
    }
    write.log_device(mailbox.id, id, EndReason::Narrowed)
}

fn edited(old: &Device, edit: &DeviceEdit) -> Outcome<Device> {
    let mut new = old.clone();
    if let Some(label) = &edit.label {
        new.label = name::device_label(label).map_err(|bad| refused(bad.to_string()))?;
    }
    new.kind = edit.kind.unwrap_or(new.kind);
    new.user = edit.user.unwrap_or(new.user);
    new.scopes = edit.scopes.unwrap_or(new.scopes);
    if !new.scopes.imap && !new.scopes.smtp {
        return Err(refused(
            "a device needs at least one protocol: imap, smtp, or both; pause it instead".to_owned(),
        ));
    }
    new.expires_at = edit.expires_at.unwrap_or(new.expires_at);
    if let Some(networks) = &edit.networks {
        new.networks = networks.clone();
    }
    if let Some(senders) = &edit.senders {
        new.senders = senders.clone();
    }
    Ok(new)
}

/// Whether the new record allows all that the old one allowed: only then do sessions go on.
fn covers(new: &Device, old: &Device) -> bool {
    let lives_as_long = match (new.expires_at, old.expires_at) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(new), Some(old)) => new >= old,
    };
    lives_as_long
        && new.scopes.cover(old.scopes)
        && new.networks.cover(&old.networks)
        && new.senders.cover(&old.senders)
}

/// `{"scopes": ["imap,smtp", "imap"]}`: each changed field with its old and its new value.
fn differences(old: &Device, new: &Device) -> Value {
    let fields = |device: &Device| {
        [
            ("label", json!(device.label)),
            ("kind", json!(device.kind.to_string())),
            ("user", json!(device.user)),
            ("scopes", json!(device.scopes.to_string())),
            ("networks", json!(device.networks.to_string())),
            ("senders", json!(device.senders.to_string())),
            ("expires_at", json!(device.expires_at.map(Timestamp::rfc3339))),
        ]
    };
    let pairs = fields(old).into_iter().zip(fields(new));
    let changed = pairs.filter(|((_, old), (_, new))| old != new);
    Value::Object(
        changed
            .map(|((field, old), (_, new))| (field.to_owned(), json!([old, new])))
            .collect::<Map<_, _>>(),
    )
}
