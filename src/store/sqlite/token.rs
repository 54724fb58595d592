//! Tokens for the API.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::fault::{Outcome, not_found, refused};
use super::member::known_member;
use super::person::{USER_COLUMNS, user_at};
use super::write::{About, Write};
use super::{SqliteStore, device_link, request};
use crate::audit::{Action, clean};
use crate::clock::Timestamp;
use crate::model::{ApiToken, OrgId, TokenId, User, UserId, name};
use crate::store::token::TOKENS_MAX;
use crate::store::{Actor, Claim, Error, NewToken, RequestKey, TokenHash, TokenStore};

const COLUMNS: &str = "t.id, t.user_id, t.org_id, t.name, t.role, t.scope, t.created_at, t.expires_at, t.used_at, \
     t.used_from";

/// How many they are.
const COLUMN_COUNT: usize = 10;

#[async_trait]
impl TokenStore for SqliteStore {
    async fn create_token(&self, actor: &Actor, org: OrgId, new: &NewToken) -> Result<ApiToken, Error> {
        let (actor, new) = (actor.clone(), new.clone());
        self.write(move |write| create(write, &actor, org, &new)).await
    }

    async fn token(&self, hash: &TokenHash) -> Result<Option<(ApiToken, User)>, Error> {
        let (hash, now) = (*hash, self.clock.utc());
        self.read(move |conn| token_by_hash(conn, &hash, now)).await
    }

    async fn is_token_in_force(&self, id: TokenId) -> Result<bool, Error> {
        let now = self.clock.utc();
        self.read(move |conn| Ok(token_in_force(conn, id, now)?.is_some()))
            .await
    }

