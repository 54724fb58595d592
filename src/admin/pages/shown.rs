//! From what the store says of a thing to what pages show of it.

use super::Pages;
use crate::admin::console::text::Line;
use crate::admin::console::view::activity::{self, ActivityRow};
use crate::admin::console::view::device::{DeviceRow as ShownDevice, Knocking, MailboxLink, PersonLink, Standing};
use crate::admin::console::view::form::problem;
use crate::clock::Timestamp;
use crate::identity::BadPassword;
use crate::identity::password::{PASSWORD_MAX, PASSWORD_MIN};
use crate::model::name::BadName;
use crate::model::{Device, DeviceState, OrgId, device};
use crate::revoke::SessionSnapshot;
use crate::store::{AuditRow, DeviceRow};

/// A device in a list, with its connections at this moment.
pub(super) fn device_row(pages: &Pages, org: OrgId, row: &DeviceRow) -> ShownDevice {
    let device = &row.device;
    let live = pages.registry.sessions_of_device(device.id);
    let connections = u32::try_from(live.len()).unwrap_or(u32::MAX);
    ShownDevice {
        org,
        id: device.id,
        name: device.label.clone(),
        kind: device.kind,
        mailbox: MailboxLink {
            id: device.mailbox,
            address: row.address.to_string(),
        },
        person: device
            .user
            .zip(row.owner.clone())
            .map(|(id, name)| PersonLink { id, name }),
        scopes: device.scopes,
        standing: standing(device, pages.clock.utc()),
        expires_at: device.expires_at,
        last_used: last_used(device, live),
        live: connections,
        imported: device.imported,
        knocking: row.knocking.as_ref().map(knocking),
        link: None,
    }
}

fn knocking(knocking: &device::Knocking) -> Knocking {
    Knocking {
        tries: knocking.tries,
        since: knocking.since,
        last: knocking.last.at,
        by: knocking.last.protocol,
        from: knocking.last.ip,
    }
}

/// The last sign-in: of a device that is connected, the newest session, which its record tells of a moment later.
fn last_used(device: &Device, live: Vec<SessionSnapshot>) -> Option<device::Use> {
    let recorded = device.last_used.clone();
    live.into_iter().map(used).chain(recorded).max_by_key(|used| used.at)
}

/// A live session as a sign-in.
pub(super) fn used(session: SessionSnapshot) -> device::Use {
    let info = session.info;
    device::Use {
        at: info.since,
        ip: info.peer,
        protocol: info.protocol,
        client: info.client.map(String::from),
    }
}

/// Whether a device may log in.
pub(super) fn standing(device: &Device, now: Timestamp) -> Standing {
    match (device.state, device.expires_at) {
        (DeviceState::Revoked(at), _) => Standing::Revoked(at),
        (_, Some(end)) if end <= now => Standing::Expired(end),
        (DeviceState::Paused(at), _) => Standing::Paused(at),
        (DeviceState::Active, _) => Standing::Active,
    }
}

/// A row of the audit log; `person` is the name of whoever did it, where that is known.
pub(super) fn activity_row(row: &AuditRow, person: Option<&str>, href: Option<String>) -> ActivityRow {
    ActivityRow {
        at: row.at,
        who: activity::who(&row.actor.who, person),
        deed: activity::deed(&row.actor.who, &row.action, &row.subject, &row.detail),
        action: row.action.clone(),
        origin: activity::origin(&row.actor.origin),
        behalf: row.actor.behalf.as_deref().map(|behalf| actor(behalf).to_owned()),
        times: 1,
        href,
    }
}

/// Whom an audit row names, without the word that says what they are: `user:anna@example.org` is `anna@example.org`.
pub(super) fn actor(who: &str) -> &str {
    who.split_once(':').map_or(who, |(_, name)| name)
}

/// What to do about a name.
pub(super) fn name_problem(bad: &BadName) -> Line {
    match bad {
        BadName::Empty { .. } => problem::missing(),
        BadName::TooLong { longest, .. } => problem::too_long(*longest),
        BadName::Unshowable { .. } => problem::unshowable(),
    }
}

/// What to do about a person's password.
pub(super) fn password_problem(bad: BadPassword) -> Line {
    match bad {
        BadPassword::Common => problem::password_common(),
        BadPassword::LikeYou => problem::password_like_you(),
        BadPassword::TooLong => problem::password_long(PASSWORD_MAX),
        BadPassword::TooShort => problem::password_short(PASSWORD_MIN),
    }
}
