//! The search of one organisation, and the organisation in numbers.
//!
//! What begins with the text is found by the index; what has it further on by a walk over the entries of the same index,
//! which are short and all of this organisation. No table is touched but for what is found.

use rusqlite::{Connection, Row, ToSql, params};

use super::credential::day_of;
use super::fault::Outcome;
use super::knock;
use super::page::UNREACHABLE;
use crate::clock::Timestamp;
use crate::model::{OrgId, name};
use crate::store::page::FOUND_MAX;
use crate::store::{Found, Overview};

/// Mailboxes; here and below ?1 is the organisation, ?2 the text, ?3 the end of what begins with it, ?4 the limit. All
/// statements take all four.
const MAILBOXES: &str = "SELECT m.id, m.address FROM mailbox m
    WHERE m.org_id = ?1 AND m.address >= ?2 AND m.address < ?3 ORDER BY m.address LIMIT ?4";
const MAILBOXES_WITHIN: &str = "SELECT m.id, m.address FROM mailbox m
    WHERE m.org_id = ?1 AND instr(m.address, ?2) > 1 AND ?3 IS NOT NULL ORDER BY m.address LIMIT ?4";

const ALIASES: &str = "SELECT a.alias_id, a.address, a.mailbox_id, m.address
    FROM mail_domain o CROSS JOIN address a ON a.domain_id = o.id CROSS JOIN mailbox m ON m.id = a.mailbox_id
    WHERE o.org_id = ?1 AND a.address >= ?2 AND a.address < ?3 AND a.alias_id IS NOT NULL LIMIT ?4";
const ALIASES_WITHIN: &str = "SELECT a.alias_id, a.address, a.mailbox_id, m.address
    FROM mail_domain o CROSS JOIN address a ON a.domain_id = o.id CROSS JOIN mailbox m ON m.id = a.mailbox_id
    WHERE o.org_id = ?1 AND instr(a.address, ?2) > 1 AND ?3 IS NOT NULL AND a.alias_id IS NOT NULL LIMIT ?4";

const PEOPLE: &str = "SELECT u.id, u.name, u.address FROM membership s CROSS JOIN user u ON u.id = s.user_id
    WHERE s.org_id = ?1 AND s.name_key >= ?2 AND s.name_key < ?3 ORDER BY s.name_key LIMIT ?4";
const PEOPLE_WITHIN: &str = "SELECT u.id, u.name, u.address FROM membership s CROSS JOIN user u ON u.id = s.user_id
    WHERE s.org_id = ?1 AND instr(s.name_key, ?2) <> 1 AND (instr(s.name_key, ?2) > 1 OR instr(u.address, ?2) > 0)
        AND ?3 IS NOT NULL
    ORDER BY s.name_key LIMIT ?4";

const DEVICES: &str = "SELECT d.id, d.label, d.kind, m.address
    FROM device d CROSS JOIN mailbox m ON m.id = d.mailbox_id
    WHERE d.org_id = ?1 AND d.revoked_at IS NULL AND d.label_key >= ?2 AND d.label_key < ?3
    ORDER BY d.label_key LIMIT ?4";
/// The walk is over the index alone, so that a device's record is read only once it is found.
const DEVICES_WITHIN: &str = "SELECT d.id, d.label, d.kind, m.address
    FROM (SELECT mailbox_id, id FROM device
          WHERE org_id = ?1 AND revoked_at IS NULL AND instr(label_key, ?2) > 1 AND ?3 IS NOT NULL LIMIT ?4) f
        CROSS JOIN device d ON d.mailbox_id = f.mailbox_id AND d.id = f.id
        CROSS JOIN mailbox m ON m.id = d.mailbox_id";

/// Every statement of a search, in the order of the results.
pub(super) const SEARCHES: [&str; 8] = [
    MAILBOXES,
    MAILBOXES_WITHIN,
    ALIASES,
    ALIASES_WITHIN,
    PEOPLE,
    PEOPLE_WITHIN,
    DEVICES,
    DEVICES_WITHIN,
];

pub(super) fn search(conn: &Connection, org: OrgId, text: &str, limit: u32) -> Outcome<Vec<Found>> {
    let key = name::name_key(text.trim());
    if key.is_empty() {
        return Ok(Vec::new());
    }
    // Texts are compared octet by octet, and no character comes after this one.
    let end = format!("{key}{}", char::MAX);
    let mut found = Vec::new();
    for (pair, read) in SEARCHES.chunks_exact(2).zip(READERS) {
        let mut left = limit.clamp(1, FOUND_MAX);
        for sql in pair {
            let values: [&dyn ToSql; 4] = [&org, &key, &end, &left];
            let mut statement = conn.prepare_cached(sql)?;
            for one in statement.query_map(values, read)? {
                found.push(one?);
                left = left.saturating_sub(1);
            }
        }
    }
    Ok(found)
}

