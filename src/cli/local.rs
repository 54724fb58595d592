//! What the store commands work with: configuration, directory, actor, and the way to a running daemon.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::control;
use super::failure::{Exit, Failure};
use super::output::{Output, counted};
use crate::clock::{Clock, Timestamp};
use crate::config::{self, Config, Secrets};
use crate::directory::Directory;
use crate::keys::Keyring;
use crate::metrics::Metrics;
use crate::model::OrgId;
use crate::outbox::Outbox;
use crate::store::ChangeStore as _;
use crate::store::sqlite::SqliteStore;
use crate::store::{Actor, Seq};

/// An open installation.
pub(super) struct Local {
    pub(super) config: Config,
    pub(super) store: Arc<SqliteStore>,
    pub(super) keys: Arc<Keyring>,
    pub(super) directory: Directory,
    pub(super) actor: Actor,
    pub(super) clock: Clock,
    /// The latest change before this command: what comes after it is this command's.
    before: Seq,
}

impl Local {
    /// Opens the store that the configuration names; it must have been made by `postern init`.
    pub(super) async fn open(path: &Path) -> Result<Self, Failure> {
        let (config, _) = config::load(path, Secrets::Skip)?;
        Self::with_config(config, Clock::system()).await
    }

    /// Opens the store of a configuration.
    pub(super) async fn with_config(config: Config, clock: Clock) -> Result<Self, Failure> {
        let keys = Arc::new(Keyring::load(&config.key_file)?);
        let store = SqliteStore::open(&config.store, clock.clone())?;
        store.check_key_fingerprints(&keys.fingerprints()).await?;
        let params = config.verify.params();
        let directory = Directory::new(Arc::clone(&store) as Arc<_>, Arc::clone(&keys), clock.clone(), params);
        let before = store.latest_change().await?;
        Ok(Self {
            config,
            store,
            keys,
            directory,
            actor: actor(),
            clock,
            before,
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.utc()
    }

    /// The organisation that `--org` names.
    pub(super) async fn org(&self, name_or_id: Option<&str>) -> Result<Option<OrgId>, Failure> {
        match name_or_id {
            Some(given) => Ok(Some(self.directory.find_org(given).await?.id)),
            None => Ok(None),
        }
    }

    /// The outbox, to put mails into; the daemon sends them.
    pub(super) fn outbox(&self) -> Result<Outbox, Failure> {
        let store = Arc::clone(&self.store) as Arc<_>;
        let (keys, clock) = (Arc::clone(&self.keys), self.clock.clone());
        Outbox::new(self.config.outbox.clone(), store, keys, clock, Arc::new(Metrics::new())).map_err(Failure::failed)
    }

    pub(super) fn control(&self) -> control::Client {
        control::Client::new(&self.config.admin.control_socket, &self.actor.who)
    }

    /// Asks the daemon to apply a change that is written, and tells the truth about it after `done`.
    pub(super) async fn applied(&self, seq: Seq, done: &str, facts: Value, output: &Output) -> Result<(), Failure> {
        self.applied_and(seq, done, "", facts, output).await
    }

    /// The same, with more to say behind it.
    pub(super) async fn applied_and(
        &self,
        seq: Seq,
        done: &str,
        more: &str,
        facts: Value,
        output: &Output,
    ) -> Result<(), Failure> {
        let applied = Applied::from(self.control().applied(self.before, seq).await);
        let mut facts = facts;
        if let Some(facts) = facts.as_object_mut() {
            facts.insert("applied".to_owned(), json!(applied));
        }
        output.show(&facts, || format!("{done}; {}{more}", applied.sentence()))?;
        match applied {
            Applied::Unconfirmed { reason } => Err(Failure::new(
                Exit::Unconfirmed,
                format!("the change is written, but sessions may still be open: {reason}; see `postern session list`"),
            )),
            Applied::Ended { .. } | Applied::NoDaemon => Ok(()),
        }
    }
}

/// What became of a change.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Applied {
    /// The daemon has applied it.
    Ended { sessions_ended: usize, milliseconds: f64 },
    /// Nobody listens, so nobody was connected.
    NoDaemon,
    /// There may be a daemon, but it did not confirm.
    Unconfirmed { reason: String },
}

impl From<Result<control::Applied, control::Error>> for Applied {
    fn from(answer: Result<control::Applied, control::Error>) -> Self {
        match answer {
            Ok(applied) => Self::Ended {
                sessions_ended: applied.sessions_ended,
                milliseconds: applied.milliseconds,
            },
            Err(control::Error::NotRunning(_)) => Self::NoDaemon,
            Err(error) => Self::Unconfirmed {
                reason: error.to_string(),
            },
        }
    }
}

impl Applied {
    fn sentence(&self) -> String {
        match self {
            Self::Ended {
                sessions_ended,
                milliseconds,
            } => {
                format!(
                    "{} ended in {milliseconds:.1} ms",
                    counted(*sessions_ended, "session", "sessions")
                )
            }
            Self::NoDaemon => "no daemon is running, so nothing was connected".to_owned(),
            Self::Unconfirmed { reason } => format!("not confirmed: {reason}"),
        }
    }
}

/// The system's user, for the audit log. `sudo` is told by its variable, which only its caller could forge.
pub(super) fn actor() -> Actor {
    // The owner of this entry is the process's own user; the standard library has no other way to ask without `unsafe`.
    let uid = fs::metadata("/proc/self").map(|facts| facts.uid()).ok();
    let name = uid.map_or_else(
        || "unknown".to_owned(),
        |uid| user_name(uid).unwrap_or_else(|| uid.to_string()),
    );
    let mut actor = Actor::cli(&name);
    let caller = std::env::var("SUDO_USER").ok().filter(|name| is_user_name(name));
    if let Some(caller) = caller.filter(|caller| *caller != name) {
        actor.origin = format!("local, sudo by {caller}");
    }
    actor
}

fn user_name(uid: u32) -> Option<String> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    let entry = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.get(2).is_some_and(|field| field.parse() == Ok(uid)))?;
    entry.first().filter(|name| is_user_name(name)).map(ToString::to_string)
}

fn is_user_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"._-".contains(&octet))
}
