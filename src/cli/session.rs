//! `postern session`: mail sessions of the running daemon.

use clap::Subcommand;
use serde_json::json;

use super::failure::Failure;
use super::local::Local;
use super::output::{Output, table};
use super::time;
use crate::clock::Timestamp;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the mail sessions that are open now.
    List {
        /// Only those of this mailbox.
        address: Option<String>,
    },
    /// End one session. Its device may log in again at once: to keep it out, revoke or pause the device.
    End {
        /// The session's id.
        id: String,
    },
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    let control = local.control();
    match command {
        Command::List { address } => {
            let mut sessions = control.sessions().await?;
            if let Some(address) = address {
                let mailbox = local.directory.find_mailbox(&address).await?;
                sessions.retain(|session| session.address == mailbox.address.as_str());
            }
            output.show(&json!({ "sessions": sessions }), || {
                let since = |text: &str| {
                    text.parse::<jiff::Timestamp>().map_or_else(
                        |_| text.to_owned(),
                        |at| time::relative(Timestamp(at.as_millisecond()), local.now()),
                    )
                };
                let rows = sessions.iter().map(|session| {
                    [
                        session.id.clone(),
                        session.address.clone(),
                        session.label.clone(),
                        session.client.clone().unwrap_or_else(|| "-".to_owned()),
                        session.client_address.clone(),
                        session.protocol.clone(),
                        session.route.clone(),
                        since(&session.since),
                        octets(session.bytes_up),
                        octets(session.bytes_down),
                    ]
                });
                table(
                    [
                        "ID", "MAILBOX", "DEVICE", "CLIENT", "FROM", "PROTOCOL", "ROUTE", "SINCE", "SENT", "RECEIVED",
                    ],
                    rows.collect(),
                    "Nobody is connected right now.",
                )
            })
        }
        Command::End { id } => {
            // An id is a word; anything else could become another path of the control socket.
            if id.is_empty() || !id.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-') {
                return Err(Failure::usage(format!(
                    "`{id}` is not a session id; see `postern session list`"
                )));
            }
            control.end_session(&id).await?;
            output.show(&json!({ "id": id, "ended": true }), || format!("ended session {id}"))
        }
    }
}

fn octets(number: u64) -> String {
    match number {
        0..0x400 => format!("{number} B"),
        0x400..0x10_0000 => format!("{} KiB", number >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", number >> 20),
        _ => format!("{} GiB", number >> 30),
    }
}
