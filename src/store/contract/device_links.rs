//! Set-up links: opened by one browser, in time, once.

use std::time::Duration;

use super::*;
use crate::model::{DeviceLink, DeviceLinkState, DeviceState};
use crate::store::device_link::{LINK_STARTS_MAX, OPEN_LINKS_MAX_OF_MAILBOX};
use crate::store::{FoundLink, LinkBy, LinkGives, LinkOpening, NewDeviceLink, Opener};

pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// A link that ends in an hour; its token is the number.
pub(super) fn new_link(backend: &Backend, number: u8) -> NewDeviceLink {
    NewDeviceLink {
        hash: token(number),
        sent_by: "Sophie".into(),
        recipient: Some(address("lucie@private.example")),
        language: Language::French,
        token: None,
        expires_at: backend.clock.utc().plus(HOUR),
    }
}

/// A device that has no password, with its link.
pub(super) async fn linked(backend: &Backend, mailbox: &Mailbox, number: u8) -> (Device, DeviceLink) {
    let device = NewDevice {
        credential: None,
        ..new_device(mailbox, &format!("Device {number}"), 0)
    };
    let (by, link) = (actor(), new_link(backend, number));
    let made = backend.store.create_linked_device(&by, &device, &link);
    made.await.unwrap()
}

/// Whoever follows a link.
fn stranger() -> Actor {
    Actor::unknown("198.51.100.7")
}

/// The browser with this number, for the first time or again.
pub(super) fn first(browser: u8) -> Opener {
    Opener::First(token(100 + browser))
}

fn again(browser: u8) -> Opener {
    Opener::Again(token(100 + browser))
}

pub(super) fn opening(link: u8, by: Opener, tag: u16) -> LinkOpening {
    LinkOpening {
        link: token(link),
        by,
        gives: LinkGives::Password(credential(tag)),
    }
}

/// The same for a file, with this number, that can be read for a minute.
fn opening_file(backend: &Backend, link: u8, by: Opener, file: u8) -> LinkOpening {
    LinkOpening {
        link: token(link),
        by,
        gives: LinkGives::File {
            hash: token(file),
            until: backend.clock.utc().plus(Duration::from_secs(60)),
        },
    }
}

pub(super) async fn open(backend: &Backend, opening: &LinkOpening) -> Result<DeviceLink, Error> {
    let opened = backend.store.open_device_link(&stranger(), opening).await;
    opened.map(|(link, _)| link)
}

async fn fetch(backend: &Backend, link: u8, file: u8, tag: u16) -> Result<DeviceLink, Error> {
    let (link, file) = (token(link), token(file));
    let fetched = backend
        .store
        .fetch_device_file(&stranger(), &link, &file, &credential(tag))
        .await;
    fetched.map(|(link, _)| link)
}

pub(super) async fn found(backend: &Backend, link: u8) -> FoundLink {
    backend.store.device_link_by(&token(link)).await.unwrap().unwrap()
}

pub(super) async fn state(backend: &Backend, link: u8) -> DeviceLinkState {
    found(backend, link).await.link.state
}

/// The tags of the passwords by which a mailbox's devices sign in.
pub(super) async fn tags(backend: &Backend, mailbox: &Mailbox) -> Vec<u16> {
    let found = login(&*backend.store, mailbox.address.as_str()).await;
    let live = found.credentials.iter().filter(|one| one.retired_at.is_none());
    live.filter_map(|one| one.tag).collect()
}

