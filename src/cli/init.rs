//! `postern init`: data folder, database, server key and configuration, where they are missing. Nothing is overwritten.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde_json::json;

use super::failure::Failure;
use super::output::Output;
use crate::clock::Clock;
use crate::config::{self, Secrets};
use crate::keys::Keyring;
use crate::server::set_up;
use crate::store::sqlite::SqliteStore;

#[derive(Debug, clap::Args)]
#[command(after_help = "Run it as the user that the daemon runs as:\n  sudo -u postern postern init")]
pub(super) struct Args {}

pub(super) fn run(Args {}: Args, path: &Path, output: &Output) -> Result<(), Failure> {
    let mut done = Vec::new();
    if write_config(path)? {
        done.push(("config", path.to_owned()));
    }
    let (config, _) = config::load(path, Secrets::Skip)?;
    if make_private_dir(&config.data_dir)? {
        done.push(("data_dir", config.data_dir.clone()));
    }
    let (has_key, has_store) = (config.key_file.exists(), config.store.path.exists());
    if has_store && !has_key {
        return Err(Failure::failed(format!(
            "the database {} exists but its server key {} does not; put the key file back from its backup, a new one could not verify any password",
            config.store.path.display(),
            config.key_file.display()
        )));
    }
    let keys = if has_key {
        Keyring::load(&config.key_file)?
    } else {
        Keyring::create(&config.key_file)?
    };
    if !has_key {
        done.push(("server_key", config.key_file.clone()));
    }
    let clock = Clock::system();
    let store = if has_store {
        SqliteStore::open(&config.store, clock)?
    } else {
        SqliteStore::create(&config.store, clock)?
    };
    if !has_store {
        done.push(("database", config.store.path.clone()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(store.check_key_fingerprints(&keys.fingerprints()))?;
    let value =
        json!({ "created": done.iter().map(|(what, path)| json!({ "what": what, "path": path })).collect::<Vec<_>>() });
    output.show(&value, || {
        let mut lines: Vec<String> = done.iter().map(|(what, path)| format!("created {:<12}{}", what.replace('_', " "), path.display())).collect();
        if lines.is_empty() {
            lines.push("everything is there already; nothing was changed".to_owned());
        }
        lines.push(format!(
            "\nNext:\n  1. put your host name, certificate and mail store into {}\n  2. postern check\n  3. postern org create NAME\n  4. postern domain create DOMAIN --org NAME\n  5. postern mailbox create ADDRESS\n  6. postern device add ADDRESS --label \"NAME OF THE DEVICE\"\n  7. postern serve (or: systemctl enable --now postern)\nOr do steps 3 to 6 in the browser: set address and origin under [manager]; at its start `postern serve` then writes the\nlink that makes the first owner into {}.\nBack up {} apart from the database: without it no password can be verified.",
            path.display(),
            set_up::place(&config.data_dir).display(),
            config.key_file.display()
        ));
        lines.join("\n")
    })
}

/// Writes the commented default where there is no file yet.
fn write_config(path: &Path) -> Result<bool, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("{} cannot be written: {error}", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o644).open(path) {
        Ok(mut file) => file
            .write_all(config::DEFAULT_FILE.as_bytes())
            .map(|()| true)
            .map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// A folder of mode 0700; one that exists must not be open to others.
fn make_private_dir(path: &Path) -> Result<bool, Failure> {
    let failed =
        |error: std::io::Error| Failure::failed(format!("the data folder {} cannot be used: {error}", path.display()));
    if !path.exists() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
        return Ok(true);
    }
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Failure::failed(format!(
            "the data folder {0} is open to others (mode {mode:o}); `chmod 700 {0}`",
            path.display()
        )));
    }
    Ok(false)
}
