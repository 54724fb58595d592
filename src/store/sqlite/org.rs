//! Organisations and their mail domains.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::fault::{Outcome, conflict, not_found, refused};
use super::write::{About, Write};
use crate::audit::Action;
use crate::model::{DomainId, DomainName, MailDomain, Org, OrgId, name};
use crate::store::Actor;

pub(super) fn create_org(write: &Write<'_>, actor: &Actor, name: &str) -> Outcome<Org> {
    let name = free_name(write, name, None)?;
    let org = Org {
        id: OrgId::from_raw(write.fresh_id()),
        name,
        created_at: write.now,
    };
    write.execute(
        "INSERT INTO org (id, name, name_key, created_at) VALUES (?1, ?2, ?3, ?4)",
        params![org.id, org.name, name::name_key(&org.name), org.created_at],
    )?;
    write.audit(actor, Action::OrgCreate, About::org(org.id, &org.name), json!({}))?;
    Ok(org)
}

/// A name as it is stored, which no other organisation has.
fn free_name(write: &Write<'_>, name: &str, except: Option<OrgId>) -> Outcome<String> {
    let name = name::org_name(name).map_err(|bad| refused(bad.to_string()))?;
    let taken = "SELECT name FROM org WHERE name_key = ?1 AND id IS NOT ?2";
    let taken: Option<String> = write
        .tx
        .query_row(taken, params![name::name_key(&name), except], |row| row.get(0))
        .optional()?;
    match taken {
        None => Ok(name),
        Some(taken) => Err(conflict(format!(
            "an organisation named {taken:?} exists already; choose another name"
        ))),
    }
}

pub(super) fn rename_org(write: &Write<'_>, actor: &Actor, id: OrgId, from: &str, to: &str) -> Outcome<Org> {
    let old = known_org(&write.tx, id)?;
    if old.name != from {
        return Err(write.stale(About::org(id, &old.name), &[Action::OrgCreate, Action::OrgRename])?);
    }
    let name = free_name(write, to, Some(id))?;
    if name == old.name {
        return Ok(old);
    }
    write.execute(
        "UPDATE org SET name = ?2, name_key = ?3 WHERE id = ?1",
        params![id, name, name::name_key(&name)],
    )?;
    let detail = json!({ "changed": { "name": [old.name, name] } });
    write.audit(actor, Action::OrgRename, About::org(id, &name), detail)?;
    Ok(Org { name, ..old })
}

pub(super) fn orgs(conn: &Connection) -> Outcome<Vec<Org>> {
    let mut orgs = conn.prepare_cached("SELECT id, name, created_at FROM org ORDER BY name_key")?;
    Ok(orgs.query_map([], org_row)?.collect::<Result<_, _>>()?)
}

pub(super) fn org_row(row: &Row<'_>) -> rusqlite::Result<Org> {
    Ok(Org {
        id: row.get(0)?,
        name: row.get(1)?,
        created_at: row.get(2)?,
    })
}

pub(super) fn org(conn: &Connection, id: OrgId) -> Outcome<Option<Org>> {
    let mut found = conn.prepare_cached("SELECT id, name, created_at FROM org WHERE id = ?1")?;
    Ok(found.query_row([id], org_row).optional()?)
}

/// The organisation with this id, as a write finds it.
pub(super) fn known_org(conn: &Connection, id: OrgId) -> Outcome<Org> {
    org(conn, id)?.ok_or_else(|| not_found(format!("there is no organisation {id}")))
}

pub(super) fn delete_org(write: &Write<'_>, actor: &Actor, id: OrgId) -> Outcome<()> {
    let org = known_org(&write.tx, id)?;
    let domains = "SELECT count(*) FROM mail_domain WHERE org_id = ?1";
    let domains: i64 = write.tx.query_row(domains, [id], |row| row.get(0))?;
    if domains > 0 {
        let noun = if domains == 1 { "mail domain" } else { "mail domains" };
        return Err(refused(format!(
            "the organisation {:?} still has {domains} {noun}; delete them first",
            org.name
        )));
    }
    write.withdraw_mails_into(id)?;
    write.execute("DELETE FROM org WHERE id = ?1", [id])?;
    write.audit(actor, Action::OrgDelete, About::org(id, &org.name), json!({}))
}

