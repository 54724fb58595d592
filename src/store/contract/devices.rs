//! Devices: labels, tags, edits, states, credentials.

use std::time::Duration;

use super::*;
use crate::model::{DeviceId, DeviceKind, DeviceState, MailboxId};
use crate::store::{ChangeKind, DeviceEdit, DeviceFilter, EndReason, LIVE_DEVICES_MAX};

fn ended(seq: Seq, device: &Device, reason: EndReason) -> Change {
    Change {
        seq,
        kind: ChangeKind::DeviceEnded {
            device: device.id,
            mailbox: device.mailbox,
            reason,
        },
    }
}

async fn epoch(store: &dyn Store, device: &Device) -> i64 {
    store.device(device.id).await.unwrap().unwrap().epoch
}

pub(in crate::store) async fn a_device_is_read_back_as_it_was_added(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let new = NewDevice {
        kind: DeviceKind::App,
        scopes: "smtp".parse().unwrap(),
        expires_at: Some(START.plus(Duration::from_secs(60))),
        networks: "192.0.2.0/24,2001:db8::/32".parse().unwrap(),
        senders: "info@example.org,@example.com".parse().unwrap(),
        imported: true,
        ..new_device(&mailbox, "  CRM ", 7)
    };
    let device = store.create_device(&actor(), &new).await.unwrap();
    let expected = Device {
        id: device.id,
        mailbox: mailbox.id,
        label: "CRM".into(),
        kind: DeviceKind::App,
        user: None,
        state: DeviceState::Active,
        scopes: new.scopes,
        expires_at: new.expires_at,
        networks: new.networks.clone(),
        senders: new.senders.clone(),
        created_at: START,
        replaced_at: None,
        epoch: 0,
        revision: 0,
        imported: true,
        first_used: None,
        last_used: None,
    };
    assert_eq!(device, expected);
    assert_eq!(store.device(device.id).await.unwrap(), Some(expected));
    assert_eq!(
        store.mailbox(&mailbox.address).await.unwrap().unwrap().active_devices,
        1
    );
    backend.clock.advance(Duration::from_secs(60));
    assert_eq!(
        store.mailbox(&mailbox.address).await.unwrap().unwrap().active_devices,
        0
    );
    assert_eq!(changes(store).await, []);
}

pub(in crate::store) async fn labels_are_unique_among_live_devices_whatever_the_case(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let phone = add(store, &mailbox, "iPhone", 1).await;
    let laptop = add(store, &mailbox, "Laptop", 2).await;
    let taken = "anna@example.org has a device named \"iPhone\" already; choose another name, or replace that \
                 device's password";
    conflict(
        store.create_device(&actor(), &new_device(&mailbox, "IPHONE", 3)).await,
        taken,
    );
    let rename = |label: &str| DeviceEdit {
        label: Some(label.to_owned()),
        ..DeviceEdit::default()
    };
    conflict(store.edit_device(&actor(), laptop.id, &rename("iphone")).await, taken);
    store.edit_device(&actor(), phone.id, &rename("IPHONE")).await.unwrap();

    store
        .set_device_state(&actor(), &[phone.id], DeviceState::Revoked(START))
        .await
        .unwrap();
    add(store, &mailbox, "iPhone", 3).await;
    let bob = store
        .create_mailbox(&actor(), &address("bob@example.org"))
        .await
        .unwrap();
    add(store, &bob, "iPhone", 1).await;
}

pub(in crate::store) async fn what_breaks_a_rule_of_devices_is_refused(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let none = Scopes {
        imap: false,
        smtp: false,
    };
    let no_scope = NewDevice {
        scopes: none,
        ..new_device(&mailbox, "x", 1)
    };
    refused(store.create_device(&actor(), &no_scope).await, "at least one protocol");
    refused(
        store.create_device(&actor(), &new_device(&mailbox, "a\nb", 1)).await,
        "U+000A",
    );
    let nowhere = NewDevice {
        mailbox: MailboxId::from_raw(1),
        ..new_device(&mailbox, "x", 1)
    };
    not_found(store.create_device(&actor(), &nowhere).await, "there is no mailbox");
    let device = add(store, &mailbox, "x", 1).await;
    let edit = DeviceEdit {
        scopes: Some(none),
        ..DeviceEdit::default()
    };
    refused(
        store.edit_device(&actor(), device.id, &edit).await,
        "at least one protocol",
    );
    let missing = DeviceId::from_raw(1);
    not_found(
        store.edit_device(&actor(), missing, &DeviceEdit::default()).await,
        "there is no device",
    );
    not_found(
        store.replace_credential(&actor(), missing, &credential(2)).await,
        "there is no device",
    );
}

