//! Console sessions.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::fault::{Outcome, conflict};
use super::person::{USER_COLUMNS, known_user, user_at};
use super::write::{About, Write};
use crate::audit::{Action, clean};
use crate::clock::Timestamp;
use crate::model::{ConsoleSessionId, User, UserId};
use crate::store::sign_in::SESSIONS_MAX;
use crate::store::{Actor, ConsoleSession, Keep, NewConsoleSession, Proof, SessionEnds, TokenHash, Verified};

const COLUMNS: &str = "s.id, s.user_id, s.proof, s.created_at, s.seen_at, s.proved_at, s.idle_ends_at, s.ends_at, \
     s.origin, s.browser";

/// How many they are.
const COLUMN_COUNT: usize = 10;

fn session_row(row: &Row<'_>) -> rusqlite::Result<ConsoleSession> {
    Ok(ConsoleSession {
        id: row.get(0)?,
        user: row.get(1)?,
        proof: row.get(2)?,
        created_at: row.get(3)?,
        seen_at: row.get(4)?,
        proved_at: row.get(5)?,
        ends: SessionEnds {
            idle_at: row.get(6)?,
            at: row.get(7)?,
        },
        origin: row.get(8)?,
        browser: row.get(9)?,
    })
}

pub(super) fn session(conn: &Connection, hash: &TokenHash, now: Timestamp) -> Outcome<Option<(ConsoleSession, User)>> {
    let sql = format!(
        "SELECT {COLUMNS}, {USER_COLUMNS} FROM console_session s JOIN user u ON u.id = s.user_id
         WHERE s.hash = ?1 AND +s.idle_ends_at > ?2"
    );
    let mut found = conn.prepare_cached(&sql)?;
    let found = found.query_row(params![hash, now], |row| {
        Ok((session_row(row)?, user_at(row, COLUMN_COUNT)?))
    });
    Ok(found.optional()?)
}

fn session_by_id(conn: &Connection, id: ConsoleSessionId) -> Outcome<ConsoleSession> {
    let mut found = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM console_session s WHERE s.id = ?1"))?;
    Ok(found.query_row([id], session_row)?)
}

/// Whether a session that owes nothing has not ended.
pub(super) fn is_live(conn: &Connection, id: ConsoleSessionId, now: Timestamp) -> Outcome<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM console_session WHERE id = ?1 AND proof <> 'half' AND +idle_ends_at > ?2)";
    Ok(conn
        .prepare_cached(sql)?
        .query_row(params![id, now], |row| row.get(0))?)
}

/// How many sessions of a user have not ended and owe nothing.
pub(super) fn live_sessions(conn: &Connection, user: UserId, now: Timestamp) -> Outcome<u32> {
    let sql = "SELECT count(*) FROM console_session WHERE user_id = ?1 AND proof <> 'half' AND +idle_ends_at > ?2";
    Ok(conn
        .prepare_cached(sql)?
        .query_row(params![user, now], |row| row.get(0))?)
}

pub(super) fn sessions_of(conn: &Connection, user: UserId, now: Timestamp) -> Outcome<Vec<ConsoleSession>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM console_session s
         WHERE s.user_id = ?1 AND s.proof <> 'half' AND +s.idle_ends_at > ?2 ORDER BY s.seen_at DESC, s.id DESC"
    );
    let mut sessions = conn.prepare_cached(&sql)?;
    let sessions = sessions.query_map(params![user, now], session_row)?;
    Ok(sessions.collect::<Result<_, _>>()?)
}

/// An idle session never outlives its absolute end, so that the sweep and every reading ask for one moment only.
fn idle_end(ends: SessionEnds) -> Timestamp {
    ends.idle_at.min(ends.at)
}

pub(super) fn open(write: &Write<'_>, actor: &Actor, new: &NewConsoleSession) -> Outcome<ConsoleSession> {
    let user = known_user(&write.tx, new.user)?;
    if let Some(verified) = &new.verified {
        must_still_hold(write, &user, verified)?;
    }
    let id = ConsoleSessionId::from_raw(write.fresh_id());
    write.execute(
        "INSERT INTO console_session (id, hash, user_id, proof, created_at, seen_at, proved_at, idle_ends_at, ends_at,
             origin, browser) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?5, ?6, ?7, ?8, ?9)",
        params![
            id,
            new.hash,
            new.user,
            new.proof,
            write.now,
            idle_end(new.ends),
            new.ends.at,
            clean(&new.origin),
            clean(&new.browser)
        ],
    )?;
    // Sessions that still owe a code go first: whoever knows only the password must not push out who knows both.
    write.execute(
        "DELETE FROM console_session WHERE id IN
             (SELECT id FROM console_session WHERE user_id = ?1 AND id <> ?2
              ORDER BY proof = 'half', seen_at DESC LIMIT -1 OFFSET ?3)",
        params![new.user, id, SESSIONS_MAX - 1],
    )?;
    let session = session_by_id(&write.tx, id)?;
    if session.proof != Proof::Half {
        signed_in(write, actor, &user, &session)?;
    }
    Ok(session)
}

