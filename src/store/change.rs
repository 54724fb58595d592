//! The change log: the ordered rows that tell every node what was taken away.

use crate::model::{DeviceId, MailboxId};

/// The number of a change; numbers grow by commit order and are never used twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Seq(pub i64);

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number.
    pub seq: Seq,
    /// What happened.
    pub kind: ChangeKind,
}

/// What a running node has to do something about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// Revoked, paused, replaced, or lost a scope or network: end its sessions, forget its entries.
    DeviceEnded {
        /// Which.
        device: DeviceId,
        /// Of which mailbox.
        mailbox: MailboxId,
        /// Why, for the words said to the client.
        reason: EndReason,
    },
    /// Suspended or deleted: end the sessions of all its devices.
    MailboxEnded {
        /// Which.
        mailbox: MailboxId,
    },
}

/// Why sessions end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The device was revoked.
    Revoked,
    /// The device was paused.
    Paused,
    /// Its password was replaced.
    Replaced,
    /// Its rights were narrowed.
    Narrowed,
    /// Its date has come.
    Expired,
    /// Its mailbox was suspended or deleted.
    MailboxEnded,
    /// An operator ended this one session.
    Operator,
    /// The daemon stops.
    Shutdown,
    /// Nothing moved in it for the idle time.
    Idle,
}

impl EndReason {
    const ALL: [Self; 9] = [
        Self::Revoked,
        Self::Paused,
        Self::Replaced,
        Self::Narrowed,
        Self::Expired,
        Self::MailboxEnded,
        Self::Operator,
        Self::Shutdown,
        Self::Idle,
    ];

    /// The fixed word in the store, in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Paused => "paused",
            Self::Replaced => "replaced",
            Self::Narrowed => "narrowed",
            Self::Expired => "expired",
            Self::MailboxEnded => "mailbox_ended",
            Self::Operator => "operator",
            Self::Shutdown => "shutdown",
            Self::Idle => "idle",
        }
    }

    /// Reads what [`EndReason::name`] wrote.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}
