//! Mails that one member can make us send: bounded, and told where they were not.

use std::sync::atomic::Ordering;

use super::*;
use crate::model::DeviceKind;
use crate::store::NoticeStore;

fn spec(address: &str) -> InviteSpec {
    InviteSpec {
        address: address.to_owned(),
        role: Role::Member,
        grants: Vec::new(),
        language: Language::French,
        by_mail: true,
    }
}

/// Lucie and Anna, who may add devices of their own to a mailbox.
async fn two_who_add_their_own(world: &World, mailbox: &Mailbox) -> [User; 2] {
    let both = [
        world.member("lucie", Role::Member).await,
        world.member("anna", Role::Member).await,
    ];
    for user in &both {
        world.grant(mailbox, user, right(Right::AddOwnDevices)).await;
    }
    both
}

#[tokio::test]
async fn whoever_invites_hears_that_the_mail_was_not_put() {
    let world = world().await;
    let acting = world.acting(&world.sophie).await;
    world.letters.full.store(true, Ordering::Relaxed);
    let invited = world.desk.invite(&acting, spec("zoe@private.example")).await.unwrap();
    assert!(invited.not_mailed && invited.link.is_some());
    world.letters.full.store(false, Ordering::Relaxed);
    let again = world.desk.renew_invitation(&acting, invited.invitation.id, true).await;
    assert!(!again.unwrap().not_mailed, "as soon as there is room");
    assert_eq!(world.letters.count(), 1);
    let link = world
        .desk
        .renew_invitation(&acting, invited.invitation.id, false)
        .await
        .unwrap();
    assert!(link.link.is_some() && !link.not_mailed);
}

#[tokio::test]
async fn an_address_is_not_flooded_by_inviting_and_withdrawing() {
    let world = world().await;
    let acting = world.acting(&world.sophie).await;
    let most = SignInConfig::default().invitations;
    for _ in 0..most {
        let invited = world.desk.invite(&acting, spec("zoe@private.example")).await.unwrap();
        assert!(!invited.not_mailed);
        world
            .desk
            .withdraw_invitation(&acting, invited.invitation.id)
            .await
            .unwrap();
    }
    let invited = world.desk.invite(&acting, spec(" ZOE@private.example")).await.unwrap();
    assert!(invited.not_mailed && invited.link.is_some());
    assert_eq!(world.letters.count(), most as usize);
    let other = world.desk.invite(&acting, spec("yann@private.example")).await.unwrap();
    assert!(!other.not_mailed, "only this address");
}

#[tokio::test]
async fn set_up_links_in_a_loop_use_up_nobody_elses_mails() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let [lucie, anna] = two_who_add_their_own(&world, &contact).await;
    let to = |address: String| LinkSpec {
        to: Some(address),
        language: Language::English,
    };
    let phone = |user: &User| DeviceSpec {
        label: format!("{} phone", user.name),
        user: Some(user.id),
        ..DeviceSpec::default()
    };
    let acting = world.acting(&lucie).await;
    let first = to("stranger@private.example".to_owned());
    let made = world
        .desk
        .add_linked_device(&acting, contact.id, phone(&lucie), &first)
        .await
        .unwrap();
    let mut mailed = u32::from(!made.not_mailed);
    for number in 0..100 {
        let to = to(format!("stranger{number}@private.example"));
        let sent = world
            .desk
            .send_device_link(&acting, made.row.device.id, &to)
            .await
            .unwrap();
        // Whoever sends it has it then, to be handed over.
        assert_eq!(sent.secret.is_some(), sent.not_mailed);
        mailed += u32::from(!sent.not_mailed);
    }
    assert_eq!(mailed, SignInConfig::default().links_per_sender);
    let put = world.letters.take();
    let links = put
        .iter()
        .filter(|(_, letter)| matches!(letter, Letter::DeviceLink { .. }));
    assert_eq!(links.count(), mailed as usize);
    // Neither what others send nor invitations suffer from it.
    let annas = world.acting(&anna).await;
    let made = world
        .desk
        .add_linked_device(&annas, contact.id, phone(&anna), &first)
        .await
        .unwrap();
    assert!(!made.not_mailed);
    let owner = world.acting(&world.sophie).await;
    for number in 0..SignInConfig::default().invitations_per_org {
        let invited = world
            .desk
            .invite(&owner, spec(&format!("stranger{number}@private.example")))
            .await;
        assert!(!invited.unwrap().not_mailed, "{number}");
    }
}

