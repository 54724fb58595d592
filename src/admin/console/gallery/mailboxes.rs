//! Mailboxes, aliases, access, and the questions about them.

use super::sample::{
    DAY, HEBREW, HOSTILE, LONG, LONG_ADDRESS, Sample, activity, ago, ahead, devices, fruitless, listing, mailbox,
    person, short,
};
use super::{Shot, shot};
use crate::admin::console::view::access::{AccessPage, NewAccess};
use crate::admin::console::view::confirm::{Confirm, EndingDevice};
use crate::admin::console::view::device::DeviceRow;
use crate::admin::console::view::form::problem;
use crate::admin::console::view::mailboxes::{
    AccessRow, AliasPage, AliasRow, InvitedRow, MailboxActivity, MailboxAliases, MailboxCreated, MailboxDevices,
    MailboxHead, MailboxPeople, MailboxRow, Mailboxes, NewAlias, NewMailbox,
};
use crate::admin::console::view::{Choice, Field, Frame, Place, Ticks, done};
use crate::model::{AliasId, InvitationId, MailboxId, Right};

const PLACE: Place = Place::Mailboxes;

pub(super) fn shots(sample: &Sample) -> Vec<Shot> {
    let mut shots = lists(sample);
    shots.extend(new(sample));
    shots.extend(tabs(sample));
    shots.extend(log(sample));
    shots.extend(aliases(sample));
    shots.extend(access(sample));
    shots.extend(questions(sample));
    shots
}

fn row(address: &str, people: &[&str], count: u64) -> MailboxRow {
    MailboxRow {
        id: mailbox(address).id,
        address: address.to_owned(),
        people: people.iter().map(ToString::to_string).collect(),
        people_count: count,
        devices: 3,
        is_silent: false,
        aliases: 2,
        last_used: Some((ago(120), "Anna’s iPhone".to_owned())),
        suspended_at: None,
    }
}

fn rows() -> Vec<MailboxRow> {
    vec![
        row("info@acme.ch", &["Anna Keller", "Marc Dubois", "Lucie Müller"], 14),
        MailboxRow {
            devices: 0,
            aliases: 0,
            last_used: None,
            ..row("contact@acme.ch", &[], 0)
        },
        MailboxRow {
            is_silent: true,
            last_used: Some((ago(40 * DAY), HOSTILE.to_owned())),
            ..row(LONG_ADDRESS, &[HEBREW, HOSTILE], 2)
        },
        MailboxRow {
            suspended_at: Some(ago(DAY)),
            ..row("grüße@bücher.example", &["Sophie Laurent"], 1)
        },
    ]
}

fn lists(sample: &Sample) -> Vec<Shot> {
    let path = "/o/x/mailboxes";
    let filters = [("mailbox-unread", true), ("mailbox-suspended", false)];
    let list = |listing, rows, has_domain, may_create| Mailboxes {
        frame: sample.frame(PLACE),
        listing,
        rows,
        has_domain,
        may_create,
    };
    let many = rows().into_iter().cycle().take(50).collect();
    vec![
        shot("mailboxes", &list(listing(path, &filters), rows(), true, true)),
        shot(
            "mailboxes-one",
            &list(short(path), rows().into_iter().take(1).collect(), true, true),
        ),
        shot("mailboxes-many", &list(listing(path, &[]), many, true, false)),
        shot("mailboxes-empty", &list(short(path), Vec::new(), true, true)),
        shot("mailboxes-no-domain", &list(short(path), Vec::new(), false, true)),
        shot(
            "mailboxes-filtered-empty",
            &list(fruitless(path), Vec::new(), true, true),
        ),
    ]
}

fn domains() -> Vec<String> {
    ["acme.ch", "mail.grandhotel-bellevue-lausanne.example"]
        .map(str::to_owned)
        .to_vec()
}

fn new(sample: &Sample) -> Vec<Shot> {
    let new = |local, domains: Vec<String>| NewMailbox {
        frame: sample.frame(PLACE),
        local,
        domain: Field::of("acme.ch"),
        domains,
    };
    let refused = |local: Field| NewMailbox {
        frame: sample.refused(PLACE),
        ..new(local, domains())
    };
    let taken = Field::of("info").wrong(problem::address_taken("info@acme.ch"));
    vec![
        shot("mailbox-new", &new(Field::default(), domains())),
        shot(
            "mailbox-new-one-domain",
            &new(Field::default(), domains().into_iter().take(1).collect()),
        ),
        shot("mailbox-new-taken", &refused(taken)),
        shot(
            "mailbox-new-bad",
            &refused(Field::of("<b>").wrong(problem::local_part())),
        ),
        shot(
            "mailbox-new-domain",
            &refused(Field::of("a@else.example").wrong(problem::domain_unknown("else.example"))),
        ),
        shot(
            "mailbox-created",
            &MailboxCreated {
                frame: sample.frame(PLACE),
                id: MailboxId::from_raw(1),
                address: "info@acme.ch".to_owned(),
                may_grant: true,
                may_add_device: true,
            },
        ),
    ]
}

