//! The store of record: what is true about organisations, mailboxes, devices and people.
//!
//! Traits are narrow by role, so that the login path cannot reach what only the control plane may change:
//! [`CredentialStore`] for verify, session and upstream, [`ChangeStore`] for revoke, [`AuditStore`] for what was done;
//! for directory [`DirectoryStore`] (organisations, mailboxes, devices), [`DeviceLinkStore`] (their set-up links), [`PeopleStore`] (users, roles, grants,
//! invitations), [`SignInStore`] (how users prove who they are) and [`TokenStore`] (the API's tokens); for outbox
//! [`OutboxStore`] and [`NoticeStore`]; [`Store`] is their sum. `contract` is the list of tests that every backend passes.
//!
//! Every write is one transaction that also holds its change-log row (where a running login path must hear of it) and
//! its audit row, so that nothing is changed without a trace, and nothing is half done.

pub mod audit;
pub mod change;
pub mod device_link;
pub mod login;
pub mod notice;
pub mod outbox;
pub mod page;
pub mod people;
pub mod sign_in;
pub mod sqlite;
pub mod token;

#[cfg(test)]
mod contract;

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;

pub use crate::audit::Actor;
pub use audit::{AuditFilter, AuditPage, AuditRow, AuditStore};
pub use change::{Change, ChangeKind, EndReason, Seq};
pub use device_link::{DeviceLinkStore, FoundLink, LinkBy, LinkGives, LinkOpening, NewDeviceLink, Opener};
pub use login::{Credential, DeviceUse, Epoch, Hash, Knocks, LoginDevice, LoginMailbox, Resolved};
pub use notice::{
    DueNotices, Notice, NoticeBy, NoticeDevice, NoticeMail, NoticeReader, NoticeStore, NoticeTurn, UnusedDevice,
    UnusedPlace,
};
pub use outbox::{AfterFailure, DueMail, MailBacklog, MailFilter, NewMail, OutboxStore};
pub use page::{
    Cursor, DeviceOwner, DeviceQuery, DeviceRow, DeviceStatus, Found, MailboxQuery, MailboxRow, Overview, Page,
};
pub use people::{
    Accepted, Accepting, Ended, Ending, FirstOrg, GrantRow, GrantTerms, InvitationQuery, MemberQuery, MemberRow,
    NewInvitation, NewUser, PeopleStore, RoleChange, Standing, Tidied, UserEdit, UserOrg,
};
pub use sign_in::{
    AddressAsked, ConsoleSession, Keep, NewCode, NewConsoleSession, PasswordReset, Proof, SessionEnds, SignIn,
    SignInStore, TokenHash, UserPassword, Verified,
};
pub use token::{Claim, NewToken, RequestKey, TokenStore};

use crate::clock::Timestamp;
use crate::model::device::Knocking;
use crate::model::{
    Address, Alias, AliasId, CredentialId, Device, DeviceId, DeviceKind, DeviceState, DomainId, DomainName, MailDomain,
    Mailbox, MailboxId, Networks, Org, OrgId, Scopes, SenderRule, UserId,
};

/// How long tag and hash of a replaced or revoked password are kept, so that an old phone that still knocks is
/// recognised instead of being counted as an attack.
pub const RETIRED_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The most devices of one mailbox that are not revoked.
pub const LIVE_DEVICES_MAX: u32 = 256;

/// The most retired credentials of one mailbox that are kept, the newest: every login is compared with all of them.
pub const RETIRED_MAX: u32 = 256;

/// A retired password that was tried in this time still counts as tried; after that its device is said to be quiet.
pub const KNOCKING_FOR: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The most devices that one listing returns.
pub const LISTED_MAX: usize = 1_000_000;

/// The most rows of one import: it is one transaction, and other writers wait for it.
pub const IMPORT_ROWS_MAX: usize = 1_000_000;

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name, address or label is taken by something else.
    #[error("{0}")]
    Conflict(String),
    /// There is no such thing (any more).
    #[error("{0}")]
    NotFound(String),
    /// The request breaks a rule of the model that only the store can see.
    #[error("{0}")]
    Refused(String),
    /// What was to be changed is no longer what the request took it for.
    #[error("{by} changed it meanwhile ({}); nothing was changed, look at it again", .at.rfc3339())]
    Stale {
        /// Who changed it last, as the audit log has it.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// The database belongs to a newer Postern.
    #[error(
        "the database {path} has schema version {found}, this Postern knows versions up to {known}: run the newer Postern, or restore the backup made before the upgrade"
    )]
    NewerSchema {
        /// The file or URL without secrets.
        path: String,
        /// What the database says.
        found: u32,
        /// What we know.
        known: u32,
    },
    /// A migration that was applied differs from the one built in.
    #[error(
        "migration {version} of the database {path} was changed after it had been applied; restore the database from its backup or run the Postern that made it"
    )]
    AlteredMigration {
        /// The file or URL without secrets.
        path: String,
        /// Which one.
        version: u32,
    },
    /// Locked, full, unreadable, gone: nothing was changed, and it can be tried again.
    #[error("the database {path} cannot be used: {reason}")]
    Unavailable {
        /// The file or URL without secrets.
        path: String,
        /// What happened and what to do.
        reason: String,
    },
}

