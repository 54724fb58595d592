//! Invitations: made, sent, opened, accepted once, withdrawn, run out.

use std::time::Duration;

use super::*;
use crate::model::{Invitation, InvitationId, InvitationState, InvitedGrant, MailboxId, Rights};
use crate::store::people::{INVITATION_LINKS_MAX, INVITED_GRANTS_MAX};
use crate::store::{Accepting, InvitationQuery, NewInvitation, Tidied};

const HOUR: Duration = Duration::from_secs(3600);

fn invite(text: &str, number: u8, grants: &[(&Mailbox, &str)]) -> NewInvitation {
    NewInvitation {
        address: address(text),
        role: Role::Member,
        grants: grants
            .iter()
            .map(|(mailbox, rights)| (mailbox.id, terms(rights)))
            .collect(),
        language: Language::French,
        invited_by: "Sophie".into(),
        link: token(number),
        expires_at: START.plus(HOUR),
    }
}

fn somebody(name: &str) -> Accepting {
    Accepting::New {
        name: name.into(),
        language: Language::French,
        password: password("theirs"),
    }
}

async fn create(store: &dyn Store, world: &World, new: &NewInvitation) -> Invitation {
    store.create_invitation(&actor(), world.acme, new).await.unwrap()
}

pub(in crate::store) async fn an_invitation_is_read_back_by_its_link(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let grants = [(&world.sales, "see-devices"), (&world.info, "add-own-devices")];
    let made = create(store, &world, &invite("zoe@private.example", 1, &grants)).await;
    let invited = |mailbox: &Mailbox, rights: &str| InvitedGrant {
        mailbox: mailbox.id,
        address: mailbox.address.clone(),
        rights: rights.parse().unwrap(),
        ends_at: None,
    };
    let expected = Invitation {
        id: made.id,
        org: world.acme,
        address: address("zoe@private.example"),
        role: Role::Member,
        grants: vec![
            invited(&world.info, "add-own-devices"),
            invited(&world.sales, "see-devices"),
        ],
        language: Language::French,
        invited_by: "Sophie".into(),
        created_at: START,
        sent_at: None,
        opened_at: None,
        expires_at: START.plus(HOUR),
        state: InvitationState::Sent,
    };
    assert_eq!(made, expected);
    let read = async || store.invitation_by_link(&token(1)).await.unwrap().unwrap();
    assert_eq!(read().await, expected);
    assert_eq!(store.invitation(world.acme, made.id).await.unwrap(), Some(expected));
    assert_eq!(store.invitation(world.other, made.id).await.unwrap(), None);
    assert_eq!(store.invitation_by_link(&token(2)).await.unwrap(), None);

    store.note_invitation_sent(made.id, START).await.unwrap();
    backend.clock.advance(Duration::from_secs(1));
    store.note_invitation_opened(&token(1)).await.unwrap();
    let opened_at = Some(START.plus(Duration::from_secs(1)));
    backend.clock.advance(Duration::from_secs(1));
    store.note_invitation_opened(&token(1)).await.unwrap();
    assert_eq!((read().await.sent_at, read().await.opened_at), (Some(START), opened_at));
    store.delete_mailbox(&actor(), world.info.id).await.unwrap();
    assert_eq!(read().await.grants, [invited(&world.sales, "see-devices")]);
    backend.clock.advance(HOUR);
    assert_eq!(read().await.state, InvitationState::Expired);
}

