//! Set-up links: each opened by one browser, and by that one again until its device has signed in.

use std::collections::HashMap;
use std::net::IpAddr;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use serde_json::json;

use super::SqliteStore;
use super::device::{
    DEVICE_COLUMN_COUNT, DEVICE_COLUMNS, create_device, device_at, give_credential, known_device, set_state_of,
};
use super::fault::{Fault, Outcome, not_found, refused};
use super::mailbox::mailbox;
use super::token::{token_in, token_in_force};
use super::value::ip_from;
use super::write::{About, Write};
use crate::audit::{Action, device_detail};
use crate::clock::Timestamp;
use crate::model::device_link::LinkMoments;
use crate::model::{Device, DeviceId, DeviceLink, DeviceLinkId, DeviceLinkState, DeviceState, OrgId, TokenId, UserId};
use crate::store::device_link::{LINK_STARTS_MAX, OPEN_LINKS_MAX_OF_MAILBOX, OPEN_LINKS_MAX_OF_ORG, UNOPENED_KEPT};
use crate::store::{
    Actor, DeviceLinkStore, Error, FoundLink, LinkBy, LinkGives, LinkOpening, NewCredential, NewDevice, NewDeviceLink,
    Opener, Seq, TokenHash,
};

/// What [`link_row`] reads, of a link `l` and its device `d`. A sign-in counts with the password that the link gave; one with
/// an older password says nothing of it.
const COLUMNS: &str = "l.id, l.device_id, l.mailbox_id, l.org_id, l.sender, l.sent_by, l.recipient, l.language, \
     l.created_at, l.expires_at, l.opened_at, l.opened_from, l.fetched_at, l.withdrawn_at, d.revoked_at, \
     CASE WHEN EXISTS (SELECT 1 FROM credential c WHERE c.device_id = d.id AND c.retired_at IS NULL \
         AND c.created_at BETWEEN l.opened_at AND d.last_at) THEN d.last_at END";
/// How many they are.
const COLUMN_COUNT: usize = 16;

/// A link that waits to be opened; its end is compared with what follows.
const WAITS: &str = "withdrawn_at IS NULL AND opened_at IS NULL AND expires_at > ";

/// The links of a mailbox that nobody has opened; `?3` is the mailbox.
pub(super) const WAITING_OF: &str =
    "FROM device_link WHERE mailbox_id = ?3 AND withdrawn_at IS NULL AND opened_at IS NULL";

/// The devices with a link that was made with a token and was not withdrawn.
pub(super) const MADE_WITH: &str =
    "SELECT device_id FROM device_link WHERE token_id = ?1 AND withdrawn_at IS NULL AND expires_at > ?2";

/// The same of links that somebody sent, and of one organisation.
pub(super) const SENT_BY: &str =
    "SELECT device_id FROM device_link WHERE sender = ?1 AND withdrawn_at IS NULL AND expires_at > ?2";
pub(super) const SENT_BY_MEMBER: &str =
    "SELECT device_id FROM device_link WHERE sender = ?1 AND withdrawn_at IS NULL AND expires_at > ?2 AND +org_id = ?3";

#[async_trait]
impl DeviceLinkStore for SqliteStore {
    async fn create_linked_device(
        &self,
        actor: &Actor,
        device: &NewDevice,
        link: &NewDeviceLink,
    ) -> Result<(Device, DeviceLink), Error> {
        let (actor, device, link) = (actor.clone(), device.clone(), link.clone());
        self.write(move |write| {
            let device = create_device(write, &actor, &device)?;
            let link = make(write, &actor, &device, &link)?;
            Ok((device, link))
        })
        .await
    }

    async fn send_device_link(
        &self,
        actor: &Actor,
        org: OrgId,
        device: DeviceId,
        link: &NewDeviceLink,
    ) -> Result<DeviceLink, Error> {
        let (actor, link) = (actor.clone(), link.clone());
        self.write(move |write| {
            let device = device_in(write, org, device)?;
            end_of(write, device.id)?;
            make(write, &actor, &device, &link)
        })
        .await
    }

    async fn device_links(&self, org: OrgId, devices: &[DeviceId]) -> Result<HashMap<DeviceId, DeviceLink>, Error> {
        let (devices, now) = (devices.to_vec(), self.clock.utc());
        self.read(move |conn| {
            let mut found = HashMap::new();
            for device in devices {
                found.extend(newest(conn, org, device, now)?.map(|link| (device, link)));
            }
            Ok(found)
        })
        .await
    }

