//! The link that makes the first owner. It is remembered in `meta`, as there is one at most.

use rusqlite::Connection;
use serde_json::json;

use super::fault::{Outcome, not_found, refused};
use super::keys;
use super::person::has_owner;
use super::write::{About, Write};
use crate::audit::Action;
use crate::clock::Timestamp;
use crate::store::{Actor, TokenHash};

const KEY: &str = "set_up.link";

/// The hash in hexadecimal digits and the moment at which it ends.
fn written(link: &TokenHash, expires_at: Timestamp) -> String {
    format!("{} {}", blake3::Hash::from_bytes(link.0).to_hex(), expires_at.0)
}

pub(super) fn set_link(write: &Write<'_>, actor: &Actor, link: &TokenHash, expires_at: Timestamp) -> Outcome<()> {
    if has_owner(&write.tx)? {
        return Err(refused(
            "an organisation has an owner already, who can invite others; the set-up link is for the first one"
                .to_owned(),
        ));
    }
    keys::set(write, KEY, &written(link, expires_at))?;
    let detail = json!({ "expires_at": expires_at.rfc3339() });
    write.audit(actor, Action::SetUpLink, About::nobody(""), detail)
}

pub(super) fn is_link(conn: &Connection, link: &TokenHash, now: Timestamp) -> Outcome<bool> {
    let Some(known) = keys::read(conn, KEY)? else {
        return Ok(false);
    };
    let expires_at = known.split_once(' ').and_then(|(_, at)| at.parse().ok()).map(Timestamp);
    let works = expires_at.is_some_and(|expires_at| now < expires_at && known == written(link, expires_at));
    Ok(works && !has_owner(conn)?)
}

/// Uses the link up.
pub(super) fn use_link(write: &Write<'_>, link: &TokenHash) -> Outcome<()> {
    if !is_link(&write.tx, link, write.now)? {
        return Err(not_found(
            "this set-up link does not work (any more); restart Postern for a new one, or use the command line"
                .to_owned(),
        ));
    }
    write.execute("DELETE FROM meta WHERE key = ?1", [KEY])?;
    Ok(())
}
