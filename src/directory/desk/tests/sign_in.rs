//! Signing in, codes, step-up and sessions, with a clock that is moved by hand.

use super::*;
use crate::identity::lifetime::SEEN_EVERY;
use crate::identity::{RecoveryCode, STEP_SECONDS, TotpSecret};
use crate::model::Address;
use crate::store::SignInStore;

pub(super) const WRONG: &str = "vast otter plums";

pub(super) fn from(last: u8) -> Visitor {
    Visitor::new([203, 0, 113, last].into(), "curl")
}

pub(super) async fn sign_in(
    world: &World,
    visitor: &Visitor,
    mark: Option<&str>,
    password: &str,
) -> Result<Opened, Error> {
    world
        .desk
        .sign_in(visitor, mark, "sophie@private.example", &secret(password))
        .await
}

/// Begins to ask Sophie for codes; returns their secret and the recovery codes.
pub(super) async fn with_codes(world: &World) -> (TotpSecret, Vec<RecoveryCode>) {
    let signed_in = world.signed_in(&world.sophie).await;
    let offer = world.desk.offer_code(&signed_in).unwrap();
    let secret = TotpSecret::of_offer(&world.keys, world.sophie.id, signed_in.session.id, &offer.sealed).unwrap();
    let code = secret.code_at(world.clock.utc());
    let codes = world.desk.accept_code(&signed_in, &offer.sealed, &code).await.unwrap();
    (secret, codes)
}

#[tokio::test]
async fn address_and_password_open_a_session() {
    let world = world().await;
    let opened = world
        .desk
        .sign_in(&from(1), None, " Sophie@Private.Example ", &secret(PASSWORD))
        .await
        .unwrap();
    assert!(!opened.owes_code && opened.mark.is_some());
    let signed_in = world.visit(&opened).await;
    assert_eq!(signed_in.user.id, world.sophie.id);
    assert_eq!(
        (signed_in.session.origin.as_str(), signed_in.session.browser.as_str()),
        ("203.0.113.1", "curl")
    );
    let orgs = world.desk.my_orgs(&signed_in).await.unwrap();
    assert_eq!(
        orgs.iter().map(|org| org.org.name.as_str()).collect::<Vec<_>>(),
        ["Acme"]
    );
    world.desk.sign_out(&signed_in).await.unwrap();
    let cookie = opened.session.shown();
    assert!(matches!(
        world.desk.visit(&from(1), Some(cookie.expose())).await.unwrap(),
        Visit::Nobody
    ));
}

#[tokio::test]
async fn every_wrong_sign_in_gets_the_same_words() {
    let world = world().await;
    let nobody = world
        .directory()
        .new_user("new@private.example", "New", Language::English, None)
        .await
        .unwrap();
    world.directory().create_user(&world.machine, &nobody).await.unwrap();
    for (address, password) in [
        ("sophie@private.example", WRONG),
        ("sophie@private.example", ""),
        ("nobody@private.example", PASSWORD),
        ("new@private.example", PASSWORD),
        ("not an address", PASSWORD),
        ("", ""),
    ] {
        let refused = world.desk.sign_in(&from(1), None, address, &secret(password)).await;
        assert_eq!(told(refused), "address or password is wrong", "{address}");
    }
    assert!(
        world
            .rows_since(0)
            .await
            .iter()
            .all(|(_, action)| action != "user.signin")
    );
}

#[tokio::test]
async fn failures_are_answered_on_the_clock() {
    let base_delay = Duration::from_millis(200);
    let world = world_with(SignInConfig {
        base_delay,
        ..SignInConfig::default()
    })
    .await;
    let real = Clock::system();
    for (address, password) in [
        ("sophie@private.example", WRONG),
        ("nobody@private.example", WRONG),
        ("", ""),
    ] {
        let began = real.now();
        let refused = world.desk.sign_in(&from(1), None, address, &secret(password)).await;
        assert!(refused.is_err() && real.now() - began >= base_delay, "{address}");
    }
    let began = real.now();
    world
        .desk
        .forgot_password(&from(1), "nobody@private.example")
        .await
        .unwrap();
    assert!(
        real.now() - began >= base_delay,
        "nor does this tell whether somebody is a user"
    );
}

