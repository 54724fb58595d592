//! Appends audit rows to the chain, reads them, and walks the chain.

use async_trait::async_trait;
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use serde_json::Value;

use super::SqliteStore;
use super::fault::Outcome;
use super::query::Query;
use super::write::{About, Write};
use crate::audit::chain::{BEGINNING, Entry, Head, RowHash, Walk};
use crate::audit::{Action, clean, clean_detail};
use crate::clock::Timestamp;
use crate::model::{MailboxId, OrgId};
use crate::store::audit::AUDIT_SEARCHED_MAX;
use crate::store::page::PAGE_MAX;
use crate::store::{Actor, AuditFilter, AuditPage, AuditRow, AuditStore, Error};

const COLUMNS: &str = "number, at, who, origin, behalf, action, org_id, mailbox_id, subject, detail, \
     user_id";

/// Rows are numbered in the order in which they were written, which is the order of their moments unless the clock was
/// set back; by no more than this.
const CLOCK_SLACK_MS: i64 = 24 * 60 * 60 * 1000;

#[async_trait]
impl AuditStore for SqliteStore {
    async fn append_audit(
        &self,
        actor: &Actor,
        action: &str,
        org: Option<OrgId>,
        subject: &str,
        detail: Value,
    ) -> Result<(), Error> {
        let (actor, action, subject) = (actor.clone(), action.to_owned(), subject.to_owned());
        self.write(move |write| {
            let named = mailbox_named(&write.tx, &detail)?;
            let about = About {
                org: org.or_else(|| named.map(|(_, org)| org)),
                mailbox: named.map(|(mailbox, _)| mailbox),
                subject: &subject,
            };
            append(write, &actor, &action, about, detail)
        })
        .await
    }

    async fn audit_rows(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, Error> {
        let filter = filter.clone();
        self.read(move |conn| {
            let mut query = Query::new(&format!("SELECT {COLUMNS}, hash"));
            from_index(&mut query, &filter, filter.before);
            query.text(" AND ");
            hit(&mut query, &filter);
            query
                .text(" ORDER BY number DESC LIMIT ")
                .value(i64::from(filter.limit));
            query.rows(conn, audit_row)
        })
        .await
    }

    async fn audit_page(&self, filter: &AuditFilter) -> Result<AuditPage, Error> {
        let filter = filter.clone();
        self.read(move |conn| page(conn, &filter)).await
    }

    async fn audit_row(&self, org: Option<OrgId>, number: i64) -> Result<Option<AuditRow>, Error> {
        self.read(move |conn| {
            let sql = format!("SELECT {COLUMNS}, hash FROM audit WHERE number = ?1 AND (?2 IS NULL OR +org_id = ?2)");
            let mut found = conn.prepare_cached(&sql)?;
            Ok(found.query_row(params![number, org], audit_row).optional()?)
        })
        .await
    }

    async fn verify_audit(&self, walk: Walk, limit: u32) -> Result<Walk, Error> {
        self.read(move |conn| walk_on(conn, walk, limit)).await
    }
}

/// Appends a row. Its number is given here and not by SQLite, as the hash covers it; no other process can give it, as the
/// transaction holds the write lock.
pub(super) fn append(write: &Write<'_>, actor: &Actor, action: &str, about: About<'_>, detail: Value) -> Outcome<()> {
    let head = match write.head.get() {
        Some(head) => head,
        None => newest(&write.tx)?,
    };
    let (who, origin) = (clean(&actor.who), clean(&actor.origin));
    let behalf = actor.behalf.as_deref().map(clean);
    let (action, subject, detail) = (clean(action), clean(about.subject), clean_detail(detail).to_string());
    let entry = Entry {
        number: head.number.saturating_add(1),
        at: write.now,
        who: &who,
        origin: &origin,
        behalf: behalf.as_deref(),
        action: &action,
        org: about.org,
        mailbox: about.mailbox,
        subject: &subject,
        detail: &detail,
        user: actor.user,
    };
    let hash = entry.hash(&head.hash);
    write.execute(
        &format!("INSERT INTO audit ({COLUMNS}, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"),
        params![
            entry.number,
            entry.at,
            entry.who,
            entry.origin,
            entry.behalf,
            entry.action,
            entry.org,
            entry.mailbox,
            entry.subject,
            entry.detail,
            entry.user,
            hash.as_slice()
        ],
    )?;
    write.head.set(Some(Head {
        number: entry.number,
        hash,
    }));
    Ok(())
}

/// On what the next row stands: the highest number that was ever given, and the hash of the newest row. Where the newest
/// rows were deleted by hand, the gap stays visible.
fn newest(conn: &Connection) -> Outcome<Head> {
    let mut newest = conn.prepare_cached(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit'), 0),
             (SELECT hash FROM audit ORDER BY number DESC LIMIT 1)",
    )?;
    Ok(newest.query_row([], |row| {
        Ok(Head {
            number: row.get(0)?,
            hash: row.get::<_, Option<RowHash>>(1)?.unwrap_or(BEGINNING),
        })
    })?)
}

/// The mailbox that a detail names.
fn mailbox_named(conn: &Connection, detail: &Value) -> Outcome<Option<(MailboxId, OrgId)>> {
    let Some(address) = detail.get("mailbox").and_then(Value::as_str) else {
        return Ok(None);
    };
    let mut found = conn.prepare_cached("SELECT id, org_id FROM mailbox WHERE address = ?1")?;
    let found = found.query_row([address], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional()?)
}

/// Who did one of these things to this last, and when.
pub(super) fn last_change(
    conn: &Connection,
    about: About<'_>,
    actions: &[Action],
) -> Outcome<Option<(String, Timestamp)>> {
    let mut found = conn.prepare_cached(
        "SELECT who, at FROM audit
         WHERE subject = ?1 AND +org_id IS ?2 AND (?3 IS NULL OR +mailbox_id = ?3)
             AND instr(?4, ' ' || action || ' ') > 0
         ORDER BY number DESC LIMIT 1",
    )?;
    let words: String = actions.iter().map(|action| format!(" {} ", action.as_str())).collect();
    let values = params![clean(about.subject), about.org, about.mailbox, words];
    let found = found.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional()?)
}