pub(in crate::store) async fn accepting_makes_user_membership_and_grants_together(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let mut new = invite("zoe@private.example", 1, &[(&world.info, "add-own-devices")]);
    let ended = GrantTerms {
        ends_at: Some(START.plus(Duration::from_secs(1))),
        ..terms("see-devices")
    };
    new.grants.push((world.sales.id, ended));
    let made = create(store, &world, &new).await;
    backend.clock.advance(Duration::from_secs(1));
    let before = actions(store).await.len();
    let by = Actor::user(&address("zoe@private.example"), "192.0.2.7");
    let accepted = store.accept_invitation(&by, &token(1), &somebody("Zoé")).await.unwrap();
    let now = START.plus(Duration::from_secs(1));
    assert_eq!(accepted.invitation.id, made.id);
    assert_eq!(accepted.invitation.state, InvitationState::Accepted(now));
    let zoe = &accepted.user;
    assert_eq!(
        (zoe.address.as_str(), zoe.name.as_str(), zoe.language, zoe.has_password),
        ("zoe@private.example", "Zoé", Language::French, true)
    );
    let standing = store
        .standing(world.acme, zoe.id, Some(world.info.id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (standing.membership.role, standing.rights),
        (Role::Member, "add-own-devices".parse().unwrap())
    );
    let sales = store.standing(world.acme, zoe.id, Some(world.sales.id)).await.unwrap();
    assert_eq!(sales.unwrap().rights, Rights::NONE, "that grant had ended before");
    assert_eq!(
        actions(store).await[before..],
        ["user.create", "invitation.accept", "grant.give"]
    );
    let on_mailbox = AuditFilter {
        mailbox: Some(world.info.id),
        limit: 1,
        ..AuditFilter::default()
    };
    let row = store.audit_rows(&on_mailbox).await.unwrap().remove(0);
    let by_zoe = by.clone().by(zoe.id);
    assert_eq!((row.action.as_str(), row.actor), ("grant.give", by_zoe));
    let again = store.accept_invitation(&by, &token(1), &Accepting::User(zoe.id)).await;
    refused(again, "the invitation was accepted on 2026-11-18");
    not_found(
        store.accept_invitation(&by, &token(2), &somebody("Zoé")).await,
        "leads to no invitation",
    );
}

pub(in crate::store) async fn an_invitation_is_for_one_address(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    create(
        store,
        &world,
        &invite("bob@private.example", 1, &[(&world.info, "send-as")]),
    )
    .await;
    let before = actions(store).await;
    let accept = async |who: &Accepting| store.accept_invitation(&actor(), &token(1), who).await;
    let told = "this invitation is for bob@private.example, and you are signed in as lucie@private.example";
    refused(accept(&Accepting::User(world.lucie.id)).await, told);
    assert!(
        matches!(accept(&somebody("Bob")).await, Err(Error::Conflict(_))),
        "he is a user already and signs in"
    );
    assert_eq!(actions(store).await, before, "it can still be accepted");
    let accepted = accept(&Accepting::User(world.bob.id)).await.unwrap();
    assert_eq!(accepted.user, world.bob);
    assert_eq!(store.orgs_of(world.bob.id).await.unwrap().len(), 2);
}

pub(in crate::store) async fn two_browsers_accept_an_invitation_once(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    for round in 0..10_u8 {
        let text = format!("guest{round}@private.example");
        create(store, &world, &invite(&text, round, &[(&world.info, "see-devices")])).await;
        let accept = |store: &Arc<dyn Store>, name: &'static str| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.accept_invitation(&actor(), &token(round), &somebody(name)).await })
        };
        let (one, two) = (accept(&backend.store, "One"), accept(&backend.other, "Two"));
        let outcomes = [one.await.unwrap(), two.await.unwrap()];
        let won: Vec<_> = outcomes.iter().flatten().collect();
        let [winner] = won.as_slice() else {
            panic!("{outcomes:?}")
        };
        let user = store.user_by_address(&address(&text)).await.unwrap().unwrap();
        assert_eq!(winner.user, user);
        for outcome in outcomes {
            if outcome.is_err() {
                refused(outcome, "the invitation was accepted on");
            }
        }
        let members = store.grants_on(world.acme, world.info.id).await.unwrap();
        assert_eq!(members.len(), usize::from(round) + 1);
    }
}

pub(in crate::store) async fn a_member_who_accepts_keeps_role_and_grants(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let grants = [(&world.info, "manage-devices"), (&world.sales, "see-devices")];
    let new = NewInvitation {
        role: Role::Administrator,
        ..invite("zoe@private.example", 1, &grants)
    };
    create(store, &world, &new).await;
    // Somebody was quicker by another way.
    let zoe = member(store, world.acme, "zoe@private.example", Role::Auditor).await;
    store
        .give_grant(&actor(), world.acme, world.info.id, zoe.id, &terms("see-devices"))
        .await
        .unwrap();
    store
        .accept_invitation(&actor(), &token(1), &Accepting::User(zoe.id))
        .await
        .unwrap();
    let rights = async |mailbox: &Mailbox| {
        let standing = store.standing(world.acme, zoe.id, Some(mailbox.id)).await.unwrap();
        let standing = standing.unwrap();
        (standing.membership.role, standing.rights.to_string())
    };
    let see = (Role::Auditor, "see-devices".to_owned());
    assert_eq!(
        (rights(&world.info).await, rights(&world.sales).await),
        (see.clone(), see)
    );
}

