//! What mails tell of devices on their own account: that one signed in from a new network, or is not used, and what else
//! happened within the hour.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{address, moment, text};
use crate::clock::Timestamp;
use crate::model::{Address, DeviceId, MailboxId, NoticeKind, OrgId};

/// See [`Content::DeviceNetwork`](super::Content::DeviceNetwork).
#[derive(Debug, Serialize, Deserialize)]
pub struct DeviceNetwork {
    /// Of which organisation the device is.
    #[serde(with = "text")]
    pub org: OrgId,
    /// The device, for the link.
    #[serde(with = "text")]
    pub device: DeviceId,
    /// Its label.
    pub label: String,
    /// The address of its mailbox.
    #[serde(with = "address")]
    pub mailbox: Address,
    /// When.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// How and from where.
    pub signed_in: SignedIn,
}

/// A sign-in of a device.
#[derive(Debug, Serialize, Deserialize)]
pub struct SignedIn {
    /// The word of the protocol.
    pub protocol: String,
    /// What the program calls itself.
    pub client: Option<String>,
    /// From where.
    pub from: IpAddr,
}

/// See [`Content::DeviceDigest`](super::Content::DeviceDigest).
#[derive(Debug, Serialize, Deserialize)]
pub struct DeviceDigest {
    /// Of which organisation the device is.
    #[serde(with = "text")]
    pub org: OrgId,
    /// The device, for the link.
    #[serde(with = "text")]
    pub device: DeviceId,
    /// Its label.
    pub label: String,
    /// The address of its mailbox.
    #[serde(with = "address")]
    pub mailbox: Address,
    /// The mailbox, for the link of those who may not see the device itself.
    #[serde(default, with = "text::option")]
    pub page_of: Option<MailboxId>,
    /// What happened, oldest first.
    pub happened: Vec<Happened>,
    /// How much more happened.
    pub more: u32,
}

/// One thing that happened to a device.
#[derive(Debug, Serialize, Deserialize)]
pub struct Happened {
    /// When.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// What.
    pub what: Happening,
}

/// What happened to a device.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happening {
    /// It got a new password from this person.
    Added(String),
    /// It signed in for the first time.
    SetUp(SignedIn),
    /// It signed in from a new network.
    Network(SignedIn),
}

/// See [`Content::DeviceUnused`](super::Content::DeviceUnused).
#[derive(Debug, Serialize, Deserialize)]
pub struct DeviceUnused {
    /// Of which organisation the devices are.
    #[serde(with = "text")]
    pub org: OrgId,
    /// The devices, at least one.
    pub devices: Vec<Unused>,
    /// How many more there are.
    pub more: u32,
    /// After how many days without a use somebody is told.
    pub days: u32,
}

/// A device that was not used for a long time.
#[derive(Debug, Serialize, Deserialize)]
pub struct Unused {
    /// The device, for the link.
    #[serde(with = "text")]
    pub device: DeviceId,
    /// Its label.
    pub label: String,
    /// The address of its mailbox.
    #[serde(with = "address")]
    pub mailbox: Address,
    /// Its last use.
    #[serde(with = "moment::option")]
    pub used_at: Option<Timestamp>,
    /// When it was added.
    #[serde(with = "moment")]
    pub created_at: Timestamp,
}

/// See [`Content::NoticesOff`](super::Content::NoticesOff).
#[derive(Debug, Serialize, Deserialize)]
pub struct SwitchedOff {
    /// Who switched them off.
    pub by: String,
    /// In which organisation.
    #[serde(with = "text")]
    pub org: OrgId,
    /// That organisation's name.
    pub org_name: String,
    /// Which, in the order of the model.
    #[serde(with = "text::list")]
    pub kinds: Vec<NoticeKind>,
    /// When.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// The network address of whoever did it.
    pub from: Option<IpAddr>,
}
