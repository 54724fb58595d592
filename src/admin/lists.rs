//! Lists that console and API show alike, of what the store alone cannot tell: who is connected at this moment.
//!
//! Rights are the desk's to ask; what is here only narrows and joins what it gives.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use crate::directory::Error;
use crate::directory::desk::{Acting, Desk};
use crate::model::{DeviceId, Invitation, InvitationId, MailboxId};
use crate::revoke::SessionSnapshot;
use crate::store::{DeviceQuery, DeviceRow, DeviceStatus, InvitationQuery, Page, page};

/// A device that was not used for so long is shown as silent.
pub(super) const SILENT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// What happens sooner than this is shown as near.
pub(super) const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Pages of the list of invitations that a search reads: an organisation has a bounded number of open ones, and old ones go.
const SEARCHED: usize = 5;

fn most(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Devices that are connected at this moment, by id, with this in label or mailbox, or connected from it.
pub(super) async fn connected(
    desk: &Desk,
    acting: &Acting,
    mailbox: Option<MailboxId>,
    text: Option<&str>,
    after: Option<DeviceId>,
    limit: u32,
) -> Result<Page<DeviceRow, DeviceId>, Error> {
    let sessions = desk.live_sessions(acting, mailbox).await?;
    let text = text.map(str::to_lowercase);
    let matches = |session: &&SessionSnapshot| {
        text.as_deref().is_none_or(|text| {
            let info = &session.info;
            let named = info.label.to_lowercase().contains(text) || info.address.as_str().contains(text);
            named || text.parse() == Ok(info.peer)
        })
    };
    let ids: BTreeSet<DeviceId> = sessions
        .iter()
        .filter(matches)
        .map(|session| session.info.device)
        .collect();
    let mut ids = ids.into_iter().filter(|id| after.is_none_or(|after| *id > after));
    let mut page = Page {
        rows: Vec::new(),
        next: None,
    };
    let mut last = None;
    for id in ids.by_ref().take(most(limit)) {
        page.rows.extend(still_there(desk, acting, id).await?);
        last = Some(id);
    }
    if ids.next().is_some() {
        page.next = last;
    }
    Ok(page)
}

/// A device that was found a moment ago, unless it went away.
pub(super) async fn still_there(desk: &Desk, acting: &Acting, id: DeviceId) -> Result<Option<DeviceRow>, Error> {
    match desk.device(acting, id).await {
        Ok(row) => Ok(Some(row)),
        Err(Error::Unknown { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Devices that are connected from this address, or last signed in from it; at most so many.
pub(super) async fn devices_at(desk: &Desk, acting: &Acting, ip: IpAddr, limit: u32) -> Result<Vec<DeviceRow>, Error> {
    let sessions = desk.live_sessions(acting, None).await?;
    let mut ids: BTreeSet<DeviceId> = sessions
        .iter()
        .filter(|session| session.info.peer == ip)
        .map(|session| session.info.device)
        .collect();
    let query = DeviceQuery {
        status: DeviceStatus::All,
        last_ip: Some(ip),
        limit,
        ..DeviceQuery::default()
    };
    let used = desk.devices(acting, &query).await?;
    ids.extend(used.rows.iter().map(|row| row.device.id));
    let mut devices = Vec::new();
    for id in ids.into_iter().take(most(limit)) {
        devices.extend(still_there(desk, acting, id).await?);
    }
    Ok(devices)
}

/// Whether a live session is what somebody looks for by mailbox, device, client or address; the text is in lower case.
pub(super) fn session_matches(session: &SessionSnapshot, text: &str) -> bool {
    let info = &session.info;
    info.address.as_str().contains(text)
        || info.label.to_lowercase().contains(text)
        || info
            .client
            .as_ref()
            .is_some_and(|client| client.to_lowercase().contains(text))
        || text.parse() == Ok(info.peer)
}

/// Invitations with this in the address, read page by page: their number is small and their order is that of time.
pub(super) async fn invitations_with(
    desk: &Desk,
    acting: &Acting,
    mut query: InvitationQuery,
    text: &str,
) -> Result<Page<Invitation, InvitationId>, Error> {
    let (most, text) = (most(query.limit), text.to_lowercase());
    query.limit = page::PAGE_MAX;
    let mut found = Page {
        rows: Vec::new(),
        next: None,
    };
    for _ in 0..SEARCHED {
        let page = desk.invitations(acting, &query).await?;
        found.next = page.next;
        for invitation in page.rows {
            if found.rows.len() == most {
                found.next = found.rows.last().map(|last: &Invitation| last.id);
                return Ok(found);
            }
            if invitation.address.as_str().contains(&text) {
                found.rows.push(invitation);
            }
        }
        if found.next.is_none() {
            break;
        }
        query.before = found.next;
    }
    Ok(found)
}