#[tokio::test]
async fn a_right_password_waits_for_no_clock() {
    let world = world_with(SignInConfig {
        base_delay: Duration::from_secs(24 * 60 * 60),
        ..SignInConfig::default()
    })
    .await;
    let in_time = tokio::time::timeout(Duration::from_secs(60), sign_in(&world, &from(1), None, PASSWORD)).await;
    assert!(in_time.unwrap().is_ok());
}

#[tokio::test]
async fn a_code_is_owed_where_somebody_uses_codes_and_half_a_session_does_nothing() {
    let world = world().await;
    let (codes, _) = with_codes(&world).await;
    world.clock.advance(Duration::from_secs(60));
    let half = sign_in(&world, &from(1), None, PASSWORD).await.unwrap();
    assert!(half.owes_code && half.mark.is_none());
    let cookie = half.session.shown();
    assert!(matches!(
        world.desk.visit(&from(1), Some(cookie.expose())).await.unwrap(),
        Visit::Half(_)
    ));

    let wrong = world
        .desk
        .give_code(&from(1), None, cookie.expose(), &secret("000000"))
        .await;
    assert_eq!(key(wrong), "signin.wrong_code");
    let code = codes.code_at(world.clock.utc());
    let opened = world
        .desk
        .give_code(&from(1), None, cookie.expose(), &code)
        .await
        .unwrap();
    assert!(!opened.owes_code && opened.mark.is_some());
    assert_eq!(world.visit(&opened).await.session.proof, Proof::Code);
    assert!(
        matches!(
            world.desk.visit(&from(1), Some(cookie.expose())).await.unwrap(),
            Visit::Nobody
        ),
        "the old id"
    );
    let again = world.desk.give_code(&from(1), None, cookie.expose(), &code).await;
    assert_eq!(key(again), "signin.needed");
}

#[tokio::test]
async fn no_code_is_accepted_twice_and_the_one_that_began_them_neither() {
    let world = world().await;
    let (codes, _) = with_codes(&world).await;
    let code = codes.code_at(world.clock.utc());
    let give = async |code: &Secret<String>| {
        let half = sign_in(&world, &from(1), None, PASSWORD).await.unwrap();
        world
            .desk
            .give_code(&from(1), None, half.session.shown().expose(), code)
            .await
    };
    assert_eq!(key(give(&code).await), "signin.wrong_code", "it proved the secret");
    world.clock.advance(Duration::from_secs(STEP_SECONDS));
    let next = codes.code_at(world.clock.utc());
    assert!(give(&next).await.is_ok());
    assert_eq!(key(give(&next).await), "signin.wrong_code");
    assert_eq!(key(give(&code).await), "signin.wrong_code", "nor an earlier one");
}

#[tokio::test]
async fn a_recovery_code_works_once_and_its_owner_is_told() {
    let world = world().await;
    let (_, codes) = with_codes(&world).await;
    world.letters.take();
    let give = async |code: &Secret<String>| {
        let half = sign_in(&world, &from(1), None, PASSWORD).await.unwrap();
        world
            .desk
            .give_code(&from(1), None, half.session.shown().expose(), code)
            .await
    };
    let code = codes[3].shown();
    let opened = give(&code).await.unwrap();
    let signed_in = world.visit(&opened).await;
    assert_eq!(world.desk.recovery_codes_left(&signed_in).await.unwrap(), 9);
    let put = world.letters.take();
    assert!(matches!(
        put.as_slice(),
        [(
            _,
            Letter::SignInChanged {
                change: SignInChange::RecoveryCodeUsed,
                ..
            }
        )]
    ));
    assert_eq!(key(give(&code).await), "signin.wrong_code");

    let renewed = world.desk.renew_recovery_codes(&signed_in).await.unwrap();
    assert_eq!(
        key(give(&codes[4].shown()).await),
        "signin.wrong_code",
        "the old ones are gone"
    );
    assert!(give(&renewed[4].shown()).await.is_ok());
}