fn head(address: &str) -> MailboxHead {
    MailboxHead {
        id: mailbox(address).id,
        address: address.to_owned(),
        suspended_at: None,
        people: 3,
        devices: 7,
        aliases: 2,
        from_list: true,
        may_see_people: true,
        may_grant: true,
        may_add_device: true,
        may_manage_devices: true,
        may_manage_aliases: true,
        may_change: true,
    }
}

/// What somebody sees who may only add their own devices.
fn little(address: &str) -> MailboxHead {
    MailboxHead {
        from_list: false,
        may_see_people: false,
        may_grant: false,
        may_manage_devices: false,
        may_manage_aliases: false,
        may_change: false,
        ..head(address)
    }
}

fn accesses() -> Vec<AccessRow> {
    let row = |name: &str, rights: &[Right], ends_at| AccessRow {
        person: person(name),
        address: "anna@keller.example".to_owned(),
        rights: rights.to_vec(),
        ends_at,
        devices: 2,
        since: ago(80 * DAY),
    };
    vec![
        row("Anna Keller", &[Right::SeeDevices, Right::AddOwnDevices], None),
        AccessRow {
            address: LONG_ADDRESS.to_owned(),
            devices: 0,
            ..row(LONG, Right::ALL, Some(ahead(20 * DAY)))
        },
        row(HOSTILE, &[Right::SendAs], None),
    ]
}

fn tabs(sample: &Sample) -> Vec<Shot> {
    let people = |head, rows, invited| MailboxPeople {
        frame: sample.frame(PLACE),
        head,
        rows,
        invited,
    };
    let device_list = |frame, head, listing, rows, only_own| MailboxDevices {
        frame,
        head,
        listing,
        rows,
        only_own,
    };
    let path = "/o/x/mailboxes/y/devices";
    let invited = vec![InvitedRow {
        id: InvitationId::from_raw(7),
        address: "lucie@private.example".to_owned(),
        rights: vec![Right::SeeDevices, Right::AddOwnDevices],
        until: ahead(4 * DAY),
    }];
    let suspended = MailboxHead {
        suspended_at: Some(ago(DAY)),
        ..head(LONG_ADDRESS)
    };
    let owner = || sample.frame(PLACE);
    let member = || sample.member(Place::MyMailboxes);
    let own: Vec<_> = devices().into_iter().take(1).collect();
    let ended: Vec<_> = devices().into_iter().filter(DeviceRow::is_over).collect();
    let given = Frame {
        flash: Some(done::access_given("Anna Keller", "info@acme.ch")),
        ..owner()
    };
    vec![
        shot("mailbox-people", &people(head("info@acme.ch"), accesses(), invited)),
        shot(
            "mailbox-people-empty",
            &people(head("info@acme.ch"), Vec::new(), Vec::new()),
        ),
        shot("mailbox-people-suspended", &people(suspended, accesses(), Vec::new())),
        shot(
            "mailbox-people-auditor",
            &MailboxPeople {
                head: MailboxHead {
                    may_grant: false,
                    ..little("info@acme.ch")
                },
                ..people(head("x"), accesses(), Vec::new())
            },
        ),
        shot(
            "mailbox-devices",
            &device_list(given, head("info@acme.ch"), listing(path, &[]), devices(), false),
        ),
        shot(
            "mailbox-devices-ended",
            &device_list(owner(), head("info@acme.ch"), short(path), ended, false),
        ),
        shot(
            "mailbox-devices-empty",
            &device_list(owner(), head("info@acme.ch"), short(path), Vec::new(), false),
        ),
        shot(
            "mailbox-devices-filtered-empty",
            &device_list(owner(), head("info@acme.ch"), fruitless(path), Vec::new(), false),
        ),
        shot(
            "mailbox-devices-own",
            &device_list(member(), little("info@acme.ch"), short(path), own, true),
        ),
    ]
}

fn log(sample: &Sample) -> Vec<Shot> {
    let log = |listing, rows| MailboxActivity {
        frame: sample.frame(PLACE),
        head: head("info@acme.ch"),
        listing,
        rows,
    };
    vec![
        shot(
            "mailbox-activity",
            &log(listing("/o/x/mailboxes/y/activity", &[]), activity()),
        ),
        shot("mailbox-activity-empty", &log(short("/"), Vec::new())),
    ]
}

