//! The words of the product as types: organisations, mail domains, mailboxes, aliases, devices, people and their rights.
//!
//! Pure values and their rules: no store, no clock, no protocol. Whoever holds a value of these types need not check
//! it again ("parse, don't validate").

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice
    )
)]

pub mod address;
pub mod device;
pub mod device_link;
pub mod id;
pub mod mail;
pub mod name;
pub mod near;
pub mod notice;
pub mod origin;
pub mod password;
pub mod person;

pub use address::{Address, DomainName};
pub use device::{Device, DeviceKind, DeviceState, Networks, Scopes, SenderRule};
pub use device_link::{DeviceLink, DeviceLinkState};
pub use id::{
    AliasId, ConsoleSessionId, CredentialId, DeviceId, DeviceLinkId, DomainId, InvitationId, MailId, MailboxId, OrgId,
    TokenId, UserId,
};
pub use mail::{Mail, MailKind, MailState};
pub use notice::{NoticeKind, NoticesOff};
pub use origin::Origin;
pub use person::{
    ApiToken, Grant, Invitation, InvitationState, InvitedGrant, Language, Member, Membership, Right, Rights, Role,
    TokenScope, User,
};

use crate::clock::Timestamp;

/// An organisation: owns mail domains and mailboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Org {
    /// Its id.
    pub id: OrgId,
    /// Its name: unique whatever the case, 1 to 100 characters ([`name::org_name`]).
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A mail domain of one organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailDomain {
    /// Its id.
    pub id: DomainId,
    /// Whose it is.
    pub org: OrgId,
    /// Its name, unique in the store.
    pub name: DomainName,
    /// When it was added.
    pub created_at: Timestamp,
}

/// A mailbox: an address and its container in the mail store. It has no password of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Its id.
    pub id: MailboxId,
    /// Whose it is.
    pub org: OrgId,
    /// Its address, unique among mailboxes and aliases.
    pub address: Address,
    /// A suspended mailbox refuses every login.
    pub suspended_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Devices that are neither revoked nor expired, for listings.
    pub active_devices: u32,
}

/// A further address of one mailbox: may be a sender, never logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// Its id.
    pub id: AliasId,
    /// The address, unique among mailboxes and aliases.
    pub address: Address,
    /// The mailbox it belongs to.
    pub mailbox: MailboxId,
    /// That mailbox's address.
    pub target: Address,
    /// When it was created.
    pub created_at: Timestamp,
}