/// How the results of each pair of [`SEARCHES`] are read.
const READERS: [fn(&Row<'_>) -> rusqlite::Result<Found>; 4] = [
    |row| {
        Ok(Found::Mailbox {
            id: row.get(0)?,
            address: row.get(1)?,
        })
    },
    |row| {
        Ok(Found::Alias {
            id: row.get(0)?,
            address: row.get(1)?,
            mailbox: row.get(2)?,
            target: row.get(3)?,
        })
    },
    |row| {
        Ok(Found::Person {
            id: row.get(0)?,
            name: row.get(1)?,
            address: row.get(2)?,
        })
    },
    |row| {
        Ok(Found::Device {
            id: row.get(0)?,
            label: row.get(1)?,
            kind: row.get(2)?,
            address: row.get(3)?,
        })
    },
];

/// ?1 is the organisation.
const MAILBOX_NUMBERS: &str = "SELECT count(*), count(m.suspended_at) FROM mailbox m WHERE m.org_id = ?1";
const ALIAS_NUMBER: &str = "SELECT count(a.alias_id)
    FROM mail_domain o CROSS JOIN address a ON a.domain_id = o.id WHERE o.org_id = ?1";
/// ?2 is a day.
const DEVICE_NUMBERS: &str = "SELECT count(*), count(*) - count(last_day), count(*) FILTER (WHERE last_day < ?2)
    FROM device WHERE org_id = ?1 AND revoked_at IS NULL";
/// ?2 is now.
const PEOPLE_NUMBERS: &str = "SELECT (SELECT count(*) FROM membership WHERE org_id = ?1),
    (SELECT count(*) FROM invitation
     WHERE org_id = ?1 AND accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at > ?2)";

/// ?2 is now.
const UNDELIVERED_NUMBER: &str = "SELECT count(*) FROM invitation i
    WHERE i.org_id = ?1 AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL AND i.expires_at > ?2
        AND i.opened_at IS NULL
        AND 'failed' = (SELECT l.state FROM mail l WHERE l.invitation_id = i.id ORDER BY l.id DESC LIMIT 1)";

/// Every statement of the overview.
pub(super) fn overviews() -> [String; 7] {
    let unreachable = format!("SELECT count(*) FROM mailbox m WHERE m.org_id = ?1 AND {UNREACHABLE}");
    // ?2 is the moment after which a try counts.
    let knocking = format!(
        "SELECT count(*) FROM knock k WHERE k.org_id = ?1 AND k.last_at > ?2 AND {}",
        knock::LATEST_OF_DEVICE
    );
    [
        MAILBOX_NUMBERS.to_owned(),
        unreachable,
        ALIAS_NUMBER.to_owned(),
        DEVICE_NUMBERS.to_owned(),
        PEOPLE_NUMBERS.to_owned(),
        knocking,
        UNDELIVERED_NUMBER.to_owned(),
    ]
}

pub(super) fn overview(conn: &Connection, org: OrgId, unused_since: Timestamp, now: Timestamp) -> Outcome<Overview> {
    let [mailboxes, unreachable, aliases, devices, people, knocking, undelivered] = overviews();
    let pair = |sql: &str, second: i64| {
        let mut statement = conn.prepare_cached(sql)?;
        statement.query_row(params![org, second], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?))
        })
    };
    let one = |sql: &str| conn.prepare_cached(sql)?.query_row([org], |row| row.get::<_, u32>(0));
    let (people, invitations) = pair(&people, now.0)?;
    let numbers = conn
        .prepare_cached(&mailboxes)?
        .query_row([org], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (devices, never_used, unused) = conn
        .prepare_cached(&devices)?
        .query_row(params![org, day_of(unused_since)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let knocking = conn
        .prepare_cached(&knocking)?
        .query_row(params![org, knock::counted_since(now)], |row| row.get(0))?;
    let undelivered = conn
        .prepare_cached(&undelivered)?
        .query_row(params![org, now], |row| row.get(0))?;
    Ok(Overview {
        mailboxes: numbers.0,
        suspended: numbers.1,
        unreachable: one(&unreachable)?,
        aliases: one(&aliases)?,
        devices,
        never_used,
        unused,
        knocking,
        people,
        invitations,
        undelivered,
    })
}
