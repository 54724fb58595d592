//! What set-up links end with, and what they take along.

use super::device_links::{HOUR, SECOND, first, found, linked, new_link, open, opening, state, tags};
use super::*;
use crate::model::{DeviceLink, DeviceLinkState, DeviceState, MailId, MailKind, MailState, TokenId, TokenScope};
use crate::store::device_link::UNOPENED_KEPT;
use crate::store::{AfterFailure, LinkBy, MailFilter, NewDeviceLink, NewMail, NewToken};

/// A token of Sophie's that ends in half an hour.
async fn api_token(backend: &Backend, world: &World, number: u8) -> TokenId {
    let new = NewToken {
        user: world.sophie.id,
        name: "A program".into(),
        hash: token(number),
        role: Role::MailboxManager,
        scope: TokenScope::Write,
        expires_at: Some(backend.clock.utc().plus(HOUR / 2)),
    };
    let made = backend.store.create_token(&actor(), world.acme, &new).await;
    made.unwrap().id
}

pub(in crate::store) async fn a_link_knows_whether_the_token_is_there_that_made_it(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let by = actor().by(world.sophie.id);
    let made_with = async |with: TokenId, number: u8| {
        let device = NewDevice {
            credential: None,
            ..new_device(&world.info, &format!("Device {number}"), 0)
        };
        let link = NewDeviceLink {
            token: Some(with),
            ..new_link(backend, number)
        };
        store.create_linked_device(&by, &device, &link).await
    };
    let (revoked, expired) = (
        api_token(backend, &world, 201).await,
        api_token(backend, &world, 202).await,
    );
    for (with, number) in [(revoked, 1), (revoked, 2), (expired, 3)] {
        made_with(with, number).await.unwrap();
        assert!(matches!(found(backend, number).await.by, LinkBy::Token(token) if token.id == with));
    }
    open(backend, &opening(2, first(1), 2)).await.unwrap();
    let before = actions(store).await.len();
    store.revoke_token(&actor(), world.acme, revoked).await.unwrap();
    let expected = ["device.link.withdraw", "device.link.withdraw", "token.revoke"];
    assert_eq!(actions(store).await[before..], expected);
    assert_eq!(found(backend, 1).await.by, LinkBy::EndedToken);
    assert_eq!(state(backend, 1).await, DeviceLinkState::Withdrawn(START));
    // One that was opened is no less bound to it; the password that it gave stays.
    assert_eq!(found(backend, 2).await.by, LinkBy::EndedToken);
    assert_eq!(state(backend, 2).await, DeviceLinkState::Withdrawn(START));
    assert_eq!(tags(backend, &world.info).await, [2]);
    not_found(made_with(revoked, 4).await, "there is no token");
    backend.clock.advance(HOUR / 2);
    assert_eq!(found(backend, 3).await.by, LinkBy::EndedToken);
    assert_eq!(state(backend, 3).await, DeviceLinkState::Sent);
    // Its right to it may end between the question and this.
    refused(open(backend, &opening(3, first(3), 3)).await, "the link was withdrawn");
    // Where tokens go with a membership, their links are no better.
    let lasting = api_token(backend, &world, 203).await;
    made_with(lasting, 5).await.unwrap();
    store
        .add_member(&actor(), world.acme, world.bob.id, Role::Owner)
        .await
        .unwrap();
    store
        .remove_member(&actor(), world.acme, world.sophie.id, Role::Owner)
        .await
        .unwrap();
    assert_eq!(found(backend, 5).await.by, LinkBy::EndedToken);
    assert!(matches!(state(backend, 5).await, DeviceLinkState::Withdrawn(_)));
}

/// A mail that brings a link.
fn mail_with(link: &DeviceLink) -> NewMail {
    NewMail {
        kind: MailKind::DeviceLink,
        org: Some(link.org),
        invitation: None,
        link: Some(link.id),
        recipient: address("lucie@private.example"),
        language: Language::French,
        sealed: b"sealed".to_vec(),
        useful_until: Some(link.expires_at),
    }
}