    async fn withdraw_device_link(
        &self,
        actor: &Actor,
        org: OrgId,
        device: DeviceId,
    ) -> Result<Option<DeviceLink>, Error> {
        let actor = actor.clone();
        self.write(move |write| {
            let device = device_in(write, org, device)?;
            if end_of(write, device.id)? {
                let link = newest(&write.tx, org, device.id, write.now)?;
                let link = link.ok_or_else(nowhere)?;
                audit(write, &actor, Action::DeviceLinkWithdraw, &device, &link)?;
                return Ok(Some(link));
            }
            newest(&write.tx, org, device.id, write.now)
        })
        .await
    }

    async fn device_link_by(&self, link: &TokenHash) -> Result<Option<FoundLink>, Error> {
        let (link, now) = (*link, self.clock.utc());
        self.read(move |conn| by_hash(conn, &link, now)).await
    }

    async fn open_device_link(&self, actor: &Actor, opening: &LinkOpening) -> Result<(DeviceLink, Seq), Error> {
        let (actor, opening) = (actor.clone(), opening.clone());
        self.write(move |write| open(write, &actor, &opening)).await
    }

    async fn fetch_device_file(
        &self,
        actor: &Actor,
        link: &TokenHash,
        file: &TokenHash,
        credential: &NewCredential,
    ) -> Result<(DeviceLink, Seq), Error> {
        let (actor, link, file, credential) = (actor.clone(), *link, *file, credential.clone());
        self.write(move |write| fetch(write, &actor, (&link, &file), &credential))
            .await
    }
}

fn link_row(row: &Row<'_>, now: Timestamp) -> rusqlite::Result<DeviceLink> {
    let expires_at = row.get(9)?;
    let from: Option<String> = row.get(11)?;
    let moments = LinkMoments {
        opened: row.get(10)?,
        fetched: row.get(12)?,
        withdrawn: row.get(13)?,
        revoked: row.get(14)?,
        used: row.get(15)?,
    };
    Ok(DeviceLink {
        id: row.get(0)?,
        device: row.get(1)?,
        mailbox: row.get(2)?,
        org: row.get(3)?,
        sender: row.get(4)?,
        sent_by: row.get(5)?,
        recipient: row.get(6)?,
        language: row.get(7)?,
        created_at: row.get(8)?,
        expires_at,
        opened_at: moments.opened,
        opened_from: from.map(|from| ip_from(&from)).transpose()?,
        fetched_at: moments.fetched,
        state: DeviceLinkState::of(moments, expires_at, now),
    })
}

/// The newest link of a device.
pub(super) fn newest_of() -> String {
    format!(
        "SELECT {COLUMNS} FROM device_link l JOIN device d ON d.id = l.device_id
         WHERE l.device_id = ?1 AND +l.org_id = ?2 ORDER BY l.id DESC LIMIT 1"
    )
}

/// The link that somebody follows, and what it is about.
pub(super) fn followed() -> String {
    format!(
        "SELECT {COLUMNS}, {DEVICE_COLUMNS}, m.address, o.name, m.suspended_at IS NOT NULL, l.browser, l.starts, l.file,
             l.file_until, u.name, l.by_token, l.token_id,
             (SELECT max(c.created_at) FROM credential c
              WHERE c.device_id = d.id AND c.retired_at IS NULL AND c.created_at >= l.opened_at)
         FROM device_link l JOIN device d ON d.id = l.device_id JOIN mailbox m ON m.id = d.mailbox_id
             JOIN org o ON o.id = l.org_id LEFT JOIN user u ON u.id = d.user_id
         WHERE l.hash = ?1"
    )
}

/// How many links wait to be opened, of what this column says.
pub(super) fn waiting_by(column: &str) -> String {
    format!("SELECT count(*) FROM device_link WHERE {column} = ?1 AND {WAITS} ?2")
}

fn newest(conn: &Connection, org: OrgId, device: DeviceId, now: Timestamp) -> Outcome<Option<DeviceLink>> {
    let mut found = conn.prepare_cached(&newest_of())?;
    Ok(found
        .query_row(params![device, org], |row| link_row(row, now))
        .optional()?)
}

