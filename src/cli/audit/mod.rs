//! `postern audit`: what was done, by whom and when.

mod export;
mod verify;

use clap::Subcommand;
use serde_json::{Value, json};

use super::failure::Failure;
use super::local::Local;
use super::output::{Output, table};
use super::time;
use crate::directory;
use crate::directory::export::hash;
use crate::model::UserId;
use crate::store::{Actor, AuditFilter, AuditRow};

#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  postern audit --since 7d --action device.\n  postern audit --subject anna@example.org --json\n  postern audit --who lucie@private.example --since 2026-11-01 --until 2026-11-30\n  postern audit export --since 2026-11-01 > november.csv\n  postern audit verify"
)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// At most so many, the newest.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write all rows that match into a file for a spreadsheet or a program, newest first.
    Export(export::Args),
    /// Check that no row was changed, taken out or put in later.
    Verify(verify::Args),
}

/// Which rows.
#[derive(Debug, clap::Args)]
struct Which {
    /// Rows since then: a date, a moment, or a span back such as 7d.
    #[arg(long, value_name = "DATE|SPAN")]
    since: Option<String>,
    /// Rows until then: a date (until its end), a moment, or a span back.
    #[arg(long, value_name = "DATE|SPAN")]
    until: Option<String>,
    /// Rows about this id or address, or part of one.
    #[arg(long)]
    subject: Option<String>,
    /// Rows that concern this mailbox, whatever they are about.
    #[arg(long)]
    mailbox: Option<String>,
    /// What somebody did or was done in their name: address or id of a user, or token:NAME, cli:NAME, daemon.
    #[arg(long)]
    who: Option<String>,
    /// Rows whose action begins with this, such as device.revoke or just device.
    #[arg(long)]
    action: Option<String>,
    /// Rows of this organisation (name or id).
    #[arg(long)]
    org: Option<String>,
}

impl Which {
    async fn filter(self, limit: u32, local: &Local) -> Result<AuditFilter, Failure> {
        let begin = |text: &str| time::read_begin(text, local.now()).map_err(Failure::usage);
        let end = |text: &str| time::read_until(text, local.now()).map_err(Failure::usage);
        let mailbox = match &self.mailbox {
            Some(mailbox) => Some(local.directory.find_mailbox(mailbox).await?.id),
            None => None,
        };
        let (who, user) = match self.who {
            Some(given) => actor(given, local).await?,
            None => (None, None),
        };
        Ok(AuditFilter {
            org: local.org(self.org.as_deref()).await?,
            who,
            user,
            mailbox,
            subject: self.subject,
            action: self.action,
            since: self.since.as_deref().map(begin).transpose()?,
            until: self.until.as_deref().map(end).transpose()?,
            before: None,
            limit,
        })
    }
}

/// Who is meant: a user by id or by the address that they have now, so that what they did under another one is found too;
/// or an actor as the log names it.
async fn actor(given: String, local: &Local) -> Result<(Option<String>, Option<UserId>), Failure> {
    let is_address = given.contains('@') && !given.contains(':');
    if !is_address && given.parse::<UserId>().is_err() {
        return Ok((Some(given), None));
    }
    match local.directory.find_user(&given).await {
        Ok(user) => Ok((None, Some(user.id))),
        // Somebody who is gone, and did it under this address.
        Err(directory::Error::UnknownUser { .. }) if is_address => {
            Ok((Some(format!("user:{}", given.trim().to_lowercase())), None))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn run(args: Args, local: &Local, output: &Output) -> Result<(), Failure> {
    match args.command {
        None => list(args.which, args.limit, local, output).await,
        Some(Command::Export(args)) => export::run(args, local, output).await,
        Some(Command::Verify(args)) => verify::run(&args, local, output).await,
    }
}

async fn list(which: Which, limit: u32, local: &Local, output: &Output) -> Result<(), Failure> {
    let filter = which.filter(limit, local).await?;
    let rows = local.directory.audit(&filter).await?;
    if output.is_json() {
        return rows.iter().try_for_each(|row| output.row(&json_of(row), String::new));
    }
    let cells = rows.iter().map(|row| {
        [
            row.number.to_string(),
            time::human(row.at, local.now()),
            who(&row.actor),
            row.action.clone(),
            on(row),
            detail(&row.detail),
        ]
    });
    output.line(&table(
        ["NO", "WHEN", "WHO", "WHAT", "ON", "DETAIL"],
        cells.collect(),
        "Nothing matches.",
    ))
}

/// The actor, in whose name, and from where, unless that is the plain command line.
fn who(actor: &Actor) -> String {
    let mut who = actor.who.clone();
    if let Some(behalf) = &actor.behalf {
        who.push_str(&format!(" for {behalf}"));
    }
    if !matches!(actor.origin.as_str(), "" | "local") {
        who.push_str(&format!(" ({})", actor.origin));
    }
    who
}

/// A device by its name where the row has it, as commands take it.
fn on(row: &AuditRow) -> String {
    match (row.detail.get("mailbox"), row.detail.get("label")) {
        (Some(Value::String(mailbox)), Some(Value::String(label))) => format!("{mailbox}/{label}"),
        _ => row.subject.clone(),
    }
}

/// `scopes=smtp networks=192.0.2.7`, without what stands in the column before and without what is empty.
fn detail(detail: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    detail.as_object().map_or_else(String::new, |facts| {
        let named = facts.contains_key("mailbox") && facts.contains_key("label");
        facts
            .iter()
            .filter(|(name, value)| {
                !(value.is_null() || *value == "" || named && (*name == "mailbox" || *name == "label"))
            })
            .map(|(name, value)| format!("{name}={}", text(value)))
            .collect::<Vec<_>>()
            .join(" ")
    })
}

fn json_of(row: &AuditRow) -> Value {
    json!({
        "number": row.number,
        "at": row.at.rfc3339(),
        "actor": row.actor.who,
        "origin": row.actor.origin,
        "behalf": row.actor.behalf,
        "user": row.actor.user,
        "action": row.action,
        "org": row.org,
        "mailbox": row.mailbox,
        "subject": row.subject,
        "detail": row.detail,
        "hash": hash(row),
    })
}