#[tokio::test]
async fn an_offered_secret_counts_only_after_its_first_code_and_in_its_session() {
    let world = world().await;
    let (here, there) = (
        world.signed_in(&world.sophie).await,
        world.signed_in(&world.sophie).await,
    );
    let offer = world.desk.offer_code(&here).unwrap();
    let offered = TotpSecret::of_offer(&world.keys, world.sophie.id, here.session.id, &offer.sealed).unwrap();
    let code = offered.code_at(world.clock.utc());
    assert_eq!(
        key(world.desk.accept_code(&there, &offer.sealed, &code).await),
        "server.keys"
    );
    assert_eq!(
        key(world.desk.accept_code(&here, &offer.sealed, &secret("12345")).await),
        "signin.wrong_code"
    );
    assert!(!sign_in(&world, &from(1), None, PASSWORD).await.unwrap().owes_code);
    let recovery = world.desk.accept_code(&here, &offer.sealed, &code).await.unwrap();
    assert_eq!(recovery.len(), 10);
    assert!(sign_in(&world, &from(1), None, PASSWORD).await.unwrap().owes_code);
    let sessions = world.desk.my_sessions(&here).await.unwrap();
    assert_eq!(
        sessions.iter().map(|session| session.id).collect::<Vec<_>>(),
        [here.session.id],
        "others ended"
    );

    // The session knows its user as they are by now.
    let here = SignedIn {
        user: world.directory().find_user("sophie@private.example").await.unwrap(),
        ..here
    };
    assert!(
        world.desk.is_fresh(&here),
        "and a fresh proof of the password alone is not enough"
    );
    assert_eq!(
        key(world.desk.stop_codes(&here, &secret(PASSWORD)).await),
        "signin.wrong_code"
    );
    assert_eq!(
        key(world.desk.stop_codes(&here, &code).await),
        "signin.wrong_code",
        "it was used"
    );
    assert!(sign_in(&world, &from(1), None, PASSWORD).await.unwrap().owes_code);
    world.desk.stop_codes(&here, &recovery[0].shown()).await.unwrap();
    assert!(!sign_in(&world, &from(1), None, PASSWORD).await.unwrap().owes_code);
}

#[tokio::test]
async fn a_step_up_takes_password_or_code_and_gives_the_session_another_id() {
    let world = world().await;
    let opened = sign_in(&world, &from(1), None, PASSWORD).await.unwrap();
    let signed_in = world.visit(&opened).await;
    assert!(world.desk.is_fresh(&signed_in));
    world.clock.advance(Duration::from_secs(601));
    let signed_in = world.visit(&opened).await;
    assert!(!world.desk.is_fresh(&signed_in));
    let mailbox = world.mailbox("contact").await;
    let acting = world.desk.acting(&signed_in, world.acme.id).await.unwrap();
    let spec = || DeviceSpec {
        label: "iPhone".to_owned(),
        ..DeviceSpec::default()
    };
    assert_eq!(
        key(world.desk.add_device(&acting, mailbox.id, spec()).await),
        "signin.step_up"
    );
    assert_eq!(
        key(world
            .desk
            .change_password(&signed_in, &secret("three tall kettles"))
            .await),
        "signin.step_up"
    );

    let wrong = world.desk.step_up(&signed_in, Proving::Password(&secret(WRONG))).await;
    assert_eq!(key(wrong), "signin.wrong_password");
    let code = world.desk.step_up(&signed_in, Proving::Code(&secret("123456"))).await;
    assert_eq!(key(code), "signin.wrong_code", "Sophie uses no codes");
    let proved = world
        .desk
        .step_up(&signed_in, Proving::Password(&secret(PASSWORD)))
        .await
        .unwrap();
    let old = opened.session.shown();
    assert!(matches!(
        world.desk.visit(&from(1), Some(old.expose())).await.unwrap(),
        Visit::Nobody
    ));
    let signed_in = world.visit(&proved).await;
    let acting = world.desk.acting(&signed_in, world.acme.id).await.unwrap();
    assert!(world.desk.add_device(&acting, mailbox.id, spec()).await.is_ok());
}

#[tokio::test]
async fn a_step_up_does_not_lengthen_a_session() {
    let world = world().await;
    let mut opened = sign_in(&world, &from(1), None, PASSWORD).await.unwrap();
    for _ in 0..14 {
        world.clock.advance(Duration::from_secs(11 * 60 * 60 + 50 * 60));
        let signed_in = world.visit(&opened).await;
        opened = world
            .desk
            .step_up(&signed_in, Proving::Password(&secret(PASSWORD)))
            .await
            .unwrap();
    }
    world.clock.advance(Duration::from_secs(3 * 60 * 60));
    let cookie = opened.session.shown();
    assert!(matches!(
        world.desk.visit(&from(1), Some(cookie.expose())).await.unwrap(),
        Visit::Nobody
    ));
}

