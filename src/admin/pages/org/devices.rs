//! `/o/{org}/devices`: the list with its filters, and a device's own page.

use std::net::IpAddr;

use super::super::shown::used;
use super::scope::*;
use super::{device_link, first};
use crate::admin::console::view::device::DeviceRow as ShownDevice;
use crate::admin::console::view::devices::{DeviceMay, DevicePage, DeviceSession, Devices};
use crate::admin::lists;
use crate::model::{DeviceId, DeviceLinkState, DeviceState, MailboxId, SenderRule};
use crate::revoke::SessionSnapshot;
use crate::store::{Cursor, DeviceQuery, DeviceRow, DeviceStatus, Page, RETIRED_KEPT};

/// Rows of a device's history.
const HISTORY: u32 = 20;

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/devices", get(list))
        .route("/o/{org}/devices/{device}", get(one))
}

/// What a list of devices can be narrowed to.
pub(super) fn filters() -> [(&'static str, Line); 7] {
    [
        ("live", Line::new("figure-sessions")),
        ("never", Line::new("device-state-never")),
        ("silent", Line::new("filter-silent")),
        ("soon", Line::new("filter-ends-soon")),
        ("paused", Line::new("device-state-paused")),
        ("revoked", Line::new("device-state-disconnected")),
        ("knocking", Line::new("filter-knocking")),
    ]
}

async fn list(State(pages): Here, inside: Inside, Asked(asked): Asked<ListQuery>) -> Reply {
    let failed = |error| inside.failed(error);
    let page = page_of(&pages, &inside, &asked, None).await.map_err(failed)?;
    let rows = rows::devices_and_links(&pages, &inside.acting, &page.rows)
        .await
        .map_err(failed)?;
    let mut listing = asked.listing(inside.at("devices"), &filters(), page.next);
    listing.total = total(&listing, rows.len());
    Ok(reply::page(&Devices {
        frame: inside.frame(Place::Devices),
        listing,
        rows,
    }))
}

/// A page of devices, of one mailbox or of all, as a list's query asks for it.
pub(super) async fn page_of(
    pages: &Pages,
    inside: &Inside,
    asked: &ListQuery,
    mailbox: Option<MailboxId>,
) -> Result<Page<DeviceRow, String>, Error> {
    if asked.show == "live" {
        let (text, after) = (asked.text(), asked.after.parse().ok());
        let page = lists::connected(&pages.desk, &inside.acting, mailbox, text.as_deref(), after, ROWS).await?;
        return Ok(Page {
            rows: page.rows,
            next: page.next.map(|next| next.to_string()),
        });
    }
    let now = pages.clock.utc();
    let status = match asked.show.as_str() {
        "never" => DeviceStatus::NeverUsed,
        "silent" => DeviceStatus::UnusedSince(now.minus(lists::SILENT)),
        "soon" => DeviceStatus::EndingBefore(now.plus(lists::SOON)),
        "paused" => DeviceStatus::Paused,
        "revoked" => DeviceStatus::Revoked,
        "knocking" => DeviceStatus::Knocking,
        // Those that ended lately stay in sight, as long as their old passwords are known when they are tried.
        _ => DeviceStatus::Recent(now.minus(RETIRED_KEPT)),
    };
    let text = asked.text();
    // An address is looked for among the last sign-ins: names seldom look like one.
    let last_ip: Option<IpAddr> = text.as_deref().and_then(|text| text.parse().ok());
    let query = DeviceQuery {
        status,
        mailbox,
        text: if last_ip.is_some() { None } else { text },
        last_ip,
        after: asked.after.parse().ok(),
        limit: ROWS,
        ..DeviceQuery::default()
    };
    let page = pages.desk.devices(&inside.acting, &query).await?;
    Ok(Page {
        rows: page.rows,
        next: page.next.map(|next: Cursor<DeviceId>| next.to_string()),
    })
}

async fn one(State(pages): Here, There { inside, id }: There<DeviceId>) -> Reply {
    let page = device_page(&pages, &inside, id)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn device_page(pages: &Pages, inside: &Inside, id: DeviceId) -> Result<DevicePage, Error> {
    let acting = &inside.acting;
    let row = pages.desk.device(acting, id).await?;
    let device = &row.device;
    let history = pages.desk.device_activity(acting, id, None, HISTORY).await?;
    let added = pages.desk.device_activity(acting, id, Some("device.add"), 1).await?;
    let added_by = rows::activity(pages, inside, &added.rows).await?.into_iter().next();
    let frame = inside.frame(super::mailbox::place(inside));
    let may = may(pages, inside, &row).await?;
    let link = pages.desk.links_of(acting, &[device]).await?.remove(&id);
    // What ended with a password that was shown, or long ago, is in the history.
    let link = link.filter(|link| device.last_used.is_none() && !matches!(link.state, DeviceLinkState::Ended(_)));
    let has_password = link
        .as_ref()
        .is_none_or(|link| link.opened_at.is_some() || device.replaced_at.is_some());
    let sessions = pages.registry.sessions_of_device(id).into_iter();
    let replace = may.replace.then(|| inside.at(&format!("devices/{id}/replace")));
    let person = &inside.person;
    let reader = (person.guest.visitor.ip, person.signed_in.user.id, replace);
    Ok(DevicePage {
        created_at: device.created_at,
        added_by: added_by.map(|row| frame.show(row.who).plain()),
        replaced_at: device.replaced_at,
        first_used: device.first_used.clone(),
        networks: device.networks.0.iter().map(ToString::to_string).collect(),
        senders: senders(&device.senders),
        sessions: sessions.map(session).collect(),
        activity: rows::activity(pages, inside, &history.rows).await?,
        may,
        awaiting: first::awaited(pages, &row, reader).filter(|_| has_password),
        device: ShownDevice {
            link: link.as_ref().map(|link| link.state),
            ..shown::device_row(pages, acting.org.id, &row)
        },
        link: link.as_ref().map(device_link::shown),
        frame,
    })
}

fn session(session: SessionSnapshot) -> DeviceSession {
    DeviceSession {
        id: session.id.0,
        used: used(session),
    }
}

/// Sender addresses besides those of the mailbox.
fn senders(rule: &SenderRule) -> Vec<String> {
    match rule {
        SenderRule::Mailbox => Vec::new(),
        SenderRule::List(patterns) => patterns.iter().map(ToString::to_string).collect(),
        SenderRule::Off => vec!["*".to_owned()],
    }
}

async fn may(pages: &Pages, inside: &Inside, row: &DeviceRow) -> Result<DeviceMay, Error> {
    let may = pages.desk.device_may(&inside.acting, &row.device).await?;
    let is_paused = matches!(row.device.state, DeviceState::Paused(_));
    Ok(DeviceMay {
        edit: may.edit,
        // One button: it does the one or the other.
        pause: if is_paused { may.resume } else { may.pause },
        replace: may.replace,
        disconnect: may.revoke,
        end_sessions: may.end_sessions,
    })
}
