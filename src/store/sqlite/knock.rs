//! Tries with retired passwords: a row for each credential of which any were seen. It goes with the credential, so that
//! there are never more than those.

use std::collections::HashMap;

use rusqlite::{Connection, Row, ToSql, params};

use super::fault::Outcome;
use super::value::ip_from;
use super::write::Write;
use crate::audit;
use crate::clock::Timestamp;
use crate::model::DeviceId;
use crate::model::device::{Knocking, Use};
use crate::store::{DeviceFilter, DeviceRow, KNOCKING_FOR, Knocks};

const COLUMNS: &str = "k.device_id, k.tries, k.first_at, k.last_at, k.last_ip, k.last_protocol, k.last_client";

/// Since when a try counts at this moment.
pub(super) fn counted_since(now: Timestamp) -> Timestamp {
    now.minus(KNOCKING_FOR)
}

/// Adds to what is known. Batches of several nodes may arrive in any order.
pub(super) fn record(write: &Write<'_>, knocks: &Knocks) -> Outcome<()> {
    let Knocking { tries, since, last } = &knocks.knocking;
    let client = last.client.as_deref().map(audit::clean);
    write.execute(
        "INSERT INTO knock (mailbox_id, credential_id, device_id, org_id, tries, first_at, last_at, last_ip,
             last_protocol, last_client)
         SELECT c.mailbox_id, c.id, c.device_id, d.org_id, ?2, ?3, ?4, ?5, ?6, ?7
         FROM credential c JOIN device d ON d.mailbox_id = c.mailbox_id AND d.id = c.device_id
         WHERE c.id = ?1 AND c.retired_at IS NOT NULL
         ON CONFLICT (mailbox_id, credential_id) DO UPDATE SET
             tries = tries + excluded.tries,
             first_at = min(first_at, excluded.first_at),
             last_ip = iif(excluded.last_at < last_at, last_ip, excluded.last_ip),
             last_protocol = iif(excluded.last_at < last_at, last_protocol, excluded.last_protocol),
             last_client = iif(excluded.last_at < last_at, last_client, excluded.last_client),
             last_at = max(last_at, excluded.last_at)",
        params![
            knocks.credential,
            i64::try_from(*tries).unwrap_or(i64::MAX),
            since,
            last.at,
            last.ip.to_string(),
            last.protocol,
            client
        ],
    )?;
    Ok(())
}

fn row(row: &Row<'_>) -> rusqlite::Result<(DeviceId, Knocking)> {
    let ip = ip_from(&row.get::<_, String>(4)?)?;
    let last = Use {
        at: row.get(3)?,
        ip,
        protocol: row.get(5)?,
        client: row.get(6)?,
    };
    let knocking = Knocking {
        tries: u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default(),
        since: row.get(2)?,
        last,
    };
    Ok((row.get(0)?, knocking))
}

/// All old passwords of a device as one.
fn add(known: &mut Option<Knocking>, more: Knocking) {
    let Some(known) = known else {
        *known = Some(more);
        return;
    };
    known.tries = known.tries.saturating_add(more.tries);
    known.since = known.since.min(more.since);
    if more.last.at > known.last.at {
        known.last = more.last;
    }
}

/// That no other old password of the device was tried later than that of `k`: so each device comes once.
pub(super) const LATEST_OF_DEVICE: &str =
    "NOT EXISTS (SELECT 1 FROM knock n WHERE n.mailbox_id = k.mailbox_id AND n.device_id = k.device_id
         AND (n.last_at, n.credential_id) > (k.last_at, k.credential_id))";

/// Of a device ?2 of the mailbox ?1, what was tried after ?3.
pub(super) const OF_DEVICE: &str = "FROM knock k WHERE k.mailbox_id = ?1 AND k.device_id = ?2 AND k.last_at > ?3";

/// Fills in of which devices an old password is still tried. A mailbox has few retired passwords, so this is one look at
/// an index for each row.
pub(super) fn fill(conn: &Connection, rows: &mut [DeviceRow], now: Timestamp) -> Outcome<()> {
    let mut of_device = conn.prepare_cached(&format!("SELECT {COLUMNS} {OF_DEVICE}"))?;
    for device in rows {
        let values = params![device.device.mailbox, device.device.id, counted_since(now)];
        for found in of_device.query_map(values, row)? {
            add(&mut device.knocking, found?.1);
        }
    }
    Ok(())
}

/// The devices that a filter matches of which an old password is still tried.
pub(super) fn knocking(
    conn: &Connection,
    filter: &DeviceFilter,
    now: Timestamp,
) -> Outcome<HashMap<DeviceId, Knocking>> {
    let since = counted_since(now);
    let mut sql = format!("SELECT {COLUMNS} FROM knock k WHERE k.last_at > ?1");
    let mut values: Vec<&dyn ToSql> = vec![&since];
    if let Some(mailbox) = &filter.mailbox {
        values.push(mailbox);
        sql.push_str(&format!(" AND k.mailbox_id = ?{}", values.len()));
    }
    if let Some(org) = &filter.org {
        values.push(org);
        sql.push_str(&format!(" AND k.org_id = ?{}", values.len()));
    }
    if !filter.with_revoked {
        sql.push_str(
            " AND EXISTS (SELECT 1 FROM device d
               WHERE d.mailbox_id = k.mailbox_id AND d.id = k.device_id AND d.revoked_at IS NULL)",
        );
    }
    let mut found = HashMap::new();
    let mut rows = conn.prepare_cached(&sql)?;
    for one in rows.query_map(values.as_slice(), row)? {
        let (device, more) = one?;
        let mut known = found.remove(&device);
        add(&mut known, more);
        found.extend(known.map(|known| (device, known)));
    }
    Ok(found)
}
