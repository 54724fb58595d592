//! Members, roles, accesses: who may change whom, what ends with what, and what is told.

use super::*;
use crate::directory::TokenSpec;
use crate::model::{Address, DeviceState, TokenScope};
use crate::store::{self, MemberQuery};

#[tokio::test]
async fn an_administrator_changes_members_and_no_owner() {
    let world = world().await;
    let (marc, lucie) = (
        world.member("marc", Role::Administrator).await,
        world.member("lucie", Role::Member).await,
    );
    let acting = world.acting(&marc).await;
    let changed = world
        .desk
        .set_role(&acting, lucie.id, Role::Member, Role::Auditor)
        .await
        .unwrap();
    assert_eq!(changed.member.role, Role::Auditor);
    let words = "you may not make, change or remove an owner; Sophie can";
    assert_eq!(
        told(world.desk.set_role(&acting, lucie.id, Role::Auditor, Role::Owner).await),
        words
    );
    assert_eq!(
        told(
            world
                .desk
                .set_role(&acting, world.sophie.id, Role::Owner, Role::Member)
                .await
        ),
        words
    );
    assert_eq!(
        told(world.desk.remove_member(&acting, world.sophie.id, Role::Owner).await),
        words
    );
    // Whoever says that an owner is a member is told that it is not so.
    let lied = world
        .desk
        .set_role(&acting, world.sophie.id, Role::Member, Role::Auditor)
        .await;
    assert_eq!(key(lied), "ui.conflict");
    let lied = world
        .desk
        .set_role(&acting, world.sophie.id, Role::Auditor, Role::Administrator)
        .await;
    assert_eq!(key(lied), "ui.conflict");
    assert_eq!(
        world
            .directory()
            .member(world.acme.id, world.sophie.id)
            .await
            .unwrap()
            .member
            .role,
        Role::Owner
    );
}

#[tokio::test]
async fn one_owner_always_remains() {
    let world = world().await;
    let acting = world.acting(&world.sophie).await;
    let sophie = world.sophie.id;
    assert_eq!(
        key(world
            .desk
            .set_role(&acting, sophie, Role::Owner, Role::Administrator)
            .await),
        "refused"
    );
    assert_eq!(
        key(world.desk.remove_member(&acting, sophie, Role::Owner).await),
        "refused"
    );
    let marc = world.member("marc", Role::Member).await;
    world
        .desk
        .set_role(&acting, marc.id, Role::Member, Role::Owner)
        .await
        .unwrap();
    world.desk.remove_member(&acting, sophie, Role::Owner).await.unwrap();
    let marc = world.acting(&marc).await;
    assert_eq!(
        key(world.desk.remove_member(&marc, marc.user.id, Role::Owner).await),
        "refused"
    );
}

#[tokio::test]
async fn what_was_withdrawn_is_gone_at_the_next_request() {
    let world = world().await;
    let lucie = world.member("lucie", Role::Administrator).await;
    let signed_in = world.signed_in(&lucie).await;
    let acting = world.desk.acting(&signed_in, world.acme.id).await.unwrap();
    let sophie = world.acting(&world.sophie).await;
    world.desk.create_mailbox(&acting, "a@example.org").await.unwrap();
    world
        .desk
        .set_role(&sophie, lucie.id, Role::Administrator, Role::Member)
        .await
        .unwrap();
    // Even for a request that had begun before.
    assert_eq!(
        key(world.desk.create_mailbox(&acting, "b@example.org").await),
        "ui.forbidden"
    );
    world.desk.remove_member(&sophie, lucie.id, Role::Member).await.unwrap();
    assert_eq!(
        told(world.desk.create_mailbox(&acting, "b@example.org").await),
        "sign in first",
        "this was their only organisation, so their session ended with it"
    );
    assert_eq!(
        told(world.desk.acting(&signed_in, world.acme.id).await),
        "there is no such organisation"
    );
}

