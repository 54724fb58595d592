//! Mails that wait, are sent, or were.

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::SqliteStore;
use super::fault::{Outcome, not_found, refused};
use super::write::{About, Write};
use super::{device_link, invitation, notice};
use crate::audit::{self, Action};
use crate::clock::Timestamp;
use crate::model::{DeviceLinkId, InvitationId, Mail, MailId, MailState, MailboxId, OrgId};
use crate::store::outbox::{MAIL_ERROR_MAX, MAIL_SEALED_MAX, MAILS_QUEUED_MAX, MAILS_QUEUED_MAX_OF_ORG, NOTICES_SHARE};
use crate::store::{Actor, AfterFailure, DueMail, Error, MailBacklog, MailFilter, NewMail, OutboxStore};

#[async_trait]
impl OutboxStore for SqliteStore {
    async fn put_mail(&self, mail: &NewMail) -> Result<MailId, Error> {
        let mail = mail.clone();
        self.write(move |write| write.put_mail(&mail)).await
    }

    async fn mail_backlog(&self) -> Result<MailBacklog, Error> {
        self.read(|conn| {
            let backlog = conn.prepare_cached(BACKLOG)?.query_row([], |row| {
                Ok(MailBacklog {
                    queued: row.get(0)?,
                    due_at: row.get(1)?,
                })
            })?;
            Ok(backlog)
        })
        .await
    }

    async fn take_due_mails(&self, lease: Duration, limit: u32) -> Result<Vec<DueMail>, Error> {
        self.write(move |write| take_due(write, lease, limit)).await
    }

    async fn mail_sent(&self, id: MailId) -> Result<(), Error> {
        self.write(move |write| sent(write, id)).await
    }

    async fn mail_failed(&self, id: MailId, attempt: u32, reason: &str, then: AfterFailure) -> Result<bool, Error> {
        let reason = cut(reason);
        self.write(move |write| failed(write, (id, attempt), &reason, then))
            .await
    }

    async fn hurry_mails(&self) -> Result<u64, Error> {
        self.write(|write| {
            let sql = "UPDATE mail SET next_at = ?1 WHERE state = 'queued' AND next_at > ?1";
            let hurried = write.execute(sql, [write.now])?;
            write.note_mail();
            Ok(hurried as u64)
        })
        .await
    }

    async fn withdraw_mail(&self, actor: &Actor, id: MailId) -> Result<(), Error> {
        let actor = actor.clone();
        self.write(move |write| withdraw(write, &actor, id)).await
    }

    async fn withdraw_mails_of(&self, invitation: InvitationId) -> Result<u64, Error> {
        self.write(move |write| write.withdraw_mails_of(invitation)).await
    }

    async fn mail(&self, id: MailId) -> Result<Option<Mail>, Error> {
        self.read(move |conn| mail(conn, id)).await
    }

    async fn mails(&self, filter: &MailFilter) -> Result<Vec<Mail>, Error> {
        let filter = filter.clone();
        self.read(move |conn| mails(conn, &filter)).await
    }

    async fn purge_mails(&self, before: Timestamp) -> Result<u64, Error> {
        self.write(move |write| Ok(write.execute("DELETE FROM mail WHERE ended_at < ?1", [before])? as u64))
            .await
    }

    async fn wait_for_mail(&self, poll: Duration) -> Result<(), Error> {
        // Running out of time is no failure: another process may have put one.
        let _ = tokio::time::timeout(poll, self.mailed.notified()).await;
        Ok(())
    }
}

