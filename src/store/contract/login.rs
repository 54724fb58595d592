//! What the login path reads and writes.

use std::time::Duration;

use super::*;
use crate::model::{DeviceId, DeviceState, MailboxId};
use crate::store::{Credential, Epoch, RETIRED_KEPT, RETIRED_MAX};

pub(in crate::store) async fn an_address_means_a_mailbox_an_alias_or_nothing(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    store
        .create_alias(&actor(), &address("hello@example.org"), mailbox.id)
        .await
        .unwrap();
    let found = login(store, "anna@example.org").await;
    assert_eq!((found.id, &found.address), (mailbox.id, &mailbox.address));
    assert_eq!(
        (
            found.suspended,
            found.epoch,
            found.upstream_secret,
            found.credentials.len()
        ),
        (false, 0, None, 0)
    );
    let alias = store.resolve_login(&address("hello@example.org")).await.unwrap();
    assert!(matches!(alias, Resolved::Alias { target } if target == mailbox.address));
    let unknown = store.resolve_login(&address("nobody@example.org")).await.unwrap();
    assert!(matches!(unknown, Resolved::Unknown));
    store.ping().await.unwrap();
}

pub(in crate::store) async fn a_login_sees_live_and_retired_credentials_newest_first(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let phone = add(store, &mailbox, "iPhone", 1).await;
    let laptop = add(store, &mailbox, "Laptop", 2).await;
    store
        .replace_credential(&actor(), phone.id, &credential(3))
        .await
        .unwrap();
    store
        .set_device_state(&actor(), &[laptop.id], DeviceState::Revoked(START))
        .await
        .unwrap();
    let bob = store
        .create_mailbox(&actor(), &address("bob@example.org"))
        .await
        .unwrap();
    add(store, &bob, "iPhone", 4).await;

    let found = login(store, "anna@example.org").await.credentials;
    let shape: Vec<_> = found
        .iter()
        .map(|one| (one.tag, one.device.id, one.retired_at.is_some()))
        .collect();
    assert_eq!(
        shape,
        [
            (Some(3), phone.id, false),
            (Some(2), laptop.id, true),
            (Some(1), phone.id, true)
        ]
    );
    assert_eq!(found[0].hash, Hash("$argon2id$3".into()));
    let laptop = store.device(laptop.id).await.unwrap().unwrap();
    assert_eq!(found[1].device, judged(laptop));
}

pub(in crate::store) async fn retired_credentials_are_forgotten_after_their_time(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let phone = add(store, &mailbox, "iPhone", 1).await;
    store
        .replace_credential(&actor(), phone.id, &credential(2))
        .await
        .unwrap();
    let credentials = async || login(store, "anna@example.org").await.credentials.len();

    backend.clock.advance(RETIRED_KEPT - Duration::from_millis(1));
    assert_eq!(credentials().await, 2);
    backend.clock.advance(Duration::from_millis(1));
    assert_eq!(credentials().await, 1, "the time is over even where nobody tidied up");
    assert_eq!(store.forget_retired(START).await.unwrap(), 0);
    assert_eq!(store.tags_in_use(mailbox.id, 1).await.unwrap(), [1, 2]);
    assert_eq!(
        store
            .forget_retired(START.plus(Duration::from_millis(1)))
            .await
            .unwrap(),
        1
    );
    assert_eq!(store.tags_in_use(mailbox.id, 1).await.unwrap(), [2]);
    assert_eq!(credentials().await, 1);
}

pub(in crate::store) async fn retired_credentials_are_bounded_and_live_ones_always_there(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let quiet = add(store, &mailbox, "quiet", 60_000).await;
    let busy = add(store, &mailbox, "busy", 0).await;
    let kept = RETIRED_MAX as usize;
    for tag in 1..=kept + 10 {
        backend.clock.advance(Duration::from_secs(1));
        store
            .replace_credential(&actor(), busy.id, &credential(u16::try_from(tag).unwrap()))
            .await
            .unwrap();
    }
    let found = login(store, "anna@example.org").await.credentials;
    let live = |one: &&Credential| one.retired_at.is_none();
    let live: Vec<_> = found.iter().filter(live).map(|one| one.device.id).collect();
    assert_eq!(live, [busy.id, quiet.id]);
    assert_eq!(found.len(), kept + 2);
    let oldest = found
        .iter()
        .filter(|one| one.retired_at.is_some())
        .filter_map(|one| one.tag)
        .min();
    assert_eq!(oldest, Some(10), "the oldest are left out");
    let tags = store.tags_in_use(mailbox.id, 1).await.unwrap();
    assert_eq!(tags.len(), kept + 2, "they are not kept either");
}

