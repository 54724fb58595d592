//! `postern mailbox`: mailboxes and the secrets that open them upstream.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::confirm::confirm;
use super::failure::Failure;
use super::local::Local;
use super::output::{Output, counted, table};
use super::secret_input;
use super::time;
use crate::clock::Timestamp;
use crate::config::secret_file;
use crate::model::Mailbox;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a mailbox in a known domain. It has no password: add a device next.
    #[command(
        after_help = "Example:\n  postern mailbox create anna@example.org\n  postern device add anna@example.org --label \"Anna's iPhone\""
    )]
    Create {
        /// The address.
        address: String,
    },
    /// List mailboxes.
    List {
        /// Only those of this organisation (name or id).
        #[arg(long)]
        org: Option<String>,
        /// Only those of this domain.
        #[arg(long)]
        domain: Option<String>,
    },
    /// Refuse every login of a mailbox and end its sessions, until it is resumed.
    Suspend {
        /// The address.
        address: String,
    },
    /// Let a suspended mailbox be used again.
    Resume {
        /// The address.
        address: String,
    },
    /// Delete a mailbox with its devices and aliases. Mail in the mail store is not touched.
    Delete {
        /// The address.
        address: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Keep the mailbox's own password at the mail store, sealed, for routes with login = "stored".
    #[command(
        after_help = "The secret is never an argument. Examples:\n  pass mail/anna | postern mailbox upstream-secret anna@example.org\n  postern mailbox upstream-secret anna@example.org --file secret.txt\n  postern mailbox upstream-secret anna@example.org --remove"
    )]
    UpstreamSecret {
        /// The address.
        address: String,
        /// Read it from a file that only its owner can read, instead of from stdin.
        #[arg(long, conflicts_with = "remove")]
        file: Option<PathBuf>,
        /// Remove it.
        #[arg(long)]
        remove: bool,
        /// A secret on the command line: dropped at once, and refused without being repeated.
        #[arg(hide = true, value_parser = Misplaced::parse)]
        misplaced: Option<Misplaced>,
    },
}

/// That there was an argument where none belongs, and not what it said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Misplaced;

impl Misplaced {
    #[expect(clippy::unnecessary_wraps, reason = "the form that clap asks for")]
    const fn parse(_: &str) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    let directory = &local.directory;
    match command {
        Command::Create { address } => {
            let mailbox = directory.create_mailbox(&local.actor, &address).await?;
            output.show(&json_of(&mailbox), || {
                format!(
                    "created {0}\nNobody can read it yet: postern device add {0} --label NAME",
                    mailbox.address
                )
            })
        }
        Command::List { org, domain } => list(org, domain, local, output).await,
        Command::Suspend { address } => {
            let seq = directory.suspend_mailbox(&local.actor, &address).await?;
            local
                .applied(
                    seq,
                    &format!("suspended {address}"),
                    json!({ "suspended": address }),
                    output,
                )
                .await
        }
        Command::Resume { address } => {
            directory.resume_mailbox(&local.actor, &address).await?;
            output.show(&json!({ "resumed": address }), || format!("resumed {address}"))
        }
        Command::Delete { address, yes } => {
            let mailbox = directory.find_mailbox(&address).await?;
            let devices = counted(mailbox.active_devices as usize, "device", "devices");
            confirm(
                &format!("This deletes {} and the passwords of its {devices}.", mailbox.address),
                yes,
            )?;
            let seq = directory.delete_mailbox(&local.actor, &address).await?;
            local
                .applied(
                    seq,
                    &format!("deleted {}", mailbox.address),
                    json!({ "deleted": mailbox.address.as_str() }),
                    output,
                )
                .await
        }
        Command::UpstreamSecret {
            misplaced: Some(Misplaced),
            ..
        } => Err(Failure::usage(
            "the secret is never an argument, because others can see it there: change it, then pipe the new one or use --file",
        )),
        Command::UpstreamSecret {
            address,
            file,
            remove,
            misplaced: None,
        } => upstream_secret(&address, file, remove, local, output).await,
    }
}

async fn list(org: Option<String>, domain: Option<String>, local: &Local, output: &Output) -> Result<(), Failure> {
    let directory = &local.directory;
    let org = local.org(org.as_deref()).await?;
    let domain = match domain {
        Some(name) => Some(directory.find_domain(&name).await?.id),
        None => None,
    };
    let mailboxes = directory.mailboxes(org, domain).await?;
    output.show(
        &json!({ "mailboxes": mailboxes.iter().map(json_of).collect::<Vec<_>>() }),
        || {
            let rows = mailboxes.iter().map(|mailbox| {
                let state = if mailbox.suspended_at.is_some() {
                    "suspended"
                } else {
                    "active"
                };
                [
                    mailbox.address.to_string(),
                    state.to_owned(),
                    mailbox.active_devices.to_string(),
                    time::human(mailbox.created_at, local.now()),
                ]
            });
            table(
                ["ADDRESS", "STATE", "DEVICES", "CREATED"],
                rows.collect(),
                "No mailbox here: postern mailbox create ADDRESS, or postern import FILE",
            )
        },
    )
}

async fn upstream_secret(
    address: &str,
    file: Option<PathBuf>,
    remove: bool,
    local: &Local,
    output: &Output,
) -> Result<(), Failure> {
    let secret = match (file, remove) {
        (_, true) => None,
        (Some(path), false) => Some(secret_file::read(&path).map_err(Failure::failed)?),
        (None, false) => Some(secret_input::line(" or with --file")?),
    };
    let stored = secret.is_some();
    local
        .directory
        .set_upstream_secret(&local.actor, address, secret)
        .await?;
    let done = if stored {
        "sealed the upstream secret of"
    } else {
        "removed the upstream secret of"
    };
    output.show(&json!({ "address": address, "upstream_secret": stored }), || {
        format!("{done} {address}")
    })
}

fn json_of(mailbox: &Mailbox) -> Value {
    json!({
        "id": mailbox.id,
        "address": mailbox.address.as_str(),
        "org": mailbox.org,
        "state": if mailbox.suspended_at.is_some() { "suspended" } else { "active" },
        "suspended_at": mailbox.suspended_at.map(Timestamp::rfc3339),
        "active_devices": mailbox.active_devices,
        "created_at": mailbox.created_at.rfc3339(),
    })
}
