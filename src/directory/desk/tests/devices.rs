//! Devices and live sessions, as people with and without rights handle them.

use super::*;
use crate::model::{DeviceKind, DeviceState, SenderRule};
use crate::peer::Protocol;
use crate::revoke::{LiveSession, SessionInfo};
use crate::store::{DeviceEdit, DeviceOwner, DeviceQuery};

fn spec(label: &str, user: Option<UserId>) -> DeviceSpec {
    DeviceSpec {
        label: label.to_owned(),
        kind: DeviceKind::Iphone,
        user,
        ..DeviceSpec::default()
    }
}

fn all() -> DeviceQuery {
    DeviceQuery {
        limit: 100,
        ..DeviceQuery::default()
    }
}

fn live(world: &World, mailbox: &Mailbox, device: &Device) -> LiveSession {
    world.registry.register(SessionInfo {
        device: device.id,
        label: device.label.as_str().into(),
        mailbox: mailbox.id,
        address: mailbox.address.clone(),
        protocol: Protocol::Imap,
        peer: visitor().ip,
        since: START,
        expires_at: None,
        client: None,
        route: "default".into(),
        is_trial: false,
    })
}

#[tokio::test]
async fn a_password_is_told_to_be_a_devices_only_where_it_is_this_ones_and_only_to_those_who_may_give_another() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let [lucie, marc] = [
        world.member("lucie", Role::Member).await,
        world.member("marc", Role::Member).await,
    ];
    world.grant(&contact, &lucie, right(Right::AddOwnDevices)).await;
    world.grant(&contact, &marc, right(Right::AddOwnDevices)).await;
    let acting = world.acting(&lucie).await;
    let mut added = Vec::new();
    for label in ["iPhone", "Laptop"] {
        let made = world.desk.add_device(&acting, contact.id, spec(label, Some(lucie.id)));
        added.push(made.await.unwrap());
    }
    let [phone, laptop] = &added[..] else { unreachable!() };
    let id = phone.row.device.id;
    let has = async |password| world.desk.has_password(&acting, id, password).await.unwrap();
    assert!(has(&phone.password).await);
    assert!(!has(&laptop.password).await, "another device's of the same mailbox");
    let replaced = world.desk.replace_device(&acting, id).await.unwrap();
    assert!(
        !has(&phone.password).await && has(&replaced.password).await,
        "the old one"
    );
    let marc = world.acting(&marc).await;
    assert!(world.desk.has_password(&marc, id, &replaced.password).await.is_err());
}

#[tokio::test]
async fn lucie_adds_a_device_of_her_own_and_is_told_of_it() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let lucie = world.member("lucie", Role::Member).await;
    world.grant(&contact, &lucie, right(Right::AddOwnDevices)).await;
    let acting = world.acting(&lucie).await;
    let added = world
        .desk
        .add_device(&acting, contact.id, spec("iPhone", Some(lucie.id)))
        .await
        .unwrap();
    assert_eq!(
        (added.row.device.user, added.row.owner.as_deref()),
        (Some(lucie.id), Some("lucie"))
    );
    assert_eq!(added.row.device.kind, DeviceKind::Iphone);
    let put = world.letters.take();
    let told: Vec<_> = put.iter().map(|(to, _)| to.address.as_str()).collect();
    assert_eq!(told, ["lucie@private.example"]);
    let replaced = world.desk.replace_device(&acting, added.row.device.id).await.unwrap();
    assert_ne!(replaced.password.canonical(), added.password.canonical());
    assert!(replaced.seq.is_some());
    let refused = world
        .desk
        .add_device(&acting, contact.id, spec("CRM", None))
        .await
        .unwrap_err();
    let words = "you may not add a device that belongs to nobody (contact@example.org); Sophie can";
    assert_eq!(refused.to_string(), words);
}

fn hand_over(user: Option<UserId>) -> DeviceEdit {
    DeviceEdit {
        user: Some(user),
        ..DeviceEdit::default()
    }
}