fn by_hash(conn: &Connection, hash: &TokenHash, now: Timestamp) -> Outcome<Option<FoundLink>> {
    let mut found = conn.prepare_cached(&followed())?;
    let found = found.query_row([hash], |row| {
        let after = COLUMN_COUNT + DEVICE_COLUMN_COUNT;
        let (by_token, token): (bool, Option<TokenId>) = (row.get(after + 8)?, row.get(after + 9)?);
        let found = FoundLink {
            link: link_row(row, now)?,
            by: if by_token { LinkBy::EndedToken } else { LinkBy::Person },
            device: device_at(row, COLUMN_COUNT)?,
            address: row.get(after)?,
            org: row.get(after + 1)?,
            suspended: row.get(after + 2)?,
            browser: row.get(after + 3)?,
            starts: row.get(after + 4)?,
            file: row.get(after + 5)?,
            file_until: row.get(after + 6)?,
            owner: row.get(after + 7)?,
            given_at: row.get(after + 10)?,
        };
        Ok((found, token))
    });
    let Some((mut found, token)) = found.optional()? else {
        return Ok(None);
    };
    if let Some(token) = token
        && let Some(token) = token_in_force(conn, token, now)?
    {
        found.by = LinkBy::Token(token);
    }
    Ok(Some(found))
}

fn device_in(write: &Write<'_>, org: OrgId, id: DeviceId) -> Outcome<Device> {
    let device = known_device(write, id)?;
    if mailbox(write, device.mailbox)?.org == org {
        Ok(device)
    } else {
        Err(not_found(format!("there is no device {id}")))
    }
}

fn nowhere() -> Fault {
    not_found("this link leads to no device".to_owned())
}

/// Makes a link of a device that has none that is not withdrawn.
fn make(write: &Write<'_>, actor: &Actor, device: &Device, new: &NewDeviceLink) -> Outcome<DeviceLink> {
    if let DeviceState::Revoked(_) = device.state {
        return Err(refused(format!(
            "the device {:?} was revoked, which is for good; add a new device",
            device.label
        )));
    }
    let mailbox = mailbox(write, device.mailbox)?;
    if new.expires_at <= write.now {
        return Err(refused(
            "the end of the link is in the past; choose a later one".to_owned(),
        ));
    }
    let waiting = |by: &str, id: i64| -> Outcome<u32> {
        let mut count = write.tx.prepare_cached(&waiting_by(by))?;
        Ok(count.query_row(params![id, write.now], |row| row.get(0))?)
    };
    let limits = [
        ("mailbox_id", mailbox.id.raw(), OPEN_LINKS_MAX_OF_MAILBOX),
        ("org_id", mailbox.org.raw(), OPEN_LINKS_MAX_OF_ORG),
    ];
    for (by, id, most) in limits {
        let count = waiting(by, id)?;
        if count >= most {
            return Err(refused(format!(
                "{count} set-up links wait to be opened, the most there may be; withdraw some first"
            )));
        }
    }
    if let Some(token) = new.token {
        token_in(&write.tx, mailbox.org, token)?;
    }
    let id = write.fresh_id();
    write.execute(
        "INSERT INTO device_link (id, hash, device_id, mailbox_id, org_id, sender, sent_by, recipient, language,
             created_at, expires_at, by_token, token_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            id,
            new.hash,
            device.id,
            mailbox.id,
            mailbox.org,
            actor.user,
            crate::audit::clean(&new.sent_by),
            new.recipient,
            new.language,
            write.now,
            new.expires_at,
            new.token.is_some(),
            new.token
        ],
    )?;
    let link = newest(&write.tx, mailbox.org, device.id, write.now)?.ok_or_else(nowhere)?;
    audit(write, actor, Action::DeviceLinkSend, device, &link)?;
    Ok(link)
}

fn audit(write: &Write<'_>, actor: &Actor, action: Action, device: &Device, link: &DeviceLink) -> Outcome<()> {
    let mailbox = mailbox(write, device.mailbox)?;
    let mut detail = device_detail(&mailbox.address, device);
    detail["link"] = json!(link.id);
    if action == Action::DeviceLinkSend {
        detail["recipient"] = json!(link.recipient.as_ref().map(ToString::to_string));
        detail["expires_at"] = json!(link.expires_at.rfc3339());
    }
    let subject = device.id.to_string();
    write.audit(actor, action, About::mailbox(&mailbox, &subject), detail)
}

/// Ends the link of a device.
pub(super) const END: &str = "UPDATE device_link SET withdrawn_at = ?2, file = NULL, file_until = NULL
     WHERE device_id = ?1 AND withdrawn_at IS NULL RETURNING id";

