//! `init`, `check` and `key`: a new installation, and one whose files do not fit together.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::installation::{CONFIG, Installation, postern};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn init_makes_what_is_missing_for_nobody_else_to_read() {
    let it = Installation::with_config(CONFIG);
    insta::assert_snapshot!("init", it.redacted(&it.ok(&["init"])));
    assert_eq!(mode(&it.path("data")), 0o700);
    for file in ["data/server.key", "data/postern.db"] {
        assert_eq!(mode(&it.path(file)), 0o600, "{file}");
    }
}

#[test]
fn init_overwrites_nothing() {
    let it = Installation::new();
    let key = fs::read(it.path("data/server.key")).unwrap();
    assert!(it.ok(&["init"]).starts_with("everything is there already"));
    assert_eq!(fs::read(it.path("data/server.key")).unwrap(), key);
    assert_eq!(fs::read_to_string(it.config()).unwrap(), CONFIG);
}

#[test]
fn init_without_a_configuration_writes_the_commented_default() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("etc/postern.toml");
    // The default's data folder may exist or not on this machine, and may not be ours: only the file is asked for.
    let _ = postern(&["init", "--config", path.to_str().unwrap()]).output().unwrap();
    assert_eq!(
        fs::read_to_string(path).unwrap(),
        include_str!("../../../config/postern.toml")
    );
}

#[test]
fn a_data_folder_open_to_others_is_refused() {
    let it = Installation::with_config(CONFIG);
    fs::create_dir(it.path("data")).unwrap();
    it.chmod("data", 0o755);
    assert!(it.fails(1, &["init"]).contains("chmod 700"));
}

#[test]
fn a_database_without_its_key_gets_no_new_one() {
    let it = Installation::new();
    fs::remove_file(it.path("data/server.key")).unwrap();
    assert!(it.fails(1, &["init"]).contains("put the key file back"));
    assert!(!it.path("data/server.key").exists());
    assert!(it.fails(5, &["org", "list"]).contains("server.key is missing"));
}

#[test]
fn the_key_of_another_installation_is_told_apart() {
    let (it, other) = (Installation::new(), Installation::new());
    fs::copy(other.path("data/server.key"), it.path("data/server.key")).unwrap();
    assert!(
        it.fails(1, &["org", "list"])
            .contains("does not belong to this database")
    );
    let check = it.run(&["check"]);
    assert!(
        check.code == 1 && check.stdout.contains("ERROR    database: "),
        "{check:?}"
    );
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let it = Installation::new();
    it.chmod("data/server.key", 0o640);
    assert!(it.fails(5, &["org", "list"]).contains("chmod 600"));
}

#[test]
fn a_database_of_a_newer_postern_is_left_alone() {
    let it = Installation::new();
    let database = rusqlite::Connection::open(it.path("data/postern.db")).unwrap();
    database
        .execute("INSERT INTO schema_migration VALUES (9999, 'later', '', 0)", [])
        .unwrap();
    drop(database);
    let said = it.fails(5, &["org", "list"]);
    assert!(said.contains("9999") && said.contains("newer Postern"), "{said}");
    assert!(it.run(&["check"]).stdout.contains("newer Postern"));
}

#[test]
fn commands_before_init_say_what_to_do() {
    let it = Installation::with_config(CONFIG);
    assert!(it.fails(5, &["org", "list"]).contains("missing"));
}

#[test]
fn check_reports_what_is_in_order() {
    let it = Installation::new();
    insta::assert_snapshot!("check", it.redacted(&it.ok(&["check", "--bind"])));
    let value = it.json(&["check"]);
    assert_eq!((&value["errors"], &value["warnings"]), (&0.into(), &1.into()));
}

#[test]
fn a_rotated_key_is_added_and_belongs_to_the_database() {
    let it = Installation::furnished();
    it.device("anna@example.org", "Before");
    assert!(it.fails(2, &["key", "rotate"]).contains("--yes"));
    let keys = it.json(&["key", "rotate", "--yes"]);
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    assert_eq!(keys["keys"][1]["current"], true);
    it.device("anna@example.org", "After");
    assert_eq!(it.json(&["key", "list"]), keys);
}