/// A device to be added.
#[derive(Debug, Clone)]
pub struct NewDevice {
    /// Whose.
    pub mailbox: MailboxId,
    /// 1 to 64 characters.
    pub label: String,
    /// What it is.
    pub kind: DeviceKind,
    /// The person it belongs to: a member who manages mailboxes or has a grant on this one.
    pub user: Option<UserId>,
    /// At least one.
    pub scopes: Scopes,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Allowed networks.
    pub networks: Networks,
    /// Allowed senders.
    pub senders: SenderRule,
    /// Its credential; none where it gets one by a set-up link.
    pub credential: Option<NewCredential>,
    /// Came by import.
    pub imported: bool,
}

/// A credential to be stored.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// The keyed tag; imported hashes have none.
    pub tag: Option<u16>,
    /// Which server key made tag and hash.
    pub key_id: u32,
    /// PHC or crypt string.
    pub hash: Hash,
}

/// What can be changed about a device without touching its password. `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct DeviceEdit {
    /// The revision that the editor saw; `Stale` where the record has another one by now.
    pub revision: Option<i64>,
    /// A new label.
    pub label: Option<String>,
    /// Another kind.
    pub kind: Option<DeviceKind>,
    /// Another person it belongs to, or nobody. Who may send as other mailboxes by the old one loses that.
    pub user: Option<Option<UserId>>,
    /// New scopes; taking one away ends sessions.
    pub scopes: Option<Scopes>,
    /// A new expiry, or none.
    pub expires_at: Option<Option<Timestamp>>,
    /// New networks.
    pub networks: Option<Networks>,
    /// A new sender rule.
    pub senders: Option<SenderRule>,
}

/// Which devices to list.
#[derive(Debug, Clone, Default)]
pub struct DeviceFilter {
    /// Of this mailbox.
    pub mailbox: Option<MailboxId>,
    /// Of this organisation.
    pub org: Option<OrgId>,
    /// Revoked ones too.
    pub with_revoked: bool,
}

/// One row of an import: a mailbox that gets a device with an imported hash.
#[derive(Debug, Clone)]
pub struct ImportRow {
    /// The mailbox; created where it is missing and its domain is known.
    pub address: Address,
    /// The device's label.
    pub label: String,
    /// Its end.
    pub expires_at: Option<Timestamp>,
    /// The hash.
    pub credential: NewCredential,
}

/// What the login path reads; all of it on the hot path or right behind it.
#[async_trait]
pub trait CredentialStore: Send + Sync {
    /// All that a login needs to be judged, read live.
    async fn resolve_login(&self, address: &Address) -> Result<Resolved, Error>;

    /// The present epoch of a device and its mailbox; `None` where the device, its mailbox or the mailbox's right to
    /// log in is gone. By the mailbox as well, because that is how records lie: together with those that the login has
    /// just read.
    async fn epoch(&self, device: DeviceId, mailbox: MailboxId) -> Result<Option<Epoch>, Error>;

    /// The mailbox's own address and its aliases.
    async fn sender_addresses(&self, mailbox: MailboxId) -> Result<Vec<Address>, Error>;

    /// [`CredentialStore::epoch`], and all addresses that the device may send as: those of its mailbox
    /// ([`CredentialStore::sender_addresses`]), and those of the mailboxes that the person it belongs to may send as at this
    /// moment. In one go, as the way to the store costs more than either.
    async fn epoch_and_senders(
        &self,
        device: DeviceId,
        mailbox: MailboxId,
    ) -> Result<Option<(Epoch, Vec<Address>)>, Error>;

    /// Puts a stronger hash in place of the one that was just verified; does nothing where the credential was
    /// replaced or retired meanwhile, or where its tag was made with another key than `key_id`: a tag cannot be made
    /// anew here, and must stay with the key that made it.
    async fn upgrade_hash(
        &self,
        credential: CredentialId,
        verified: &Hash,
        stronger: &Hash,
        key_id: u32,
    ) -> Result<(), Error>;

