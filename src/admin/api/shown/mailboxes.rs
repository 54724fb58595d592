//! Mail domains, mailboxes, aliases, and who has access to them.

use serde::Serialize;
use utoipa::ToSchema;

use super::{PersonRef, revision};
use crate::admin::api::words::{AliasId, DeviceId, DomainId, MailboxId, Moment, Right, rights};
use crate::model::{self, Address, MailDomain};
use crate::store::{self, GrantTerms, MailboxRow};

/// A mailbox, by its id and address.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct MailboxRef {
    id: MailboxId,
    address: String,
}

impl MailboxRef {
    pub(in crate::admin::api) fn new(id: model::MailboxId, address: &Address) -> Self {
        Self {
            id: MailboxId(id),
            address: address.to_string(),
        }
    }
}

/// An organisation in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Overview {
    mailboxes: u32,
    /// Mailboxes that are suspended.
    suspended: u32,
    /// Mailboxes that nobody can reach: without a device that is not revoked, and without a grant.
    unreachable: u32,
    aliases: u32,
    /// Devices that are not revoked.
    devices: u32,
    /// Of these never used.
    never_used: u32,
    /// Of these not used for ninety days.
    unused: u32,
    /// Devices of which an old password is still tried.
    knocking: u32,
    members: u32,
    /// Invitations that can be accepted.
    invitations: u32,
}

impl From<store::Overview> for Overview {
    fn from(overview: store::Overview) -> Self {
        Self {
            mailboxes: overview.mailboxes,
            suspended: overview.suspended,
            unreachable: overview.unreachable,
            aliases: overview.aliases,
            devices: overview.devices,
            never_used: overview.never_used,
            unused: overview.unused,
            knocking: overview.knocking,
            members: overview.people,
            invitations: overview.invitations,
        }
    }
}

/// A mail domain.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Domain {
    pub(in crate::admin::api) id: DomainId,
    /// Its name, in A-labels.
    pub(in crate::admin::api) name: String,
    /// How many mailboxes it has.
    mailboxes: u32,
    created_at: Moment,
}

impl Domain {
    pub(in crate::admin::api) fn new(domain: &MailDomain, mailboxes: u32) -> Self {
        Self {
            id: DomainId(domain.id),
            name: domain.name.to_string(),
            mailboxes,
            created_at: Moment(domain.created_at),
        }
    }
}

/// The latest sign-in to a mailbox.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct LastUse {
    at: Moment,
    device: DeviceId,
    device_name: String,
}

/// A mailbox: an address and what lies in the mail store. It has no password of its own.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Mailbox {
    pub(in crate::admin::api) id: MailboxId,
    address: String,
    /// Since when every sign-in is refused; null where it is not suspended.
    #[schema(required = true)]
    suspended_at: Option<Moment>,
    created_at: Moment,
    /// Devices that may sign in.
    active_devices: u32,
    /// People who have access to it.
    people: u32,
    aliases: u32,
    #[schema(required = true)]
    last_used: Option<LastUse>,
}

impl From<MailboxRow> for Mailbox {
    fn from(row: MailboxRow) -> Self {
        let mailbox = row.mailbox;
        Self {
            id: MailboxId(mailbox.id),
            address: mailbox.address.to_string(),
            suspended_at: mailbox.suspended_at.map(Moment),
            created_at: Moment(mailbox.created_at),
            active_devices: mailbox.active_devices,
            people: row.people,
            aliases: row.aliases,
            last_used: row.last_use.map(|(at, device, device_name)| LastUse {
                at: Moment(at),
                device: DeviceId(device),
                device_name,
            }),
        }
    }
}

/// A further address of a mailbox. It cannot be signed in to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Alias {
    pub(in crate::admin::api) id: AliasId,
    address: String,
    mailbox: MailboxRef,
    created_at: Moment,
}

impl From<model::Alias> for Alias {
    fn from(alias: model::Alias) -> Self {
        Self {
            id: AliasId(alias.id),
            address: alias.address.to_string(),
            mailbox: MailboxRef::new(alias.mailbox, &alias.target),
            created_at: Moment(alias.created_at),
        }
    }
}

/// What one user may do with one mailbox.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Grant {
    mailbox: MailboxRef,
    pub(in crate::admin::api) user: PersonRef,
    rights: Vec<Right>,
    /// It does not count from this moment on.
    #[schema(required = true)]
    ends_at: Option<Moment>,
    created_at: Moment,
    /// To be given back with a change.
    revision: String,
}

impl Grant {
    pub(in crate::admin::api) fn new(grant: &model::Grant, name: String) -> Self {
        Self {
            mailbox: MailboxRef::new(grant.mailbox, &grant.address),
            user: PersonRef::new(grant.user, name),
            rights: rights(grant.rights),
            ends_at: grant.ends_at.map(Moment),
            created_at: Moment(grant.created_at),
            revision: Self::revision_of(&GrantTerms {
                rights: grant.rights,
                ends_at: grant.ends_at,
            }),
        }
    }

    /// The revision of a grant that says this.
    pub(in crate::admin::api) fn revision_of(terms: &GrantTerms) -> String {
        revision(&(terms.rights.to_string(), terms.ends_at.map(|at| at.0)))
    }
}
