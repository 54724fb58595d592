//! `postern device link`, and `postern device add --link`: the link by which somebody else gets a device's password.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::show::{Beside, json_of};
use super::{WHICH, Which};
use crate::cli::failure::Failure;
use crate::cli::local::Local;
use crate::cli::mail;
use crate::cli::output::Output;
use crate::cli::people::{show_link, works_until};
use crate::cli::time;
use crate::clock::Timestamp;
use crate::directory::letter::{Letter, Recipient};
use crate::directory::{DeviceSpec, LinkTerms};
use crate::identity::Token;
use crate::identity::token::Device as LinkToken;
use crate::model::{Device, DeviceLink, Language, Mail, Mailbox, User, name};
use crate::secret::Secret;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Show what has become of a device's link, but not the link.
    #[command(after_help = WHICH)]
    Show(Which),
    /// Make a further link of a device, and print or mail it. The one before is dead at once.
    #[command(after_help = WHICH)]
    Send {
        /// Id, or ADDRESS/LABEL.
        device: String,
        #[command(flatten)]
        how: How,
    },
    /// Take a link back: it gives nothing any more. A password that it gave goes on working.
    #[command(after_help = WHICH)]
    Withdraw(Which),
}

/// That a device is to be added with a link.
#[derive(Debug, Args)]
pub(super) struct Wanted {
    /// Print a set-up link instead of a password: whoever opens it on the device gets the password, once.
    #[arg(long)]
    pub(super) link: bool,
    #[command(flatten)]
    how: How,
}

/// How a link is handed over.
#[derive(Debug, Args)]
pub(in crate::cli) struct How {
    /// Mail the link to this address instead of printing it.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// The language of that mail: en or fr.
    #[arg(long, default_value_t = Language::English)]
    language: Language,
    /// Who sends it, as they know them; without it the operator of this gateway.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl How {
    fn terms(&self, local: &Local) -> Result<LinkTerms, Failure> {
        // Before anything is written: a link has to lead somewhere, and a mail has to go out.
        local.link("/")?;
        let recipient = match &self.to {
            Some(to) => {
                local.must_send_mail()?;
                Some(LinkTerms::read_recipient(to)?)
            }
            None => None,
        };
        let sent_by = match &self.by {
            Some(by) => name::person_name(by).map_err(Failure::usage)?,
            None => local.operator(self.language),
        };
        Ok(LinkTerms {
            sent_by,
            recipient,
            language: self.language,
            token: None,
        })
    }
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    let (directory, actor) = (&local.directory, &local.actor);
    match command {
        Command::Show(which) => {
            let (device, mailbox) = find(&which.device, local).await?;
            let link = directory.device_link(mailbox.org, &device).await?;
            let link = link.ok_or_else(|| {
                Failure::not_found(format!(
                    "\"{}\" never had a set-up link: postern device link send {}",
                    device.label, device.id
                ))
            })?;
            let mail = directory.mail_of_link(&link).await?;
            output.show(&json!({ "link": link_json(&link, mail.as_ref()) }), || {
                details(&device, (&link, mail.as_ref()), local.now())
            })
        }
        Command::Send { device, how } => {
            let (device, mailbox) = find(&device, local).await?;
            let terms = how.terms(local)?;
            let made = directory.send_device_link(actor, mailbox.org, &device, terms).await?;
            let facts = json!({ "device": device.id });
            hand_over((&device, &mailbox), made, facts, local, output).await
        }
        Command::Withdraw(which) => {
            let (device, mailbox) = find(&which.device, local).await?;
            let link = directory.withdraw_device_link(actor, mailbox.org, &device).await?;
            let mail = directory.mail_of_link(&link).await?;
            output.show(&json!({ "link": link_json(&link, mail.as_ref()) }), || {
                format!("the set-up link of \"{}\" gives nothing any more", device.label)
            })
        }
    }
}

async fn find(given: &str, local: &Local) -> Result<(Device, Mailbox), Failure> {
    let device = local.directory.find_device(given).await?;
    let address = local.directory.address_of(&device).await?;
    let mailbox = local.directory.find_mailbox(address.as_str()).await?;
    Ok((device, mailbox))
}

/// Adds a device without a password, and prints or mails its link.
pub(super) async fn add(
    address: &str,
    spec: DeviceSpec,
    wanted: &Wanted,
    owner: Option<&User>,
    local: &Local,
    output: &Output,
) -> Result<(), Failure> {
    let terms = wanted.how.terms(local)?;
    let mailbox = local.directory.find_mailbox(address).await?;
    let (device, link, token) = local
        .directory
        .add_linked_device(&local.actor, &mailbox, spec, terms)
        .await?;
    let beside = Beside { owner, knocking: None };
    let facts = json!({ "device": json_of(&device, mailbox.address.as_str(), beside, local.now()) });
    hand_over((&device, &mailbox), (link, token), facts, local, output).await
}

