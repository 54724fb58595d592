//! What users may do with mailboxes.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::fault::{Outcome, conflict, not_found, refused};
use super::mailbox::mailbox_in;
use super::member::known_member;
use super::person::known_user;
use super::write::{About, Write};
use super::{device, ending};
use crate::audit::Action;
use crate::clock::Timestamp;
use crate::model::{Address, Device, Grant, Mailbox, MailboxId, OrgId, Right, SenderRule, User, UserId};
use crate::store::people::SEND_AS_MAX;
use crate::store::{Actor, Ended, GrantRow, GrantTerms, Seq};

const GRANTS: &str = "SELECT g.mailbox_id, m.address, g.user_id, g.rights, g.ends_at, g.created_at
    FROM mailbox_grant g JOIN mailbox m ON m.id = g.mailbox_id";

fn grant_row(row: &Row<'_>) -> rusqlite::Result<Grant> {
    Ok(Grant {
        mailbox: row.get(0)?,
        address: row.get(1)?,
        user: row.get(2)?,
        rights: row.get(3)?,
        ends_at: row.get(4)?,
        created_at: row.get(5)?,
    })
}

pub(super) fn grant(conn: &Connection, org: OrgId, mailbox: MailboxId, user: UserId) -> Outcome<Option<Grant>> {
    let sql = format!("{GRANTS} WHERE g.mailbox_id = ?1 AND g.user_id = ?2 AND +g.org_id = ?3");
    let mut found = conn.prepare_cached(&sql)?;
    Ok(found.query_row(params![mailbox, user, org], grant_row).optional()?)
}

/// The grant, as a write finds it.
pub(super) fn known_grant(conn: &Connection, org: OrgId, mailbox: MailboxId, user: UserId) -> Outcome<Grant> {
    grant(conn, org, mailbox, user)?
        .ok_or_else(|| not_found(format!("the user {user} has no access to the mailbox {mailbox}")))
}