pub(super) fn create_domain(write: &Write<'_>, actor: &Actor, org_id: OrgId, name: &DomainName) -> Outcome<MailDomain> {
    let org = known_org(&write.tx, org_id)?;
    if domain_named(&write.tx, name)?.is_some() {
        return Err(conflict(format!("the mail domain {name} exists already")));
    }
    let id = DomainId::from_raw(write.fresh_id());
    let domain = MailDomain {
        id,
        org: org.id,
        name: name.clone(),
        created_at: write.now,
    };
    write.execute(
        "INSERT INTO mail_domain (id, org_id, name, created_at) VALUES (?1, ?2, ?3, ?4)",
        params![domain.id, domain.org, domain.name, domain.created_at],
    )?;
    write.audit(
        actor,
        Action::DomainCreate,
        About::org(org.id, name.as_str()),
        json!({}),
    )?;
    Ok(domain)
}

pub(super) fn domains(conn: &Connection, org: Option<OrgId>) -> Outcome<Vec<MailDomain>> {
    let mut domains = conn.prepare_cached(
        "SELECT id, org_id, name, created_at FROM mail_domain WHERE ?1 IS NULL OR org_id = ?1 ORDER BY name",
    )?;
    Ok(domains.query_map([org], domain_row)?.collect::<Result<_, _>>()?)
}

pub(super) fn has_domain(conn: &Connection, name: &DomainName) -> Outcome<bool> {
    let mut domains = conn.prepare_cached("SELECT 1 FROM mail_domain WHERE name = ?1")?;
    Ok(domains.exists([name])?)
}

pub(super) fn mailboxes_by_domain(conn: &Connection, org: OrgId) -> Outcome<Vec<(DomainId, u32)>> {
    let mut counts = conn.prepare_cached(
        "SELECT d.id, (SELECT count(*) FROM mailbox m WHERE m.domain_id = d.id) FROM mail_domain d WHERE d.org_id = ?1",
    )?;
    let counts = counts.query_map([org], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let counts: Vec<(DomainId, u32)> = counts.collect::<Result<_, _>>()?;
    Ok(counts.into_iter().filter(|(_, mailboxes)| *mailboxes > 0).collect())
}

fn domain_row(row: &Row<'_>) -> rusqlite::Result<MailDomain> {
    Ok(MailDomain {
        id: row.get(0)?,
        org: row.get(1)?,
        name: row.get(2)?,
        created_at: row.get(3)?,
    })
}

fn domain_named(conn: &Connection, name: &DomainName) -> Outcome<Option<MailDomain>> {
    let mut found = conn.prepare_cached("SELECT id, org_id, name, created_at FROM mail_domain WHERE name = ?1")?;
    Ok(found.query_row([name], domain_row).optional()?)
}

/// The domain that an address lies in.
pub(super) fn known_domain(conn: &Connection, name: &DomainName) -> Outcome<MailDomain> {
    domain_named(conn, name)?.ok_or_else(|| {
        not_found(format!(
            "the mail domain {name} is not known; add it to an organisation first"
        ))
    })
}

pub(super) fn delete_domain(write: &Write<'_>, actor: &Actor, id: DomainId) -> Outcome<()> {
    let found = "SELECT id, org_id, name, created_at FROM mail_domain WHERE id = ?1";
    let domain = write.tx.query_row(found, [id], domain_row).optional()?;
    let domain = domain.ok_or_else(|| not_found(format!("there is no mail domain {id}")))?;
    let sql = "SELECT count(*) FILTER (WHERE alias_id IS NULL), count(alias_id) FROM address WHERE domain_id = ?1";
    let (mailboxes, aliases): (i64, i64) = write.tx.query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if mailboxes > 0 || aliases > 0 {
        return Err(refused(format!(
            "the mail domain {} still has {mailboxes} mailbox(es) and {aliases} alias(es); remove them first",
            domain.name
        )));
    }
    write.execute("DELETE FROM mail_domain WHERE id = ?1", [id])?;
    let about = About::org(domain.org, domain.name.as_str());
    write.audit(actor, Action::DomainDelete, about, json!({}))
}
