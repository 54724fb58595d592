//! The schema: numbered SQL files that are built in, applied in order, in one transaction, each exactly once.
//!
//! The database remembers number, name and BLAKE3 checksum of each. A database that knows more than we do, or whose
//! history differs from ours, is refused before anything is read from it.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::fault::{Outcome, unavailable};
use crate::clock::Timestamp;
use crate::store::Error;

/// One step of the schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

/// All steps, by number; what was released is never changed.
pub(super) const ALL: &[Migration] = &[
    Migration {
        version: 1,
        name: "0001_initial",
        sql: include_str!("migrations/0001_initial.sql"),
    },
    Migration {
        version: 2,
        name: "0002_people",
        sql: include_str!("migrations/0002_people.sql"),
    },
    Migration {
        version: 3,
        name: "0003_outbox",
        sql: include_str!("migrations/0003_outbox.sql"),
    },
    Migration {
        version: 4,
        name: "0004_knocks",
        sql: include_str!("migrations/0004_knocks.sql"),
    },
    Migration {
        version: 5,
        name: "0005_requests",
        sql: include_str!("migrations/0005_requests.sql"),
    },
    Migration {
        version: 6,
        name: "0006_inviter",
        sql: include_str!("migrations/0006_inviter.sql"),
    },
    Migration {
        version: 7,
        name: "0007_set_up_links",
        sql: include_str!("migrations/0007_set_up_links.sql"),
    },
    Migration {
        version: 8,
        name: "0008_notices",
        sql: include_str!("migrations/0008_notices.sql"),
    },
    Migration {
        version: 9,
        name: "0009_link_token",
        sql: include_str!("migrations/0009_link_token.sql"),
    },
    Migration {
        version: 10,
        name: "0010_held_notices",
        sql: include_str!("migrations/0010_held_notices.sql"),
    },
];

pub(super) const HISTORY: &str = "CREATE TABLE schema_migration (
    version    INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    checksum   TEXT    NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT";

/// Applies what is missing, all of it or nothing.
pub(super) fn apply(conn: &mut Connection, path: &str, now: Timestamp) -> Outcome<()> {
    if pending(conn, path)?.is_empty() {
        return Ok(());
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Looked at again under the write lock: another process may have been quicker.
    for migration in pending(&tx, path)? {
        step(&tx, migration, now)?;
    }
    Ok(tx.commit()?)
}

/// Fills a fresh, empty database.
pub(super) fn fill(conn: &mut Connection, path: &str, now: Timestamp) -> Outcome<()> {
    conn.execute_batch(HISTORY)?;
    apply(conn, path, now)
}

/// What has not been applied yet.
pub(super) fn pending(conn: &Connection, path: &str) -> Outcome<Vec<&'static Migration>> {
    if !has_history(conn)? {
        return Err(unavailable(path, "it is a database, but not one of Postern; correct the path").into());
    }
    let known = ALL.last().map_or(0, |migration| migration.version);
    let found: u32 = conn.query_row("SELECT coalesce(max(version), 0) FROM schema_migration", [], |row| {
        row.get(0)
    })?;
    if found > known {
        return Err(Error::NewerSchema {
            path: path.to_owned(),
            found,
            known,
        }
        .into());
    }
    let mut missing = Vec::new();
    for migration in ALL {
        match applied_checksum(conn, migration.version)? {
            None => missing.push(migration),
            Some(applied) if applied == checksum(migration) => {}
            Some(_) => {
                return Err(Error::AlteredMigration {
                    path: path.to_owned(),
                    version: migration.version,
                }
                .into());
            }
        }
    }
    Ok(missing)
}

impl Migration {
    /// What is shown in a dry run.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }
}

fn has_history(conn: &Connection) -> Outcome<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migration')";
    Ok(conn.query_row(sql, [], |row| row.get(0))?)
}

fn applied_checksum(conn: &Connection, version: u32) -> Outcome<Option<String>> {
    let sql = "SELECT checksum FROM schema_migration WHERE version = ?1";
    Ok(conn.query_row(sql, [version], |row| row.get(0)).optional()?)
}

/// Applies one step.
pub(super) fn step(tx: &Transaction<'_>, migration: &Migration, now: Timestamp) -> Outcome<()> {
    tx.execute_batch(migration.sql)?;
    tx.execute(
        "INSERT INTO schema_migration (version, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)",
        params![migration.version, migration.name, checksum(migration), now],
    )?;
    Ok(())
}

fn checksum(migration: &Migration) -> String {
    blake3::hash(migration.sql.as_bytes()).to_hex().to_string()
}