#[tokio::test]
async fn a_session_ends_when_nothing_is_done_in_it_and_goes_on_when_something_is() {
    let world = world().await;
    let (idle, used) = (
        sign_in(&world, &from(1), None, PASSWORD).await.unwrap(),
        sign_in(&world, &from(2), None, PASSWORD).await.unwrap(),
    );
    world.clock.advance(Duration::from_secs(11 * 60 * 60));
    world.visit(&used).await;
    world.clock.advance(Duration::from_secs(2 * 60 * 60));
    let cookie = idle.session.shown();
    assert!(matches!(
        world.desk.visit(&from(1), Some(cookie.expose())).await.unwrap(),
        Visit::Nobody
    ));
    let signed_in = world.visit(&used).await;
    assert!(signed_in.session.seen_at > START);
}

#[tokio::test]
async fn the_use_of_a_session_is_written_once_a_minute() {
    let world = world().await;
    let opened = sign_in(&world, &from(1), None, PASSWORD).await.unwrap();
    world.clock.advance(SEEN_EVERY - Duration::from_millis(1));
    world.visit(&opened).await;
    assert_eq!(world.visit(&opened).await.session.seen_at, START);
    world.clock.advance(Duration::from_millis(1));
    world.visit(&opened).await;
    assert_eq!(world.visit(&opened).await.session.seen_at, START.plus(SEEN_EVERY));
}

