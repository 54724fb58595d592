//! Other sign-in addresses that users have asked for: one waits at most, until the link that was sent to it is used.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use super::fault::{Outcome, not_found};
use super::person::{edit_user, known_user, must_be_free};
use super::write::{About, Write};
use crate::audit::Action;
use crate::clock::Timestamp;
use crate::model::{Address, User, UserId};
use crate::store::{Actor, AddressAsked, TokenHash, UserEdit};

pub(super) fn ask(
    write: &Write<'_>,
    actor: &Actor,
    user: UserId,
    address: &Address,
    (link, expires_at): (&TokenHash, Timestamp),
) -> Outcome<()> {
    let user = known_user(&write.tx, user)?;
    must_be_free(write, address)?;
    write.execute(
        "INSERT INTO address_change (user_id, hash, address, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, address = excluded.address,
             created_at = excluded.created_at, expires_at = excluded.expires_at",
        params![user.id, link, address, write.now, expires_at],
    )?;
    let detail = json!({ "address": address.as_str(), "expires_at": expires_at.rfc3339() });
    let about = About::nobody(user.address.as_str());
    write.audit(actor, Action::UserAddressAsk, about, detail)
}

/// What a user has asked for; where a link is given, only by that.
pub(super) fn asked(
    conn: &Connection,
    user: UserId,
    link: Option<&TokenHash>,
    now: Timestamp,
) -> Outcome<Option<AddressAsked>> {
    let mut found = conn.prepare_cached(
        "SELECT address, created_at, expires_at FROM address_change
         WHERE user_id = ?1 AND (?2 IS NULL OR +hash = ?2) AND +expires_at > ?3",
    )?;
    let found = found.query_row(params![user, link, now], |row| {
        Ok(AddressAsked {
            address: row.get(0)?,
            created_at: row.get(1)?,
            expires_at: row.get(2)?,
        })
    });
    Ok(found.optional()?)
}

pub(super) fn confirm(write: &Write<'_>, actor: &Actor, user: UserId, link: &TokenHash) -> Outcome<User> {
    let found = asked(&write.tx, user, Some(link), write.now)?;
    let found = found.ok_or_else(|| {
        not_found(
            "this link does not work (any more); ask for the address again on the page of your account".to_owned(),
        )
    })?;
    let edit = UserEdit {
        address: Some(found.address),
        ..UserEdit::default()
    };
    // Where the address is theirs already, nothing is edited, and the link is used all the same.
    forget(write, user)?;
    edit_user(write, actor, user, &edit)
}

/// Forgets what a user has asked for.
pub(super) fn forget(write: &Write<'_>, user: UserId) -> Outcome<()> {
    write.execute("DELETE FROM address_change WHERE user_id = ?1", [user])?;
    Ok(())
}

/// Removes what ran out; says how many.
pub(super) fn tidy(write: &Write<'_>, limit: u32) -> Outcome<usize> {
    write.execute(
        "DELETE FROM address_change WHERE user_id IN
             (SELECT user_id FROM address_change WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
        params![write.now, limit],
    )
}