#[tokio::test]
async fn replacing_a_password_in_a_loop_does_not_fill_the_outbox() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let lucie = world.member("lucie", Role::Member).await;
    let anna = world.member("anna", Role::Member).await;
    for user in [&lucie, &anna] {
        world.grant(&contact, user, right(Right::AddOwnDevices)).await;
    }
    let acting = world.acting(&lucie).await;
    let spec = |user: &User| DeviceSpec {
        label: format!("{} phone", user.name),
        kind: DeviceKind::Iphone,
        user: Some(user.id),
        ..DeviceSpec::default()
    };
    let added = world.desk.add_device(&acting, contact.id, spec(&lucie)).await.unwrap();
    let most = SignInConfig::default().device_letters as usize;
    for _ in 0..most * 2 {
        world.desk.replace_device(&acting, added.row.device.id).await.unwrap();
    }
    assert_eq!(world.letters.take().len(), 2, "two people, once in an hour");
    // What was held back is told together, also what came when letters were used up; that the outbox does.
    world.clock.advance(Duration::from_secs(60 * 60));
    let due = world.store.due_notices(9).await.unwrap();
    assert_eq!((due.len(), due[0].notices.len()), (1, most * 2));
    let told = |readers: &[crate::store::NoticeReader]| {
        let told = readers.iter().map(|reader| reader.user);
        told.collect::<Vec<_>>()
    };
    assert_eq!(told(&due[0].about.readers), [lucie.id], "it is hers");
    assert_eq!(told(&due[0].also), [anna.id], "and they have access to its mailbox");
    // What somebody else does there is told.
    let acting = world.acting(&anna).await;
    world.desk.add_device(&acting, contact.id, spec(&anna)).await.unwrap();
    assert_eq!(world.letters.take().len(), 2);
}

#[tokio::test]
async fn a_password_that_could_not_be_told_is_told_within_the_hour() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let acting = world.acting(&world.sophie).await;
    let spec = |label: &str| DeviceSpec {
        label: label.to_owned(),
        ..DeviceSpec::default()
    };
    let due = async || {
        let due = world.store.due_notices(99).await.unwrap();
        let labels = due.into_iter().map(|due| (due.about.label, due.notices.len()));
        labels.collect::<Vec<_>>()
    };
    // The outbox has no room.
    world.letters.full.store(true, Ordering::Relaxed);
    world.desk.add_device(&acting, contact.id, spec("First")).await.unwrap();
    world.letters.full.store(false, Ordering::Relaxed);
    assert_eq!(due().await, []);
    world.clock.advance(Duration::from_secs(60 * 60));
    assert_eq!(due().await, [("First".to_owned(), 1)]);
    // Letters are used up: of each further device it is told an hour later.
    let acting = world.acting(&world.sophie).await;
    for number in 0..SignInConfig::default().device_letters {
        let spec = spec(&format!("Device {number}"));
        world.desk.add_device(&acting, contact.id, spec).await.unwrap();
    }
    world.letters.take();
    world.desk.add_device(&acting, contact.id, spec("Last")).await.unwrap();
    assert_eq!(world.letters.count(), 0);
    assert_eq!(due().await.len(), 1);
    world.clock.advance(Duration::from_secs(60 * 60));
    assert!(due().await.contains(&("Last".to_owned(), 1)));
    // Where it is switched off, it waits for whoever signs in with the mailbox's address, and for nobody else.
    let new = new_user(&world.desk, "contact@example.org", "Carla").await;
    let carla = world.directory().create_user(&world.machine, &new).await.unwrap();
    let acting = world.acting(&world.sophie).await;
    let none = crate::model::NoticesOff::default();
    let off = none.set(crate::model::NoticeKind::DeviceAdded, true);
    world.desk.set_notices_off(&acting, none, off).await.unwrap();
    world.letters.full.store(true, Ordering::Relaxed);
    world
        .desk
        .add_device(&acting, contact.id, spec("Silent"))
        .await
        .unwrap();
    world.clock.advance(Duration::from_secs(60 * 60));
    let waiting = world.store.due_notices(99).await.unwrap();
    let silent = waiting.iter().find(|due| due.about.label == "Silent").unwrap();
    assert_eq!(silent.about.readers, []);
    let also: Vec<_> = silent.also.iter().map(|reader| reader.user).collect();
    assert_eq!(also, [carla.id]);
}

#[tokio::test]
async fn adding_and_revoking_in_a_loop_does_not_fill_the_outbox_later() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let [lucie, anna] = two_who_add_their_own(&world, &contact).await;
    let acting = world.acting(&lucie).await;
    let spec = |label: &str| DeviceSpec {
        label: label.to_owned(),
        user: Some(lucie.id),
        ..DeviceSpec::default()
    };
    let by = LinkSpec {
        to: None,
        language: Language::English,
    };
    let rounds = 200;
    for _ in 0..rounds {
        let made = world
            .desk
            .add_linked_device(&acting, contact.id, spec("Phone"), &by)
            .await;
        let device = made.unwrap().row.device.id;
        world
            .desk
            .change_device(&acting, device, DeviceChange::Revoke)
            .await
            .unwrap();
    }
    // A real one among them is counted, and hidden by none that is not told.
    world.desk.add_device(&acting, contact.id, spec("Real")).await.unwrap();
    world.clock.advance(Duration::from_secs(60 * 60));
    let waiting = world.store.due_notices(1000).await.unwrap();
    assert_eq!(waiting.len(), crate::store::notice::HELD_BY_ONE_MAX as usize);
    let all: usize = waiting.iter().map(|due| due.notices.len() + due.more as usize).sum();
    assert_eq!(all, rounds + 1 - SignInConfig::default().device_letters as usize);
    // What never had a password is told to nobody, but for the one with which the others are counted.
    let told = waiting
        .iter()
        .filter(|due| !due.about.readers.is_empty() || !due.also.is_empty());
    let told: Vec<_> = told.collect();
    let [counted] = &told[..] else { panic!("{told:?}") };
    let also: Vec<_> = counted.also.iter().map(|reader| reader.user).collect();
    assert_eq!((counted.more as usize, also), (all - waiting.len(), vec![anna.id]));
}

