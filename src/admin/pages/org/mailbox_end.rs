//! Suspending, resuming and deleting a mailbox, and disconnecting all its devices at once.

use super::scope::*;
use crate::admin::console::view::confirm::{Confirm, EndingDevice};
use crate::model::{DeviceId, MailboxId};
use crate::store::{DeviceQuery, DeviceRow, DeviceStatus, LIVE_DEVICES_MAX, MailboxRow};

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/mailboxes/{mailbox}/suspend", get(ask_suspend).post(suspend))
        .route("/o/{org}/mailboxes/{mailbox}/resume", post(resume))
        .route("/o/{org}/mailboxes/{mailbox}/delete", get(ask_delete).post(delete))
        .route(
            "/o/{org}/mailboxes/{mailbox}/devices/revoke-all",
            get(ask_revoke_all).post(revoke_all),
        )
}

/// The path of a mailbox, or of something below it.
pub(super) fn path(inside: &Inside, id: MailboxId, rest: &str) -> String {
    inside.at(&format!("mailboxes/{id}{rest}"))
}

/// How many connections a mailbox has at this moment.
fn live(pages: &Pages, id: MailboxId) -> u64 {
    u64::try_from(pages.registry.sessions_of(id).len()).unwrap_or(u64::MAX)
}

async fn ask_suspend(State(pages): Here, There { inside, id }: There<MailboxId>) -> Reply {
    let row = pages
        .desk
        .check_on(&inside.acting, &[Operation::MailboxSuspend], id)
        .await;
    let row = row.map_err(|error| inside.failed(error))?;
    Ok(reply::page(&Confirm::suspend(
        inside.frame(Place::Mailboxes),
        row.mailbox.address.as_str(),
        row.mailbox.active_devices.into(),
        live(&pages, id),
        path(&inside, id, "/suspend"),
        path(&inside, id, ""),
    )))
}

async fn suspend(State(pages): Here, There { inside, id }: There<MailboxId>) -> Reply {
    let failed = |error| inside.failed(error);
    let row = pages.desk.mailbox(&inside.acting, id).await.map_err(failed)?;
    let before = pages.before_change();
    let seq = pages.desk.suspend_mailbox(&inside.acting, id).await.map_err(failed)?;
    let ended = pages.applied(before, seq).await;
    let flash = done::suspended(row.mailbox.address.as_str(), ended);
    Ok(reply::done(&pages, &inside.person, flash, &path(&inside, id, "")))
}

async fn resume(State(pages): Here, There { inside, id }: There<MailboxId>) -> Reply {
    let failed = |error| inside.failed(error);
    pages.desk.resume_mailbox(&inside.acting, id).await.map_err(failed)?;
    let row = pages.desk.mailbox(&inside.acting, id).await.map_err(failed)?;
    let flash = done::mailbox_resumed(row.mailbox.address.as_str());
    Ok(reply::done(&pages, &inside.person, flash, &path(&inside, id, "")))
}