/// The conditions that an index answers. A mailbox has fewer rows than anything else (`+` keeps off another index).
fn from_index(query: &mut Query, filter: &AuditFilter, before: Option<i64>) {
    query
        .text(" FROM audit WHERE number < ")
        .value(before.unwrap_or(i64::MAX));
    if let Some(mailbox) = filter.mailbox {
        query.and("mailbox_id = ", mailbox.raw());
    }
    if let Some(user) = filter.user {
        let column = if filter.mailbox.is_some() {
            "+user_id = "
        } else {
            "user_id = "
        };
        query.and(column, user.raw());
    }
    let narrowed = filter.mailbox.is_some() || filter.user.is_some();
    if let Some(org) = filter.org {
        query.and(if narrowed { "+org_id = " } else { "org_id = " }, org.raw());
    }
    if let Some(who) = &filter.who {
        query.and(if narrowed { "+who = " } else { "who = " }, who.clone());
    }
}

/// The other conditions, for which each row is looked at.
fn hit(query: &mut Query, filter: &AuditFilter) {
    query.text("(true");
    if let Some(subject) = &filter.subject {
        query.text(" AND (instr(subject, ").value(subject.clone());
        query
            .text(") > 0 OR json_extract(detail, '$.mailbox') IS ")
            .value(subject.clone())
            .text(")");
    }
    if let Some(action) = &filter.action {
        query.text(" AND substr(action, 1, length(").value(action.clone());
        query.text(")) = ").value(action.clone());
    }
    if let Some(since) = filter.since {
        query.and("at >= ", since.0);
    }
    if let Some(until) = filter.until {
        query.and("at < ", until.0);
    }
    query.text(")");
}

/// Rows from the newest on, each with whether it is a hit.
pub(super) fn page_query(filter: &AuditFilter, before: Option<i64>) -> Query {
    let mut query = Query::new(&format!("SELECT {COLUMNS}, hash, "));
    hit(&mut query, filter);
    from_index(&mut query, filter, before);
    query.text(" ORDER BY number DESC");
    query
}

