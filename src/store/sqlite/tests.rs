//! The contract on SQLite, and what only SQLite can get wrong: files, locks, migrations, crashes.

mod chain;
mod device_links;
mod files;
mod notices;
mod outbox;
mod people;
mod plans;
mod readers;
mod requests;

use super::*;
use crate::store::Actor;
use crate::store::contract::{Backend, START, contract_tests};

fn place() -> (tempfile::TempDir, Config) {
    let directory = tempfile::tempdir().unwrap();
    let config = Config {
        readers: 2,
        ..Config::at(directory.path().join("postern.db"))
    };
    (directory, config)
}

fn backend() -> Backend {
    let (directory, config) = place();
    let clock = Clock::manual(START);
    let store = SqliteStore::create(&config, clock.clone()).unwrap();
    let other = SqliteStore::open(&config, clock.clone()).unwrap();
    Backend {
        store,
        other,
        clock,
        _place: Box::new(directory),
    }
}

contract_tests!(backend);

fn actor() -> Actor {
    Actor::cli("root")
}

fn reason(error: Error) -> String {
    match error {
        Error::Unavailable { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}
