//! `/o/{org}/search?q=`: mailboxes, aliases, people and devices by name; for an internet address, what uses it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::scope::*;
use crate::admin::console::view::device::{DeviceRow, MailboxLink};
use crate::admin::console::view::search::{AliasFound, PersonFound, Search};
use crate::model::DeviceId;
use crate::store::{DeviceQuery, DeviceStatus, Found};

/// Results of each kind.
const FOUND: u32 = 20;

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new().route("/o/{org}/search", get(search))
}

async fn search(State(pages): Here, inside: Inside, Asked(asked): Asked<ListQuery>) -> Reply {
    let page = found(&pages, &inside, &asked)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn found(pages: &Pages, inside: &Inside, asked: &ListQuery) -> Result<Search, Error> {
    let mut page = Search {
        frame: inside.frame(Place::Search),
        query: asked.text().unwrap_or_default(),
        mailboxes: Vec::new(),
        aliases: Vec::new(),
        people: Vec::new(),
        devices: Vec::new(),
        activity: Vec::new(),
        is_cut: false,
    };
    if let Ok(ip) = page.query.parse::<IpAddr>() {
        page.devices = by_address(pages, inside, ip.to_canonical()).await?;
    } else {
        by_name(pages, inside, &mut page).await?;
    }
    let most = usize::try_from(FOUND).unwrap_or(usize::MAX);
    let lengths = [
        page.mailboxes.len(),
        page.aliases.len(),
        page.people.len(),
        page.devices.len(),
    ];
    page.is_cut = lengths.iter().any(|length| *length >= most);
    Ok(page)
}

async fn by_name(pages: &Pages, inside: &Inside, page: &mut Search) -> Result<(), Error> {
    for found in pages.desk.search(&inside.acting, &page.query, FOUND).await? {
        match found {
            Found::Mailbox { id, address } => page.mailboxes.push(MailboxLink {
                id,
                address: address.to_string(),
            }),
            Found::Alias {
                id,
                address,
                mailbox,
                target,
            } => page.aliases.push(AliasFound {
                id,
                address: address.to_string(),
                mailbox: MailboxLink {
                    id: mailbox,
                    address: target.to_string(),
                },
            }),
            Found::Person { id, name, address } => page.people.push(PersonFound {
                id,
                name,
                address: address.to_string(),
            }),
            Found::Device { id, .. } => page.devices.extend(device(pages, inside, id).await?),
        }
    }
    Ok(())
}

/// A device that was found, unless it went away at this moment.
async fn device(pages: &Pages, inside: &Inside, id: DeviceId) -> Result<Option<DeviceRow>, Error> {
    match pages.desk.device(&inside.acting, id).await {
        Ok(row) => Ok(Some(shown::device_row(pages, inside.acting.org.id, &row))),
        Err(Error::Unknown { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Devices that are connected from this address, or last signed in from it.
async fn by_address(pages: &Pages, inside: &Inside, ip: IpAddr) -> Result<Vec<DeviceRow>, Error> {
    let most = usize::try_from(FOUND).unwrap_or(usize::MAX);
    let sessions = pages.desk.live_sessions(&inside.acting, None).await?;
    let mut ids: BTreeSet<DeviceId> = sessions
        .iter()
        .filter(|session| session.info.peer == ip)
        .map(|session| session.info.device)
        .collect();
    let query = DeviceQuery {
        status: DeviceStatus::All,
        last_ip: Some(ip),
        limit: FOUND,
        ..DeviceQuery::default()
    };
    ids.extend(
        pages
            .desk
            .devices(&inside.acting, &query)
            .await?
            .rows
            .iter()
            .map(|row| row.device.id),
    );
    let mut devices = Vec::new();
    for id in ids.into_iter().take(most) {
        devices.extend(device(pages, inside, id).await?);
    }
    Ok(devices)
}