fn aliases(sample: &Sample) -> Vec<Shot> {
    let alias = |address: &str| AliasRow {
        id: AliasId::from_raw(i64::try_from(address.len()).unwrap()),
        address: address.to_owned(),
        created_at: ago(100 * DAY),
    };
    let list = |rows| MailboxAliases {
        frame: sample.frame(PLACE),
        head: head("info@acme.ch"),
        rows,
    };
    let new = |frame, local| NewAlias {
        frame,
        mailbox: mailbox("info@acme.ch"),
        local,
        domain: Field::of("acme.ch"),
        domains: domains(),
    };
    let page = |address: &str, may| AliasPage {
        frame: sample.frame(PLACE),
        alias: alias(address),
        mailbox: mailbox("info@acme.ch"),
        may_add_device: may,
        may_remove: may,
    };
    vec![
        shot("aliases", &list(vec![alias("hello@acme.ch"), alias(LONG_ADDRESS)])),
        shot("aliases-empty", &list(Vec::new())),
        shot("alias-new", &new(sample.frame(PLACE), Field::default())),
        shot(
            "alias-new-missing",
            &new(sample.refused(PLACE), Field::default().wrong(problem::missing())),
        ),
        shot("alias", &page("hello@acme.ch", true)),
        shot("alias-auditor", &page(LONG_ADDRESS, false)),
    ]
}

fn access(sample: &Sample) -> Vec<Shot> {
    let choice = |name: &str| Choice {
        value: person(name).id.to_string(),
        name: name.to_owned(),
    };
    let new = || NewAccess {
        frame: sample.frame(PLACE),
        mailbox: mailbox("info@acme.ch"),
        people: vec![choice("Anna Keller"), choice(HOSTILE), choice(LONG)],
        person: Field::default(),
        address: Field::default(),
        language: Field::of("fr"),
        rights: Ticks::of(["see-devices", "add-own-devices"]),
        ends: Field::default(),
        may_invite: true,
        then: String::new(),
    };
    let wrong = NewAccess {
        frame: sample.refused(PLACE),
        person: Field::default().wrong(problem::choose_person()),
        address: Field::of("lucie").wrong(problem::has_access()),
        rights: Ticks {
            error: Some(problem::rights()),
            ..Ticks::default()
        },
        ends: Field::of("2020-01-01").wrong(problem::day_to_come()),
        ..new()
    };
    let alone = NewAccess {
        people: Vec::new(),
        ..new()
    };
    let page = AccessPage {
        frame: sample.frame(PLACE),
        mailbox: mailbox("info@acme.ch"),
        person: person("Anna Keller"),
        address: "anna@keller.example".to_owned(),
        rights: Ticks::of(["see-devices", "send-as"]),
        ends: Field::of("2027-03-31"),
        since: ago(80 * DAY),
        revision: "4".to_owned(),
    };
    vec![
        shot("access-new", &new()),
        shot("access-new-wrong", &wrong),
        shot("access-new-alone", &alone),
        shot("access", &page),
    ]
}

fn questions(sample: &Sample) -> Vec<Shot> {
    let frame = || sample.frame(PLACE);
    let (action, back) = (|| "/do".to_owned(), || "/back".to_owned());
    let ending = |name: &str, live| EndingDevice {
        name: name.to_owned(),
        mailbox: "info@acme.ch".to_owned(),
        live,
    };
    let devices = [ending("Lucie’s iPhone", 1), ending(HOSTILE, 0), ending(HEBREW, 3)];
    let wrong = Field::of("info").wrong(problem::confirmation("info@acme.ch"));
    let alias = ["hello@acme.ch".to_owned()];
    vec![
        shot(
            "withdraw",
            &Confirm::withdraw_access(frame(), "Lucie Müller", "info@acme.ch", &devices, action(), back()),
        ),
        shot(
            "withdraw-no-device",
            &Confirm::withdraw_access(frame(), HOSTILE, LONG_ADDRESS, &[], action(), back()),
        ),
        shot(
            "suspend",
            &Confirm::suspend(frame(), "info@acme.ch", 7, 3, action(), back()),
        ),
        shot(
            "revoke-all",
            &Confirm::revoke_all(frame(), "info@acme.ch", &devices, action(), back()),
        ),
        shot(
            "mailbox-delete",
            &Confirm::delete_mailbox(frame(), "info@acme.ch", 7, &alias, Field::default(), action(), back()),
        ),
        shot(
            "mailbox-delete-wrong",
            &Confirm::delete_mailbox(sample.refused(PLACE), "info@acme.ch", 0, &[], wrong, action(), back()),
        ),
        shot(
            "alias-delete",
            &Confirm::delete_alias(frame(), "hello@acme.ch", "info@acme.ch", action(), back()),
        ),
    ]
}