pub(in crate::store) async fn what_is_withdrawn_or_ran_out_is_not_accepted(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let first = create(store, &world, &invite("a@private.example", 1, &[])).await;
    let second = create(store, &world, &invite("b@private.example", 2, &[])).await;
    let third = create(store, &world, &invite("c@private.example", 3, &[])).await;
    let withdraw = async |org, id| store.withdraw_invitation(&actor(), org, id).await;
    not_found(withdraw(world.other, first.id).await, "there is no invitation");
    not_found(
        withdraw(world.acme, InvitationId::from_raw(1)).await,
        "there is no invitation",
    );
    let withdrawn = withdraw(world.acme, first.id).await.unwrap();
    assert_eq!(withdrawn.state, InvitationState::Withdrawn(START));
    assert_eq!(withdraw(world.acme, first.id).await.unwrap(), withdrawn);
    store
        .accept_invitation(&actor(), &token(3), &somebody("C"))
        .await
        .unwrap();
    refused(withdraw(world.acme, third.id).await, "was accepted on");
    backend.clock.advance(HOUR);
    let users = store.users(None, 99).await.unwrap();
    for (number, told) in [
        (1, "the invitation was withdrawn on 2026-11-18; ask for a new one"),
        (2, "the invitation ran out; ask for a new one"),
    ] {
        refused(
            store.accept_invitation(&actor(), &token(number), &somebody("X")).await,
            told,
        );
    }
    assert_eq!(store.users(None, 99).await.unwrap(), users);

    // Sent again, it works again, by the new link only: the old one had run out.
    let later = START.plus(HOUR * 3);
    let renew = async |org, id, number| store.renew_invitation(&actor(), org, id, &token(number), later).await;
    not_found(renew(world.other, second.id, 9).await, "there is no invitation");
    refused(renew(world.acme, first.id, 9).await, "was withdrawn on");
    refused(renew(world.acme, third.id, 9).await, "was accepted on");
    let renewed = renew(world.acme, second.id, 4).await.unwrap();
    assert_eq!((renewed.state, renewed.expires_at), (InvitationState::Sent, later));
    assert_eq!(store.invitation_by_link(&token(2)).await.unwrap(), None);
    assert_eq!(store.invitation_by_link(&token(4)).await.unwrap(), Some(renewed));
    store
        .accept_invitation(&actor(), &token(4), &somebody("B"))
        .await
        .unwrap();
    refused(
        store.accept_invitation(&actor(), &token(4), &somebody("B")).await,
        "was accepted on",
    );
}

pub(in crate::store) async fn an_invitation_that_is_declined_is_over(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let made = create(store, &world, &invite("zoe@private.example", 1, &[])).await;
    let zoe = Actor::user(&address("zoe@private.example"), "192.0.2.7");
    not_found(
        store.decline_invitation(&zoe, &token(9)).await,
        "this link leads to no invitation",
    );
    let declined = store.decline_invitation(&zoe, &token(1)).await.unwrap();
    assert_eq!(
        (declined.id, declined.state),
        (made.id, InvitationState::Declined(START))
    );
    assert_eq!(
        actions(store).await.last().map(String::as_str),
        Some("invitation.decline")
    );
    let over = "the invitation was declined on 2026-11-18; ask for a new one";
    refused(store.decline_invitation(&zoe, &token(1)).await, over);
    refused(store.accept_invitation(&zoe, &token(1), &somebody("Zoé")).await, over);
    let later = START.plus(HOUR);
    let renewed = store
        .renew_invitation(&actor(), world.acme, made.id, &token(2), later)
        .await;
    refused(renewed, over);
    let withdrawn = store.withdraw_invitation(&actor(), world.acme, made.id).await.unwrap();
    assert_eq!(withdrawn, declined, "there is nothing to withdraw");
    let open = InvitationQuery {
        open: true,
        before: None,
        limit: 9,
    };
    assert_eq!(store.invitations(world.acme, &open).await.unwrap().rows, []);
    create(store, &world, &invite("zoe@private.example", 3, &[])).await;
}

