//! Lists as pages show them: filtered, in a fixed order, and read on from the last row instead of counted through.
//!
//! A cursor says after which row to go on, by what the list is sorted by, so that a row that moved or went away meanwhile
//! neither repeats nor hides others. Every list is bounded by its organisation.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::clock::Timestamp;
use crate::model::device::Knocking;
use crate::model::{Address, AliasId, Device, DeviceId, DeviceKind, DomainId, Mailbox, MailboxId, UserId};

/// The most rows of one page.
pub const PAGE_MAX: u32 = 1000;

/// The most results of one search.
pub const FOUND_MAX: u32 = 100;

/// Rows and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The rows, in the order of the list.
    pub rows: Vec<T>,
    /// After which row the next page begins; none where this is the last.
    pub next: Option<C>,
}

/// A place in a list: what the row is sorted by, and its id. In text `key/id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor<I> {
    /// What the list is sorted by, as the row had it.
    pub key: String,
    /// The row.
    pub id: I,
}

impl<I: fmt::Display> fmt::Display for Cursor<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.key, self.id)
    }
}

impl<I: FromStr> FromStr for Cursor<I> {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        // An id has no slash, a name may have.
        let (key, id) = text.rsplit_once('/').ok_or(BadCursor)?;
        Ok(Self {
            key: key.to_owned(),
            id: id.parse().map_err(|_| BadCursor)?,
        })
    }
}

/// A text that is no place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no place in a list: begin with its first page")]
pub struct BadCursor;

/// Which mailboxes of an organisation to list, by address.
#[derive(Debug, Clone, Default)]
pub struct MailboxQuery {
    /// Of this domain.
    pub domain: Option<DomainId>,
    /// Those whose address contains this.
    pub text: Option<String>,
    /// Suspended ones only (true) or none of them.
    pub suspended: Option<bool>,
    /// Only those that nobody can reach: without a device that is not revoked, and without a grant.
    pub unreachable: bool,
    /// Those after this one.
    pub after: Option<Address>,
    /// At most this many, up to [`PAGE_MAX`].
    pub limit: u32,
}

/// A mailbox with numbers, for lists and its own page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxRow {
    /// The mailbox, with its active devices.
    pub mailbox: Mailbox,
    /// People with a grant on it.
    pub people: u32,
    /// Its aliases.
    pub aliases: u32,
    /// Its latest login: when, and by which device.
    pub last_use: Option<(Timestamp, DeviceId, String)>,
}

/// Which devices of an organisation to list. The status decides the order.
#[derive(Debug, Clone, Default)]
pub struct DeviceQuery {
    /// In which state.
    pub status: DeviceStatus,
    /// Of this mailbox.
    pub mailbox: Option<MailboxId>,
    /// That belong to somebody in particular, or to nobody.
    pub owner: Option<DeviceOwner>,
    /// Of this kind.
    pub kind: Option<DeviceKind>,
    /// Whose label or mailbox contains this.
    pub text: Option<String>,
    /// That were last used from this address.
    pub last_ip: Option<IpAddr>,
    /// Those after this one.
    pub after: Option<Cursor<DeviceId>>,
    /// At most this many, up to [`PAGE_MAX`].
    pub limit: u32,
}

/// To whom a device belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceOwner {
    /// To this user.
    User(UserId),
    /// To nobody: a printer, a program.
    Nobody,
}

/// Which devices by their state, and in which order they are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeviceStatus {
    /// Not revoked, by address.
    #[default]
    Live,
    /// Revoked or not, by address.
    All,
    /// Not revoked, or revoked after this moment, by address.
    Recent(Timestamp),
    /// Not revoked and never used, the oldest first.
    NeverUsed,
    /// Not revoked and last used before the day of this moment (UTC), the longest unused first.
    UnusedSince(Timestamp),
    /// Paused, the latest first.
    Paused,
    /// Revoked, the latest first.
    Revoked,
    /// Not revoked, with an end before this moment, the earliest end first.
    EndingBefore(Timestamp),
    /// Revoked or with another password, and the old one is still tried ([`super::KNOCKING_FOR`]), the latest try first.
    Knocking,
}

/// A device with the names of what it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// The device.
    pub device: Device,
    /// The address of its mailbox.
    pub address: Address,
    /// What the person is called to whom it belongs.
    pub owner: Option<String>,
    /// An old password of it is still tried ([`super::KNOCKING_FOR`]).
    pub knocking: Option<Knocking>,
}

/// One result of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A mailbox.
    Mailbox {
        /// Which.
        id: MailboxId,
        /// Its address.
        address: Address,
    },
    /// An alias.
    Alias {
        /// Which.
        id: AliasId,
        /// The alias.
        address: Address,
        /// Its mailbox.
        mailbox: MailboxId,
        /// The address of that mailbox.
        target: Address,
    },
    /// A member.
    Person {
        /// Who.
        id: UserId,
        /// What they are called.
        name: String,
        /// What they sign in with.
        address: Address,
    },
    /// A device that is not revoked.
    Device {
        /// Which.
        id: DeviceId,
        /// What it is called.
        label: String,
        /// What it is.
        kind: DeviceKind,
        /// The address of its mailbox.
        address: Address,
    },
}

/// An organisation in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overview {
    /// Mailboxes.
    pub mailboxes: u32,
    /// Of these suspended.
    pub suspended: u32,
    /// Mailboxes that nobody can reach: without a device that is not revoked, and without a grant.
    pub unreachable: u32,
    /// Aliases.
    pub aliases: u32,
    /// Devices that are not revoked.
    pub devices: u32,
    /// Of these never used.
    pub never_used: u32,
    /// Of these last used before the day that was asked about.
    pub unused: u32,
    /// Devices of which an old password is still tried ([`super::KNOCKING_FOR`]).
    pub knocking: u32,
    /// Members.
    pub people: u32,
    /// Invitations that can be accepted.
    pub invitations: u32,
    /// Of these, those whose mail could not be delivered.
    pub undelivered: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written_whatever_the_key() {
        let id = DeviceId::from_raw(7);
        for key in ["anna@example.org", "a/b", "", "20567"] {
            let cursor = Cursor {
                key: key.to_owned(),
                id,
            };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in ["", "x", "anna@example.org/mbx-0000000000007", "/"] {
            assert_eq!(text.parse::<Cursor<DeviceId>>(), Err(BadCursor), "{text:?}");
        }
    }
}
