//! What is said about a session: the one log line at its end, and the words of its goodbye.

use std::time::Duration;

use crate::model::name::printable_ascii;
use crate::revoke::SessionInfo;
use crate::store::EndReason;

/// What clients hear before and after login when the daemon stops.
pub(super) const RESTARTING: &str = "Server is restarting, please reconnect";

/// Why a session after login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client closed, or said goodbye.
    Client,
    /// The mail store closed.
    Upstream,
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
            Self::Ended(reason) => reason.name(),
            Self::Rule(rule) => rule,
            Self::Broken => "broken",
        }
    }

    /// What the client is told, where we are the ones who end it.
    pub(super) fn goodbye(self, label: &str) -> Option<String> {
        match self {
            Self::Ended(reason) => Some(goodbye(reason, label)),
            Self::Client | Self::Upstream | Self::Rule(_) | Self::Broken => None,
        }
    }
}

/// Counts of one session.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moved {
    /// Octets sent to the mail store.
    pub(super) up: u64,
    /// Octets sent to the client.
    pub(super) down: u64,
    /// Messages that the mail store accepted (SMTP).
    pub(super) messages: u64,
}

/// Writes the one line that every session after login leaves in the log. `connection` is its number and TLS version.
pub(super) fn log_end(connection: (u64, &str), info: &SessionInfo, end: (Ending, Moved, Duration)) {
    let ((id, tls_version), (ending, moved, lasted)) = (connection, end);
    tracing::info!(
        session.id = id,
        session.protocol = info.protocol.name(),
        session.end = ending.word(),
        session.seconds = lasted.as_secs(),
        session.bytes_up = moved.up,
        session.bytes_down = moved.down,
        session.messages = moved.messages,
        client.addr = %info.peer,
        tls.version = tls_version,
        mailbox.id = %info.mailbox,
        mailbox.address = %info.address,
        device.id = %info.device,
        "session ended"
    );
}

/// What the client is told when we end its session: printable ASCII, at most 140 characters.
fn goodbye(reason: EndReason, label: &str) -> String {
    let label = printable_ascii(label);
    match reason {
        EndReason::Revoked => format!("Device \"{label}\" was disconnected"),
        EndReason::Paused => format!("Device \"{label}\" was paused"),
        EndReason::Replaced => format!("Device \"{label}\" has a new password"),
        EndReason::Narrowed => format!("The rights of device \"{label}\" were changed"),
        EndReason::Expired => format!("The access of device \"{label}\" has ended"),
        EndReason::MailboxEnded => "This mailbox is closed".to_owned(),
        EndReason::Operator => "Session ended by the operator".to_owned(),
        EndReason::Shutdown => RESTARTING.to_owned(),
        EndReason::Idle => "Idle for too long".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_ended_by_us_hears_why_and_nobody_else_does() {
        let goodbye = |ending: Ending| (ending.word(), ending.goodbye("Anna's \u{e9}"));
        assert_eq!(
            goodbye(Ending::Ended(EndReason::Idle)),
            ("idle", Some("Idle for too long".to_owned()))
        );
        assert_eq!(
            goodbye(Ending::Ended(EndReason::Expired)).0,
            "expired",
            "the log says it in one word"
        );
        for ending in [
            Ending::Client,
            Ending::Upstream,
            Ending::Broken,
            Ending::Rule("bare_lf"),
        ] {
            assert_eq!(ending.goodbye("Phone"), None, "{ending:?}");
        }
    }
}
