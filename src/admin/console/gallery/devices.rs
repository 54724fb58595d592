//! Devices: lists, pages, adding one, its password, live sessions.

use super::sample::{
    DAY, HEBREW, HOSTILE, LONG, LONG_ADDRESS, PASSWORD, Sample, activity, ago, ahead, devices, fruitless, ip, iphone,
    knocking, listing, mailbox, person, short, used,
};
use super::{Shot, shot};
use crate::admin::console::view::confirm::{Confirm, EndingDevice};
use crate::admin::console::view::device::{DeviceRow, FirstSignIn, LiveBadge, LiveFirstSignIn, Standing, Trouble, Why};
use crate::admin::console::view::devices::{
    DeviceForm, DeviceLinkPage, DeviceLinkShown, DeviceMay, DevicePage, DevicePassword, DeviceSession, Devices,
    EditDevice, NewDevice, PasswordGone, Server,
};
use crate::admin::console::view::form::problem;
use crate::admin::console::view::mail::{MailShown, MailStand};
use crate::admin::console::view::qr::Qr;
use crate::admin::console::view::sessions::{LiveSessions, SessionRow, Sessions};
use crate::admin::console::view::{Choice, Field, Frame, Listing, Place, Ticks, done};
use crate::model::{DeviceId, DeviceKind, DeviceLinkState};
use crate::peer::Protocol;
use crate::secret::Secret;

const PLACE: Place = Place::Devices;

pub(super) fn shots(sample: &Sample) -> Vec<Shot> {
    let mut shots = lists(sample);
    shots.extend(pages(sample));
    shots.extend(adding(sample));
    shots.extend(editing(sample));
    shots.extend(passwords(sample));
    shots.extend(questions(sample));
    shots.extend(links(sample));
    shots.extend(sessions(sample));
    shots
}

fn lists(sample: &Sample) -> Vec<Shot> {
    let list = |listing, rows| Devices {
        frame: sample.frame(PLACE),
        listing,
        rows,
    };
    let filters = [
        ("device-never-used", false),
        ("device-state-paused", true),
        ("device-state-disconnected", false),
        ("filter-knocking", false),
    ];
    vec![
        shot("devices", &list(listing("/o/x/devices", &filters), devices())),
        shot("devices-empty", &list(short("/o/x/devices"), Vec::new())),
        shot("devices-filtered-empty", &list(fruitless("/o/x/devices"), Vec::new())),
    ]
}

fn page(frame: Frame, device: DeviceRow) -> DevicePage {
    DevicePage {
        frame,
        first_used: device.last_used.clone(),
        device,
        created_at: ago(100 * DAY),
        added_by: Some("Sophie Laurent".to_owned()),
        replaced_at: None,
        networks: Vec::new(),
        senders: Vec::new(),
        sessions: Vec::new(),
        activity: activity().into_iter().take(3).collect(),
        may: DeviceMay {
            edit: true,
            pause: true,
            replace: true,
            disconnect: true,
            end_sessions: true,
        },
        awaiting: None,
        link: None,
    }
}

