//! What a run does, and its bounds.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::expected::Expected;
use super::target::{Account, Mechanism, Target};
use crate::clock::Clock;

/// A run: what, as whom, how much at once, and until when.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server.
    pub target: Target,
    /// Who logs in: the operations take them in turn. At least one.
    pub accounts: Arc<Vec<Account>>,
    /// How the password is said.
    pub mechanism: Mechanism,
    /// What each operation is.
    pub work: Work,
    /// Connections at the same time; for [`Work::Idle`] the sessions that are held.
    pub clients: usize,
    /// Begins per second. An operation that no client was free for counts its waiting as latency. Without it each
    /// client begins its next operation when the last one is done.
    pub rate: Option<f64>,
    /// How much; at least one limit is needed.
    pub bound: Bound,
    /// The longest that one step of a session may take.
    pub step_time: Duration,
    /// Local addresses, taken in turn; the system's choice where there are none.
    pub from: Vec<IpAddr>,
    /// Tells the time.
    pub clock: Clock,
}

/// When a run ends by itself: at whatever comes first. Operations in flight may then last one step time longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// So many operations, failed ones included.
    Count(u64),
    /// No operation begins later.
    Time(Duration),
    /// Both.
    Either(u64, Duration),
}

impl Bound {
    /// The number of operations, where it is limited.
    pub const fn count(self) -> Option<u64> {
        match self {
            Self::Count(count) | Self::Either(count, _) => Some(count),
            Self::Time(_) => None,
        }
    }

    /// The time, where it is limited.
    pub const fn time(self) -> Option<Duration> {
        match self {
            Self::Time(time) | Self::Either(_, time) => Some(time),
            Self::Count(_) => None,
        }
    }
}

/// What one operation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Connect, log in, log out. The latency ends with the answer to the login.
    Login {
        /// With TLS session resumption, but for the first of each client.
        resume: bool,
    },
    /// Connect, log in with a wrong password, log out. It is done when the server called the password wrong.
    WrongPassword(Guess),
    /// IMAP: sessions in IDLE. The bound's time is how long all of them are held; its count does not matter.
    Idle,
    /// IMAP: fetch a message whole, in a session that stays open.
    Fetch {
        /// Where the message is.
        folder: Folder,
        /// The message.
        message: Expected,
    },
    /// SMTP: send a message, in a session that stays open.
    Send {
        /// The envelope's sender; the user name of the account where absent.
        from: Option<String>,
        /// The recipient of all messages.
        to: String,
        /// The message.
        message: Expected,
    },
    /// Of ten operations, one with a wrong password, and nine logins that do a little: four with a full handshake, five
    /// with a resumed one.
    Mixed,
}

/// Which wrong passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guess {
    /// Another one each time: somebody guesses. They have the form of the gateway's own passwords.
    Each,
    /// The account's, which the caller knows to be wrong: a device that was not told.
    OfAccount,
}

/// Where a message for [`Work::Fetch`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folder {
    /// A folder that the run makes for each account with the message in it, and deletes at the end. Its name must be
    /// free.
    Own(String),
    /// A folder that has the message as its first.
    Existing(String),
}

impl Folder {
    /// The folder's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Own(name) | Self::Existing(name) => name,
        }
    }
}

/// A run from outside: how far it is, and the way to end it.
#[derive(Debug, Default)]
pub struct Watch {
    pub(super) done: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) open: AtomicU64,
    pub(super) stopped: CancellationToken,
}

impl Watch {
    /// Operations that came out right so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Operations that failed so far.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Sessions that idle now.
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Ends the run: operations in flight are dropped, what was made is cleaned up, and the report has what was seen.
    pub fn stop(&self) {
        self.stopped.cancel();
    }

    /// Whether the run was ended early.
    pub fn is_stopped(&self) -> bool {
        self.stopped.is_cancelled()
    }
}
