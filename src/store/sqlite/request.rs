//! What requests to the API made that came with a key.

use rusqlite::{OptionalExtension, params};

use super::fault::{Outcome, not_found};
use super::write::Write;
use crate::clock::Timestamp;
use crate::model::TokenId;
use crate::store::token::{REQUEST_TIME, REQUESTS_KEPT, REQUESTS_MAX};
use crate::store::{Claim, RequestKey};

/// What is known of a request.
struct Known {
    id: i64,
    request: [u8; 32],
    made: Option<String>,
    begun_at: Timestamp,
}

pub(super) fn claim(write: &Write<'_>, token: TokenId, asked: &RequestKey) -> Outcome<Claim> {
    let is_there = "SELECT EXISTS (SELECT 1 FROM api_token WHERE id = ?1)";
    let is_there: bool = write
        .tx
        .prepare_cached(is_there)?
        .query_row([token], |row| row.get(0))?;
    if !is_there {
        return Err(not_found(format!("there is no token {token}")));
    }
    if let Some(known) = known(write, token, asked)? {
        let is_over = known.begun_at.plus(REQUESTS_KEPT) <= write.now;
        let is_lost = known.made.is_none() && known.begun_at.plus(REQUEST_TIME) <= write.now;
        match known.made {
            _ if is_over => {}
            _ if known.request != asked.request => return Ok(Claim::Other),
            Some(made) => return Ok(Claim::Done(made)),
            None if is_lost => {}
            None => return Ok(Claim::Running),
        }
        write.execute("DELETE FROM api_request WHERE id = ?1", [known.id])?;
    }
    let id = write.fresh_id();
    write.execute(
        "INSERT INTO api_request (id, token_id, key, request, begun_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id, token, asked.key, asked.request, write.now],
    )?;
    forget_oldest(write, token)?;
    Ok(Claim::New(id))
}

fn known(write: &Write<'_>, token: TokenId, asked: &RequestKey) -> Outcome<Option<Known>> {
    let sql = "SELECT id, request, made, begun_at FROM api_request WHERE token_id = ?1 AND key = ?2";
    let known = write
        .tx
        .prepare_cached(sql)?
        .query_row(params![token, asked.key], |row| {
            Ok(Known {
                id: row.get(0)?,
                request: row.get(1)?,
                made: row.get(2)?,
                begun_at: row.get(3)?,
            })
        });
    Ok(known.optional()?)
}

/// Keeps the newest requests of a token.
fn forget_oldest(write: &Write<'_>, token: TokenId) -> Outcome<()> {
    write.execute(
        "DELETE FROM api_request WHERE id IN
             (SELECT id FROM api_request WHERE token_id = ?1 ORDER BY begun_at DESC, id DESC LIMIT -1 OFFSET ?2)",
        params![token, REQUESTS_MAX],
    )?;
    Ok(())
}

pub(super) fn settle(write: &Write<'_>, claim: i64, made: Option<&str>) -> Outcome<()> {
    match made {
        Some(made) => write.execute("UPDATE api_request SET made = ?2 WHERE id = ?1", params![claim, made])?,
        None => write.execute("DELETE FROM api_request WHERE id = ?1", [claim])?,
    };
    Ok(())
}

/// Removes what is known no longer; says of how many requests.
pub(super) fn tidy(write: &Write<'_>, limit: u32) -> Outcome<usize> {
    write.execute(
        "DELETE FROM api_request WHERE id IN
             (SELECT id FROM api_request WHERE begun_at <= ?1 ORDER BY begun_at LIMIT ?2)",
        params![write.now.minus(REQUESTS_KEPT), limit],
    )
}