pub(in crate::store) async fn a_link_takes_its_waiting_mail_along(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let mailbox = &world.info;
    let mut mailed = Vec::new();
    for number in 0..7 {
        let (device, link) = linked(backend, mailbox, number).await;
        let mail = store.put_mail(&mail_with(&link)).await.unwrap();
        mailed.push((device.id, link, mail));
    }
    let state = async |id: MailId| store.mail(id).await.unwrap().unwrap().state;
    let waits = MailState::Queued { next_at: START };
    let (device, link, mail) = &mailed[0];
    let of = async |org, link| {
        let filter = MailFilter {
            org,
            link: Some(link),
            limit: 9,
            ..MailFilter::default()
        };
        let mails = store.mails(&filter).await.unwrap();
        mails.into_iter().map(|mail| mail.id).collect::<Vec<_>>()
    };
    assert_eq!(of(Some(world.acme), link.id).await, [*mail]);
    assert_eq!(of(Some(world.other), link.id).await, [], "of another organisation");
    assert_eq!(state(*mail).await, waits);
    store.withdraw_device_link(&actor(), world.acme, *device).await.unwrap();
    store
        .send_device_link(&actor(), world.acme, mailed[1].0, &new_link(backend, 11))
        .await
        .unwrap();
    store
        .set_device_state(&actor(), &[mailed[2].0], DeviceState::Revoked(START))
        .await
        .unwrap();
    store
        .replace_credential(&actor(), mailed[3].0, &credential(3))
        .await
        .unwrap();
    open(backend, &opening(4, first(1), 4)).await.unwrap();
    for (_, _, mail) in &mailed[..5] {
        assert_eq!(state(*mail).await, MailState::Withdrawn(START));
    }
    // One that is put when its link is dead already does not go out either.
    refused(store.put_mail(&mail_with(link)).await, "was withdrawn meanwhile");
    // What is over stays as it was.
    let due = store.take_due_mails(SECOND, 1).await.unwrap().remove(0);
    assert_eq!(due.id, mailed[5].2);
    let gone = store
        .mail_failed(due.id, due.attempt, "550 no", AfterFailure::GiveUp)
        .await;
    assert!(gone.unwrap());
    assert_eq!(state(mailed[6].2).await, waits, "another one's");
    store.delete_mailbox(&actor(), mailbox.id).await.unwrap();
    assert_eq!(state(mailed[5].2).await, MailState::Failed(START));
    assert_eq!(state(mailed[6].2).await, MailState::Withdrawn(START));
}

pub(in crate::store) async fn a_device_whose_link_nobody_opened_is_revoked_later(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let ([never, opened, again], mut links) = ([1, 2, 3], Vec::new());
    for number in [never, opened, again] {
        links.push(linked(backend, &mailbox, number).await.0);
    }
    open(backend, &opening(opened, first(1), 2)).await.unwrap();
    backend.clock.advance(HOUR + UNOPENED_KEPT);
    let tidy = async || {
        store
            .tidy_people(&Actor::daemon(), START, 9)
            .await
            .unwrap()
            .device_links
    };
    assert_eq!(tidy().await, 0, "they may be sent again for so long");
    store
        .send_device_link(&actor(), mailbox.org, links[2].id, &new_link(backend, 13))
        .await
        .unwrap();
    backend.clock.advance(SECOND);
    assert_eq!(tidy().await, 1);
    assert_eq!(tidy().await, 0);
    let now = backend.clock.utc();
    let mut states = Vec::new();
    for device in &links {
        states.push(store.device(device.id).await.unwrap().unwrap().state);
    }
    assert_eq!(
        states,
        [DeviceState::Revoked(now), DeviceState::Active, DeviceState::Active]
    );
    // Links that ended long ago are forgotten, and their devices are not.
    let all = store.tidy_people(&Actor::daemon(), now, 9).await.unwrap().device_links;
    assert_eq!(all, 3);
    assert!(store.device_link_by(&token(opened)).await.unwrap().is_none());
    assert!(store.device_link_by(&token(13)).await.unwrap().is_some());
    assert_eq!(tags(backend, &mailbox).await, [2]);
}
