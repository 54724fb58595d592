//! `postern dns`: what has to stand in the DNS for a mail domain.

use clap::Subcommand;
use serde_json::{Value, json};

use super::failure::Failure;
use super::local::Local;
use super::output::{Output, table};
use crate::model::DomainName;
use crate::onboard::records::{Data, Host, Plan, Record, Role, zone};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the records by which mail programs find their settings for a mail domain.
    #[command(
        after_help = "A record that is `needed` is one that mail programs in wide use look for; the others are good to have. `postern doctor dns` checks them all.\n\nExamples:\n  postern dns records example.org\n  postern dns records example.org --zone >> example.org.zone\n  postern dns records example.org --json"
    )]
    Records {
        /// The mail domain; it need not be added yet.
        domain: String,
        /// As lines of a zone file, with whole names.
        #[arg(long)]
        zone: bool,
    },
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    let Command::Records { domain, zone: as_zone } = command;
    let domain = parse(&domain)?;
    warn_of_stranger(&domain, local, output).await?;
    let plan = Plan::new(&domain, &local.config.reach());
    if as_zone && !output.is_json() {
        return output.line(&zone(&plan));
    }
    output.show(&json_of(&plan), || text_of(&plan))
}

/// Reads the name of a mail domain.
pub(super) fn parse(domain: &str) -> Result<DomainName, Failure> {
    DomainName::parse(domain.trim_end_matches('.'))
        .map_err(|_| Failure::usage(format!("`{domain}` is no mail domain; write one such as example.org")))
}

/// Records are made before a domain is added, so this is no error; a typing mistake would be.
pub(super) async fn warn_of_stranger(domain: &DomainName, local: &Local, output: &Output) -> Result<(), Failure> {
    let known = local.directory.domains(None).await?;
    if !known.iter().any(|known| known.name == *domain) {
        output.note(&format!(
            "warning: {domain} is no mail domain of this installation (yet): postern domain create {domain} --org NAME"
        ));
    }
    Ok(())
}

fn text_of(plan: &Plan) -> String {
    let need = |record: &Record| if record.is_needed { "needed" } else { "optional" };
    let rows = plan.records.iter().map(|record| {
        [
            record.name.clone(),
            record.data.kind().to_owned(),
            record.data.to_string(),
            need(record).to_owned(),
            record.purpose.words().to_owned(),
        ]
    });
    let mut text = table(["NAME", "TYPE", "VALUE", "NEED", "FOR"], rows.collect(), "No record.");
    text.push('\n');
    if !plan.hosts.is_empty() {
        text.push_str("\nOnce for all mail domains, with the address of this installation (A, AAAA):\n");
        for host in &plan.hosts {
            text.push_str(&format!("  {}\n", host.name));
        }
        text.push_str("\nCertificates have to cover:\n");
        for host in &plan.certified {
            text.push_str(&format!("  {}{}\n", host.name, holder(host)));
        }
    }
    for note in &plan.notes {
        text.push_str(&format!("\nNote: {note}\n"));
    }
    text
}

/// Who has the certificate, where it is not the daemon.
fn holder(host: &Host) -> &'static str {
    match host.role {
        Role::ManagerBehindProxy => " (at the reverse proxy)",
        Role::Mail | Role::Manager => "",
    }
}

fn json_of(plan: &Plan) -> Value {
    json!({
        "domain": plan.domain.as_str(),
        "records": plan.records.iter().map(json_of_record).collect::<Vec<_>>(),
        "hosts": plan.hosts.iter().map(|host| &host.name).collect::<Vec<_>>(),
        "certificate_names": plan.certified.iter().map(|host| json!({
            "name": host.name,
            "behind_proxy": host.role == Role::ManagerBehindProxy,
        })).collect::<Vec<_>>(),
        "notes": plan.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn json_of_record(record: &Record) -> Value {
    let (priority, weight, port) = match &record.data {
        Data::Service {
            priority, weight, port, ..
        } => (Some(priority), Some(weight), Some(port)),
        Data::Alias(_) | Data::Text(_) | Data::Address(_) => (None, None, None),
    };
    let target = match &record.data {
        Data::Service { target, .. } => Some(target.as_deref().unwrap_or(".")),
        Data::Alias(target) => Some(target.as_str()),
        Data::Text(_) | Data::Address(_) => None,
    };
    json!({
        "purpose": record.purpose.word(),
        "name": record.name,
        "type": record.data.kind(),
        "value": record.data.to_string(),
        "priority": priority,
        "weight": weight,
        "port": port,
        "target": target,
        "needed": record.is_needed,
    })
}
