//! What users may do with mailboxes, and who may send as whom.

use std::time::Duration;

use super::*;
use crate::model::{DeviceState, MailboxId, Right, Rights, UserId};
use crate::store::people::SEND_AS_MAX;
use crate::store::{ChangeKind, DeviceEdit, EndReason};

async fn give(store: &dyn Store, world: &World, mailbox: &Mailbox, rights: &str) {
    store
        .give_grant(&actor(), world.acme, mailbox.id, world.lucie.id, &terms(rights))
        .await
        .unwrap();
}

pub(in crate::store) async fn a_grant_counts_until_its_end(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let lucie = world.lucie.id;
    let ends_at = Some(START.plus(Duration::from_secs(60)));
    let given = GrantTerms {
        ends_at,
        ..terms("see-devices,send-as")
    };
    let grant = store
        .give_grant(&actor(), world.acme, world.info.id, lucie, &given)
        .await
        .unwrap();
    assert_eq!(
        (grant.mailbox, grant.address.as_str(), grant.user, grant.rights),
        (world.info.id, "info@example.org", lucie, given.rights)
    );
    assert_eq!((grant.ends_at, grant.created_at), (ends_at, START));
    assert_eq!(
        store.grant(world.acme, world.info.id, lucie).await.unwrap(),
        Some(grant.clone())
    );
    give(store, &world, &world.sales, "manage-devices").await;
    let of = async |org, after: Option<&str>, limit| -> Vec<String> {
        let after = after.map(address);
        let grants = store.grants_of(org, lucie, after.as_ref(), limit).await.unwrap();
        grants.into_iter().map(|grant| grant.address.to_string()).collect()
    };
    assert_eq!(of(None, None, 9).await, ["info@example.org", "sales@example.org"]);
    assert_eq!(of(Some(world.acme), None, 1).await, ["info@example.org"]);
    assert_eq!(
        of(Some(world.acme), Some("info@example.org"), 9).await,
        ["sales@example.org"]
    );
    assert_eq!(of(Some(world.other), None, 9).await, [""; 0]);
    let on = store.grants_on(world.acme, world.info.id).await.unwrap();
    assert_eq!(on.len(), 1);
    assert_eq!(
        (
            &on[0].grant,
            on[0].name.as_str(),
            on[0].user_address.as_str(),
            on[0].devices
        ),
        (&grant, "Lucie", "lucie@private.example", 0)
    );

    let rights = async |mailbox| {
        let standing = store.standing(world.acme, lucie, Some(mailbox)).await.unwrap();
        standing.unwrap().rights
    };
    assert_eq!(rights(world.info.id).await, given.rights);
    assert!(rights(world.sales.id).await.has(Right::ManageDevices));
    assert_eq!(rights(world.foreign.id).await, Rights::NONE);
    assert_eq!(rights(MailboxId::from_raw(1)).await, Rights::NONE);
    backend.clock.advance(Duration::from_secs(60));
    assert_eq!(rights(world.info.id).await, Rights::NONE, "even where nobody tidied up");
    // Given anew before the sweep came: the old one is withdrawn first.
    give(store, &world, &world.info, "see-devices").await;
    assert_eq!(rights(world.info.id).await, "see-devices".parse().unwrap());
    assert_eq!(
        actions(store).await[13..],
        ["grant.give", "grant.give", "grant.withdraw", "grant.give"]
    );
}

