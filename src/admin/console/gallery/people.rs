//! People, invitations, and the questions about them.

use super::sample::{
    DAY, HEBREW, HOSTILE, LONG, LONG_ADDRESS, Sample, ago, ahead, devices, fruitless, listing, mailbox, person, short,
};
use super::{Shot, shot};
use crate::admin::console::view::confirm::{Confirm, EndingDevice};
use crate::admin::console::view::door::InvitedMailbox;
use crate::admin::console::view::form::problem;
use crate::admin::console::view::invitations::{
    InvitationPage, InvitationRow, InvitationState, Invitations, NewInvitation,
};
use crate::admin::console::view::people::{Leaving, People, Person, PersonAccess, PersonRole, PersonRow};
use crate::admin::console::view::{Field, Frame, Place, Ticks, done};
use crate::model::{InvitationId, Right, Role};

const PLACE: Place = Place::People;

pub(super) fn shots(sample: &Sample) -> Vec<Shot> {
    let mut shots = lists(sample);
    shots.extend(pages(sample));
    shots.extend(invitations(sample));
    shots.extend(inviting(sample));
    shots.extend(invitation(sample));
    shots
}

fn row(name: &str, role: Role) -> PersonRow {
    PersonRow {
        id: person(name).id,
        name: name.to_owned(),
        address: "anna@keller.example".to_owned(),
        role,
        mailboxes: 3,
        devices: 4,
        has_code: true,
        seen_at: Some(ago(900)),
        is_me: false,
    }
}

fn rows() -> Vec<PersonRow> {
    vec![
        PersonRow {
            is_me: true,
            ..row("Sophie Laurent", Role::Owner)
        },
        PersonRow {
            has_code: false,
            address: LONG_ADDRESS.to_owned(),
            ..row(LONG, Role::MailboxManager)
        },
        PersonRow {
            mailboxes: 0,
            devices: 0,
            seen_at: None,
            has_code: false,
            ..row(HEBREW, Role::Member)
        },
        row(HOSTILE, Role::Auditor),
        row("Marc Dubois", Role::Administrator),
    ]
}

fn lists(sample: &Sample) -> Vec<Shot> {
    let list = |listing, rows| People {
        frame: sample.frame(PLACE),
        listing,
        rows,
        may_invite: true,
    };
    let filters = [("person-without-code", false), ("person-no-mailbox", true)];
    vec![
        shot("people", &list(listing("/o/x/people", &filters), rows())),
        shot(
            "people-alone",
            &list(short("/o/x/people"), rows().into_iter().take(1).collect()),
        ),
        shot("people-filtered-empty", &list(fruitless("/o/x/people"), Vec::new())),
    ]
}

fn pages(sample: &Sample) -> Vec<Shot> {
    let access = |address: &str, ends_at| PersonAccess {
        mailbox: mailbox(address),
        rights: vec![Right::SeeDevices, Right::AddOwnDevices],
        ends_at,
    };
    let page = |person| Person {
        frame: sample.frame(PLACE),
        person,
        since: ago(300 * DAY),
        accesses: vec![
            access("info@acme.ch", None),
            access(LONG_ADDRESS, Some(ahead(12 * DAY))),
        ],
        devices: devices(),
        leaving: Leaving {
            accesses: 2,
            devices: 7,
            unread: 1,
        },
        may_change_role: true,
        may_change_access: true,
        may_remove: true,
        why_not: None,
    };
    let nothing = Person {
        accesses: Vec::new(),
        devices: Vec::new(),
        leaving: Leaving::default(),
        ..page(row(HEBREW, Role::Member))
    };
    let last_owner = Person {
        may_change_access: false,
        may_remove: false,
        may_change_role: false,
        why_not: Some(problem::last_owner()),
        ..page(rows().remove(0))
    };
    let role = PersonRole {
        frame: sample.frame(PLACE),
        id: person("Marc Dubois").id,
        name: "Marc Dubois".to_owned(),
        role: Field::of("administrator"),
        offered: Role::ALL.to_vec(),
        revision: "2".to_owned(),
    };
    let (remove, lower) = questions(sample);
    vec![
        shot("person", &page(row("Marc Dubois", Role::Administrator))),
        shot("person-nothing", &nothing),
        shot("person-last-owner", &last_owner),
        shot("person-role", &role),
        shot("person-role-lower", &lower),
        shot("person-remove", &remove),
    ]
}

/// Before somebody is removed, and before a role that takes devices along.
fn questions(sample: &Sample) -> (Confirm, Confirm) {
    let ending = |name: &str, mailbox: &str, live| EndingDevice {
        name: name.to_owned(),
        mailbox: mailbox.to_owned(),
        live,
    };
    let leaving = [
        ending("Marc’s iPhone", "info@acme.ch", 2),
        ending(HOSTILE, LONG_ADDRESS, 0),
    ];
    let boxes = ["info@acme.ch".to_owned(), LONG_ADDRESS.to_owned()];
    let remove = Confirm::remove_member(
        sample.frame(PLACE),
        "Marc Dubois",
        &boxes,
        &leaving,
        &boxes[..1],
        "/do".to_owned(),
        "/back".to_owned(),
    );
    let lower = Confirm::lower_role(
        sample.frame(PLACE),
        "Marc Dubois",
        (Role::Administrator, Role::Auditor),
        &leaving,
        "/do".to_owned(),
        "/back".to_owned(),
    );
    (remove, lower)
}

