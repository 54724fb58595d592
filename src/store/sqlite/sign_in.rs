//! Passwords of users, one-time codes, recovery codes and links to reset a password; the role of the store that holds
//! them.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use serde_json::json;

use super::fault::{Outcome, not_found, refused};
use super::person::{USER_COLUMN_COUNT, USER_COLUMNS, known_user, user_at};
use super::write::{About, Write};
use super::{SqliteStore, address, device_link, session, set_up};
use crate::audit::Action;
use crate::clock::Timestamp;
use crate::model::{Address, ConsoleSessionId, User, UserId};
use crate::store::sign_in::{RECOVERY_CODES_MAX, RESETS_MAX};
use crate::store::{
    Actor, AddressAsked, ConsoleSession, Error, Hash, Keep, NewCode, NewConsoleSession, PasswordReset, Proof,
    SessionEnds, SignIn, SignInStore, TokenHash, UserPassword,
};

#[async_trait]
impl SignInStore for SqliteStore {
    async fn sign_in(&self, address: &Address) -> Result<Option<SignIn>, Error> {
        let address = address.clone();
        self.read(move |conn| sign_in(conn, "u.address = ?1", &address)).await
    }

    async fn sign_in_of(&self, user: UserId) -> Result<Option<SignIn>, Error> {
        self.read(move |conn| sign_in(conn, "u.id = ?1", &user)).await
    }

    async fn set_password(
        &self,
        actor: &Actor,
        user: UserId,
        password: &UserPassword,
        keep: Keep,
    ) -> Result<(), Error> {
        let (actor, password) = (actor.clone(), password.clone());
        self.write(move |write| set_password(write, &actor, user, &password, keep))
            .await
    }

    async fn upgrade_password(&self, user: UserId, verified: &Hash, stronger: &UserPassword) -> Result<(), Error> {
        let (verified, stronger) = (verified.clone(), stronger.clone());
        self.write(move |write| {
            write.execute(
                "UPDATE user SET password_hash = ?3, password_key_id = ?4 WHERE id = ?1 AND password_hash = ?2",
                params![user, verified, stronger.hash, stronger.key_id],
            )?;
            Ok(())
        })
        .await
    }

    async fn set_code(&self, actor: &Actor, user: UserId, code: &NewCode, keep: Keep) -> Result<(), Error> {
        let (actor, code) = (actor.clone(), code.clone());
        self.write(move |write| set_code(write, &actor, user, &code, keep))
            .await
    }

    async fn remove_code(&self, actor: &Actor, user: UserId, keep: Keep) -> Result<(), Error> {
        let actor = actor.clone();
        self.write(move |write| remove_code(write, &actor, user, keep)).await
    }

    async fn use_code_step(&self, user: UserId, step: i64) -> Result<bool, Error> {
        self.write(move |write| {
            let taken = write.execute(
                "UPDATE user SET code_step = ?2 WHERE id = ?1 AND code_step < ?2",
                params![user, step],
            )?;
            Ok(taken > 0)
        })
        .await
    }

    async fn set_recovery_codes(&self, actor: &Actor, user: UserId, codes: &[TokenHash]) -> Result<(), Error> {
        let (actor, codes) = (actor.clone(), codes.to_vec());
        self.write(move |write| {
            let user = known_user(&write.tx, user)?;
            insert_recovery(write, user.id, &codes)?;
            let about = About::nobody(user.address.as_str());
            write.audit(
                &actor,
                Action::UserRecoveryRenew,
                about,
                json!({ "codes": codes.len() }),
            )
        })
        .await
    }

    async fn use_recovery_code(&self, actor: &Actor, user: UserId, code: &TokenHash) -> Result<Option<u32>, Error> {
        let (actor, code) = (actor.clone(), *code);
        self.write(move |write| use_recovery(write, &actor, user, &code)).await
    }

