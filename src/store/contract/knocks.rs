//! Tries with retired passwords.

use std::time::Duration;

use super::*;
use crate::model::device::Knocking;
use crate::model::{CredentialId, DeviceId, DeviceState};
use crate::store::{DeviceFilter, DeviceOwner, DeviceQuery, DeviceStatus, KNOCKING_FOR, Knocks, RETIRED_KEPT};

fn last(at: Timestamp, ip: &str) -> Use {
    Use {
        at,
        ip: ip.parse().unwrap(),
        protocol: Protocol::Smtp,
        client: Some("Outlook".to_owned()),
    }
}

fn knocks(credential: CredentialId, tries: u64, since: i64, until: i64) -> Knocks {
    let knocking = Knocking {
        tries,
        since: Timestamp(START.0 + since),
        last: last(Timestamp(START.0 + until), "192.0.2.7"),
    };
    Knocks { credential, knocking }
}

/// The credential that has this tag.
async fn tagged(store: &dyn Store, mailbox: &str, tag: u16) -> CredentialId {
    let found = login(store, mailbox).await.credentials;
    found.into_iter().find(|one| one.tag == Some(tag)).unwrap().id
}

async fn replace(store: &dyn Store, device: &Device, tag: u16) {
    store
        .replace_credential(&actor(), device.id, &credential(tag))
        .await
        .unwrap();
}

async fn revoke(store: &dyn Store, device: &Device, at: Timestamp) {
    store
        .set_device_state(&actor(), &[device.id], DeviceState::Revoked(at))
        .await
        .unwrap();
}

async fn knocking(store: &dyn Store, org: OrgId, device: &Device) -> Option<Knocking> {
    store.device_in(org, device.id).await.unwrap().unwrap().knocking
}

pub(in crate::store) async fn tries_with_retired_passwords_add_up(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let phone = add(store, &world.info, "iPhone", 1).await;
    let live = tagged(store, "info@example.org", 1).await;
    store.record_knocks(&[knocks(live, 1, 0, 0)]).await.unwrap();
    assert_eq!(knocking(store, world.acme, &phone).await, None, "it is not retired");
    replace(store, &phone, 2).await;
    assert_eq!(knocking(store, world.acme, &phone).await, None);

    let strange = CredentialId::from_raw(1);
    store
        .record_knocks(&[knocks(live, 3, 10, 30), knocks(strange, 1, 0, 0)])
        .await
        .unwrap();
    // Of another node, later written and earlier seen.
    let mut early = knocks(live, 2, 5, 20);
    early.knocking.last.client = Some("\u{1b}[2J".to_owned());
    store.record_knocks(&[early.clone()]).await.unwrap();
    let found = knocking(store, world.acme, &phone).await.unwrap();
    let expected = Knocking {
        tries: 5,
        ..knocks(live, 0, 5, 30).knocking
    };
    assert_eq!(found, expected);
    early.knocking.last.at = Timestamp(START.0 + 40);
    store.record_knocks(&[early]).await.unwrap();
    let found = knocking(store, world.acme, &phone).await.unwrap();
    assert_eq!((found.tries, found.last.at.0), (7, START.0 + 40));
    assert_eq!(
        found.last.client.as_deref(),
        Some("\\u{1b}[2J"),
        "harmless on a terminal"
    );
    store.record_knocks(&[]).await.unwrap();
    assert_eq!(actions(store).await.last().map(String::as_str), Some("device.replace"));
}

pub(in crate::store) async fn a_device_shows_what_is_tried_with_all_its_old_passwords(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let phone = add(store, &world.info, "iPhone", 1).await;
    let laptop = add(store, &world.info, "Laptop", 9).await;
    let theirs = add(store, &world.foreign, "Theirs", 1).await;
    for tag in [2, 3] {
        replace(store, &phone, tag).await;
    }
    revoke(store, &phone, START).await;
    revoke(store, &theirs, START).await;
    let mut ids = Vec::new();
    for tag in 1..=3 {
        ids.push(tagged(store, "info@example.org", tag).await);
    }
    let foreign = tagged(store, "bob@b.example", 1).await;
    let all = [
        knocks(ids[0], 4, 20, 30),
        knocks(ids[1], 2, 10, 50),
        knocks(ids[2], 1, 40, 40),
        knocks(foreign, 9, 1, 1),
    ];
    store.record_knocks(&all).await.unwrap();
    let expected = Knocking {
        tries: 7,
        ..knocks(ids[0], 0, 10, 50).knocking
    };
    assert_eq!(knocking(store, world.acme, &phone).await, Some(expected.clone()));
    assert_eq!(knocking(store, world.acme, &laptop).await, None);

    let found = async |filter: DeviceFilter| {
        let found = store.knocking(&filter).await.unwrap();
        let mut found: Vec<(DeviceId, u64)> = found.into_iter().map(|(id, one)| (id, one.tries)).collect();
        found.sort_unstable();
        found
    };
    let of = |mailbox: Option<&Mailbox>, org, with_revoked| DeviceFilter {
        mailbox: mailbox.map(|mailbox| mailbox.id),
        org,
        with_revoked,
    };
    assert_eq!(found(of(Some(&world.info), None, true)).await, [(phone.id, 7)]);
    assert_eq!(found(of(None, Some(world.acme), true)).await, [(phone.id, 7)]);
    assert_eq!(found(of(None, None, true)).await.len(), 2);
    assert_eq!(found(of(None, None, false)).await, [], "both are revoked");
    assert_eq!(found(of(Some(&world.sales), None, true)).await, []);
    let overview = store.overview(world.acme, START).await.unwrap();
    assert_eq!(overview.knocking, 1, "a device with three old passwords is one");
}