fn states() -> Vec<InvitationState> {
    vec![
        InvitationState::Waiting,
        InvitationState::Unsent,
        InvitationState::Sent(ago(300)),
        InvitationState::Opened(ago(60)),
        InvitationState::Bounced(ago(DAY)),
        InvitationState::Accepted(ago(2 * DAY)),
        InvitationState::Declined(ago(3 * DAY)),
        InvitationState::Expired(ago(4 * DAY)),
        InvitationState::Withdrawn(ago(5 * DAY)),
    ]
}

fn invited(index: usize, address: &str, state: InvitationState) -> InvitationRow {
    InvitationRow {
        id: InvitationId::from_raw(i64::try_from(index).unwrap() + 5000),
        address: address.to_owned(),
        role: Role::Member,
        mailboxes: u64::try_from(index).unwrap() % 3,
        invited_by: "Sophie Laurent".to_owned(),
        state,
        expires_at: ahead(6 * DAY),
    }
}

fn invitations(sample: &Sample) -> Vec<Shot> {
    let list = |listing, rows| Invitations {
        frame: sample.frame(Place::Invitations),
        listing,
        rows,
        may_invite: true,
    };
    let addresses = ["lucie@private.example", LONG_ADDRESS, "d@e.example"];
    let rows = states()
        .into_iter()
        .zip(addresses.into_iter().cycle())
        .enumerate()
        .map(|(index, (state, address))| invited(index, address, state))
        .collect();
    vec![
        shot("invitations", &list(short("/o/x/invitations"), rows)),
        shot("invitations-empty", &list(short("/o/x/invitations"), Vec::new())),
        shot(
            "invitations-filtered-empty",
            &list(fruitless("/o/x/invitations"), Vec::new()),
        ),
    ]
}

fn inviting(sample: &Sample) -> Vec<Shot> {
    let new = || NewInvitation {
        frame: sample.frame(Place::Invitations),
        address: Field::default(),
        is_own_domain: false,
        role: Field::of("member"),
        offered: Role::ALL.to_vec(),
        mailboxes: vec![
            mailbox("info@acme.ch"),
            mailbox("contact@acme.ch"),
            mailbox(LONG_ADDRESS),
        ],
        chosen: Ticks::of([mailbox("info@acme.ch").id]),
        rights: Ticks::of(["see-devices", "add-own-devices"]),
        ends: Field::default(),
        language: Field::of("fr"),
        can_send: true,
    };
    let own_domain = NewInvitation {
        address: Field::of("lucie@acme.ch"),
        is_own_domain: true,
        ..new()
    };
    let wrong = NewInvitation {
        frame: sample.refused(Place::Invitations),
        address: Field::of("lucie").wrong(problem::address()),
        role: Field::default().wrong(problem::choose()),
        rights: Ticks {
            error: Some(problem::rights()),
            ..Ticks::default()
        },
        mailboxes: new().mailboxes,
        ..new()
    };
    let bare = NewInvitation {
        mailboxes: Vec::new(),
        can_send: false,
        offered: vec![Role::Auditor, Role::Member],
        ..new()
    };
    vec![
        shot("invitation-form", &new()),
        shot("invitation-form-own-domain", &own_domain),
        shot("invitation-form-wrong", &wrong),
        shot("invitation-form-bare", &bare),
    ]
}

fn invitation(sample: &Sample) -> Vec<Shot> {
    let given = || {
        vec![InvitedMailbox {
            address: "contact@acme.ch".to_owned(),
            rights: vec![Right::SeeDevices, Right::AddOwnDevices],
            ends_at: Some(ahead(90 * DAY)),
        }]
    };
    let page = |frame, state| InvitationPage {
        frame,
        invitation: invited(1, "lucie@private.example", state),
        mailboxes: given(),
        created_at: ago(300),
        link: None,
        bounce: None,
        trouble: None,
        may_change: true,
        can_send: true,
        again_at: None,
    };
    let frame = || sample.frame(Place::Invitations);
    let flashed = |flash| Frame {
        flash: Some(flash),
        ..frame()
    };
    let link = "https://manager.acme.example/invitation/7hq2m4x9k3v8d5t6w1b0c7n2p4r6s8f3g5j1z9y7a2e4";
    let fresh = InvitationPage {
        link: Some(link.to_owned()),
        again_at: Some(ahead(540)),
        ..page(
            flashed(done::invited("lucie@private.example")),
            InvitationState::Waiting,
        )
    };
    let bounced = InvitationPage {
        bounce: Some(format!("550 5.1.1 {HOSTILE} unknown")),
        ..page(frame(), InvitationState::Bounced(ago(DAY)))
    };
    let troubled = InvitationPage {
        trouble: Some(format!("450 4.2.1 {HOSTILE} is busy")),
        ..page(frame(), InvitationState::Waiting)
    };
    let over = InvitationPage {
        mailboxes: Vec::new(),
        may_change: false,
        ..page(frame(), InvitationState::Accepted(ago(DAY)))
    };
    let withdraw = Confirm::withdraw_invitation(frame(), LONG_ADDRESS, "/do".to_owned(), "/back".to_owned());
    let gone = page(
        flashed(done::invitation_withdrawn("lucie@private.example")),
        InvitationState::Withdrawn(ago(1)),
    );
    vec![
        shot("invitation-fresh", &fresh),
        shot(
            "invitation-made",
            &page(flashed(done::invitation_made()), InvitationState::Sent(ago(60))),
        ),
        shot("invitation-unsent", &page(frame(), InvitationState::Unsent)),
        shot("invitation-bounced", &bounced),
        shot("invitation-troubled", &troubled),
        shot("invitation-over", &over),
        shot("invitation-page-withdrawn", &gone),
        shot("invitation-withdraw", &withdraw),
    ]
}
