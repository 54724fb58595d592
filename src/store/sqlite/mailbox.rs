//! Mailboxes and aliases: the owners of all addresses.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde_json::json;

use super::fault::{Outcome, conflict, not_found, refused};
use super::grant;
use super::org::known_domain;
use super::write::{About, Write};
use crate::audit::Action;
use crate::clock::Timestamp;
use crate::model::{Address, Alias, AliasId, DomainId, Mailbox, MailboxId, OrgId};
use crate::store::{Actor, ChangeKind, Seq};

/// `?1` is now.
const MAILBOXES: &str = "SELECT m.id, m.org_id, m.address, m.suspended_at, m.created_at,
        (SELECT count(*) FROM device d WHERE d.mailbox_id = m.id AND d.revoked_at IS NULL
            AND (d.expires_at IS NULL OR d.expires_at > ?1))
    FROM mailbox m";

const ALIASES: &str = "SELECT a.alias_id, a.address, a.mailbox_id, m.address, a.created_at
    FROM address a JOIN mailbox m ON m.id = a.mailbox_id";

/// Creates a mailbox and says so in the audit log.
pub(super) fn create_mailbox(write: &Write<'_>, actor: &Actor, address: &Address) -> Outcome<Mailbox> {
    let mailbox = insert_mailbox(write, address)?;
    let about = About::mailbox(&mailbox, address.as_str());
    write.audit(actor, Action::MailboxCreate, about, json!({ "id": mailbox.id }))?;
    Ok(mailbox)
}

/// Creates a mailbox; the caller writes the audit row.
pub(super) fn insert_mailbox(write: &Write<'_>, address: &Address) -> Outcome<Mailbox> {
    let domain = known_domain(&write.tx, &address.domain())?;
    must_be_free(&write.tx, address)?;
    let mailbox = Mailbox {
        id: MailboxId::from_raw(write.fresh_id()),
        org: domain.org,
        address: address.clone(),
        suspended_at: None,
        created_at: write.now,
        active_devices: 0,
    };
    write.execute(
        "INSERT INTO mailbox (id, domain_id, org_id, address, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![mailbox.id, domain.id, domain.org, address, write.now],
    )?;
    write.execute(
        "INSERT INTO address (address, domain_id, mailbox_id, created_at) VALUES (?1, ?2, ?3, ?4)",
        params![address, domain.id, mailbox.id, write.now],
    )?;
    Ok(mailbox)
}

fn must_be_free(conn: &Connection, address: &Address) -> Outcome<()> {
    if let Some(alias) = alias(conn, address)? {
        return Err(conflict(format!(
            "{address} is an alias of {}; remove the alias first, or choose another address",
            alias.target
        )));
    }
    if mailbox_named(conn, address, Timestamp(0))?.is_some() {
        return Err(conflict(format!(
            "{address} exists already as a mailbox; choose another address"
        )));
    }
    Ok(())
}

/// Reads a mailbox from the first six columns.
pub(super) fn mailbox_row(row: &Row<'_>) -> rusqlite::Result<Mailbox> {
    Ok(Mailbox {
        id: row.get(0)?,
        org: row.get(1)?,
        address: row.get(2)?,
        suspended_at: row.get(3)?,
        created_at: row.get(4)?,
        active_devices: row.get(5)?,
    })
}

pub(super) fn mailbox_named(conn: &Connection, address: &Address, now: Timestamp) -> Outcome<Option<Mailbox>> {
    let mut found = conn.prepare_cached(&format!("{MAILBOXES} WHERE m.address = ?2"))?;
    Ok(found.query_row(params![now, address], mailbox_row).optional()?)
}

/// The mailbox with this id, as a write finds it.
pub(super) fn mailbox(write: &Write<'_>, id: MailboxId) -> Outcome<Mailbox> {
    let mut found = write.tx.prepare_cached(&format!("{MAILBOXES} WHERE m.id = ?2"))?;
    let mailbox = found.query_row(params![write.now, id], mailbox_row).optional()?;
    mailbox.ok_or_else(|| not_found(format!("there is no mailbox {id}")))
}

