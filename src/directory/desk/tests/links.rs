//! Invitations, resets and the set-up: each link works once, for whom it is, and says clearly why not otherwise.

use super::*;
use crate::model::InvitationState;
use crate::store::InvitationQuery;

fn person<'a>(name: &'a str, password: &'a Secret<String>) -> NewPerson<'a> {
    NewPerson {
        name,
        language: Language::French,
        password,
    }
}

fn invite(address: &str, role: Role, grants: Vec<(MailboxId, GrantTerms)>) -> InviteSpec {
    InviteSpec {
        address: address.to_owned(),
        role,
        grants,
        language: Language::French,
        by_mail: true,
    }
}

#[tokio::test]
async fn somebody_new_accepts_by_link_and_has_what_was_granted() {
    let world = world().await;
    let acting = world.acting(&world.sophie).await;
    let contact = world.mailbox("contact").await;
    let grants = vec![(contact.id, terms(right(Right::AddOwnDevices)))];
    let invited = world
        .desk
        .invite(&acting, invite("Lucie@private.example", Role::Member, grants))
        .await
        .unwrap();
    assert!(invited.link.is_none(), "it went by mail");
    let (to, letter) = world.letters.take().pop().unwrap();
    assert_eq!(
        (to.address.as_str(), to.language),
        ("lucie@private.example", Language::French)
    );
    let Letter::Invitation { by, org, link, .. } = letter else {
        panic!("{letter:?}")
    };
    assert_eq!((by.as_str(), org.as_str()), ("Sophie", "Acme"));
    let link = link.shown().expose().clone();

    let view = world.desk.invitation_of(&link).await.unwrap();
    assert_eq!(
        (view.org.name.as_str(), view.invitation.invited_by.as_str()),
        ("Acme", "Sophie")
    );
    assert!(
        world
            .desk
            .invitation(&acting, invited.invitation.id)
            .await
            .unwrap()
            .opened_at
            .is_some()
    );
    let password = secret(PASSWORD);
    let welcomed = world
        .desk
        .accept_new(&visitor(), &link, &person("Lucie", &password))
        .await
        .unwrap();
    assert_eq!(
        (welcomed.user.name.as_str(), welcomed.user.address.as_str()),
        ("Lucie", "lucie@private.example")
    );
    let signed_in = world.visit(&welcomed.opened.unwrap()).await;
    let grants = world.desk.my_grants(&signed_in).await.unwrap();
    assert_eq!(grants.len(), 1);
    assert_eq!(grants[0].rights, right(Right::AddOwnDevices));

    let again = world
        .desk
        .accept_new(&visitor(), &link, &person("Mallory", &password))
        .await;
    let again = again.unwrap_err();
    assert_eq!(again.key(), "ui.invite_used");
    assert_eq!(
        again.to_string(),
        "this invitation was accepted already: sign in; ask Sophie for a new one"
    );
    assert_eq!(key(world.desk.invitation_of(&link).await), "ui.invite_used");
}

#[tokio::test]
async fn an_existing_user_accepts_signed_in_and_only_with_the_invited_address() {
    let world = world().await;
    let (_, otto, ..) = world.other_org().await;
    let acting = world.acting(&world.sophie).await;
    let new = world
        .desk
        .invite(&acting, invite("new@private.example", Role::Auditor, vec![]))
        .await
        .unwrap();
    let link = link_of(&world.letters);
    let signed_in = world.signed_in(&otto).await;
    let other = world.desk.accept_signed_in(&signed_in, &link).await.unwrap_err();
    assert_eq!(other.key(), "ui.invite_other");
    assert!(other.to_string().contains("new@private.example"), "{other}");
    assert_eq!(
        world.desk.invitation(&acting, new.invitation.id).await.unwrap().state,
        InvitationState::Sent
    );

    world
        .desk
        .invite(&acting, invite("otto@private.example", Role::Auditor, vec![]))
        .await
        .unwrap();
    let link = link_of(&world.letters);
    let password = secret(PASSWORD);
    let as_new = world
        .desk
        .accept_new(&visitor(), &link, &person("Otto", &password))
        .await
        .unwrap_err();
    assert_eq!(as_new.key(), "ui.invite_sign_in");
    let welcomed = world.desk.accept_signed_in(&signed_in, &link).await.unwrap();
    assert!(welcomed.opened.is_none() && welcomed.org.id == world.acme.id);
    let orgs = world.desk.my_orgs(&signed_in).await.unwrap();
    let roles: Vec<_> = orgs.iter().map(|org| (org.org.name.as_str(), org.role)).collect();
    assert_eq!(roles, [("Acme", Role::Auditor), ("Other", Role::Owner)]);
}