#[tokio::test]
async fn withdrawing_an_access_ends_exactly_the_devices_that_belong_to_it() {
    let world = world().await;
    let (contact, other) = (world.mailbox("contact").await, world.mailbox("other").await);
    let (lucie, ben) = (
        world.member("lucie", Role::Member).await,
        world.member("ben", Role::Member).await,
    );
    for (mailbox, user) in [(&contact, &lucie), (&other, &lucie), (&contact, &ben)] {
        world.grant(mailbox, user, right(Right::AddOwnDevices)).await;
    }
    let hers = world.device(&contact, "Lucie's iPhone", Some(lucie.id)).await;
    let elsewhere = world.device(&other, "Lucie's iPad", Some(lucie.id)).await;
    let his = world.device(&contact, "Ben's Outlook", Some(ben.id)).await;
    let crm = world.device(&contact, "CRM", None).await;
    let acting = world.acting(&world.sophie).await;

    let preview = world
        .desk
        .ending_with_grant(&acting, contact.id, lucie.id)
        .await
        .unwrap();
    assert_eq!(
        preview.devices.iter().map(|row| row.device.id).collect::<Vec<_>>(),
        [hers.id]
    );
    let device = async |id| world.directory().find_device(&format!("{id}")).await.unwrap();
    assert_eq!(
        device(hers.id).await.state,
        DeviceState::Active,
        "a preview ends nothing"
    );

    world.letters.take();
    let ended = world.desk.withdraw_grant(&acting, contact.id, lucie.id).await.unwrap();
    assert_eq!(ended.what.devices.len(), 1);
    assert!(matches!(device(hers.id).await.state, DeviceState::Revoked(_)));
    for kept in [elsewhere.id, his.id, crm.id] {
        assert_eq!(device(kept).await.state, DeviceState::Active);
    }
    let put = world.letters.take();
    let [
        (
            to,
            Letter::AccessWithdrawn {
                by,
                devices,
                left,
                mailboxes,
                ..
            },
        ),
    ] = put.as_slice()
    else {
        panic!("{put:?}")
    };
    assert_eq!(
        (to.address.as_str(), by.as_str(), *left),
        ("lucie@private.example", "Sophie", false)
    );
    assert_eq!(
        (devices.as_slice(), mailboxes.as_slice()),
        (&["Lucie's iPhone".to_owned()][..], &[contact.address.clone()][..])
    );
    assert_eq!(
        key(world.desk.withdraw_grant(&acting, contact.id, lucie.id).await),
        "not_found"
    );
}

#[tokio::test]
async fn removing_a_member_ends_their_devices_in_this_organisation_and_nobody_elses() {
    let world = world().await;
    let (contact, other) = (world.mailbox("contact").await, world.mailbox("other").await);
    let lucie = world.member("lucie", Role::Member).await;
    for mailbox in [&contact, &other] {
        world.grant(mailbox, &lucie, right(Right::AddOwnDevices)).await;
    }
    let mut hers = Vec::new();
    for mailbox in [&contact, &other] {
        hers.push(world.device(mailbox, "Phone", Some(lucie.id)).await.id);
    }
    let crm = world.device(&contact, "CRM", None).await;
    let acting = world.acting(&world.sophie).await;
    let preview = world.desk.ending_with_member(&acting, lucie.id).await.unwrap();
    assert_eq!((preview.devices.len(), preview.grants.len()), (2, 2));
    world.desk.remove_member(&acting, lucie.id, Role::Member).await.unwrap();
    for id in hers {
        let device = world.directory().find_device(&id.to_string()).await.unwrap();
        assert!(matches!(device.state, DeviceState::Revoked(_)));
    }
    let device = world.directory().find_device(&crm.id.to_string()).await.unwrap();
    assert_eq!(device.state, DeviceState::Active);
    assert_eq!(
        told(world.desk.ending_with_member(&acting, lucie.id).await),
        "there is no such member"
    );
}