pub(in crate::store) async fn what_breaks_a_rule_of_grants_is_refused(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let (acme, info, lucie) = (world.acme, world.info.id, world.lucie.id);
    let before = actions(store).await;
    let give =
        async |org, mailbox, user, terms: GrantTerms| store.give_grant(&actor(), org, mailbox, user, &terms).await;
    let some = terms("see-devices");
    let none = GrantTerms {
        rights: Rights::NONE,
        ends_at: None,
    };
    refused(give(acme, info, lucie, none).await, "choose at least one right");
    let past = GrantTerms {
        ends_at: Some(START),
        ..some
    };
    refused(give(acme, info, lucie, past).await, "is in the past");
    not_found(
        give(acme, MailboxId::from_raw(1), lucie, some).await,
        "there is no mailbox",
    );
    not_found(give(acme, world.foreign.id, lucie, some).await, "there is no mailbox");
    not_found(give(acme, info, UserId::from_raw(1), some).await, "there is no member");
    not_found(give(acme, info, world.bob.id, some).await, "there is no member");
    not_found(give(world.other, info, lucie, some).await, "there is no mailbox");
    assert_eq!(actions(store).await, before);

    give(acme, info, lucie, some).await.unwrap();
    conflict(
        give(acme, info, lucie, some).await,
        "lucie@private.example has access to info@example.org already; change it there",
    );
    let change =
        async |org, mailbox, user, to: GrantTerms| store.change_grant(&actor(), org, mailbox, user, &some, &to).await;
    refused(change(acme, info, lucie, none).await, "choose at least one right");
    refused(change(acme, info, lucie, past).await, "is in the past");
    not_found(change(world.other, info, lucie, some).await, "has no access");
    not_found(change(acme, info, world.sophie.id, some).await, "has no access");
    let withdraw = async |org, mailbox, user| store.withdraw_grant(&actor(), org, mailbox, user).await;
    not_found(withdraw(world.other, info, lucie).await, "has no access");
    not_found(withdraw(acme, world.foreign.id, lucie).await, "has no access");
    assert_eq!(store.grant(world.other, info, lucie).await.unwrap(), None);
    assert_eq!(store.grants_on(world.other, info).await.unwrap(), []);
}

pub(in crate::store) async fn a_grant_is_changed_only_from_what_it_says(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    give(store, &world, &world.info, "see-devices").await;
    backend.clock.advance(Duration::from_secs(60));
    let now = START.plus(Duration::from_secs(60));
    let marc = Actor::user(&address("marc@private.example"), "192.0.2.7");
    let change = async |by: &Actor, from: GrantTerms, to: GrantTerms| {
        store
            .change_grant(by, world.acme, world.info.id, world.lucie.id, &from, &to)
            .await
            .map(|(grant, _)| grant)
    };
    let until = GrantTerms {
        ends_at: Some(now.plus(Duration::from_secs(60))),
        ..terms("manage-devices")
    };
    let changed = change(&marc, terms("see-devices"), until).await.unwrap();
    assert_eq!((changed.rights, changed.ends_at), (until.rights, until.ends_at));
    let before = actions(store).await;
    stale(
        change(&actor(), terms("see-devices"), terms("send-as")).await,
        "user:marc@private.example",
        now,
    );
    let same_rights = terms("manage-devices");
    stale(
        change(&actor(), same_rights, terms("send-as")).await,
        "user:marc@private.example",
        now,
    );
    assert_eq!(change(&actor(), until, until).await.unwrap(), changed);
    assert_eq!(actions(store).await, before);
    assert_eq!(changes(store).await, [], "nobody's session needs to hear of it");
}