#[tokio::test]
async fn the_answer_to_an_invitation_does_not_tell_who_is_a_user() {
    let world = world().await;
    world.other_org().await;
    let acting = world.acting(&world.sophie).await;
    let mut answers = Vec::new();
    for address in ["otto@private.example", "nobody@private.example"] {
        let before = world.last_row().await;
        let invited = world
            .desk
            .invite(&acting, invite(address, Role::Member, vec![]))
            .await
            .unwrap();
        let shown = format!("{:?}", invited.invitation).replace(address, "X");
        let shown = shown.replace(&invited.invitation.id.to_string(), "ID");
        let link = link_of(&world.letters);
        let view = world.desk.invitation_of(&link).await.unwrap();
        answers.push((shown, view.org, world.rows_since(before).await));
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn withdrawn_run_out_and_unknown_invitations_each_say_so() {
    let world = world().await;
    let acting = world.acting(&world.sophie).await;
    let invited = world
        .desk
        .invite(&acting, invite("a@private.example", Role::Member, vec![]))
        .await
        .unwrap();
    let withdrawn = link_of(&world.letters);
    world
        .desk
        .withdraw_invitation(&acting, invited.invitation.id)
        .await
        .unwrap();
    world
        .desk
        .withdraw_invitation(&acting, invited.invitation.id)
        .await
        .unwrap();
    assert_eq!(key(world.desk.invitation_of(&withdrawn).await), "ui.invite_withdrawn");
    assert_eq!(
        key(world.desk.renew_invitation(&acting, invited.invitation.id, true).await),
        "refused"
    );

    world
        .desk
        .invite(&acting, invite("b@private.example", Role::Member, vec![]))
        .await
        .unwrap();
    let old = link_of(&world.letters);
    world.clock.advance(Duration::from_secs(7 * 24 * 3600));
    let gone = world.desk.invitation_of(&old).await.unwrap_err();
    assert_eq!(
        (gone.key(), gone.to_string()),
        (
            "ui.invite_expired",
            "this invitation has run out; ask Sophie for a new one".to_owned()
        )
    );
    let password = secret(PASSWORD);
    assert_eq!(
        key(world.desk.accept_new(&visitor(), &old, &person("B", &password)).await),
        "ui.invite_expired"
    );
    for link in [
        "",
        "psi_",
        "psi_aaaa",
        &withdrawn.replacen("psi_", "psr_", 1),
        &format!("{withdrawn}a"),
    ] {
        assert_eq!(key(world.desk.invitation_of(link).await), "ui.invite_unknown", "{link}");
    }
}

#[tokio::test]
async fn an_invitation_is_sent_again_after_a_while_and_its_link_copied_at_any_time() {
    let world = world().await;
    let acting = world.acting(&world.sophie).await;
    let invited = world
        .desk
        .invite(&acting, invite("a@private.example", Role::Member, vec![]))
        .await
        .unwrap();
    let (first, id) = (link_of(&world.letters), invited.invitation.id);
    world
        .directory()
        .store
        .note_invitation_sent(id, world.clock.utc())
        .await
        .unwrap();
    assert_eq!(key(world.desk.renew_invitation(&acting, id, true).await), "too_soon");
    let copied = world
        .desk
        .renew_invitation(&acting, id, false)
        .await
        .unwrap()
        .link
        .unwrap();
    assert_eq!(world.letters.count(), 0);
    world.clock.advance(Duration::from_secs(600));
    let again = world.desk.renew_invitation(&acting, id, true).await.unwrap();
    assert_eq!(
        again.invitation.expires_at,
        world.clock.utc().plus(Duration::from_secs(7 * 24 * 3600))
    );
    let third = link_of(&world.letters);
    for link in [&first, copied.expose(), &third] {
        assert!(
            world.desk.invitation_of(link).await.is_ok(),
            "each link of it works until one was used"
        );
    }
    let password = secret(PASSWORD);
    world
        .desk
        .accept_new(&visitor(), &first, &person("A", &password))
        .await
        .unwrap();
    assert_eq!(key(world.desk.invitation_of(&third).await), "ui.invite_used");
}

#[tokio::test]
async fn administrators_and_owners_are_invited_by_whoever_may_and_has_just_proved_themselves() {
    let world = world().await;
    let marc = world.member("marc", Role::Administrator).await;
    let (sophie, marc) = (world.acting(&world.sophie).await, world.acting(&marc).await);
    let owner = || invite("o@private.example", Role::Owner, vec![]);
    let refused = world.desk.invite(&marc, owner()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "you may not make, change or remove an owner; Sophie can"
    );
    let invited = world.desk.invite(&sophie, owner()).await.unwrap();
    // Whoever copies the link of an owner's invitation could accept it.
    assert_eq!(
        key(world.desk.renew_invitation(&marc, invited.invitation.id, false).await),
        "ui.forbidden"
    );
    assert!(
        world
            .desk
            .invite(&marc, invite("b@private.example", Role::Administrator, vec![]))
            .await
            .is_ok()
    );
    world.clock.advance(Duration::from_secs(601));
    let stale = world
        .desk
        .invite(&sophie, invite("c@private.example", Role::Administrator, vec![]))
        .await;
    assert_eq!(key(stale), "signin.step_up");
    assert!(
        world
            .desk
            .invite(&sophie, invite("c@private.example", Role::Member, vec![]))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_second_open_invitation_and_one_for_a_member_are_conflicts() {
    let world = world().await;
    let acting = world.acting(&world.sophie).await;
    world
        .desk
        .invite(&acting, invite("a@private.example", Role::Member, vec![]))
        .await
        .unwrap();
    assert_eq!(
        key(world
            .desk
            .invite(&acting, invite("A@private.example", Role::Member, vec![]))
            .await),
        "conflict"
    );
    assert_eq!(
        key(world
            .desk
            .invite(&acting, invite("sophie@private.example", Role::Member, vec![]))
            .await),
        "conflict"
    );
    assert_eq!(
        key(world.desk.invite(&acting, invite("nobody", Role::Member, vec![])).await),
        "address.bad"
    );
    let query = InvitationQuery {
        open: true,
        limit: 10,
        ..InvitationQuery::default()
    };
    assert_eq!(world.desk.invitations(&acting, &query).await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn a_forgotten_password_is_set_by_mail_and_everything_else_ends() {
    let world = world().await;
    let here = world.signed_in(&world.sophie).await;
    world
        .desk
        .forgot_password(&visitor(), "SOPHIE@private.example")
        .await
        .unwrap();
    let link = link_of(&world.letters);
    assert_eq!(world.desk.reset_of(&link).await.unwrap().address, world.sophie.address);
    assert_eq!(
        key(world.desk.reset_password(&visitor(), &link, &secret("short")).await),
        "password.too_short"
    );
    let new = secret("three tall kettles");
    let (user, mark) = world.desk.reset_password(&visitor(), &link, &new).await.unwrap();
    assert_eq!(user.id, world.sophie.id);
    assert_eq!(
        key(world.desk.reset_password(&visitor(), &link, &new).await),
        "ui.link_dead"
    );
    assert_eq!(world.desk.my_sessions(&here).await.unwrap(), []);
    let known = Some(mark.expose().as_str());
    assert!(
        world.desk.known_browser(known, user.id).is_some(),
        "nobody who guesses can keep them out"
    );
    let signed = world
        .desk
        .sign_in(&visitor(), known, "sophie@private.example", &new)
        .await;
    assert!(signed.is_ok());
}

#[tokio::test]
async fn a_reset_for_nobody_is_answered_alike_and_sends_nothing() {
    let world = world().await;
    for address in ["nobody@private.example", "no address", "contact@example.org"] {
        world.desk.forgot_password(&visitor(), address).await.unwrap();
    }
    assert_eq!(world.letters.count(), 0);
    for _ in 0..20 {
        world
            .desk
            .forgot_password(&visitor(), "sophie@private.example")
            .await
            .unwrap();
    }
    let sent = u32::try_from(world.letters.count()).unwrap();
    assert_eq!(sent, SignInConfig::default().mails, "and no more than a few");
}

#[tokio::test]
async fn a_reset_link_runs_out_and_is_no_other_link() {
    let world = world().await;
    world
        .desk
        .forgot_password(&visitor(), "sophie@private.example")
        .await
        .unwrap();
    let link = link_of(&world.letters);
    assert_eq!(key(world.desk.invitation_of(&link).await), "ui.invite_unknown");
    assert!(!world.desk.is_set_up_link(&link).await.unwrap());
    assert!(matches!(
        world.desk.visit(&visitor(), Some(&link)).await.unwrap(),
        Visit::Nobody
    ));
    assert_eq!(
        key(world.desk.acting_by_token(&visitor(), &link).await),
        "signin.needed"
    );
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(key(world.desk.reset_of(&link).await), "ui.link_dead");
    assert_eq!(
        key(world.desk.reset_password(&visitor(), &link, &secret(PASSWORD)).await),
        "ui.link_dead"
    );
}

#[tokio::test]
async fn a_reset_does_not_get_around_the_code() {
    let world = world().await;
    let signed_in = world.signed_in(&world.sophie).await;
    let offer = world.desk.offer_code(&signed_in).unwrap();
    let shown = offer.shown.expose().clone();
    let totp = crate::identity::TotpSecret::of_offer(&world.keys, world.sophie.id, signed_in.session.id, &offer.sealed);
    let code = totp.unwrap().code_at(START);
    world.desk.accept_code(&signed_in, &offer.sealed, &code).await.unwrap();
    assert_eq!(shown.split(' ').count(), 8);
    world.letters.take();
    world
        .desk
        .forgot_password(&visitor(), "sophie@private.example")
        .await
        .unwrap();
    let link = link_of(&world.letters);
    let new = secret("three tall kettles");
    world.desk.reset_password(&visitor(), &link, &new).await.unwrap();
    let opened = world
        .desk
        .sign_in(&visitor(), None, "sophie@private.example", &new)
        .await
        .unwrap();
    assert!(opened.owes_code);
}

#[tokio::test]
async fn without_mail_links_are_shown_and_a_reset_says_whom_to_ask() {
    let mut world = world().await;
    let closed = Arc::new(Letters {
        closed: true,
        ..Letters::default()
    });
    world.desk.post = Arc::clone(&closed) as Arc<dyn Post>;
    assert!(!world.desk.sends_mail());
    let acting = world.acting(&world.sophie).await;
    let invited = world
        .desk
        .invite(&acting, invite("a@private.example", Role::Member, vec![]))
        .await
        .unwrap();
    let link = invited.link.unwrap();
    assert!(world.desk.invitation_of(link.expose()).await.is_ok());
    for address in ["sophie@private.example", "nobody@private.example"] {
        assert_eq!(key(world.desk.forgot_password(&visitor(), address).await), "mail.none");
    }
}

#[tokio::test]
async fn the_first_owner_is_made_by_a_link_that_works_once() {
    let place = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let store = SqliteStore::create(&Config::at(place.path().join("postern.db")), clock.clone()).unwrap();
    let keys = Arc::new(Keyring::for_tests());
    let metrics = Arc::new(Metrics::default());
    let directory = Directory::new(store as Arc<dyn Store>, Arc::clone(&keys), clock.clone(), CHEAP);
    let machine = Actor::daemon();
    assert!(!directory.has_owner().await.unwrap());
    let replaced = directory.make_set_up_link(&machine).await.unwrap().shown();
    let link = directory.make_set_up_link(&machine).await.unwrap().shown();
    let parts = Parts {
        passwords: Passwords::start(password::Config::of(CHEAP), keys, &metrics),
        throttle: SignInThrottle::new(SignInConfig::default()),
        registry: Registry::new(metrics),
        unwritten: Box::new(|_| None),
        post: Arc::new(Letters::default()),
        settings: Settings {
            issuer: "manager.example.org".to_owned(),
            network: NetworkPrefixes::default(),
        },
    };
    let desk = Desk::new(directory, parts);
    let (org, password) = (FirstOrg::New("Acme".to_owned()), secret(PASSWORD));
    let set_up = |link: String, address: &'static str| {
        let (desk, org, password) = (&desk, &org, &password);
        async move {
            desk.set_up(&visitor(), &link, org, address, &person("Sophie", password))
                .await
        }
    };
    assert!(!desk.is_set_up_link(replaced.expose()).await.unwrap());
    assert!(desk.is_set_up_link(link.expose()).await.unwrap());
    assert_eq!(
        key(set_up(replaced.expose().clone(), "sophie@private.example").await),
        "ui.link_dead"
    );
    assert_eq!(key(set_up(link.expose().clone(), "sophie").await), "address.bad");
    let welcomed = set_up(link.expose().clone(), "sophie@private.example").await.unwrap();
    assert_eq!(welcomed.org.name, "Acme");
    let cookie = welcomed.opened.unwrap().session.shown();
    let Visit::SignedIn(signed_in) = desk.visit(&visitor(), Some(cookie.expose())).await.unwrap() else {
        panic!("not signed in")
    };
    assert_eq!(
        desk.acting(&signed_in, welcomed.org.id).await.unwrap().role,
        Role::Owner
    );
    assert_eq!(
        key(set_up(link.expose().clone(), "mallory@private.example").await),
        "ui.link_dead"
    );
    assert_eq!(key(desk.directory().make_set_up_link(&machine).await), "refused");
}
