//! Notices of devices: what is learned of networks, what waits, who is told, and what organisations switched off.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::*;
use crate::model::device::Use;
use crate::model::{DeviceId, MailKind, MailState, NoticeKind, NoticesOff};
use crate::store::notice::{HELD_BY_ONE_MAX, NETWORKS_KEPT_MAX, NOTICES_HELD_MAX, UNUSED_DAYS};
use crate::store::{DueNotices, NewMail, NoticeBy, NoticeMail, NoticeTurn};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A use from `192.0.n.7`.
fn from(device: &Device, network: u8, at: Timestamp) -> DeviceUse {
    let ip: IpAddr = [192, 0, network, 7].into();
    DeviceUse {
        device: device.id,
        network: IpNet::new(ip, 24).unwrap().trunc(),
        since: at,
        usage: Use {
            at,
            ip,
            protocol: Protocol::Imap,
            client: Some("Thunderbird".to_owned()),
        },
    }
}

async fn use_from(backend: &Backend, device: &Device, networks: &[u8]) {
    for network in networks {
        let used = from(device, *network, backend.clock.utc());
        backend.store.record_uses(&[used]).await.unwrap();
    }
}

async fn due(store: &dyn Store) -> Vec<DueNotices> {
    store.due_notices(100).await.unwrap()
}

/// The networks of what is due.
fn ips(due: &DueNotices) -> Vec<String> {
    let ips = due.notices.iter().filter_map(|notice| notice.usage.as_ref());
    ips.map(|usage| usage.ip.to_string()).collect()
}

fn told(due: &DueNotices) -> Vec<&str> {
    due.about.readers.iter().map(|reader| reader.address.as_str()).collect()
}

fn by(user: &User) -> NoticeBy {
    NoticeBy {
        user: user.id,
        name: user.name.clone(),
    }
}

fn mail(org: OrgId, user: &User, devices: &[DeviceId]) -> NoticeMail {
    NoticeMail {
        user: user.id,
        devices: devices.to_vec(),
        mail: NewMail {
            kind: MailKind::DeviceNetwork,
            org: Some(org),
            invitation: None,
            link: None,
            recipient: user.address.clone(),
            language: Language::English,
            sealed: b"sealed".to_vec(),
            useful_until: None,
        },
    }
}

pub(in crate::store) async fn the_first_network_is_learned_silently_and_another_one_is_told(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let phone = add(store, &world.info, "Phone", 1).await;
    use_from(backend, &phone, &[1, 1]).await;
    assert_eq!(due(store).await, []);
    use_from(backend, &phone, &[2, 2, 1]).await;
    let waiting = due(store).await;
    let [one] = &waiting[..] else { panic!("{waiting:?}") };
    assert_eq!((one.about.device, one.about.label.as_str()), (phone.id, "Phone"));
    assert_eq!(one.about.address, world.info.address);
    assert_eq!(ips(one), ["192.0.2.7"]);
    assert_eq!(one.notices[0].kind, NoticeKind::DeviceNetwork);
    assert_eq!(told(one), ["sophie@private.example"], "nobody else could be told");
    assert_eq!(due(&*backend.other).await, waiting, "another process sees the same");
    // What one network is may change: the device is known from there all the same.
    let wider = DeviceUse {
        network: "192.0.0.0/16".parse().unwrap(),
        ..from(&phone, 9, backend.clock.utc())
    };
    store.record_uses(&[wider]).await.unwrap();
    assert_eq!(ips(&due(store).await[0]), ["192.0.2.7"]);
    // Those of one write count in the order in which they came first.
    let desk = add(store, &world.info, "Desk", 2).await;
    let now = backend.clock.utc();
    let first = DeviceUse {
        since: now.minus(MINUTE),
        ..from(&desk, 5, now.plus(MINUTE))
    };
    store.record_uses(&[from(&desk, 6, now), first]).await.unwrap();
    let waiting = due(store).await;
    assert_eq!(waiting.len(), 2);
    let of_desk = waiting.iter().find(|due| due.about.device == desk.id).unwrap();
    assert_eq!(ips(of_desk), ["192.0.6.7"]);
    // A device that is gone is no reason to lose the uses of others.
    store.delete_mailbox(&actor(), world.info.id).await.unwrap();
    use_from(backend, &phone, &[3]).await;
    assert_eq!(due(store).await, []);
}

