//! From what the store has to what pages show.

use crate::admin::console::text::Line;
use crate::admin::console::view::activity::ActivityRow;
use crate::admin::console::view::confirm::EndingDevice;
use crate::admin::console::view::device::DeviceRow;
use crate::admin::console::view::people::PersonRow;
use crate::directory::Error;
use crate::directory::desk::Acting;
use crate::model::{Device, OrgId, UserId};
use crate::store::{self, AuditRow, MemberRow};

use super::super::visit::Inside;
use super::super::{Pages, shown};

/// The connections of a device at this moment.
pub(super) fn live(pages: &Pages, device: &Device) -> u32 {
    u32::try_from(pages.registry.sessions_of_device(device.id).len()).unwrap_or(u32::MAX)
}

pub(super) fn devices(pages: &Pages, org: OrgId, rows: &[store::DeviceRow]) -> Vec<DeviceRow> {
    rows.iter().map(|row| shown::device_row(pages, org, row)).collect()
}

/// The same with what has become of the links of those that were never used.
pub(super) async fn devices_and_links(
    pages: &Pages,
    acting: &Acting,
    rows: &[store::DeviceRow],
) -> Result<Vec<DeviceRow>, Error> {
    let never = rows
        .iter()
        .map(|row| &row.device)
        .filter(|device| device.last_used.is_none());
    let links = pages.desk.links_of(acting, &never.collect::<Vec<_>>()).await?;
    let mut shown = devices(pages, acting.org.id, rows);
    for row in &mut shown {
        row.link = links.get(&row.id).map(|link| link.state);
    }
    Ok(shown)
}

/// A device that would end with something else.
pub(super) fn ending(pages: &Pages, row: &store::DeviceRow) -> EndingDevice {
    EndingDevice {
        name: row.device.label.clone(),
        mailbox: row.address.to_string(),
        live: live(pages, &row.device),
    }
}

/// A member in a list.
pub(super) fn person(row: &MemberRow, me: UserId) -> PersonRow {
    let user = &row.member.user;
    PersonRow {
        id: user.id,
        name: user.name.clone(),
        address: user.address.to_string(),
        role: row.member.role,
        mailboxes: row.mailboxes.into(),
        devices: row.devices.into(),
        has_code: user.has_code,
        seen_at: user.seen_at,
        is_me: user.id == me,
    }
}

/// Rows of the audit log as sentences; what was done several times in a row stands once.
pub(super) async fn activity(pages: &Pages, inside: &Inside, rows: &[AuditRow]) -> Result<Vec<ActivityRow>, Error> {
    let names = pages.desk.names_in(rows).await?;
    let alike = |one: &AuditRow, other: &AuditRow| {
        (&one.actor, &one.action, &one.subject, &one.detail)
            == (&other.actor, &other.action, &other.subject, &other.detail)
    };
    let shown = rows.chunk_by(alike).filter_map(|run| {
        let newest = run.first()?;
        let href = inside.at(&format!("activity/{}", newest.number));
        let row = shown::activity_row(newest, names.who(newest), Some(href));
        Some(ActivityRow {
            behalf: names.behalf(newest).map(str::to_owned).or(row.behalf),
            times: u64::try_from(run.len()).unwrap_or(u64::MAX),
            ..row
        })
    });
    Ok(shown.collect())
}

/// Who somebody is that changed something meanwhile, for the page of a conflict.
pub(super) async fn changed_by(pages: &Pages, who: &str) -> Result<String, Error> {
    let name = pages.desk.name_of(who).await?;
    Ok(name.unwrap_or_else(|| shown::actor(who).to_owned()))
}

/// Lines for at most `most` things, and one for how many there are besides.
pub(super) fn cut(mut lines: Vec<Line>, most: usize) -> Vec<Line> {
    let more = lines.len().saturating_sub(most);
    if more > 0 {
        lines.truncate(most);
        lines.push(Line::new("ends-more").with("count", more));
    }
    lines
}