pub(in crate::store) async fn the_links_of_an_invitation_are_bounded(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let made = create(store, &world, &invite("a@private.example", 0, &[])).await;
    let most = u8::try_from(INVITATION_LINKS_MAX).unwrap();
    for number in 1..=most {
        backend.clock.advance(Duration::from_secs(1));
        store
            .renew_invitation(&actor(), world.acme, made.id, &token(number), START.plus(HOUR))
            .await
            .unwrap();
    }
    assert_eq!(store.invitation_by_link(&token(0)).await.unwrap(), None, "the oldest");
    for number in 1..=most {
        assert!(store.invitation_by_link(&token(number)).await.unwrap().is_some());
    }
}

pub(in crate::store) async fn what_breaks_a_rule_of_invitations_is_refused(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let before = actions(store).await;
    let create = async |new: &NewInvitation| store.create_invitation(&actor(), world.acme, new).await;
    let plain = invite("a@private.example", 1, &[]);
    let over = NewInvitation {
        expires_at: START,
        ..plain.clone()
    };
    refused(create(&over).await, "is in the past");
    conflict(
        create(&invite("lucie@private.example", 1, &[])).await,
        "lucie@private.example is a member already; change what they may do on their page",
    );
    let foreign = invite("a@private.example", 1, &[(&world.foreign, "send-as")]);
    not_found(create(&foreign).await, "there is no mailbox");
    let empty = invite("a@private.example", 1, &[(&world.info, "none")]);
    refused(create(&empty).await, "choose at least one right");
    let twice = invite(
        "a@private.example",
        1,
        &[(&world.info, "send-as"), (&world.info, "see-devices")],
    );
    refused(create(&twice).await, "info@example.org is named twice");
    let many = NewInvitation {
        grants: vec![(MailboxId::from_raw(1), terms("send-as")); INVITED_GRANTS_MAX + 1],
        ..plain.clone()
    };
    refused(create(&many).await, "at most 256 mailboxes");
    not_found(
        store.create_invitation(&actor(), OrgId::from_raw(1), &plain).await,
        "there is no organisation",
    );
    assert_eq!(actions(store).await, before);

    // Bob is a user of another organisation: nothing tells so.
    let told = async |text: &str, number| {
        let made = create(&invite(text, number, &[])).await.unwrap();
        (made.state, made.grants, made.sent_at)
    };
    assert_eq!(
        told("bob@private.example", 2).await,
        told("nobody@private.example", 3).await
    );
    conflict(
        create(&invite("BOB@private.example", 4, &[])).await,
        "bob@private.example has an invitation that can be accepted; send that one again, or withdraw it",
    );
    backend.clock.advance(HOUR);
    let again = NewInvitation {
        expires_at: START.plus(HOUR * 2),
        ..invite("bob@private.example", 5, &[])
    };
    create(&again).await.unwrap();
    let first = store.invitation_by_link(&token(2)).await.unwrap().unwrap();
    let renewed = store
        .renew_invitation(&actor(), world.acme, first.id, &token(6), START.plus(HOUR * 2))
        .await;
    assert!(matches!(renewed, Err(Error::Conflict(_))), "{renewed:?}");
}