pub(in crate::store) async fn one_mail_an_hour_and_the_rest_together(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let phone = add(store, &world.info, "Phone", 1).await;
    use_from(backend, &phone, &[1, 2]).await;
    let first = due(store).await.remove(0);
    let mails = [mail(world.acme, &world.sophie, &[phone.id])];
    // What was read is told only as it is: something came between.
    use_from(backend, &phone, &[3]).await;
    assert!(!store.tell_notices(&first, &mails).await.unwrap());
    assert_eq!(store.mail_backlog().await.unwrap().queued, 0);
    let first = due(store).await.remove(0);
    assert!(store.tell_notices(&first, &mails).await.unwrap());
    assert_eq!(store.mail_backlog().await.unwrap().queued, 1);
    // Told twice, by a process that was slower: nothing happens.
    assert!(!backend.other.tell_notices(&first, &mails).await.unwrap());
    assert_eq!(store.mail_backlog().await.unwrap().queued, 1);

    backend.clock.advance(MINUTE);
    let networks: Vec<u8> = (10..13).collect();
    use_from(backend, &phone, &networks).await;
    assert_eq!(
        store.take_notice(phone.id, &by(&world.sophie)).await.unwrap(),
        NoticeTurn::Held
    );
    assert_eq!(due(store).await, [], "an hour is not over");
    backend.clock.advance(HOUR - MINUTE - Duration::from_millis(1));
    assert_eq!(due(store).await, []);
    backend.clock.advance(Duration::from_millis(1));
    let rest = due(store).await.remove(0);
    assert_eq!(ips(&rest), ["192.0.10.7", "192.0.11.7", "192.0.12.7"]);
    assert_eq!(rest.notices[3].by.as_deref(), Some("Sophie"));
    assert_eq!((rest.notices.len(), rest.more), (4, 0));
    store
        .postpone_notices(phone.id, backend.clock.utc().plus(MINUTE))
        .await
        .unwrap();
    assert_eq!(due(store).await, []);
    backend.clock.advance(MINUTE);
    assert!(store.tell_notices(&rest, &mails).await.unwrap());
    // The hour begins with each mail.
    assert_eq!(
        store.take_notice(phone.id, &by(&world.sophie)).await.unwrap(),
        NoticeTurn::Held
    );
    backend.clock.advance(HOUR);
    let rest = due(store).await.remove(0);
    assert!(store.tell_notices(&rest, &[]).await.unwrap());
    assert_eq!(
        store.take_notice(phone.id, &by(&world.sophie)).await.unwrap(),
        NoticeTurn::Now,
        "nobody was told, so that only the mail before counts"
    );
}

pub(in crate::store) async fn what_waits_and_what_is_known_of_a_device_is_bounded(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let phone = add(store, &world.info, "Phone", 1).await;
    for network in 1..=100 {
        use_from(backend, &phone, &[network]).await;
        backend.clock.advance(MINUTE);
    }
    let waiting = due(store).await.remove(0);
    assert_eq!(waiting.notices.len(), NOTICES_HELD_MAX as usize);
    assert_eq!(waiting.more, 99 - NOTICES_HELD_MAX);
    assert!(store.tell_notices(&waiting, &[]).await.unwrap());
    // The last ones are known, and the one before is not.
    let last = u8::try_from(100 - NETWORKS_KEPT_MAX).unwrap();
    let known: Vec<u8> = (last + 1..=100).collect();
    use_from(backend, &phone, &known).await;
    assert_eq!(due(store).await, []);
    use_from(backend, &phone, &[last]).await;
    assert_eq!(due(store).await.len(), 1);
}

