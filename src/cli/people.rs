//! What the commands about people have in common: the organisation they are about, what ends with something, the mail
//! that tells somebody, and links that are shown once.

use std::io::Write;

use serde::Serialize;
use serde_json::{Value, json};

use super::failure::{Exit, Failure};
use super::local::Local;
use super::output::{Output, counted};
use super::time;
use crate::clock::Timestamp;
use crate::directory;
use crate::directory::letter::{Letter, Post as _, Recipient};
use crate::model::{Address, Language, Org, OrgId, User};
use crate::outbox;
use crate::secret::Secret;
use crate::store::{DeviceRow, Ending};

/// Names that a sentence lists of one kind; the rest is counted.
const NAMED_MAX: usize = 10;

impl Local {
    /// The organisation that `--org` names; without it the only one of `user`, or the only one of all.
    pub(super) async fn one_org(&self, given: Option<&str>, user: Option<&User>) -> Result<Org, Failure> {
        if let Some(given) = given {
            return Ok(self.directory.find_org(given).await?);
        }
        let mut orgs = match user {
            Some(user) => self.orgs_of(user).await?,
            None => Vec::new(),
        };
        if orgs.is_empty() {
            orgs = self.directory.orgs().await?;
        }
        match orgs.len() {
            1 => orgs.pop().ok_or_else(no_org),
            0 => Err(no_org()),
            _ => {
                let names: Vec<String> = orgs.iter().map(|org| format!("\"{}\"", org.name)).collect();
                let names = listed(&names);
                Err(Failure::usage(format!(
                    "there are several organisations ({names}): name one with --org"
                )))
            }
        }
    }

    async fn orgs_of(&self, user: &User) -> Result<Vec<Org>, Failure> {
        let orgs = self.directory.orgs_of(user.id).await?;
        Ok(orgs.into_iter().map(|membership| membership.org).collect())
    }

    /// The whole link behind a path of the Manager, or why there is none.
    pub(super) fn link(&self, path: &str) -> Result<String, Failure> {
        let manager = self.config.manager.as_ref().ok_or_else(|| {
            Failure::new(
                Exit::Config,
                "the Manager is off, so no link would lead anywhere; add address and origin under [manager], then `postern serve`",
            )
        })?;
        Ok(manager.origin.link(path))
    }

    /// Who did it, in mails: whoever runs the gateway.
    pub(super) fn operator(&self, language: Language) -> String {
        outbox::operator(language, &self.config.outbox.hostname)
    }

    /// That mails with links go out, or what is missing.
    pub(super) fn must_send_mail(&self) -> Result<(), Failure> {
        if self.sends_mail() {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Config,
            "no mail can be sent: add [mail] with host and from, and origin under [manager]; without --mail the link is printed",
        ))
    }

    /// Whether mails with links go out.
    fn sends_mail(&self) -> bool {
        self.config.outbox.server.is_some() && self.config.outbox.origin.is_some()
    }

    /// Puts a mail to somebody into the outbox; whether it is there. What it tells of is done already, so that a mail that
    /// cannot be put is noted and no failure.
    pub(super) async fn tell(&self, to: Recipient, org: Option<OrgId>, letter: Letter, output: &Output) -> bool {
        if !self.sends_mail() {
            return false;
        }
        let put = match self.outbox() {
            Ok(outbox) => outbox.put(&to, org, letter).await.map_err(|error| error.to_string()),
            Err(failure) => Err(failure.message),
        };
        put.map_err(|why| output.note(&format!("{} was not told: {why}", to.address)))
            .is_ok()
    }
}

fn no_org() -> Failure {
    Failure::not_found("there is no organisation yet: postern org create NAME")
}

/// Reads an address.
pub(super) fn address(given: &str) -> Result<Address, Failure> {
    Address::parse(given.trim()).map_err(|why| {
        directory::Error::BadAddress {
            given: given.to_owned(),
            why,
        }
        .into()
    })
}

/// A user as the receiver of a mail.
pub(super) fn recipient(user: &User) -> Recipient {
    Recipient {
        address: user.address.clone(),
        language: user.language,
    }
}

/// What is said of a mail that was put or not.
pub(super) fn told(user: &User, is_told: bool) -> String {
    if is_told {
        format!("\n{} is told by mail", user.address)
    } else {
        String::new()
    }
}

