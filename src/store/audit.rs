//! What was done by whom, as it is written and read back.

use async_trait::async_trait;

use super::Error;
use crate::audit::Actor;
use crate::audit::chain::{RowHash, Walk};
use crate::clock::Timestamp;
use crate::model::{MailboxId, OrgId, UserId};

/// The most rows that one page looks at before it is shown with what was found: a filter that matches almost nothing must
/// not read a log of years in one go.
pub const AUDIT_SEARCHED_MAX: u32 = 10_000;

/// One audit row, as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number; numbers grow with time.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What: dotted and fixed, such as `device.revoke`.
    pub action: String,
    /// In which organisation.
    pub org: Option<OrgId>,
    /// Which mailbox it concerns.
    pub mailbox: Option<MailboxId>,
    /// On what: an id or an address.
    pub subject: String,
    /// Further facts as a JSON object, never a secret.
    pub detail: serde_json::Value,
    /// Its place in the chain; none for rows from before there was a chain.
    pub hash: Option<RowHash>,
}

/// Which audit rows to read; empty fields match everything.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Rows of this organisation.
    pub org: Option<OrgId>,
    /// Rows of this actor ([`Actor::who`]).
    pub who: Option<String>,
    /// Rows of this user: what they did, and what was done in their name.
    pub user: Option<UserId>,
    /// Rows that concern this mailbox.
    pub mailbox: Option<MailboxId>,
    /// Rows whose subject is or contains this text, or that concern the mailbox with this address.
    pub subject: Option<String>,
    /// Rows whose action starts with this text.
    pub action: Option<String>,
    /// Rows at or after this moment.
    pub since: Option<Timestamp>,
    /// Rows before this moment.
    pub until: Option<Timestamp>,
    /// Rows with a lower number than this.
    pub before: Option<i64>,
    /// At most this many, the newest.
    pub limit: u32,
}

/// Audit rows, newest first, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// What was found; maybe nothing, although older rows match.
    pub rows: Vec<AuditRow>,
    /// Go on with rows before this number; none where all were looked at.
    pub next: Option<i64>,
}

/// What was done by whom.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Appends a row that belongs to no other write (a session ended by hand, a daemon started). Where its detail names a
    /// `mailbox` by the address, it concerns that mailbox.
    async fn append_audit(
        &self,
        actor: &Actor,
        action: &str,
        org: Option<OrgId>,
        subject: &str,
        detail: serde_json::Value,
    ) -> Result<(), Error>;

    /// Reads rows, newest first, however many must be looked at.
    async fn audit_rows(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, Error>;

    /// Reads a page of rows, newest first, up to [`PAGE_MAX`](super::page::PAGE_MAX) and looking at no more than
    /// [`AUDIT_SEARCHED_MAX`].
    async fn audit_page(&self, filter: &AuditFilter) -> Result<AuditPage, Error>;

    /// One row by its number; of an organisation where one is named.
    async fn audit_row(&self, org: Option<OrgId>, number: i64) -> Result<Option<AuditRow>, Error>;

    /// Walks on along the chain of rows, over at most `limit` of them; the caller repeats it until
    /// [`Walk::outcome`] says how it ended.
    async fn verify_audit(&self, walk: Walk, limit: u32) -> Result<Walk, Error>;
}