fn pages(sample: &Sample) -> Vec<Shot> {
    let frame = || sample.frame(PLACE);
    let session = |id, protocol| DeviceSession {
        id,
        used: used(900, protocol, Some(HOSTILE), "203.0.113.7"),
    };
    let live = DevicePage {
        sessions: vec![session(1, Protocol::Imap), session(2, Protocol::Smtp)],
        networks: vec!["203.0.113.0/24".to_owned(), "2001:db8::/32".to_owned()],
        senders: vec!["noreply@acme.ch".to_owned(), "@shop.example".to_owned()],
        replaced_at: Some(ago(20 * DAY)),
        ..page(
            Frame {
                flash: Some(done::device_saved(ended(1))),
                ..frame()
            },
            iphone(),
        )
    };
    let fresh = DevicePage {
        awaiting: Some(FirstSignIn::Waiting),
        activity: Vec::new(),
        ..page(
            frame(),
            DeviceRow {
                last_used: None,
                live: 0,
                name: LONG.to_owned(),
                ..iphone()
            },
        )
    };
    let seen = DevicePage {
        may: DeviceMay::default(),
        added_by: None,
        ..page(sample.member(Place::MyMailboxes), iphone())
    };
    let knocked = DeviceRow {
        knocking: Some(knocking()),
        ..iphone()
    };
    let revoked = Frame {
        flash: Some(done::disconnected("Anna’s iPhone", ended(2), Some("/again".to_owned()))),
        ..frame()
    };
    let mut states = devices();
    states.drain(..3);
    let [paused, imported, expired, gone] = <[DeviceRow; 4]>::try_from(states).expect("seven sample devices");
    vec![
        shot("device", &live),
        shot("device-fresh", &fresh),
        shot("device-auditor", &seen),
        shot("device-knocking", &page(frame(), knocked)),
        shot("device-paused", &page(frame(), paused)),
        shot("device-imported", &page(frame(), imported)),
        shot("device-expired", &page(frame(), expired)),
        shot("device-revoked", &page(revoked, gone)),
    ]
}

const fn ended(count: u64) -> done::Ended {
    done::Ended::Sessions { count, milliseconds: 4 }
}

fn adding(sample: &Sample) -> Vec<Shot> {
    let new = |frame, kind, form| NewDevice {
        frame,
        mailbox: mailbox("info@acme.ch"),
        alias: None,
        kind,
        form,
        people: ["Anna Keller", HOSTILE]
            .map(|name| Choice {
                value: person(name).id.to_string(),
                name: name.to_owned(),
            })
            .to_vec(),
        may_be_nobodys: true,
        once: "1".to_owned(),
        can_mail: true,
    };
    let own = NewDevice {
        people: Vec::new(),
        ..new(
            sample.member(Place::MyMailboxes),
            Some(DeviceKind::Iphone),
            form("Lucie’s iPhone"),
        )
    };
    let alias = NewDevice {
        alias: Some("hello@acme.ch".to_owned()),
        ..new(sample.frame(Place::Mailboxes), None, DeviceForm::default())
    };
    vec![
        shot(
            "device-new",
            &new(sample.frame(Place::Mailboxes), None, DeviceForm::default()),
        ),
        shot("device-new-alias", &alias),
        shot(
            "device-new-app",
            &new(sample.frame(Place::Mailboxes), Some(DeviceKind::App), form("CRM")),
        ),
        shot(
            "device-new-wrong",
            &new(sample.refused(Place::Mailboxes), Some(DeviceKind::Iphone), wrong()),
        ),
        shot("device-new-own", &own),
    ]
}

fn form(name: &str) -> DeviceForm {
    DeviceForm {
        name: Field::of(name),
        scopes: Ticks::of(["imap", "smtp"]),
        expires: Field::of("never"),
        how: Field::of("show"),
        ..DeviceForm::default()
    }
}

/// A form in which everything that can be is wrong.
fn wrong() -> DeviceForm {
    DeviceForm {
        name: Field::of("Anna’s iPhone").wrong(problem::name_taken("Anna’s iPhone 2")),
        scopes: Ticks {
            error: Some(problem::scopes()),
            ..Ticks::default()
        },
        expires: Field::of("on"),
        expires_on: Field::of("2020-01-01").wrong(problem::day_to_come()),
        networks: Field::of("everywhere").wrong(problem::network(HOSTILE)),
        how: Field::of("mail"),
        to: Field::of("anna@").wrong(problem::address()),
        ..DeviceForm::default()
    }
}