/// Lucie manages the devices of contact@ by a right; Ben has one of his own there, and there is a CRM.
async fn managed() -> (World, Mailbox, Acting, User, Device, Device) {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let lucie = world.member("lucie", Role::Member).await;
    let ben = world.member("ben", Role::Member).await;
    world.grant(&contact, &lucie, right(Right::ManageDevices)).await;
    world.grant(&contact, &ben, right(Right::AddOwnDevices)).await;
    let his = world.device(&contact, "Ben's", Some(ben.id)).await;
    let crm = world.device(&contact, "CRM", None).await;
    let acting = world.acting(&lucie).await;
    (world, contact, acting, ben, his, crm)
}

#[tokio::test]
async fn whoever_manages_devices_by_a_right_learns_no_password_of_somebody_elses() {
    let (world, contact, acting, ben, his, crm) = managed().await;
    let (desk, lucie) = (&world.desk, acting.user.id);
    // With it she could send as whatever he may send as.
    assert_eq!(key(desk.replace_device(&acting, his.id).await), "ui.forbidden");
    let for_him = spec("x", Some(ben.id));
    assert_eq!(key(desk.add_device(&acting, contact.id, for_him).await), "ui.forbidden");
    for (device, user) in [(&crm, Some(ben.id)), (&his, None), (&his, Some(lucie))] {
        let handed = desk.edit_device(&acting, device.id, hand_over(user)).await;
        assert_eq!(key(handed), "ui.forbidden", "{} to {user:?}", device.label);
    }
    let off = DeviceEdit {
        senders: Some(SenderRule::Off),
        ..DeviceEdit::default()
    };
    assert_eq!(
        key(desk.edit_device(&acting, crm.id, off.clone()).await),
        "ui.forbidden"
    );
    let sophie = world.acting(&world.sophie).await;
    assert!(desk.edit_device(&sophie, crm.id, off).await.is_ok());
    assert!(desk.replace_device(&sophie, his.id).await.is_ok());
}

#[tokio::test]
async fn whoever_manages_devices_by_a_right_looks_after_all_of_them() {
    let (world, _, acting, ben, his, crm) = managed().await;
    let desk = &world.desk;
    assert!(desk.replace_device(&acting, crm.id).await.is_ok());
    let mine = hand_over(Some(acting.user.id));
    assert!(desk.edit_device(&acting, crm.id, mine).await.is_ok());
    let label = DeviceEdit {
        label: Some("Old phone".to_owned()),
        ..hand_over(Some(ben.id))
    };
    let (row, _) = desk.edit_device(&acting, his.id, label).await.unwrap();
    assert_eq!(
        (row.device.label.as_str(), row.device.user),
        ("Old phone", Some(ben.id))
    );
    for change in [DeviceChange::Pause, DeviceChange::Resume, DeviceChange::Revoke] {
        assert!(desk.change_device(&acting, his.id, change).await.is_ok(), "{change:?}");
    }
}

#[tokio::test]
async fn whoever_sees_only_their_own_gets_only_these() {
    let world = world().await;
    let (contact, other) = (world.mailbox("contact").await, world.mailbox("other").await);
    let (lucie, ben) = (
        world.member("lucie", Role::Member).await,
        world.member("ben", Role::Member).await,
    );
    world.grant(&contact, &lucie, right(Right::AddOwnDevices)).await;
    world.grant(&other, &lucie, right(Right::SeeDevices)).await;
    world.grant(&contact, &ben, right(Right::AddOwnDevices)).await;
    let hers = world.device(&contact, "hers", Some(lucie.id)).await;
    let his = world.device(&contact, "his", Some(ben.id)).await;
    let crm = world.device(&other, "CRM", None).await;
    let acting = world.acting(&lucie).await;
    let ids = async |query: DeviceQuery| {
        let page = world.desk.devices(&acting, &query).await?;
        Ok::<_, Error>(page.rows.into_iter().map(|row| row.device.id).collect::<Vec<_>>())
    };
    let of = |mailbox: &Mailbox| DeviceQuery {
        mailbox: Some(mailbox.id),
        ..all()
    };
    assert_eq!(ids(all()).await.unwrap(), [hers.id]);
    assert_eq!(ids(of(&contact)).await.unwrap(), [hers.id]);
    assert_eq!(ids(of(&other)).await.unwrap(), [crm.id]);
    let bens = DeviceQuery {
        owner: Some(DeviceOwner::User(ben.id)),
        ..of(&contact)
    };
    assert_eq!(key(ids(bens).await), "ui.forbidden");
    assert_eq!(
        told(world.desk.device(&acting, his.id).await),
        "there is no such device"
    );
    assert!(world.desk.device(&acting, hers.id).await.is_ok());
    assert!(world.desk.device(&acting, crm.id).await.is_ok());
    let mine = world.desk.my_devices(&acting).await.unwrap();
    assert_eq!(mine.iter().map(|row| row.device.id).collect::<Vec<_>>(), [hers.id]);
}