/// The mailbox with this id where the organisation has it.
pub(super) fn mailbox_in(conn: &Connection, org: OrgId, id: MailboxId, now: Timestamp) -> Outcome<Mailbox> {
    let mut found = conn.prepare_cached(&format!("{MAILBOXES} WHERE m.id = ?2 AND +m.org_id = ?3"))?;
    let mailbox = found.query_row(params![now, id, org], mailbox_row).optional()?;
    mailbox.ok_or_else(|| not_found(format!("there is no mailbox {id}")))
}

/// Which mailboxes to list.
pub(super) struct Listing {
    pub(super) org: Option<OrgId>,
    pub(super) domain: Option<DomainId>,
    pub(super) after: Option<Address>,
    pub(super) limit: u32,
}

pub(super) fn mailboxes(conn: &Connection, page: &Listing, now: Timestamp) -> Outcome<Vec<Mailbox>> {
    let after = page.after.as_ref().map_or("", Address::as_str);
    let mut sql = format!("{MAILBOXES} WHERE m.address > ?2");
    let mut values: Vec<&dyn ToSql> = vec![&now, &after, &page.limit];
    // Only the conditions that are asked for, so that each has its index.
    if let Some(domain) = &page.domain {
        values.push(domain);
        sql.push_str(" AND m.domain_id = ?4");
    }
    if let Some(org) = &page.org {
        values.push(org);
        sql.push_str(&format!(" AND m.org_id = ?{}", values.len()));
    }
    sql.push_str(" ORDER BY m.address LIMIT ?3");
    let mut rows = conn.prepare_cached(&sql)?;
    Ok(rows
        .query_map(values.as_slice(), mailbox_row)?
        .collect::<Result<_, _>>()?)
}

pub(super) fn set_suspended(write: &Write<'_>, actor: &Actor, id: MailboxId, suspended: bool) -> Outcome<Seq> {
    let mailbox = mailbox(write, id)?;
    if mailbox.suspended_at.is_some() == suspended {
        return write.latest_change();
    }
    let (seq, action) = if suspended {
        write.execute(
            "UPDATE mailbox SET suspended_at = ?2, epoch = epoch + 1 WHERE id = ?1",
            params![id, write.now],
        )?;
        (
            write.log_change(&ChangeKind::MailboxEnded { mailbox: id })?,
            Action::MailboxSuspend,
        )
    } else {
        write.execute("UPDATE mailbox SET suspended_at = NULL WHERE id = ?1", [id])?;
        (write.latest_change()?, Action::MailboxResume)
    };
    let about = About::mailbox(&mailbox, mailbox.address.as_str());
    write.audit(actor, action, about, json!({ "id": id }))?;
    Ok(seq)
}

pub(super) fn delete_mailbox(write: &Write<'_>, actor: &Actor, id: MailboxId) -> Outcome<Seq> {
    let mailbox = mailbox(write, id)?;
    let aliases = aliases(&write.tx, Some(id), None)?;
    let people = grant::grants_on(&write.tx, mailbox.org, id)?;
    grant::narrow_senders_of(write, &mailbox)?;
    write.withdraw_mails_with_links_of(id)?;
    write.execute("DELETE FROM mailbox WHERE id = ?1", [id])?;
    let seq = write.log_change(&ChangeKind::MailboxEnded { mailbox: id })?;
    let aliases: Vec<_> = aliases.iter().map(|alias| alias.address.as_str()).collect();
    let people: Vec<_> = people.iter().map(|row| row.user_address.as_str()).collect();
    let detail = json!({ "id": id, "active_devices": mailbox.active_devices, "aliases": aliases, "people": people });
    let about = About::mailbox(&mailbox, mailbox.address.as_str());
    write.audit(actor, Action::MailboxDelete, about, detail)?;
    Ok(seq)
}

