//! `postern doctor`: tries the way to the mail stores and the mail server for real, looks the records of mail domains up,
//! and explains what an address can do.

mod dns;

use std::path::Path;

use super::check::{Finding, State, report};
use super::device;
use super::failure::{Exit, Failure};
use super::local::Local;
use super::output::Output;
use crate::clock::Clock;
use crate::config::{self, Secrets};
use crate::directory::AddressMeaning;
use crate::model::{Address, DomainName, Language};
use crate::outbox;
use crate::peer::Protocol;
use crate::store::{CredentialStore, DeviceFilter, LoginMailbox, Resolved};
use crate::upstream::diagnose::{self, Grade, Subject};
use crate::upstream::{self, Route};

#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  postern doctor\n  postern doctor anna@example.org\n  postern doctor mail --to anna@example.org\n  postern doctor dns example.org\n\nWithout an address each mail store is reached and asked to refuse us: without credentials, and with wrong ones. With one, the login of that mailbox is tried too."
)]
pub(super) struct Args {
    /// A mailbox to log in to, and an address to explain.
    address: Option<String>,
    #[command(subcommand)]
    way: Option<Way>,
}

/// Other ways than that to the mail stores.
#[derive(Debug, clap::Subcommand)]
enum Way {
    /// Send a test mail through the mail server of [mail], and show each step.
    Mail {
        /// Whom the test mail goes to.
        #[arg(long, value_name = "ADDRESS")]
        to: String,
        /// In which language: en or fr.
        #[arg(long, default_value_t = Language::English)]
        language: Language,
    },
    /// Ask the DNS for every record that mail programs use, and compare certificates with their names.
    #[command(
        after_help = "A record that mail programs in wide use look for has to be there; one that is optional may be missing. A name server that does not answer is told apart from a record that is not there: where nothing else is wrong, the exit code is then 5.\n\nExamples:\n  postern doctor dns\n  postern doctor dns example.org"
    )]
    Dns {
        /// One mail domain; by default all of this installation.
        domain: Option<String>,
    },
}

pub(super) async fn run(args: Args, path: &Path, output: &Output) -> Result<(), Failure> {
    if let Some(Way::Dns { domain }) = &args.way {
        let local = Local::open(path).await?;
        return dns::run(domain.as_deref(), &local, output).await;
    }
    let (config, _) = config::load(path, Secrets::Read)?;
    if let Some(Way::Mail { to, language }) = args.way {
        return mail(&config.outbox, &to, language, output).await;
    }
    let local = Local::with_config(config, Clock::system()).await?;
    let mut findings = Vec::new();
    let mailbox = match &args.address {
        Some(address) => explain(address, &local, &mut findings).await?,
        None => None,
    };
    if args.address.is_none() || mailbox.is_some() {
        routes(mailbox.as_ref(), &local, &mut findings).await;
    }
    report(&findings, Exit::Failed, output)
}

/// Sends a test mail and tells how far it came.
async fn mail(config: &outbox::Config, to: &str, language: Language, output: &Output) -> Result<(), Failure> {
    let to = Address::parse(to).map_err(|error| Failure::usage(format!("`{to}` is no mail address: {error}")))?;
    let steps = outbox::trial(config, &to, language, &Clock::system()).await;
    let all_right = steps.iter().all(|step| step.right);
    let mut findings: Vec<Finding> = steps
        .into_iter()
        .map(|step| {
            let state = if step.right { State::Ok } else { State::Error };
            Finding::new(format!("mail {}", step.stage.name()), state, step.detail)
        })
        .collect();
    if all_right {
        let detail = format!("the mail server has taken it; look whether it arrives at {to}, and not among the spam");
        findings.push(Finding::new("mail", State::Ok, detail));
    }
    report(&findings, Exit::Failed, output)
}

/// What a login with this address would find; the mailbox where there is one.
async fn explain(address: &str, local: &Local, findings: &mut Vec<Finding>) -> Result<Option<LoginMailbox>, Failure> {
    let meaning = local.directory.explain_address(address).await?;
    let state = match meaning {
        AddressMeaning::Mailbox(_) => State::Ok,
        AddressMeaning::NoDevice(_) => State::Warning,
        AddressMeaning::Alias(_)
        | AddressMeaning::Suspended(_)
        | AddressMeaning::UnknownAddress { .. }
        | AddressMeaning::UnknownDomain { .. } => State::Error,
    };
    findings.push(Finding::new("address", state, &meaning));
    let (AddressMeaning::Mailbox(mailbox) | AddressMeaning::NoDevice(mailbox) | AddressMeaning::Suspended(mailbox)) =
        meaning
    else {
        return Ok(None);
    };
    let filter = DeviceFilter {
        mailbox: Some(mailbox.id),
        ..DeviceFilter::default()
    };
    for device in local.directory.devices(&filter).await? {
        let detail = format!(
            "\"{}\" is {}, for {}",
            device.label,
            device::state(&device, local.now()),
            device.scopes
        );
        findings.push(Finding::new("device", State::Ok, detail));
    }
    match local.store.resolve_login(&mailbox.address).await? {
        Resolved::Mailbox(mailbox) => Ok(Some(mailbox)),
        Resolved::Alias { .. } | Resolved::Unknown => Err(Failure::not_found("the mailbox was just deleted")),
    }
}

/// All routes, or those that logins of the mailbox use.
async fn routes(mailbox: Option<&LoginMailbox>, local: &Local, findings: &mut Vec<Finding>) {
    let config = &local.config.upstream;
    let routes = match mailbox.map(|mailbox| mailbox.address.domain()) {
        Some(domain) => {
            let routes = config.serving(&domain);
            unserved(&domain, &routes, local, findings);
            routes
        }
        None => config.routes.clone(),
    };
    let subject = mailbox.map(|mailbox| Subject {
        address: &mailbox.address,
        mailbox: mailbox.id,
        sealed: mailbox.upstream_secret.as_deref(),
    });
    for route in &routes {
        for finding in diagnose::route(route, &config.hostname, subject.as_ref(), &local.keys).await {
            let state = match finding.grade {
                Grade::Right => State::Ok,
                Grade::Warning => State::Warning,
                Grade::Wrong => State::Error,
            };
            findings.push(Finding::new(
                format!("route {} {}", route.name, finding.check),
                state,
                finding.detail,
            ));
        }
    }
}

/// Protocols that clients can speak to us, but that no route serves for this mail domain.
fn unserved(domain: &DomainName, routes: &[Route], local: &Local, findings: &mut Vec<Finding>) {
    for protocol in [Protocol::Imap, Protocol::Smtp] {
        let listeners = &local.config.listen.listeners;
        let is_spoken = listeners.iter().any(|listener| listener.protocol == protocol);
        let is_served = routes.iter().any(|route| match protocol {
            Protocol::Imap => route.imap.is_some(),
            Protocol::Smtp => route.smtp.is_some(),
        });
        if is_spoken && !is_served {
            let error = upstream::Error::NoRoute {
                domain: domain.clone(),
                protocol: protocol.name(),
            };
            findings.push(Finding::new("route", State::Error, error));
        }
    }
}
