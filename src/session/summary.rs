//! What is said about a session: the one log line at its end, and the words of its goodbye.

use std::time::Duration;

use crate::model::name::printable_ascii;
use crate::peer::{Peer, Protocol};
use crate::store::{EndReason, LoginDevice};
use crate::verify::VerifiedLogin;

/// What clients hear before and after login when the daemon stops.
pub(super) const RESTARTING: &str = "Server is restarting, please reconnect";

/// Why a session after login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client closed, or said goodbye.
    Client,
    /// The mail store closed.
    Upstream,
    /// Nothing moved for the idle time.
    Idle,
    /// We ended it.
    Ended(EndReason),
    /// A rule of the command guard ended it.
    Rule(&'static str),
    /// Reading or writing failed.
    Broken,
}

impl Ending {
    /// The fixed word of the log's `session.end`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Idle => "idle",
            Self::Ended(reason) => end_word(reason),
            Self::Rule(rule) => rule,
            Self::Broken => "broken",
        }
    }

    /// What the client is told, where we are the ones who end it.
    pub(super) fn goodbye(self, device: &LoginDevice) -> Option<String> {
        match self {
            Self::Ended(reason) => Some(goodbye(reason, device)),
            Self::Idle => Some("Idle for too long".to_owned()),
            Self::Client | Self::Upstream | Self::Rule(_) | Self::Broken => None,
        }
    }
}

const fn end_word(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Revoked => "revoked",
        EndReason::Paused => "paused",
        EndReason::Replaced => "replaced",
        EndReason::Narrowed => "narrowed",
        EndReason::Expired => "expired",
        EndReason::MailboxEnded => "mailbox_ended",
        EndReason::Operator => "operator",
        EndReason::Shutdown => "shutdown",
    }
}

/// Counts of one finished session.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moved {
    /// Octets sent to the mail store.
    pub(super) up: u64,
    /// Octets sent to the client.
    pub(super) down: u64,
    /// Messages that the mail store accepted (SMTP).
    pub(super) messages: u64,
}

/// Writes the one line that every session after login leaves in the log.
pub(super) fn log_end(id: u64, peer: &Peer, protocol: Protocol, login: &VerifiedLogin, end: (Ending, Moved, Duration)) {
    let (ending, moved, lasted) = end;
    let tls = peer.tls.as_ref().map_or("none", |tls| tls.version);
    tracing::info!(
        session.id = id,
        session.protocol = protocol.name(),
        session.end = ending.word(),
        session.seconds = lasted.as_secs(),
        session.bytes_up = moved.up,
        session.bytes_down = moved.down,
        session.messages = moved.messages,
        client.addr = %peer.ip(),
        tls.version = tls,
        mailbox.id = %login.mailbox(),
        mailbox.address = %login.address(),
        device.id = %login.device().id,
        "session ended"
    );
}

/// What the client is told when we end its session: printable ASCII, at most 140 characters.
fn goodbye(reason: EndReason, device: &LoginDevice) -> String {
    let label = printable_ascii(&device.label);
    match reason {
        EndReason::Revoked => format!("Device \"{label}\" was disconnected"),
        EndReason::Paused => format!("Device \"{label}\" was paused"),
        EndReason::Replaced => format!("Device \"{label}\" has a new password"),
        EndReason::Narrowed => format!("The rights of device \"{label}\" were changed"),
        EndReason::Expired => format!("The access of device \"{label}\" has ended"),
        EndReason::MailboxEnded => "This mailbox is closed".to_owned(),
        EndReason::Operator => "Session ended by the operator".to_owned(),
        EndReason::Shutdown => RESTARTING.to_owned(),
    }
}
