//! Files, locks, migrations and crashes.

use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use super::*;
use crate::store::DirectoryStore;

fn fresh() -> (tempfile::TempDir, Config, Arc<SqliteStore>) {
    let (directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    (directory, config, store)
}

fn open(config: &Config) -> Result<Arc<SqliteStore>, Error> {
    SqliteStore::open(config, Clock::manual(START))
}

fn by_hand(config: &Config, sql: &str) {
    Connection::open(&config.path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_new_database_is_for_its_owner_only() {
    let (directory, config, store) = fresh();
    for file in fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{:?}",
            file.path()
        );
    }
    drop(store);
    let names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert_eq!(
        names,
        [config.path],
        "the log was folded into the file, nothing else is left"
    );
}

#[test]
fn nothing_is_overwritten_and_nothing_is_made_by_opening() {
    let (directory, config) = place();
    assert!(reason(open(&config).unwrap_err()).contains("there is no such file"));
    assert!(reason(SqliteStore::pending_migrations(&config).unwrap_err()).contains("there is no such file"));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    fs::write(&config.path, "").unwrap();
    assert!(reason(open(&config).unwrap_err()).contains("the file is empty"));
    let error = SqliteStore::create(&config, Clock::manual(START)).unwrap_err();
    assert!(
        matches!(&error, Error::Refused(text) if text.contains("exists already")),
        "{error:?}"
    );
    assert_eq!(fs::read(&config.path).unwrap(), b"");

    let elsewhere = Config::at(directory.path().join("missing/postern.db"));
    assert!(reason(SqliteStore::create(&elsewhere, Clock::manual(START)).unwrap_err()).contains("cannot be made"));
    let folder = Config::at(directory.path());
    assert!(reason(open(&folder).unwrap_err()).contains("not a file"));
}

#[test]
fn what_an_interrupted_creation_left_is_cleared_away() {
    let (directory, config) = place();
    fs::write(directory.path().join("postern.db.new"), "half a database").unwrap();
    drop(SqliteStore::create(&config, Clock::manual(START)).unwrap());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    drop(open(&config).unwrap());
}

#[test]
fn files_that_are_no_database_of_ours_are_told() {
    let (_directory, config) = place();
    fs::write(
        &config.path,
        "not a database at all, but long enough to be looked at".repeat(20),
    )
    .unwrap();
    assert!(reason(open(&config).unwrap_err()).contains("damaged or not a database"));
    fs::remove_file(&config.path).unwrap();
    by_hand(&config, "CREATE TABLE x (y)");
    assert!(reason(open(&config).unwrap_err()).contains("not one of Postern"));
    assert!(reason(SqliteStore::pending_migrations(&config).unwrap_err()).contains("not one of Postern"));
    let mode = Connection::open(&config.path)
        .unwrap()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0));
    assert_eq!(mode, Ok("delete".to_owned()), "a foreign database is left as it was");
}

#[test]
fn migrations_are_applied_once_and_shown_before() {
    let (_directory, config, store) = fresh();
    drop(store);
    assert_eq!(SqliteStore::pending_migrations(&config).unwrap(), [""; 0]);
    drop(open(&config).unwrap());

    let (_directory, config) = place();
    by_hand(&config, migrations::HISTORY);
    let all = [
        "0001_initial",
        "0002_people",
        "0003_outbox",
        "0004_knocks",
        "0005_requests",
        "0006_inviter",
        "0007_set_up_links",
        "0008_notices",
        "0009_link_token",
        "0010_held_notices",
    ];
    assert_eq!(SqliteStore::pending_migrations(&config).unwrap(), all);
    assert_eq!(
        SqliteStore::pending_migrations(&config).unwrap(),
        all,
        "looking changes nothing"
    );
    drop(open(&config).unwrap());
    assert_eq!(SqliteStore::pending_migrations(&config).unwrap(), [""; 0]);
}

