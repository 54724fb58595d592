//! The context of one write: its transaction, its moment, fresh ids, and the two logs that belong to every change.

use std::cell::Cell;

use rusqlite::{Connection, Transaction, params};
use serde_json::Value;

use super::fault::Outcome;
use crate::audit::{self, Action};
use crate::clock::{Clock, Timestamp};
use crate::model::{OrgId, id};
use crate::store::{Actor, ChangeKind, EndReason, Seq};

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

/// One write.
pub(super) struct Write<'a> {
    /// The open transaction; rolled back unless it is committed.
    pub(super) tx: Transaction<'a>,
    /// When it happens.
    pub(super) now: Timestamp,
    ids: &'a Ids,
    news: Cell<News>,
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

    /// Appends to the audit log.
    pub(super) fn audit(
        &self,
        actor: &Actor,
        action: Action,
        org: Option<OrgId>,
        subject: &str,
        detail: Value,
    ) -> Outcome<()> {
        self.append_audit(actor, action.as_str(), org, (subject, detail))
    }

    /// Appends to the audit log a row whose action is another module's word.
    pub(super) fn append_audit(
        &self,
        actor: &Actor,
        action: &str,
        org: Option<OrgId>,
        (subject, detail): (&str, Value),
    ) -> Outcome<()> {
        self.execute(
            "INSERT INTO audit (at, who, origin, action, org_id, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                self.now,
                audit::clean(&actor.who),
                audit::clean(&actor.origin),
                audit::clean(action),
                org,
                audit::clean(subject),
                audit::clean_detail(detail).to_string(),
            ],
        )?;
        Ok(())
    }
}