/// Ends the link of a device with whatever it has still to give, and with the mail that brings it, if that waits. False where
/// there was none.
pub(super) fn end_of(write: &Write<'_>, device: DeviceId) -> Outcome<bool> {
    let mut ended = write.tx.prepare_cached(END)?;
    let ended: Option<DeviceLinkId> = ended
        .query_row(params![device, write.now], |row| row.get(0))
        .optional()?;
    if let Some(link) = ended {
        write.withdraw_mails_with(link)?;
    }
    Ok(ended.is_some())
}

/// Refuses a mail with a link that was withdrawn before the mail was put.
pub(super) fn must_be_live(write: &Write<'_>, link: DeviceLinkId) -> Outcome<()> {
    let live = "SELECT EXISTS (SELECT 1 FROM device_link WHERE id = ?1 AND withdrawn_at IS NULL)";
    let live: bool = write.tx.prepare_cached(live)?.query_row([link], |row| row.get(0))?;
    if live {
        Ok(())
    } else {
        Err(refused(
            "the set-up link was withdrawn meanwhile; make a new one".to_owned(),
        ))
    }
}

/// Ends the links that were made with a token: whoever opened one may not start again.
pub(super) fn end_made_with(write: &Write<'_>, actor: &Actor, token: TokenId) -> Outcome<()> {
    end_all(write, actor, MADE_WITH, params![token, write.now])
}

/// Ends the links that somebody sent, also with tokens, in one organisation or in all.
pub(super) fn end_sent_by(write: &Write<'_>, actor: &Actor, sender: UserId, org: Option<OrgId>) -> Outcome<()> {
    match org {
        Some(org) => end_all(write, actor, SENT_BY_MEMBER, params![sender, write.now, org]),
        None => end_all(write, actor, SENT_BY, params![sender, write.now]),
    }
}

/// Ends the links of these devices that may still give something, each with an audit row.
fn end_all(write: &Write<'_>, actor: &Actor, devices: &str, of: impl Params) -> Outcome<()> {
    let mut devices = write.tx.prepare_cached(devices)?;
    let devices: Vec<DeviceId> = devices.query_map(of, |row| row.get(0))?.collect::<Result<_, _>>()?;
    for id in devices {
        let device = known_device(write, id)?;
        let org = mailbox(write, device.mailbox)?.org;
        // One by which the device has signed in tells of that.
        if newest(&write.tx, org, id, write.now)?.is_some_and(|link| link.state.is_open()) {
            end_of(write, id)?;
            let link = newest(&write.tx, org, id, write.now)?.ok_or_else(nowhere)?;
            audit(write, actor, Action::DeviceLinkWithdraw, &device, &link)?;
        }
    }
    Ok(())
}

/// Why a link gives nothing (any more).
fn over(found: &FoundLink) -> Fault {
    refused(match found.link.state {
        DeviceLinkState::Sent => "this device is switched off at the moment".to_owned(),
        DeviceLinkState::Opened(at) | DeviceLinkState::Fetched(at) => format!("the link was opened on {}", at.day()),
        DeviceLinkState::SignedIn(_) => "the device has signed in: its link is used up".to_owned(),
        DeviceLinkState::Expired(_) => "the link ran out; ask for a new one".to_owned(),
        DeviceLinkState::Withdrawn(_) => "the link was withdrawn; ask for a new one".to_owned(),
        DeviceLinkState::Ended(_) => "the device was disconnected; ask for a new one".to_owned(),
    })
}

/// Refuses to give anything for a device that could not sign in with it.
fn must_be_on(write: &Write<'_>, found: &FoundLink) -> Outcome<()> {
    let device = &found.device;
    let is_over = device.expires_at.is_some_and(|end| end <= write.now);
    if device.state == DeviceState::Active && !is_over && !found.suspended {
        Ok(())
    } else {
        Err(over(found))
    }
}

/// Refuses to give anything by a link whose token has ended since its owner was asked for the right to it.
fn must_be_allowed(found: &FoundLink) -> Outcome<()> {
    match found.by {
        LinkBy::EndedToken => Err(refused("the link was withdrawn; ask for a new one".to_owned())),
        LinkBy::Person | LinkBy::Token(_) => Ok(()),
    }
}

/// From where somebody opens a link, where that is an address.
fn from(actor: &Actor) -> Option<String> {
    actor.origin.parse::<IpAddr>().ok().map(|ip| ip.to_string())
}

