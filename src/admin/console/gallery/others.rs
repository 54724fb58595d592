//! Overview, activity, one's own pages, search, errors.

use super::sample::{
    DAY, HEBREW, HOSTILE, LONG, LONG_ADDRESS, Sample, activity, ago, ahead, devices, iphone, listing, mailbox, org,
    person, short,
};
use super::{Shot, shot};
use crate::admin::console::text::Line;
use crate::admin::console::view::account::{
    Account, ChangeAddress, ChangePassword, ConsoleSession, RecoveryCodes, SetUpCode,
};
use crate::admin::console::view::activity::{Activity, ActivityFilter, ActivityOne};
use crate::admin::console::view::confirm::Confirm;
use crate::admin::console::view::done::{Ended, forbidden};
use crate::admin::console::view::error::{Conflict, Difference, ErrorPage, Fault};
use crate::admin::console::view::form::problem;
use crate::admin::console::view::me::{LostDevice, MyActivity, MyMailbox, MyMailboxes};
use crate::admin::console::view::overview::{Figure, FirstSteps, Overview, Todo};
use crate::admin::console::view::qr::Qr;
use crate::admin::console::view::search::{AliasFound, PersonFound, Search};
use crate::admin::console::view::{Field, Flash, Frame, Listing, Place, Theme, done};
use crate::model::{AliasId, ConsoleSessionId};
use crate::secret::Secret;

pub(super) fn shots(sample: &Sample) -> Vec<Shot> {
    let mut shots = overview(sample);
    shots.extend(log(sample));
    shots.extend(own(sample));
    shots.extend(account(sample));
    shots.extend(codes(sample));
    shots.extend(search(sample));
    shots.extend(errors(sample));
    shots.extend(flashes(sample));
    shots
}

fn overview(sample: &Sample) -> Vec<Shot> {
    let href = || "/o/x/devices?filter=a".to_owned();
    let figures = |many: u64| {
        vec![
            Figure::mailboxes(many, href()),
            Figure::devices(many * 5, href(), (many / 2, href()), (many / 3, href())),
            Figure::sessions(many * 2, href()),
            Figure::people(many + 1, href(), many / 4, href()),
        ]
    };
    let overview = |first_steps, todos, many, latest| Overview {
        frame: sample.frame(Place::Overview),
        first_steps,
        todos,
        figures: figures(many),
        latest,
    };
    let todos = [1, 4]
        .into_iter()
        .flat_map(|count| {
            [
                Todo::undelivered(count, href()),
                Todo::unread_mailboxes(count, href()),
                Todo::knocking(count, href()),
                Todo::imported_devices(count, href()),
                Todo::without_code(count, href()),
                Todo::without_own_code(),
                Todo::one_owner(href()),
                Todo::unused_devices(count, href()),
                Todo::stale_devices(count, href()),
            ]
        })
        .collect::<Vec<_>>();
    let begun = FirstSteps {
        domain: true,
        mailbox: true,
        ..FirstSteps::default()
    };
    let few = || todos[..3].to_vec();
    vec![
        shot(
            "overview-first",
            &overview(Some(FirstSteps::default()), Vec::new(), 0, Vec::new()),
        ),
        shot("overview-begun", &overview(Some(begun), few(), 4, activity())),
        shot("overview", &overview(None, few(), 52, activity())),
        shot("overview-quiet", &overview(None, Vec::new(), 10_000, activity())),
        shot("overview-all-todos", &overview(None, todos.clone(), 1, Vec::new())),
    ]
}