pub(super) fn grants_on(conn: &Connection, org: OrgId, mailbox: MailboxId) -> Outcome<Vec<GrantRow>> {
    let mut rows = conn.prepare_cached(
        "SELECT g.mailbox_id, m.address, g.user_id, g.rights, g.ends_at, g.created_at, u.name, u.address,
             (SELECT count(*) FROM device d
              WHERE d.mailbox_id = g.mailbox_id AND d.user_id = g.user_id AND d.revoked_at IS NULL)
         FROM mailbox_grant g JOIN mailbox m ON m.id = g.mailbox_id JOIN user u ON u.id = g.user_id
         WHERE g.mailbox_id = ?1 AND +g.org_id = ?2 ORDER BY u.name_key, u.id",
    )?;
    let rows = rows.query_map(params![mailbox, org], |row| {
        Ok(GrantRow {
            grant: grant_row(row)?,
            name: row.get(6)?,
            user_address: row.get(7)?,
            devices: row.get(8)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn grants_of(
    conn: &Connection,
    org: Option<OrgId>,
    user: UserId,
    after: Option<&Address>,
    limit: u32,
) -> Outcome<Vec<Grant>> {
    let after = after.map_or("", Address::as_str);
    let sql = format!(
        "{GRANTS} WHERE g.user_id = ?1 AND (?2 IS NULL OR g.org_id = ?2) AND +m.address > ?3
         ORDER BY m.address LIMIT ?4"
    );
    let mut rows = conn.prepare_cached(&sql)?;
    let rows = rows.query_map(params![user, org, after, limit], grant_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A device may belong only to somebody who has access to its mailbox, so that it ends with that access.
pub(super) fn must_reach(write: &Write<'_>, mailbox: &Mailbox, user: UserId) -> Outcome<()> {
    let member = known_member(&write.tx, mailbox.org, user)?;
    if member.role.manages_mailboxes() {
        return Ok(());
    }
    let found = grant(&write.tx, mailbox.org, mailbox.id, user)?;
    if found.is_some_and(|grant| !grant.rights_at(write.now).is_empty()) {
        return Ok(());
    }
    Err(refused(format!(
        "{} has no access to {}; give it to them first",
        member.user.address, mailbox.address
    )))
}

/// Whether a device may use the addresses of other mailboxes because of the person it belongs to.
pub(super) fn sends_by_grant(write: &Write<'_>, device: &Device) -> Outcome<bool> {
    if !device.scopes.smtp || device.senders == SenderRule::Off {
        return Ok(false);
    }
    let mut found = write.tx.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM mailbox_grant WHERE user_id = ?1 AND send_as = 1 AND mailbox_id <> ?2
             AND org_id = (SELECT org_id FROM device WHERE id = ?3))",
    )?;
    Ok(found.query_row(params![device.user, device.mailbox, device.id], |row| row.get(0))?)
}

/// Ends the sessions of devices on other mailboxes that may use this mailbox's addresses by a grant.
pub(super) fn narrow_senders_of(write: &Write<'_>, mailbox: &Mailbox) -> Outcome<()> {
    for row in grants_on(&write.tx, mailbox.org, mailbox.id)? {
        for narrowed in ending::narrowed(&write.tx, mailbox.org, row.grant.user, mailbox.id)? {
            device::narrow(write, &narrowed.device)?;
        }
    }
    Ok(())
}

/// Terms that nobody would mean.
pub(super) fn must_make_sense(write: &Write<'_>, terms: &GrantTerms) -> Outcome<()> {
    if terms.rights.is_empty() {
        return Err(refused("choose at least one right, or withdraw the access".to_owned()));
    }
    if terms.ends_at.is_some_and(|ends_at| ends_at <= write.now) {
        return Err(refused(
            "the end of the access is in the past; choose a later one".to_owned(),
        ));
    }
    Ok(())
}

fn must_fit_senders(write: &Write<'_>, org: OrgId, user: &User) -> Outcome<()> {
    let count = "SELECT count(*) FROM mailbox_grant WHERE user_id = ?1 AND send_as = 1 AND org_id = ?2";
    let mut count = write.tx.prepare_cached(count)?;
    let count: u32 = count.query_row(params![user.id, org], |row| row.get(0))?;
    if count >= SEND_AS_MAX {
        let address = &user.address;
        return Err(refused(format!(
            "{address} may send as {count} mailboxes, the most there may be; take that right away elsewhere first"
        )));
    }
    Ok(())
}

fn terms_detail(address: &Address, user: &User, terms: &GrantTerms) -> Value {
    json!({
        "mailbox": address.as_str(), "id": user.id, "name": user.name,
        "rights": terms.rights.to_string(), "ends_at": terms.ends_at.map(Timestamp::rfc3339),
    })
}

pub(super) fn give(
    write: &Write<'_>,
    actor: &Actor,
    (org, mailbox, user): (OrgId, MailboxId, UserId),
    terms: &GrantTerms,
) -> Outcome<Grant> {
    let mailbox = mailbox_in(&write.tx, org, mailbox, write.now)?;
    let user = known_member(&write.tx, org, user)?.user;
    if let Some(found) = grant(&write.tx, org, mailbox.id, user.id)? {
        if !found.rights_at(write.now).is_empty() {
            return Err(conflict(format!(
                "{} has access to {} already; change it there",
                user.address, mailbox.address
            )));
        }
        // Its date has come, and the sweep has not.
        withdraw_found(write, actor, org, &found)?;
    }
    insert(write, actor, &mailbox, &user, terms)
}

/// Makes a grant and says so in the audit log; the caller has seen that there is none.
pub(super) fn insert(
    write: &Write<'_>,
    actor: &Actor,
    mailbox: &Mailbox,
    user: &User,
    terms: &GrantTerms,
) -> Outcome<Grant> {
    must_make_sense(write, terms)?;
    let send_as = terms.rights.has(Right::SendAs);
    if send_as {
        must_fit_senders(write, mailbox.org, user)?;
    }
    write.execute(
        "INSERT INTO mailbox_grant (mailbox_id, user_id, org_id, rights, send_as, ends_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            mailbox.id,
            user.id,
            mailbox.org,
            terms.rights,
            send_as,
            terms.ends_at,
            write.now
        ],
    )?;
    let about = About::mailbox(mailbox, user.address.as_str());
    let detail = terms_detail(&mailbox.address, user, terms);
    write.audit(actor, Action::GrantGive, about, detail)?;
    known_grant(&write.tx, mailbox.org, mailbox.id, user.id)
}

pub(super) fn change(
    write: &Write<'_>,
    actor: &Actor,
    (org, mailbox, user): (OrgId, MailboxId, UserId),
    from: &GrantTerms,
    to: &GrantTerms,
) -> Outcome<(Grant, Seq)> {
    let old = known_grant(&write.tx, org, mailbox, user)?;
    let mailbox = mailbox_in(&write.tx, org, mailbox, write.now)?;
    let user = known_user(&write.tx, user)?;
    let about = About::mailbox(&mailbox, user.address.as_str());
    let known = GrantTerms {
        rights: old.rights,
        ends_at: old.ends_at,
    };
    if known != *from {
        return Err(write.stale(about, &[Action::GrantGive, Action::GrantChange])?);
    }
    if from == to {
        return Ok((old, write.latest_change()?));
    }
    must_make_sense(write, to)?;
    let (had, has) = (from.rights.has(Right::SendAs), to.rights.has(Right::SendAs));
    if has && !had {
        must_fit_senders(write, org, &user)?;
    }
    if had && !has {
        for row in ending::narrowed(&write.tx, org, user.id, mailbox.id)? {
            device::narrow(write, &row.device)?;
        }
    }
    write.execute(
        "UPDATE mailbox_grant SET rights = ?3, send_as = ?4, ends_at = ?5 WHERE mailbox_id = ?1 AND user_id = ?2",
        params![mailbox.id, user.id, to.rights, has, to.ends_at],
    )?;
    let mut detail = terms_detail(&mailbox.address, &user, to);
    let ends = |terms: &GrantTerms| terms.ends_at.map(Timestamp::rfc3339);
    detail["changed"] = json!({
        "rights": [from.rights.to_string(), to.rights.to_string()], "ends_at": [ends(from), ends(to)],
    });
    write.audit(actor, Action::GrantChange, about, detail)?;
    Ok((
        known_grant(&write.tx, org, mailbox.id, user.id)?,
        write.latest_change()?,
    ))
}

pub(super) fn withdraw(
    write: &Write<'_>,
    actor: &Actor,
    (org, mailbox, user): (OrgId, MailboxId, UserId),
) -> Outcome<Ended> {
    let grant = known_grant(&write.tx, org, mailbox, user)?;
    withdraw_found(write, actor, org, &grant)
}

fn withdraw_found(write: &Write<'_>, actor: &Actor, org: OrgId, grant: &Grant) -> Outcome<Ended> {
    let what = ending::of_grant(&write.tx, org, grant, write.now)?;
    let user = known_user(&write.tx, grant.user)?;
    write.execute(
        "DELETE FROM mailbox_grant WHERE mailbox_id = ?1 AND user_id = ?2",
        params![grant.mailbox, grant.user],
    )?;
    audit_withdrawal(write, actor, (org, &user), grant)?;
    ending::revoke(write, actor, &what)?;
    ending::narrow(write, &what)?;
    Ok(Ended {
        seq: write.latest_change()?,
        what,
    })
}

/// Says in the log of the mailbox who lost what.
pub(super) fn audit_withdrawal(
    write: &Write<'_>,
    actor: &Actor,
    (org, user): (OrgId, &User),
    grant: &Grant,
) -> Outcome<()> {
    let terms = GrantTerms {
        rights: grant.rights,
        ends_at: grant.ends_at,
    };
    let about = About {
        org: Some(org),
        mailbox: Some(grant.mailbox),
        subject: user.address.as_str(),
    };
    let detail = terms_detail(&grant.address, user, &terms);
    write.audit(actor, Action::GrantWithdraw, about, detail)
}

/// Withdraws grants whose date has come; says how many.
pub(super) fn end_due(write: &Write<'_>, actor: &Actor, limit: u32) -> Outcome<u32> {
    let due: Vec<(OrgId, Grant)> = {
        let mut due = write.tx.prepare_cached(
            "SELECT g.mailbox_id, m.address, g.user_id, g.rights, g.ends_at, g.created_at, g.org_id
             FROM mailbox_grant g JOIN mailbox m ON m.id = g.mailbox_id
             WHERE g.ends_at IS NOT NULL AND g.ends_at <= ?1 ORDER BY g.ends_at LIMIT ?2",
        )?;
        let due = due.query_map(params![write.now, limit], |row| Ok((row.get(6)?, grant_row(row)?)))?;
        due.collect::<Result<_, _>>()?
    };
    for (org, grant) in &due {
        withdraw_found(write, actor, *org, grant)?;
    }
    Ok(u32::try_from(due.len()).unwrap_or(limit))
}
