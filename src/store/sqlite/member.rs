//! Who belongs to which organisation, as what.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::ending;
use super::fault::{Fault, Outcome, conflict, not_found, refused};
use super::org::{known_org, org_row};
use super::page::{cut, read_limit};
use super::person::{USER_COLUMN_COUNT, USER_COLUMNS, known_user, user_at};
use super::query::Query;
use super::write::{About, Write};
use crate::audit::Action;
use crate::clock::Timestamp;
use crate::model::{MailboxId, Member, Membership, Org, OrgId, Rights, Role, User, UserId, name};
use crate::store::{Actor, Cursor, Ended, Ending, MemberQuery, MemberRow, Page, RoleChange, Standing, UserOrg};

/// What [`member_row`] reads, of a membership called `s` and its user `u`.
const MEMBERS: &str = "s.role, s.since,
        (SELECT count(*) FROM mailbox_grant g WHERE g.user_id = s.user_id AND g.org_id = s.org_id),
        (SELECT count(*) FROM device d WHERE d.user_id = s.user_id AND d.org_id = s.org_id AND d.revoked_at IS NULL),
        s.name_key
    FROM membership s JOIN user u ON u.id = s.user_id";

fn member_row(row: &Row<'_>) -> rusqlite::Result<MemberRow> {
    let member = Member {
        user: user_at(row, 0)?,
        role: row.get(USER_COLUMN_COUNT)?,
        since: row.get(USER_COLUMN_COUNT + 1)?,
    };
    Ok(MemberRow {
        member,
        mailboxes: row.get(USER_COLUMN_COUNT + 2)?,
        devices: row.get(USER_COLUMN_COUNT + 3)?,
    })
}

pub(super) fn member(conn: &Connection, org: OrgId, user: UserId) -> Outcome<Option<MemberRow>> {
    let sql = format!("SELECT {USER_COLUMNS}, {MEMBERS} WHERE s.org_id = ?1 AND s.user_id = ?2");
    let mut found = conn.prepare_cached(&sql)?;
    Ok(found.query_row(params![org, user], member_row).optional()?)
}

/// The member, as a write finds them.
pub(super) fn known_member(conn: &Connection, org: OrgId, user: UserId) -> Outcome<Member> {
    let found = member(conn, org, user)?;
    found.map(|row| row.member).ok_or_else(|| no_member(user))
}

fn no_member(user: UserId) -> Fault {
    not_found(format!("there is no member {user} in this organisation"))
}

pub(super) fn members_query(org: OrgId, query: &MemberQuery) -> Query {
    let mut sql = Query::new(&format!("SELECT {USER_COLUMNS}, {MEMBERS} WHERE s.org_id = "));
    sql.value(org.raw());
    if let Some(after) = &query.after {
        sql.text(" AND (s.name_key, s.user_id) > (").value(after.key.clone());
        sql.text(", ").value(after.id.raw()).text(")");
    }
    if let Some(role) = query.role {
        sql.and("+s.role = ", role.name().to_owned());
    }
    if let Some(text) = &query.text {
        sql.contains(&["s.name_key", "u.address"], &name::name_key(text));
    }
    sql.text(" ORDER BY s.name_key, s.user_id LIMIT ");
    sql.value(read_limit(query.limit));
    sql
}

pub(super) fn members(conn: &Connection, org: OrgId, query: &MemberQuery) -> Outcome<Page<MemberRow, Cursor<UserId>>> {
    let rows = members_query(org, query).rows(conn, member_row)?;
    Ok(cut(rows, query.limit, |row| Cursor {
        key: name::name_key(&row.member.user.name),
        id: row.member.user.id,
    }))
}

pub(super) fn orgs_of(conn: &Connection, user: UserId) -> Outcome<Vec<UserOrg>> {
    let mut orgs = conn.prepare_cached(
        "SELECT o.id, o.name, o.created_at, s.role, s.since FROM membership s JOIN org o ON o.id = s.org_id
         WHERE s.user_id = ?1 ORDER BY o.name_key",
    )?;
    let orgs = orgs.query_map([user], |row| {
        Ok(UserOrg {
            org: org_row(row)?,
            role: row.get(3)?,
            since: row.get(4)?,
        })
    })?;
    Ok(orgs.collect::<Result<_, _>>()?)
}

pub(super) fn membership_count(conn: &Connection, user: UserId) -> Outcome<u32> {
    let mut count = conn.prepare_cached("SELECT count(*) FROM membership WHERE user_id = ?1")?;
    Ok(count.query_row([user], |row| row.get(0))?)
}

/// The role of a user, and their rights on ?3 at the moment ?4.
pub(super) const STANDING: &str = "SELECT s.role, s.since, g.rights
    FROM membership s LEFT JOIN mailbox_grant g ON g.mailbox_id = ?3 AND g.user_id = s.user_id
        AND g.org_id = s.org_id AND (g.ends_at IS NULL OR g.ends_at > ?4)
    WHERE s.org_id = ?1 AND s.user_id = ?2";

