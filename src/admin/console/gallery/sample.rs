//! The data of the gallery: an organisation with people and devices whose names are long, right-to-left, or an attack.

use std::net::IpAddr;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::admin::console::text::{Line, Text};
use crate::admin::console::view::activity::{ActivityRow, deed, origin, who};
use crate::admin::console::view::device::{DeviceRow, Knocking, MailboxLink, PersonLink, Standing};
use crate::admin::console::view::frame::{OrgHere, OrgLink, SignedIn};
use crate::admin::console::view::listing::{Direction, FilterLink, SortLink};
use crate::admin::console::view::{Frame, Listing, Place, Places, Theme};
use crate::clock::Timestamp;
use crate::model::device::Use;
use crate::model::{DeviceId, DeviceKind, Language, MailboxId, OrgId, Role, Scopes, UserId};
use crate::peer::Protocol;

/// 2026-11-22T12:00:00Z; `scripts/look` sets the browser's clock to it.
pub(super) const NOW: Timestamp = Timestamp(1_795_348_800_000);

/// The device password that is shown.
pub(super) const PASSWORD: &str = "kqzm-xwdp-hpdt-vnrc";

/// A name that wants to be a script.
pub(super) const HOSTILE: &str = "<script>alert(1)</script><img src=x onerror=alert(1)>";
/// A name in letters that run from right to left.
pub(super) const HEBREW: &str = "המחשב של שרה (iPhone)";
/// As long as names may be, with few places to break.
pub(super) const LONG: &str = "Annabelle-Clementine’s Featherstonehaugh-Cholmondeley telephone";
/// An address as long as they come.
pub(super) const LONG_ADDRESS: &str =
    "reservations.and.bookings.department+upper-meadow@mail.grandhotel-bellevue-lausanne.example";

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
/// Seconds of a day.
pub(super) const DAY: u64 = 24 * HOUR;

/// So many seconds ago.
pub(super) fn ago(seconds: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(seconds))
}

