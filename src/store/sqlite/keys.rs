//! The `meta` table, and the fingerprints of the server keys in it.
//!
//! A database whose tags and hashes were made with another key file would refuse every password as wrong, for ever;
//! this tells it at start instead.

use rusqlite::{Connection, OptionalExtension};

use super::SqliteStore;
use super::fault::{Outcome, refused};
use super::write::Write;
use crate::store::Error;

const KEY_PREFIX: &str = "server_key.";

impl SqliteStore {
    #[cfg(test)]
    pub(super) async fn meta_get(&self, key: &str) -> Result<Option<String>, Error> {
        let key = key.to_owned();
        self.read(move |conn| read(conn, &key)).await
    }

    #[cfg(test)]
    pub(super) async fn meta_set(&self, key: &str, value: &str) -> Result<(), Error> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write(move |write| set(write, &key, &value)).await
    }

    /// Checks that the server keys are those that this database was made with, and remembers new ones.
    ///
    /// # Errors
    /// A key differs or is missing ([`Error::Refused`]); what the database remembers is never overwritten.
    pub async fn check_key_fingerprints(&self, keys: &[(u32, String)]) -> Result<(), Error> {
        let keys = keys.to_vec();
        self.write(move |write| check(write, &keys)).await
    }
}

fn check(write: &Write<'_>, keys: &[(u32, String)]) -> Outcome<()> {
    for (id, fingerprint) in keys {
        let key = format!("{KEY_PREFIX}{id}");
        match read(&write.tx, &key)? {
            None => set(write, &key, fingerprint)?,
            Some(known) if known == *fingerprint => {}
            Some(known) => {
                return Err(refused(format!(
                    "the server key file does not belong to this database: key {id} has the fingerprint \
                     {fingerprint}, the database was made with {known}; put the right key file in its place"
                )));
            }
        }
    }
    let mut remembered = write.tx.prepare("SELECT key FROM meta WHERE key GLOB ?1 || '*'")?;
    let remembered = remembered.query_map([KEY_PREFIX], |row| row.get::<_, String>(0))?;
    for key in remembered {
        let key = key?;
        let id = key.strip_prefix(KEY_PREFIX).unwrap_or_default();
        if !keys.iter().any(|(known, _)| known.to_string() == id) {
            return Err(refused(format!(
                "the server key file lacks key {id}, which this database has been used with; put the complete key \
                 file in its place"
            )));
        }
    }
    Ok(())
}

/// Reads what is remembered under this key.
pub(super) fn read(conn: &Connection, key: &str) -> Outcome<Option<String>> {
    Ok(conn
        .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
        .optional()?)
}

/// Remembers something under this key.
pub(super) fn set(write: &Write<'_>, key: &str, value: &str) -> Outcome<()> {
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    write.execute(sql, [key, value])?;
    Ok(())
}