pub(super) fn set_upstream_secret(
    write: &Write<'_>,
    actor: &Actor,
    id: MailboxId,
    sealed: Option<&[u8]>,
) -> Outcome<()> {
    let mailbox = mailbox(write, id)?;
    write.execute(
        "UPDATE mailbox SET upstream_secret = ?2 WHERE id = ?1",
        params![id, sealed],
    )?;
    let action = if sealed.is_some() {
        Action::MailboxSecretSet
    } else {
        Action::MailboxSecretRemove
    };
    let about = About::mailbox(&mailbox, mailbox.address.as_str());
    write.audit(actor, action, about, json!({ "id": id }))
}

pub(super) fn create_alias(write: &Write<'_>, actor: &Actor, address: &Address, id: MailboxId) -> Outcome<Alias> {
    let mailbox = mailbox(write, id)?;
    let domain = known_domain(&write.tx, &address.domain())?;
    if domain.org != mailbox.org {
        return Err(refused(format!(
            "the mail domain {} belongs to another organisation than the mailbox {}",
            domain.name, mailbox.address
        )));
    }
    must_be_free(&write.tx, address)?;
    let alias = Alias {
        id: AliasId::from_raw(write.fresh_id()),
        address: address.clone(),
        mailbox: id,
        target: mailbox.address.clone(),
        created_at: write.now,
    };
    write.execute(
        "INSERT INTO address (address, domain_id, mailbox_id, alias_id, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![address, domain.id, id, alias.id, write.now],
    )?;
    let detail = json!({ "mailbox": alias.target.as_str() });
    let about = About::mailbox(&mailbox, address.as_str());
    write.audit(actor, Action::AliasCreate, about, detail)?;
    Ok(alias)
}

fn alias_row(row: &Row<'_>) -> rusqlite::Result<Alias> {
    Ok(Alias {
        id: row.get(0)?,
        address: row.get(1)?,
        mailbox: row.get(2)?,
        target: row.get(3)?,
        created_at: row.get(4)?,
    })
}

pub(super) fn alias(conn: &Connection, address: &Address) -> Outcome<Option<Alias>> {
    let mut found = conn.prepare_cached(&format!("{ALIASES} WHERE a.address = ?1 AND a.alias_id IS NOT NULL"))?;
    Ok(found.query_row([address], alias_row).optional()?)
}

pub(super) fn aliases(conn: &Connection, mailbox: Option<MailboxId>, org: Option<OrgId>) -> Outcome<Vec<Alias>> {
    let mut sql = format!("{ALIASES} WHERE a.alias_id IS NOT NULL");
    let mut values: Vec<&dyn ToSql> = Vec::new();
    if let Some(mailbox) = &mailbox {
        values.push(mailbox);
        sql.push_str(" AND a.mailbox_id = ?1");
    }
    if let Some(org) = &org {
        values.push(org);
        let place = values.len();
        sql.push_str(&format!(
            " AND a.domain_id IN (SELECT id FROM mail_domain WHERE org_id = ?{place})"
        ));
    }
    sql.push_str(" ORDER BY a.address");
    let mut rows = conn.prepare_cached(&sql)?;
    Ok(rows
        .query_map(values.as_slice(), alias_row)?
        .collect::<Result<_, _>>()?)
}

pub(super) fn delete_alias(write: &Write<'_>, actor: &Actor, id: AliasId) -> Outcome<Seq> {
    let mut found = write.tx.prepare_cached(&format!("{ALIASES} WHERE a.alias_id = ?1"))?;
    let alias = found.query_row([id], alias_row).optional()?;
    let alias = alias.ok_or_else(|| not_found(format!("there is no alias {id}")))?;
    write.execute("DELETE FROM address WHERE alias_id = ?1", [id])?;
    let mailbox = mailbox(write, alias.mailbox)?;
    let detail = json!({ "mailbox": alias.target.as_str() });
    let about = About::mailbox(&mailbox, alias.address.as_str());
    write.audit(actor, Action::AliasDelete, about, detail)?;
    write.latest_change()
}