impl Write<'_> {
    /// Puts a mail, together with what it is about: it is sent if this transaction is committed.
    pub(super) fn put_mail(&self, mail: &NewMail) -> Outcome<MailId> {
        if mail.sealed.len() > MAIL_SEALED_MAX {
            let most = MAIL_SEALED_MAX >> 10;
            return Err(refused(format!(
                "a mail can tell of so much only ({most} KiB): give fewer mailboxes at a time"
            )));
        }
        self.must_have_room(mail)?;
        if let Some(invitation) = mail.invitation {
            // Sent again before it was sent: once is enough.
            self.withdraw_mails_of(invitation)?;
        }
        if let Some(link) = mail.link {
            device_link::must_be_live(self, link)?;
        }
        let id = MailId::from_raw(self.fresh_id());
        self.execute(
            "INSERT INTO mail (id, kind, org_id, invitation_id, recipient, language, sealed, state, next_at, \
             useful_until, created_at, link_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'queued', ?8, ?9, ?8, ?10)",
            params![
                id,
                mail.kind,
                mail.org,
                mail.invitation,
                mail.recipient,
                mail.language,
                mail.sealed,
                self.now,
                mail.useful_until,
                mail.link,
            ],
        )?;
        self.note_mail();
        Ok(id)
    }

    fn must_have_room(&self, mail: &NewMail) -> Outcome<()> {
        let waiting = "SELECT count(*), count(*) FILTER (WHERE org_id = ?1) FROM mail WHERE state = 'queued'";
        let (in_all, of_org): (u32, u32) = self
            .tx
            .prepare_cached(waiting)?
            .query_row([mail.org], |row| Ok((row.get(0)?, row.get(1)?)))?;
        // A mail with a link has an end.
        let most = |most: u32| match mail.useful_until {
            Some(_) => most,
            None => most / NOTICES_SHARE.1 * NOTICES_SHARE.0,
        };
        if in_all >= most(MAILS_QUEUED_MAX) {
            return Err(refused(format!(
                "{in_all} mails wait to be sent already: see `postern mail list` and `postern doctor mail`"
            )));
        }
        if of_org >= most(MAILS_QUEUED_MAX_OF_ORG) {
            return Err(refused(format!(
                "{of_org} mails of this organisation wait to be sent already; try again later"
            )));
        }
        Ok(())
    }

    /// Withdraws the mails of an invitation that still wait: its links lead nowhere any more.
    pub(super) fn withdraw_mails_of(&self, invitation: InvitationId) -> Outcome<u64> {
        let withdrawn = self.execute(
            &format!("{END} WHERE invitation_id = ?3 AND state = 'queued'"),
            params!["withdrawn", self.now, invitation],
        )?;
        Ok(withdrawn as u64)
    }

    /// The same for the mail with a set-up link.
    pub(super) fn withdraw_mails_with(&self, link: DeviceLinkId) -> Outcome<()> {
        self.execute(
            &format!("{END} WHERE link_id = ?3 AND state = 'queued'"),
            params!["withdrawn", self.now, link],
        )?;
        Ok(())
    }

    /// The same for all set-up links of a mailbox's devices.
    pub(super) fn withdraw_mails_with_links_of(&self, mailbox: MailboxId) -> Outcome<()> {
        self.execute(
            &format!(
                "{END} WHERE link_id IN (SELECT id {}) AND state = 'queued'",
                device_link::WAITING_OF
            ),
            params!["withdrawn", self.now, mailbox],
        )?;
        Ok(())
    }

    /// The same for all invitations into an organisation.
    pub(super) fn withdraw_mails_into(&self, org: OrgId) -> Outcome<()> {
        self.execute(
            &format!("{END} WHERE org_id = ?3 AND invitation_id IS NOT NULL AND state = 'queued'"),
            params!["withdrawn", self.now, org],
        )?;
        Ok(())
    }
}

pub(super) const BACKLOG: &str =
    "SELECT count(*), min(max(next_at, coalesce(taken_until, 0))) FROM mail WHERE state = 'queued'";

/// A mail that waits no more: its content is forgotten. `?1` is the state, `?2` the moment.
const END: &str = "UPDATE mail SET state = ?1, ended_at = ?2, sealed = NULL, next_at = NULL, taken_until = NULL";

fn sent(write: &Write<'_>, id: MailId) -> Outcome<()> {
    let sql = format!("{END} WHERE id = ?3 AND state <> 'sent' RETURNING invitation_id");
    let mut ended = write.tx.prepare_cached(&sql)?;
    let invitation: Option<Option<InvitationId>> = ended
        .query_row(params!["sent", write.now, id], |row| row.get(0))
        .optional()?;
    match invitation.flatten() {
        Some(invitation) => invitation::note_sent(write, invitation, write.now),
        None => Ok(()),
    }
}

fn withdraw(write: &Write<'_>, actor: &Actor, id: MailId) -> Outcome<()> {
    let mail = mail(&write.tx, id)?.ok_or_else(|| not_found(format!("there is no mail {id}")))?;
    if !matches!(mail.state, MailState::Queued { .. }) {
        return Err(refused(format!(
            "the mail {id} does not wait any more: it is {}",
            mail.state.name()
        )));
    }
    write.execute(&format!("{END} WHERE id = ?3"), params!["withdrawn", write.now, id])?;
    let detail = json!({ "kind": mail.kind.name(), "to": mail.recipient.as_str() });
    let subject = id.to_string();
    let about = About {
        org: mail.org,
        mailbox: None,
        subject: &subject,
    };
    write.audit(actor, Action::MailWithdraw, about, detail)
}

