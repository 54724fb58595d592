//! The mailboxes and devices of the works: one organisation in a database that the real command line made.
//!
//! One device is added as an operator would; all others are copies of its rows, so that ten thousand need not be hashed:
//! the same password and hash, and the tag that belongs to each mailbox. For Postern they are devices like any other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use postern::keys::Keyring;
use postern::model::MailboxId;
use postern::model::password::{PlainPassword, Typed};
use postern::verify::{self, Config};
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::kit::process;
use crate::kit::work_dir::WorkDir;
use crate::proxies::postern::{PROGRAM, Places, config};

/// The mail domain of all sites.
pub(crate) const DOMAIN: &str = "example.test";
/// The device that is copied.
const SEED: &str = "seed@example.test";
/// Between the tags of one mailbox's devices; five of them are distinct modulo 2^16.
const TAG_STEP: u32 = 13_107;
/// Devices that one mailbox can have by [`TAG_STEP`].
pub(crate) const MAX_DEVICES: u32 = 5;

/// A database with mailboxes.
pub(crate) struct Site {
    /// How many mailboxes there are beside the seed: [`username`] of 0 up to this.
    pub(crate) mailboxes: u32,
    /// Everybody's password.
    pub(crate) password: String,
    dir: WorkDir,
}

/// The login name of a mailbox.
pub(crate) fn username(number: u32) -> String {
    format!("box{number:07}@{DOMAIN}")
}

/// A name that nobody has.
pub(crate) fn stranger(number: u32) -> String {
    format!("nobody{number:07}@{DOMAIN}")
}

/// The name of a mailbox with an imported password.
pub(crate) fn imported(number: u32) -> String {
    format!("old{number:07}@{DOMAIN}")
}

impl Site {
    /// Makes a database with so many mailboxes of so many devices each. The first device of a mailbox can log in where
    /// `can_log_in` says so; for the others only the rows are there.
    pub(crate) fn make(mailboxes: u32, devices: u32, can_log_in: impl Iterator<Item = u32>) -> anyhow::Result<Self> {
        let dir = WorkDir::new("site")?;
        let unused = dir.write_secret("unused", "unused\n")?;
        let places = Places {
            data: &dir.join("data"),
            password: &unused,
            certificate: &unused,
            key: &unused,
            store: (1, 1),
            authority: None,
            manager: None,
        };
        dir.write("postern.toml", &config(&places)?)?;
        let mut site = Self {
            mailboxes,
            password: String::new(),
            dir,
        };
        site.run(&["init"])?;
        site.run(&["org", "create", "Example"])?;
        site.run(&["domain", "create", DOMAIN, "--org", "Example"])?;
        site.run(&["mailbox", "create", SEED])?;
        let shown = site.run(&["device", "add", SEED, "--label", "Phone", "--json"])?;
        let shown: Value = serde_json::from_str(&shown)?;
        let password = shown.get("password").and_then(Value::as_str);
        password
            .context("device add --json shows no password")?
            .clone_into(&mut site.password);
        site.fill(devices.clamp(1, MAX_DEVICES), can_log_in)?;
        Ok(site)
    }

    /// The folder with database and key.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Copies the folder; nobody may have it open.
    pub(crate) fn copy_to(&self, to: &Path) -> anyhow::Result<()> {
        fs::create_dir(to)?;
        for entry in fs::read_dir(self.data())? {
            let entry = entry?;
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
        fs::set_permissions(to, fs::metadata(self.data())?.permissions())?;
        Ok(())
    }

    /// Runs a command of Postern on the database.
    pub(crate) fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.run_with_input(arguments, "")
    }