pub(in crate::store) async fn networks_hide_no_new_password(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let phone = add(store, &world.info, "Phone", 1).await;
    let networks: Vec<u8> = (1..100).collect();
    use_from(backend, &phone, &networks).await;
    let sophie = by(&world.sophie);
    assert_eq!(store.take_notice(phone.id, &sophie).await.unwrap(), NoticeTurn::Held);
    let waiting = due(store).await.remove(0);
    let given: Vec<_> = waiting
        .notices
        .iter()
        .filter_map(|notice| notice.by.as_deref())
        .collect();
    assert_eq!(given, [sophie.name.as_str()]);
    assert_eq!(waiting.notices.len(), NOTICES_HELD_MAX as usize + 1);
}

pub(in crate::store) async fn a_held_password_is_told_to_all_who_would_have_been_told(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let anna = member(store, world.acme, "anna@private.example", Role::Member).await;
    let ben = member(store, world.acme, "ben@private.example", Role::MailboxManager).await;
    // She signs in with the address of the mailbox.
    let carla = member(store, world.acme, world.info.address.as_str(), Role::Member).await;
    let give = async |user: &User, rights: &str| {
        let (actor, terms) = (actor(), terms(rights));
        let given = store.give_grant(&actor, world.acme, world.info.id, user.id, &terms);
        given.await.unwrap();
    };
    give(&world.lucie, "add-own-devices").await;
    give(&anna, "send-as").await;
    let own = add_for(store, &world.info, &world.lucie, "iPhone", 1).await;
    let also = |due: &DueNotices| {
        let also = due.also.iter().map(|reader| reader.user);
        also.collect::<std::collections::BTreeSet<_>>()
    };
    // A new network is nothing that they are told of.
    use_from(backend, &own, &[1, 2]).await;
    let waiting = due(store).await.remove(0);
    assert_eq!(
        (told(&waiting), also(&waiting).len()),
        (vec!["lucie@private.example"], 0)
    );
    assert!(store.tell_notices(&waiting, &[]).await.unwrap());

    store.hold_notice(own.id, &by(&ben)).await.unwrap();
    assert_eq!(due(store).await, [], "it waits for an hour");
    backend.clock.advance(HOUR);
    let waiting = due(store).await.remove(0);
    assert_eq!(told(&waiting), ["lucie@private.example"]);
    assert_eq!(also(&waiting), [anna.id, ben.id, carla.id].into());
    assert_eq!(waiting.notices[0].by, Some(ben.name.clone()));
    // Whoever has no access any more, or has left, is not told.
    store
        .withdraw_grant(&actor(), world.acme, world.info.id, anna.id)
        .await
        .unwrap();
    store
        .remove_member(&actor(), world.acme, ben.id, Role::MailboxManager)
        .await
        .unwrap();
    assert_eq!(also(&due(store).await.remove(0)), [carla.id].into());
    // The mail to her is sent although she may not see the device.
    let mails = [mail(world.acme, &carla, &[])];
    assert!(store.tell_notices(&waiting, &mails).await.unwrap());
    let taken = store.take_due_mails(MINUTE, 10).await.unwrap();
    assert_eq!(taken.len(), 1);

    // Switched off, it is told to her alone.
    let off = NoticesOff::default().set(NoticeKind::DeviceAdded, true);
    store
        .set_notices_off(&actor(), world.acme, NoticesOff::default(), off)
        .await
        .unwrap();
    store.hold_notice(own.id, &by(&world.lucie)).await.unwrap();
    backend.clock.advance(HOUR);
    let waiting = due(store).await.remove(0);
    assert_eq!((told(&waiting).len(), also(&waiting)), (0, [carla.id].into()));
    assert_eq!(waiting.always, [carla.id]);
    assert!(waiting.notices[0].while_off);
    // Others hear of what happens once it is on again, and that is not counted with what they are not told of.
    let (actor, none) = (actor(), NoticesOff::default());
    store.set_notices_off(&actor, world.acme, off, none).await.unwrap();
    store.hold_notice(own.id, &by(&world.lucie)).await.unwrap();
    let waiting = due(store).await.remove(0);
    assert_eq!(told(&waiting), ["lucie@private.example"]);
    let was_off: Vec<_> = waiting.notices.iter().map(|notice| notice.while_off).collect();
    assert_eq!(was_off, [true, false]);
}

