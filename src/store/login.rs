//! What the login path reads from the store.

use ipnet::IpNet;

use crate::clock::Timestamp;
use crate::model::device::{Knocking, Use};
use crate::model::{Address, CredentialId, DeviceId, DeviceState, MailboxId, Networks, Scopes, SenderRule};

/// A password hash as stored: an Argon2id PHC string of ours, or an imported PHC or crypt string. Not a secret by
/// itself, but never shown either.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash(pub String);

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hash]")
    }
}

/// Counters that only grow; any difference between two readings means that something was taken away in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// Of the device.
    pub device: i64,
    /// Of its mailbox.
    pub mailbox: i64,
}

/// What an address means to a login.
#[derive(Debug, Clone)]
pub enum Resolved {
    /// A mailbox.
    Mailbox(LoginMailbox),
    /// An alias: it cannot log in; the mailbox behind it is named for the log.
    Alias {
        /// The address of the mailbox.
        target: Address,
    },
    /// Nothing we know.
    Unknown,
}

/// A mailbox with everything that a login is judged by.
#[derive(Debug, Clone)]
pub struct LoginMailbox {
    /// Its id.
    pub id: MailboxId,
    /// Its canonical address: the name that goes upstream.
    pub address: Address,
    /// Refuses every login.
    pub suspended: bool,
    /// Its epoch.
    pub epoch: i64,
    /// The sealed upstream secret, where the `stored` strategy has one.
    pub upstream_secret: Option<Vec<u8>>,
    /// Credentials in use and those retired in the last 90 days, newest first.
    pub credentials: Vec<Credential>,
}

/// One credential and the device it belongs to.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Its id: a replaced password is another credential, so this is the version that entries are bound to.
    pub id: CredentialId,
    /// The keyed tag; imported hashes have none.
    pub tag: Option<u16>,
    /// Which server key made tag and hash.
    pub key_id: u32,
    /// The hash.
    pub hash: Hash,
    /// No longer valid since then (replaced, or its device revoked); kept to recognise an old phone.
    pub retired_at: Option<Timestamp>,
    /// The device's live record.
    pub device: LoginDevice,
}

/// A device as far as a login is judged by it and its session goes by it. Its dates and its history are for people, and
/// five of them would be read for every login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginDevice {
    /// Its id.
    pub id: DeviceId,
    /// What people call it.
    pub label: String,
    /// Active, paused or revoked.
    pub state: DeviceState,
    /// Allowed protocols.
    pub scopes: Scopes,
    /// Refused from this moment on.
    pub expires_at: Option<Timestamp>,
    /// Allowed networks.
    pub networks: Networks,
    /// Allowed senders.
    pub senders: SenderRule,
    /// Counts every change that takes something away; a login that began under another epoch is refused.
    pub epoch: i64,
}

/// The last of the successful logins of a device from one network, to be written behind the login path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceUse {
    /// Which device.
    pub device: DeviceId,
    /// From which network.
    pub network: IpNet,
    /// When it was the first time since this was last written.
    pub since: Timestamp,
    /// When, from where, how.
    pub usage: Use,
}

/// Logins that were refused because their password is retired, to be written behind the login path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knocks {
    /// Whose password it was.
    pub credential: CredentialId,
    /// What happened since it was last written.
    pub knocking: Knocking,
}