fn page(conn: &Connection, filter: &AuditFilter) -> Outcome<AuditPage> {
    let limit = filter.limit.clamp(1, PAGE_MAX) as usize;
    let before = match filter.until {
        None => filter.before,
        Some(until) => {
            let bound = written_until(conn, until)?;
            Some(filter.before.map_or(bound, |before| before.min(bound)))
        }
    };
    let over_at = filter.since.map(|since| since.0.saturating_sub(CLOCK_SLACK_MS));
    let query = page_query(filter, before);
    let mut statement = conn.prepare_cached(&query.sql)?;
    let mut rows = statement.query(params_from_iter(&query.values))?;
    let mut page = AuditPage {
        rows: Vec::new(),
        next: None,
    };
    let (mut looked_at, mut last) = (0, 0);
    while let Some(row) = rows.next()? {
        if over_at.is_some_and(|over_at| row.get(1).is_ok_and(|at: i64| at < over_at)) {
            break;
        }
        if looked_at == AUDIT_SEARCHED_MAX {
            page.next = Some(last);
            break;
        }
        if row.get(12)? {
            if page.rows.len() == limit {
                page.next = Some(last);
                break;
            }
            page.rows.push(audit_row(row)?);
        }
        looked_at += 1;
        last = row.get(0)?;
    }
    Ok(page)
}

/// Rows from this number on were written after `until`, as far as the clock can be trusted.
fn written_until(conn: &Connection, until: Timestamp) -> Outcome<i64> {
    let until = until.0.saturating_add(CLOCK_SLACK_MS);
    let mut at_or_before =
        conn.prepare_cached("SELECT at FROM audit WHERE number <= ?1 ORDER BY number DESC LIMIT 1")?;
    let (mut low, mut high) = (0, newest(conn)?.number.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let at: Option<i64> = at_or_before.query_row([middle], |row| row.get(0)).optional()?;
        if at.is_none_or(|at| at < until) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

fn audit_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let detail: String = row.get(9)?;
    Ok(AuditRow {
        number: row.get(0)?,
        at: row.get(1)?,
        actor: Actor {
            who: row.get(2)?,
            origin: row.get(3)?,
            behalf: row.get(4)?,
            user: row.get(10)?,
        },
        action: row.get(5)?,
        org: row.get(6)?,
        mailbox: row.get(7)?,
        subject: row.get(8)?,
        detail: serde_json::from_str(&detail).map_err(FromSqlError::other)?,
        hash: row.get(11)?,
    })
}

fn walk_on(conn: &mut Connection, mut walk: Walk, limit: u32) -> Outcome<Walk> {
    // One state: what is written meanwhile is not seen in parts.
    let tx = conn.transaction()?;
    let begin = "SELECT coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'audit.chain_after'), 0)";
    walk.begins_after(tx.prepare_cached(begin)?.query_row([], |row| row.get(0))?);
    let limit = limit.max(1);
    let mut looked_at = 0;
    {
        let sql = format!("SELECT {COLUMNS}, hash FROM audit WHERE number > ?1 ORDER BY number LIMIT ?2");
        let mut statement = tx.prepare_cached(&sql)?;
        let mut rows = statement.query(params![walk.seen(), limit])?;
        while let Some(row) = rows.next()? {
            step(&mut walk, row)?;
            looked_at += 1;
        }
    }
    if looked_at < limit {
        walk.end(newest(&tx)?.number);
    }
    Ok(walk)
}

fn step(walk: &mut Walk, row: &Row<'_>) -> rusqlite::Result<()> {
    let entry = Entry {
        number: row.get(0)?,
        at: row.get(1)?,
        who: row.get_ref(2)?.as_str()?,
        origin: row.get_ref(3)?.as_str()?,
        behalf: row.get_ref(4)?.as_str_or_null()?,
        action: row.get_ref(5)?.as_str()?,
        org: row.get(6)?,
        mailbox: row.get(7)?,
        subject: row.get_ref(8)?.as_str()?,
        detail: row.get_ref(9)?.as_str()?,
        user: row.get(10)?,
    };
    walk.step(&entry, row.get_ref(11)?.as_blob_or_null()?);
    Ok(())
}