pub(in crate::store) async fn passwords_of_many_devices_wait_as_a_few(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let mut devices = Vec::new();
    for tag in 1..=200 {
        let device = add(store, &world.info, &format!("Device {tag}"), tag).await;
        store.hold_notice(device.id, &by(&world.sophie)).await.unwrap();
        devices.push(device.id);
    }
    // What somebody else gives waits beside it, and a device that waits keeps what happens to it.
    store.hold_notice(devices[199], &by(&world.lucie)).await.unwrap();
    store.hold_notice(devices[0], &by(&world.sophie)).await.unwrap();
    backend.clock.advance(HOUR);
    let counts = async || {
        let due = due(store).await.into_iter();
        let counts = due.map(|due| (due.about.device, due.notices.len(), due.more));
        counts.collect::<std::collections::BTreeSet<_>>()
    };
    let most = HELD_BY_ONE_MAX as usize;
    let rest = 200 - HELD_BY_ONE_MAX;
    let expected = [
        (devices[0], 2, 0),
        (devices[1], 1, 0),
        (devices[2], 1, 0),
        (devices[3], 1, 0),
        (devices[most - 1], 1, rest),
        (devices[199], 1, 0),
    ];
    assert_eq!(counts().await, expected.into());
    // What was counted meanwhile is not forgotten with what was read.
    let waiting = due(store).await;
    store.hold_notice(devices[100], &by(&world.sophie)).await.unwrap();
    let mut told = 0;
    for due in &waiting {
        told += usize::from(store.tell_notices(due, &[]).await.unwrap());
    }
    assert_eq!(told, waiting.len() - 1);
    assert_eq!(due(store).await.len(), 1);
    // There is room again.
    store.hold_notice(devices[101], &by(&world.sophie)).await.unwrap();
    backend.clock.advance(HOUR);
    assert!(counts().await.contains(&(devices[101], 1, 0)));
}

pub(in crate::store) async fn those_are_told_who_may_see_the_device(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let anna = member(store, world.acme, "anna@private.example", Role::Member).await;
    member(store, world.acme, "ben@private.example", Role::Administrator).await;
    member(store, world.acme, "marc@private.example", Role::MailboxManager).await;
    let shared = add(store, &world.info, "Copier", 1).await;
    let give = async |user: &User, rights: &str| {
        let (actor, terms) = (actor(), terms(rights));
        let given = store.give_grant(&actor, world.acme, world.info.id, user.id, &terms);
        given.await.unwrap();
    };
    use_from(backend, &shared, &[1, 2]).await;
    let told_now = async || {
        let due = due(store).await.remove(0);
        told(&due).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told_now().await, ["sophie@private.example", "ben@private.example"]);
    give(&world.lucie, "add-own-devices").await;
    assert_eq!(told_now().await, ["sophie@private.example", "ben@private.example"]);
    give(&anna, "see-devices").await;
    assert_eq!(told_now().await, ["anna@private.example"]);
    // Of a device of Lucie's only Lucie is told.
    let own = add_for(store, &world.info, &world.lucie, "iPhone", 2).await;
    use_from(backend, &own, &[1, 2]).await;
    let waiting = due(store).await;
    let of_own = waiting.iter().find(|due| due.about.device == own.id).unwrap();
    assert_eq!(told(of_own), ["lucie@private.example"]);

    // A mail that waits is not sent to somebody who may not see the device any more.
    let mails = [mail(world.acme, &world.lucie, &[own.id])];
    assert!(store.tell_notices(of_own, &mails).await.unwrap());
    let to_anna = waiting.iter().find(|due| due.about.device == shared.id).unwrap();
    let mails = [mail(world.acme, &anna, &[shared.id])];
    assert!(store.tell_notices(to_anna, &mails).await.unwrap());
    store
        .withdraw_grant(&actor(), world.acme, world.info.id, world.lucie.id)
        .await
        .unwrap();
    let taken = store.take_due_mails(MINUTE, 10).await.unwrap();
    let [sent] = &taken[..] else { panic!("{taken:?}") };
    assert_eq!(sent.recipient, anna.address);
    let filter = crate::store::MailFilter {
        state: Some("withdrawn"),
        limit: 10,
        ..Default::default()
    };
    let withdrawn = store.mails(&filter).await.unwrap();
    let [withdrawn] = &withdrawn[..] else {
        panic!("{withdrawn:?}")
    };
    assert_eq!(withdrawn.recipient, world.lucie.address);
    assert_eq!(withdrawn.state, MailState::Withdrawn(backend.clock.utc()));
}

