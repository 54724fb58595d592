//! Invitations: offers to become a member, each accepted at most once.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::fault::{Fault, Outcome, conflict, not_found, refused};
use super::mailbox::mailbox_in;
use super::org::known_org;
use super::page::{cut, read_limit};
use super::person::{create_user, known_user, user_by_address};
use super::query::Query;
use super::write::{About, Write};
use super::{grant, member};
use crate::audit::Action;
use crate::clock::Timestamp;
use crate::model::{Invitation, InvitationId, InvitationState, InvitedGrant, MailboxId, OrgId, Role, User, UserId};
use crate::store::people::{INVITATION_LINKS_MAX, INVITED_GRANTS_MAX, OPEN_INVITATIONS_MAX};
use crate::store::{Accepted, Accepting, Actor, GrantTerms, InvitationQuery, NewInvitation, NewUser, Page, TokenHash};

const COLUMNS: &str = "i.id, i.org_id, i.address, i.role, i.language, i.invited_by, i.created_at, i.sent_at, \
     i.opened_at, i.expires_at, i.accepted_at, i.withdrawn_at, i.declined_at";

/// That the invitation `i` can be accepted; ends before a moment.
const OPEN: &str = "i.accepted_at IS NULL AND i.withdrawn_at IS NULL AND i.expires_at > ";

/// Reads an invitation without its grants.
fn invitation_row(row: &Row<'_>, now: Timestamp) -> rusqlite::Result<Invitation> {
    let expires_at = row.get(9)?;
    Ok(Invitation {
        id: row.get(0)?,
        org: row.get(1)?,
        address: row.get(2)?,
        role: row.get(3)?,
        grants: Vec::new(),
        language: row.get(4)?,
        invited_by: row.get(5)?,
        created_at: row.get(6)?,
        sent_at: row.get(7)?,
        opened_at: row.get(8)?,
        expires_at,
        state: InvitationState::of(row.get(10)?, row.get(11)?, row.get(12)?, expires_at, now),
    })
}

fn with_grants(conn: &Connection, mut invitation: Invitation) -> Outcome<Invitation> {
    let mut grants = conn.prepare_cached(
        "SELECT g.mailbox_id, m.address, g.rights, g.ends_at
         FROM invitation_grant g JOIN mailbox m ON m.id = g.mailbox_id
         WHERE g.invitation_id = ?1 ORDER BY m.address",
    )?;
    let grants = grants.query_map([invitation.id], |row| {
        Ok(InvitedGrant {
            mailbox: row.get(0)?,
            address: row.get(1)?,
            rights: row.get(2)?,
            ends_at: row.get(3)?,
        })
    })?;
    invitation.grants = grants.collect::<Result<_, _>>()?;
    Ok(invitation)
}

pub(super) fn invitation(
    conn: &Connection,
    org: OrgId,
    id: InvitationId,
    now: Timestamp,
) -> Outcome<Option<Invitation>> {
    let sql = format!("SELECT {COLUMNS} FROM invitation i WHERE i.id = ?1 AND +i.org_id = ?2");
    let mut found = conn.prepare_cached(&sql)?;
    let found = found
        .query_row(params![id, org], |row| invitation_row(row, now))
        .optional()?;
    found.map(|found| with_grants(conn, found)).transpose()
}

/// The invitation, as a write finds it.
fn known_invitation(write: &Write<'_>, org: OrgId, id: InvitationId) -> Outcome<Invitation> {
    invitation(&write.tx, org, id, write.now)?.ok_or_else(|| not_found(format!("there is no invitation {id}")))
}

pub(super) fn by_link(conn: &Connection, link: &TokenHash, now: Timestamp) -> Outcome<Option<Invitation>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM invitation_link l JOIN invitation i ON i.id = l.invitation_id WHERE l.hash = ?1"
    );
    let mut found = conn.prepare_cached(&sql)?;
    let found = found.query_row([link], |row| invitation_row(row, now)).optional()?;
    found.map(|found| with_grants(conn, found)).transpose()
}

pub(super) fn invitations_query(org: OrgId, query: &InvitationQuery, now: Timestamp) -> Query {
    let mut sql = Query::new(&format!("SELECT {COLUMNS} FROM invitation i WHERE i.org_id = "));
    sql.value(org.raw());
    if let Some(before) = query.before {
        sql.and("i.id < ", before.raw());
    }
    if query.open {
        sql.and(OPEN, now.0);
    }
    sql.text(" ORDER BY i.id DESC LIMIT ").value(read_limit(query.limit));
    sql
}

