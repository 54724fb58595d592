//! Mails that one member can make us send: bounded, and told where they were not.

use std::sync::atomic::Ordering;

use super::*;
use crate::model::DeviceKind;

fn spec(address: &str) -> InviteSpec {
    InviteSpec {
        address: address.to_owned(),
        role: Role::Member,
        grants: Vec::new(),
        language: Language::French,
        by_mail: true,
    }
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
    assert_eq!(world.letters.take().len(), most * 2, "two people, so often");
    // What somebody else does there is told.
    let acting = world.acting(&anna).await;
    world.desk.add_device(&acting, contact.id, spec(&anna)).await.unwrap();
    assert_eq!(world.letters.take().len(), 2);
}