#[tokio::test]
async fn ones_own_sessions_are_listed_and_ended_one_by_one_or_all() {
    let world = world().await;
    let opened = [1, 2, 3].map(from);
    let mut sessions = Vec::new();
    for visitor in &opened {
        sessions.push(sign_in(&world, visitor, None, PASSWORD).await.unwrap());
    }
    let here = world.visit(&sessions[0]).await;
    let there = world.visit(&sessions[1]).await;
    assert_eq!(world.desk.my_sessions(&here).await.unwrap().len(), 3);
    world.desk.end_my_session(&here, there.session.id).await.unwrap();
    assert_eq!(
        told(world.desk.end_my_session(&here, there.session.id).await),
        "there is no such session"
    );
    let lucie = world.signed_in(&world.member("lucie", Role::Member).await).await;
    assert_eq!(
        told(world.desk.end_my_session(&lucie, here.session.id).await),
        "there is no such session"
    );
    assert_eq!(world.desk.sign_out_elsewhere(&here, false).await.unwrap(), 1);
    assert_eq!(world.desk.my_sessions(&here).await.unwrap().len(), 1);
    assert_eq!(world.desk.sign_out_elsewhere(&here, true).await.unwrap(), 1);
    let cookie = sessions[0].session.shown();
    assert!(matches!(
        world.desk.visit(&from(1), Some(cookie.expose())).await.unwrap(),
        Visit::Nobody
    ));
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions_and_follows_the_rule() {
    let world = world().await;
    let (here, there) = (
        world.signed_in(&world.sophie).await,
        sign_in(&world, &from(2), None, PASSWORD).await.unwrap(),
    );
    assert_eq!(
        key(world.desk.change_password(&here, &secret("short")).await),
        "password.too_short"
    );
    assert_eq!(
        key(world.desk.change_password(&here, &secret("sophiesophie")).await),
        "password.common"
    );
    world
        .desk
        .change_password(&here, &secret("three tall kettles"))
        .await
        .unwrap();
    let cookie = there.session.shown();
    assert!(matches!(
        world.desk.visit(&from(2), Some(cookie.expose())).await.unwrap(),
        Visit::Nobody
    ));
    assert_eq!(world.desk.my_sessions(&here).await.unwrap().len(), 1);
    assert_eq!(key(sign_in(&world, &from(1), None, PASSWORD).await), "signin.wrong");
    assert!(sign_in(&world, &from(1), None, "three tall kettles").await.is_ok());
    let put = world.letters.take();
    assert!(matches!(
        put.as_slice(),
        [(
            _,
            Letter::SignInChanged {
                change: SignInChange::Password,
                ..
            }
        )]
    ));
}

/// The link that was sent to confirm an address, and to where.
fn confirmation(letters: &Letters) -> (String, String) {
    let mut put = letters.take();
    assert_eq!(put.len(), 1, "{put:?}");
    match put.pop() {
        Some((to, Letter::AddressConfirm { link, new, .. })) => {
            assert_eq!(to.address, new);
            (to.address.to_string(), link.shown().expose().clone())
        }
        other => panic!("no link: {other:?}"),
    }
}

#[tokio::test]
async fn another_address_wants_a_proof_and_a_link_and_both_are_told() {
    let world = world().await;
    let lucie = world.member("lucie", Role::Member).await;
    let marc = world.member("marc", Role::Member).await;
    let signed_in = world.signed_in(&lucie).await;
    let change = async |to: &str| world.desk.change_address(&signed_in, to).await;
    assert_eq!(key(change("sophie@private.example").await), "conflict");
    assert_eq!(change("LUCIE@private.example").await.unwrap(), AddressChange::Same);
    assert_eq!(world.letters.count(), 0);

    let new = Address::parse("lucie@new.example").unwrap();
    let asked = change("Lucie@new.example").await.unwrap();
    assert_eq!(asked, AddressChange::Asked(new.clone()));
    let (to, link) = confirmation(&world.letters);
    assert_eq!(to, "lucie@new.example");
    let waits = world.desk.asked_address(&signed_in).await.unwrap().unwrap();
    assert_eq!(waits.address, new);
    let now = world.directory().store.user(lucie.id).await.unwrap().unwrap();
    assert_eq!(now.address, lucie.address, "nothing has changed so far");
    // Whoever the mail went to by a slip can do nothing with it.
    let stranger = world.signed_in(&marc).await;
    for dead in [
        world.desk.address_of_link(&stranger, &link).await.map(drop),
        world.desk.confirm_address(&stranger, &link).await.map(drop),
        world.desk.confirm_address(&signed_in, "psa_nonsense").await.map(drop),
    ] {
        assert_eq!(key(dead), "ui.link_dead");
    }
    assert_eq!(world.desk.address_of_link(&signed_in, &link).await.unwrap(), new);
    let changed = world.desk.confirm_address(&signed_in, &link).await.unwrap();
    assert_eq!(changed.address, new);
    let told = world.letters.take();
    let told: Vec<_> = told.iter().map(|(to, _)| to.address.as_str()).collect();
    assert_eq!(told, ["lucie@private.example", "lucie@new.example"]);
    let signed_in = world.signed_in(&changed).await;
    assert_eq!(key(world.desk.confirm_address(&signed_in, &link).await), "ui.link_dead");

    // A later wish takes the place of an earlier one, and none lives for ever.
    let change = async |to: &str| world.desk.change_address(&signed_in, to).await;
    change("one@new.example").await.unwrap();
    let (_, first) = confirmation(&world.letters);
    change("two@new.example").await.unwrap();
    let (_, second) = confirmation(&world.letters);
    assert_eq!(
        key(world.desk.confirm_address(&signed_in, &first).await),
        "ui.link_dead"
    );
    world.clock.advance(Duration::from_secs(601));
    assert_eq!(key(change("three@new.example").await), "signin.step_up");
    world.clock.advance(Duration::from_secs(24 * 60 * 60));
    let signed_in = world.signed_in(&changed).await;
    assert_eq!(
        key(world.desk.confirm_address(&signed_in, &second).await),
        "ui.link_dead"
    );
    assert_eq!(world.desk.asked_address(&signed_in).await.unwrap(), None);
    let name = AccountEdit {
        name: Some("Lucie M.".to_owned()),
        language: Some(Language::French),
    };
    let changed = world.desk.edit_account(&signed_in, &name).await.unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.language),
        ("Lucie M.", Language::French)
    );
}

#[tokio::test]
async fn a_weak_hash_is_replaced_by_the_next_right_password() {
    let world = world().await;
    let stored = world
        .store
        .sign_in_of(world.sophie.id)
        .await
        .unwrap()
        .unwrap()
        .password
        .unwrap();
    let old_key = world.keys.by_id(1).unwrap();
    let weak = crate::store::UserPassword {
        key_id: 1,
        hash: crate::verify::hash::hash(CHEAP, old_key, PASSWORD.as_bytes()),
    };
    world
        .store
        .upgrade_password(world.sophie.id, &stored.hash, &weak)
        .await
        .unwrap();
    assert!(sign_in(&world, &from(1), None, PASSWORD).await.is_ok());
    let now = world
        .store
        .sign_in_of(world.sophie.id)
        .await
        .unwrap()
        .unwrap()
        .password
        .unwrap();
    assert_eq!(now.key_id, 2);
    assert!(sign_in(&world, &from(1), None, PASSWORD).await.is_ok());
}
