//! Lists of mailboxes and devices of one organisation, as pages show them.
//!
//! Each is read from an index that begins with the organisation and is sorted as the list is, so that a page costs as
//! much as its rows, whatever the size of the database. Only a filter that matches almost nothing walks on through the
//! organisation, and never out of it.

use rusqlite::{Connection, Row};

use super::credential::day_of;
use super::device::{DEVICE_COLUMN_COUNT, DEVICE_COLUMNS, device_at};
use super::fault::{Outcome, refused};
use super::knock;
use super::mailbox::mailbox_row;
use super::query::Query;
use crate::clock::Timestamp;
use crate::model::{Address, DeviceId, DeviceState, MailboxId, OrgId, name};
use crate::store::page::{BadCursor, PAGE_MAX};
use crate::store::{Cursor, DeviceOwner, DeviceQuery, DeviceRow, DeviceStatus, MailboxQuery, MailboxRow, Page};

/// The number of rows to read for a page: one more tells that there is a next one.
pub(super) fn read_limit(limit: u32) -> i64 {
    i64::from(limit.clamp(1, PAGE_MAX)) + 1
}

/// A page of the rows that were read by [`read_limit`].
pub(super) fn cut<T, C>(mut rows: Vec<T>, limit: u32, place: impl FnOnce(&T) -> C) -> Page<T, C> {
    let limit = limit.clamp(1, PAGE_MAX) as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(place);
    Page { rows, next }
}

/// Devices with the names of what they belong to, as [`device_row`] reads them; the device `d` is found first, then its
/// mailbox `m` and its user `u`.
pub(super) fn devices() -> Query {
    devices_by("")
}

/// The same of one person, who has few: they are found by that.
fn devices_by_owner() -> Query {
    devices_by("INDEXED BY device_user")
}

fn devices_by(index: &str) -> Query {
    devices_from(&format!("device d {index}"))
}

/// Devices that are found so.
fn devices_from(found: &str) -> Query {
    Query::new(&format!(
        "SELECT {DEVICE_COLUMNS}, m.address, u.name
         FROM {found} CROSS JOIN mailbox m ON m.id = d.mailbox_id LEFT JOIN user u ON u.id = d.user_id"
    ))
}

/// The same by address: mailbox after mailbox, and each one's devices.
fn devices_by_address() -> Query {
    Query::new(&format!(
        "SELECT {DEVICE_COLUMNS}, m.address, u.name
         FROM mailbox m CROSS JOIN device d ON d.mailbox_id = m.id LEFT JOIN user u ON u.id = d.user_id"
    ))
}

pub(super) fn device_row(row: &Row<'_>) -> rusqlite::Result<DeviceRow> {
    Ok(DeviceRow {
        device: device_at(row, 0)?,
        address: row.get(DEVICE_COLUMN_COUNT)?,
        owner: row.get(DEVICE_COLUMN_COUNT + 1)?,
        knocking: None,
    })
}

pub(super) fn device_in(conn: &Connection, org: OrgId, id: DeviceId, now: Timestamp) -> Outcome<Option<DeviceRow>> {
    let mut query = devices();
    query.text(" WHERE d.id = ").value(id.raw());
    query.and("+d.org_id = ", org.raw());
    let mut rows = query.rows(conn, device_row)?;
    knock::fill(conn, &mut rows, now)?;
    Ok(rows.pop())
}

pub(super) fn device_page(
    conn: &mut Connection,
    org: OrgId,
    query: &DeviceQuery,
    now: Timestamp,
) -> Outcome<Page<DeviceRow, Cursor<DeviceId>>> {
    // Devices and what is tried with their old passwords are of one moment: one list is sorted by the other.
    let tx = conn.transaction()?;
    let mut rows = device_query(org, query, now)?.rows(&tx, device_row)?;
    knock::fill(&tx, &mut rows, now)?;
    Ok(cut(rows, query.limit, |row| Cursor {
        key: sorted_by(query.status, row),
        id: row.device.id,
    }))
}