fn log(sample: &Sample) -> Vec<Shot> {
    let list = |filter, listing, rows| Activity {
        frame: sample.frame(Place::Activity),
        filter,
        listing,
        rows,
        export_json: Some("/o/x/activity?format=jsonl".to_owned()),
    };
    let filter = ActivityFilter {
        query: Field::of(HOSTILE),
        about: Field::of("device"),
        since: Field::of("2026-11-01"),
        until: Field::of("2026-12-01").wrong(problem::day_past()),
    };
    let filtered = || {
        let mut filtered = short("/o/x/activity");
        filtered.query = HOSTILE.to_owned();
        filtered
    };
    let one = |row: usize, hash: Option<&str>| ActivityOne {
        frame: sample.frame(Place::Activity),
        number: 12_431,
        row: activity().swap_remove(row),
        subject: "dev-0h8k2m4n6p8q0".to_owned(),
        facts: vec![
            ("label".to_owned(), HOSTILE.to_owned()),
            ("mailbox".to_owned(), LONG_ADDRESS.to_owned()),
        ],
        hash: hash.map(str::to_owned),
    };
    let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    vec![
        shot(
            "activity",
            &list(ActivityFilter::default(), listing("/o/x/activity", &[]), activity()),
        ),
        shot("activity-filtered", &list(filter.clone(), filtered(), activity())),
        shot("activity-filtered-empty", &list(filter, filtered(), Vec::new())),
        shot(
            "activity-empty",
            &list(ActivityFilter::default(), short("/o/x/activity"), Vec::new()),
        ),
        shot("activity-one", &one(0, Some(hash))),
        shot("activity-one-behalf", &one(3, None)),
    ]
}

fn own(sample: &Sample) -> Vec<Shot> {
    let mine = |address: &str, devices, others| MyMailbox {
        org: org(),
        org_name: "Acme".to_owned(),
        mailbox: mailbox(address),
        devices,
        others,
        ends_at: None,
        is_suspended: false,
        may_add_device: true,
    };
    let page = |frame, mailboxes: Vec<MyMailbox>| MyMailboxes {
        frame,
        listing: Listing::default(),
        has_devices: mailboxes.iter().any(|mailbox| !mailbox.devices.is_empty()),
        mailboxes,
    };
    let many = vec![
        mine("info@acme.ch", devices(), Some(3)),
        MyMailbox {
            ends_at: Some(ahead(20 * DAY)),
            org_name: HOSTILE.to_owned(),
            ..mine(LONG_ADDRESS, Vec::new(), Some(0))
        },
        MyMailbox {
            is_suspended: true,
            may_add_device: false,
            ..mine("contact@acme.ch", vec![iphone()], None)
        },
    ];
    let place = Place::MyMailboxes;
    let paused = Ended::Sessions {
        count: 2,
        milliseconds: 3,
    };
    let after = Frame {
        flash: Some(done::lost_paused("Anna’s iPhone", paused)),
        ..sample.own(place)
    };
    let lost = |devices| LostDevice {
        frame: sample.own(place),
        devices,
    };
    let history = |rows| MyActivity {
        frame: sample.own(Place::MyActivity),
        listing: listing("/me/activity", &[]),
        rows,
    };
    vec![
        shot("me", &page(after, many)),
        shot(
            "me-one",
            &page(sample.member(place), vec![mine("info@acme.ch", vec![iphone()], None)]),
        ),
        shot("me-empty", &page(sample.own(place), Vec::new())),
        shot("me-lost", &lost(devices())),
        shot("me-lost-none", &lost(Vec::new())),
        shot("me-activity", &history(activity())),
        shot("me-activity-empty", &history(Vec::new())),
    ]
}

/// The first is the one that the page is looked at in.
fn session(id: i64, browser: &str) -> ConsoleSession {
    ConsoleSession {
        id: ConsoleSessionId::from_raw(id),
        browser: browser.to_owned(),
        ip: "2001:db8:85a3::8a2e:370:7334".to_owned(),
        since: ago(3 * DAY),
        seen_at: ago(60),
        is_this: id == 1,
    }
}