/// Comparing a password takes a while: a reset, or codes that were switched on meanwhile, must not be too late for it.
fn must_still_hold(write: &Write<'_>, user: &User, verified: &Verified) -> Outcome<()> {
    let mut holds = write
        .tx
        .prepare_cached("SELECT password_hash IS ?2 AND (code_secret IS NOT NULL) = ?3 FROM user WHERE id = ?1")?;
    if holds.query_row(params![user.id, verified.hash, verified.has_code], |row| row.get(0))? {
        return Ok(());
    }
    let address = &user.address;
    Err(conflict(format!(
        "the sign-in of {address} was changed a moment ago; sign in again"
    )))
}

fn signed_in(write: &Write<'_>, actor: &Actor, user: &User, session: &ConsoleSession) -> Outcome<()> {
    write.execute(
        "UPDATE user SET seen_at = ?2 WHERE id = ?1",
        params![user.id, write.now],
    )?;
    let detail = json!({ "session": session.id, "proof": session.proof.name(), "browser": session.browser });
    let about = About::nobody(user.address.as_str());
    write.audit(actor, Action::UserSignIn, about, detail)
}

pub(super) fn prove(
    write: &Write<'_>,
    actor: &Actor,
    (old, new): (&TokenHash, &TokenHash),
    proof: Proof,
    ends: SessionEnds,
) -> Outcome<Option<ConsoleSession>> {
    let Some((before, user)) = session(&write.tx, old, write.now)? else {
        return Ok(None);
    };
    let ends = match before.proof {
        Proof::Half => ends,
        Proof::Password | Proof::Code => SessionEnds {
            at: before.ends.at,
            ..ends
        },
    };
    write.execute(
        "UPDATE console_session SET hash = ?2, proof = ?3, seen_at = ?4, proved_at = ?4, idle_ends_at = ?5, ends_at = ?6
         WHERE id = ?1",
        params![before.id, new, before.proof.max(proof), write.now, idle_end(ends), ends.at],
    )?;
    let after = session_by_id(&write.tx, before.id)?;
    if before.proof == Proof::Half && after.proof != Proof::Half {
        signed_in(write, actor, &user, &after)?;
    }
    Ok(Some(after))
}

pub(super) fn touch(write: &Write<'_>, id: ConsoleSessionId, idle_at: Timestamp, origin: &str) -> Outcome<()> {
    let touched = write.execute(
        "UPDATE console_session SET seen_at = ?2, idle_ends_at = min(?3, ends_at), origin = ?4
         WHERE id = ?1 AND idle_ends_at > ?2",
        params![id, write.now, idle_at, clean(origin)],
    )?;
    if touched > 0 {
        write.execute(
            "UPDATE user SET seen_at = ?2
             WHERE id = (SELECT user_id FROM console_session WHERE id = ?1 AND proof <> 'half')",
            params![id, write.now],
        )?;
    }
    Ok(())
}

pub(super) fn end(write: &Write<'_>, actor: &Actor, user: UserId, id: ConsoleSessionId) -> Outcome<bool> {
    let user = known_user(&write.tx, user)?;
    let ended = write.execute(
        "DELETE FROM console_session WHERE id = ?1 AND user_id = ?2 AND idle_ends_at > ?3",
        params![id, user.id, write.now],
    )?;
    if ended > 0 {
        let about = About::nobody(user.address.as_str());
        write.audit(actor, Action::UserSignOut, about, json!({ "session": id }))?;
    }
    Ok(ended > 0)
}

pub(super) fn end_all(write: &Write<'_>, actor: &Actor, user: UserId, keep: Keep) -> Outcome<u32> {
    let user = known_user(&write.tx, user)?;
    let ended = end_others(write, user.id, keep)?;
    let about = About::nobody(user.address.as_str());
    write.audit(actor, Action::UserSignOutAll, about, json!({ "sessions": ended }))?;
    Ok(ended)
}

/// Ends sessions without a word in the audit log, where another row tells why; says how many that owed nothing.
pub(super) fn end_others(write: &Write<'_>, user: UserId, keep: Keep) -> Outcome<u32> {
    let kept = match keep {
        Keep::All => return Ok(0),
        Keep::None => None,
        Keep::Session(id) => Some(id),
    };
    let before = live_sessions(&write.tx, user, write.now)?;
    write.execute(
        "DELETE FROM console_session WHERE user_id = ?1 AND id IS NOT ?2",
        params![user, kept],
    )?;
    let after = live_sessions(&write.tx, user, write.now)?;
    Ok(before.saturating_sub(after))
}

/// Removes sessions past their end; says how many.
pub(super) fn tidy(write: &Write<'_>, limit: u32) -> Outcome<usize> {
    write.execute(
        "DELETE FROM console_session WHERE id IN
             (SELECT id FROM console_session WHERE idle_ends_at <= ?1 ORDER BY idle_ends_at LIMIT ?2)",
        params![write.now, limit],
    )
}