    /// The same with text on its standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> anyhow::Result<String> {
        let mut command = Command::new(PROGRAM);
        command
            .arg("--config")
            .arg(self.dir.join("postern.toml"))
            .args(arguments);
        process::run_with_input(&command, input)
    }

    /// Imports so many mailboxes ([`imported`]) that have one password of an old system, the costliest kind for whoever
    /// must verify it.
    pub(crate) fn import(&self, count: u32) -> anyhow::Result<()> {
        let Config {
            argon2_memory_kib,
            argon2_passes,
            ..
        } = Config::default();
        // Salt and hash of a password that nobody knows.
        let hash = format!(
            "{{ARGON2ID}}$argon2id$v=19$m={argon2_memory_kib},t={argon2_passes},p=1${}${}",
            "c2FsdHNhbHRzYWx0c2FsdA", "aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"
        );
        let rows: String = (0..count)
            .map(|number| format!("{}:{hash}\n", imported(number)))
            .collect();
        let file = self.dir.write_secret("import", &rows)?;
        let file = file.display().to_string();
        self.run(&["import", &file, "--format", "passwd-file"]).map(drop)
    }

    fn fill(&self, devices: u32, can_log_in: impl Iterator<Item = u32>) -> anyhow::Result<()> {
        let mut database = Connection::open(self.data().join("postern.db"))?;
        // Nobody reads along, and what a crash leaves is thrown away.
        database.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; PRAGMA temp_store = MEMORY;",
        )?;
        let tx = database.transaction()?;
        tx.execute_batch(&format!(
            "CREATE TEMP TABLE seed AS SELECT m.id AS mailbox, d.id AS device, c.id AS credential
                FROM mailbox m JOIN device d ON d.mailbox_id = m.id JOIN credential c ON c.device_id = d.id
                WHERE m.address = '{SEED}';
             CREATE TEMP TABLE box (number INTEGER PRIMARY KEY);
             WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {boxes})
                INSERT INTO box SELECT i FROM n WHERE {boxes} > 0;
             INSERT INTO mailbox (id, domain_id, address, epoch, suspended_at, upstream_secret, created_at, org_id)
                SELECT number + 1, m.domain_id, printf('box%07d@{DOMAIN}', number), m.epoch, m.suspended_at,
                m.upstream_secret, m.created_at, m.org_id FROM box, mailbox m JOIN seed ON m.id = seed.mailbox;
             INSERT INTO address (address, domain_id, mailbox_id, alias_id, created_at)
                SELECT printf('box%07d@{DOMAIN}', number), a.domain_id, number + 1, NULL, a.created_at
                FROM box, address a JOIN seed ON a.mailbox_id = seed.mailbox;",
            boxes = self.mailboxes
        ))?;
        Self::copy_devices(&tx, self.mailboxes, devices)?;
        self.set_tags(&tx, can_log_in)?;
        tx.commit()?;
        database.execute_batch("DROP TABLE temp.seed; DROP TABLE temp.box; PRAGMA journal_mode = WAL;")?;
        database.close().map_err(|(_, error)| error)?;
        Ok(())
    }

    /// Every mailbox gets copies of the seed's device. Their ids are as far apart as if each mailbox's devices had been
    /// added over the years.
    fn copy_devices(tx: &Connection, mailboxes: u32, devices: u32) -> anyhow::Result<()> {
        let columns: Vec<String> = tx
            .prepare("SELECT name FROM pragma_table_info('device')")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let values = columns.iter().map(|column| match column.as_str() {
            "id" => "place * :boxes + number + 1".to_owned(),
            "mailbox_id" => "number + 1".to_owned(),
            "label" | "label_key" => format!("{column} || ' ' || place"),
            other => format!("d.{other}"),
        });
        let values: Vec<String> = values.collect();
        tx.execute(
            &format!(
                "WITH RECURSIVE p (place) AS (SELECT 0 UNION ALL SELECT place + 1 FROM p WHERE place + 1 < :devices)
                 INSERT INTO device ({}) SELECT {} FROM box CROSS JOIN p, device d JOIN seed ON d.id = seed.device
                 ORDER BY number, place",
                columns.join(", "),
                values.join(", ")
            ),
            rusqlite::named_params! { ":boxes": mailboxes, ":devices": devices },
        )?;
        tx.execute(
            "INSERT INTO credential (id, device_id, mailbox_id, tag, key_id, hash, created_at, retired_at)
             SELECT d.id, d.id, d.mailbox_id,
                (d.mailbox_id * 7919 + (d.id - d.mailbox_id) / :boxes * :step) % 65536,
                c.key_id, c.hash, c.created_at, c.retired_at
             FROM device d, credential c JOIN seed ON c.id = seed.credential
             WHERE d.mailbox_id <= :boxes",
            rusqlite::named_params! { ":boxes": mailboxes, ":step": TAG_STEP },
        )?;
        Ok(())
    }

    /// Gives the first device of each of these mailboxes the tag of the password there, and the others tags beside it.
    fn set_tags(&self, tx: &Connection, can_log_in: impl Iterator<Item = u32>) -> anyhow::Result<()> {
        let keys = Keyring::load(&self.data().join("server.key"))?;
        let Typed::Generated(password) = PlainPassword::read(self.password.as_bytes()) else {
            bail!("device add gave a password that is not one of ours");
        };
        let mut clear = tx.prepare("UPDATE credential SET tag = NULL WHERE mailbox_id = ?1")?;
        let mut set =
            tx.prepare("UPDATE credential SET tag = (?2 + (id - mailbox_id) / ?3 * ?4) % 65536 WHERE mailbox_id = ?1")?;
        for number in can_log_in {
            let id = i64::from(number) + 1;
            let tag = verify::tag(keys.current(), MailboxId::from_raw(id), password.canonical());
            // Tags are unique within a mailbox, so the old ones go first.
            clear.execute([id])?;
            set.execute(params![id, tag, self.mailboxes, TAG_STEP])?;
        }
        Ok(())
    }
}