fn account(sample: &Sample) -> Vec<Shot> {
    let page = |frame, sessions| Account {
        frame,
        address: "sophie@laurent.example".to_owned(),
        asked: None,
        is_own_domain: false,
        name: Field::of("Sophie Laurent"),
        language: Field::of("en"),
        theme: Field::of("system"),
        has_code: true,
        recovery_codes: 3,
        sessions,
    };
    let many = vec![
        session(1, "Firefox on Linux"),
        session(2, "Safari on iPhone"),
        session(3, HOSTILE),
    ];
    let bare = Account {
        address: LONG_ADDRESS.to_owned(),
        is_own_domain: true,
        has_code: false,
        theme: Field::of("dark"),
        ..page(sample.themed(Theme::Dark), vec![session(1, "Chrome on Windows")])
    };
    let light = Account {
        asked: Some((LONG_ADDRESS.to_owned(), ahead(DAY))),
        recovery_codes: 0,
        name: Field::of("").wrong(problem::missing()),
        theme: Field::of("light"),
        ..page(sample.themed(Theme::Light), many.clone())
    };
    let change = |password| ChangePassword {
        frame: sample.own(Place::MyAccount),
        password,
    };
    let address = |address, is_confirmed| ChangeAddress {
        frame: sample.own(Place::MyAccount),
        address,
        is_confirmed,
    };
    let (action, back) = (|| "/do".to_owned(), || "/back".to_owned());
    let frame = || sample.own(Place::MyAccount);
    vec![
        shot("account", &page(sample.own(Place::MyAccount), many)),
        shot("account-bare-dark", &bare),
        shot("account-light", &light),
        shot("password", &change(Field::default())),
        shot(
            "password-wrong",
            &change(Field::default().wrong(problem::password_short(12))),
        ),
        shot("address", &address(Field::of("sophie@laurent.example"), true)),
        shot(
            "address-wrong",
            &address(Field::of(LONG_ADDRESS).wrong(problem::sign_in_taken()), false),
        ),
        shot(
            "address-confirm",
            &Confirm::use_address(frame(), LONG_ADDRESS, action(), back()),
        ),
        shot(
            "account-everywhere",
            &Confirm::sign_out_everywhere(frame(), 2, action(), back()),
        ),
        shot(
            "account-new-codes",
            &Confirm::new_recovery_codes(frame(), action(), back()),
        ),
    ]
}

fn codes(sample: &Sample) -> Vec<Shot> {
    let set_up = |code| SetUpCode {
        frame: sample.own(Place::MyAccount),
        qr: Qr::of("otpauth://totp/Postern:sophie%40laurent.example?secret=JBSWY3DPEHPK3PXP&issuer=Postern"),
        key: Secret::new("JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP".to_owned()),
        offer: "kqzm".to_owned(),
        code,
    };
    let codes = RecoveryCodes {
        frame: sample.own(Place::MyAccount),
        codes: (0..10).map(|n| Secret::new(format!("{n}bcd-fghj-kmnp"))).collect(),
    };
    vec![
        shot(
            "account-code-off",
            &Confirm::remove_code(
                sample.own(Place::MyAccount),
                Field::default(),
                "/do".to_owned(),
                "/back".to_owned(),
            ),
        ),
        shot(
            "account-code-off-wrong",
            &Confirm::remove_code(
                sample.refused(Place::MyAccount),
                Field::default().wrong(problem::code()),
                "/do".to_owned(),
                "/back".to_owned(),
            ),
        ),
        shot("account-code", &set_up(Field::default())),
        shot(
            "account-code-wrong",
            &set_up(Field::of("111111").wrong(problem::code())),
        ),
        shot("recovery-codes", &codes),
    ]
}

fn search(sample: &Sample) -> Vec<Shot> {
    let empty = |query: &str| Search {
        frame: sample.frame(Place::Search),
        query: query.to_owned(),
        mailboxes: Vec::new(),
        aliases: Vec::new(),
        people: Vec::new(),
        devices: Vec::new(),
        activity: Vec::new(),
        is_cut: false,
    };
    let found = PersonFound {
        id: person(HOSTILE).id,
        name: HOSTILE.to_owned(),
        address: LONG_ADDRESS.to_owned(),
    };
    let full = Search {
        mailboxes: vec![mailbox("info@acme.ch"), mailbox(LONG_ADDRESS)],
        aliases: vec![AliasFound {
            id: AliasId::from_raw(9),
            address: "hello@acme.ch".to_owned(),
            mailbox: mailbox("info@acme.ch"),
        }],
        people: vec![found],
        devices: devices(),
        activity: activity(),
        is_cut: true,
        ..empty("203.0.113.7")
    };
    vec![
        shot("search", &full),
        shot("search-none", &empty(HOSTILE)),
        shot("search-start", &empty("")),
    ]
}

