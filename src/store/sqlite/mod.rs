//! The embedded store: one SQLite file, one thread that writes, several that read for mail logins, several for the rest.
//!
//! Every write is one `BEGIN IMMEDIATE` transaction on the writer's connection (a read that turns into a write ignores
//! the busy timeout), in WAL mode with `synchronous = FULL`. Reads run beside it on read-only connections. Several
//! processes may use one file: the daemon and the command line do. What people ask at the Manager, however much and
//! however slow to find, never stands before a mail login: the two have readers, and queues, of their own. `worker` holds the threads, `connection` the
//! settings, `migrations` the schema; the other files each hold one role of the store.

mod address;
mod audit;
mod change;
mod connection;
mod credential;
mod device;
mod device_link;
mod directory;
mod ending;
mod fault;
mod grant;
mod import;
mod invitation;
mod keys;
mod knock;
mod mailbox;
mod member;
mod migrations;
mod notice;
mod org;
mod outbox;
mod page;
mod people;
mod person;
mod query;
mod reader;
mod request;
mod search;
mod session;
mod set_up;
mod sign_in;
mod token;
mod value;
mod worker;
mod write;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::Notify;

use self::fault::{Fault, Outcome, unavailable};
use self::worker::{Abandoned, NotRun, QUEUED_MAX, Workers};
use self::write::{Write, Writer};
use super::Error;
use crate::clock::Clock;

/// The most reader threads of mail logins.
const READERS_MAX: usize = 64;
/// Reader threads of everything else: lists, searches, console sessions. With two, a slow search leaves one for the others.
const OTHER_READERS: usize = 2;

/// Settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The database file.
    pub path: PathBuf,
    /// Reader threads of mail logins, 1 to 64.
    pub readers: usize,
    /// The longest wait for another process that holds the write lock.
    pub busy_timeout: Duration,
}

impl Config {
    /// Settings for a database of a test.
    #[cfg(test)]
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            readers: 4,
            busy_timeout: Duration::from_secs(5),
        }
    }

    fn shown_path(&self) -> String {
        self.path.display().to_string()
    }
}

/// The embedded store.
pub struct SqliteStore {
    path: String,
    clock: Clock,
    // Dropped in this order: only a connection that may write folds the write-ahead log into the file when it closes
    // as the last one.
    for_logins: Workers<Connection>,
    for_others: Workers<Connection>,
    writer: Workers<Writer>,
    committed: Arc<Notify>,
    /// The same for mails.
    mailed: Arc<Notify>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Makes a new, empty database of mode 0600 and opens it. Blocks: call it at start.
    ///
    /// # Errors
    /// The file exists already ([`Error::Refused`]), or it cannot be made.
    pub fn create(config: &Config, clock: Clock) -> Result<Arc<Self>, Error> {
        let path = config.shown_path();
        let now = clock.utc();
        connection::create(config, |conn| migrations::fill(conn, &path, now)).map_err(|fault| fault.about(&path))?;
        Self::open(config, clock)
    }

    /// Opens an existing database and applies the migrations that it lacks. Blocks: call it at start.
    ///
    /// # Errors
    /// The file is missing, cannot be used, or its schema is not one that this Postern knows.
    pub fn open(config: &Config, clock: Clock) -> Result<Arc<Self>, Error> {
        let path = config.shown_path();
        connection::must_exist(config)?;
        let connect = || -> Outcome<(Connection, Vec<Connection>, Vec<Connection>)> {
            // Before the first setting that changes the file: a foreign or newer database stays as it is.
            migrations::pending(&connection::reader(config)?, &path)?;
            let mut writer = connection::writer(config)?;
            migrations::apply(&mut writer, &path, clock.utc())?;
            let readers = |count: usize| (0..count).map(|_| connection::reader(config)).collect::<Outcome<_>>();
            let for_logins = readers(config.readers.clamp(1, READERS_MAX))?;
            Ok((writer, for_logins, readers(OTHER_READERS)?))
        };
        let (writer, for_logins, for_others) = connect().map_err(|fault: Fault| fault.about(&path))?;
        let threads = |error: std::io::Error| unavailable(&path, format!("its threads cannot be started: {error}"));
        Ok(Arc::new(Self {
            writer: Workers::start("store-writer", vec![Writer::new(writer, clock.clone())], Abandoned::Run)
                .map_err(threads)?,
            for_logins: Workers::start("store-login", for_logins, Abandoned::Skip).map_err(threads)?,
            for_others: Workers::start("store-reader", for_others, Abandoned::Skip).map_err(threads)?,
            committed: Arc::new(Notify::new()),
            mailed: Arc::new(Notify::new()),
            clock,
            path,
        }))
    }

    /// The names of the migrations that opening the database would apply; changes nothing.
    ///
    /// # Errors
    /// As for [`SqliteStore::open`].
    pub fn pending_migrations(config: &Config) -> Result<Vec<String>, Error> {
        let path = config.shown_path();
        connection::must_exist(config)?;
        let pending = connection::reader(config).and_then(|conn| migrations::pending(&conn, &path));
        let pending = pending.map_err(|fault| fault.about(&path))?;
        Ok(pending
            .into_iter()
            .map(|migration| migration.name().to_owned())
            .collect())
    }

    /// Reads what no mail login and no revocation waits for.
    async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Outcome<T> + Send + 'static,
    {
        self.outcome(self.for_others.run(work).await)
    }

    /// Reads for a mail login, or for sessions that are to end: few rows, by an index.
    async fn read_for_login<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Outcome<T> + Send + 'static,
    {
        self.outcome(self.for_logins.run(work).await)
    }

    /// Does everything in `work`, or nothing, in one transaction on the writer thread.
    async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Write<'_>) -> Outcome<T> + Send + 'static,
    {
        let (changed, mailed) = (Arc::clone(&self.committed), Arc::clone(&self.mailed));
        let done = self.writer.run(move |writer| {
            let now = writer.clock.utc();
            let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let write = Write::new(tx, now, &writer.ids);
            let value = work(&write)?;
            let committed = write.commit()?;
            for (news, waiters) in [(committed.changes, &changed), (committed.mails, &mailed)] {
                if news {
                    // All who wait now, and the one who comes next: news between two waits are not slept through.
                    waiters.notify_waiters();
                    waiters.notify_one();
                }
            }
            Ok(value)
        });
        self.outcome(done.await)
    }

    fn outcome<T>(&self, outcome: Result<Outcome<T>, NotRun>) -> Result<T, Error> {
        match outcome {
            Ok(outcome) => outcome.map_err(|fault| fault.about(&self.path)),
            Err(NotRun::QueueFull) => Err(unavailable(
                &self.path,
                format!("more than {QUEUED_MAX} requests wait for it; try again"),
            )),
            Err(NotRun::Died) => Err(unavailable(
                &self.path,
                "a request failed by a defect of Postern; report it",
            )),
        }
    }
}
