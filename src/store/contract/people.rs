//! Users, memberships, roles, and the first owner.

use std::time::Duration;

use super::*;
use crate::model::UserId;
use crate::store::{Cursor, FirstOrg, MemberQuery, UserEdit};

pub(in crate::store) async fn a_user_is_read_back_as_they_were_made(backend: &Backend) {
    let store = &*backend.store;
    let new = NewUser {
        name: "  Zoë Müller ".into(),
        language: Language::French,
        password: None,
        ..new_user("zoe@private.example")
    };
    let zoe = store.create_user(&actor(), &new).await.unwrap();
    let expected = User {
        id: zoe.id,
        address: address("zoe@private.example"),
        name: "Zoë Müller".into(),
        language: Language::French,
        has_password: false,
        has_code: false,
        created_at: START,
        seen_at: None,
    };
    assert_eq!(zoe, expected);
    assert_eq!(store.user(zoe.id).await.unwrap(), Some(expected.clone()));
    assert_eq!(store.user_by_address(&zoe.address).await.unwrap(), Some(expected));
    assert_eq!(store.user(UserId::from_raw(1)).await.unwrap(), None);
    assert!(user(store, "anna@private.example").await.has_password);
    let taken = "zoe@private.example is the sign-in address of a user already; choose another one";
    conflict(
        store.create_user(&actor(), &new_user("ZOE@private.example")).await,
        taken,
    );
    let nameless = NewUser {
        name: "a\u{202e}b".into(),
        ..new_user("x@private.example")
    };
    refused(store.create_user(&actor(), &nameless).await, "U+202E");
    let all = store.users(None, 9).await.unwrap();
    let addresses: Vec<_> = all.iter().map(|user| user.address.as_str()).collect();
    assert_eq!(addresses, ["anna@private.example", "zoe@private.example"]);
    assert_eq!(store.users(Some(&all[0].address), 9).await.unwrap(), all[1..]);
    assert_eq!(store.users(None, 1).await.unwrap(), all[..1]);
    assert_eq!(actions(store).await, ["user.create"; 2]);
}

pub(in crate::store) async fn whoever_signs_in_with_an_address_of_a_mailbox_is_found_by_it(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let alias = address("hello@example.org");
    store.create_alias(&actor(), &alias, world.info.id).await.unwrap();
    assert_eq!(store.sign_ins_of(world.info.id).await.unwrap(), []);
    let mut expected = Vec::new();
    for text in ["hello@example.org", "info@example.org", "sales@example.org"] {
        expected.push(store.create_user(&actor(), &new_user(text)).await.unwrap().id);
    }
    let found = async |mailbox: &Mailbox| -> Vec<UserId> {
        let mut found: Vec<_> = store
            .sign_ins_of(mailbox.id)
            .await
            .unwrap()
            .iter()
            .map(|user| user.id)
            .collect();
        found.sort_unstable();
        found
    };
    assert_eq!(found(&world.info).await, expected[..2]);
    assert_eq!(found(&world.sales).await, expected[2..]);
    assert_eq!(found(&world.foreign).await, []);
}