    /// Writes first and last uses in one transaction, and learns from which networks they came ([`notice`]). Other writes
    /// wait meanwhile, so that nobody hands over many at a time; those of one device belong together.
    async fn record_uses(&self, uses: &[DeviceUse]) -> Result<(), Error>;

    /// Adds tries with retired passwords to those that were written before, in one transaction; those whose credential is
    /// not kept any more are left out.
    async fn record_knocks(&self, knocks: &[Knocks]) -> Result<(), Error>;

    /// Cheap proof that the store answers, for readiness.
    async fn ping(&self) -> Result<(), Error>;
}

/// What the change log tells.
#[async_trait]
pub trait ChangeStore: Send + Sync {
    /// The number of the latest change; 0 where there is none.
    async fn latest_change(&self) -> Result<Seq, Error>;

    /// Changes after `seen`, oldest first, at most `limit`.
    async fn changes_after(&self, seen: Seq, limit: u32) -> Result<Vec<Change>, Error>;

    /// Waits until another writer may have changed something, or at the latest for `poll`: then read
    /// [`ChangeStore::changes_after`]. SQLite: returns at once for this process's own writes, also for one made since
    /// the last wait; what other processes wrote is found when `poll` is over. With several waiters in one process a
    /// wait may miss a wake-up, never a change.
    async fn wait_for_change(&self, poll: Duration) -> Result<(), Error>;
}

/// Every change that the control plane makes. Each is one transaction with its audit row, and with change-log rows
/// where it takes something away from somebody who may be logged in. The number of the last such row is returned, or
/// the latest number of all where the change needed none.
#[async_trait]
pub trait DirectoryStore: Send + Sync {
    /// Adds an organisation.
    async fn create_org(&self, actor: &Actor, name: &str) -> Result<Org, Error>;
    /// All organisations, by name.
    async fn orgs(&self) -> Result<Vec<Org>, Error>;
    /// Finds one.
    async fn org(&self, id: OrgId) -> Result<Option<Org>, Error>;
    /// Gives an organisation another name than the one it is known by. `Stale` where it has another one by now.
    async fn rename_org(&self, actor: &Actor, org: OrgId, from: &str, to: &str) -> Result<Org, Error>;
    /// Removes an organisation that has no domains, with its memberships, invitations and tokens.
    async fn delete_org(&self, actor: &Actor, org: OrgId) -> Result<(), Error>;

    /// Adds a mail domain to an organisation.
    async fn create_domain(&self, actor: &Actor, org: OrgId, name: &DomainName) -> Result<MailDomain, Error>;
    /// Domains of one organisation, or all, by name.
    async fn domains(&self, org: Option<OrgId>) -> Result<Vec<MailDomain>, Error>;
    /// Whether some organisation has this mail domain: by an index, for who is asked by strangers.
    async fn has_domain(&self, name: &DomainName) -> Result<bool, Error>;
    /// How many mailboxes each domain of an organisation has; those without any are left out.
    async fn mailboxes_by_domain(&self, org: OrgId) -> Result<Vec<(DomainId, u32)>, Error>;
    /// Removes a domain that has no mailboxes and aliases.
    async fn delete_domain(&self, actor: &Actor, domain: DomainId) -> Result<(), Error>;

    /// Creates a mailbox (without any password) in a known domain.
    async fn create_mailbox(&self, actor: &Actor, address: &Address) -> Result<Mailbox, Error>;
    /// Finds one.
    async fn mailbox(&self, address: &Address) -> Result<Option<Mailbox>, Error>;
    /// Finds one of an organisation, with numbers.
    async fn mailbox_in(&self, org: OrgId, id: MailboxId) -> Result<Option<MailboxRow>, Error>;
    /// Mailboxes of an organisation with numbers, by address.
    async fn mailbox_page(&self, org: OrgId, query: &MailboxQuery) -> Result<Page<MailboxRow, Address>, Error>;
    /// Mailboxes of one organisation or domain or all, by address, after the given address, at most `limit`.
    async fn mailboxes(
        &self,
        org: Option<OrgId>,
        domain: Option<DomainId>,
        after: Option<&Address>,
        limit: u32,
    ) -> Result<Vec<Mailbox>, Error>;
    /// Suspends (true) or resumes a mailbox.
    async fn set_mailbox_suspended(&self, actor: &Actor, mailbox: MailboxId, suspended: bool) -> Result<Seq, Error>;
    /// Deletes a mailbox with its devices and aliases.
    async fn delete_mailbox(&self, actor: &Actor, mailbox: MailboxId) -> Result<Seq, Error>;
    /// Sets or removes the sealed secret that the `stored` strategy logs in with.
    async fn set_upstream_secret(&self, actor: &Actor, mailbox: MailboxId, sealed: Option<&[u8]>) -> Result<(), Error>;

