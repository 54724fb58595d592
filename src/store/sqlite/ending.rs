//! What ends with a grant or a membership: worked out once, for the preview and for the deed.

use std::collections::HashSet;

use rusqlite::{Connection, params};
use serde_json::json;

use super::fault::Outcome;
use super::grant;
use super::page::{device_row, devices};
use super::session::live_sessions;
use super::write::{About, Write};
use super::{device, device_link, invitation, member};
use crate::audit::Action;
use crate::clock::Timestamp;
use crate::model::{DeviceState, Grant, MailboxId, OrgId, Role, User, UserId};
use crate::store::{Actor, DeviceRow, Ending};

/// What would end when a grant is withdrawn, or a member removed.
pub(super) fn preview(
    conn: &Connection,
    (org, user): (OrgId, UserId),
    mailbox: Option<MailboxId>,
    now: Timestamp,
) -> Outcome<Ending> {
    match mailbox {
        Some(mailbox) => of_grant(conn, org, &grant::known_grant(conn, org, mailbox, user)?, now),
        None => {
            member::known_member(conn, org, user)?;
            of_member(conn, org, user, now)
        }
    }
}

/// What ends when a member is removed.
pub(super) fn of_member(conn: &Connection, org: OrgId, user: UserId, now: Timestamp) -> Outcome<Ending> {
    let sessions = live_sessions(conn, user, now)?;
    let only_here = member::membership_count(conn, user)? <= 1;
    let tokens = "SELECT count(*) FROM api_token WHERE org_id = ?1 AND user_id = ?2";
    let tokens = conn
        .prepare_cached(tokens)?
        .query_row(params![org, user], |row| row.get(0))?;
    Ok(Ending {
        devices: devices_of(conn, org, user, None)?,
        // Their devices of this organisation end, and those of others were never allowed its addresses.
        narrowed: Vec::new(),
        grants: grant::grants_of(conn, Some(org), user, None, u32::MAX)?,
        invitations: invitation::written_by(conn, (org, user), None, now)?,
        tokens,
        sessions_ending: if only_here { sessions } else { 0 },
        sessions_staying: if only_here { 0 } else { sessions },
    })
}

/// What ends when a grant is withdrawn.
pub(super) fn of_grant(conn: &Connection, org: OrgId, grant: &Grant, now: Timestamp) -> Outcome<Ending> {
    let (user, mailbox) = (grant.user, grant.mailbox);
    Ok(Ending {
        devices: devices_of(conn, org, user, Some(mailbox))?,
        narrowed: narrowed(conn, org, user, mailbox)?,
        grants: vec![grant.clone()],
        sessions_staying: live_sessions(conn, user, now)?,
        ..Ending::default()
    })
}

/// What ends when a role is changed: devices on mailboxes that nothing but the old role reached, and invitations that the
/// new one may not write. A device that belongs to
/// somebody does so because they reach its mailbox (`grant::must_reach`), and this keeps it so. Senders come from grants
/// alone, and tokens and console sessions are judged by the role of the moment.
pub(super) fn of_role(
    conn: &Connection,
    (org, user): (OrgId, UserId),
    from: Role,
    to: Role,
    now: Timestamp,
) -> Outcome<Ending> {
    let mut devices = Vec::new();
    if from.manages_mailboxes() && !to.manages_mailboxes() {
        let still: HashSet<MailboxId> = grant::grants_of(conn, Some(org), user, None, u32::MAX)?
            .iter()
            .filter(|grant| !grant.rights_at(now).is_empty())
            .map(|grant| grant.mailbox)
            .collect();
        devices = devices_of(conn, org, user, None)?;
        devices.retain(|row| !still.contains(&row.device.mailbox));
    }
    Ok(Ending {
        devices,
        invitations: invitation::written_by(conn, (org, user), Some(to), now)?,
        sessions_staying: live_sessions(conn, user, now)?,
        ..Ending::default()
    })
}

/// The devices that belong to a user, on one mailbox or in the whole organisation.
fn devices_of(conn: &Connection, org: OrgId, user: UserId, mailbox: Option<MailboxId>) -> Outcome<Vec<DeviceRow>> {
    let mut query = devices();
    query.text(" WHERE d.revoked_at IS NULL");
    query.and("d.user_id = ", user.raw()).and("d.org_id = ", org.raw());
    if let Some(mailbox) = mailbox {
        query.and("d.mailbox_id = ", mailbox.raw());
    }
    query.text(" ORDER BY m.address, d.id");
    query.rows(conn, device_row)
}

/// The user's other devices of the organisation that send and may use the addresses of the mailbox only by the grant. A
/// grant whose date has come counts as well: sessions from before it are still there.
pub(super) fn narrowed(conn: &Connection, org: OrgId, user: UserId, mailbox: MailboxId) -> Outcome<Vec<DeviceRow>> {
    let mut query = devices();
    query.text(" WHERE d.revoked_at IS NULL AND instr(d.scopes, 'smtp') > 0 AND d.senders <> 'off'");
    query.and("d.user_id = ", user.raw()).and("d.org_id = ", org.raw());
    query.and("+d.mailbox_id <> ", mailbox.raw());
    query.text(" AND EXISTS (SELECT 1 FROM mailbox_grant g WHERE g.send_as = 1 AND g.user_id = d.user_id");
    query.and("g.mailbox_id = ", mailbox.raw());
    query.text(") ORDER BY m.address, d.id");
    query.rows(conn, device_row)
}

/// Revokes the devices, each with an audit row and a change, and withdraws the invitations.
pub(super) fn revoke(write: &Write<'_>, actor: &Actor, what: &Ending) -> Outcome<()> {
    let mut invitations = what.invitations.iter();
    invitations.try_for_each(|found| invitation::withdraw_found(write, actor, found))?;
    let revoked = DeviceState::Revoked(write.now);
    let mut devices = what.devices.iter();
    devices.try_for_each(|row| device::set_state_of(write, actor, &row.device, revoked))
}

/// Ends the sessions of devices that may use fewer senders.
pub(super) fn narrow(write: &Write<'_>, what: &Ending) -> Outcome<()> {
    let mut devices = what.narrowed.iter();
    devices.try_for_each(|row| device::narrow(write, &row.device).map(drop))
}

/// Removes a membership with its grants and tokens, revokes what belongs to it, and ends the console sessions of somebody
/// who belongs nowhere any more.
pub(super) fn remove_member(
    write: &Write<'_>,
    actor: &Actor,
    (org, user, role): (OrgId, &User, Role),
    what: &Ending,
) -> Outcome<()> {
    let mailboxes: Vec<_> = what.grants.iter().map(|grant| grant.address.as_str()).collect();
    let detail = json!({
        "id": user.id, "name": user.name, "role": role.name(), "devices": what.devices.len(), "mailboxes": mailboxes,
    });
    let about = About::org(org, user.address.as_str());
    write.audit(actor, Action::MemberRemove, about, detail)?;
    for grant in &what.grants {
        grant::audit_withdrawal(write, actor, (org, user), grant)?;
    }
    revoke(write, actor, what)?;
    device_link::end_sent_by(write, actor, user.id, Some(org))?;
    write.execute(
        "DELETE FROM membership WHERE org_id = ?1 AND user_id = ?2",
        params![org, user.id],
    )?;
    if member::membership_count(&write.tx, user.id)? == 0 {
        write.execute("DELETE FROM console_session WHERE user_id = ?1", [user.id])?;
    }
    Ok(())
}
