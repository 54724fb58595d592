//! Appends and reads audit rows.

use async_trait::async_trait;
use rusqlite::types::FromSqlError;
use rusqlite::{Row, params};

use super::SqliteStore;
use crate::model::OrgId;
use crate::store::{Actor, AuditFilter, AuditRow, AuditStore, Error};

const ROWS: &str = "SELECT number, at, who, origin, action, org_id, subject, detail FROM audit
    WHERE (?1 IS NULL OR org_id = ?1)
      AND (?2 IS NULL OR instr(subject, ?2) > 0 OR json_extract(detail, '$.mailbox') = ?2)
      AND (?3 IS NULL OR substr(action, 1, length(?3)) = ?3)
      AND (?4 IS NULL OR at >= ?4)
    ORDER BY number DESC LIMIT ?5";

#[async_trait]
impl AuditStore for SqliteStore {
    async fn append_audit(
        &self,
        actor: &Actor,
        action: &str,
        org: Option<OrgId>,
        subject: &str,
        detail: serde_json::Value,
    ) -> Result<(), Error> {
        let (actor, action, subject) = (actor.clone(), action.to_owned(), subject.to_owned());
        self.write(move |write| write.append_audit(&actor, &action, org, (&subject, detail)))
            .await
    }

    async fn audit_rows(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, Error> {
        let filter = filter.clone();
        self.read(move |conn| {
            let mut rows = conn.prepare_cached(ROWS)?;
            let rows = rows.query_map(
                params![filter.org, filter.subject, filter.action, filter.since, filter.limit],
                audit_row,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn audit_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let detail: String = row.get(7)?;
    Ok(AuditRow {
        number: row.get(0)?,
        at: row.get(1)?,
        actor: Actor {
            who: row.get(2)?,
            origin: row.get(3)?,
        },
        action: row.get(4)?,
        org: row.get(5)?,
        subject: row.get(6)?,
        detail: serde_json::from_str(&detail).map_err(FromSqlError::other)?,
    })
}
