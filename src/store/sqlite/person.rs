//! Users, and the first owner.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Map, Value, json};

use super::ending;
use super::fault::{Outcome, conflict, not_found, refused};
use super::member::{insert_member, membership_count, must_keep_an_owner, orgs_of};
use super::write::{About, Write};
use super::{address, org, set_up};
use crate::audit::Action;
use crate::model::{Address, MailboxId, Org, OrgId, Role, User, UserId, name};
use crate::store::{Actor, Ended, Ending, FirstOrg, NewUser, TokenHash, UserEdit};

/// What [`user_at`] reads, of a table called `u`.
pub(super) const USER_COLUMNS: &str = "u.id, u.address, u.name, u.language, u.password_hash IS NOT NULL, \
     u.code_secret IS NOT NULL, u.created_at, u.seen_at";

/// How many they are.
pub(super) const USER_COLUMN_COUNT: usize = 8;

/// Reads a user from the columns from `at` on.
pub(super) fn user_at(row: &Row<'_>, at: usize) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get(at)?,
        address: row.get(at + 1)?,
        name: row.get(at + 2)?,
        language: row.get(at + 3)?,
        has_password: row.get(at + 4)?,
        has_code: row.get(at + 5)?,
        created_at: row.get(at + 6)?,
        seen_at: row.get(at + 7)?,
    })
}

pub(super) fn user(conn: &Connection, id: UserId) -> Outcome<Option<User>> {
    let mut found = conn.prepare_cached(&format!("SELECT {USER_COLUMNS} FROM user u WHERE u.id = ?1"))?;
    Ok(found.query_row([id], |row| user_at(row, 0)).optional()?)
}

/// The user with this id, as a write finds it.
pub(super) fn known_user(conn: &Connection, id: UserId) -> Outcome<User> {
    user(conn, id)?.ok_or_else(|| not_found(format!("there is no user {id}")))
}

pub(super) fn user_by_address(conn: &Connection, address: &Address) -> Outcome<Option<User>> {
    let mut found = conn.prepare_cached(&format!("SELECT {USER_COLUMNS} FROM user u WHERE u.address = ?1"))?;
    Ok(found.query_row([address], |row| user_at(row, 0)).optional()?)
}

/// Who signs in with an address of the mailbox `?1`.
pub(super) const SIGN_INS: &str = "FROM address a JOIN user u ON u.address = a.address WHERE a.mailbox_id = ?1";

pub(super) fn sign_ins_of(conn: &Connection, mailbox: MailboxId) -> Outcome<Vec<User>> {
    let mut users = conn.prepare_cached(&format!("SELECT {USER_COLUMNS} {SIGN_INS}"))?;
    let users = users.query_map([mailbox], |row| user_at(row, 0))?;
    Ok(users.collect::<Result<_, _>>()?)
}

pub(super) fn users(conn: &Connection, after: Option<&Address>, limit: u32) -> Outcome<Vec<User>> {
    let after = after.map_or("", Address::as_str);
    let sql = format!("SELECT {USER_COLUMNS} FROM user u WHERE u.address > ?1 ORDER BY u.address LIMIT ?2");
    let mut users = conn.prepare_cached(&sql)?;
    let users = users.query_map(params![after, limit], |row| user_at(row, 0))?;
    Ok(users.collect::<Result<_, _>>()?)
}

/// Adds a user and says so in the audit log.
pub(super) fn create_user(write: &Write<'_>, actor: &Actor, new: &NewUser) -> Outcome<User> {
    let name = name::person_name(&new.name).map_err(|bad| refused(bad.to_string()))?;
    must_be_free(write, &new.address)?;
    let id = UserId::from_raw(write.fresh_id());
    let password = new.password.as_ref();
    write.execute(
        "INSERT INTO user (id, address, name, name_key, language, password_hash, password_key_id, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            id,
            new.address,
            name,
            name::name_key(&name),
            new.language,
            password.map(|password| &password.hash),
            password.map(|password| password.key_id),
            write.now
        ],
    )?;
    let detail = json!({ "id": id, "name": name });
    let about = About::nobody(new.address.as_str());
    write.audit(&actor.as_new_user(id, &new.address), Action::UserCreate, about, detail)?;
    known_user(&write.tx, id)
}

pub(super) fn must_be_free(write: &Write<'_>, address: &Address) -> Outcome<()> {
    match user_by_address(&write.tx, address)? {
        None => Ok(()),
        Some(_) => Err(conflict(format!(
            "{address} is the sign-in address of a user already; choose another one"
        ))),
    }
}

