//! The change log, and waiting for it to grow.

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::SqliteStore;
use super::fault::Outcome;
use crate::store::{Change, ChangeKind, ChangeStore, EndReason, Error, Seq};

#[async_trait]
impl ChangeStore for SqliteStore {
    async fn latest_change(&self) -> Result<Seq, Error> {
        self.read_for_login(|conn| latest(conn)).await
    }

    async fn changes_after(&self, seen: Seq, limit: u32) -> Result<Vec<Change>, Error> {
        self.read_for_login(move |conn| {
            let mut rows = conn.prepare_cached(
                "SELECT seq, mailbox_id, device_id, reason FROM change_log WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )?;
            let changes = rows.query_map(params![seen, limit], change)?;
            Ok(changes.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn wait_for_change(&self, poll: Duration) -> Result<(), Error> {
        // Running out of time is no failure: another process may have written.
        let _ = tokio::time::timeout(poll, self.committed.notified()).await;
        Ok(())
    }
}

/// The number of the latest change; 0 where there is none.
pub(super) fn latest(conn: &Connection) -> Outcome<Seq> {
    let mut newest = conn.prepare_cached("SELECT coalesce(max(seq), 0) FROM change_log")?;
    Ok(newest.query_row([], |row| row.get(0))?)
}

fn change(row: &Row<'_>) -> rusqlite::Result<Change> {
    let mailbox = row.get(1)?;
    let kind = match row.get(2)? {
        Some(device) => ChangeKind::DeviceEnded {
            device,
            mailbox,
            reason: row.get::<_, EndReason>(3)?,
        },
        None => ChangeKind::MailboxEnded { mailbox },
    };
    Ok(Change { seq: row.get(0)?, kind })
}