#[tokio::test]
async fn whoever_signs_in_with_the_mailboxs_address_is_told_of_each_new_password() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let new = new_user(&world.desk, "contact@example.org", "Carla").await;
    let carla = world.directory().create_user(&world.machine, &new).await.unwrap();
    let (org, machine) = (world.acme.id, &world.machine);
    world
        .directory()
        .add_member(machine, org, carla.id, Role::Member)
        .await
        .unwrap();
    let acting = world.acting(&world.sophie).await;
    let all = crate::model::NoticeKind::ALL.into_iter().collect();
    let none = crate::model::NoticesOff::default();
    let spec = DeviceSpec {
        label: "CRM".to_owned(),
        ..DeviceSpec::default()
    };
    let added = world.desk.add_device(&acting, contact.id, spec).await.unwrap();
    let told = |world: &World| {
        let letters = world.letters.take().into_iter();
        letters.map(|(to, _)| to.address.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(told(&world), ["contact@example.org", "sophie@private.example"]);
    world.desk.replace_device(&acting, added.row.device.id).await.unwrap();
    assert_eq!(told(&world), ["contact@example.org"], "the others within the hour");
    world.desk.set_notices_off(&acting, none, all).await.unwrap();
    assert_eq!(
        told(&world),
        ["sophie@private.example"],
        "an owner is told that they are off"
    );
    world.clock.advance(Duration::from_secs(60 * 60));
    let acting = world.acting(&world.sophie).await;
    world.desk.replace_device(&acting, added.row.device.id).await.unwrap();
    assert_eq!(told(&world), ["contact@example.org"], "the others not at all");
}

#[tokio::test]
async fn whoever_a_token_acts_for_is_told_that_it_was_made() {
    let world = world().await;
    let acting = world.acting(&world.sophie).await;
    let spec = crate::directory::TokenSpec {
        name: "CRM sync".to_owned(),
        role: Role::Auditor,
        scope: crate::model::TokenScope::Read,
        expires_at: START.plus(Duration::from_secs(86_400)),
    };
    world.desk.create_token(&acting, spec).await.unwrap();
    let letters = world.letters.take();
    let [
        (
            to,
            Letter::TokenMade {
                org, name, role, from, ..
            },
        ),
    ] = &letters[..]
    else {
        panic!("{letters:?}")
    };
    assert_eq!((&to.address, *org), (&world.sophie.address, world.acme.id));
    assert_eq!(
        (name.as_str(), *role, *from),
        ("CRM sync", Role::Auditor, Some(visitor().ip))
    );
}

#[tokio::test]
async fn switching_notices_off_wants_a_fresh_proof_and_every_owner_is_told() {
    use crate::model::{NoticeKind, NoticesOff};
    let world = world().await;
    world.member("anna", Role::Owner).await;
    let ben = world.member("ben", Role::Administrator).await;
    let none = NoticesOff::default();
    let off = none.set(NoticeKind::DeviceNetwork, true);
    let acting = world.acting(&ben).await;
    world.clock.advance(Duration::from_secs(60 * 60));
    let old = world.desk.set_notices_off(&acting, none, off).await;
    assert!(matches!(old, Err(Error::StepUp)), "{old:?}");
    assert!(world.letters.take().is_empty());
    let fresh = world.acting(&ben).await;
    world.desk.set_notices_off(&fresh, none, off).await.unwrap();
    let letters = world.letters.take();
    let mut told: Vec<_> = letters.iter().map(|(to, _)| to.address.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, ["anna@private.example", "sophie@private.example"]);
    for (_, letter) in &letters {
        let Letter::NoticesOff { by, kinds, from, .. } = letter else {
            panic!("{letter:?}")
        };
        assert_eq!((by, &kinds[..]), (&ben.name, &[NoticeKind::DeviceNetwork][..]));
        assert_eq!(*from, Some(visitor().ip));
    }
    // On again: by an old proof, and nobody needs to hear of it.
    world.desk.set_notices_off(&acting, off, none).await.unwrap();
    assert!(world.letters.take().is_empty());
}