#[tokio::test]
async fn a_lost_phone_is_ended_whatever_right_is_left() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let lucie = world.member("lucie", Role::Member).await;
    let grant = world.grant(&contact, &lucie, right(Right::AddOwnDevices)).await;
    let phone = world.device(&contact, "iPhone", Some(lucie.id)).await;
    let sophie = world.acting(&world.sophie).await;
    world
        .desk
        .change_grant(&sophie, &grant, &terms(right(Right::SendAs)))
        .await
        .unwrap();
    let acting = world.acting(&lucie).await;
    assert_eq!(key(world.desk.replace_device(&acting, phone.id).await), "ui.forbidden");
    assert!(
        world
            .desk
            .change_device(&acting, phone.id, DeviceChange::Pause)
            .await
            .is_ok()
    );
    assert_eq!(
        key(world.desk.change_device(&acting, phone.id, DeviceChange::Resume).await),
        "ui.forbidden"
    );
    assert!(
        world
            .desk
            .change_device(&acting, phone.id, DeviceChange::Revoke)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn nobody_overwrites_what_they_have_not_seen() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let device = world.device(&contact, "CRM", None).await;
    let (sophie, marc) = (
        world.acting(&world.sophie).await,
        world.acting(&world.member("marc", Role::Administrator).await).await,
    );
    let edit = |label: &str| DeviceEdit {
        revision: Some(device.revision),
        label: Some(label.to_owned()),
        ..DeviceEdit::default()
    };
    let (row, _) = world.desk.edit_device(&marc, device.id, edit("Shop")).await.unwrap();
    assert_eq!(row.device.label, "Shop");
    let stale = world
        .desk
        .edit_device(&sophie, device.id, edit("Tickets"))
        .await
        .unwrap_err();
    assert_eq!(stale.key(), "ui.conflict");
    assert!(stale.to_string().contains("marc@private.example"), "{stale}");
}

#[tokio::test]
async fn exactly_the_devices_that_were_shown_are_revoked_together() {
    let world = world().await;
    let (contact, other) = (world.mailbox("contact").await, world.mailbox("other").await);
    let (one, two) = (
        world.device(&contact, "1", None).await,
        world.device(&contact, "2", None).await,
    );
    let three = world.device(&contact, "3", None).await;
    let elsewhere = world.device(&other, "4", None).await;
    let acting = world.acting(&world.sophie).await;
    let mixed = world
        .desk
        .revoke_devices(&acting, contact.id, &[one.id, elsewhere.id])
        .await;
    assert_eq!(told(mixed), "there is no such device");
    let state = async |device: &Device| {
        world
            .directory()
            .find_device(&device.id.to_string())
            .await
            .unwrap()
            .state
    };
    assert_eq!(state(&one).await, DeviceState::Active);
    let (_, revoked) = world
        .desk
        .revoke_devices(&acting, contact.id, &[one.id, two.id])
        .await
        .unwrap();
    assert_eq!(revoked, [one.id, two.id]);
    assert_eq!(state(&three).await, DeviceState::Active);
    let (_, revoked) = world
        .desk
        .revoke_devices(&acting, contact.id, &[one.id, three.id])
        .await
        .unwrap();
    assert_eq!(revoked, [three.id]);
}