fn take_due(write: &Write<'_>, lease: Duration, limit: u32) -> Outcome<Vec<DueMail>> {
    let mut taken = write.tx.prepare_cached(
        "UPDATE mail SET attempts = attempts + 1, taken_until = ?2
         WHERE id IN (
             SELECT id FROM mail
             WHERE state = 'queued' AND next_at <= ?1 AND (taken_until IS NULL OR taken_until <= ?1)
             ORDER BY useful_until IS NULL, next_at, id LIMIT ?3)
         RETURNING id, kind, org_id, recipient, language, sealed, useful_until, created_at, attempts, next_at",
    )?;
    let rows = taken.query_map(params![write.now, write.now.plus(lease), limit], |row| {
        let due_at: Timestamp = row.get(9)?;
        let due = DueMail {
            id: row.get(0)?,
            kind: row.get(1)?,
            org: row.get(2)?,
            recipient: row.get(3)?,
            language: row.get(4)?,
            sealed: row.get(5)?,
            useful_until: row.get(6)?,
            created_at: row.get(7)?,
            attempt: row.get(8)?,
        };
        Ok((due_at, due))
    })?;
    // What an UPDATE returns has no order.
    let mut rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    rows.sort_by_key(|(due_at, mail)| (mail.useful_until.is_none(), *due_at, mail.id));
    let mut due = Vec::with_capacity(rows.len());
    for (_, mail) in rows {
        if notice::is_readable(write, mail.id)? {
            due.push(mail);
        } else {
            write.execute(
                &format!("{END} WHERE id = ?3"),
                params!["withdrawn", write.now, mail.id],
            )?;
            notice::tell_again(write, mail.id)?;
        }
    }
    Ok(due)
}

fn failed(write: &Write<'_>, (id, attempt): (MailId, u32), reason: &str, then: AfterFailure) -> Outcome<bool> {
    let changed = match then {
        AfterFailure::RetryAt(next_at) => write.execute(
            "UPDATE mail SET next_at = ?3, taken_until = NULL, last_error = ?4
             WHERE id = ?1 AND attempts = ?2 AND state = 'queued'",
            params![id, attempt, next_at, reason],
        )?,
        AfterFailure::GiveUp => write.execute(
            &format!("{END}, last_error = ?3 WHERE id = ?4 AND attempts = ?5 AND state = 'queued'"),
            params!["failed", write.now, reason, id, attempt],
        )?,
    };
    Ok(changed > 0)
}

const SELECT_MAIL: &str = "SELECT id, kind, org_id, invitation_id, recipient, language, state, next_at, ended_at, attempts, \
                           last_error, created_at, link_id FROM mail";

fn mail(conn: &Connection, id: MailId) -> Outcome<Option<Mail>> {
    let sql = format!("{SELECT_MAIL} WHERE id = ?1");
    Ok(conn.prepare_cached(&sql)?.query_row([id], mail_row).optional()?)
}

/// Which mails bring a set-up link.
pub(super) const MAILS_WITH_LINK: &str = "link_id = ?1 AND (?2 IS NULL OR org_id = ?2)";

fn mails(conn: &Connection, filter: &MailFilter) -> Outcome<Vec<Mail>> {
    // A statement for each index: one for all would use none.
    let (by, brings) = match (filter.invitation, filter.link, filter.org) {
        (Some(invitation), ..) => (
            "invitation_id = ?1 AND (?2 IS NULL OR org_id = ?2)",
            Some(invitation.raw()),
        ),
        (None, Some(link), _) => (MAILS_WITH_LINK, Some(link.raw())),
        (None, None, Some(_)) => ("?1 IS NULL AND org_id = ?2", None),
        (None, None, None) => ("?1 IS NULL AND ?2 IS NULL", None),
    };
    let sql = format!("{SELECT_MAIL} WHERE {by} AND (?3 IS NULL OR state = ?3) ORDER BY id DESC LIMIT ?4");
    let mut rows = conn.prepare_cached(&sql)?;
    let found = rows.query_map(params![brings, filter.org, filter.state, filter.limit], mail_row)?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn mail_row(row: &Row<'_>) -> rusqlite::Result<Mail> {
    let word: String = row.get(6)?;
    let state = match word.as_str() {
        "queued" => MailState::Queued { next_at: row.get(7)? },
        "sent" => MailState::Sent(row.get(8)?),
        "failed" => MailState::Failed(row.get(8)?),
        _ => MailState::Withdrawn(row.get(8)?),
    };
    Ok(Mail {
        id: row.get(0)?,
        kind: row.get(1)?,
        org: row.get(2)?,
        invitation: row.get(3)?,
        recipient: row.get(4)?,
        language: row.get(5)?,
        state,
        attempts: row.get(9)?,
        last_error: row.get(10)?,
        created_at: row.get(11)?,
        link: row.get(12)?,
    })
}

/// A mail server's words, made harmless and bounded.
fn cut(reason: &str) -> String {
    audit::clean(reason).chars().take(MAIL_ERROR_MAX).collect()
}