#[tokio::test]
async fn a_lower_role_ends_devices_that_only_the_old_one_reached_and_tells_their_owner() {
    let world = world().await;
    let (contact, other) = (world.mailbox("contact").await, world.mailbox("other").await);
    let marc = world.member("marc", Role::MailboxManager).await;
    world.grant(&other, &marc, right(Right::AddOwnDevices)).await;
    let lost = world.device(&contact, "Marc's iPhone", Some(marc.id)).await;
    let kept = world.device(&other, "Marc's iPad", Some(marc.id)).await;
    let acting = world.acting(&world.sophie).await;
    let roles = (Role::MailboxManager, Role::Member);
    let preview = world.desk.ending_with_role(&acting, marc.id, roles).await.unwrap();
    assert_eq!(
        preview.devices.iter().map(|row| row.device.id).collect::<Vec<_>>(),
        [lost.id]
    );
    // Whoever may not give the role learns nothing of what it would end.
    let ben = world.member("ben", Role::Auditor).await;
    let bens = world.acting(&ben).await;
    assert_eq!(
        key(world.desk.ending_with_role(&bens, marc.id, roles).await),
        "ui.forbidden"
    );

    world.letters.take();
    let changed = world.desk.set_role(&acting, marc.id, roles.0, roles.1).await.unwrap();
    assert_eq!(changed.ended.what, preview);
    let state = async |id| world.directory().find_device(&format!("{id}")).await.unwrap().state;
    assert!(matches!(state(lost.id).await, DeviceState::Revoked(_)));
    assert_eq!(state(kept.id).await, DeviceState::Active);
    let put = world.letters.take();
    let [
        (
            to,
            Letter::AccessWithdrawn {
                mailboxes,
                devices,
                left,
                ..
            },
        ),
    ] = put.as_slice()
    else {
        panic!("{put:?}")
    };
    assert_eq!((to.address.as_str(), *left), ("marc@private.example", false));
    assert_eq!(
        (devices.as_slice(), mailboxes.as_slice()),
        (&["Marc's iPhone".to_owned()][..], &[contact.address.clone()][..])
    );
}

#[tokio::test]
async fn whoever_removes_somebody_names_the_role_that_they_saw() {
    let world = world().await;
    let (marc, lucie) = (
        world.member("marc", Role::Administrator).await,
        world.member("lucie", Role::Member).await,
    );
    let (sophie, acting) = (world.acting(&world.sophie).await, world.acting(&marc).await);
    world
        .desk
        .set_role(&sophie, lucie.id, Role::Member, Role::Auditor)
        .await
        .unwrap();
    let removed = world.desk.remove_member(&acting, lucie.id, Role::Member).await;
    assert_eq!(key(removed), "ui.conflict");
    // Nor does a wrong name for an owner help somebody who may not remove owners.
    let removed = world.desk.remove_member(&acting, world.sophie.id, Role::Member).await;
    assert_eq!(key(removed), "ui.forbidden");
    let removed = world.desk.remove_member(&acting, lucie.id, Role::Owner).await;
    assert_eq!(key(removed), "ui.forbidden");
    world
        .desk
        .remove_member(&acting, lucie.id, Role::Auditor)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_access_with_an_end_stops_counting_at_that_moment() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let lucie = world.member("lucie", Role::Member).await;
    let sophie = world.acting(&world.sophie).await;
    let ends_at = Some(START.plus(Duration::from_secs(3600)));
    let hour = GrantTerms {
        rights: right(Right::SeeDevices),
        ends_at,
    };
    world
        .desk
        .give_grant(&sophie, contact.id, lucie.id, &hour)
        .await
        .unwrap();
    let signed_in = world.signed_in(&lucie).await;
    let acting = world.desk.acting(&signed_in, world.acme.id).await.unwrap();
    world.clock.advance(Duration::from_secs(3599));
    assert!(world.desk.mailbox(&acting, contact.id).await.is_ok());
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(
        told(world.desk.mailbox(&acting, contact.id).await),
        "there is no such mailbox"
    );
    assert_eq!(world.desk.my_grants(&signed_in).await.unwrap(), []);
    let past = GrantTerms {
        ends_at: Some(START),
        ..hour
    };
    let other = world.mailbox("other").await;
    let sophie = world.acting(&world.sophie).await;
    assert_eq!(
        key(world.desk.give_grant(&sophie, other.id, lucie.id, &past).await),
        "ends.bad"
    );
    let tidied = world.directory().tidy_people().await.unwrap();
    assert_eq!(tidied.grants, 1);
}