#[test]
fn a_newer_schema_is_refused_by_name() {
    let (_directory, config, store) = fresh();
    drop(store);
    by_hand(
        &config,
        "INSERT INTO schema_migration VALUES (99, '0099_later', 'x', 0)",
    );
    let error = open(&config).unwrap_err();
    assert!(
        matches!(
            error,
            Error::NewerSchema {
                found: 99,
                known: 10,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(matches!(
        SqliteStore::pending_migrations(&config),
        Err(Error::NewerSchema { .. })
    ));
}

#[test]
fn an_altered_migration_is_refused() {
    let (_directory, config, store) = fresh();
    drop(store);
    by_hand(
        &config,
        "UPDATE schema_migration SET checksum = 'another' WHERE version = 1",
    );
    assert!(matches!(open(&config), Err(Error::AlteredMigration { version: 1, .. })));
}

#[tokio::test]
async fn a_locked_database_is_a_temporary_failure() {
    let (_directory, config, store) = fresh();
    drop(store);
    let config = Config {
        busy_timeout: Duration::from_millis(1),
        ..config
    };
    let store = open(&config).unwrap();
    let locker = Connection::open(&config.path).unwrap();
    locker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let told = reason(store.create_org(&actor(), "Acme").await.unwrap_err());
    assert!(told.contains("another process keeps it locked"), "{told}");
    assert_eq!(store.orgs().await.unwrap(), [], "reading goes on");
    locker.execute_batch("ROLLBACK").unwrap();
    store.create_org(&actor(), "Acme").await.unwrap();
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_passes() {
    let (_directory, _config, store) = fresh();
    let before = store.create_org(&actor(), "Before").await.unwrap();
    let limit = async |pages: i64| {
        let set = store
            .writer
            .run(move |writer| writer.conn.pragma_update(None, "max_page_count", pages));
        set.await.unwrap().unwrap();
    };
    limit(1).await;
    let mut told = None;
    for number in 0..1000 {
        if let Err(error) = store.create_org(&actor(), &format!("org {number}")).await {
            told = Some((number, reason(error)));
            break;
        }
    }
    let (number, told) = told.unwrap();
    assert!(told.contains("the disk is full"), "{told}");
    assert_eq!(
        store.orgs().await.unwrap().len(),
        number + 1,
        "what was acknowledged is there, the rest is not"
    );
    limit(1_000_000).await;
    store.create_org(&actor(), "After").await.unwrap();
    assert!(store.orgs().await.unwrap().contains(&before));
}

#[tokio::test]
async fn a_write_that_fails_halfway_is_rolled_back() {
    let (_directory, _config, store) = fresh();
    let failed: Result<(), Error> = store
        .write(|write| {
            write.execute(
                "INSERT INTO org (id, name, name_key, created_at) VALUES (1, 'x', 'x', 0)",
                [],
            )?;
            Err(fault::refused("halfway".to_owned()))
        })
        .await;
    assert!(matches!(failed, Err(Error::Refused(_))));
    assert_eq!(store.orgs().await.unwrap(), []);
    let died: Result<(), Error> = store
        .write(|write| {
            write.execute(
                "INSERT INTO org (id, name, name_key, created_at) VALUES (1, 'x', 'x', 0)",
                [],
            )?;
            panic!("a defect")
        })
        .await;
    assert!(reason(died.unwrap_err()).contains("defect of Postern"));
    assert_eq!(store.orgs().await.unwrap(), []);
    store.create_org(&actor(), "x").await.unwrap();
}

#[tokio::test]
async fn a_damaged_record_is_told_without_its_content() {
    let (_directory, config, store) = fresh();
    let org = store.create_org(&actor(), "Acme").await.unwrap();
    by_hand(
        &config,
        &format!(
            "INSERT INTO mail_domain VALUES (1, {}, 'not a domain', 0)",
            org.id.raw()
        ),
    );
    let told = reason(store.domains(None).await.unwrap_err());
    assert!(
        told.contains("a record is damaged") && told.contains("DomainName"),
        "{told}"
    );
    assert!(!told.contains("not a domain"), "{told}");
}

#[tokio::test]
async fn key_fingerprints_are_remembered_and_compared() {
    let (_directory, _config, store) = fresh();
    let key = |id: u32, fingerprint: &str| (id, fingerprint.to_owned());
    store.check_key_fingerprints(&[key(1, "aa")]).await.unwrap();
    store
        .check_key_fingerprints(&[key(1, "aa"), key(2, "bb")])
        .await
        .unwrap();
    let wrong = store
        .check_key_fingerprints(&[key(1, "cc"), key(2, "bb"), key(3, "dd")])
        .await
        .unwrap_err();
    assert!(
        wrong
            .to_string()
            .contains("key 1 has the fingerprint cc, the database was made with aa"),
        "{wrong}"
    );
    let fewer = store.check_key_fingerprints(&[key(1, "aa")]).await.unwrap_err();
    assert!(fewer.to_string().contains("lacks key 2"), "{fewer}");
    assert_eq!(
        store.meta_get("server_key.3").await.unwrap(),
        None,
        "a refusal remembers nothing"
    );
    assert_eq!(store.meta_get("server_key.1").await.unwrap().as_deref(), Some("aa"));
    store.meta_set("x", "1").await.unwrap();
    store.meta_set("x", "2").await.unwrap();
    assert_eq!(store.meta_get("x").await.unwrap().as_deref(), Some("2"));
}

const CHILD: &str = "POSTERN_TEST_WRITES_TO";

/// Not a test of its own: the process that `acknowledged_writes_survive_a_killed_process` kills.
#[tokio::test]
async fn child_that_writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let store = open(&Config::at(path)).unwrap();
    let mut out = std::io::stdout();
    for number in 0.. {
        store.create_org(&actor(), &format!("org {number}")).await.unwrap();
        writeln!(out, "\nacknowledged {number}").unwrap();
    }
}

#[tokio::test]
async fn acknowledged_writes_survive_a_killed_process() {
    let (_directory, config, store) = fresh();
    drop(store);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "store::sqlite::tests::files::child_that_writes_until_it_is_killed",
            "--nocapture",
        ])
        .env(CHILD, &config.path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let acknowledged = lines
        .map_while(Result::ok)
        .filter(|line| line.starts_with("acknowledged"))
        .take(30)
        .count();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(acknowledged, 30);

    let store = open(&config).unwrap();
    assert!(store.orgs().await.unwrap().len() >= acknowledged);
    let checked = store.read(|conn| Ok(conn.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))?));
    assert_eq!(checked.await.unwrap(), "ok");
    store.create_org(&actor(), "After").await.unwrap();
}