pub(in crate::store) async fn epochs_are_gone_with_the_right_to_log_in(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let phone = add(store, &mailbox, "iPhone", 1).await;
    let laptop = add(store, &mailbox, "Laptop", 2).await;
    let zero = Some(Epoch { device: 0, mailbox: 0 });
    assert_eq!(store.epoch(phone.id, mailbox.id).await.unwrap(), zero);
    store
        .replace_credential(&actor(), phone.id, &credential(3))
        .await
        .unwrap();
    assert_eq!(
        store.epoch(phone.id, mailbox.id).await.unwrap(),
        Some(Epoch { device: 1, mailbox: 0 })
    );
    store
        .set_device_state(&actor(), &[phone.id], DeviceState::Revoked(START))
        .await
        .unwrap();
    assert_eq!(store.epoch(phone.id, mailbox.id).await.unwrap(), None);
    assert_eq!(
        store.epoch(laptop.id, mailbox.id).await.unwrap(),
        zero,
        "the other device loses nothing"
    );
    store.set_mailbox_suspended(&actor(), mailbox.id, true).await.unwrap();
    assert_eq!(store.epoch(laptop.id, mailbox.id).await.unwrap(), None);
    assert_eq!(store.epoch(DeviceId::from_raw(1), mailbox.id).await.unwrap(), None);
}

pub(in crate::store) async fn senders_are_the_mailbox_and_its_aliases(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    for text in ["sales@example.org", "info@example.org"] {
        store.create_alias(&actor(), &address(text), mailbox.id).await.unwrap();
    }
    let senders = store.sender_addresses(mailbox.id).await.unwrap();
    assert_eq!(
        senders,
        ["anna@example.org", "info@example.org", "sales@example.org"].map(address)
    );
    assert_eq!(store.sender_addresses(MailboxId::from_raw(1)).await.unwrap(), []);

    let phone = add(store, &mailbox, "iPhone", 1).await.id;
    let both = async || store.epoch_and_senders(phone, mailbox.id).await.unwrap();
    assert_eq!(both().await, Some((Epoch { device: 0, mailbox: 0 }, senders)));
    let revoked = DeviceState::Revoked(START);
    store.set_device_state(&actor(), &[phone], revoked).await.unwrap();
    assert_eq!(both().await, None, "who may not log in sends nothing");
}

pub(in crate::store) async fn a_hash_is_upgraded_only_in_place_of_the_verified_one(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let device = add(store, &mailbox, "iPhone", 1).await;
    let read = async || login(store, "anna@example.org").await.credentials.remove(0);
    let (old, new) = (Hash("$argon2id$1".into()), Hash("$argon2id$stronger".into()));
    let id = read().await.id;

    store.upgrade_hash(id, &Hash("another".into()), &new, 1).await.unwrap();
    assert_eq!(read().await.hash, old, "somebody was quicker");
    store.upgrade_hash(id, &old, &new, 2).await.unwrap();
    assert_eq!(read().await.hash, old, "the tag belongs to key 1");
    store.upgrade_hash(id, &old, &new, 1).await.unwrap();
    assert_eq!((read().await.hash, read().await.id), (new.clone(), id));
    store
        .set_device_state(&actor(), &[device.id], DeviceState::Revoked(START))
        .await
        .unwrap();
    store.upgrade_hash(id, &new, &old, 1).await.unwrap();
    assert_eq!(read().await.hash, new, "retired meanwhile");

    let untagged = NewCredential {
        tag: None,
        ..credential(1)
    };
    let imported = NewDevice {
        credential: Some(untagged),
        ..new_device(&mailbox, "old", 1)
    };
    store.create_device(&actor(), &imported).await.unwrap();
    store.upgrade_hash(read().await.id, &old, &new, 2).await.unwrap();
    assert_eq!(
        (read().await.hash, read().await.key_id, read().await.tag),
        (new, 2, None)
    );
}

pub(in crate::store) async fn last_use_only_moves_forward(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let device = add(store, &mailbox, "iPhone", 1).await;
    let uses = async || {
        let device = store.device(device.id).await.unwrap().unwrap();
        (device.first_used.unwrap().at.0, device.last_used.unwrap())
    };
    store
        .record_uses(&[used(&device, Timestamp(30), "b"), used(&device, Timestamp(20), "a")])
        .await
        .unwrap();
    let (first, last) = uses().await;
    assert_eq!((first, last.at.0, last.client.as_deref()), (20, 30, Some("b")));
    assert_eq!(
        (last.ip.to_string().as_str(), last.protocol),
        ("192.0.2.7", Protocol::Imap)
    );
    store
        .record_uses(&[used(&device, Timestamp(10), "late")])
        .await
        .unwrap();
    let (first, last) = uses().await;
    assert_eq!((first, last.at.0), (20, 30));
    let gone = Device {
        id: DeviceId::from_raw(1),
        ..device.clone()
    };
    store
        .record_uses(&[
            used(&gone, Timestamp(40), "x"),
            used(&device, Timestamp(40), "\u{1b}[2J"),
        ])
        .await
        .unwrap();
    let (_, last) = uses().await;
    assert_eq!((last.at.0, last.client.as_deref()), (40, Some("\\u{1b}[2J")));
    store.record_uses(&[]).await.unwrap();
    assert_eq!(
        store.epoch(device.id, device.mailbox).await.unwrap(),
        Some(Epoch { device: 0, mailbox: 0 })
    );
}