pub(in crate::store) async fn invitations_are_listed_newest_first_and_tidied_away(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    for number in 1..=3 {
        let text = format!("guest{number}@private.example");
        create(store, &world, &invite(&text, number, &[(&world.info, "see-devices")])).await;
    }
    let listed = async |org, open, before, limit| {
        let query = InvitationQuery { open, before, limit };
        let page = store.invitations(org, &query).await.unwrap();
        let guests: Vec<_> = page.rows.iter().map(|row| row.address.local().to_owned()).collect();
        assert!(page.rows.iter().all(|row| row.grants.len() == 1));
        (guests, page.next)
    };
    let (first, next) = listed(world.acme, false, None, 2).await;
    assert_eq!(first, ["guest3", "guest2"]);
    assert_eq!(
        listed(world.acme, false, next, 2).await,
        (vec!["guest1".to_owned()], None)
    );
    assert_eq!(listed(world.other, false, None, 9).await.0, [""; 0]);
    let second = store.invitation_by_link(&token(2)).await.unwrap().unwrap();
    store
        .withdraw_invitation(&actor(), world.acme, second.id)
        .await
        .unwrap();
    store
        .accept_invitation(&actor(), &token(1), &somebody("One"))
        .await
        .unwrap();
    assert_eq!(listed(world.acme, true, None, 9).await.0, ["guest3"]);
    backend.clock.advance(HOUR);
    assert_eq!(listed(world.acme, true, None, 9).await.0, [""; 0]);
    assert_eq!(listed(world.acme, false, None, 9).await.0.len(), 3);

    let tidied = Tidied {
        invitations: 3,
        ..Tidied::default()
    };
    let tidy = async |kept_since| store.tidy_people(&Actor::daemon(), kept_since, 9).await.unwrap();
    assert_eq!(tidy(START.plus(HOUR)).await, Tidied::default());
    assert_eq!(tidy(START.plus(HOUR * 2)).await, tidied);
    assert_eq!(store.invitation_by_link(&token(3)).await.unwrap(), None);
    assert!(
        store
            .user_by_address(&address("guest1@private.example"))
            .await
            .unwrap()
            .is_some(),
        "who accepted stays"
    );
}

pub(in crate::store) async fn an_invitation_ends_with_the_right_to_write_it(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let (acme, lucie) = (world.acme, world.lucie.id);
    let role = async |from, to| {
        store
            .set_role(&actor(), acme, lucie, from, to)
            .await
            .unwrap()
            .ended
            .what
    };
    role(Role::Member, Role::Owner).await;
    let by = |user: &User| Actor::user(&user.address, "192.0.2.7").by(user.id);
    let write = async |who: &User, text: &str, number, role| {
        let new = NewInvitation {
            role,
            ..invite(text, number, &[])
        };
        store.create_invitation(&by(who), acme, &new).await.unwrap().id
    };
    let owner = write(&world.lucie, "owner@private.example", 1, Role::Owner).await;
    let member = write(&world.lucie, "member@private.example", 2, Role::Member).await;
    let hers = write(&world.sophie, "max@private.example", 3, Role::Owner).await;
    let state = async |id| store.invitation(acme, id).await.unwrap().unwrap().state;

    let shown = store.ending_with_role(acme, lucie, Role::Administrator).await.unwrap();
    let ended = role(Role::Owner, Role::Administrator).await;
    assert_eq!(shown, ended, "what was shown is what happened");
    assert_eq!(ended.invitations.iter().map(|one| one.id).collect::<Vec<_>>(), [owner]);
    assert_eq!(state(owner).await, InvitationState::Withdrawn(START));
    let back = store.accept_invitation(&actor(), &token(1), &somebody("Mallory")).await;
    refused(back, "withdrawn");
    assert_eq!(state(member).await, InvitationState::Sent);

    let gone = store
        .remove_member(&actor(), acme, lucie, Role::Administrator)
        .await
        .unwrap();
    assert_eq!(
        gone.what.invitations.iter().map(|one| one.id).collect::<Vec<_>>(),
        [member]
    );
    assert_eq!(state(member).await, InvitationState::Withdrawn(START));
    assert_eq!(state(hers).await, InvitationState::Sent, "nobody else's");
}

pub(in crate::store) async fn links_that_ran_out_or_are_somebody_elses_do_not_come_back(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let by = |user: &User| Actor::user(&user.address, "192.0.2.7").by(user.id);
    let new = invite("zoe@private.example", 1, &[]);
    let id = store
        .create_invitation(&by(&world.lucie), world.acme, &new)
        .await
        .unwrap()
        .id;
    let renew = async |who: &User, number, hours| {
        store
            .renew_invitation(&by(who), world.acme, id, &token(number), START.plus(HOUR * hours))
            .await
            .unwrap();
    };
    let leads = async |number| store.invitation_by_link(&token(number)).await.unwrap().is_some();
    renew(&world.lucie, 2, 2).await;
    assert!(leads(1).await && leads(2).await, "one's own go on working");
    renew(&world.sophie, 3, 2).await;
    assert!(!leads(1).await && !leads(2).await && leads(3).await);
    backend.clock.advance(HOUR * 3);
    renew(&world.sophie, 4, 5).await;
    assert!(!leads(3).await && leads(4).await);
}