fn editing(sample: &Sample) -> Vec<Shot> {
    let edit = |frame, form| EditDevice {
        frame,
        id: DeviceId::from_raw(3001),
        name: HEBREW.to_owned(),
        form,
        revision: "3".to_owned(),
    };
    let networks = DeviceForm {
        networks: Field::of("203.0.113.0/24, 2001:db8::/32"),
        ..form(HEBREW)
    };
    vec![
        shot("device-edit", &edit(sample.frame(PLACE), networks)),
        shot("device-edit-wrong", &edit(sample.refused(PLACE), wrong())),
    ]
}

pub(super) fn password(frame: Frame, state: FirstSignIn, is_replacement: bool, qr: bool) -> DevicePassword {
    let server = |host: &str, port, is_implicit_tls| Server {
        host: host.to_owned(),
        port,
        is_implicit_tls,
    };
    DevicePassword {
        frame,
        device: DeviceRow {
            live: 0,
            last_used: None,
            ..iphone()
        },
        password: Secret::new(PASSWORD.to_owned()),
        is_replacement,
        imap: Some(server("mail.acme.example", 993, true)),
        smtp: Some(server("mail.acme.example", 587, false)),
        qr: qr.then(|| Qr::of("the settings of an account")).flatten(),
        forms: Vec::new(),
        test_to: Some("sophie@laurent.example".to_owned()),
        has_networks: false,
        trial: None,
        state,
    }
}

/// Everything that can be wrong with a try.
fn troubles() -> Vec<(&'static str, Trouble)> {
    let by = |protocol, why| Trouble {
        at: ago(30),
        from: ip("203.0.113.7"),
        is_from_told: true,
        protocol,
        why,
    };
    let name = |given: Option<&str>| Why::WrongName {
        given: given.map(str::to_owned),
        address: "info@acme.ch".to_owned(),
    };
    let host = || "mail.acme.example".to_owned();
    let clear = |exposed| Why::Unencrypted {
        exposed,
        replace: exposed.then(|| "/do".to_owned()),
    };
    let imap = |why| by(Protocol::Imap, why);
    let unsaid = |why| Trouble {
        is_from_told: false,
        ..imap(why)
    };
    vec![
        ("wrong-password", imap(Why::WrongPassword)),
        ("old-password", imap(Why::OldPassword)),
        ("wrong-name", imap(name(Some(HOSTILE)))),
        ("other-name", imap(name(None))),
        ("certificate", imap(Why::Certificate { host: host() })),
        ("unencrypted", imap(clear(false))),
        ("wrong-password-elsewhere", unsaid(Why::WrongPassword)),
        ("unencrypted-near", unsaid(clear(false))),
        ("too-many-near", unsaid(Why::TooMany)),
        ("exposed", imap(clear(true))),
        ("may-not-receive", imap(Why::WrongScope)),
        ("may-not-send", by(Protocol::Smtp, Why::WrongScope)),
        ("wrong-network", imap(Why::WrongNetwork)),
        ("mail-store", imap(Why::MailStore)),
        ("suspended", imap(Why::Suspended)),
        ("too-many", imap(Why::TooMany)),
        ("tried-paused", imap(Why::Paused)),
        ("tried-expired", imap(Why::Expired)),
    ]
}

fn sign_ins() -> Vec<(&'static str, FirstSignIn)> {
    let with = |receiving, sending, trouble| FirstSignIn::Connected {
        used: used(0, Protocol::Imap, Some("iPhone Mail"), "203.0.113.7"),
        receiving,
        sending,
        trouble,
    };
    let connected = |receiving, sending| with(receiving, sending, None);
    let not_sent = troubles().into_iter().find(|(name, _)| *name == "may-not-send");
    let tried = troubles()
        .into_iter()
        .map(|(name, trouble)| (name, FirstSignIn::Tried(trouble)));
    let mut states = vec![
        ("waiting", FirstSignIn::Waiting),
        (
            "silent",
            FirstSignIn::Silent {
                host: "mail.acme.example".to_owned(),
                port: 993,
            },
        ),
        ("paused", FirstSignIn::Paused),
        ("expired", FirstSignIn::Expired),
        ("connected", connected(Some(true), Some(false))),
        ("works", connected(Some(true), Some(true))),
        ("sends", connected(None, Some(true))),
        ("not-received", connected(Some(false), None)),
        (
            "half",
            with(Some(true), Some(false), not_sent.map(|(_, trouble)| trouble)),
        ),
    ];
    states.extend(tried);
    states
}