pub(in crate::store) async fn a_tag_is_unique_in_its_mailbox_retired_ones_included(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let phone = add(store, &mailbox, "iPhone", 1).await;
    let taken = "another password of anna@example.org has the same tag; generate a new one";
    conflict(
        store.create_device(&actor(), &new_device(&mailbox, "Laptop", 1)).await,
        taken,
    );
    store
        .replace_credential(&actor(), phone.id, &credential(2))
        .await
        .unwrap();
    conflict(
        store.create_device(&actor(), &new_device(&mailbox, "Laptop", 1)).await,
        taken,
    );
    conflict(
        store.replace_credential(&actor(), phone.id, &credential(2)).await,
        taken,
    );
    assert_eq!(store.tags_in_use(mailbox.id, 1).await.unwrap(), [1, 2]);
    assert_eq!(store.tags_in_use(mailbox.id, 2).await.unwrap(), [0_u16; 0]);

    let under_another_key = NewCredential {
        key_id: 2,
        ..credential(1)
    };
    let new = NewDevice {
        credential: Some(under_another_key),
        ..new_device(&mailbox, "Laptop", 1)
    };
    store.create_device(&actor(), &new).await.unwrap();
    assert_eq!(store.tags_in_use(mailbox.id, 2).await.unwrap(), [1]);
    for label in ["old 1", "old 2"] {
        let untagged = NewCredential {
            tag: None,
            ..credential(0)
        };
        let new = NewDevice {
            credential: Some(untagged),
            ..new_device(&mailbox, label, 0)
        };
        store.create_device(&actor(), &new).await.unwrap();
    }
}

pub(in crate::store) async fn a_mailbox_has_a_bounded_number_of_live_devices(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let mut last = None;
    for number in 0..LIVE_DEVICES_MAX {
        let tag = u16::try_from(number).unwrap();
        last = Some(add(store, &mailbox, &format!("device {number}"), tag).await);
    }
    let over = new_device(&mailbox, "one more", 60_000);
    refused(
        store.create_device(&actor(), &over).await,
        "has 256 devices, the most there may be",
    );
    store
        .set_device_state(&actor(), &[last.unwrap().id], DeviceState::Revoked(START))
        .await
        .unwrap();
    store.create_device(&actor(), &over).await.unwrap();
    assert_eq!(login(store, "anna@example.org").await.credentials.len(), 257);
}

pub(in crate::store) async fn an_edit_that_takes_something_away_is_a_change_and_bumps_the_epoch(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let new = NewDevice {
        senders: SenderRule::Off,
        ..new_device(&mailbox, "iPhone", 1)
    };
    let device = store.create_device(&actor(), &new).await.unwrap();
    let edits = [
        DeviceEdit {
            scopes: "imap".parse().ok(),
            ..DeviceEdit::default()
        },
        DeviceEdit {
            networks: "192.0.2.0/24".parse().ok(),
            ..DeviceEdit::default()
        },
        DeviceEdit {
            networks: "192.0.2.7".parse().ok(),
            ..DeviceEdit::default()
        },
        DeviceEdit {
            senders: "info@example.org".parse().ok(),
            ..DeviceEdit::default()
        },
        DeviceEdit {
            expires_at: Some(Some(START.plus(Duration::from_secs(9)))),
            ..DeviceEdit::default()
        },
        DeviceEdit {
            expires_at: Some(Some(START)),
            ..DeviceEdit::default()
        },
    ];
    let mut expected = Vec::new();
    for (index, edit) in edits.iter().enumerate() {
        let seq = store.edit_device(&actor(), device.id, edit).await.unwrap();
        expected.push(ended(seq, &device, EndReason::Narrowed));
        assert_eq!(changes(store).await, expected, "{edit:?}");
        assert_eq!(epoch(store, &device).await, i64::try_from(index).unwrap() + 1);
    }
}

