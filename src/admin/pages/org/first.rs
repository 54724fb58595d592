//! How far the first sign-in of a new password has come: by the live sessions, which tell at once, by what was tried
//! lately, and by the device's record, into which uses are written in batches.

use std::net::IpAddr;
use std::time::Duration;

use super::super::Pages;
use super::super::shown::used;
use crate::admin::console::view::device::{FirstSignIn, Trouble, Why};
use crate::model::device::Use;
use crate::model::{Device, DeviceState, UserId};
use crate::peer::Protocol;
use crate::store::DeviceRow;
use crate::tries::{Asked, By, Tried, What};

/// After this time without a sign of the device, the page says what to check.
const SILENT_AFTER: Duration = Duration::from_secs(60);

/// What was seen of a device since it has its password. A stream keeps it: a short session may be over at the next look.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    imap: Option<Use>,
    smtp: Option<Use>,
}

/// Whoever looks: from where, who, and where they give the device another password, if they may.
pub(super) type Reader = (IpAddr, UserId, Option<String>);

fn since(device: &Device) -> crate::clock::Timestamp {
    device.replaced_at.unwrap_or(device.created_at)
}

impl Seen {
    /// Looks at the live sessions, at what was noted for those who wait, and at the record.
    pub(super) fn look(&mut self, pages: &Pages, device: &Device) {
        let begin = since(device);
        let sessions = pages.registry.sessions_of_device(device.id).into_iter();
        let noted = pages.tries.uses(device.id);
        let recorded = [&device.first_used, &device.last_used].into_iter().flatten().cloned();
        let all = sessions.map(used).chain(noted).chain(recorded);
        for seen in all.filter(|seen| seen.at >= begin) {
            let place = match seen.protocol {
                Protocol::Imap => &mut self.imap,
                Protocol::Smtp => &mut self.smtp,
            };
            place.get_or_insert(seen);
        }
    }

    fn of(&self, protocol: Protocol) -> Option<&Use> {
        match protocol {
            Protocol::Imap => self.imap.as_ref(),
            Protocol::Smtp => self.smtp.as_ref(),
        }
    }

    fn earliest(&self) -> Option<&Use> {
        let seen = [&self.imap, &self.smtp].into_iter().flatten();
        seen.min_by_key(|seen| seen.at)
    }

    /// How far that is. From now on a sign-in of the device is noted at once.
    pub(super) fn state(&self, pages: &Pages, row: &DeviceRow, (reader, me, replace): Reader) -> FirstSignIn {
        let (device, now) = (&row.device, pages.clock.utc());
        let scopes = [
            (Protocol::Imap, device.scopes.imap),
            (Protocol::Smtp, device.scopes.smtp),
        ];
        if scopes
            .iter()
            .any(|(protocol, may)| *may && self.of(*protocol).is_none())
        {
            pages.tries.watch(device.id, reader, now);
        }
        let mut tries = pages.tries.of(&Asked {
            device: device.id,
            mailbox: device.mailbox,
            address: &row.address,
            since: since(device),
            now,
            reader: Some(reader),
        });
        // Where a protocol works, what was wrong with it before is over.
        tries.retain(|tried| self.of(tried.protocol).is_none());
        let newest = tries.into_iter().max_by_key(|tried| tried.at);
        let is_own = device.user == Some(me);
        let trouble = newest.map(|tried| Trouble {
            // Whoever sees a device that is not their own sees all of the mailbox; others see where they are themselves.
            is_from_told: match tried.by {
                By::Password => true,
                By::Name => !is_own || tried.from == reader,
                By::Network => tried.from == reader,
            },
            ..trouble(pages, row, tried, replace)
        });
        if let Some(used) = self.earliest() {
            return FirstSignIn::Connected {
                used: used.clone(),
                receiving: device.scopes.imap.then_some(self.imap.is_some()),
                sending: device.scopes.smtp.then_some(self.smtp.is_some()),
                trouble,
            };
        }
        if let DeviceState::Paused(_) = device.state {
            return FirstSignIn::Paused;
        }
        if device.expires_at.is_some_and(|end| end <= now) {
            return FirstSignIn::Expired;
        }
        if let Some(trouble) = trouble {
            return FirstSignIn::Tried(trouble);
        }
        let service = if device.scopes.imap {
            &pages.settings.imap
        } else {
            &pages.settings.smtp
        };
        match service {
            Some(service) if now >= since(device).plus(SILENT_AFTER) => FirstSignIn::Silent {
                host: service.host.clone(),
                port: service.port,
            },
            _ => FirstSignIn::Waiting,
        }
    }
}

/// A try as pages tell it.
fn trouble(pages: &Pages, row: &DeviceRow, tried: Tried, replace: Option<String>) -> Trouble {
    let Tried {
        at,
        from,
        protocol,
        what,
        ..
    } = tried;
    let service = match protocol {
        Protocol::Imap => &pages.settings.imap,
        Protocol::Smtp => &pages.settings.smtp,
    };
    let why = match what {
        What::Certificate => Why::Certificate {
            host: service
                .as_ref()
                .map_or_else(String::new, |service| service.host.clone()),
        },
        What::Expired => Why::Expired,
        What::MailStore => Why::MailStore,
        What::OldPassword => Why::OldPassword,
        What::Paused => Why::Paused,
        What::Suspended => Why::Suspended,
        What::TooMany => Why::TooMany,
        What::Unencrypted { exposed } => Why::Unencrypted {
            exposed,
            replace: replace.filter(|_| exposed),
        },
        What::WrongName { given } => Why::WrongName {
            given,
            address: row.address.to_string(),
        },
        What::WrongNetwork => Why::WrongNetwork,
        What::WrongPassword => Why::WrongPassword,
        What::WrongScope => Why::WrongScope,
    };
    Trouble {
        at,
        from,
        is_from_told: true,
        protocol,
        why,
    }
}

/// How far the first sign-in has come, where it is still awaited: the device may log in, and was not seen since it has its
/// password.
pub(super) fn awaited(pages: &Pages, row: &DeviceRow, reader: Reader) -> Option<FirstSignIn> {
    let device = &row.device;
    if device.state != DeviceState::Active || device.expires_at.is_some_and(|end| end <= pages.clock.utc()) {
        return None;
    }
    let mut seen = Seen::default();
    seen.look(pages, device);
    match seen.earliest() {
        None => Some(seen.state(pages, row, reader)),
        Some(_) => None,
    }
}
