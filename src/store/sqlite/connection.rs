//! Opens connections with the settings that the promises of the store stand on, and makes new database files.
//!
//! An existing file is only ever looked at through SQLite: opening and closing it by hand would drop the locks that
//! this process's connections hold on it (POSIX file locks belong to the process).

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::Config;
use super::fault::{Outcome, unavailable};
use crate::store::Error;

/// Statements that a connection keeps prepared; there are fewer in all, but for the many forms of filtered lists.
const PREPARED_MAX: usize = 256;
/// Page cache of one connection, in KiB.
const CACHE_KIB: i64 = 16 * 1024;
/// The write-ahead log is cut back to this size, in octets, once it has been folded into the file.
const WAL_KEPT_BYTES: i64 = 64 * 1024 * 1024;

/// Checks that the path names a database that may be opened.
pub(super) fn must_exist(config: &Config) -> Result<(), Error> {
    let reason = match fs::metadata(&config.path) {
        Ok(found) if !found.is_file() => "it is not a file; name the database file itself".to_owned(),
        Ok(found) if found.len() == 0 => {
            "the file is empty; restore the backup, or remove it and make a new one with `postern init`".to_owned()
        }
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            "there is no such file; correct the path, or make a new database with `postern init`".to_owned()
        }
        Err(error) => format!("{error}; the user that runs Postern must be able to reach it"),
    };
    Err(unavailable(&config.shown_path(), reason))
}

/// The connection that writes.
pub(super) fn writer(config: &Config) -> Outcome<Connection> {
    let conn = Connection::open_with_flags(&config.path, OpenFlags::SQLITE_OPEN_READ_WRITE | plain_flags())?;
    settings(&conn, config)?;
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        let reason = "its file system does not allow a write-ahead log; put it on a local file system";
        return Err(unavailable(&config.shown_path(), reason).into());
    }
    // FULL: a revocation that was acknowledged survives a power cut.
    conn.pragma_update(None, "synchronous", "full")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    // What was deleted (hashes of old passwords) is overwritten, not only unlinked.
    conn.pragma_update(None, "secure_delete", true)?;
    conn.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)?;
    Ok(conn)
}

/// A connection that reads.
pub(super) fn reader(config: &Config) -> Outcome<Connection> {
    let conn = Connection::open_with_flags(&config.path, OpenFlags::SQLITE_OPEN_READ_ONLY | plain_flags())?;
    settings(&conn, config)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

/// Each connection belongs to one thread; a path is a path, never a URI with options.
fn plain_flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE
}

fn settings(conn: &Connection, config: &Config) -> Outcome<()> {
    conn.busy_timeout(config.busy_timeout)?;
    conn.set_prepared_statement_cache_capacity(PREPARED_MAX);
    // Without it SQLite plans a prepared statement anew for every new value that is bound, in case the value would
    // call for another plan: a login would cost several times as much.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(())
}

/// Makes a database file of mode 0600 that holds what `fill` puts into it; never overwrites.
///
/// It is made beside its place and linked there when it is whole, so that a crash leaves no half-made database behind
/// that a daemon would take for an empty one.
pub(super) fn create(config: &Config, fill: impl FnOnce(&mut Connection) -> Outcome<()>) -> Outcome<()> {
    let path = config.shown_path();
    let unfinished = beside(&config.path, ".new");
    let failed = |error: io::Error| unavailable(&path, format!("it cannot be made: {error}"));
    if fs::symlink_metadata(&config.path).is_ok() {
        return Err(exists(&path).into());
    }
    remove(&unfinished).map_err(failed)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(failed)?;
    let mut conn = Connection::open_with_flags(&unfinished, OpenFlags::SQLITE_OPEN_READ_WRITE | plain_flags())?;
    fill(&mut conn)?;
    conn.close().map_err(|(_, error)| error)?;
    fs::hard_link(&unfinished, &config.path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(&path),
        _ => failed(error),
    })?;
    remove(&unfinished).map_err(failed)?;
    let directory = config.path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let sync = fs::File::open(directory.unwrap_or_else(|| Path::new("."))).and_then(|directory| directory.sync_all());
    Ok(sync.map_err(failed)?)
}

fn exists(path: &str) -> Error {
    Error::Refused(format!(
        "the database {path} exists already and is not overwritten; move it away to start anew"
    ))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes an unfinished database of an earlier attempt with its rollback journal.
fn remove(unfinished: &Path) -> io::Result<()> {
    for file in [unfinished.to_owned(), beside(unfinished, "-journal")] {
        match fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