    async fn tokens(&self, org: OrgId, user: Option<UserId>) -> Result<Vec<ApiToken>, Error> {
        self.read(move |conn| {
            let sql = format!(
                "SELECT {COLUMNS} FROM api_token t WHERE t.org_id = ?1 AND (?2 IS NULL OR t.user_id = ?2)
                 ORDER BY t.id DESC"
            );
            let mut tokens = conn.prepare_cached(&sql)?;
            let tokens = tokens.query_map(params![org, user], token_row)?;
            Ok(tokens.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn revoke_token(&self, actor: &Actor, org: OrgId, id: TokenId) -> Result<(), Error> {
        let actor = actor.clone();
        self.write(move |write| revoke(write, &actor, org, id)).await
    }

    async fn touch_token(&self, id: TokenId, origin: &str) -> Result<(), Error> {
        let origin = clean(origin);
        self.write(move |write| {
            write.execute(
                "UPDATE api_token SET used_at = ?2, used_from = ?3 WHERE id = ?1",
                params![id, write.now, origin],
            )?;
            Ok(())
        })
        .await
    }

    async fn claim_request(&self, token: TokenId, request: &RequestKey) -> Result<Claim, Error> {
        let request = *request;
        self.write(move |write| request::claim(write, token, &request)).await
    }

    async fn settle_request(&self, claim: i64, made: Option<&str>) -> Result<(), Error> {
        let made = made.map(str::to_owned);
        self.write(move |write| request::settle(write, claim, made.as_deref()))
            .await
    }
}

fn token_row(row: &Row<'_>) -> rusqlite::Result<ApiToken> {
    Ok(ApiToken {
        id: row.get(0)?,
        user: row.get(1)?,
        org: row.get(2)?,
        name: row.get(3)?,
        role: row.get(4)?,
        scope: row.get(5)?,
        created_at: row.get(6)?,
        expires_at: row.get(7)?,
        used_at: row.get(8)?,
        used_from: row.get(9)?,
    })
}

fn token_by_hash(conn: &Connection, hash: &TokenHash, now: Timestamp) -> Outcome<Option<(ApiToken, User)>> {
    let sql = format!(
        "SELECT {COLUMNS}, {USER_COLUMNS} FROM api_token t JOIN user u ON u.id = t.user_id
         WHERE t.hash = ?1 AND (t.expires_at IS NULL OR t.expires_at > ?2)"
    );
    let mut found = conn.prepare_cached(&sql)?;
    let found = found.query_row(params![hash, now], |row| {
        Ok((token_row(row)?, user_at(row, COLUMN_COUNT)?))
    });
    Ok(found.optional()?)
}

/// A token that has not ended.
pub(super) fn token_in_force(conn: &Connection, id: TokenId, now: Timestamp) -> Outcome<Option<ApiToken>> {
    let sql =
        format!("SELECT {COLUMNS} FROM api_token t WHERE t.id = ?1 AND (t.expires_at IS NULL OR t.expires_at > ?2)");
    let mut found = conn.prepare_cached(&sql)?;
    Ok(found.query_row(params![id, now], token_row).optional()?)
}

pub(super) fn token_in(conn: &Connection, org: OrgId, id: TokenId) -> Outcome<ApiToken> {
    let sql = format!("SELECT {COLUMNS} FROM api_token t WHERE t.id = ?1 AND +t.org_id = ?2");
    let found = conn
        .prepare_cached(&sql)?
        .query_row(params![id, org], token_row)
        .optional()?;
    found.ok_or_else(|| not_found(format!("there is no token {id}")))
}

fn create(write: &Write<'_>, actor: &Actor, org: OrgId, new: &NewToken) -> Outcome<ApiToken> {
    let member = known_member(&write.tx, org, new.user)?;
    let name = name::token_name(&new.name).map_err(|bad| refused(bad.to_string()))?;
    if new.expires_at.is_some_and(|expires_at| expires_at <= write.now) {
        return Err(refused(
            "the end of the token is in the past; choose a later one".to_owned(),
        ));
    }
    let count = "SELECT count(*) FROM api_token WHERE org_id = ?1 AND user_id = ?2";
    let count: u32 = write
        .tx
        .prepare_cached(count)?
        .query_row(params![org, new.user], |row| row.get(0))?;
    if count >= TOKENS_MAX {
        return Err(refused(format!(
            "{} has {count} tokens, the most there may be; revoke unused ones first",
            member.user.address
        )));
    }
    let id = TokenId::from_raw(write.fresh_id());
    write.execute(
        "INSERT INTO api_token (id, hash, org_id, user_id, name, role, scope, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            id,
            new.hash,
            org,
            new.user,
            name,
            new.role,
            new.scope,
            write.now,
            new.expires_at
        ],
    )?;
    let token = token_in(&write.tx, org, id)?;
    audit(write, actor, Action::TokenCreate, &token, &member.user)?;
    Ok(token)
}

fn revoke(write: &Write<'_>, actor: &Actor, org: OrgId, id: TokenId) -> Outcome<()> {
    let token = token_in(&write.tx, org, id)?;
    let member = known_member(&write.tx, org, token.user)?;
    device_link::end_made_with(write, actor, id)?;
    write.execute("DELETE FROM api_token WHERE id = ?1", [id])?;
    audit(write, actor, Action::TokenRevoke, &token, &member.user)
}

fn audit(write: &Write<'_>, actor: &Actor, action: Action, token: &ApiToken, user: &User) -> Outcome<()> {
    let detail = json!({
        "name": token.name, "user": user.address.as_str(), "role": token.role.name(), "scope": token.scope.name(),
        "expires_at": token.expires_at.map(Timestamp::rfc3339),
    });
    let id = token.id.to_string();
    write.audit(actor, action, About::org(token.org, &id), detail)
}

/// Removes tokens that ended before this moment; says how many.
pub(super) fn tidy(write: &Write<'_>, before: Timestamp, limit: u32) -> Outcome<usize> {
    write.execute(
        "DELETE FROM api_token WHERE id IN
             (SELECT id FROM api_token WHERE expires_at IS NOT NULL AND expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        params![before, limit],
    )
}
