//! `postern mail`: the outbox.

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};

use super::failure::Failure;
use super::local::Local;
use super::output::{Output, table};
use super::time;
use crate::clock::Timestamp;
use crate::model::{Mail, MailId, MailState};
use crate::store::MailFilter;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List mails, newest first: those that wait, and those of the last 30 days.
    List {
        /// Only those in this state.
        #[arg(long, value_parser = PossibleValuesParser::new(MailState::NAMES))]
        state: Option<String>,
        /// Only those that concern this organisation (name or id).
        #[arg(long)]
        org: Option<String>,
        /// At most so many, the newest.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
    /// Do not send a mail that waits.
    Withdraw {
        /// The mail's id.
        id: MailId,
    },
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    match command {
        Command::List { state, org, limit } => {
            let filter = MailFilter {
                org: local.org(org.as_deref()).await?,
                invitation: None,
                link: None,
                state: state.and_then(|state| MailState::NAMES.into_iter().find(|name| *name == state)),
                limit,
            };
            let mails = local.directory.mails(&filter).await?;
            let values: Vec<Value> = mails.iter().map(json_of).collect();
            output.show(&json!({ "mails": values }), || shown(&mails, local.now()))
        }
        Command::Withdraw { id } => {
            local.directory.withdraw_mail(&local.actor, id).await?;
            output.show(&json!({ "id": id, "withdrawn": true }), || {
                format!("withdrew mail {id}")
            })
        }
    }
}

fn shown(mails: &[Mail], now: Timestamp) -> String {
    let rows = mails.iter().map(|mail| {
        [
            mail.id.to_string(),
            mail.kind.name().to_owned(),
            mail.recipient.to_string(),
            time::relative(mail.created_at, now),
            state(mail, now),
            mail.attempts.to_string(),
            mail.last_error.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    });
    table(
        ["ID", "KIND", "TO", "WRITTEN", "STATE", "ATTEMPTS", "LAST ERROR"],
        rows.collect(),
        "No mails.",
    )
}

/// What became of a mail, in a few words.
pub(super) fn state(mail: &Mail, now: Timestamp) -> String {
    match mail.state {
        MailState::Queued { next_at } if next_at <= now => "queued, due".to_owned(),
        MailState::Queued { next_at } => format!("queued, next attempt {}", time::relative(next_at, now)),
        MailState::Sent(at) | MailState::Failed(at) | MailState::Withdrawn(at) => {
            format!("{} {}", mail.state.name(), time::relative(at, now))
        }
    }
}

/// A mail in JSON; the field names are documented in docs/cli.md.
pub(super) fn json_of(mail: &Mail) -> Value {
    let (next_at, ended_at) = match mail.state {
        MailState::Queued { next_at } => (Some(next_at), None),
        MailState::Sent(at) | MailState::Failed(at) | MailState::Withdrawn(at) => (None, Some(at)),
    };
    json!({
        "id": mail.id,
        "kind": mail.kind.name(),
        "org": mail.org,
        "invitation": mail.invitation,
        "set_up_link": mail.link,
        "to": mail.recipient.as_str(),
        "language": mail.language.name(),
        "state": mail.state.name(),
        "attempts": mail.attempts,
        "next_at": next_at.map(Timestamp::rfc3339),
        "ended_at": ended_at.map(Timestamp::rfc3339),
        "last_error": mail.last_error,
        "created_at": mail.created_at.rfc3339(),
    })
}