fn open(write: &Write<'_>, actor: &Actor, opening: &LinkOpening) -> Outcome<(DeviceLink, Seq)> {
    let found = by_hash(&write.tx, &opening.link, write.now)?.ok_or_else(nowhere)?;
    must_be_on(write, &found)?;
    must_be_allowed(&found)?;
    // Whoever changes this row first has the link; everybody else changes nothing.
    let taken = match opening.by {
        Opener::First(browser) => write.execute(
            &format!(
                "UPDATE device_link SET opened_at = ?2, opened_from = ?3, browser = ?4, starts = 1
                 WHERE hash = ?1 AND {WAITS} ?2"
            ),
            params![opening.link, write.now, from(actor), browser],
        )?,
        Opener::Again(_) if matches!(found.link.state, DeviceLinkState::SignedIn(_)) => 0,
        Opener::Again(browser) => write.execute(
            "UPDATE device_link SET starts = starts + 1, file = NULL, file_until = NULL
             WHERE hash = ?1 AND browser = ?2 AND withdrawn_at IS NULL AND expires_at > ?3 AND starts < ?4",
            params![opening.link, browser, write.now, LINK_STARTS_MAX],
        )?,
    };
    if taken == 0 {
        return Err(over(&found));
    }
    // By a link that was seen otherwise, while the mail is still tried.
    write.withdraw_mails_with(found.link.id)?;
    let device = found.device;
    let mailbox = mailbox(write, device.mailbox)?;
    let seq = match &opening.gives {
        LinkGives::Password(credential) => give_credential(write, &mailbox, &device, credential)?,
        LinkGives::File { hash, until } => {
            write.execute(
                "UPDATE device_link SET file = ?2, file_until = ?3 WHERE hash = ?1",
                params![opening.link, hash, (*until).min(found.link.expires_at)],
            )?;
            write.latest_change()?
        }
    };
    let link = newest(&write.tx, mailbox.org, device.id, write.now)?.ok_or_else(nowhere)?;
    audit(write, actor, Action::DeviceLinkOpen, &device, &link)?;
    Ok((link, seq))
}

fn fetch(
    write: &Write<'_>,
    actor: &Actor,
    (link, file): (&TokenHash, &TokenHash),
    credential: &NewCredential,
) -> Outcome<(DeviceLink, Seq)> {
    let found = by_hash(&write.tx, link, write.now)?.ok_or_else(nowhere)?;
    must_be_on(write, &found)?;
    must_be_allowed(&found)?;
    if let DeviceLinkState::SignedIn(_) = found.link.state {
        return Err(over(&found));
    }
    let taken = write.execute(
        "UPDATE device_link SET file = NULL, file_until = NULL, fetched_at = ?3
         WHERE hash = ?1 AND file = ?2 AND file_until > ?3 AND withdrawn_at IS NULL",
        params![link, file, write.now],
    )?;
    if taken == 0 {
        return Err(over(&found));
    }
    let mailbox = mailbox(write, found.device.mailbox)?;
    let seq = give_credential(write, &mailbox, &found.device, credential)?;
    let link = newest(&write.tx, mailbox.org, found.device.id, write.now)?.ok_or_else(nowhere)?;
    audit(write, actor, Action::DeviceLinkFetch, &found.device, &link)?;
    Ok((link, seq))
}

/// Devices without a password whose last link ended before `?1`.
pub(super) const NEVER_OPENED: &str = "SELECT l.device_id FROM device_link l JOIN device d ON d.id = l.device_id
     WHERE l.expires_at < ?1 AND d.revoked_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM credential c WHERE c.device_id = l.device_id AND c.retired_at IS NULL)
         AND NOT EXISTS (SELECT 1 FROM device_link n WHERE n.device_id = l.device_id AND n.id > l.id)
     LIMIT ?2";

/// Forgets links that ended before `?1`.
pub(super) const FORGET: &str = "DELETE FROM device_link WHERE id IN
     (SELECT id FROM device_link WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)";

/// Revokes devices that never got a password although their link ended some days ago, and forgets links that ended before
/// `kept_since`.
pub(super) fn tidy(write: &Write<'_>, actor: &Actor, kept_since: Timestamp, limit: u32) -> Outcome<u32> {
    let mut without = write.tx.prepare_cached(NEVER_OPENED)?;
    let without: Vec<DeviceId> = without
        .query_map(params![write.now.minus(UNOPENED_KEPT), limit], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for id in &without {
        set_state_of(
            write,
            actor,
            &known_device(write, *id)?,
            DeviceState::Revoked(write.now),
        )?;
    }
    let forgotten = write.execute(FORGET, params![kept_since, limit])?;
    let most = without.len().max(forgotten);
    Ok(u32::try_from(most).unwrap_or(u32::MAX))
}