pub(in crate::store) async fn an_edit_that_only_gives_is_no_change(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let new = NewDevice {
        scopes: "imap".parse().unwrap(),
        expires_at: Some(START),
        networks: "192.0.2.7".parse().unwrap(),
        ..new_device(&mailbox, "iPhone", 1)
    };
    let device = store.create_device(&actor(), &new).await.unwrap();
    let edits = [
        DeviceEdit {
            label: Some("Anna's iPhone".into()),
            ..DeviceEdit::default()
        },
        DeviceEdit {
            scopes: Some(Scopes::ALL),
            ..DeviceEdit::default()
        },
        DeviceEdit {
            expires_at: Some(Some(START.plus(Duration::from_secs(1)))),
            ..DeviceEdit::default()
        },
        DeviceEdit {
            expires_at: Some(None),
            ..DeviceEdit::default()
        },
        DeviceEdit {
            networks: "192.0.2.0/24".parse().ok(),
            ..DeviceEdit::default()
        },
        DeviceEdit {
            networks: Some(Networks::default()),
            ..DeviceEdit::default()
        },
        DeviceEdit {
            senders: Some(SenderRule::Off),
            ..DeviceEdit::default()
        },
    ];
    for edit in &edits {
        assert_eq!(store.edit_device(&actor(), device.id, edit).await.unwrap(), Seq(0));
        // The second time nothing is different: no row tells of it.
        assert_eq!(store.edit_device(&actor(), device.id, edit).await.unwrap(), Seq(0));
    }
    assert_eq!(changes(store).await, []);
    assert_eq!(actions(store).await[4..], ["device.edit"; 7]);
    let now = store.device(device.id).await.unwrap().unwrap();
    assert_eq!(
        (now.epoch, now.label.as_str(), now.scopes, now.expires_at),
        (0, "Anna's iPhone", Scopes::ALL, None)
    );
    assert_eq!((now.networks, now.senders), (Networks::default(), SenderRule::Off));
}

pub(in crate::store) async fn replacing_retires_the_old_credential(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let untagged = NewCredential {
        tag: None,
        ..credential(0)
    };
    let new = NewDevice {
        imported: true,
        credential: Some(untagged),
        ..new_device(&mailbox, "Existing password", 0)
    };
    let device = store.create_device(&actor(), &new).await.unwrap();
    backend.clock.advance(Duration::from_secs(5));
    let seq = store
        .replace_credential(&actor(), device.id, &credential(2))
        .await
        .unwrap();
    assert_eq!(changes(store).await, [ended(seq, &device, EndReason::Replaced)]);

    let now = START.plus(Duration::from_secs(5));
    let found = login(store, "anna@example.org").await.credentials;
    assert_eq!(
        found.iter().map(|one| (one.tag, one.retired_at)).collect::<Vec<_>>(),
        [(Some(2), None), (None, Some(now))]
    );
    assert_ne!(found[0].id, found[1].id);
    let device = store.device(device.id).await.unwrap().unwrap();
    assert_eq!(
        (device.replaced_at, device.epoch, device.imported),
        (Some(now), 1, false)
    );
    assert_eq!(found[0].device, judged(device));
}

pub(in crate::store) async fn pausing_and_resuming(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let device = add(store, &mailbox, "iPhone", 1).await;
    let paused = DeviceState::Paused(START);
    let seq = store.set_device_state(&actor(), &[device.id], paused).await.unwrap();
    assert_eq!(
        store.set_device_state(&actor(), &[device.id], paused).await.unwrap(),
        seq
    );
    assert_eq!(changes(store).await, [ended(seq, &device, EndReason::Paused)]);
    let read = store.device(device.id).await.unwrap().unwrap();
    assert_eq!((read.state, read.epoch), (paused, 1));
    assert_eq!(login(store, "anna@example.org").await.credentials[0].retired_at, None);

    assert_eq!(
        store
            .set_device_state(&actor(), &[device.id], DeviceState::Active)
            .await
            .unwrap(),
        seq
    );
    assert_eq!(
        store
            .set_device_state(&actor(), &[device.id], DeviceState::Active)
            .await
            .unwrap(),
        seq
    );
    let read = store.device(device.id).await.unwrap().unwrap();
    assert_eq!((read.state, read.epoch), (DeviceState::Active, 1));
    assert_eq!(actions(store).await[4..], ["device.pause", "device.resume"]);
}