/// Prints a link, or sends it.
async fn hand_over(
    (device, mailbox): (&Device, &Mailbox),
    (link, token): (DeviceLink, Token<LinkToken>),
    mut facts: Value,
    local: &Local,
    output: &Output,
) -> Result<(), Failure> {
    facts["set_up"] = link_json(&link, None);
    let about = format!("\"{}\" of {} ({})", device.label, mailbox.address, device.id);
    let until = works_until(link.expires_at, local);
    let Some(recipient) = link.recipient.clone() else {
        let shown = token.shown();
        let shown = local.link(&format!("/s/{}", shown.expose())).map(Secret::new)?;
        let hint = format!("{until} Whoever opens it first gets the password: hand it over on a safe way.");
        return show_link(
            facts,
            (&format!("made a set-up link of {about}"), &shown),
            &hint,
            output,
        );
    };
    let org = local.directory.find_org(&mailbox.org.to_string()).await?;
    let to = Recipient {
        address: recipient.clone(),
        language: link.language,
    };
    let letter = Letter::DeviceLink {
        id: link.id,
        by: link.sent_by.clone(),
        org: org.name,
        mailbox: mailbox.address.clone(),
        device: device.label.clone(),
        expires_at: link.expires_at,
        link: token,
    };
    if !local.tell(to, Some(mailbox.org), letter, output).await {
        return Err(Failure::failed(format!(
            "the set-up link of {about} is made, but no mail with it: postern device link send {}",
            device.id
        )));
    }
    let mail = local.directory.mail_of_link(&link).await?;
    facts["set_up"] = link_json(&link, mail.as_ref());
    output.show(&facts, || {
        format!(
            "a set-up link of {about} goes out to {recipient}\n{until} See postern device link show {} for what became of the mail.",
            device.id
        )
    })
}

fn details(device: &Device, (link, mail): (&DeviceLink, Option<&Mail>), now: Timestamp) -> String {
    let moment = |at: Option<Timestamp>| at.map_or_else(|| "no".to_owned(), |at| time::human(at, now));
    let facts = [
        ("Device", device.label.clone()),
        ("Link", link.id.to_string()),
        ("State", link.state.name().to_owned()),
        ("Sent by", link.sent_by.clone()),
        (
            "Mailed to",
            link.recipient
                .as_ref()
                .map_or_else(|| "-".to_owned(), ToString::to_string),
        ),
        ("Mail", mail_state((link, mail), now)),
        ("Made", time::human(link.created_at, now)),
        ("Opened", moment(link.opened_at)),
        (
            "From",
            link.opened_from.map_or_else(|| "-".to_owned(), |from| from.to_string()),
        ),
        ("File read", moment(link.fetched_at)),
        ("Ends", time::human(link.expires_at, now)),
    ];
    let lines: Vec<String> = facts.iter().map(|(name, fact)| format!("{name:<12}{fact}")).collect();
    lines.join("\n")
}

/// What became of the mail with a link.
fn mail_state((link, mail): (&DeviceLink, Option<&Mail>), now: Timestamp) -> String {
    match mail {
        None if link.recipient.is_none() => "-".to_owned(),
        None => "none was written".to_owned(),
        Some(mail) => {
            let why = mail.last_error.as_ref().map(|why| format!(": {why}"));
            format!("{}{}", mail::state(mail, now), why.unwrap_or_default())
        }
    }
}

/// A link in JSON; the field names are documented in docs/cli.md.
fn link_json(link: &DeviceLink, mail: Option<&Mail>) -> Value {
    json!({
        "id": link.id,
        "device": link.device,
        "state": link.state.name(),
        "state_since": link.state.since().map(Timestamp::rfc3339),
        "sent_by": link.sent_by,
        "recipient": link.recipient.as_ref().map(ToString::to_string),
        "language": link.language.name(),
        "created_at": link.created_at.rfc3339(),
        "expires_at": link.expires_at.rfc3339(),
        "opened_at": link.opened_at.map(Timestamp::rfc3339),
        "opened_from": link.opened_from.map(|from| from.to_string()),
        "fetched_at": link.fetched_at.map(Timestamp::rfc3339),
        "mail": mail.map(mail::json_of),
    })
}