pub(in crate::store) async fn a_device_belongs_only_to_somebody_with_access(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let of = |user: UserId| NewDevice {
        user: Some(user),
        ..new_device(&world.info, "iPhone", 1)
    };
    let create = async |user: &User| store.create_device(&actor(), &of(user.id)).await;
    refused(
        create(&world.lucie).await,
        "lucie@private.example has no access to info@example.org; give it to them first",
    );
    not_found(create(&world.bob).await, "there is no member");
    give(store, &world, &world.info, "send-as").await;
    let phone = create(&world.lucie).await.unwrap();
    assert_eq!(phone.user, Some(world.lucie.id));
    // Whoever manages all mailboxes has access to each.
    let desk = add_for(store, &world.info, &world.sophie, "Desk", 2).await;
    let owner = |user| DeviceEdit {
        user: Some(user),
        ..DeviceEdit::default()
    };
    let edit = async |device: &Device, edit: &DeviceEdit| store.edit_device(&actor(), device.id, edit).await;
    not_found(edit(&desk, &owner(Some(world.bob.id))).await, "there is no member");
    edit(&desk, &owner(Some(world.lucie.id))).await.unwrap();
    edit(&phone, &owner(None)).await.unwrap();
    let read = async |device: &Device| store.device(device.id).await.unwrap().unwrap();
    assert_eq!(read(&desk).await.user, Some(world.lucie.id));
    assert_eq!((read(&phone).await.user, read(&phone).await.revision), (None, 1));
    let row = store.device_in(world.acme, desk.id).await.unwrap().unwrap();
    assert_eq!(
        (row.address.as_str(), row.owner.as_deref()),
        ("info@example.org", Some("Lucie"))
    );
    assert_eq!(store.device_in(world.other, desk.id).await.unwrap(), None);
}

pub(in crate::store) async fn a_withdrawn_grant_and_an_added_device_do_not_meet(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    for round in 0..20_u16 {
        give(store, &world, &world.info, "add-own-devices").await;
        let new = NewDevice {
            user: Some(world.lucie.id),
            ..new_device(&world.info, &format!("iPhone {round}"), round)
        };
        let (one, two) = (Arc::clone(&backend.store), Arc::clone(&backend.other));
        let (acme, info, lucie) = (world.acme, world.info.id, world.lucie.id);
        let added = tokio::spawn(async move { one.create_device(&actor(), &new).await });
        let withdrawn = tokio::spawn(async move { two.withdraw_grant(&actor(), acme, info, lucie).await });
        let added = added.await.unwrap();
        let withdrawn = withdrawn.await.unwrap().unwrap();
        match added {
            // It was there when the grant went, and went with it.
            Ok(device) => {
                assert_eq!(withdrawn.what.devices[0].device.id, device.id);
                assert_eq!(store.epoch(device.id, device.mailbox).await.unwrap(), None);
            }
            Err(error) => {
                refused::<()>(Err(error), "has no access");
                assert_eq!(withdrawn.what.devices, []);
            }
        }
        assert_eq!(
            store
                .mailbox(&world.info.address)
                .await
                .unwrap()
                .unwrap()
                .active_devices,
            0
        );
    }
}

async fn senders(store: &dyn Store, device: &Device) -> Vec<String> {
    let read = store.epoch_and_senders(device.id, device.mailbox).await.unwrap();
    read.unwrap().1.into_iter().map(|address| address.to_string()).collect()
}

pub(in crate::store) async fn send_as_is_for_the_devices_of_that_person(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    store
        .create_alias(&actor(), &address("hello@example.org"), world.info.id)
        .await
        .unwrap();
    give(store, &world, &world.sales, "add-own-devices").await;
    let phone = add_for(store, &world.sales, &world.lucie, "iPhone", 1).await;
    let crm = add(store, &world.sales, "CRM", 2).await;
    assert_eq!(senders(store, &phone).await, ["sales@example.org"]);
    let ends_at = Some(START.plus(Duration::from_secs(60)));
    let until = GrantTerms {
        ends_at,
        ..terms("send-as")
    };
    store
        .give_grant(&actor(), world.acme, world.info.id, world.lucie.id, &until)
        .await
        .unwrap();
    let all = ["sales@example.org", "hello@example.org", "info@example.org"];
    assert_eq!(senders(store, &phone).await, all);
    assert_eq!(senders(store, &crm).await, ["sales@example.org"]);
    assert_eq!(
        store.sender_addresses(world.sales.id).await.unwrap(),
        ["sales@example.org"].map(address),
        "the mailbox itself has no more addresses"
    );
    // On the mailbox itself the right adds nothing.
    let own = add_for(store, &world.info, &world.lucie, "iPhone", 1).await;
    assert_eq!(senders(store, &own).await, ["info@example.org", "hello@example.org"]);
    backend.clock.advance(Duration::from_secs(60));
    assert_eq!(senders(store, &phone).await, ["sales@example.org"], "its date has come");
}

