//! `postern domain`: mail domains.

use clap::Subcommand;
use serde_json::{Value, json};

use super::failure::Failure;
use super::local::Local;
use super::output::{Output, table};
use super::time;
use crate::model::{MailDomain, Org};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a mail domain to an organisation.
    #[command(after_help = "Example:\n  postern domain create example.org --org Example")]
    Create {
        /// The domain, such as example.org.
        domain: String,
        /// The organisation's name or id.
        #[arg(long)]
        org: String,
    },
    /// List mail domains.
    List {
        /// Only those of this organisation (name or id).
        #[arg(long)]
        org: Option<String>,
    },
    /// Delete a domain that has no mailboxes and aliases.
    Delete {
        /// The domain.
        domain: String,
    },
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    let directory = &local.directory;
    match command {
        Command::Create { domain, org } => {
            let org = directory.find_org(&org).await?;
            let domain = directory.create_domain(&local.actor, &org, &domain).await?;
            output.show(&json_of(&domain, std::slice::from_ref(&org)), || {
                format!("added domain {} to \"{}\"", domain.name, org.name)
            })
        }
        Command::List { org } => {
            let org = local.org(org.as_deref()).await?;
            let orgs = directory.orgs().await?;
            let domains = directory.domains(org).await?;
            output.show(
                &json!({ "domains": domains.iter().map(|domain| json_of(domain, &orgs)).collect::<Vec<_>>() }),
                || {
                    let rows = domains.iter().map(|domain| {
                        [
                            domain.name.to_string(),
                            org_name(domain, &orgs).to_owned(),
                            time::human(domain.created_at, local.now()),
                        ]
                    });
                    table(
                        ["DOMAIN", "ORGANISATION", "ADDED"],
                        rows.collect(),
                        "No domain yet: postern domain create DOMAIN --org NAME",
                    )
                },
            )
        }
        Command::Delete { domain } => {
            directory.delete_domain(&local.actor, &domain).await?;
            output.show(&json!({ "deleted": domain }), || format!("deleted domain {domain}"))
        }
    }
}

fn org_name<'a>(domain: &MailDomain, orgs: &'a [Org]) -> &'a str {
    orgs.iter().find(|org| org.id == domain.org).map_or("", |org| &org.name)
}

fn json_of(domain: &MailDomain, orgs: &[Org]) -> Value {
    json!({
        "id": domain.id,
        "domain": domain.name.as_str(),
        "org": domain.org,
        "org_name": org_name(domain, orgs),
        "created_at": domain.created_at.rfc3339(),
    })
}
