//! `/o/{org}/search?q=`: mailboxes, aliases, people and devices by name; for an internet address, what uses it.

use std::net::IpAddr;

use super::scope::*;
use crate::admin::console::view::device::{DeviceRow, MailboxLink};
use crate::admin::console::view::search::{AliasFound, PersonFound, Search};
use crate::admin::lists;
use crate::store::Found;

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
        let rows = lists::devices_at(&pages.desk, &inside.acting, ip.to_canonical(), FOUND).await?;
        page.devices = rows.iter().map(|row| shown(pages, inside, row)).collect();
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
            Found::Device { id, .. } => {
                let row = lists::still_there(&pages.desk, &inside.acting, id).await?;
                page.devices.extend(row.iter().map(|row| shown(pages, inside, row)));
            }
        }
    }
    Ok(())
}

fn shown(pages: &Pages, inside: &Inside, row: &store::DeviceRow) -> DeviceRow {
    shown::device_row(pages, inside.acting.org.id, row)
}
