//! Who is told of a device by mail.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::Outcome;
use super::member::standing;
use super::person::SIGN_INS;
use crate::clock::Timestamp;
use crate::model::{DeviceId, MailboxId, OrgId, Right, Rights, Role, UserId};
use crate::store::NoticeReader;
use crate::store::notice::{READERS_MAX, RUNNING_READERS_MAX};

/// The people of a device: the one whom it belongs to; or else those who may see it by an access; or else those who run the
/// organisation.
pub(super) fn readers(
    conn: &Connection,
    (org, mailbox): (OrgId, MailboxId),
    owner: Option<UserId>,
    now: Timestamp,
) -> Outcome<Vec<NoticeReader>> {
    if let Some(owner) = owner
        && reaches(conn, (org, mailbox), owner, now, |rights| !rights.is_empty())?
    {
        let mut found = conn.prepare_cached("SELECT id, address, language FROM user WHERE id = ?1")?;
        return Ok(found.query_row([owner], reader_row).optional()?.into_iter().collect());
    }
    let mut rows = conn.prepare_cached(
        "SELECT u.id, u.address, u.language, g.rights FROM mailbox_grant g JOIN user u ON u.id = g.user_id
         WHERE g.mailbox_id = ?1 AND +g.org_id = ?2 AND (g.ends_at IS NULL OR g.ends_at > ?3) ORDER BY u.id",
    )?;
    let rows = rows.query_map(params![mailbox, org, now], |row| {
        Ok((reader_row(row)?, row.get::<_, Rights>(3)?))
    })?;
    let mut readers = Vec::new();
    for row in rows {
        let (reader, rights) = row?;
        if sees_devices(rights) && readers.len() < READERS_MAX as usize {
            readers.push(reader);
        }
    }
    if !readers.is_empty() {
        return Ok(readers);
    }
    let mut rows = conn.prepare_cached(
        "SELECT u.id, u.address, u.language FROM membership s JOIN user u ON u.id = s.user_id
         WHERE s.org_id = ?1 AND s.role IN (?2, ?3) ORDER BY s.role <> ?2, u.id LIMIT ?4",
    )?;
    let rows = rows.query_map(
        params![org, Role::Owner, Role::Administrator, RUNNING_READERS_MAX],
        reader_row,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whoever signs in with an address of the mailbox: they are told of each new password.
pub(super) fn signing_in(conn: &Connection, mailbox: MailboxId) -> Outcome<Vec<NoticeReader>> {
    let sql = format!("SELECT u.id, u.address, u.language {SIGN_INS} ORDER BY u.id");
    let mut rows = conn.prepare_cached(&sql)?;
    let rows = rows.query_map([mailbox], reader_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Adds those who are told of a new password unless that is switched off, whatever they may see of the device: whoever has
/// access to the mailbox, and of those who gave one the members.
pub(super) fn told_of_passwords(
    conn: &Connection,
    (org, mailbox): (OrgId, MailboxId),
    givers: &[UserId],
    now: Timestamp,
    told: &mut Vec<NoticeReader>,
) -> Outcome<()> {
    let mut add = |reader: NoticeReader| {
        if told.iter().all(|known| known.user != reader.user) {
            told.push(reader);
        }
    };
    let mut rows = conn.prepare_cached(
        "SELECT u.id, u.address, u.language, g.rights FROM mailbox_grant g JOIN user u ON u.id = g.user_id
         WHERE g.mailbox_id = ?1 AND +g.org_id = ?2 AND (g.ends_at IS NULL OR g.ends_at > ?3) ORDER BY u.id LIMIT ?4",
    )?;
    let rows = rows.query_map(params![mailbox, org, now, READERS_MAX], |row| {
        Ok((reader_row(row)?, row.get::<_, Rights>(3)?))
    })?;
    for row in rows {
        let (reader, rights) = row?;
        if !rights.is_empty() {
            add(reader);
        }
    }
    let mut member = conn.prepare_cached(
        "SELECT u.id, u.address, u.language FROM membership s JOIN user u ON u.id = s.user_id
         WHERE s.org_id = ?1 AND s.user_id = ?2",
    )?;
    for giver in givers {
        if let Some(reader) = member.query_row(params![org, giver], reader_row).optional()? {
            add(reader);
        }
    }
    Ok(())
}

fn reader_row(row: &Row<'_>) -> rusqlite::Result<NoticeReader> {
    Ok(NoticeReader {
        user: row.get(0)?,
        address: row.get(1)?,
        language: row.get(2)?,
    })
}

/// Whether somebody may see a device at this moment: their own with any right on its mailbox, others by role or right, as
/// the table of rights has it (`device.read`).
pub(super) fn may_see(conn: &Connection, device: DeviceId, user: UserId, now: Timestamp) -> Outcome<bool> {
    let mut found = conn.prepare_cached("SELECT org_id, mailbox_id, user_id FROM device WHERE id = ?1")?;
    let found = found.query_row([device], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)));
    let Some((place, owner)): Option<((OrgId, MailboxId), Option<UserId>)> = found.optional()? else {
        return Ok(false);
    };
    let is_own = owner == Some(user);
    reaches(conn, place, user, now, |rights| {
        sees_devices(rights) || (is_own && !rights.is_empty())
    })
}

fn reaches(
    conn: &Connection,
    (org, mailbox): (OrgId, MailboxId),
    user: UserId,
    now: Timestamp,
    by_right: impl Fn(Rights) -> bool,
) -> Outcome<bool> {
    let standing = standing(conn, (org, user), Some(mailbox), now)?;
    Ok(standing.is_some_and(|standing| {
        let role = standing.membership.role;
        role.manages_mailboxes() || role == Role::Auditor || by_right(standing.rights)
    }))
}

fn sees_devices(rights: Rights) -> bool {
    rights.has(Right::SeeDevices) || rights.has(Right::ManageDevices)
}