pub(in crate::store) async fn what_is_switched_off_is_not_told(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let phone = add(store, &world.info, "Phone", 1).await;
    let off = async |org| store.notices_off(org).await.unwrap();
    let none = NoticesOff::default();
    assert_eq!(off(world.acme).await, none);
    use_from(backend, &phone, &[1, 2]).await;
    let all: NoticesOff = NoticeKind::ALL.into_iter().collect();
    store.set_notices_off(&actor(), world.acme, none, all).await.unwrap();
    assert_eq!((off(world.acme).await, off(world.other).await), (all, none));
    // What waited before is told all the same: it cannot be hidden afterwards.
    let waiting = due(store).await.remove(0);
    assert_eq!(ips(&waiting), ["192.0.2.7"]);
    assert!(store.tell_notices(&waiting, &[]).await.unwrap());
    use_from(backend, &phone, &[3]).await;
    assert_eq!(due(store).await, []);
    assert_eq!(
        store.take_notice(phone.id, &by(&world.sophie)).await.unwrap(),
        NoticeTurn::Off
    );
    // Networks are learned all the same.
    store.set_notices_off(&actor(), world.acme, all, none).await.unwrap();
    use_from(backend, &phone, &[3]).await;
    assert_eq!(due(store).await, []);
    stale(
        store.set_notices_off(&actor(), world.acme, all, none).await,
        "cli:root",
        backend.clock.utc(),
    );
    store.set_notices_off(&actor(), world.acme, none, none).await.unwrap();
    let told = actions(store).await;
    assert_eq!(told.iter().filter(|action| *action == "org.notices").count(), 2);
}