/// In so many seconds.
pub(super) fn ahead(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

/// An address from the ranges for documents.
pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A sign-in.
pub(super) fn used(seconds_ago: u64, protocol: Protocol, client: Option<&str>, from: &str) -> Use {
    Use {
        at: ago(seconds_ago),
        ip: ip(from),
        protocol,
        client: client.map(str::to_owned),
    }
}

pub(super) const fn org() -> OrgId {
    OrgId::from_raw(7_000_001)
}

pub(super) fn mailbox(address: &str) -> MailboxLink {
    MailboxLink {
        id: MailboxId::from_raw(i64::try_from(address.len()).unwrap() + 1000),
        address: address.to_owned(),
    }
}

pub(super) fn person(name: &str) -> PersonLink {
    PersonLink {
        id: UserId::from_raw(i64::try_from(name.len()).unwrap() + 2000),
        name: name.to_owned(),
    }
}

/// A reader, and frames for them.
pub(super) struct Sample {
    text: Text,
}

impl Sample {
    pub(super) fn new(language: Language) -> Self {
        Self {
            text: Text {
                language,
                zone: TimeZone::UTC,
                now: NOW,
            },
        }
    }

    /// A page for nobody.
    pub(super) fn door(&self) -> Frame {
        Frame::door(self.text.clone())
    }

    /// A page of somebody's own.
    pub(super) fn own(&self, place: Place) -> Frame {
        Frame {
            person: Some(SignedIn {
                name: "Sophie Laurent".to_owned(),
                address: "sophie@laurent.example".to_owned(),
            }),
            orgs: self.orgs(),
            place,
            ..self.door()
        }
    }

    /// A page of the organisation, as its owner sees it.
    pub(super) fn frame(&self, place: Place) -> Frame {
        Frame {
            org: Some(OrgHere {
                id: org(),
                name: "Acme".to_owned(),
                role: Role::Owner,
                places: Places::ALL,
            }),
            ..self.own(place)
        }
    }

    /// A page of the organisation, as a member of this one only sees it.
    pub(super) fn member(&self, place: Place) -> Frame {
        Frame {
            org: Some(OrgHere {
                id: org(),
                name: "Acme".to_owned(),
                role: Role::Member,
                places: Places::default(),
            }),
            orgs: self.orgs().into_iter().take(1).collect(),
            person: Some(SignedIn {
                name: "Lucie Müller".to_owned(),
                address: "lucie@private.example".to_owned(),
            }),
            ..self.own(place)
        }
    }

    /// The same frame with a form that could not be taken.
    pub(super) fn refused(&self, place: Place) -> Frame {
        use crate::admin::console::view::{Flash, form::problem};
        Frame {
            is_refused: true,
            flash: Some(Flash::problem(problem::see_fields())),
            ..self.frame(place)
        }
    }

    /// Chosen colours instead of the system's.
    pub(super) fn themed(&self, theme: Theme) -> Frame {
        Frame {
            theme,
            ..self.own(Place::MyAccount)
        }
    }

    fn orgs(&self) -> Vec<OrgLink> {
        [
            (org(), "Acme"),
            (
                OrgId::from_raw(7_000_002),
                "Hôtel Bellevue & Résidence du Lac, Lausanne-Ouchy SA",
            ),
            (OrgId::from_raw(7_000_003), HOSTILE),
        ]
        .map(|(id, name)| OrgLink {
            id,
            name: name.to_owned(),
        })
        .to_vec()
    }
}

/// A device that is connected.
pub(super) fn iphone() -> DeviceRow {
    DeviceRow {
        org: org(),
        id: DeviceId::from_raw(3001),
        name: "Anna’s iPhone".to_owned(),
        kind: DeviceKind::Iphone,
        mailbox: mailbox("info@acme.ch"),
        person: Some(person("Anna Keller")),
        scopes: Scopes::ALL,
        standing: Standing::Active,
        expires_at: None,
        last_used: Some(used(
            2 * MINUTE,
            Protocol::Imap,
            Some("iPhone Mail 22C161"),
            "203.0.113.7",
        )),
        live: 2,
        imported: false,
        knocking: None,
        link: None,
    }
}

/// Devices in every state.
pub(super) fn devices() -> Vec<DeviceRow> {
    let device = |id: i64, name: &str, kind| DeviceRow {
        id: DeviceId::from_raw(3000 + id),
        name: name.to_owned(),
        kind,
        live: 0,
        ..iphone()
    };
    vec![
        iphone(),
        DeviceRow {
            person: None,
            scopes: "smtp".parse().unwrap(),
            last_used: Some(used(5 * HOUR, Protocol::Smtp, None, "198.51.100.20")),
            ..device(2, "Copier, 2nd floor", DeviceKind::Printer)
        },
        DeviceRow {
            last_used: None,
            expires_at: Some(ahead(3 * DAY)),
            mailbox: mailbox(LONG_ADDRESS),
            ..device(3, LONG, DeviceKind::Android)
        },
        DeviceRow {
            standing: Standing::Paused(ago(3 * HOUR)),
            last_used: Some(used(
                40 * DAY,
                Protocol::Imap,
                Some(HOSTILE),
                "2001:db8:85a3::8a2e:370:7334",
            )),
            ..device(4, HEBREW, DeviceKind::Outlook)
        },
        DeviceRow {
            imported: true,
            person: None,
            last_used: Some(used(9 * DAY, Protocol::Imap, Some("Thunderbird 140.3"), "203.0.113.80")),
            ..device(5, "Existing password", DeviceKind::Other)
        },
        DeviceRow {
            standing: Standing::Expired(ago(2 * DAY)),
            ..device(6, HOSTILE, DeviceKind::App)
        },
        DeviceRow {
            standing: Standing::Revoked(ago(5 * DAY)),
            knocking: Some(knocking()),
            ..device(7, "Marc’s old MacBook", DeviceKind::AppleMail)
        },
    ]
}

/// An old password that is still tried.
pub(super) fn knocking() -> Knocking {
    Knocking {
        tries: 212,
        since: ago(5 * DAY),
        last: ago(3 * MINUTE),
        by: Protocol::Imap,
        from: ip("203.0.113.9"),
    }
}

/// A list with everything that lists can have.
pub(super) fn listing(path: &str, filters: &[(&'static str, bool)]) -> Listing {
    let href = |what: &str| format!("{path}?{what}");
    let sort = |column, direction| SortLink {
        column,
        href: href(column),
        direction,
    };
    Listing {
        path: path.to_owned(),
        filters: filters
            .iter()
            .map(|(key, is_set)| FilterLink {
                label: Line::new(key),
                href: href(key),
                is_set: *is_set,
            })
            .collect(),
        sorts: vec![
            sort("address", Some(Direction::Ascending)),
            sort("name", Some(Direction::Ascending)),
            sort("used", None),
        ],
        total: Some(12_431),
        first: Some(path.to_owned()),
        next: Some(href("after=x")),
        export: Some(href("format=csv")),
        ..Listing::default()
    }
}

/// A short list on one page.
pub(super) fn short(path: &str) -> Listing {
    Listing {
        path: path.to_owned(),
        ..Listing::default()
    }
}

/// A search that found nothing.
pub(super) fn fruitless(path: &str) -> Listing {
    Listing {
        query: HOSTILE.to_owned(),
        ..short(path)
    }
}

/// Rows of the audit log.
pub(super) fn activity() -> Vec<ActivityRow> {
    let detail =
        |label: &str, name: &str| serde_json::json!({ "label": label, "mailbox": "info@acme.ch", "name": name });
    let row = |seconds, actor: &str, name, action: &str, subject: &str, detail: &serde_json::Value| ActivityRow {
        at: ago(seconds),
        who: who(actor, name),
        deed: deed(actor, action, subject, detail),
        action: action.to_owned(),
        origin: origin("203.0.113.7"),
        behalf: None,
        times: 1,
        href: Some(format!("/o/{}/activity/{seconds}", org())),
    };
    let sophie = Some("Sophie Laurent");
    vec![
        row(
            3 * MINUTE,
            "user:usr-1",
            sophie,
            "device.revoke",
            "dev-1",
            &detail("Anna’s iPhone", ""),
        ),
        row(
            HOUR,
            "user:usr-1",
            sophie,
            "grant.withdraw",
            "lucie@private.example",
            &detail("", "Lucie Müller"),
        ),
        ActivityRow {
            times: 37,
            ..row(
                5 * HOUR,
                "user:usr-2",
                Some(HEBREW),
                "device.add",
                "dev-2",
                &detail(HEBREW, ""),
            )
        },
        ActivityRow {
            behalf: Some("Lucie Müller".to_owned()),
            ..row(
                26 * HOUR,
                "token:CRM sync",
                None,
                "mailbox.create",
                LONG_ADDRESS,
                &detail("", ""),
            )
        },
        ActivityRow {
            origin: origin("local"),
            ..row(3 * DAY, "cli:root", None, "domain.create", "acme.ch", &detail("", ""))
        },
        row(
            4 * DAY,
            "user:usr-3",
            Some(HOSTILE),
            "device.edit",
            "dev-6",
            &detail(HOSTILE, ""),
        ),
        row(40 * DAY, "daemon", None, "moon.landing", "mbx-1", &detail("", "")),
    ]
}
