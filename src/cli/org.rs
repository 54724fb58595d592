//! `postern org`: organisations.

use clap::Subcommand;
use serde_json::{Value, json};

use super::failure::Failure;
use super::local::Local;
use super::output::{Output, table};
use super::{notices, time};
use crate::model::Org;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add an organisation.
    #[command(after_help = "Example:\n  postern org create \"Acme Ltd\"")]
    Create {
        /// Its name, 1 to 100 characters.
        name: String,
    },
    /// List all organisations.
    List,
    /// Show which notices of devices are sent by mail, or switch them.
    #[command(
        after_help = "Without --on and --off nothing is changed. Invitations, links for a new password, and what changes \
                      somebody's sign-in or access are always sent.\n\nExample:\n  postern org notices Acme --off device-unused"
    )]
    Notices(notices::Notices),
    /// Delete an organisation that has no domains.
    Delete {
        /// Name or id.
        org: String,
    },
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    let directory = &local.directory;
    match command {
        Command::Create { name } => {
            let org = directory.create_org(&local.actor, &name).await?;
            output.show(&json_of(&org), || {
                format!("created organisation \"{}\" ({})", org.name, org.id)
            })
        }
        Command::List => {
            let orgs = directory.orgs().await?;
            output.show(&json!({ "orgs": orgs.iter().map(json_of).collect::<Vec<_>>() }), || {
                let rows = orgs.iter().map(|org| {
                    [
                        org.name.clone(),
                        org.id.to_string(),
                        time::human(org.created_at, local.now()),
                    ]
                });
                table(
                    ["NAME", "ID", "CREATED"],
                    rows.collect(),
                    "No organisation yet: postern org create NAME",
                )
            })
        }
        Command::Notices(args) => notices::run(args, local, output).await,
        Command::Delete { org } => {
            let org = directory.find_org(&org).await?;
            directory.delete_org(&local.actor, &org).await?;
            output.show(&json_of(&org), || format!("deleted organisation \"{}\"", org.name))
        }
    }
}

fn json_of(org: &Org) -> Value {
    json!({ "id": org.id, "name": org.name, "created_at": org.created_at.rfc3339() })
}