pub(super) fn standing(
    conn: &Connection,
    (org, user): (OrgId, UserId),
    mailbox: Option<MailboxId>,
    now: Timestamp,
) -> Outcome<Option<Standing>> {
    let mut found = conn.prepare_cached(STANDING)?;
    let found = found.query_row(params![org, user, mailbox, now], |row| {
        Ok(Standing {
            membership: Membership {
                org,
                user,
                role: row.get(0)?,
                since: row.get(1)?,
            },
            rights: row.get::<_, Option<Rights>>(2)?.unwrap_or_default(),
        })
    });
    Ok(found.optional()?)
}

pub(super) fn add_member(write: &Write<'_>, actor: &Actor, org: OrgId, user: UserId, role: Role) -> Outcome<Member> {
    let org = known_org(&write.tx, org)?;
    let user = known_user(&write.tx, user)?;
    if member(&write.tx, org.id, user.id)?.is_some() {
        let address = &user.address;
        return Err(conflict(format!("{address} is a member of {:?} already", org.name)));
    }
    insert_member(write, actor, org.id, &user, role)
}

/// Makes a membership and says so in the audit log; the caller has seen that there is none.
pub(super) fn insert_member(write: &Write<'_>, actor: &Actor, org: OrgId, user: &User, role: Role) -> Outcome<Member> {
    join(write, org, user, role)?;
    let detail = json!({ "id": user.id, "name": user.name, "role": role.name() });
    let about = About::org(org, user.address.as_str());
    write.audit(actor, Action::MemberAdd, about, detail)?;
    known_member(&write.tx, org, user.id)
}

/// Makes a membership; the caller writes the audit row.
pub(super) fn join(write: &Write<'_>, org: OrgId, user: &User, role: Role) -> Outcome<()> {
    write.execute(
        "INSERT INTO membership (org_id, user_id, name_key, role, since) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![org, user.id, name::name_key(&user.name), role, write.now],
    )?;
    Ok(())
}

pub(super) fn set_role(
    write: &Write<'_>,
    actor: &Actor,
    (org, user): (OrgId, UserId),
    from: Role,
    to: Role,
) -> Outcome<RoleChange> {
    let org = known_org(&write.tx, org).map_err(|_| no_member(user))?;
    let old = known_member(&write.tx, org.id, user)?;
    must_have_role(write, &org, &old, from)?;
    if from == to {
        return Ok(RoleChange {
            member: old,
            ended: Ended {
                seq: write.latest_change()?,
                what: Ending::default(),
            },
        });
    }
    must_keep_an_owner(write, &org, &old.user, from)?;
    let what = ending::of_role(&write.tx, (org.id, user), from, to, write.now)?;
    write.execute(
        "UPDATE membership SET role = ?3 WHERE org_id = ?1 AND user_id = ?2",
        params![org.id, user, to],
    )?;
    let detail = json!({
        "id": user, "name": old.user.name, "changed": { "role": [from.name(), to.name()] }, "devices": what.devices.len(),
    });
    let about = About::org(org.id, old.user.address.as_str());
    write.audit(actor, Action::MemberRole, about, detail)?;
    ending::revoke(write, actor, &what)?;
    Ok(RoleChange {
        member: known_member(&write.tx, org.id, user)?,
        ended: Ended {
            seq: write.latest_change()?,
            what,
        },
    })
}

/// Refuses to change somebody who is no longer what the request took them for.
fn must_have_role(write: &Write<'_>, org: &Org, member: &Member, role: Role) -> Outcome<()> {
    if member.role == role {
        return Ok(());
    }
    let about = About::org(org.id, member.user.address.as_str());
    let changes = [Action::MemberAdd, Action::MemberRole, Action::InvitationAccept];
    Err(write.stale(about, &changes)?)
}

/// Refuses to take an owner away who is the last one.
pub(super) fn must_keep_an_owner(write: &Write<'_>, org: &Org, user: &User, role: Role) -> Outcome<()> {
    if role != Role::Owner {
        return Ok(());
    }
    let others = "SELECT count(*) FROM membership WHERE org_id = ?1 AND role = 'owner' AND user_id <> ?2";
    let others: u32 = write
        .tx
        .prepare_cached(others)?
        .query_row(params![org.id, user.id], |row| row.get(0))?;
    if others > 0 {
        return Ok(());
    }
    Err(refused(format!(
        "{} is the last owner of {:?}; make somebody else an owner first",
        user.address, org.name
    )))
}

pub(super) fn remove_member(
    write: &Write<'_>,
    actor: &Actor,
    (org, user): (OrgId, UserId),
    role: Role,
) -> Outcome<Ended> {
    let org = known_org(&write.tx, org).map_err(|_| no_member(user))?;
    let member = known_member(&write.tx, org.id, user)?;
    must_have_role(write, &org, &member, role)?;
    must_keep_an_owner(write, &org, &member.user, member.role)?;
    let what = ending::of_member(&write.tx, org.id, user, write.now)?;
    ending::remove_member(write, actor, (org.id, &member.user, member.role), &what)?;
    ending::narrow(write, &what)?;
    Ok(Ended {
        seq: write.latest_change()?,
        what,
    })
}