fn narrowed(seq: Seq, device: &Device) -> Change {
    let kind = ChangeKind::DeviceEnded {
        device: device.id,
        mailbox: device.mailbox,
        reason: EndReason::Narrowed,
    };
    Change { seq, kind }
}

pub(in crate::store) async fn taking_send_as_away_ends_the_sessions_that_may_use_it(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    give(store, &world, &world.sales, "add-own-devices").await;
    give(store, &world, &world.info, "see-devices,send-as").await;
    let phone = add_for(store, &world.sales, &world.lucie, "iPhone", 1).await;
    let reader = NewDevice {
        user: Some(world.lucie.id),
        scopes: "imap".parse().unwrap(),
        ..new_device(&world.sales, "Reader", 2)
    };
    let reader = store.create_device(&actor(), &reader).await.unwrap();
    let free = NewDevice {
        user: Some(world.lucie.id),
        senders: SenderRule::Off,
        ..new_device(&world.sales, "Free", 3)
    };
    let free = store.create_device(&actor(), &free).await.unwrap();
    let own = add_for(store, &world.info, &world.lucie, "iPhone", 1).await;
    let crm = add(store, &world.sales, "CRM", 4).await;
    let change = async |from: &str, to: &str| {
        let (acme, info, lucie) = (world.acme, world.info.id, world.lucie.id);
        store
            .change_grant(&actor(), acme, info, lucie, &terms(from), &terms(to))
            .await
            .unwrap()
            .1
    };
    let seq = change("see-devices,send-as", "see-devices").await;
    assert_eq!(changes(store).await, [narrowed(seq, &phone)]);
    let read = async |device: &Device| store.device(device.id).await.unwrap().unwrap();
    assert_eq!((read(&phone).await.epoch, read(&phone).await.revision), (1, 0));
    for device in [&reader, &free, &own, &crm] {
        assert_eq!(read(device).await, *device, "nothing was taken from it");
    }
    assert_eq!(change("see-devices", "send-as").await, seq, "giving is no change");
}

pub(in crate::store) async fn what_another_organisation_granted_is_no_matter_of_a_device_here(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let lucie = world.lucie.id;
    let joined = store.add_member(&actor(), world.other, lucie, Role::Member).await;
    joined.unwrap();
    give(store, &world, &world.info, "add-own-devices,send-as").await;
    let there = store
        .give_grant(
            &actor(),
            world.other,
            world.foreign.id,
            lucie,
            &terms("add-own-devices"),
        )
        .await
        .unwrap();
    let phone = add_for(store, &world.foreign, &world.lucie, "iPhone", 1).await;
    let may = store.epoch_and_senders(phone.id, phone.mailbox).await.unwrap().unwrap();
    assert_eq!(may.1, std::slice::from_ref(&world.foreign.address), "nothing of Acme");

    let ending = store.ending_with(world.acme, lucie, Some(world.info.id)).await.unwrap();
    assert_eq!(ending.narrowed, [], "nor does Acme see it");
    let before = changes(store).await;
    let owner = DeviceEdit {
        user: Some(None),
        ..DeviceEdit::default()
    };
    store.edit_device(&actor(), phone.id, &owner).await.unwrap();
    store
        .withdraw_grant(&actor(), world.acme, world.info.id, lucie)
        .await
        .unwrap();
    assert_eq!(changes(store).await, before, "no session of it ends");
    assert_eq!(there.mailbox, world.foreign.id);
}

