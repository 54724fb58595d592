//! Lists of one organisation: filters, order, paging, search, numbers.

use std::time::Duration;

use super::*;
use crate::model::DeviceState;
use crate::store::{
    DeviceOwner, DeviceQuery, DeviceRow, DeviceStatus, Found, MailboxQuery, MailboxRow, NewInvitation, Overview,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn labels(rows: &[DeviceRow]) -> Vec<String> {
    rows.iter()
        .map(|row| format!("{}/{}", row.address.local(), row.device.label))
        .collect()
}

/// All pages of a list, each of `limit` rows.
async fn listed(store: &dyn Store, org: OrgId, query: &DeviceQuery, limit: u32) -> Vec<String> {
    let mut query = DeviceQuery { limit, ..query.clone() };
    let mut all = Vec::new();
    loop {
        let page = store.device_page(org, &query).await.unwrap();
        assert!(page.rows.len() <= limit as usize);
        all.extend(labels(&page.rows));
        assert!(all.len() < 100, "a row comes again: {all:?}");
        match page.next {
            None => return all,
            Some(next) => query.after = Some(next.to_string().parse().unwrap()),
        }
    }
}

/// The same, whatever the size of a page.
async fn list(store: &dyn Store, org: OrgId, query: &DeviceQuery) -> Vec<String> {
    let all = listed(store, org, query, 100).await;
    for limit in 1..4 {
        assert_eq!(
            listed(store, org, query, limit).await,
            all,
            "pages of {limit}: {query:?}"
        );
    }
    all
}

pub(in crate::store) async fn devices_are_listed_by_state_each_in_its_order(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let ids = [
        add(store, &world.sales, "a", 1).await,
        add(store, &world.info, "b", 1).await,
        add(store, &world.info, "c", 2).await,
        add(store, &world.sales, "d", 2).await,
        add(store, &world.sales, "e", 3).await,
    ];
    add(store, &world.foreign, "theirs", 1).await;
    let [a, b, c, d, e] = &ids;
    let status = |status| DeviceQuery {
        status,
        ..DeviceQuery::default()
    };
    let live = ["info/b", "info/c", "sales/a", "sales/d", "sales/e"];
    assert_eq!(list(store, world.acme, &DeviceQuery::default()).await, live);
    assert_eq!(list(store, world.other, &DeviceQuery::default()).await, ["bob/theirs"]);
    let never = ["sales/a", "info/b", "info/c", "sales/d", "sales/e"];
    assert_eq!(list(store, world.acme, &status(DeviceStatus::NeverUsed)).await, never);

    let day = |days: u32| START.plus(DAY * days);
    let uses = [
        used(d, day(0), "x"),
        used(a, day(2), "x"),
        used(b, day(1), "x"),
        used(c, day(1), "x"),
    ];
    store.record_uses(&uses).await.unwrap();
    assert_eq!(
        list(store, world.acme, &status(DeviceStatus::NeverUsed)).await,
        ["sales/e"]
    );
    let unused = async |since| list(store, world.acme, &status(DeviceStatus::UnusedSince(since))).await;
    assert_eq!(unused(day(0)).await, [""; 0]);
    assert_eq!(unused(day(2)).await, ["sales/d", "info/b", "info/c"]);
    assert_eq!(unused(day(9)).await, ["sales/d", "info/b", "info/c", "sales/a"]);

    let state = async |device: &Device, state| {
        store.set_device_state(&actor(), &[device.id], state).await.unwrap();
    };
    state(a, DeviceState::Paused(day(1))).await;
    state(c, DeviceState::Paused(day(2))).await;
    state(e, DeviceState::Paused(day(2))).await;
    let paused = status(DeviceStatus::Paused);
    assert_eq!(list(store, world.acme, &paused).await, ["sales/e", "info/c", "sales/a"]);
    state(e, DeviceState::Revoked(day(3))).await;
    state(b, DeviceState::Revoked(day(4))).await;
    assert_eq!(list(store, world.acme, &paused).await, ["info/c", "sales/a"]);
    let revoked = status(DeviceStatus::Revoked);
    assert_eq!(list(store, world.acme, &revoked).await, ["info/b", "sales/e"]);
    assert_eq!(
        list(store, world.acme, &DeviceQuery::default()).await,
        ["info/c", "sales/a", "sales/d"]
    );
    assert_eq!(list(store, world.acme, &status(DeviceStatus::All)).await, live);
    assert_eq!(unused(day(9)).await, ["sales/d", "info/c", "sales/a"]);

    for (device, days) in [(a, 9), (d, 8), (c, 7)] {
        let edit = crate::store::DeviceEdit {
            expires_at: Some(Some(day(days))),
            ..Default::default()
        };
        store.edit_device(&actor(), device.id, &edit).await.unwrap();
    }
    let ending = status(DeviceStatus::EndingBefore(day(9)));
    assert_eq!(list(store, world.acme, &ending).await, ["info/c", "sales/d"]);
}

pub(in crate::store) async fn devices_are_filtered(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let rights = terms("add-own-devices");
    for mailbox in [&world.info, &world.sales] {
        store
            .give_grant(&actor(), world.acme, mailbox.id, world.lucie.id, &rights)
            .await
            .unwrap();
    }
    let phone = add_for(store, &world.sales, &world.lucie, "Lucie's iPhone", 1).await;
    add_for(store, &world.info, &world.lucie, "Lucie's iPhone", 1).await;
    let crm = NewDevice {
        kind: DeviceKind::App,
        ..new_device(&world.info, "CRM 100%", 2)
    };
    store.create_device(&actor(), &crm).await.unwrap();
    store.record_uses(&[used(&phone, START, "x")]).await.unwrap();
    let any = DeviceQuery::default();
    let only = async |query: DeviceQuery| list(store, world.acme, &query).await;
    let phones = ["info/Lucie's iPhone", "sales/Lucie's iPhone"];
    let owner = |owner| DeviceQuery {
        owner: Some(owner),
        ..DeviceQuery::default()
    };
    assert_eq!(only(owner(DeviceOwner::User(world.lucie.id))).await, phones);
    assert_eq!(only(owner(DeviceOwner::Nobody)).await, ["info/CRM 100%"]);
    assert_eq!(only(owner(DeviceOwner::User(world.bob.id))).await, [""; 0]);
    let kind = Some(DeviceKind::App);
    assert_eq!(only(DeviceQuery { kind, ..any.clone() }).await, ["info/CRM 100%"]);
    let text = |text: &str| DeviceQuery {
        text: Some(text.into()),
        ..DeviceQuery::default()
    };
    assert_eq!(only(text("IPHONE")).await, phones);
    assert_eq!(only(text("sales@")).await, ["sales/Lucie's iPhone"]);
    assert_eq!(only(text("%")).await, ["info/CRM 100%"]);
    assert_eq!(only(text("_")).await, [""; 0], "no pattern language");
    let last_ip = "192.0.2.7".parse().ok();
    assert_eq!(
        only(DeviceQuery { last_ip, ..any.clone() }).await,
        ["sales/Lucie's iPhone"]
    );
    let mailbox = Some(world.info.id);
    let on_info = DeviceQuery { mailbox, ..any.clone() };
    assert_eq!(only(on_info.clone()).await, ["info/Lucie's iPhone", "info/CRM 100%"]);
    assert_eq!(list(store, world.other, &on_info).await, [""; 0]);
    let mailbox = Some(world.foreign.id);
    assert_eq!(only(DeviceQuery { mailbox, ..any.clone() }).await, [""; 0]);
    let both = DeviceQuery {
        status: DeviceStatus::NeverUsed,
        ..owner(DeviceOwner::User(world.lucie.id))
    };
    assert_eq!(only(both).await, ["info/Lucie's iPhone"]);
    let nowhere = DeviceQuery {
        status: DeviceStatus::Revoked,
        after: Some(crate::store::Cursor {
            key: "x".into(),
            id: phone.id,
        }),
        ..any
    };
    refused(store.device_page(world.acme, &nowhere).await, "no place in a list");
}

fn names(rows: &[MailboxRow]) -> Vec<String> {
    rows.iter().map(|row| row.mailbox.address.local().to_owned()).collect()
}

pub(in crate::store) async fn mailboxes_are_listed_with_numbers(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    store
        .create_mailbox(&actor(), &address("third@example.org"))
        .await
        .unwrap();
    for text in ["hello@example.org", "contact@example.org"] {
        store
            .create_alias(&actor(), &address(text), world.info.id)
            .await
            .unwrap();
    }
    store
        .give_grant(&actor(), world.acme, world.info.id, world.lucie.id, &terms("send-as"))
        .await
        .unwrap();
    let first = add(store, &world.sales, "first", 1).await;
    let second = add(store, &world.sales, "second", 2).await;
    store
        .record_uses(&[used(&first, Timestamp(20), "x"), used(&second, Timestamp(30), "x")])
        .await
        .unwrap();
    let page = async |query: MailboxQuery| store.mailbox_page(world.acme, &query).await.unwrap();
    let any = MailboxQuery {
        limit: 2,
        ..MailboxQuery::default()
    };
    let begin = page(any.clone()).await;
    assert_eq!(names(&begin.rows), ["info", "sales"]);
    let [info, sales] = begin.rows.as_slice() else {
        panic!("{begin:?}")
    };
    assert_eq!((info.people, info.aliases, info.mailbox.active_devices), (1, 2, 0));
    assert_eq!(info.last_use, None);
    assert_eq!((sales.people, sales.aliases, sales.mailbox.active_devices), (0, 0, 2));
    assert_eq!(sales.last_use, Some((Timestamp(30), second.id, "second".into())));
    assert_eq!(
        store.mailbox_in(world.acme, sales.mailbox.id).await.unwrap().as_ref(),
        Some(sales)
    );
    let after = begin.next;
    assert_eq!(after, Some(world.sales.address.clone()));
    let rest = page(MailboxQuery { after, ..any.clone() }).await;
    assert_eq!((names(&rest.rows), rest.next), (vec!["third".to_owned()], None));
}

pub(in crate::store) async fn mailboxes_are_filtered(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let third = store
        .create_mailbox(&actor(), &address("third@example.org"))
        .await
        .unwrap();
    store
        .give_grant(&actor(), world.acme, world.info.id, world.lucie.id, &terms("send-as"))
        .await
        .unwrap();
    add(store, &world.sales, "first", 1).await;
    let page = async |query: MailboxQuery| store.mailbox_page(world.acme, &query).await.unwrap();
    let any = MailboxQuery {
        limit: 9,
        ..MailboxQuery::default()
    };
    let only = async |query: MailboxQuery| names(&page(MailboxQuery { limit: 9, ..query }).await.rows);
    let unreachable = MailboxQuery {
        unreachable: true,
        ..any.clone()
    };
    assert_eq!(only(unreachable.clone()).await, ["third"]);
    add(store, &third, "x", 1).await;
    assert_eq!(only(unreachable).await, [""; 0]);
    store.set_mailbox_suspended(&actor(), third.id, true).await.unwrap();
    let suspended = |suspended| MailboxQuery {
        suspended: Some(suspended),
        ..MailboxQuery::default()
    };
    assert_eq!(only(suspended(true)).await, ["third"]);
    assert_eq!(only(suspended(false)).await, ["info", "sales"]);
    let text = Some("ALES@".into());
    assert_eq!(only(MailboxQuery { text, ..any.clone() }).await, ["sales"]);
    let domain = store.domains(Some(world.acme)).await.unwrap().remove(0).id;
    let domain = Some(domain);
    assert_eq!(only(MailboxQuery { domain, ..any.clone() }).await.len(), 3);
    let domain = Some(store.domains(Some(world.other)).await.unwrap().remove(0).id);
    assert_eq!(only(MailboxQuery { domain, ..any.clone() }).await, [""; 0]);
    assert_eq!(
        names(&store.mailbox_page(world.other, &any).await.unwrap().rows),
        ["bob"]
    );
}

pub(in crate::store) async fn a_search_finds_what_begins_with_the_text_first(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    store
        .create_alias(&actor(), &address("sophies@example.org"), world.info.id)
        .await
        .unwrap();
    store
        .create_mailbox(&actor(), &address("a.sophie@example.org"))
        .await
        .unwrap();
    store
        .create_mailbox(&actor(), &address("sophie@example.org"))
        .await
        .unwrap();
    add(store, &world.info, "Phone of Sophie", 1).await;
    let gone = add(store, &world.info, "Sophie's old phone", 2).await;
    add(store, &world.info, "Sophie's iPhone", 3).await;
    store
        .set_device_state(&actor(), &[gone.id], DeviceState::Revoked(START))
        .await
        .unwrap();
    let search = async |org, text: &str, limit| -> Vec<String> {
        let found = store.search(org, text, limit).await.unwrap();
        let shown = found.into_iter().map(|one| match one {
            Found::Mailbox { address, .. } => format!("mailbox {}", address.local()),
            Found::Alias { address, target, .. } => format!("alias {} of {}", address.local(), target.local()),
            Found::Person { name, address, .. } => format!("person {name} {}", address.local()),
            Found::Device { label, address, .. } => format!("device {label} of {}", address.local()),
        });
        shown.collect()
    };
    assert_eq!(
        search(world.acme, " SOPHIE ", 9).await,
        [
            "mailbox sophie",
            "mailbox a.sophie",
            "alias sophies of info",
            "person Sophie sophie",
            "device Sophie's iPhone of info",
            "device Phone of Sophie of info",
        ]
    );
    assert_eq!(
        search(world.acme, "sophie", 1).await,
        [
            "mailbox sophie",
            "alias sophies of info",
            "person Sophie sophie",
            "device Sophie's iPhone of info",
        ]
    );
    assert_eq!(
        search(world.acme, "private.example", 9).await.len(),
        2,
        "people by address"
    );
    assert_eq!(search(world.other, "sophie", 9).await, [""; 0]);
    assert_eq!(search(world.acme, "bob", 9).await, [""; 0]);
    assert_eq!(search(world.acme, "  ", 9).await, [""; 0]);
    assert_eq!(search(world.acme, "%", 9).await, [""; 0], "no pattern language");
}

pub(in crate::store) async fn an_organisation_is_counted(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let before = store.overview(world.acme, START).await.unwrap();
    assert_eq!(
        before,
        Overview {
            mailboxes: 2,
            unreachable: 2,
            people: 2,
            ..Overview::default()
        }
    );
    store
        .create_alias(&actor(), &address("hello@example.org"), world.info.id)
        .await
        .unwrap();
    store
        .set_mailbox_suspended(&actor(), world.info.id, true)
        .await
        .unwrap();
    let old = add(store, &world.sales, "old", 1).await;
    let new = add(store, &world.sales, "new", 2).await;
    add(store, &world.sales, "never", 3).await;
    let gone = add(store, &world.sales, "gone", 4).await;
    store
        .set_device_state(&actor(), &[gone.id], DeviceState::Revoked(START))
        .await
        .unwrap();
    store
        .record_uses(&[used(&old, START, "x"), used(&new, START.plus(DAY * 90), "x")])
        .await
        .unwrap();
    for (number, text) in [(1, "a@private.example"), (2, "b@private.example")] {
        let new = NewInvitation {
            address: address(text),
            role: Role::Member,
            grants: Vec::new(),
            language: Language::English,
            invited_by: "Sophie".into(),
            link: token(number),
            expires_at: START.plus(DAY * u32::from(number)),
        };
        store.create_invitation(&actor(), world.acme, &new).await.unwrap();
    }
    backend.clock.advance(DAY);
    let after = store.overview(world.acme, START.plus(DAY * 90)).await.unwrap();
    assert_eq!(
        after,
        Overview {
            mailboxes: 2,
            suspended: 1,
            unreachable: 1,
            aliases: 1,
            devices: 3,
            never_used: 1,
            unused: 1,
            knocking: 0,
            people: 2,
            invitations: 1,
            undelivered: 0,
        }
    );
    let nowhere = store.overview(OrgId::from_raw(1), START).await.unwrap();
    assert_eq!(nowhere, Overview::default());
}