fn errors(sample: &Sample) -> Vec<Shot> {
    let error = |name: &str, fault| {
        let page = ErrorPage {
            frame: sample.member(Place::Elsewhere),
            fault,
        };
        shot(name, &page)
    };
    let not_allowed = |what, names: &[&str]| Fault::Forbidden {
        what,
        who_can: names.iter().map(ToString::to_string).collect(),
    };
    let team = ["Sophie", HOSTILE, HEBREW, "Marc", "Anna"];
    vec![
        error("error-400", Fault::BadRequest),
        error("error-403-site", Fault::ForeignSite),
        error(
            "error-403-two",
            not_allowed(forbidden::add_device("info@acme.ch"), &team[..2]),
        ),
        error(
            "error-403-one",
            not_allowed(forbidden::manage_devices("info@acme.ch"), &team[..1]),
        ),
        error(
            "error-403-many",
            not_allowed(forbidden::manage_aliases(LONG_ADDRESS), &team),
        ),
        error("error-403-nobody", not_allowed(forbidden::see(), &[])),
        error(
            "error-403-mailboxes",
            not_allowed(forbidden::manage_mailboxes(), &team[..1]),
        ),
        error(
            "error-403-access",
            not_allowed(forbidden::give_access("info@acme.ch"), &team[..1]),
        ),
        error("error-403-else", not_allowed(forbidden::anything_else(), &team[..1])),
        error("error-403-people", not_allowed(forbidden::manage_people(), &team[..1])),
        error("error-403-owners", not_allowed(forbidden::manage_owners(), &team[..1])),
        error(
            "error-403-auditor",
            not_allowed(forbidden::change_anything(), &team[..1]),
        ),
        error("error-404", Fault::NotFound),
        error("error-410", Fault::Gone),
        error("error-413", Fault::TooLarge),
        error("error-429", Fault::TooMany { again_at: ahead(90) }),
        error(
            "error-500",
            Fault::Internal {
                reference: "7hq2m4x9".to_owned(),
            },
        ),
        error("error-503", Fault::Unavailable),
        shot("error-409", &conflict(sample)),
    ]
}

fn conflict(sample: &Sample) -> Conflict {
    Conflict {
        frame: sample.frame(Place::Devices),
        what: HEBREW.to_owned(),
        who: "Marc Dubois".to_owned(),
        at: ago(20),
        differences: vec![
            Difference {
                label: Line::new("device-name"),
                theirs: HOSTILE.to_owned(),
                mine: LONG.to_owned(),
            },
            Difference {
                label: Line::new("device-networks"),
                theirs: String::new(),
                mine: "203.0.113.0/24".to_owned(),
            },
        ],
        action: "/o/x/devices/y/edit".to_owned(),
        fields: vec![
            ("name".to_owned(), LONG.to_owned()),
            ("revision".to_owned(), "5".to_owned()),
        ],
        theirs: "/o/x/devices/y".to_owned(),
    }
}

/// Everything that a page can say once above itself.
fn flashes(sample: &Sample) -> Vec<Shot> {
    let ended = |count| Ended::Sessions {
        count,
        milliseconds: 12,
    };
    let all: Vec<Flash> = vec![
        done::saved(),
        done::unchanged(),
        done::disconnected(HOSTILE, Ended::Unconfirmed, None),
        done::all_disconnected("info@acme.ch", 6, ended(11)),
        done::all_disconnected("info@acme.ch", 1, ended(0)),
        done::paused("CRM", ended(1)),
        done::resumed("CRM"),
        done::session_ended(HEBREW),
        done::access_withdrawn("Lucie Müller", "info@acme.ch", 0, ended(0)),
        done::access_withdrawn("Lucie Müller", "info@acme.ch", 2, ended(3)),
        done::member_removed("Marc", "Acme", 0, ended(0)),
        done::member_removed("Marc", "Acme", 12_345, ended(12_345)),
        done::joined("Acme"),
        done::suspended("info@acme.ch", ended(2)),
        done::mailbox_resumed("info@acme.ch"),
        done::mailbox_deleted("info@acme.ch", ended(2)),
        done::alias_added("hello@acme.ch", "info@acme.ch"),
        done::alias_removed("hello@acme.ch"),
        done::domain_added("acme.ch", Some("/o/x/mailboxes/new".to_owned())),
        done::domain_removed("acme.ch"),
        done::token_revoked("CRM sync"),
        done::password_changed(0),
        done::password_changed(2),
        done::code_removed(),
        done::signed_out(1),
        Flash::problem(problem::again_at(ahead(300))),
    ];
    let page = |(index, flash)| {
        let lost = LostDevice {
            frame: Frame {
                flash: Some(flash),
                ..sample.own(Place::MyMailboxes)
            },
            devices: Vec::new(),
        };
        shot(&format!("flash-{index:02}"), &lost)
    };
    all.into_iter().enumerate().map(page).collect()
}