pub(in crate::store) async fn a_user_is_edited_and_listed_by_the_new_name(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let later = START.plus(Duration::from_secs(60));
    store
        .create_reset(&actor(), world.lucie.id, &token(1), later)
        .await
        .unwrap();
    let edit = UserEdit {
        address: Some(address("l.martin@private.example")),
        name: Some("Zita Martin".into()),
        language: Some(Language::French),
    };
    let edited = store.edit_user(&actor(), world.lucie.id, &edit).await.unwrap();
    assert_eq!(store.user(world.lucie.id).await.unwrap(), Some(edited.clone()));
    assert_eq!(
        (edited.address.as_str(), edited.name.as_str(), edited.language),
        ("l.martin@private.example", "Zita Martin", Language::French)
    );
    assert_eq!(
        store.reset(&token(1)).await.unwrap(),
        None,
        "the link went to the old address"
    );
    let names = async || -> Vec<String> {
        let page = store.members(world.acme, &query(None, None, 9)).await.unwrap();
        page.rows.into_iter().map(|row| row.member.user.name).collect()
    };
    assert_eq!(names().await, ["Sophie", "Zita Martin"]);

    let before = actions(store).await;
    assert_eq!(store.edit_user(&actor(), world.lucie.id, &edit).await.unwrap(), edited);
    let taken = UserEdit {
        address: Some(world.sophie.address.clone()),
        ..UserEdit::default()
    };
    assert!(matches!(
        store.edit_user(&actor(), world.lucie.id, &taken).await,
        Err(Error::Conflict(_))
    ));
    not_found(
        store.edit_user(&actor(), UserId::from_raw(1), &edit).await,
        "there is no user",
    );
    assert_eq!(actions(store).await, before, "what changes nothing leaves no row");
    assert_eq!(before.last().unwrap(), "user.edit");
}

pub(in crate::store) async fn a_user_has_one_role_in_each_organisation(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    backend.clock.advance(Duration::from_secs(60));
    let since = START.plus(Duration::from_secs(60));
    let joined = store
        .add_member(&actor(), world.other, world.lucie.id, Role::Auditor)
        .await
        .unwrap();
    assert_eq!(
        (joined.user.id, joined.role, joined.since),
        (world.lucie.id, Role::Auditor, since)
    );
    let orgs: Vec<_> = store
        .orgs_of(world.lucie.id)
        .await
        .unwrap()
        .into_iter()
        .map(|one| (one.org.name, one.role, one.since))
        .collect();
    assert_eq!(
        orgs,
        [
            ("Acme".to_owned(), Role::Member, START),
            ("Other".to_owned(), Role::Auditor, since)
        ]
    );
    let role = async |org, user| {
        let standing = store.standing(org, user, None).await.unwrap();
        standing.map(|standing| standing.membership.role)
    };
    assert_eq!(role(world.acme, world.lucie.id).await, Some(Role::Member));
    assert_eq!(role(world.other, world.lucie.id).await, Some(Role::Auditor));
    assert_eq!(role(world.acme, world.bob.id).await, None);
    assert_eq!(role(OrgId::from_raw(1), world.lucie.id).await, None);
    conflict(
        store
            .add_member(&actor(), world.other, world.lucie.id, Role::Owner)
            .await,
        "lucie@private.example is a member of \"Other\" already",
    );
    not_found(
        store
            .add_member(&actor(), world.other, UserId::from_raw(1), Role::Owner)
            .await,
        "there is no user",
    );
    not_found(
        store
            .add_member(&actor(), OrgId::from_raw(1), world.lucie.id, Role::Owner)
            .await,
        "there is no organisation",
    );
}

fn query(text: Option<&str>, role: Option<Role>, limit: u32) -> MemberQuery {
    MemberQuery {
        text: text.map(str::to_owned),
        role,
        after: None,
        limit,
    }
}