#[tokio::test]
async fn an_access_is_changed_from_what_was_seen_of_it() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let lucie = world.member("lucie", Role::Member).await;
    let acting = world.acting(&world.sophie).await;
    let see = terms(right(Right::SeeDevices));
    let seen = world
        .desk
        .give_grant(&acting, contact.id, lucie.id, &see)
        .await
        .unwrap();
    assert_eq!(
        key(world.desk.give_grant(&acting, contact.id, lucie.id, &see).await),
        "conflict"
    );
    let manage = terms(right(Right::ManageDevices));
    let (changed, _) = world.desk.change_grant(&acting, &seen, &manage).await.unwrap();
    assert_eq!(changed.rights, right(Right::ManageDevices));
    assert_eq!(key(world.desk.change_grant(&acting, &seen, &see).await), "ui.conflict");
    let given = world
        .letters
        .take()
        .into_iter()
        .filter(|(_, letter)| matches!(letter, Letter::AccessGiven { .. }));
    assert_eq!(given.count(), 2);
}

#[tokio::test]
async fn members_are_found_and_see_themselves() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let lucie = world.member("lucie", Role::Member).await;
    world.grant(&contact, &lucie, right(Right::SendAs)).await;
    let (sophie, acting) = (world.acting(&world.sophie).await, world.acting(&lucie).await);
    let query = MemberQuery {
        text: Some("luc".to_owned()),
        limit: 10,
        ..MemberQuery::default()
    };
    let found = world.desk.members(&sophie, &query).await.unwrap().rows;
    assert_eq!(
        found.iter().map(|row| row.member.user.id).collect::<Vec<_>>(),
        [lucie.id]
    );
    assert_eq!(world.desk.grants_of(&acting, lucie.id).await.unwrap().len(), 1);
    assert_eq!(
        key(world.desk.grants_of(&acting, world.sophie.id).await),
        "ui.forbidden"
    );
    assert_eq!(world.desk.grants_of(&sophie, lucie.id).await.unwrap().len(), 1);
    assert_eq!(key(world.desk.members(&acting, &query).await), "ui.forbidden");
}

#[tokio::test]
async fn a_member_finds_only_what_they_were_granted() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    world.mailbox("contracts").await;
    let lucie = world.member("lucie", Role::Member).await;
    world.grant(&contact, &lucie, right(Right::SendAs)).await;
    let (sophie, acting) = (world.acting(&world.sophie).await, world.acting(&lucie).await);
    assert_eq!(world.desk.search(&sophie, "cont", 10).await.unwrap().len(), 2);
    assert_eq!(world.desk.search(&acting, " CONT ", 10).await.unwrap().len(), 1);
    assert_eq!(world.desk.search(&acting, "sophie", 10).await.unwrap(), []);
    assert_eq!(world.desk.search(&sophie, " ", 10).await.unwrap(), []);
}