pub(in crate::store) async fn revoking_is_idempotent_and_for_good(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let device = add(store, &mailbox, "iPhone", 1).await;
    let seq = store
        .set_device_state(&actor(), &[device.id], DeviceState::Revoked(START))
        .await
        .unwrap();
    let later = DeviceState::Revoked(START.plus(Duration::from_secs(9)));
    assert_eq!(
        store.set_device_state(&actor(), &[device.id], later).await.unwrap(),
        seq
    );
    assert_eq!(changes(store).await, [ended(seq, &device, EndReason::Revoked)]);
    assert_eq!(actions(store).await[4..], ["device.revoke"]);
    let read = store.device(device.id).await.unwrap().unwrap();
    assert_eq!((read.state, read.epoch), (DeviceState::Revoked(START), 1));
    assert_eq!(
        login(store, "anna@example.org").await.credentials[0].retired_at,
        Some(START)
    );

    let text = "was revoked, which is for good; add a new device";
    refused(
        store
            .set_device_state(&actor(), &[device.id], DeviceState::Active)
            .await,
        text,
    );
    refused(
        store
            .set_device_state(&actor(), &[device.id], DeviceState::Paused(START))
            .await,
        text,
    );
    refused(
        store.replace_credential(&actor(), device.id, &credential(2)).await,
        text,
    );
    refused(
        store.edit_device(&actor(), device.id, &DeviceEdit::default()).await,
        text,
    );
    assert_eq!(changes(store).await.len(), 1);
}

pub(in crate::store) async fn several_devices_end_together_or_not_at_all(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let phone = add(store, &mailbox, "iPhone", 1).await;
    let laptop = add(store, &mailbox, "Laptop", 2).await;
    let missing = DeviceId::from_raw(1);
    let revoked = DeviceState::Revoked(START);
    not_found(
        store.set_device_state(&actor(), &[phone.id, missing], revoked).await,
        "there is no device",
    );
    assert_eq!(
        store.device(phone.id).await.unwrap().unwrap().state,
        DeviceState::Active
    );
    assert_eq!(changes(store).await, []);

    let seq = store
        .set_device_state(&actor(), &[phone.id, laptop.id], revoked)
        .await
        .unwrap();
    let expected = [
        ended(Seq(seq.0 - 1), &phone, EndReason::Revoked),
        ended(seq, &laptop, EndReason::Revoked),
    ];
    assert_eq!(changes(store).await, expected);
    assert_eq!(actions(store).await[5..], ["device.revoke", "device.revoke"]);
    assert_eq!(store.set_device_state(&actor(), &[], revoked).await.unwrap(), seq);
}

pub(in crate::store) async fn devices_are_listed_by_mailbox_and_organisation(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let other = org(store, "Other", "b.example").await;
    let bob = store.create_mailbox(&actor(), &address("bob@b.example")).await.unwrap();
    let first = add(store, &mailbox, "one", 1).await;
    let second = add(store, &mailbox, "two", 2).await;
    let third = add(store, &bob, "three", 3).await;
    store
        .set_device_state(&actor(), &[first.id], DeviceState::Revoked(START))
        .await
        .unwrap();
    let listed = async |mailbox, org, with_revoked| -> Vec<DeviceId> {
        let found = store
            .devices(&DeviceFilter {
                mailbox,
                org,
                with_revoked,
            })
            .await
            .unwrap();
        found.into_iter().map(|device| device.id).collect()
    };
    assert_eq!(listed(None, None, true).await, [first.id, second.id, third.id]);
    assert_eq!(listed(None, None, false).await, [second.id, third.id]);
    assert_eq!(listed(Some(mailbox.id), None, true).await, [first.id, second.id]);
    assert_eq!(listed(None, Some(other.id), false).await, [third.id]);
    assert_eq!(listed(Some(mailbox.id), Some(other.id), true).await, []);
}
