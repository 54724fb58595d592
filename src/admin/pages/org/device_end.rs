//! Pausing, resuming and disconnecting a device, and ending one of its sessions.

use super::mailbox::place;
use super::scope::*;
use crate::admin::console::view::Flash;
use crate::admin::console::view::confirm::Confirm;
use crate::directory::desk::{DeviceChange, DeviceDeed};
use crate::model::{Device, DeviceId, DeviceState};
use crate::revoke::SessionId;

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/devices/{device}/pause", get(ask_pause).post(pause))
        .route("/o/{org}/devices/{device}/resume", post(resume))
        .route(
            "/o/{org}/devices/{device}/disconnect",
            get(ask_disconnect).post(disconnect),
        )
        .route("/o/{org}/devices/{device}/sessions/{session}/end", post(end_session))
}

/// The path of a device, or of something below it.
fn path(inside: &Inside, id: DeviceId, rest: &str) -> String {
    inside.at(&format!("devices/{id}{rest}"))
}

async fn ask_pause(State(pages): Here, There { inside, id }: There<DeviceId>) -> Reply {
    let deed = DeviceDeed::Change(DeviceChange::Pause);
    let row = pages.desk.check_device(&inside.acting, id, deed).await;
    let row = row.map_err(|error| inside.failed(error))?;
    Ok(reply::page(&Confirm::pause(
        inside.frame(place(&inside)),
        &rows::ending(&pages, &row),
        path(&inside, id, "/pause"),
        path(&inside, id, ""),
    )))
}

async fn pause(State(pages): Here, There { inside, id }: There<DeviceId>) -> Reply {
    change(&pages, &inside, id, DeviceChange::Pause)
        .await
        .map_err(|error| inside.failed(error))
}

async fn resume(State(pages): Here, There { inside, id }: There<DeviceId>) -> Reply {
    change(&pages, &inside, id, DeviceChange::Resume)
        .await
        .map_err(|error| inside.failed(error))
}

async fn disconnect(State(pages): Here, There { inside, id }: There<DeviceId>) -> Reply {
    change(&pages, &inside, id, DeviceChange::Revoke)
        .await
        .map_err(|error| inside.failed(error))
}

/// Does it, waits until its sessions are told to end, and says so on the device's page.
async fn change(pages: &Pages, inside: &Inside, id: DeviceId, change: DeviceChange) -> Result<Response, Error> {
    let back = path(inside, id, "");
    let before = pages.before_change();
    let (row, seq) = match pages.desk.change_device(&inside.acting, id, change).await {
        Ok(changed) => changed,
        // It was revoked meanwhile.
        Err(Error::Store(store::Error::Refused(why))) => {
            return Ok(reply::done(
                pages,
                &inside.person,
                Flash::problem(Line::name(&why)),
                &back,
            ));
        }
        Err(error) => return Err(error),
    };
    let label = &row.device.label;
    let flash = match change {
        DeviceChange::Resume => done::resumed(label),
        DeviceChange::Pause => done::paused(label, pages.applied(before, seq).await),
        DeviceChange::Revoke => {
            let ended = pages.applied(before, seq).await;
            let again = again(pages, inside, &row.device).await?;
            done::disconnected(label, ended, again)
        }
    };
    Ok(reply::done(pages, &inside.person, flash, &back))
}

/// The form that adds it again, filled in already.
async fn again(pages: &Pages, inside: &Inside, device: &Device) -> Result<Option<String>, Error> {
    let rights = pages.desk.rights_on(&inside.acting, device.mailbox).await?;
    let may = |operation| inside.acting.may_on(rights, operation);
    if !(may(Operation::DeviceAdd) || may(Operation::OwnDeviceAdd)) {
        return Ok(None);
    }
    let form = super::mailbox_end::path(inside, device.mailbox, "/devices/new");
    let person = device.user.map(|user| user.to_string()).unwrap_or_default();
    let fields = [
        ("kind", device.kind.name()),
        ("name", &device.label),
        ("person", &person),
    ];
    Ok(Some(with_query(&form, &fields)))
}

async fn ask_disconnect(State(pages): Here, There { inside, id }: There<DeviceId>) -> Reply {
    let failed = |error| inside.failed(error);
    let deed = DeviceDeed::Change(DeviceChange::Revoke);
    let row = pages
        .desk
        .check_device(&inside.acting, id, deed)
        .await
        .map_err(failed)?;
    let mailbox = pages
        .desk
        .mailbox(&inside.acting, row.device.mailbox)
        .await
        .map_err(failed)?;
    // It is the last one where nothing else may log in.
    let is_last = row.device.state == DeviceState::Active && mailbox.mailbox.active_devices == 1;
    Ok(reply::page(&Confirm::disconnect(
        inside.frame(place(&inside)),
        &rows::ending(&pages, &row),
        is_last,
        0,
        path(&inside, id, "/disconnect"),
        path(&inside, id, ""),
    )))
}

async fn end_session(State(pages): Here, There { inside, id }: There<(DeviceId, SessionId)>) -> Reply {
    let ended = pages
        .desk
        .end_live_session(&inside.acting, id.1)
        .await
        .map_err(|error| inside.failed(error))?;
    let flash = done::session_ended(&ended.info.label);
    Ok(reply::done(&pages, &inside.person, flash, &path(&inside, id.0, "")))
}