pub(in crate::store) async fn members_are_listed_by_name_in_pages(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    for name in ["alice", "bea", "zora"] {
        member(store, world.acme, &format!("{name}@private.example"), Role::Auditor).await;
    }
    let rights = terms("add-own-devices");
    store
        .give_grant(&actor(), world.acme, world.info.id, world.lucie.id, &rights)
        .await
        .unwrap();
    add_for(store, &world.info, &world.lucie, "iPhone", 1).await;
    let listed = async |query: MemberQuery| {
        let page = store.members(world.acme, &query).await.unwrap();
        let names: Vec<_> = page.rows.iter().map(|row| row.member.user.name.clone()).collect();
        (names, page.next)
    };
    let (first, next) = listed(query(None, None, 2)).await;
    assert_eq!(first, ["Alice", "Bea"]);
    let second = MemberQuery {
        after: next,
        ..query(None, None, 2)
    };
    let (second, next) = listed(second).await;
    assert_eq!(second, ["Lucie", "Sophie"]);
    let third = MemberQuery {
        after: next,
        ..query(None, None, 2)
    };
    assert_eq!(listed(third).await, (vec!["Zora".to_owned()], None));
    assert_eq!(listed(query(Some("ZO"), None, 9)).await.0, ["Zora"]);
    assert_eq!(listed(query(Some("lucie@private"), None, 9)).await.0, ["Lucie"]);
    assert_eq!(
        listed(query(None, Some(Role::Auditor), 9)).await.0,
        ["Alice", "Bea", "Zora"]
    );
    assert_eq!(
        listed(query(Some("%"), None, 9)).await.0,
        [""; 0],
        "no pattern language"
    );

    let lucie = store.member(world.acme, world.lucie.id).await.unwrap().unwrap();
    assert_eq!((lucie.mailboxes, lucie.devices), (1, 1));
    assert_eq!(store.member(world.other, world.lucie.id).await.unwrap(), None);
    let gone = Cursor {
        key: "c".into(),
        id: UserId::from_raw(1),
    };
    let beyond = MemberQuery {
        after: Some(gone),
        ..query(None, None, 1)
    };
    assert_eq!(
        listed(beyond).await.0,
        ["Lucie"],
        "the row of a cursor need not be there"
    );
}

pub(in crate::store) async fn a_role_is_changed_only_from_what_it_is(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    backend.clock.advance(Duration::from_secs(60));
    let marc = Actor::user(&address("marc@private.example"), "192.0.2.7");
    let set = async |by: &Actor, from, to| store.set_role(by, world.acme, world.lucie.id, from, to).await;
    let changed = set(&marc, Role::Member, Role::Auditor).await.unwrap();
    assert_eq!(changed.member.role, Role::Auditor);
    backend.clock.advance(Duration::from_secs(60));
    store
        .give_grant(&actor(), world.acme, world.info.id, world.lucie.id, &terms("send-as"))
        .await
        .unwrap();
    let before = actions(store).await;
    assert_eq!(before[before.len() - 2..], ["member.role", "grant.give"]);
    stale(
        set(&actor(), Role::Member, Role::Administrator).await,
        "user:marc@private.example",
        START.plus(Duration::from_secs(60)),
    );
    assert_eq!(set(&actor(), Role::Auditor, Role::Auditor).await.unwrap(), changed);
    // Whoever removes a member names the role that they saw, too.
    stale(
        store
            .remove_member(&actor(), world.acme, world.lucie.id, Role::Member)
            .await,
        "user:marc@private.example",
        START.plus(Duration::from_secs(60)),
    );
    assert_eq!(actions(store).await, before);
    not_found(
        store
            .set_role(&actor(), world.other, world.lucie.id, Role::Member, Role::Owner)
            .await,
        "there is no member",
    );
    not_found(
        store
            .set_role(&actor(), OrgId::from_raw(1), world.lucie.id, Role::Member, Role::Owner)
            .await,
        "there is no member",
    );
}

pub(in crate::store) async fn the_last_owner_stays(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let (acme, sophie, lucie) = (world.acme, world.sophie.id, world.lucie.id);
    let told = "sophie@private.example is the last owner of \"Acme\"; make somebody else an owner first";
    let before = actions(store).await;
    refused(
        store.set_role(&actor(), acme, sophie, Role::Owner, Role::Member).await,
        told,
    );
    refused(store.remove_member(&actor(), acme, sophie, Role::Owner).await, told);
    refused(store.delete_user(&actor(), sophie).await, told);
    assert_eq!(actions(store).await, before);

    store
        .set_role(&actor(), acme, lucie, Role::Member, Role::Owner)
        .await
        .unwrap();
    store
        .set_role(&actor(), acme, sophie, Role::Owner, Role::Member)
        .await
        .unwrap();
    store.remove_member(&actor(), acme, sophie, Role::Member).await.unwrap();
    refused(
        store.remove_member(&actor(), acme, lucie, Role::Owner).await,
        "is the last owner",
    );
}