fn passwords(sample: &Sample) -> Vec<Shot> {
    let frame = || sample.frame(Place::Mailboxes);
    let mut shots: Vec<_> = sign_ins()
        .into_iter()
        .map(|(name, state)| {
            shot(
                &format!("device-password-{name}"),
                &password(frame(), state, false, false),
            )
        })
        .collect();
    let fragment = LiveFirstSignIn {
        frame: &frame(),
        state: FirstSignIn::Waiting,
    };
    let page = shots.first().expect("a first sign-in").html.clone();
    assert!(
        page.contains(fragment.render_once().trim()),
        "the stream sends what the page has"
    );
    shots.push(shot(
        "device-password-replaced",
        &password(sample.member(Place::MyMailboxes), FirstSignIn::Waiting, true, true),
    ));
    shots.push(shot(
        "device-password-gone",
        &PasswordGone {
            frame: frame(),
            device: iphone(),
            may_replace: true,
        },
    ));
    shots
}

impl LiveFirstSignIn<'_> {
    fn render_once(&self) -> String {
        use askama::Template;
        self.render().unwrap()
    }
}

fn questions(sample: &Sample) -> Vec<Shot> {
    let frame = || sample.frame(PLACE);
    let (action, back) = (|| "/do".to_owned(), || "/back".to_owned());
    let ending = |name: &str, live| EndingDevice {
        name: name.to_owned(),
        mailbox: "info@acme.ch".to_owned(),
        live,
    };
    vec![
        shot(
            "device-disconnect",
            &Confirm::disconnect(frame(), &ending("CRM", 1), true, 1240, action(), back()),
        ),
        shot(
            "device-disconnect-idle",
            &Confirm::disconnect(frame(), &ending(HOSTILE, 0), false, 0, action(), back()),
        ),
        shot(
            "device-pause",
            &Confirm::pause(frame(), &ending("Anna’s iPhone", 2), action(), back()),
        ),
        shot(
            "device-replace",
            &Confirm::replace(frame(), &ending(HEBREW, 1), action(), back()),
        ),
        shot(
            "session-end",
            &Confirm::end_session(frame(), "CRM", LONG_ADDRESS, action(), back()),
        ),
    ]
}

fn sessions(sample: &Sample) -> Vec<Shot> {
    let row = |id, address: &str, name: &str, protocol| SessionRow {
        id,
        mailbox: mailbox(address),
        device: DeviceId::from_raw(3001),
        device_name: name.to_owned(),
        used: used(
            id * 700,
            protocol,
            Some("Thunderbird 140.3.0esr on Linux"),
            "2001:db8:85a3::8a2e:370:7334",
        ),
        received: 12_345_678_901 / id,
        sent: 870 * id,
    };
    let rows = vec![
        row(1, "info@acme.ch", "Anna’s iPhone", Protocol::Imap),
        row(900, LONG_ADDRESS, LONG, Protocol::Imap),
        row(30_000, "info@acme.ch", HOSTILE, Protocol::Smtp),
    ];
    let list = |listing, rows, last| Sessions {
        frame: sample.frame(Place::Sessions),
        listing,
        rows,
        last,
        may_end: true,
    };
    let live = LiveSessions {
        frame: &sample.frame(Place::Sessions),
        listing: &short("/o/x/sessions"),
        rows: &rows,
        last: None,
        may_end: true,
    };
    let badge = LiveBadge {
        frame: &sample.frame(PLACE),
        badge: DeviceRow {
            standing: Standing::Active,
            ..iphone()
        }
        .badge(),
    };
    let last = Some((HEBREW.to_owned(), ago(840)));
    let nobody: Listing = short("/o/x/sessions");
    let mut shots = vec![
        shot("sessions", &list(short("/o/x/sessions"), rows.clone(), None)),
        shot("sessions-empty", &list(nobody, Vec::new(), last)),
        shot(
            "sessions-filtered-empty",
            &list(fruitless("/o/x/sessions"), Vec::new(), None),
        ),
    ];
    let page = &shots[0].html;
    assert!(
        page.contains(shot("live", &live).html.trim()),
        "the stream sends the page's table"
    );
    assert!(shot("badge", &badge).html.contains("badge good"));
    let auditor = Sessions {
        may_end: false,
        ..list(short("/o/x/sessions"), rows, Some((String::new(), ahead(1))))
    };
    shots.push(shot("sessions-auditor", &auditor));
    shots
}

