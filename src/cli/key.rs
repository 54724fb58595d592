//! `postern key`: server keys.

use clap::Subcommand;
use serde_json::json;

use super::confirm::confirm;
use super::failure::Failure;
use super::local::Local;
use super::output::{Output, table};
use crate::keys::Keyring;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the server keys by number and fingerprint.
    List,
    /// Add a fresh key for new passwords. Old keys stay: they still verify what they made.
    Rotate {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    match command {
        Command::List => show(&local.keys, output),
        Command::Rotate { yes } => {
            let path = local.config.key_file.clone();
            confirm(
                &format!(
                    "This adds a key to {}. Back the file up afterwards: without it no password can be verified.",
                    path.display()
                ),
                yes,
            )?;
            let keys = Keyring::rotate(&path)?;
            local.store.check_key_fingerprints(&keys.fingerprints()).await?;
            show(&keys, output)?;
            output.note("Restart a running daemon now: until then it cannot verify passwords made from here on.");
            Ok(())
        }
    }
}

fn show(keys: &Keyring, output: &Output) -> Result<(), Failure> {
    let current = keys.current().id;
    let fingerprints = keys.fingerprints();
    let values: Vec<_> = fingerprints
        .iter()
        .map(|(id, fingerprint)| json!({ "id": id, "fingerprint": fingerprint, "current": *id == current }))
        .collect();
    output.show(&json!({ "keys": values }), || {
        let rows = fingerprints.iter().map(|(id, fingerprint)| {
            let used = if *id == current {
                "new and old passwords"
            } else {
                "old passwords"
            };
            [id.to_string(), fingerprint.clone(), used.to_owned()]
        });
        table(["KEY", "FINGERPRINT", "USED FOR"], rows.collect(), "")
    })
}