    async fn open_session(&self, actor: &Actor, new: &NewConsoleSession) -> Result<ConsoleSession, Error> {
        let (actor, new) = (actor.clone(), new.clone());
        self.write(move |write| session::open(write, &actor, &new)).await
    }

    async fn is_session_live(&self, id: ConsoleSessionId) -> Result<bool, Error> {
        let now = self.clock.utc();
        self.read(move |conn| session::is_live(conn, id, now)).await
    }

    async fn session(&self, hash: &TokenHash) -> Result<Option<(ConsoleSession, User)>, Error> {
        let (hash, now) = (*hash, self.clock.utc());
        self.read(move |conn| session::session(conn, &hash, now)).await
    }

    async fn prove_session(
        &self,
        actor: &Actor,
        old: &TokenHash,
        new: &TokenHash,
        proof: Proof,
        ends: SessionEnds,
    ) -> Result<Option<ConsoleSession>, Error> {
        let (actor, old, new) = (actor.clone(), *old, *new);
        self.write(move |write| session::prove(write, &actor, (&old, &new), proof, ends))
            .await
    }

    async fn touch_session(&self, id: ConsoleSessionId, idle_at: Timestamp, origin: &str) -> Result<(), Error> {
        let origin = origin.to_owned();
        self.write(move |write| session::touch(write, id, idle_at, &origin))
            .await
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<ConsoleSession>, Error> {
        let now = self.clock.utc();
        self.read(move |conn| session::sessions_of(conn, user, now)).await
    }

    async fn end_session(&self, actor: &Actor, user: UserId, id: ConsoleSessionId) -> Result<bool, Error> {
        let actor = actor.clone();
        self.write(move |write| session::end(write, &actor, user, id)).await
    }

    async fn end_sessions(&self, actor: &Actor, user: UserId, keep: Keep) -> Result<u32, Error> {
        let actor = actor.clone();
        self.write(move |write| session::end_all(write, &actor, user, keep))
            .await
    }

    async fn create_reset(
        &self,
        actor: &Actor,
        user: UserId,
        link: &TokenHash,
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        let (actor, link) = (actor.clone(), *link);
        self.write(move |write| create_reset(write, &actor, user, &link, expires_at))
            .await
    }

    async fn reset(&self, link: &TokenHash) -> Result<Option<PasswordReset>, Error> {
        let (link, now) = (*link, self.clock.utc());
        self.read(move |conn| reset(conn, &link, now)).await
    }

    async fn ask_address(
        &self,
        actor: &Actor,
        user: UserId,
        address: &Address,
        link: &TokenHash,
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        let (actor, address, link) = (actor.clone(), address.clone(), *link);
        self.write(move |write| address::ask(write, &actor, user, &address, (&link, expires_at)))
            .await
    }

    async fn address_asked(&self, user: UserId) -> Result<Option<AddressAsked>, Error> {
        let now = self.clock.utc();
        self.read(move |conn| address::asked(conn, user, None, now)).await
    }

    async fn address_by_link(&self, user: UserId, link: &TokenHash) -> Result<Option<AddressAsked>, Error> {
        let (link, now) = (*link, self.clock.utc());
        self.read(move |conn| address::asked(conn, user, Some(&link), now))
            .await
    }

    async fn confirm_address(&self, actor: &Actor, user: UserId, link: &TokenHash) -> Result<User, Error> {
        let (actor, link) = (actor.clone(), *link);
        self.write(move |write| address::confirm(write, &actor, user, &link))
            .await
    }

    async fn use_reset(&self, actor: &Actor, link: &TokenHash, password: &UserPassword) -> Result<User, Error> {
        let (actor, link, password) = (actor.clone(), *link, password.clone());
        self.write(move |write| use_reset(write, &actor, &link, &password))
            .await
    }

    async fn set_set_up_link(&self, actor: &Actor, link: &TokenHash, expires_at: Timestamp) -> Result<(), Error> {
        let (actor, link) = (actor.clone(), *link);
        self.write(move |write| set_up::set_link(write, &actor, &link, expires_at))
            .await
    }

    async fn is_set_up_link(&self, link: &TokenHash) -> Result<bool, Error> {
        let (link, now) = (*link, self.clock.utc());
        self.read(move |conn| set_up::is_link(conn, &link, now)).await
    }
}

fn sign_in(conn: &Connection, condition: &str, value: &dyn ToSql) -> Outcome<Option<SignIn>> {
    let sql = format!(
        "SELECT {USER_COLUMNS}, u.password_hash, u.password_key_id, u.code_secret, u.code_step,
             (SELECT count(*) FROM recovery_code c WHERE c.user_id = u.id)
         FROM user u WHERE {condition}"
    );
    let mut found = conn.prepare_cached(&sql)?;
    let found = found.query_row([value], |row| {
        let at = USER_COLUMN_COUNT;
        let hash: Option<Hash> = row.get(at)?;
        let key_id: Option<u32> = row.get(at + 1)?;
        Ok(SignIn {
            user: user_at(row, 0)?,
            password: hash.zip(key_id).map(|(hash, key_id)| UserPassword { hash, key_id }),
            code_secret: row.get(at + 2)?,
            code_step: row.get(at + 3)?,
            recovery_codes: row.get(at + 4)?,
        })
    });
    Ok(found.optional()?)
}

fn set_password(write: &Write<'_>, actor: &Actor, user: UserId, password: &UserPassword, keep: Keep) -> Outcome<()> {
    let user = known_user(&write.tx, user)?;
    let ended = put_password(write, user.id, password, keep)?;
    let about = About::nobody(user.address.as_str());
    write.audit(actor, Action::UserPassword, about, json!({ "sessions_ended": ended }))
}

/// Sets a password and ends what the old one opened, links to reset it and to another address included; says how many sessions.
fn put_password(write: &Write<'_>, user: UserId, password: &UserPassword, keep: Keep) -> Outcome<u32> {
    write.execute(
        "UPDATE user SET password_hash = ?2, password_key_id = ?3 WHERE id = ?1",
        params![user, password.hash, password.key_id],
    )?;
    write.execute("DELETE FROM password_reset WHERE user_id = ?1", [user])?;
    // Whoever knew the old password may have asked for it.
    address::forget(write, user)?;
    session::end_others(write, user, keep)
}

fn set_code(write: &Write<'_>, actor: &Actor, user: UserId, code: &NewCode, keep: Keep) -> Outcome<()> {
    let user = known_user(&write.tx, user)?;
    write.execute(
        "UPDATE user SET code_secret = ?2, code_step = ?3 WHERE id = ?1",
        params![user.id, code.sealed, code.step],
    )?;
    insert_recovery(write, user.id, &code.recovery)?;
    let ended = session::end_others(write, user.id, keep)?;
    let about = About::nobody(user.address.as_str());
    write.audit(actor, Action::UserCodeSet, about, json!({ "sessions_ended": ended }))
}

fn remove_code(write: &Write<'_>, actor: &Actor, user: UserId, keep: Keep) -> Outcome<()> {
    let user = known_user(&write.tx, user)?;
    if !user.has_code {
        return Ok(());
    }
    write.execute(
        "UPDATE user SET code_secret = NULL, code_step = NULL WHERE id = ?1",
        [user.id],
    )?;
    insert_recovery(write, user.id, &[])?;
    let ended = session::end_others(write, user.id, keep)?;
    let about = About::nobody(user.address.as_str());
    write.audit(actor, Action::UserCodeRemove, about, json!({ "sessions_ended": ended }))
}

/// Puts these recovery codes in place of the old ones.
fn insert_recovery(write: &Write<'_>, user: UserId, codes: &[TokenHash]) -> Outcome<()> {
    if codes.len() > RECOVERY_CODES_MAX {
        return Err(refused(format!(
            "a user has at most {RECOVERY_CODES_MAX} recovery codes"
        )));
    }
    write.execute("DELETE FROM recovery_code WHERE user_id = ?1", [user])?;
    for code in codes {
        write.execute(
            "INSERT INTO recovery_code (user_id, hash) VALUES (?1, ?2)",
            params![user, code],
        )?;
    }
    Ok(())
}

fn use_recovery(write: &Write<'_>, actor: &Actor, user: UserId, code: &TokenHash) -> Outcome<Option<u32>> {
    let used = write.execute(
        "DELETE FROM recovery_code WHERE user_id = ?1 AND hash = ?2",
        params![user, code],
    )?;
    if used == 0 {
        return Ok(None);
    }
    let user = known_user(&write.tx, user)?;
    let left: u32 = write
        .tx
        .prepare_cached("SELECT count(*) FROM recovery_code WHERE user_id = ?1")?
        .query_row([user.id], |row| row.get(0))?;
    let about = About::nobody(user.address.as_str());
    write.audit(actor, Action::UserRecoveryUse, about, json!({ "left": left }))?;
    Ok(Some(left))
}

fn create_reset(
    write: &Write<'_>,
    actor: &Actor,
    user: UserId,
    link: &TokenHash,
    expires_at: Timestamp,
) -> Outcome<()> {
    let user = known_user(&write.tx, user)?;
    write.execute(
        "INSERT INTO password_reset (hash, user_id, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
        params![link, user.id, write.now, expires_at],
    )?;
    write.execute(
        "DELETE FROM password_reset WHERE hash IN
             (SELECT hash FROM password_reset WHERE user_id = ?1 AND hash <> ?2
              ORDER BY created_at DESC LIMIT -1 OFFSET ?3)",
        params![user.id, link, RESETS_MAX - 1],
    )?;
    let detail = json!({ "expires_at": expires_at.rfc3339() });
    write.audit(
        actor,
        Action::UserResetLink,
        About::nobody(user.address.as_str()),
        detail,
    )
}

fn reset(conn: &Connection, link: &TokenHash, now: Timestamp) -> Outcome<Option<PasswordReset>> {
    let mut found = conn.prepare_cached(
        "SELECT u.id, u.address, r.expires_at FROM password_reset r JOIN user u ON u.id = r.user_id
         WHERE r.hash = ?1 AND +r.expires_at > ?2",
    )?;
    let found = found.query_row(params![link, now], |row| {
        Ok(PasswordReset {
            user: row.get(0)?,
            address: row.get(1)?,
            expires_at: row.get(2)?,
        })
    });
    Ok(found.optional()?)
}

fn use_reset(write: &Write<'_>, actor: &Actor, link: &TokenHash, password: &UserPassword) -> Outcome<User> {
    let found = reset(&write.tx, link, write.now)?;
    let found = found.ok_or_else(|| {
        not_found("this link does not work (any more); ask for a new one at the sign-in page".to_owned())
    })?;
    let ended = put_password(write, found.user, password, Keep::None)?;
    // Whoever knew the old password may have made tokens, which would outlive it.
    let tokens = write.execute("DELETE FROM api_token WHERE user_id = ?1", [found.user])?;
    // And so would set-up links, each worth the password of a device.
    device_link::end_sent_by(write, actor, found.user, None)?;
    let user = known_user(&write.tx, found.user)?;
    let about = About::nobody(user.address.as_str());
    let detail = json!({ "sessions_ended": ended, "tokens_ended": tokens });
    write.audit(actor, Action::UserResetUse, about, detail)?;
    Ok(user)
}

/// Removes links past their end; says how many.
pub(super) fn tidy_resets(write: &Write<'_>, limit: u32) -> Outcome<usize> {
    write.execute(
        "DELETE FROM password_reset WHERE hash IN
             (SELECT hash FROM password_reset WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
        params![write.now, limit],
    )
}