fn link(state: DeviceLinkState) -> DeviceLinkShown {
    DeviceLinkShown {
        state,
        recipient: Some(LONG_ADDRESS.to_owned()),
        mail: Some(MailShown {
            stand: MailStand::Sent(ago(DAY)),
            answer: None,
        }),
        sent_by: HOSTILE.to_owned(),
        created_at: ago(DAY),
        expires_at: ahead(DAY),
        opened_from: Some("2001:db8:85a3::8a2e:370:7334".to_owned()),
    }
}

fn link_page(sample: &Sample, link: Option<DeviceLinkShown>) -> DeviceLinkPage {
    DeviceLinkPage {
        frame: sample.frame(PLACE),
        device: DeviceRow {
            live: 0,
            last_used: None,
            name: LONG.to_owned(),
            link: link.as_ref().map(|link| link.state),
            ..iphone()
        },
        link,
        url: None,
        qr: None,
        may_send: true,
        may_withdraw: true,
        can_mail: true,
        to: Field::of(LONG_ADDRESS),
        language: Field::of("fr"),
    }
}

fn links(sample: &Sample) -> Vec<Shot> {
    let url = || {
        Some(Secret::new(
            "https://manager.acme.example/s/psd_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".to_owned(),
        ))
    };
    let page = |state| link_page(sample, Some(link(state)));
    let scan = DeviceLinkPage {
        url: url(),
        qr: url().and_then(|url| Qr::of(url.expose())),
        ..page(DeviceLinkState::Sent)
    };
    let copied = DeviceLinkPage {
        url: url(),
        ..page(DeviceLinkState::Sent)
    };
    let mut shots = vec![
        shot("device-link-scan", &scan),
        shot("device-link-copied", &copied),
        shot("device-link-sent", &page(DeviceLinkState::Sent)),
        shot("device-link-fetched", &page(DeviceLinkState::Fetched(ago(60)))),
        shot("device-link-signed-in", &page(DeviceLinkState::SignedIn(ago(60)))),
        shot("device-link-none", &link_page(sample, None)),
    ];
    shots.extend(link_mails(sample));
    shots
}

/// What became of the mail with a link.
fn link_mails(sample: &Sample) -> Vec<Shot> {
    let mailed = |stand, answer: Option<&str>| {
        let mail = MailShown {
            stand,
            answer: answer.map(str::to_owned),
        };
        let shown = DeviceLinkShown {
            mail: Some(mail),
            opened_from: None,
            ..link(DeviceLinkState::Sent)
        };
        link_page(sample, Some(shown))
    };
    let refused = format!("550 5.1.1 <{LONG_ADDRESS}>: {HOSTILE}");
    let waiting = mailed(MailStand::Waiting, Some("421 4.3.2 come back later"));
    vec![
        shot("device-link-waiting", &waiting),
        shot(
            "device-link-bounced",
            &mailed(MailStand::Failed(ago(60)), Some(&refused)),
        ),
        shot("device-link-unsent", &mailed(MailStand::Unsent, None)),
    ]
}