#[tokio::test]
async fn live_sessions_are_seen_and_ended_by_whoever_may() {
    let world = world().await;
    let (contact, other) = (world.mailbox("contact").await, world.mailbox("other").await);
    let lucie = world.member("lucie", Role::Member).await;
    world.grant(&contact, &lucie, right(Right::AddOwnDevices)).await;
    let hers = world.device(&contact, "hers", Some(lucie.id)).await;
    let crm = world.device(&contact, "CRM", None).await;
    let printer = world.device(&other, "Printer", None).await;
    let sessions = [
        live(&world, &contact, &hers),
        live(&world, &contact, &crm),
        live(&world, &other, &printer),
    ];
    let (_, _, foreign, foreign_device) = world.other_org().await;
    let foreign = live(&world, &foreign, &foreign_device);

    let (sophie, acting) = (world.acting(&world.sophie).await, world.acting(&lucie).await);
    let ids = |seen: Vec<crate::revoke::SessionSnapshot>| seen.iter().map(|session| session.id).collect::<Vec<_>>();
    assert_eq!(
        ids(world.desk.live_sessions(&sophie, None).await.unwrap()),
        sessions.each_ref().map(LiveSession::id)
    );
    assert_eq!(
        ids(world.desk.live_sessions(&acting, None).await.unwrap()),
        [sessions[0].id()]
    );
    let of_contact = world.desk.live_sessions(&sophie, Some(contact.id)).await.unwrap();
    assert_eq!(ids(of_contact), [sessions[0].id(), sessions[1].id()]);

    assert_eq!(
        told(world.desk.end_live_session(&sophie, foreign.id()).await),
        "there is no such session"
    );
    assert_eq!(
        told(world.desk.end_live_session(&acting, sessions[1].id()).await),
        "there is no such session"
    );
    world.desk.end_live_session(&acting, sessions[0].id()).await.unwrap();
    let before = world.last_row().await;
    world.desk.end_live_session(&sophie, sessions[2].id()).await.unwrap();
    let rows = world.rows_since(before).await;
    assert_eq!(
        rows,
        [("user:sophie@private.example".to_owned(), "session.end".to_owned())]
    );
    let row = world
        .desk
        .activity(
            &sophie,
            AuditFilter {
                limit: 1,
                ..AuditFilter::default()
            },
        )
        .await
        .unwrap()
        .rows;
    assert_eq!(row[0].mailbox, Some(other.id));
}

#[tokio::test]
async fn the_people_of_a_mailbox_see_what_was_done_to_it() {
    let world = world().await;
    let (contact, other) = (world.mailbox("contact").await, world.mailbox("other").await);
    let lucie = world.member("lucie", Role::Member).await;
    world.grant(&contact, &lucie, right(Right::SendAs)).await;
    let sophie = world.acting(&world.sophie).await;
    world
        .desk
        .add_device(&sophie, contact.id, spec("CRM", None))
        .await
        .unwrap();
    world.desk.suspend_mailbox(&sophie, other.id).await.unwrap();
    let acting = world.acting(&lucie).await;
    let seen = world
        .desk
        .mailbox_activity(&acting, contact.id, None, 100)
        .await
        .unwrap()
        .rows;
    let newest = &seen[0];
    assert_eq!(
        (newest.action.as_str(), newest.actor.who.as_str()),
        ("device.add", "user:sophie@private.example")
    );
    assert!(seen.iter().all(|row| row.mailbox == Some(contact.id)));
    assert_eq!(
        world.desk.activity_entry(&acting, newest.number).await.unwrap(),
        *newest
    );
    assert_eq!(
        key(world.desk.activity(&acting, AuditFilter::default()).await),
        "ui.forbidden"
    );
    let all = world
        .desk
        .activity(
            &sophie,
            AuditFilter {
                limit: 100,
                ..AuditFilter::default()
            },
        )
        .await
        .unwrap()
        .rows;
    let hidden = all.iter().find(|row| row.mailbox == Some(other.id)).unwrap();
    assert_eq!(
        told(world.desk.activity_entry(&acting, hidden.number).await),
        "there is no such entry"
    );
    let hidden = all.iter().find(|row| row.mailbox.is_none()).unwrap();
    assert_eq!(
        told(world.desk.activity_entry(&acting, hidden.number).await),
        "there is no such entry"
    );
    let signed_in = world.signed_in(&world.sophie).await;
    let mine = world.desk.my_activity(&signed_in, None, 100).await.unwrap().rows;
    assert!(!mine.is_empty() && mine.iter().all(|row| row.actor.who == "user:sophie@private.example"));
}