pub(in crate::store) async fn an_unused_device_is_told_of_once_until_it_is_used_again(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let never = add(store, &world.info, "Never", 1).await;
    let once = add(store, &world.info, "Once", 2).await;
    let gone = add(store, &world.info, "Gone", 3).await;
    let paused = add(store, &world.info, "Paused", 4).await;
    let ends = NewDevice {
        expires_at: Some(START.plus(DAY)),
        ..new_device(&world.info, "Ended", 5)
    };
    let ended = store.create_device(&actor(), &ends).await.unwrap();
    let now = backend.clock.utc();
    store
        .set_device_state(&actor(), &[gone.id], crate::model::DeviceState::Revoked(now))
        .await
        .unwrap();
    store
        .set_device_state(&actor(), &[paused.id], crate::model::DeviceState::Paused(now))
        .await
        .unwrap();
    backend.clock.advance(DAY);
    use_from(backend, &once, &[1]).await;
    let unused = async || {
        let unused = store.unused_devices(10, None).await.unwrap();
        unused.into_iter().map(|device| device.about).collect::<Vec<_>>()
    };
    backend.clock.advance(DAY * (UNUSED_DAYS - 1));
    assert_eq!(unused().await, []);
    backend.clock.advance(DAY);
    let first = unused().await;
    let ids: Vec<_> = first.iter().map(|about| about.device).collect();
    assert_eq!(ids, [never.id, ended.id]);
    assert_eq!(
        (first[0].readers.len(), first[1].readers.len()),
        (1, 0),
        "it has ended by itself"
    );
    let mails = [mail(world.acme, &world.sophie, &[never.id])];
    assert!(store.tell_unused(&ids, &mails).await.unwrap());
    assert!(!backend.other.tell_unused(&ids, &mails).await.unwrap(), "only once");
    assert_eq!(store.mail_backlog().await.unwrap().queued, 1);
    assert_eq!(unused().await, []);
    backend.clock.advance(DAY);
    let second = unused().await;
    assert_eq!(second.iter().map(|about| about.device).collect::<Vec<_>>(), [once.id]);
    // It is used at this moment: nobody is told.
    use_from(backend, &once, &[1]).await;
    assert!(!store.tell_unused(&[once.id], &mails).await.unwrap());
    assert_eq!(store.mail_backlog().await.unwrap().queued, 1);
    // Used again, and then not any more: told again.
    use_from(backend, &never, &[1]).await;
    backend.clock.advance(DAY * (UNUSED_DAYS + 1));
    assert_eq!(unused().await.len(), 2);
    let off = NoticesOff::default().set(NoticeKind::DeviceUnused, true);
    store
        .set_notices_off(&actor(), world.acme, NoticesOff::default(), off)
        .await
        .unwrap();
    assert!(unused().await.iter().all(|about| about.readers.is_empty()));
}

pub(in crate::store) async fn a_device_that_nobody_may_see_any_more_hides_no_other_that_is_unused(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let other = store
        .create_mailbox(&actor(), &address("other@example.org"))
        .await
        .unwrap();
    for mailbox in [&world.info, &other] {
        let (actor, terms) = (actor(), terms("add-own-devices"));
        let given = store.give_grant(&actor, world.acme, mailbox.id, world.lucie.id, &terms);
        given.await.unwrap();
    }
    let gone = add_for(store, &world.info, &world.lucie, "Gone", 1).await;
    let mut devices = vec![gone.id];
    for tag in 2..=20 {
        devices.push(
            add_for(store, &other, &world.lucie, &format!("Device {tag}"), tag)
                .await
                .id,
        );
    }
    backend.clock.advance(DAY * (UNUSED_DAYS + 1));
    let unused = async || {
        let unused = store.unused_devices(100, None).await.unwrap();
        unused.into_iter().map(|device| device.about.device).collect::<Vec<_>>()
    };
    assert_eq!(unused().await, devices);
    let mut mails = [mail(world.acme, &world.lucie, &devices)];
    mails[0].mail.kind = MailKind::DeviceUnused;
    assert!(store.tell_unused(&devices, &mails).await.unwrap());
    // Before it is sent, she may not see one of them any more.
    store
        .withdraw_grant(&actor(), world.acme, world.info.id, world.lucie.id)
        .await
        .unwrap();
    assert!(store.take_due_mails(MINUTE, 10).await.unwrap().is_empty());
    backend.clock.advance(HOUR);
    assert_eq!(unused().await, devices[1..], "the others are told of again");
}

pub(in crate::store) async fn unused_devices_are_read_in_parts(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let mut devices = Vec::new();
    for tag in 1..=5 {
        devices.push(add(store, &world.info, &format!("Device {tag}"), tag).await.id);
        if tag == 2 {
            backend.clock.advance(DAY);
        }
    }
    backend.clock.advance(DAY * (UNUSED_DAYS + 1));
    let mut after = None;
    for expected in [&devices[..2], &devices[2..4], &devices[4..], &[]] {
        let part = store.unused_devices(2, after).await.unwrap();
        let read: Vec<_> = part.iter().map(|device| device.about.device).collect();
        assert_eq!(read, expected);
        after = part.last().map(|device| device.place);
    }
}