/// What a list of this status is sorted by, before the id.
fn sorted_by(status: DeviceStatus, row: &DeviceRow) -> String {
    let number = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.0.to_string());
    match (status, row.device.state) {
        (DeviceStatus::Live | DeviceStatus::All | DeviceStatus::Recent(_), _) => row.address.to_string(),
        (DeviceStatus::NeverUsed, _) => String::new(),
        (DeviceStatus::UnusedSince(_), _) => {
            let last = row.device.last_used.as_ref();
            last.map_or_else(String::new, |last| day_of(last.at).to_string())
        }
        (DeviceStatus::Paused, DeviceState::Paused(at)) | (DeviceStatus::Revoked, DeviceState::Revoked(at)) => {
            number(Some(at))
        }
        (DeviceStatus::Paused | DeviceStatus::Revoked, _) => String::new(),
        (DeviceStatus::EndingBefore(_), _) => number(row.device.expires_at),
        (DeviceStatus::Knocking, _) => number(row.knocking.as_ref().map(|knocking| knocking.last.at)),
    }
}

pub(super) fn device_query(org: OrgId, query: &DeviceQuery, now: Timestamp) -> Outcome<Query> {
    let of_few = query.mailbox.is_some() || matches!(query.owner, Some(DeviceOwner::User(_)));
    match query.status {
        DeviceStatus::Live | DeviceStatus::All | DeviceStatus::Recent(_) => {
            let mut sql = by_address(org, query);
            narrow(&mut sql, query, BY_NAME);
            sql.text(" ORDER BY m.address, d.id LIMIT ")
                .value(read_limit(query.limit));
            Ok(sql)
        }
        DeviceStatus::Knocking => {
            let mut sql = by_knock(org, query, now)?;
            narrow(&mut sql, query, BY_NAME);
            sql.text(" ORDER BY k.last_at DESC, k.device_id DESC LIMIT ")
                .value(read_limit(query.limit));
            Ok(sql)
        }
        _ => by_column(org, query, of_few),
    }
}

/// What a text is looked for in, where the mailbox `m` is at hand.
const BY_NAME: &[&str] = &["d.label_key", "m.address"];

/// The conditions that any list can have, on the device `d`.
fn narrow(sql: &mut Query, query: &DeviceQuery, by_name: &[&str]) {
    match query.status {
        DeviceStatus::All | DeviceStatus::Revoked | DeviceStatus::Knocking => {}
        DeviceStatus::Recent(since) => {
            sql.text(" AND (d.revoked_at IS NULL OR d.revoked_at > ")
                .value(since.0)
                .text(")");
        }
        _ => {
            sql.text(" AND d.revoked_at IS NULL");
        }
    }
    if let Some(mailbox) = query.mailbox {
        sql.and("d.mailbox_id = ", mailbox.raw());
    }
    match query.owner {
        None => {}
        Some(DeviceOwner::User(user)) => {
            sql.and("d.user_id = ", user.raw());
        }
        Some(DeviceOwner::Nobody) => {
            sql.text(" AND d.user_id IS NULL");
        }
    }
    if let Some(kind) = query.kind {
        sql.and("d.kind = ", kind.name().to_owned());
    }
    if let Some(ip) = query.last_ip {
        sql.and("d.last_ip = ", ip.to_string());
    }
    if let Some(text) = query.text.as_deref().filter(|_| !by_name.is_empty()) {
        sql.contains(by_name, &name::name_key(text.trim()));
    }
}

fn by_address(org: OrgId, query: &DeviceQuery) -> Query {
    let mut sql = if matches!(query.owner, Some(DeviceOwner::User(_))) {
        let mut sql = devices_by_owner();
        sql.text(" WHERE d.org_id = ").value(org.raw());
        sql
    } else {
        let mut sql = devices_by_address();
        sql.text(" WHERE m.org_id = ").value(org.raw());
        sql
    };
    if let Some(mailbox) = query.mailbox {
        sql.and("m.id = ", mailbox.raw());
    }
    if let Some(after) = &query.after {
        sql.and("m.address >= ", after.key.clone());
        sql.text(" AND (m.address > ").value(after.key.clone());
        sql.text(" OR d.id > ").value(after.id.raw()).text(")");
    }
    sql
}