pub(in crate::store) async fn devices_that_knock_are_listed_by_the_latest_try(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let rights = terms("add-own-devices");
    store
        .give_grant(&actor(), world.acme, world.sales.id, world.lucie.id, &rights)
        .await
        .unwrap();
    let phone = add(store, &world.info, "iPhone", 1).await;
    let quiet = add(store, &world.info, "Quiet", 2).await;
    let hers = add_for(store, &world.sales, &world.lucie, "Hers", 1).await;
    let copier = add(store, &world.sales, "Copier", 2).await;
    replace(store, &phone, 5).await;
    replace(store, &phone, 6).await;
    for device in [&quiet, &hers, &copier] {
        revoke(store, device, START).await;
    }
    let (info, sales) = ("info@example.org", "sales@example.org");
    let all = [
        knocks(tagged(store, info, 1).await, 1, 1, 90),
        knocks(tagged(store, info, 5).await, 1, 1, 20),
        knocks(tagged(store, sales, 1).await, 1, 1, 60),
        knocks(tagged(store, sales, 2).await, 1, 1, 60),
    ];
    store.record_knocks(&all).await.unwrap();
    let list = async |query: DeviceQuery, limit: u32| {
        let (mut query, mut labels) = (DeviceQuery { limit, ..query }, Vec::new());
        loop {
            let page = store.device_page(world.acme, &query).await.unwrap();
            assert!(page.rows.iter().all(|row| row.knocking.is_some()));
            labels.extend(page.rows.into_iter().map(|row| row.device.label));
            assert!(labels.len() < 10, "a row comes again: {labels:?}");
            match page.next {
                None => return labels,
                Some(next) => query.after = Some(next.to_string().parse().unwrap()),
            }
        }
    };
    let knocking = DeviceQuery {
        status: DeviceStatus::Knocking,
        ..DeviceQuery::default()
    };
    let owned = DeviceQuery {
        owner: Some(DeviceOwner::User(world.lucie.id)),
        ..knocking.clone()
    };
    let on_info = DeviceQuery {
        mailbox: Some(world.info.id),
        ..knocking.clone()
    };
    let copiers = DeviceQuery {
        text: Some("copi".to_owned()),
        ..knocking.clone()
    };
    for limit in [1, 2, 3, 50] {
        assert_eq!(
            list(knocking.clone(), limit).await,
            ["iPhone", "Copier", "Hers"],
            "{limit}"
        );
        assert_eq!(list(owned.clone(), limit).await, ["Hers"]);
        assert_eq!(list(on_info.clone(), limit).await, ["iPhone"]);
        assert_eq!(list(copiers.clone(), limit).await, ["Copier"]);
    }
    let elsewhere = store.device_page(world.other, &knocking).await.unwrap();
    assert_eq!(elsewhere.rows.len(), 0);
}

pub(in crate::store) async fn devices_that_ended_lately_stay_in_sight(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let phone = add(store, &world.info, "iPhone", 1).await;
    let quiet = add(store, &world.info, "Quiet", 2).await;
    revoke(store, &quiet, START).await;
    let labels = async |since: i64| {
        let query = DeviceQuery {
            status: DeviceStatus::Recent(Timestamp(since)),
            limit: 50,
            ..DeviceQuery::default()
        };
        let rows = store.device_page(world.acme, &query).await.unwrap().rows;
        rows.into_iter().map(|row| row.device.label).collect::<Vec<_>>()
    };
    assert_eq!(labels(START.0 - 1).await, [phone.label.clone(), quiet.label.clone()]);
    assert_eq!(labels(START.0).await, [phone.label]);
}

pub(in crate::store) async fn tries_are_forgotten_with_the_password_and_after_a_while(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let phone = add(store, &world.info, "iPhone", 1).await;
    replace(store, &phone, 2).await;
    let old = tagged(store, "info@example.org", 1).await;
    store.record_knocks(&[knocks(old, 3, 0, 0)]).await.unwrap();
    let shown = async || {
        let listed = DeviceQuery {
            status: DeviceStatus::Knocking,
            limit: 9,
            ..DeviceQuery::default()
        };
        let listed = store.device_page(world.acme, &listed).await.unwrap().rows.len();
        let counted = store.overview(world.acme, START).await.unwrap().knocking;
        let found = store.knocking(&DeviceFilter::default()).await.unwrap().len();
        let one = usize::from(knocking(store, world.acme, &phone).await.is_some());
        (listed, counted as usize, found, one)
    };
    backend.clock.advance(KNOCKING_FOR - Duration::from_millis(1));
    assert_eq!(shown().await, (1, 1, 1, 1));
    backend.clock.advance(Duration::from_millis(1));
    assert_eq!(shown().await, (0, 0, 0, 0), "it is quiet");
    let much = i64::try_from(KNOCKING_FOR.as_millis()).unwrap();
    store.record_knocks(&[knocks(old, 1, much, much)]).await.unwrap();
    assert_eq!(shown().await, (1, 1, 1, 1));
    assert_eq!(knocking(store, world.acme, &phone).await.unwrap().tries, 4);

    backend.clock.advance(RETIRED_KEPT);
    store
        .forget_retired(START.plus(Duration::from_millis(1)))
        .await
        .unwrap();
    let late = much + i64::try_from(RETIRED_KEPT.as_millis()).unwrap();
    store.record_knocks(&[knocks(old, 1, late, late)]).await.unwrap();
    assert_eq!(shown().await, (0, 0, 0, 0), "the password is not known any more");
}
