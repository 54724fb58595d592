//! `/me`: one's own mailboxes and devices in all organisations; `/me/lost`: a device that was lost is paused at once.

use std::collections::BTreeMap;

use super::scope::*;
use crate::admin::console::view::device::{DeviceRow as ShownDevice, MailboxLink, Standing};
use crate::admin::console::view::me::{LostDevice, MyMailbox, MyMailboxes};
use crate::clock::Timestamp;
use crate::directory::desk::{Acting, DeviceChange};
use crate::directory::rights::Operation;
use crate::model::{DeviceId, MailboxId, Rights};
use crate::store::DeviceRow;

/// Mailboxes that the page shows; whoever has more uses the search of the organisation.
const SHOWN_MAX: usize = 200;

pub(super) struct LostForm {
    device: String,
}

impl Form for LostForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            device: sent.text("device"),
        }
    }
}

/// Somebody in each of their organisations, with their devices there. One that they have just left is left out.
async fn everywhere(pages: &Pages, person: &Person) -> Result<Vec<(Acting, Vec<DeviceRow>)>, reply::Failed> {
    let mut found = Vec::new();
    for org in &person.orgs {
        match pages.desk.acting(&person.signed_in, org.org.id).await {
            Ok(acting) => {
                let devices = pages
                    .desk
                    .my_devices(&acting)
                    .await
                    .map_err(|error| person.failed(error))?;
                found.push((acting, devices));
            }
            Err(Error::Unknown { .. }) => {}
            Err(error) => return Err(person.failed(error)),
        }
    }
    Ok(found)
}

pub(super) async fn show(State(pages): Here, person: Person) -> Reply {
    let mut mailboxes = Vec::new();
    for (acting, devices) in everywhere(&pages, &person).await? {
        let here = of_org(&pages, &acting, devices)
            .await
            .map_err(|error| person.failed(error))?;
        mailboxes.extend(here);
    }
    mailboxes.truncate(SHOWN_MAX);
    Ok(reply::page(&MyMailboxes {
        frame: person.frame(Place::MyMailboxes),
        mailboxes,
    }))
}

/// The mailboxes of one organisation that were granted, or that one has devices on, by address.
async fn of_org(pages: &Pages, acting: &Acting, devices: Vec<DeviceRow>) -> Result<Vec<MyMailbox>, Error> {
    let now = pages.clock.utc();
    let mut found: BTreeMap<String, (MailboxId, Rights, Option<Timestamp>, Vec<DeviceRow>)> = BTreeMap::new();
    for grant in pages.desk.grants_of(acting, acting.user.id).await? {
        let rights = grant.rights_at(now);
        if !rights.is_empty() {
            found.insert(
                grant.address.to_string(),
                (grant.mailbox, rights, grant.ends_at, Vec::new()),
            );
        }
    }
    for device in devices {
        let entry = (device.device.mailbox, Rights::NONE, None, Vec::new());
        found.entry(device.address.to_string()).or_insert(entry).3.push(device);
    }
    let mut mailboxes = Vec::new();
    for (address, (id, rights, ends_at, devices)) in found.into_iter().take(SHOWN_MAX) {
        let row = match pages.desk.mailbox(acting, id).await {
            Ok(row) => row,
            // It was deleted or withdrawn a moment ago.
            Err(Error::Unknown { .. }) => continue,
            Err(error) => return Err(error),
        };
        let mine = devices.iter().filter(|row| counts(row, now)).count();
        let others = u64::from(row.mailbox.active_devices).saturating_sub(u64::try_from(mine).unwrap_or(u64::MAX));
        let may = |operation| acting.may_on(rights, operation);
        mailboxes.push(MyMailbox {
            org: acting.org.id,
            org_name: acting.org.name.clone(),
            mailbox: MailboxLink { id, address },
            devices: devices
                .iter()
                .map(|row| shown::device_row(pages, acting.org.id, row))
                .collect(),
            others: may(Operation::DeviceRead).then_some(others),
            ends_at,
            is_suspended: row.mailbox.suspended_at.is_some(),
            may_add_device: may(Operation::OwnDeviceAdd),
        });
    }
    Ok(mailboxes)
}

/// Whether the number of a mailbox's devices has this one in it.
fn counts(row: &DeviceRow, now: Timestamp) -> bool {
    matches!(
        shown::standing(&row.device, now),
        Standing::Active | Standing::Paused(_)
    )
}

pub(super) async fn show_lost(State(pages): Here, person: Person) -> Reply {
    let mut devices: Vec<ShownDevice> = Vec::new();
    for (acting, mine) in everywhere(&pages, &person).await? {
        devices.extend(mine.iter().map(|row| shown::device_row(&pages, acting.org.id, row)));
    }
    devices.retain(|device| device.standing == Standing::Active);
    Ok(reply::page(&LostDevice {
        frame: person.frame(Place::MyMailboxes),
        devices,
    }))
}

pub(super) async fn send_lost(State(pages): Here, person: Person, Typed(form): Typed<LostForm>) -> Reply {
    let id: DeviceId = person.id(&form.device, "device")?;
    for (acting, mine) in everywhere(&pages, &person).await? {
        if !mine.iter().any(|row| row.device.id == id) {
            continue;
        }
        let before = pages.before_change();
        let paused = pages.desk.change_device(&acting, id, DeviceChange::Pause).await;
        let (row, seq) = paused.map_err(|error| person.failed(error))?;
        let flash = done::lost_paused(&row.device.label, pages.applied(before, seq).await);
        return Ok(reply::done(&pages, &person, flash, "/me"));
    }
    Err(person.failed(Error::Unknown { what: "device" }))
}