async fn ask_delete(State(pages): Here, There { inside, id }: There<MailboxId>) -> Reply {
    let row = pages
        .desk
        .check_on(&inside.acting, &[Operation::MailboxDelete], id)
        .await;
    let row = row.map_err(|error| inside.failed(error))?;
    let page = delete_page(&pages, &inside, &row, Field::default())
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn delete_page(pages: &Pages, inside: &Inside, row: &MailboxRow, typed: Field) -> Result<Confirm, Error> {
    let id = row.mailbox.id;
    let aliases = pages.desk.aliases(&inside.acting, id).await?;
    let aliases: Vec<_> = aliases.iter().map(|alias| alias.address.to_string()).collect();
    Ok(Confirm::delete_mailbox(
        inside.frame(Place::Mailboxes),
        row.mailbox.address.as_str(),
        row.mailbox.active_devices.into(),
        &aliases,
        typed,
        path(inside, id, "/delete"),
        path(inside, id, ""),
    ))
}

/// What was typed so that it does not happen by habit.
struct Typing {
    confirm: String,
}

impl Form for Typing {
    fn read(sent: &mut Sent) -> Self {
        Self {
            confirm: sent.text("confirm"),
        }
    }
}

async fn delete(State(pages): Here, There { inside, id }: There<MailboxId>, Typed(typed): Typed<Typing>) -> Reply {
    delete_or_ask(&pages, &inside, id, typed)
        .await
        .map_err(|error| inside.failed(error))
}

async fn delete_or_ask(pages: &Pages, inside: &Inside, id: MailboxId, typed: Typing) -> Result<Response, Error> {
    let row = pages
        .desk
        .check_on(&inside.acting, &[Operation::MailboxDelete], id)
        .await?;
    let address = row.mailbox.address.as_str();
    if !typed.confirm.eq_ignore_ascii_case(address) {
        let wrong = Field::of(typed.confirm).wrong(problem::confirmation(address));
        let mut page = delete_page(pages, inside, &row, wrong).await?;
        page.frame.is_refused = true;
        return Ok(refused(&page));
    }
    let before = pages.before_change();
    let seq = pages.desk.delete_mailbox(&inside.acting, id).await?;
    let ended = pages.applied(before, seq).await;
    let flash = done::mailbox_deleted(address, ended);
    Ok(reply::done(pages, &inside.person, flash, &inside.at("mailboxes")))
}

async fn ask_revoke_all(State(pages): Here, There { inside, id }: There<MailboxId>) -> Reply {
    let page = revoke_all_page(&pages, &inside, id)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn revoke_all_page(pages: &Pages, inside: &Inside, id: MailboxId) -> Result<Confirm, Error> {
    let row = pages
        .desk
        .check_on(&inside.acting, &[Operation::DeviceRevoke], id)
        .await?;
    let devices = devices_of(pages, inside, id).await?;
    let ending: Vec<EndingDevice> = devices.iter().map(|row| rows::ending(pages, row)).collect();
    let mut page = Confirm::revoke_all(
        inside.frame(super::mailbox::place(inside)),
        row.mailbox.address.as_str(),
        &ending,
        path(inside, id, "/devices/revoke-all"),
        path(inside, id, "/devices"),
    );
    // Exactly these: what somebody adds meanwhile is not meant.
    page.hidden = devices
        .iter()
        .map(|row| ("device", row.device.id.to_string()))
        .collect();
    Ok(page)
}

async fn devices_of(pages: &Pages, inside: &Inside, id: MailboxId) -> Result<Vec<DeviceRow>, Error> {
    let query = DeviceQuery {
        status: DeviceStatus::Live,
        mailbox: Some(id),
        limit: LIVE_DEVICES_MAX,
        ..DeviceQuery::default()
    };
    Ok(pages.desk.devices(&inside.acting, &query).await?.rows)
}

/// The devices that were shown.
struct Shown {
    devices: Vec<String>,
}

impl Form for Shown {
    fn read(sent: &mut Sent) -> Self {
        Self {
            devices: sent.all("device"),
        }
    }
}

async fn revoke_all(State(pages): Here, There { inside, id }: There<MailboxId>, Typed(shown): Typed<Shown>) -> Reply {
    revoke(&pages, &inside, id, &shown)
        .await
        .map_err(|error| inside.failed(error))
}

async fn revoke(pages: &Pages, inside: &Inside, id: MailboxId, shown: &Shown) -> Result<Response, Error> {
    let ids: Result<Vec<DeviceId>, _> = shown.devices.iter().map(|id| id.parse()).collect();
    let ids = ids.map_err(|_| Error::Unknown { what: "device" })?;
    let row = pages.desk.mailbox(&inside.acting, id).await?;
    let before = pages.before_change();
    let (seq, revoked) = pages.desk.revoke_devices(&inside.acting, id, &ids).await?;
    let ended = pages.applied(before, seq).await;
    let count = u64::try_from(revoked.len()).unwrap_or(u64::MAX);
    let flash = done::all_disconnected(row.mailbox.address.as_str(), count, ended);
    Ok(reply::done(pages, &inside.person, flash, &path(inside, id, "/devices")))
}