pub(super) fn invitations(
    conn: &Connection,
    org: OrgId,
    query: &InvitationQuery,
    now: Timestamp,
) -> Outcome<Page<Invitation, InvitationId>> {
    let rows = invitations_query(org, query, now).rows(conn, |row| invitation_row(row, now))?;
    let page = cut(rows, query.limit, |row| row.id);
    let rows = page.rows.into_iter().map(|row| with_grants(conn, row));
    Ok(Page {
        rows: rows.collect::<Outcome<_>>()?,
        next: page.next,
    })
}

pub(super) fn create(write: &Write<'_>, actor: &Actor, org: OrgId, new: &NewInvitation) -> Outcome<Invitation> {
    let org = known_org(&write.tx, org)?;
    must_not_expire_at_once(write, new.expires_at)?;
    must_be_invitable(write, org.id, new, None)?;
    let id = InvitationId::from_raw(write.fresh_id());
    write.execute(
        "INSERT INTO invitation (id, org_id, address, role, language, invited_by, created_at, expires_at, inviter)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            id,
            org.id,
            new.address,
            new.role,
            new.language,
            crate::audit::clean(&new.invited_by),
            write.now,
            new.expires_at,
            actor.user
        ],
    )?;
    insert_grants(write, org.id, id, &new.grants)?;
    insert_link(write, id, &new.link)?;
    let invitation = known_invitation(write, org.id, id)?;
    audit(write, actor, Action::InvitationCreate, &invitation)?;
    Ok(invitation)
}

fn must_not_expire_at_once(write: &Write<'_>, expires_at: Timestamp) -> Outcome<()> {
    if expires_at <= write.now {
        return Err(refused(
            "the end of the invitation is in the past; choose a later one".to_owned(),
        ));
    }
    Ok(())
}

/// Whether somebody can be invited (again): no member, no other invitation that can be accepted, and not too many.
fn must_be_invitable(write: &Write<'_>, org: OrgId, new: &NewInvitation, except: Option<InvitationId>) -> Outcome<()> {
    let address = &new.address;
    if let Some(user) = user_by_address(&write.tx, address)?
        && member::member(&write.tx, org, user.id)?.is_some()
    {
        return Err(conflict(format!(
            "{address} is a member already; change what they may do on their page"
        )));
    }
    let open = format!("SELECT count(*) FROM invitation i WHERE i.org_id = ?1 AND i.id IS NOT ?2 AND {OPEN} ?3");
    let one = format!("{open} AND i.address = ?4");
    let one: u32 = write
        .tx
        .prepare_cached(&one)?
        .query_row(params![org, except, write.now, address], |row| row.get(0))?;
    if one > 0 {
        return Err(conflict(format!(
            "{address} has an invitation that can be accepted; send that one again, or withdraw it"
        )));
    }
    let all: u32 = write
        .tx
        .prepare_cached(&open)?
        .query_row(params![org, except, write.now], |row| row.get(0))?;
    if all >= OPEN_INVITATIONS_MAX {
        return Err(refused(format!(
            "{all} invitations wait for an answer, the most there may be; withdraw some first"
        )));
    }
    Ok(())
}

fn insert_grants(write: &Write<'_>, org: OrgId, id: InvitationId, grants: &[(MailboxId, GrantTerms)]) -> Outcome<()> {
    if grants.len() > INVITED_GRANTS_MAX {
        return Err(refused(format!(
            "an invitation gives access to at most {INVITED_GRANTS_MAX} mailboxes; give the others afterwards"
        )));
    }
    for (mailbox, terms) in grants {
        let mailbox = mailbox_in(&write.tx, org, *mailbox, write.now)?;
        grant::must_make_sense(write, terms)?;
        let added = write.execute(
            "INSERT INTO invitation_grant (invitation_id, mailbox_id, rights, ends_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
            params![id, mailbox.id, terms.rights, terms.ends_at],
        )?;
        if added == 0 {
            let address = &mailbox.address;
            return Err(refused(format!("{address} is named twice; name each mailbox once")));
        }
    }
    Ok(())
}

/// Adds a link; the oldest beyond the limit no longer works.
fn insert_link(write: &Write<'_>, id: InvitationId, link: &TokenHash) -> Outcome<()> {
    write.execute(
        "INSERT INTO invitation_link (hash, invitation_id, created_at) VALUES (?1, ?2, ?3)",
        params![link, id, write.now],
    )?;
    write.execute(
        "DELETE FROM invitation_link WHERE hash IN
             (SELECT hash FROM invitation_link WHERE invitation_id = ?1 AND hash <> ?2
              ORDER BY created_at DESC LIMIT -1 OFFSET ?3)",
        params![id, link, INVITATION_LINKS_MAX - 1],
    )?;
    Ok(())
}