pub(in crate::store) async fn a_device_with_a_link_has_no_password_until_it_is_opened(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let before = actions(store).await.len();
    let by = actor().by(world.sophie.id);
    let new = NewDevice {
        credential: None,
        user: None,
        ..new_device(&world.info, "iPhone", 0)
    };
    let (device, link) = store
        .create_linked_device(&by, &new, &new_link(backend, 1))
        .await
        .unwrap();
    let expected = DeviceLink {
        id: link.id,
        device: device.id,
        mailbox: world.info.id,
        org: world.acme,
        sender: Some(world.sophie.id),
        sent_by: "Sophie".into(),
        recipient: Some(address("lucie@private.example")),
        language: Language::French,
        created_at: START,
        expires_at: START.plus(HOUR),
        opened_at: None,
        opened_from: None,
        fetched_at: None,
        state: DeviceLinkState::Sent,
    };
    assert_eq!(link, expected);
    let seen = found(backend, 1).await;
    assert_eq!(
        (&seen.link, &seen.device, &seen.address),
        (&link, &device, &world.info.address)
    );
    assert_eq!((seen.org.as_str(), seen.owner, seen.suspended), ("Acme", None, false));
    assert_eq!(
        (seen.by, seen.browser, seen.starts, seen.file),
        (LinkBy::Person, None, 0, None)
    );
    assert_eq!(tags(backend, &world.info).await, [0_u16; 0]);
    assert_eq!(
        store.device_link_by(&token(2)).await.unwrap().map(|found| found.starts),
        None
    );
    let of = async |org, ids: &[_]| store.device_links(org, ids).await.unwrap();
    assert_eq!(of(world.acme, &[device.id]).await.get(&device.id), Some(&link));
    assert!(
        of(world.other, &[device.id]).await.is_empty(),
        "of another organisation"
    );

    backend.clock.advance(SECOND);
    let now = START.plus(SECOND);
    let opened = open(backend, &opening(1, first(1), 7)).await.unwrap();
    assert_eq!(opened.state, DeviceLinkState::Opened(now));
    assert_eq!(opened.opened_from, Some("198.51.100.7".parse().unwrap()));
    assert_eq!(tags(backend, &world.info).await, [7]);
    let seen = found(backend, 1).await;
    assert_eq!(
        (seen.browser, seen.starts, seen.given_at),
        (Some(token(101)), 1, Some(now))
    );
    assert_eq!(
        actions(store).await[before..],
        ["device.add", "device.link.send", "device.link.open"]
    );
}

pub(in crate::store) async fn two_browsers_open_a_link_once(backend: &Backend) {
    let mailbox = anna(&*backend.store).await;
    for round in 0..10_u8 {
        linked(backend, &mailbox, round).await;
        let open = |store: &Arc<dyn Store>, browser: u8| {
            let store = Arc::clone(store);
            let opening = opening(round, first(browser), u16::from(round) * 10 + u16::from(browser));
            tokio::spawn(async move { store.open_device_link(&stranger(), &opening).await })
        };
        let (one, two) = (open(&backend.store, 1), open(&backend.other, 2));
        let outcomes = [one.await.unwrap(), two.await.unwrap()];
        let winner = outcomes.iter().position(Result::is_ok).unwrap();
        for (place, outcome) in outcomes.into_iter().enumerate() {
            if place != winner {
                refused(outcome, "the link was opened on 2026-11-18");
            }
        }
        let winner = u8::try_from(winner + 1).unwrap();
        assert_eq!(found(backend, round).await.browser, Some(token(100 + winner)));
        let tags = tags(backend, &mailbox).await;
        assert_eq!(tags.len(), usize::from(round) + 1);
        assert!(
            tags.contains(&(u16::from(round) * 10 + u16::from(winner))),
            "the winner's"
        );
    }
}

pub(in crate::store) async fn whoever_opened_a_link_starts_again_and_nobody_else(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    linked(backend, &mailbox, 1).await;
    refused(
        open(backend, &opening(1, again(1), 1)).await,
        "this device is switched off",
    );
    open(backend, &opening(1, first(1), 1)).await.unwrap();
    refused(open(backend, &opening(1, again(2), 2)).await, "the link was opened on");
    refused(open(backend, &opening(1, first(2), 2)).await, "the link was opened on");
    assert_eq!(tags(backend, &mailbox).await, [1]);
    for start in 1..LINK_STARTS_MAX {
        let tag = u16::try_from(start).unwrap() + 10;
        open(backend, &opening(1, again(1), tag)).await.unwrap();
        assert_eq!(tags(backend, &mailbox).await, [tag], "the one before is dead");
    }
    let left = tags(backend, &mailbox).await;
    refused(open(backend, &opening(1, again(1), 99)).await, "the link was opened on");
    assert_eq!(
        (tags(backend, &mailbox).await, found(backend, 1).await.starts),
        (left, LINK_STARTS_MAX)
    );

    // Until the device has signed in with what it was given; what an older password did says nothing.
    let (other, _) = linked(backend, &mailbox, 2).await;
    store
        .record_uses(&[used(&other, backend.clock.utc(), "old")])
        .await
        .unwrap();
    backend.clock.advance(SECOND);
    open(backend, &opening(2, first(1), 200)).await.unwrap();
    open(backend, &opening(2, again(1), 201)).await.unwrap();
    backend.clock.advance(SECOND);
    let now = backend.clock.utc();
    store.record_uses(&[used(&other, now, "new")]).await.unwrap();
    assert_eq!(state(backend, 2).await, DeviceLinkState::SignedIn(now));
    refused(
        open(backend, &opening(2, again(1), 202)).await,
        "the device has signed in",
    );
}