/// What ends with something, a sentence each, for the question before it.
pub(super) fn effects(what: &Ending) -> String {
    let mut said = Vec::new();
    if !what.grants.is_empty() {
        let names: Vec<String> = what.grants.iter().map(|grant| grant.address.to_string()).collect();
        said.push(format!("Access to {} is withdrawn.", listed(&names)));
    }
    if !what.devices.is_empty() {
        let count = counted(
            what.devices.len(),
            "device ends for good, with its sessions",
            "devices end for good, with their sessions",
        );
        said.push(format!("{count}: {}.", listed(&names(&what.devices))));
    }
    if !what.narrowed.is_empty() {
        let count = counted(what.narrowed.len(), "other device", "other devices");
        said.push(format!(
            "The sessions of {count} end, which may then send from fewer addresses: {}.",
            listed(&names(&what.narrowed))
        ));
    }
    if !what.invitations.is_empty() {
        let names: Vec<String> = what.invitations.iter().map(|one| one.address.to_string()).collect();
        said.push(format!(
            "Invitations that they wrote are withdrawn: {}.",
            listed(&names)
        ));
    }
    if what.tokens > 0 {
        let count = counted(what.tokens as usize, "API token stops", "API tokens stop");
        said.push(format!("{count} working."));
    }
    if what.sessions_ending > 0 {
        let count = counted(
            what.sessions_ending as usize,
            "console session ends",
            "console sessions end",
        );
        said.push(format!("{count}."));
    }
    said.join(" ")
}

fn names(devices: &[DeviceRow]) -> Vec<String> {
    let name = |row: &DeviceRow| format!("{}/{}", row.address, row.device.label);
    devices.iter().map(name).collect()
}

/// `a, b, c and 4 more`.
fn listed(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMED_MAX).map(String::as_str).collect();
    let rest = names.len().saturating_sub(NAMED_MAX);
    if rest == 0 {
        shown.join(", ")
    } else {
        format!("{} and {rest} more", shown.join(", "))
    }
}

/// `, with 2 devices`, or nothing.
pub(super) fn with_devices(what: &Ending) -> String {
    if what.devices.is_empty() {
        String::new()
    } else {
        format!(", with {}", counted(what.devices.len(), "device", "devices"))
    }
}

/// What ended, in JSON.
pub(super) fn ending_json(what: &Ending) -> Value {
    let devices = |rows: &[DeviceRow]| -> Vec<Value> {
        let device = |row: &DeviceRow| json!({ "id": row.device.id, "address": row.address.as_str(), "label": row.device.label });
        rows.iter().map(device).collect()
    };
    json!({
        "devices": devices(&what.devices),
        "narrowed": devices(&what.narrowed),
        "grants": what.grants.iter().map(|grant| grant.address.as_str()).collect::<Vec<_>>(),
        "invitations": what.invitations.iter().map(|one| one.address.as_str()).collect::<Vec<_>>(),
        "tokens": what.tokens,
        "console_sessions": what.sessions_ending,
    })
}

/// A link or token that is printed once, and wiped behind the printer.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    facts: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

/// Prints a link with what it is good for, and until when.
pub(super) fn show_link(
    facts: Value,
    (done, link): (&str, &Secret<String>),
    hint: &str,
    output: &Output,
) -> Result<(), Failure> {
    let shown = Shown {
        facts,
        link: Some(link.expose()),
        token: None,
    };
    output.show_secret(&shown, |text| writeln!(text, "{done}\n\n  {}\n\n{hint}", link.expose()))
}

/// Prints a token.
pub(super) fn show_token(facts: Value, (done, token): (&str, &Secret<String>), output: &Output) -> Result<(), Failure> {
    let shown = Shown {
        facts,
        link: None,
        token: Some(token.expose()),
    };
    output.show_secret(&shown, |text| {
        writeln!(
            text,
            "{done}\n\n  {}\n\nYou will not see this token again: keep it where programs keep their secrets.",
            token.expose()
        )
    })
}

/// `It works once, until 2026-11-22 18:00 (in 59 min).`
pub(super) fn works_until(end: Timestamp, local: &Local) -> String {
    format!("It works once, until {}.", time::human(end, local.now()))
}