pub(in crate::store) async fn two_owners_who_remove_each_other_leave_one(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let (acme, sophie, lucie) = (world.acme, world.sophie.id, world.lucie.id);
    for round in 0..10 {
        let role = store
            .standing(acme, lucie, None)
            .await
            .unwrap()
            .unwrap()
            .membership
            .role;
        if role != Role::Owner {
            store.set_role(&actor(), acme, lucie, role, Role::Owner).await.unwrap();
        }
        let remove = |store: &Arc<dyn Store>, who| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                if round % 2 == 0 {
                    store.remove_member(&actor(), acme, who, Role::Owner).await.map(drop)
                } else {
                    store
                        .set_role(&actor(), acme, who, Role::Owner, Role::Member)
                        .await
                        .map(drop)
                }
            })
        };
        let first = remove(&backend.store, sophie);
        let second = remove(&backend.other, lucie);
        let outcomes = [first.await.unwrap(), second.await.unwrap()];
        assert_eq!(
            outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
            1,
            "{outcomes:?}"
        );
        let owners = store.members(acme, &query(None, Some(Role::Owner), 9)).await.unwrap();
        assert_eq!(owners.rows.len(), 1);
        for (who, role) in [(sophie, Role::Owner), (lucie, Role::Member)] {
            match store.standing(acme, who, None).await.unwrap() {
                None => {
                    store.add_member(&actor(), acme, who, role).await.unwrap();
                }
                Some(standing) if standing.membership.role != Role::Owner => {
                    let from = standing.membership.role;
                    store.set_role(&actor(), acme, who, from, Role::Owner).await.unwrap();
                }
                Some(_) => {}
            }
        }
    }
}

pub(in crate::store) async fn a_deleted_user_is_gone_everywhere(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let lucie = &world.lucie;
    store
        .add_member(&actor(), world.other, lucie.id, Role::Administrator)
        .await
        .unwrap();
    let rights = terms("add-own-devices,send-as");
    store
        .give_grant(&actor(), world.acme, world.info.id, lucie.id, &rights)
        .await
        .unwrap();
    let here = add_for(store, &world.info, lucie, "iPhone", 1).await;
    let there = add_for(store, &world.foreign, lucie, "iPhone", 1).await;
    let crm = add(store, &world.info, "CRM", 2).await;
    let ended = store.delete_user(&actor(), lucie.id).await.unwrap();
    let ids: Vec<_> = ended.what.devices.iter().map(|row| row.device.id).collect();
    assert_eq!(ids, [here.id, there.id]);
    assert_eq!(store.user(lucie.id).await.unwrap(), None);
    assert_eq!(store.orgs_of(lucie.id).await.unwrap(), []);
    for device in [here, there] {
        assert_eq!(store.epoch(device.id, device.mailbox).await.unwrap(), None);
        assert_eq!(store.device(device.id).await.unwrap().unwrap().user, None);
    }
    assert!(store.epoch(crm.id, crm.mailbox).await.unwrap().is_some());
    assert_eq!(
        changes(store).await.len(),
        2,
        "each device ended once, none of them was only narrowed"
    );
    not_found(store.delete_user(&actor(), lucie.id).await, "there is no user");
    assert_eq!(
        actions(store).await[18..],
        [
            "member.remove",
            "grant.withdraw",
            "device.revoke",
            "member.remove",
            "device.revoke",
            "user.delete"
        ]
    );
}