pub(in crate::store) async fn send_as_goes_with_the_mailbox_and_with_the_device(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    give(store, &world, &world.sales, "add-own-devices").await;
    give(store, &world, &world.info, "send-as").await;
    let phone = add_for(store, &world.sales, &world.lucie, "iPhone", 1).await;
    let owner = |user| DeviceEdit {
        user: Some(user),
        ..DeviceEdit::default()
    };
    let nobody = store.edit_device(&actor(), phone.id, &owner(None)).await.unwrap();
    assert_eq!(changes(store).await.last(), Some(&narrowed(nobody, &phone)));
    let back = store
        .edit_device(&actor(), phone.id, &owner(Some(world.lucie.id)))
        .await;
    assert_eq!(back.unwrap(), nobody, "who gets a device adds to it");
    let deleted = store.delete_mailbox(&actor(), world.info.id).await.unwrap();
    let last = changes(store).await.split_off(1);
    assert_eq!(
        last,
        [
            narrowed(Seq(deleted.0 - 1), &phone),
            Change {
                seq: deleted,
                kind: ChangeKind::MailboxEnded { mailbox: world.info.id }
            }
        ]
    );
}

pub(in crate::store) async fn a_user_may_send_as_a_bounded_number_of_mailboxes(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    for number in 0..SEND_AS_MAX {
        let mailbox = store
            .create_mailbox(&actor(), &address(&format!("box{number}@example.org")))
            .await
            .unwrap();
        give(store, &world, &mailbox, "send-as").await;
    }
    let over = store
        .give_grant(&actor(), world.acme, world.info.id, world.lucie.id, &terms("send-as"))
        .await;
    refused(over, "may send as 256 mailboxes, the most there may be");
    give(store, &world, &world.info, "see-devices").await;
    let over = store
        .change_grant(
            &actor(),
            world.acme,
            world.info.id,
            world.lucie.id,
            &terms("see-devices"),
            &terms("send-as"),
        )
        .await;
    refused(over, "may send as 256 mailboxes");
}

pub(in crate::store) async fn an_edit_of_what_was_changed_meanwhile_is_refused(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let device = add(store, &mailbox, "iPhone", 1).await;
    backend.clock.advance(Duration::from_secs(60));
    let marc = Actor::user(&address("marc@private.example"), "192.0.2.7");
    let edit = |label: &str, revision| DeviceEdit {
        revision,
        label: Some(label.to_owned()),
        ..DeviceEdit::default()
    };
    let now = START.plus(Duration::from_secs(60));
    let revision = async || store.device(device.id).await.unwrap().unwrap().revision;
    assert_eq!(revision().await, 0);
    store
        .edit_device(&marc, device.id, &edit("Phone", Some(0)))
        .await
        .unwrap();
    store
        .replace_credential(&marc, device.id, &credential(2))
        .await
        .unwrap();
    for state in [DeviceState::Paused(now), DeviceState::Active] {
        store.set_device_state(&marc, &[device.id], state).await.unwrap();
    }
    assert_eq!(revision().await, 4, "each of them changed the record");
    store.record_uses(&[used(&device, now, "x")]).await.unwrap();
    let detail = serde_json::json!({ "mailbox": "anna@example.org", "label": "Phone" });
    store
        .append_audit(&actor(), "session.end", None, &device.id.to_string(), detail)
        .await
        .unwrap();
    assert_eq!(revision().await, 4, "its use does not");

    let before = actions(store).await;
    for seen in 0..4 {
        stale(
            store.edit_device(&actor(), device.id, &edit("Mine", Some(seen))).await,
            "user:marc@private.example",
            now,
        );
    }
    assert_eq!(actions(store).await, before);
    store
        .edit_device(&actor(), device.id, &edit("Mine", Some(4)))
        .await
        .unwrap();
    store
        .edit_device(&actor(), device.id, &edit("Whoever", None))
        .await
        .unwrap();
    store
        .set_device_state(&marc, &[device.id], DeviceState::Revoked(now))
        .await
        .unwrap();
    stale(
        store.edit_device(&actor(), device.id, &edit("Mine", Some(6))).await,
        "user:marc@private.example",
        now,
    );
}