fn audit(write: &Write<'_>, actor: &Actor, action: Action, invitation: &Invitation) -> Outcome<()> {
    let mailboxes: Vec<_> = invitation.grants.iter().map(|grant| grant.address.as_str()).collect();
    let detail = json!({
        "id": invitation.id, "role": invitation.role.name(), "mailboxes": mailboxes,
        "expires_at": invitation.expires_at.rfc3339(),
    });
    let about = About::org(invitation.org, invitation.address.as_str());
    write.audit(actor, action, about, detail)
}

/// Why an invitation cannot be used any more.
fn over(state: InvitationState) -> Fault {
    refused(match state {
        InvitationState::Accepted(at) => format!("the invitation was accepted on {}", at.day()),
        InvitationState::Declined(at) => format!("the invitation was declined on {}; ask for a new one", at.day()),
        InvitationState::Withdrawn(at) => format!("the invitation was withdrawn on {}; ask for a new one", at.day()),
        InvitationState::Expired | InvitationState::Sent => "the invitation ran out; ask for a new one".to_owned(),
    })
}

pub(super) fn renew(
    write: &Write<'_>,
    actor: &Actor,
    (org, id): (OrgId, InvitationId),
    link: &TokenHash,
    expires_at: Timestamp,
) -> Outcome<Invitation> {
    let old = known_invitation(write, org, id)?;
    match old.state {
        InvitationState::Sent | InvitationState::Expired => {}
        state @ (InvitationState::Accepted(_) | InvitationState::Declined(_) | InvitationState::Withdrawn(_)) => {
            return Err(over(state));
        }
    }
    must_not_expire_at_once(write, expires_at)?;
    let again = NewInvitation {
        address: old.address,
        role: old.role,
        grants: Vec::new(),
        language: old.language,
        invited_by: old.invited_by,
        link: *link,
        expires_at,
    };
    must_be_invitable(write, org, &again, Some(id))?;
    // Links that had run out, or that somebody else gave to somebody, do not come back to life.
    write.execute(
        "DELETE FROM invitation_link WHERE invitation_id = ?1 AND EXISTS
             (SELECT 1 FROM invitation i WHERE i.id = ?1 AND (i.expires_at <= ?2 OR i.inviter IS NOT ?3))",
        params![id, write.now, actor.user],
    )?;
    write.execute(
        "UPDATE invitation SET expires_at = ?2, inviter = ?3 WHERE id = ?1",
        params![id, expires_at, actor.user],
    )?;
    insert_link(write, id, link)?;
    let new = known_invitation(write, org, id)?;
    audit(write, actor, Action::InvitationRenew, &new)?;
    Ok(new)
}

pub(super) fn note_sent(write: &Write<'_>, id: InvitationId, at: Timestamp) -> Outcome<()> {
    write.execute("UPDATE invitation SET sent_at = ?2 WHERE id = ?1", params![id, at])?;
    Ok(())
}

pub(super) fn note_opened(write: &Write<'_>, link: &TokenHash) -> Outcome<()> {
    write.execute(
        "UPDATE invitation SET opened_at = ?2
         WHERE opened_at IS NULL AND id = (SELECT invitation_id FROM invitation_link WHERE hash = ?1)",
        params![link, write.now],
    )?;
    Ok(())
}

pub(super) fn withdraw(write: &Write<'_>, actor: &Actor, org: OrgId, id: InvitationId) -> Outcome<Invitation> {
    let old = known_invitation(write, org, id)?;
    match old.state {
        InvitationState::Declined(_) | InvitationState::Withdrawn(_) => return Ok(old),
        state @ InvitationState::Accepted(_) => return Err(over(state)),
        InvitationState::Sent | InvitationState::Expired => {}
    }
    withdraw_found(write, actor, &old)?;
    known_invitation(write, org, id)
}

/// Withdraws an invitation that is open, with its mail.
pub(super) fn withdraw_found(write: &Write<'_>, actor: &Actor, old: &Invitation) -> Outcome<()> {
    write.execute(
        "UPDATE invitation SET withdrawn_at = ?2 WHERE id = ?1",
        params![old.id, write.now],
    )?;
    write.withdraw_mails_of(old.id)?;
    audit(write, actor, Action::InvitationWithdraw, old)
}