pub(in crate::store) async fn a_link_is_opened_in_time_or_never(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let mailbox = &world.info;
    let links: Vec<_> = [
        linked(backend, mailbox, 1).await,
        linked(backend, mailbox, 2).await,
        linked(backend, mailbox, 3).await,
        linked(backend, mailbox, 4).await,
    ]
    .into();
    let id = |number: usize| links[number - 1].0.id;
    let tries = async |number: u8| open(backend, &opening(number, first(1), u16::from(number))).await;
    // Ids of another organisation are unknown ones.
    not_found(
        store.withdraw_device_link(&actor(), world.other, id(1)).await,
        "there is no device",
    );
    not_found(
        store
            .send_device_link(&actor(), world.other, id(1), &new_link(backend, 11))
            .await,
        "there is no device",
    );
    assert_eq!(state(backend, 1).await, DeviceLinkState::Sent);

    let withdrawn = store.withdraw_device_link(&actor(), world.acme, id(1)).await.unwrap();
    assert_eq!(withdrawn.unwrap().state, DeviceLinkState::Withdrawn(START));
    refused(tries(1).await, "the link was withdrawn");
    // Once is enough, and leaves one row.
    let rows = actions(store).await.len();
    store.withdraw_device_link(&actor(), world.acme, id(1)).await.unwrap();
    assert_eq!(actions(store).await.len(), rows);

    let newer = new_link(backend, 12);
    store
        .send_device_link(&actor(), world.acme, id(2), &newer)
        .await
        .unwrap();
    refused(tries(2).await, "the link was withdrawn");
    assert_eq!(open(backend, &opening(12, first(1), 12)).await.unwrap().device, id(2));

    store
        .replace_credential(&actor(), id(3), &credential(30))
        .await
        .unwrap();
    refused(tries(3).await, "the link was withdrawn");

    let revoked = DeviceState::Revoked(START);
    store.set_device_state(&actor(), &[id(4)], revoked).await.unwrap();
    refused(tries(4).await, "the device was disconnected");
    let none = store
        .send_device_link(&actor(), world.acme, id(4), &new_link(backend, 14))
        .await;
    refused(none, "was revoked, which is for good");

    assert_eq!(
        tags(backend, mailbox).await.len(),
        2,
        "the newer link's, and the one that was shown"
    );
    not_found(tries(99).await, "leads to no device");
}

pub(in crate::store) async fn a_link_waits_while_its_device_is_off_and_not_for_ever(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let (device, _) = linked(backend, &mailbox, 5).await;
    linked(backend, &mailbox, 12).await;
    open(backend, &opening(12, first(1), 12)).await.unwrap();
    let tries = async |number: u8| open(backend, &opening(number, first(1), u16::from(number))).await;
    // What is switched off for a while goes on afterwards.
    let paused = DeviceState::Paused(START);
    store.set_device_state(&actor(), &[device.id], paused).await.unwrap();
    refused(tries(5).await, "this device is switched off");
    store
        .set_device_state(&actor(), &[device.id], DeviceState::Active)
        .await
        .unwrap();
    store.set_mailbox_suspended(&actor(), mailbox.id, true).await.unwrap();
    refused(tries(5).await, "this device is switched off");
    store.set_mailbox_suspended(&actor(), mailbox.id, false).await.unwrap();
    backend.clock.advance(HOUR - Duration::from_millis(1));
    assert_eq!(state(backend, 5).await, DeviceLinkState::Sent);
    backend.clock.advance(Duration::from_millis(1));
    assert_eq!(state(backend, 5).await, DeviceLinkState::Expired(START.plus(HOUR)));
    refused(tries(5).await, "the link ran out");
    // Nor does whoever opened one in time go on with it.
    refused(
        open(backend, &opening(12, again(1), 13)).await,
        "the link was opened on",
    );
    assert_eq!(tags(backend, &mailbox).await, [12]);
}

