//! `/me`: one's own mailboxes and devices in all organisations; `/me/lost`: a device that was lost is paused at once.

use std::collections::BTreeMap;

use super::scope::*;
use crate::admin::console::view::Listing;
use crate::admin::console::view::device::{DeviceRow as ShownDevice, MailboxLink, Standing};
use crate::admin::console::view::me::{LostDevice, MyMailbox, MyMailboxes};
use crate::clock::Timestamp;
use crate::directory::desk::{Acting, DeviceChange};
use crate::directory::rights::Operation;
use crate::model::{DeviceId, MailboxId, OrgId, Rights};
use crate::store::{DeviceRow, Page};

/// Mailboxes of one page.
const ROWS: usize = 50;

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

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    after: String,
}

/// A place in the list: in which organisation, and behind which address.
type After = (OrgId, String);

impl Asked {
    /// Behind which row to go on: the organisation's id and the address, as `Asked::link` wrote them.
    fn place(&self) -> Option<After> {
        let (org, address) = self.after.split_once('/')?;
        Some((org.parse().ok()?, address.to_owned()))
    }

    fn link(last: &MyMailbox) -> String {
        with_query("/me", &[("after", &format!("{}/{}", last.org, last.mailbox.address))])
    }
}

pub(super) async fn show(State(pages): Here, person: Person, Given(asked): Given<Asked>) -> Reply {
    let everywhere = everywhere(&pages, &person).await?;
    let has_devices = everywhere.iter().any(|(_, devices)| !devices.is_empty());
    let failed = |error| person.failed(error);
    let page = page_of(&pages, everywhere, asked.place()).await.map_err(failed)?;
    let listing = Listing {
        path: "/me".to_owned(),
        first: (!asked.after.is_empty()).then(|| "/me".to_owned()),
        next: page.next,
        ..Listing::default()
    };
    Ok(reply::page(&MyMailboxes {
        frame: person.frame(Place::MyMailboxes),
        listing,
        mailboxes: page.rows,
        has_devices,
    }))
}

/// One mailbox that was granted, or that one has devices on.
struct Mine {
    id: MailboxId,
    rights: Rights,
    ends_at: Option<Timestamp>,
    devices: Vec<DeviceRow>,
}

/// A page of mailboxes: organisation after organisation, in each by address.
async fn page_of(
    pages: &Pages,
    mut everywhere: Vec<(Acting, Vec<DeviceRow>)>,
    after: Option<After>,
) -> Result<Page<MyMailbox, String>, Error> {
    // From where one is no member any more, one goes on at the beginning.
    let after = after.and_then(|(org, address)| {
        let begin = everywhere.iter().position(|(acting, _)| acting.org.id == org)?;
        everywhere.drain(..begin);
        Some((org, address))
    });
    let mut page = Page {
        rows: Vec::new(),
        next: None,
    };
    for (acting, devices) in everywhere {
        for (address, mine) in of_org(pages, &acting, devices).await? {
            let is_before = |(org, last): &After| *org == acting.org.id && address <= *last;
            if after.as_ref().is_some_and(is_before) {
                continue;
            }
            if page.rows.len() == ROWS {
                page.next = page.rows.last().map(Asked::link);
                return Ok(page);
            }
            page.rows.extend(mailbox(pages, &acting, address, mine).await?);
        }
    }
    Ok(page)
}

/// The mailboxes of one organisation that were granted, or that one has devices on, by address.
async fn of_org(pages: &Pages, acting: &Acting, devices: Vec<DeviceRow>) -> Result<BTreeMap<String, Mine>, Error> {
    let now = pages.clock.utc();
    let mut found: BTreeMap<String, Mine> = BTreeMap::new();
    for grant in pages.desk.grants_of(acting, acting.user.id).await? {
        let rights = grant.rights_at(now);
        if !rights.is_empty() {
            let mine = Mine {
                id: grant.mailbox,
                rights,
                ends_at: grant.ends_at,
                devices: Vec::new(),
            };
            found.insert(grant.address.to_string(), mine);
        }
    }
    for device in devices {
        let mine = found.entry(device.address.to_string()).or_insert_with(|| Mine {
            id: device.device.mailbox,
            rights: Rights::NONE,
            ends_at: None,
            devices: Vec::new(),
        });
        mine.devices.push(device);
    }
    Ok(found)
}

/// One of them as the page shows it, unless it was deleted or withdrawn a moment ago.
async fn mailbox(pages: &Pages, acting: &Acting, address: String, mine: Mine) -> Result<Option<MyMailbox>, Error> {
    let row = match pages.desk.mailbox(acting, mine.id).await {
        Ok(row) => row,
        Err(Error::Unknown { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let now = pages.clock.utc();
    let counted = mine.devices.iter().filter(|row| counts(row, now)).count();
    let others = u64::from(row.mailbox.active_devices).saturating_sub(u64::try_from(counted).unwrap_or(u64::MAX));
    let may = |operation| acting.may_on(mine.rights, operation);
    Ok(Some(MyMailbox {
        org: acting.org.id,
        org_name: acting.org.name.clone(),
        others: may(Operation::DeviceRead).then_some(others),
        ends_at: mine.ends_at,
        is_suspended: row.mailbox.suspended_at.is_some(),
        may_add_device: may(Operation::OwnDeviceAdd),
        mailbox: MailboxLink { id: mine.id, address },
        devices: mine
            .devices
            .iter()
            .map(|row| shown::device_row(pages, acting.org.id, row))
            .collect(),
    }))
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
