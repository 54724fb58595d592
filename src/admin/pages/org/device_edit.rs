//! Changing a device's record. The form says which revision it was filled from: where somebody else was faster, a page
//! shows theirs and mine, and nothing is overwritten unseen.

use axum::http::StatusCode;

use super::device_add::{Settings, read};
use super::device_name::free_name;
use super::mailbox::place;
use super::scope::*;
use crate::admin::console::view::Ticks;
use crate::admin::console::view::devices::{DeviceForm, EditDevice};
use crate::admin::console::view::error::{Conflict, Difference};
use crate::directory::desk::DeviceDeed;
use crate::model::name::name_key;
use crate::model::{Device, DeviceId};
use crate::store::{DeviceEdit, DeviceQuery, LIVE_DEVICES_MAX};

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new().route("/o/{org}/devices/{device}/edit", get(edit).post(save))
}

/// A change, as its form sends it.
struct EditForm {
    settings: Settings,
    revision: String,
}

impl Form for EditForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            settings: Settings::read(sent),
            revision: sent.text("revision"),
        }
    }
}

async fn edit(State(pages): Here, There { inside, id }: There<DeviceId>) -> Reply {
    let row = pages.desk.check_device(&inside.acting, id, DeviceDeed::Edit).await;
    let row = row.map_err(|error| inside.failed(error))?;
    Ok(reply::page(&edit_page(&inside, &row.device)))
}

/// The form of a device as it is.
fn edit_page(inside: &Inside, device: &Device) -> EditDevice {
    let frame = inside.frame(place(inside));
    let protocols = [("imap", device.scopes.imap), ("smtp", device.scopes.smtp)];
    let ticked = protocols
        .into_iter()
        .filter(|(_, is_allowed)| *is_allowed)
        .map(|(name, _)| name);
    let networks: Vec<_> = device.networks.0.iter().map(ToString::to_string).collect();
    let form = DeviceForm {
        name: Field::of(&device.label),
        scopes: Ticks::of(ticked),
        expires: Field::of(if device.expires_at.is_some() { "on" } else { "never" }),
        expires_on: Field::of(
            device
                .expires_at
                .map(|at| form::last_day(&frame.text, at))
                .unwrap_or_default(),
        ),
        networks: Field::of(networks.join(", ")),
        ..DeviceForm::default()
    };
    EditDevice {
        frame,
        id: device.id,
        name: device.label.clone(),
        form,
        revision: device.revision.to_string(),
    }
}

async fn save(State(pages): Here, There { inside, id }: There<DeviceId>, Typed(typed): Typed<EditForm>) -> Reply {
    save_or_ask(&pages, &inside, id, typed)
        .await
        .map_err(|error| inside.failed(error))
}

async fn save_or_ask(pages: &Pages, inside: &Inside, id: DeviceId, typed: EditForm) -> Result<Response, Error> {
    let row = pages.desk.check_device(&inside.acting, id, DeviceDeed::Edit).await?;
    let device = &row.device;
    let mut page = edit_page(inside, device);
    page.form = typed.settings.shown();
    // A form without a revision is none that was filled from this device.
    let revision: i64 = typed.revision.parse().map_err(|_| Error::Unknown { what: "device" })?;
    page.revision = revision.to_string();
    if let Some(read) = read(inside, &typed.settings, device.expires_at, &mut page.form) {
        let edit = DeviceEdit {
            revision: Some(revision),
            label: Some(read.label.clone()),
            scopes: Some(read.scopes),
            expires_at: Some(read.expires_at),
            networks: Some(read.networks),
            ..DeviceEdit::default()
        };
        let before = pages.before_change();
        match pages.desk.edit_device(&inside.acting, id, edit).await {
            Ok((changed, seq)) => {
                let flash = if changed.device.revision == device.revision {
                    done::unchanged()
                } else {
                    done::device_saved(pages.applied(before, seq).await)
                };
                let back = inside.at(&format!("devices/{id}"));
                return Ok(reply::done(pages, &inside.person, flash, &back));
            }
            Err(Error::Store(store::Error::Stale { by, at })) => {
                return conflict(pages, inside, id, &typed, (&by, at)).await;
            }
            Err(Error::Store(store::Error::Conflict(_))) => {
                let used = labels(pages, inside, device).await?;
                page.form.name.error = Some(problem::name_taken(&free_name(&read.label, &used)));
            }
            Err(Error::Ends { .. }) => page.form.expires_on.error = Some(problem::day_to_come()),
            Err(Error::Store(store::Error::Refused(why))) => page.form.name.error = Some(Line::name(&why)),
            Err(error) => return Err(error),
        }
    }
    page.frame.is_refused = true;
    Ok(refused(&page))
}

/// The names of the mailbox's other devices, as far as whoever acts may see them.
async fn labels(pages: &Pages, inside: &Inside, device: &Device) -> Result<Vec<String>, Error> {
    let query = DeviceQuery {
        mailbox: Some(device.mailbox),
        limit: LIVE_DEVICES_MAX,
        ..DeviceQuery::default()
    };
    let devices = pages.desk.devices(&inside.acting, &query).await?;
    Ok(devices.rows.iter().map(|row| name_key(&row.device.label)).collect())
}

/// Somebody changed the same device meanwhile.
async fn conflict(
    pages: &Pages,
    inside: &Inside,
    id: DeviceId,
    mine: &EditForm,
    (by, at): (&str, Timestamp),
) -> Result<Response, Error> {
    let row = pages.desk.device(&inside.acting, id).await?;
    let now = edit_page(inside, &row.device);
    let (theirs, typed) = (&now.form, &mine.settings);
    let expires = |choice: &str, day: &str| match choice {
        "on" => day.to_owned(),
        "7" | "90" => {
            let days: u32 = choice.parse().unwrap_or_default();
            now.frame.say("expires-days").with("count", days).plain()
        }
        _ => now.frame.say("word-never").plain(),
    };
    let said = [
        ("device-name", theirs.name.value.clone(), typed.name.clone()),
        ("device-scopes", theirs.scopes.values.join(", "), typed.scope.join(", ")),
        (
            "device-expires",
            expires(&theirs.expires.value, &theirs.expires_on.value),
            expires(&typed.expires, &typed.expires_on),
        ),
        ("device-networks", theirs.networks.value.clone(), typed.networks.clone()),
    ];
    let differing = said.into_iter().filter(|(_, theirs, mine)| theirs != mine);
    let differences = differing.map(|(label, theirs, mine)| Difference {
        label: Line::new(label),
        theirs,
        mine,
    });
    let fields = typed
        .fields()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let page = Conflict {
        what: row.device.label.clone(),
        who: rows::changed_by(pages, by).await?,
        at,
        differences: differences.collect(),
        action: inside.at(&format!("devices/{id}/edit")),
        fields: fields.chain([("revision".to_owned(), now.revision)]).collect(),
        theirs: inside.at(&format!("devices/{id}/edit")),
        frame: now.frame,
    };
    Ok(reply::with_status(StatusCode::CONFLICT, &page))
}