/// A list that is sorted by a column of the device. Which devices are on the page is found from the index of that column
/// alone, where it has all that is asked for; only then are their records read. Those of a person or of a mailbox are few,
/// and sorted by themselves (`+` keeps off the indexes of the order).
fn by_column(org: OrgId, query: &DeviceQuery, of_few: bool) -> Outcome<Query> {
    let (column, descends) = match query.status {
        DeviceStatus::UnusedSince(_) => ("d.last_day", false),
        DeviceStatus::EndingBefore(_) => ("d.expires_at", false),
        DeviceStatus::Paused => ("d.paused_at", true),
        DeviceStatus::Revoked => ("d.revoked_at", true),
        // All but the first have statements of their own.
        DeviceStatus::NeverUsed
        | DeviceStatus::Live
        | DeviceStatus::All
        | DeviceStatus::Recent(_)
        | DeviceStatus::Knocking => ("d.last_day", false),
    };
    let mut sql = match (query.owner, query.mailbox) {
        (_, Some(_)) => devices(),
        (Some(DeviceOwner::User(_)), None) => devices_by_owner(),
        _ => Query::new(&format!("SELECT d.mailbox_id, d.id, {column} AS place FROM device d")),
    };
    sql.text(if query.mailbox.is_some() {
        " WHERE +d.org_id = "
    } else {
        " WHERE d.org_id = "
    });
    sql.value(org.raw());
    match query.status {
        DeviceStatus::UnusedSince(at) => {
            sql.and("d.last_day < ", day_of(at));
        }
        DeviceStatus::EndingBefore(at) => {
            sql.text(" AND d.expires_at IS NOT NULL").and("d.expires_at < ", at.0);
        }
        DeviceStatus::Paused | DeviceStatus::Revoked => {
            sql.text(" AND ").text(column).text(" IS NOT NULL");
        }
        _ => {
            sql.text(" AND d.last_day IS NULL");
        }
    }
    let never_used = query.status == DeviceStatus::NeverUsed;
    match &query.after {
        Some(after) if never_used => {
            sql.and("d.id > ", after.id.raw());
        }
        _ => go_on(
            &mut sql,
            query,
            &[column, ", d.id)", if descends { " < (" } else { " > (" }],
        )?,
    }
    narrow(&mut sql, query, if of_few { BY_NAME } else { &[] });
    if let Some(text) = query.text.as_deref().filter(|_| !of_few) {
        in_name_or_address(&mut sql, org, text);
    }
    let way = if descends { " DESC" } else { "" };
    sql.text(" ORDER BY ").text(column).text(way).text(", d.id").text(way);
    sql.text(" LIMIT ").value(read_limit(query.limit));
    if of_few {
        return Ok(sql);
    }
    let mut page = devices_from(&format!(
        "({}) f CROSS JOIN device d ON d.mailbox_id = f.mailbox_id AND d.id = f.id",
        sql.sql
    ));
    page.values = sql.values;
    page.text(" ORDER BY f.place").text(way).text(", f.id").text(way);
    Ok(page)
}

/// That the device's name or its mailbox's address contains a text. The addresses are gone through once, not once for each
/// device.
fn in_name_or_address(sql: &mut Query, org: OrgId, text: &str) {
    let key = name::name_key(text.trim());
    sql.text(" AND (instr(d.label_key, ").value(key.clone());
    sql.text(") > 0 OR d.mailbox_id IN (SELECT b.id FROM mailbox b WHERE b.org_id = ")
        .value(org.raw())
        .text(" AND instr(b.address, ")
        .value(key)
        .text(") > 0))");
}

/// Goes on after a row, whose place is a number and its id.
fn go_on(sql: &mut Query, query: &DeviceQuery, [column, id, beyond]: &[&str; 3]) -> Outcome<()> {
    if let Some(after) = &query.after {
        let key: i64 = after.key.parse().map_err(|_| refused(BadCursor.to_string()))?;
        sql.text(" AND (").text(column).text(id).text(beyond);
        sql.value(key).text(", ").value(after.id.raw()).text(")");
    }
    Ok(())
}

