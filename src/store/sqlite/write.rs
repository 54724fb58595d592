//! The context of one write: its transaction, its moment, fresh ids, and the two logs that belong to every change.

use std::cell::Cell;

use rusqlite::{Connection, Transaction, params};
use serde_json::Value;

use super::fault::{Fault, Outcome};
use crate::audit::Action;
use crate::audit::chain::Head;
use crate::clock::{Clock, Timestamp};
use crate::model::{DeviceId, Mailbox, MailboxId, OrgId, id};
use crate::store::{Actor, ChangeKind, EndReason, Error, Seq};

/// What the writer thread owns.
pub(super) struct Writer {
    pub(super) conn: Connection,
    pub(super) clock: Clock,
    pub(super) ids: Ids,
}

impl Writer {
    pub(super) fn new(conn: Connection, clock: Clock) -> Self {
        Self {
            conn,
            clock,
            ids: Ids::default(),
        }
    }
}

/// Makes ids that grow: bulk creation makes many in one millisecond, and the random part alone would collide.
#[derive(Default)]
pub(super) struct Ids {
    last: Cell<i64>,
}

impl Ids {
    fn fresh(&self, now: Timestamp) -> i64 {
        // The random part is no secret: it only keeps two processes apart, and may be 0 where there is no randomness.
        let random = id::fresh(now, getrandom::u32().unwrap_or_default());
        let next = random.max(self.last.get().saturating_add(1));
        self.last.set(next);
        next
    }
}

/// What an audit row is about.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) org: Option<OrgId>,
    pub(super) mailbox: Option<MailboxId>,
    pub(super) subject: &'a str,
}

impl<'a> About<'a> {
    /// Something of an organisation that concerns no mailbox.
    pub(super) const fn org(org: OrgId, subject: &'a str) -> Self {
        Self {
            org: Some(org),
            mailbox: None,
            subject,
        }
    }

    /// Something that concerns one mailbox.
    pub(super) const fn mailbox(mailbox: &Mailbox, subject: &'a str) -> Self {
        Self {
            org: Some(mailbox.org),
            mailbox: Some(mailbox.id),
            subject,
        }
    }

    /// Something that belongs to no organisation: a user's own affairs.
    pub(super) const fn nobody(subject: &'a str) -> Self {
        Self {
            org: None,
            mailbox: None,
            subject,
        }
    }
}

/// One write.
pub(super) struct Write<'a> {
    /// The open transaction; rolled back unless it is committed.
    pub(super) tx: Transaction<'a>,
    /// When it happens.
    pub(super) now: Timestamp,
    ids: &'a Ids,
    news: Cell<News>,
    /// The end of the audit chain, once this write has looked at it.
    pub(super) head: Cell<Option<Head>>,
}

/// Whom a commit wakes.
#[derive(Debug, Clone, Copy)]
pub(super) struct News {
    /// There is a new row in the change log.
    pub(super) changes: bool,
    /// A mail was put into the outbox.
    pub(super) mails: bool,
}

impl<'a> Write<'a> {
    pub(super) const fn new(tx: Transaction<'a>, now: Timestamp, ids: &'a Ids) -> Self {
        Self {
            tx,
            now,
            ids,
            news: Cell::new(News {
                changes: false,
                mails: false,
            }),
            head: Cell::new(None),
        }
    }

    /// The raw number of a new id.
    pub(super) fn fresh_id(&self) -> i64 {
        self.ids.fresh(self.now)
    }

    /// Commits; says who has to hear of it.
    pub(super) fn commit(self) -> Outcome<News> {
        self.tx.commit()?;
        Ok(self.news.get())
    }

    /// Whoever sends mails has to look.
    pub(super) fn note_mail(&self) {
        self.news.update(|news| News { mails: true, ..news });
    }

    /// Runs one cached statement.
    pub(super) fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Outcome<usize> {
        Ok(self.tx.prepare_cached(sql)?.execute(params)?)
    }

    /// Appends to the change log.
    pub(super) fn log_change(&self, kind: &ChangeKind) -> Outcome<Seq> {
        let (mailbox, device, reason) = match *kind {
            ChangeKind::DeviceEnded {
                device,
                mailbox,
                reason,
            } => (mailbox, Some(device), reason),
            ChangeKind::MailboxEnded { mailbox } => (mailbox, None, EndReason::MailboxEnded),
        };
        self.execute(
            "INSERT INTO change_log (at, mailbox_id, device_id, reason) VALUES (?1, ?2, ?3, ?4)",
            params![self.now, mailbox, device, reason],
        )?;
        self.news.update(|news| News { changes: true, ..news });
        Ok(Seq(self.tx.last_insert_rowid()))
    }

    /// The number of the latest change, for a write that needs none of its own.
    pub(super) fn latest_change(&self) -> Outcome<Seq> {
        super::change::latest(&self.tx)
    }

    /// Tells every node that a device has lost something.
    pub(super) fn log_device(&self, mailbox: MailboxId, device: DeviceId, reason: EndReason) -> Outcome<Seq> {
        self.log_change(&ChangeKind::DeviceEnded {
            device,
            mailbox,
            reason,
        })
    }

    /// Appends to the audit log.
    pub(super) fn audit(&self, actor: &Actor, action: Action, about: About<'_>, detail: Value) -> Outcome<()> {
        super::audit::append(self, actor, action.as_str(), about, detail)
    }

    /// Why a change is not made whose object is no longer what the request took it for: who did one of these things to it
    /// last, by the audit log.
    pub(super) fn stale(&self, about: About<'_>, actions: &[Action]) -> Outcome<Fault> {
        let last = super::audit::last_change(&self.tx, about, actions)?;
        let (by, at) = last.unwrap_or_else(|| ("somebody".to_owned(), self.now));
        Ok(Fault::Rule(Error::Stale { by, at }))
    }
}