/// The open invitations that a user wrote and with this role (none: no member any more) may not write.
pub(super) fn written_by(
    conn: &Connection,
    (org, user): (OrgId, UserId),
    role: Option<Role>,
    now: Timestamp,
) -> Outcome<Vec<Invitation>> {
    let mut sql = Query::new(&format!("SELECT {COLUMNS} FROM invitation i WHERE i.org_id = "));
    sql.value(org.raw());
    sql.and("i.inviter = ", user.raw()).and(OPEN, now.0);
    sql.text(" ORDER BY i.address");
    let mut found: Vec<Invitation> = sql.rows(conn, |row| invitation_row(row, now))?;
    found.retain(|invitation| !role.is_some_and(|role| role.may_invite(invitation.role)));
    Ok(found)
}

/// One that was declined is withdrawn as well: nothing else has to know the difference.
pub(super) fn decline(write: &Write<'_>, actor: &Actor, link: &TokenHash) -> Outcome<Invitation> {
    let found = by_link(&write.tx, link, write.now)?;
    let invitation = found.ok_or_else(|| not_found("this link leads to no invitation".to_owned()))?;
    if invitation.state != InvitationState::Sent {
        return Err(over(invitation.state));
    }
    write.execute(
        "UPDATE invitation SET withdrawn_at = ?2, declined_at = ?2 WHERE id = ?1",
        params![invitation.id, write.now],
    )?;
    write.withdraw_mails_of(invitation.id)?;
    audit(write, actor, Action::InvitationDecline, &invitation)?;
    known_invitation(write, invitation.org, invitation.id)
}

pub(super) fn accept(write: &Write<'_>, actor: &Actor, link: &TokenHash, who: &Accepting) -> Outcome<Accepted> {
    let found = by_link(&write.tx, link, write.now)?;
    let invitation = found.ok_or_else(|| not_found("this link leads to no invitation".to_owned()))?;
    // Whoever changes this row first has the invitation; everybody else changes nothing.
    let taken = write.execute(
        &format!("UPDATE invitation AS i SET accepted_at = ?2 WHERE i.id = ?1 AND {OPEN} ?2"),
        params![invitation.id, write.now],
    )?;
    if taken == 0 {
        return Err(over(invitation.state));
    }
    // By a link that was copied, while the mail still waits.
    write.withdraw_mails_of(invitation.id)?;
    let user = accepting(write, actor, &invitation, who)?;
    let actor = &actor.as_new_user(user.id, &user.address);
    audit_acceptance(write, actor, &invitation, &user)?;
    if member::member(&write.tx, invitation.org, user.id)?.is_none() {
        member::join(write, invitation.org, &user, invitation.role)?;
    }
    for invited in &invitation.grants {
        let terms = GrantTerms {
            rights: invited.rights,
            ends_at: invited.ends_at,
        };
        let over = terms.ends_at.is_some_and(|ends_at| ends_at <= write.now);
        let has = grant::grant(&write.tx, invitation.org, invited.mailbox, user.id)?.is_some();
        if !over && !has {
            let mailbox = mailbox_in(&write.tx, invitation.org, invited.mailbox, write.now)?;
            grant::insert(write, actor, &mailbox, &user, &terms)?;
        }
    }
    Ok(Accepted {
        invitation: known_invitation(write, invitation.org, invitation.id)?,
        user,
    })
}

/// The user who accepts: the one with the invited address, or a new one.
fn accepting(write: &Write<'_>, actor: &Actor, invitation: &Invitation, who: &Accepting) -> Outcome<User> {
    match who {
        Accepting::User(id) => {
            let user = known_user(&write.tx, *id)?;
            if user.address == invitation.address {
                return Ok(user);
            }
            Err(refused(format!(
                "this invitation is for {}, and you are signed in as {}; sign in with that address, or ask to be \
                 invited with yours",
                invitation.address, user.address
            )))
        }
        Accepting::New {
            name,
            language,
            password,
        } => create_user(
            write,
            actor,
            &NewUser {
                address: invitation.address.clone(),
                name: name.clone(),
                language: *language,
                password: Some(password.clone()),
            },
        ),
    }
}

fn audit_acceptance(write: &Write<'_>, actor: &Actor, invitation: &Invitation, user: &User) -> Outcome<()> {
    let detail = json!({
        "id": invitation.id, "user": user.id, "name": user.name, "role": invitation.role.name(),
        "invited_by": invitation.invited_by,
    });
    let about = About::org(invitation.org, user.address.as_str());
    write.audit(actor, Action::InvitationAccept, about, detail)
}
