//! How far the first sign-in of a new password has come: by the live sessions, which tell at once, and by the device's
//! record, into which uses are written in batches.

use std::time::Duration;

use super::super::Pages;
use super::super::shown::used;
use crate::admin::console::view::device::FirstSignIn;
use crate::model::device::Use;
use crate::model::{Device, DeviceState};
use crate::peer::Protocol;

/// After this time without a sign of the device, the page says what to check.
const SILENT_AFTER: Duration = Duration::from_secs(60);

/// What was seen of a device since it has its password. A stream keeps it: a short session may be over at the next look.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    imap: Option<Use>,
    smtp: Option<Use>,
}

impl Seen {
    /// Looks at the live sessions and the record.
    pub(super) fn look(&mut self, pages: &Pages, device: &Device) {
        let since = device.replaced_at.unwrap_or(device.created_at);
        let sessions = pages.registry.sessions_of(device.mailbox).into_iter();
        let live = sessions.filter(|session| session.info.device == device.id).map(used);
        let recorded = [&device.first_used, &device.last_used].into_iter().flatten().cloned();
        for seen in live.chain(recorded).filter(|seen| seen.at >= since) {
            let place = match seen.protocol {
                Protocol::Imap => &mut self.imap,
                Protocol::Smtp => &mut self.smtp,
            };
            place.get_or_insert(seen);
        }
    }

    /// How far that is.
    pub(super) fn state(&self, pages: &Pages, device: &Device) -> FirstSignIn {
        let earliest = [&self.imap, &self.smtp]
            .into_iter()
            .flatten()
            .min_by_key(|seen| seen.at);
        if let Some(used) = earliest {
            return FirstSignIn::Connected {
                used: used.clone(),
                receiving: device.scopes.imap.then_some(self.imap.is_some()),
                sending: device.scopes.smtp.then_some(self.smtp.is_some()),
            };
        }
        let since = device.replaced_at.unwrap_or(device.created_at);
        let service = if device.scopes.imap {
            &pages.settings.imap
        } else {
            &pages.settings.smtp
        };
        match service {
            Some(service) if pages.clock.utc() >= since.plus(SILENT_AFTER) => FirstSignIn::Silent {
                host: service.host.clone(),
                port: service.port,
            },
            _ => FirstSignIn::Waiting,
        }
    }
}

/// How far the first sign-in has come, where it is still awaited: the device may log in, and was not seen since it has its
/// password.
pub(super) fn awaited(pages: &Pages, device: &Device) -> Option<FirstSignIn> {
    if device.state != DeviceState::Active || device.expires_at.is_some_and(|end| end <= pages.clock.utc()) {
        return None;
    }
    let mut seen = Seen::default();
    seen.look(pages, device);
    let state = seen.state(pages, device);
    (!matches!(state, FirstSignIn::Connected { .. })).then_some(state)
}