pub(in crate::store) async fn a_file_is_read_once_and_in_time(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let (device, _) = linked(backend, &mailbox, 1).await;
    open(backend, &opening_file(backend, 1, first(1), 50)).await.unwrap();
    assert_eq!(found(backend, 1).await.file, Some(token(50)));
    assert_eq!(tags(backend, &mailbox).await, [0_u16; 0], "not before it is read");
    backend.clock.advance(Duration::from_secs(60));
    refused(fetch(backend, 1, 50, 1).await, "the link was opened on");
    // Started again, the file before is gone.
    open(backend, &opening_file(backend, 1, again(1), 51)).await.unwrap();
    open(backend, &opening_file(backend, 1, again(1), 52)).await.unwrap();
    refused(fetch(backend, 1, 51, 1).await, "the link was opened on");
    // It is of one link.
    linked(backend, &mailbox, 2).await;
    open(backend, &opening_file(backend, 2, first(2), 60)).await.unwrap();
    refused(fetch(backend, 1, 60, 1).await, "the link was opened on");
    assert_eq!(tags(backend, &mailbox).await, [0_u16; 0]);
    let fetch_by = |store: &Arc<dyn Store>, tag: u16| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            store
                .fetch_device_file(&stranger(), &token(1), &token(52), &credential(tag))
                .await
        })
    };
    let (one, two) = (fetch_by(&backend.store, 1), fetch_by(&backend.other, 2));
    let outcomes = [one.await.unwrap(), two.await.unwrap()];
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
        1,
        "{outcomes:?}"
    );
    assert_eq!(tags(backend, &mailbox).await.len(), 1);
    let now = backend.clock.utc();
    assert_eq!(state(backend, 1).await, DeviceLinkState::Fetched(now));
    // A link that ends takes its file along, and so does a sign-in.
    store
        .withdraw_device_link(&actor(), mailbox.org, found(backend, 2).await.device.id)
        .await
        .unwrap();
    refused(fetch(backend, 2, 60, 3).await, "the link was withdrawn");
    open(backend, &opening_file(backend, 1, again(1), 53)).await.unwrap();
    backend.clock.advance(SECOND);
    let uses = [used(&device, backend.clock.utc(), "Mail")];
    store.record_uses(&uses).await.unwrap();
    refused(fetch(backend, 1, 53, 3).await, "the device has signed in");
}

pub(in crate::store) async fn a_password_whose_tag_is_taken_opens_nothing(backend: &Backend) {
    let mailbox = anna(&*backend.store).await;
    add(&*backend.store, &mailbox, "Laptop", 7).await;
    linked(backend, &mailbox, 1).await;
    let taken = open(backend, &opening(1, first(1), 7)).await;
    assert!(matches!(taken, Err(Error::Conflict(_))), "{taken:?}");
    assert_eq!(
        state(backend, 1).await,
        DeviceLinkState::Sent,
        "another one may be tried"
    );
    open(backend, &opening(1, first(2), 8)).await.unwrap();
}

pub(in crate::store) async fn a_mailbox_has_a_bounded_number_of_links_that_wait(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let most = u8::try_from(OPEN_LINKS_MAX_OF_MAILBOX).unwrap();
    let mut devices = Vec::new();
    for number in 0..most {
        devices.push(linked(backend, &mailbox, number).await.0);
    }
    let one_more = async |number: u8| {
        let device = NewDevice {
            credential: None,
            ..new_device(&mailbox, &format!("One more {number}"), 0)
        };
        store
            .create_linked_device(&actor(), &device, &new_link(backend, number))
            .await
    };
    refused(one_more(90).await, "32 set-up links wait to be opened");
    assert_eq!(
        store
            .devices(&crate::store::DeviceFilter::default())
            .await
            .unwrap()
            .len(),
        usize::from(most)
    );
    // One that is sent again takes the place of the one before.
    store
        .send_device_link(&actor(), mailbox.org, devices[0].id, &new_link(backend, 91))
        .await
        .unwrap();
    open(backend, &opening(91, first(1), 1)).await.unwrap();
    let (device, _) = one_more(92).await.unwrap();
    store
        .set_device_state(&actor(), &[device.id], DeviceState::Revoked(START))
        .await
        .unwrap();
    one_more(93).await.unwrap();
    refused(one_more(94).await, "wait to be opened");
    backend.clock.advance(HOUR);
    let late = NewDevice {
        credential: None,
        ..new_device(&mailbox, "Late", 0)
    };
    store
        .create_linked_device(&actor(), &late, &new_link(backend, 95))
        .await
        .unwrap();
}
