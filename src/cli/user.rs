//! `postern user`: people who sign in to the Manager.

use clap::Subcommand;
use serde_json::json;

use super::failure::{Exit, Failure};
use super::local::Local;
use super::output::Output;
use crate::server::set_up;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print a link with which the first owner is made in the browser; an older one stops working.
    #[command(after_help = "The link works once, for a day, and only while no organisation has an owner.")]
    SetUpLink,
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    match command {
        Command::SetUpLink => {
            let Some(manager) = &local.config.manager else {
                return Err(Failure::new(
                    Exit::Config,
                    "the Manager is off, so no link would lead anywhere; add address and origin under [manager], then `postern serve`",
                ));
            };
            if local.directory.has_owner().await? {
                return Err(Failure::failed(
                    "an organisation has an owner already; they can invite others in the Manager",
                ));
            }
            let data_dir = &local.config.data_dir;
            let link = set_up::make(&local.directory, &local.actor, &manager.origin, data_dir).await;
            let link = link.map_err(|error| Failure::failed(format!("{error:#}")))?;
            let path = set_up::place(data_dir);
            output.show(&json!({ "link": link, "path": path }), || link.clone())
        }
    }
}