#[tokio::test]
async fn whoever_takes_over_an_address_takes_over_no_past() {
    let world = world().await;
    let lucie = world.member("lucie", Role::Member).await;
    let edit = |text: &str| store::UserEdit {
        address: Some(Address::parse(text).unwrap()),
        ..store::UserEdit::default()
    };
    let named = AccountEdit {
        name: Some("Lucie Martin".to_owned()),
        ..AccountEdit::default()
    };
    let hers = world.signed_in(&lucie).await;
    world.desk.edit_account(&hers, &named).await.unwrap();
    let directory = world.directory();
    for (user, to) in [
        (lucie.id, "martin@private.example"),
        (world.sophie.id, "lucie@private.example"),
    ] {
        directory.edit_user(&world.machine, user, &edit(to)).await.unwrap();
    }
    let now = async |user: &User| {
        world
            .signed_in(&directory.store.user(user.id).await.unwrap().unwrap())
            .await
    };
    let (lucie, sophie) = (now(&lucie).await, now(&world.sophie).await);
    assert_eq!(sophie.user.address.as_str(), "lucie@private.example");
    let past = async |signed_in: &SignedIn| world.desk.my_activity(signed_in, None, 100).await.unwrap().rows;
    let (hers, theirs) = (past(&lucie).await, past(&sophie).await);
    let renamed = |rows: &[store::AuditRow]| rows.iter().filter(|row| row.action == "user.edit").count();
    assert_eq!((renamed(&hers), renamed(&theirs)), (1, 0));
    assert!(hers.iter().all(|row| row.actor.user == Some(lucie.user.id)));
    assert!(theirs.iter().all(|row| row.actor.user == Some(sophie.user.id)));
    // Nor is it told under their name.
    let names = world.desk.names_in(&hers).await.unwrap();
    let old = hers.iter().find(|row| row.action == "user.edit").unwrap();
    assert_eq!(old.actor.who, "user:lucie@private.example");
    assert_eq!(names.who(old), Some("Lucie Martin"));
}

#[tokio::test]
async fn what_a_program_does_in_ones_name_is_part_of_what_one_did() {
    let world = world().await;
    let acting = world.acting(&world.sophie).await;
    let spec = TokenSpec {
        name: "Sync".to_owned(),
        role: Role::Owner,
        scope: TokenScope::Write,
        expires_at: world.clock.utc().plus(Duration::from_secs(3600)),
    };
    let (_, token) = world.desk.create_token(&acting, spec).await.unwrap();
    let program = world.desk.acting_by_token(&visitor(), token.expose()).await.unwrap();
    world.desk.create_mailbox(&program, "a@example.org").await.unwrap();
    let signed_in = world.signed_in(&world.sophie).await;
    let mine = world.desk.my_activity(&signed_in, None, 100).await.unwrap().rows;
    let by_program = mine.iter().find(|row| row.action == "mailbox.create").unwrap();
    assert_eq!(by_program.actor.who, "token:Sync");
    let names = world.desk.names_in(&mine).await.unwrap();
    assert_eq!(
        (names.who(by_program), names.behalf(by_program)),
        (None, Some("Sophie"))
    );
}

#[tokio::test]
async fn access_is_given_or_widened_after_a_fresh_proof_and_taken_away_without() {
    let world = world().await;
    let contact = world.mailbox("contact").await;
    let lucie = world.member("lucie", Role::Member).await;
    let anna = world.member("anna", Role::Member).await;
    let acting = world.acting(&world.sophie).await;
    let (see, none) = (terms(right(Right::SeeDevices)), None);
    let seen = world
        .desk
        .give_grant(&acting, contact.id, lucie.id, &see)
        .await
        .unwrap();
    world.clock.advance(Duration::from_secs(601));
    let key_of = async |to: &GrantTerms| key(world.desk.change_grant(&acting, &seen, to).await);
    assert_eq!(
        key(world.desk.give_grant(&acting, contact.id, anna.id, &see).await),
        "signin.step_up"
    );
    let both = terms(right(Right::SeeDevices).with(Right::SendAs));
    assert_eq!(key_of(&both).await, "signin.step_up");
    assert_eq!(key_of(&terms(right(Right::SendAs))).await, "signin.step_up");
    let hour = GrantTerms {
        ends_at: Some(world.desk.now().plus(Duration::from_secs(3600))),
        ..see
    };
    let (shorter, _) = world.desk.change_grant(&acting, &seen, &hour).await.unwrap();
    let longer = GrantTerms { ends_at: none, ..see };
    let widened = world.desk.change_grant(&acting, &shorter, &longer).await;
    assert_eq!(key(widened), "signin.step_up", "for longer");
    world.desk.withdraw_grant(&acting, contact.id, lucie.id).await.unwrap();
}