/// By the latest try with an old password, each device once.
fn by_knock(org: OrgId, query: &DeviceQuery, now: Timestamp) -> Outcome<Query> {
    const OF_DEVICE: &str = "CROSS JOIN knock k ON k.mailbox_id = d.mailbox_id AND k.device_id = d.id";
    const OF_KNOCK: &str = "knock k CROSS JOIN device d ON d.mailbox_id = k.mailbox_id AND d.id = k.device_id";
    // As above: those of a person or of a mailbox are few.
    let (found, begin) = match (query.owner, query.mailbox) {
        (_, Some(_)) => (OF_KNOCK.to_owned(), " WHERE +k.org_id = "),
        (Some(DeviceOwner::User(_)), None) => (
            format!("device d INDEXED BY device_user {OF_DEVICE}"),
            " WHERE d.org_id = ",
        ),
        _ => (OF_KNOCK.to_owned(), " WHERE k.org_id = "),
    };
    let mut sql = devices_from(&found);
    sql.text(begin).value(org.raw());
    if let Some(mailbox) = query.mailbox {
        sql.and("k.mailbox_id = ", mailbox.raw());
    }
    sql.and("k.last_at > ", knock::counted_since(now).0);
    sql.text(" AND ").text(knock::LATEST_OF_DEVICE);
    go_on(&mut sql, query, &["k.last_at", ", k.device_id)", " < ("])?;
    Ok(sql)
}

/// Mailboxes with numbers, as [`row_with_numbers`] reads them.
fn mailboxes(now: Timestamp) -> Query {
    let mut sql = Query::new(
        "SELECT m.id, m.org_id, m.address, m.suspended_at, m.created_at,
             (SELECT count(*) FROM device d WHERE d.mailbox_id = m.id AND d.revoked_at IS NULL
                 AND (d.expires_at IS NULL OR d.expires_at > ",
    );
    sql.value(now.0).text(
        ")),
             (SELECT count(*) FROM mailbox_grant g WHERE g.mailbox_id = m.id),
             (SELECT count(a.alias_id) FROM address a WHERE a.mailbox_id = m.id),
             l.last_at, l.id, l.label
         FROM mailbox m LEFT JOIN device l ON l.mailbox_id = m.id AND l.id =
             (SELECT d.id FROM device d WHERE d.mailbox_id = m.id AND d.last_at IS NOT NULL
              ORDER BY d.last_at DESC LIMIT 1)",
    );
    sql
}

fn row_with_numbers(row: &Row<'_>) -> rusqlite::Result<MailboxRow> {
    let last_use = match row.get(8)? {
        None => None,
        Some(at) => Some((at, row.get(9)?, row.get(10)?)),
    };
    Ok(MailboxRow {
        mailbox: mailbox_row(row)?,
        people: row.get(6)?,
        aliases: row.get(7)?,
        last_use,
    })
}

pub(super) fn mailbox_in(conn: &Connection, org: OrgId, id: MailboxId, now: Timestamp) -> Outcome<Option<MailboxRow>> {
    let mut query = mailboxes(now);
    query.text(" WHERE m.id = ").value(id.raw());
    query.and("+m.org_id = ", org.raw());
    Ok(query.rows(conn, row_with_numbers)?.pop())
}

/// That nobody can reach the mailbox `m`.
pub(super) const UNREACHABLE: &str =
    "NOT EXISTS (SELECT 1 FROM device d WHERE d.mailbox_id = m.id AND d.revoked_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM mailbox_grant g WHERE g.mailbox_id = m.id)";

pub(super) fn mailbox_query(org: OrgId, query: &MailboxQuery, now: Timestamp) -> Query {
    let mut sql = mailboxes(now);
    sql.text(" WHERE m.org_id = ").value(org.raw());
    if let Some(after) = &query.after {
        sql.and("m.address > ", after.to_string());
    }
    // Kept off the index of the domain, which may be another organisation's.
    if let Some(domain) = query.domain {
        sql.and("+m.domain_id = ", domain.raw());
    }
    if let Some(text) = &query.text {
        sql.contains(&["m.address"], &name::name_key(text.trim()));
    }
    match query.suspended {
        None => {}
        Some(true) => {
            sql.text(" AND m.suspended_at IS NOT NULL");
        }
        Some(false) => {
            sql.text(" AND m.suspended_at IS NULL");
        }
    }
    if query.unreachable {
        sql.text(" AND ").text(UNREACHABLE);
    }
    sql.text(" ORDER BY m.address LIMIT ").value(read_limit(query.limit));
    sql
}

pub(super) fn mailbox_page(
    conn: &Connection,
    org: OrgId,
    query: &MailboxQuery,
    now: Timestamp,
) -> Outcome<Page<MailboxRow, Address>> {
    let rows = mailbox_query(org, query, now).rows(conn, row_with_numbers)?;
    Ok(cut(rows, query.limit, |row| row.mailbox.address.clone()))
}