    /// Adds an alias of a mailbox.
    async fn create_alias(&self, actor: &Actor, address: &Address, mailbox: MailboxId) -> Result<Alias, Error>;
    /// Finds one.
    async fn alias(&self, address: &Address) -> Result<Option<Alias>, Error>;
    /// Aliases of one mailbox or organisation or all, by address.
    async fn aliases(&self, mailbox: Option<MailboxId>, org: Option<OrgId>) -> Result<Vec<Alias>, Error>;
    /// Removes one. It ends no session: a session asks for its sender addresses when it starts.
    async fn delete_alias(&self, actor: &Actor, alias: AliasId) -> Result<Seq, Error>;

    /// Tags in use in a mailbox under this key (retired credentials included), so that a new one can be unique.
    async fn tags_in_use(&self, mailbox: MailboxId, key_id: u32) -> Result<Vec<u16>, Error>;
    /// Adds a device. `Conflict` where label or tag is taken, `Refused` beyond [`LIVE_DEVICES_MAX`].
    async fn create_device(&self, actor: &Actor, device: &NewDevice) -> Result<Device, Error>;
    /// Finds one.
    async fn device(&self, id: DeviceId) -> Result<Option<Device>, Error>;
    /// Finds one of an organisation, with the names of what it belongs to.
    async fn device_in(&self, org: OrgId, id: DeviceId) -> Result<Option<DeviceRow>, Error>;
    /// Devices of an organisation; the status that is asked for decides the order.
    async fn device_page(&self, org: OrgId, query: &DeviceQuery) -> Result<Page<DeviceRow, Cursor<DeviceId>>, Error>;
    /// Lists devices, by mailbox and creation; `Refused` where more than [`LISTED_MAX`] match.
    async fn devices(&self, filter: &DeviceFilter) -> Result<Vec<Device>, Error>;
    /// Of the devices that the filter matches, those of which an old password is still tried ([`KNOCKING_FOR`]).
    async fn knocking(&self, filter: &DeviceFilter) -> Result<HashMap<DeviceId, Knocking>, Error>;
    /// Changes a device's record. What takes something away (a scope, a network, a sender, time) bumps its epoch and
    /// is a change; what only gives, or changes nothing, is not. `Stale` where it has another revision by now.
    async fn edit_device(&self, actor: &Actor, id: DeviceId, edit: &DeviceEdit) -> Result<Seq, Error>;
    /// Gives a device a new credential; the old one is retired in the same transaction, and the oldest one beyond
    /// [`RETIRED_MAX`] deleted.
    async fn replace_credential(&self, actor: &Actor, id: DeviceId, credential: &NewCredential) -> Result<Seq, Error>;
    /// Sets the state of devices (revoke, pause, resume) in one transaction, with an audit row for each device whose
    /// state really changes. A revoked device stays revoked: revoking it again does nothing, all else is `Refused`.
    async fn set_device_state(&self, actor: &Actor, ids: &[DeviceId], state: DeviceState) -> Result<Seq, Error>;
    /// Imports at most [`IMPORT_ROWS_MAX`] rows in one transaction: all of them or none. Missing mailboxes are created
    /// where their domain is known; errors name the row, counted from 1.
    async fn import(&self, actor: &Actor, rows: &[ImportRow]) -> Result<(), Error>;

    /// Deletes tags and hashes that were retired before this moment.
    async fn forget_retired(&self, before: Timestamp) -> Result<u64, Error>;

    /// Mailboxes, aliases, members and devices of an organisation whose address, name or label contains this, those that
    /// begin with it first; at most `limit` of each, up to [`page::FOUND_MAX`].
    async fn search(&self, org: OrgId, text: &str, limit: u32) -> Result<Vec<Found>, Error>;
    /// An organisation in numbers; devices are unused if their last use was before the day of this moment (UTC).
    async fn overview(&self, org: OrgId, unused_since: Timestamp) -> Result<Overview, Error>;
}

/// All roles in one.
pub trait Store:
    CredentialStore
    + ChangeStore
    + AuditStore
    + DirectoryStore
    + DeviceLinkStore
    + PeopleStore
    + SignInStore
    + TokenStore
    + OutboxStore
    + NoticeStore
{
}

impl<T> Store for T where
    T: CredentialStore
        + ChangeStore
        + AuditStore
        + DirectoryStore
        + DeviceLinkStore
        + PeopleStore
        + SignInStore
        + TokenStore
        + OutboxStore
        + NoticeStore
{
}