pub(in crate::store) async fn the_set_up_link_works_for_a_while_and_stands_alone(backend: &Backend) {
    let store = &*backend.store;
    let later = START.plus(Duration::from_secs(60));
    let acme = org(store, "Acme", "example.org").await;
    let make = async |link: &TokenHash, who: &str, org: FirstOrg| {
        store
            .create_first_owner(&actor(), Some(link), &org, &new_user(who))
            .await
    };
    let here = || FirstOrg::Existing(acme.id);
    not_found(
        make(&token(1), "a@b.example", here()).await,
        "this set-up link does not work",
    );
    store.set_set_up_link(&actor(), &token(1), later).await.unwrap();
    store.set_set_up_link(&actor(), &token(2), later).await.unwrap();
    assert!(
        !store.is_set_up_link(&token(1)).await.unwrap(),
        "the new link took its place"
    );
    assert!(store.is_set_up_link(&token(2)).await.unwrap());
    assert!(!store.has_owner().await.unwrap());
    refused(
        make(&token(2), "a@b.example", FirstOrg::New(String::new())).await,
        "is empty",
    );
    assert!(
        store.is_set_up_link(&token(2)).await.unwrap(),
        "a mistake does not use it up"
    );
    backend.clock.advance(Duration::from_secs(60));
    assert!(!store.is_set_up_link(&token(2)).await.unwrap(), "its time is over");
    not_found(make(&token(2), "a@b.example", here()).await, "does not work");
}

pub(in crate::store) async fn two_browsers_make_one_first_owner(backend: &Backend) {
    let store = &*backend.store;
    let later = START.plus(Duration::from_secs(60));
    let acme = org(store, "Acme", "example.org").await;
    let here = FirstOrg::Existing(acme.id);
    store.set_set_up_link(&actor(), &token(3), later).await.unwrap();
    let first = Arc::clone(&backend.store);
    let second = Arc::clone(&backend.other);
    let race = |store: Arc<dyn Store>, who: &'static str| {
        let org = here.clone();
        tokio::spawn(async move {
            store
                .create_first_owner(&actor(), Some(&token(3)), &org, &new_user(who))
                .await
                .map(|(user, _)| user.id)
        })
    };
    let (one, two) = (race(first, "one@b.example"), race(second, "two@b.example"));
    let outcomes = [one.await.unwrap(), two.await.unwrap()];
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
        1,
        "{outcomes:?}"
    );
    assert_eq!(
        store.users(None, 9).await.unwrap().len(),
        1,
        "the other one left nothing"
    );
    assert!(store.has_owner().await.unwrap());
    refused(
        store.set_set_up_link(&actor(), &token(4), later).await,
        "has an owner already",
    );
    let again = store
        .create_first_owner(&actor(), None, &here, &new_user("x@b.example"))
        .await;
    refused(again, "the organisation \"Acme\" has an owner already");
    let (user, org) = store
        .create_first_owner(&actor(), None, &FirstOrg::New("New".into()), &new_user("x@b.example"))
        .await
        .unwrap();
    let role = store
        .standing(org.id, user.id, None)
        .await
        .unwrap()
        .unwrap()
        .membership
        .role;
    assert_eq!((org.name.as_str(), role), ("New", Role::Owner));
}

pub(in crate::store) async fn an_organisation_is_renamed_only_from_its_name(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let rename = async |from: &str, to: &str| store.rename_org(&actor(), world.acme, from, to).await;
    conflict(
        rename("Acme", "OTHER").await,
        "an organisation named \"Other\" exists already; choose another name",
    );
    refused(rename("Acme", " ").await, "is empty");
    assert_eq!(rename("Acme", "ACME").await.unwrap().name, "ACME");
    assert_eq!(store.org(world.acme).await.unwrap().unwrap().name, "ACME");
    stale(rename("Acme", "New").await, "cli:root", START);
    let before = actions(store).await;
    rename("ACME", "ACME").await.unwrap();
    assert_eq!(actions(store).await, before);
    assert_eq!(before.last().unwrap(), "org.rename");
    assert_eq!(store.org(OrgId::from_raw(1)).await.unwrap(), None);
}