pub(super) fn has_owner(conn: &Connection) -> Outcome<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM membership WHERE role = 'owner')";
    Ok(conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

pub(super) fn create_first_owner(
    write: &Write<'_>,
    actor: &Actor,
    link: Option<&TokenHash>,
    first: &FirstOrg,
    new: &NewUser,
) -> Outcome<(User, Org)> {
    if let Some(link) = link {
        set_up::use_link(write, link)?;
    }
    let user = create_user(write, actor, new)?;
    let actor = &actor.as_new_user(user.id, &user.address);
    let org = match first {
        FirstOrg::New(name) => org::create_org(write, actor, name)?,
        FirstOrg::Existing(id) => without_owner(write, *id)?,
    };
    insert_member(write, actor, org.id, &user, Role::Owner)?;
    Ok((user, org))
}

fn without_owner(write: &Write<'_>, id: OrgId) -> Outcome<Org> {
    let org = org::known_org(&write.tx, id)?;
    let owners = "SELECT count(*) FROM membership WHERE org_id = ?1 AND role = 'owner'";
    let owners: u32 = write.tx.query_row(owners, [id], |row| row.get(0))?;
    if owners > 0 {
        let name = &org.name;
        return Err(refused(format!(
            "the organisation {name:?} has an owner already, who can invite others"
        )));
    }
    Ok(org)
}

pub(super) fn edit_user(write: &Write<'_>, actor: &Actor, id: UserId, edit: &UserEdit) -> Outcome<User> {
    let old = known_user(&write.tx, id)?;
    let mut new = old.clone();
    if let Some(name) = &edit.name {
        new.name = name::person_name(name).map_err(|bad| refused(bad.to_string()))?;
    }
    if let Some(address) = edit.address.as_ref().filter(|address| **address != old.address) {
        must_be_free(write, address)?;
        new.address = address.clone();
        // They went to the old address.
        write.execute("DELETE FROM password_reset WHERE user_id = ?1", [id])?;
        address::forget(write, id)?;
    }
    new.language = edit.language.unwrap_or(new.language);
    if new == old {
        return Ok(old);
    }
    let key = name::name_key(&new.name);
    write.execute(
        "UPDATE user SET address = ?2, name = ?3, name_key = ?4, language = ?5 WHERE id = ?1",
        params![id, new.address, new.name, key, new.language],
    )?;
    write.execute(
        "UPDATE membership SET name_key = ?2 WHERE user_id = ?1",
        params![id, key],
    )?;
    let detail = json!({ "id": id, "changed": differences(&old, &new) });
    write.audit(actor, Action::UserEdit, About::nobody(old.address.as_str()), detail)?;
    Ok(new)
}

/// Each changed field with its old and its new value.
fn differences(old: &User, new: &User) -> Value {
    let fields = |user: &User| {
        [
            ("address", user.address.to_string()),
            ("name", user.name.clone()),
            ("language", user.language.to_string()),
        ]
    };
    let pairs = fields(old).into_iter().zip(fields(new));
    let changed = pairs.filter(|((_, old), (_, new))| old != new);
    Value::Object(
        changed
            .map(|((field, old), (_, new))| (field.to_owned(), json!([old, new])))
            .collect::<Map<_, _>>(),
    )
}

pub(super) fn delete_user(write: &Write<'_>, actor: &Actor, id: UserId) -> Outcome<Ended> {
    let user = known_user(&write.tx, id)?;
    let mut all = Ending::default();
    for membership in orgs_of(&write.tx, id)? {
        must_keep_an_owner(write, &membership.org, &user, membership.role)?;
        let what = ending::of_member(&write.tx, membership.org.id, id, write.now)?;
        ending::remove_member(write, actor, (membership.org.id, &user, membership.role), &what)?;
        all.devices.extend(what.devices);
        all.grants.extend(what.grants);
        all.tokens = all.tokens.saturating_add(what.tokens);
        all.sessions_ending = what.sessions_ending;
    }
    debug_assert_eq!(membership_count(&write.tx, id)?, 0);
    write.execute("DELETE FROM user WHERE id = ?1", [id])?;
    let about = About::nobody(user.address.as_str());
    write.audit(actor, Action::UserDelete, about, json!({ "id": id, "name": user.name }))?;
    Ok(Ended {
        seq: write.latest_change()?,
        what: all,
    })
}
