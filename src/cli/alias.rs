//! `postern alias`: further addresses of mailboxes.

use clap::Subcommand;
use serde_json::{Value, json};

use super::failure::Failure;
use super::local::Local;
use super::output::{Output, table};
use super::time;
use crate::model::Alias;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add an alias of a mailbox. It may be a sender, and never logs in.
    #[command(after_help = "Example:\n  postern alias create hello@example.org --mailbox contact@example.org")]
    Create {
        /// The alias.
        alias: String,
        /// The mailbox it belongs to.
        #[arg(long)]
        mailbox: String,
    },
    /// List aliases.
    List {
        /// Only those of this mailbox.
        #[arg(long)]
        mailbox: Option<String>,
        /// Only those of this organisation (name or id).
        #[arg(long)]
        org: Option<String>,
    },
    /// Delete an alias.
    Delete {
        /// The alias.
        alias: String,
    },
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    let directory = &local.directory;
    match command {
        Command::Create { alias, mailbox } => {
            let alias = directory.create_alias(&local.actor, &alias, &mailbox).await?;
            output.show(&json_of(&alias), || {
                format!(
                    "{} is now an alias of {}; devices sign in as {1}",
                    alias.address, alias.target
                )
            })
        }
        Command::List { mailbox, org } => {
            let mailbox = match mailbox {
                Some(address) => Some(directory.find_mailbox(&address).await?.id),
                None => None,
            };
            let org = local.org(org.as_deref()).await?;
            let aliases = directory.aliases(mailbox, org).await?;
            output.show(
                &json!({ "aliases": aliases.iter().map(json_of).collect::<Vec<_>>() }),
                || {
                    let rows = aliases.iter().map(|alias| {
                        [
                            alias.address.to_string(),
                            alias.target.to_string(),
                            time::human(alias.created_at, local.now()),
                        ]
                    });
                    table(
                        ["ALIAS", "MAILBOX", "CREATED"],
                        rows.collect(),
                        "No alias here: postern alias create ALIAS --mailbox ADDRESS",
                    )
                },
            )
        }
        Command::Delete { alias } => {
            directory.delete_alias(&local.actor, &alias).await?;
            output.show(&json!({ "deleted": alias }), || format!("deleted alias {alias}"))
        }
    }
}

fn json_of(alias: &Alias) -> Value {
    json!({
        "id": alias.id,
        "alias": alias.address.as_str(),
        "mailbox": alias.target.as_str(),
        "created_at": alias.created_at.rfc3339(),
    })
}
