//! Guessing at passwords and codes, with a clock that is moved by hand.

use super::sign_in::{WRONG, from, sign_in, with_codes};
use super::*;
use crate::identity::STEP_SECONDS;

#[tokio::test]
async fn guessing_waits_and_the_owner_in_a_known_browser_does_not() {
    let world = world().await;
    let config = SignInConfig::default();
    let known = sign_in(&world, &from(1), None, PASSWORD).await.unwrap().mark.unwrap();
    let mark = Some(known.expose().as_str());
    for _ in 0..config.per_pair {
        assert_eq!(key(sign_in(&world, &from(1), None, WRONG).await), "signin.wrong");
    }
    let refused = sign_in(&world, &from(1), None, PASSWORD).await.unwrap_err();
    assert_eq!(
        refused.key(),
        "signin.wait",
        "even the right password, from an unknown browser"
    );
    let Error::TooManyTries { wait } = refused else {
        panic!("{refused}")
    };
    assert!(
        sign_in(&world, &from(1), mark, PASSWORD).await.is_ok(),
        "the same network, a known browser"
    );
    assert!(
        sign_in(&world, &from(2), None, PASSWORD).await.is_ok(),
        "another network"
    );
    world.clock.advance(wait);
    assert!(sign_in(&world, &from(1), None, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_known_browser_has_its_budget_and_the_mark_of_another_user_is_none() {
    let world = world().await;
    let config = SignInConfig::default();
    let lucie = world.member("lucie", Role::Member).await;
    let lucies = world.desk.mark_for(lucie.id);
    for _ in 0..config.per_pair {
        assert_eq!(
            key(sign_in(&world, &from(1), Some(lucies.expose()), WRONG).await),
            "signin.wrong"
        );
    }
    assert_eq!(
        key(sign_in(&world, &from(1), Some(lucies.expose()), PASSWORD).await),
        "signin.wait"
    );
    let sophies = world.desk.mark_for(world.sophie.id);
    for _ in 0..config.per_browser {
        assert_eq!(
            key(sign_in(&world, &from(1), Some(sophies.expose()), WRONG).await),
            "signin.wrong"
        );
    }
    assert_eq!(
        key(sign_in(&world, &from(1), Some(sophies.expose()), PASSWORD).await),
        "signin.wait"
    );
}

#[tokio::test]
async fn an_address_that_nobody_has_is_throttled_like_one_that_somebody_has() {
    let world = world().await;
    let mut answers = Vec::new();
    for (last, address) in [(1, "sophie@private.example"), (2, "nobody@private.example")] {
        let mut keys = Vec::new();
        for _ in 0..15 {
            keys.push(key(world
                .desk
                .sign_in(&from(last), None, address, &secret(WRONG))
                .await));
        }
        answers.push(keys);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn codes_cannot_be_guessed_from_many_networks_and_a_new_password_starts_afresh() {
    let world = world().await;
    let (codes, _) = with_codes(&world).await;
    world.clock.advance(Duration::from_secs(60));
    let config = SignInConfig::default();
    let mut tries = 0;
    let guess = async |last: u8, code: &Secret<String>| {
        let half = sign_in(&world, &from(last), None, PASSWORD).await?;
        world
            .desk
            .give_code(&from(last), None, half.session.shown().expose(), code)
            .await
    };
    for last in 1..=100 {
        match guess(last, &secret("000001")).await.unwrap_err() {
            Error::WrongCode => tries += 1,
            Error::TooManyTries { .. } => break,
            other => panic!("{other}"),
        }
    }
    assert_eq!(tries, config.codes);
    let right = codes.code_at(world.clock.utc());
    assert_eq!(key(guess(200, &right).await), "signin.wait");
    let known = world.desk.mark_for(world.sophie.id);
    let mark = Some(known.expose().as_str());
    let half = sign_in(&world, &from(201), mark, PASSWORD).await.unwrap();
    let cookie = half.session.shown();
    assert!(
        world
            .desk
            .give_code(&from(201), mark, cookie.expose(), &right)
            .await
            .is_ok(),
        "a known browser"
    );

    world
        .desk
        .forgot_password(&from(202), "sophie@private.example")
        .await
        .unwrap();
    let Some((_, Letter::PasswordReset { link, .. })) = world.letters.take().pop() else {
        panic!("no mail")
    };
    let new = secret("three tall kettles");
    world
        .desk
        .reset_password(&from(202), link.shown().expose(), &new)
        .await
        .unwrap();
    world.clock.advance(Duration::from_secs(STEP_SECONDS));
    let half = sign_in(&world, &from(203), None, "three tall kettles").await.unwrap();
    let code = codes.code_at(world.clock.utc());
    let opened = world
        .desk
        .give_code(&from(203), None, half.session.shown().expose(), &code)
        .await;
    assert!(opened.is_ok(), "whoever guessed does not know the new password");
}

async fn wrong_step_up(world: &World, signed_in: &SignedIn) -> &'static str {
    key(world.desk.step_up(signed_in, Proving::Password(&secret(WRONG))).await)
}

#[tokio::test]
async fn a_session_ends_with_the_last_wrong_proof_that_it_may_have() {
    let world = world().await;
    let mut signed_in = world.signed_in(&world.sophie).await;
    for _ in 1..WRONG_PROOFS_MAX {
        assert_eq!(wrong_step_up(&world, &signed_in).await, "signin.wrong_password");
    }
    // A right one begins anew.
    let right = Proving::Password(&secret(PASSWORD));
    let opened = world.desk.step_up(&signed_in, right).await.unwrap();
    world.clock.advance(SignInConfig::default().half_life * 10);
    signed_in = world.visit(&opened).await;
    for _ in 1..WRONG_PROOFS_MAX {
        assert_eq!(wrong_step_up(&world, &signed_in).await, "signin.wrong_password");
    }
    assert_eq!(wrong_step_up(&world, &signed_in).await, "signin.needed");
    let visit = world
        .desk
        .visit(&visitor(), Some(opened.session.shown().expose()))
        .await;
    assert!(matches!(visit.unwrap(), Visit::Nobody));
}

#[tokio::test]
async fn wrong_proofs_count_for_the_user_over_all_sessions_and_a_sign_in_goes_on() {
    let world = world().await;
    let config = SignInConfig::default();
    let mut wrong = 0;
    'guessing: for _ in 0..config.step_ups {
        let signed_in = world.signed_in(&world.sophie).await;
        for _ in 0..5 {
            match wrong_step_up(&world, &signed_in).await {
                "signin.wrong_password" => wrong += 1,
                "signin.wait" => break 'guessing,
                other => panic!("{other}"),
            }
        }
    }
    assert_eq!(wrong, config.step_ups);
    let opened = sign_in(&world, &from(9), None, PASSWORD).await.unwrap();
    let signed_in = world.visit(&opened).await;
    assert!(world.desk.is_fresh(&signed_in), "signing in is a proof");
}

#[tokio::test]
async fn a_user_sees_that_somebody_guesses_and_the_log_is_not_filled_with_it() {
    let world = world().await;
    let signed_in = world.signed_in(&world.sophie).await;
    let before = world.last_row().await;
    let nobody = "nobody@private.example";
    for last in 1..=20 {
        assert_eq!(key(sign_in(&world, &from(last), None, WRONG).await), "signin.wrong");
        let refused = world.desk.sign_in(&from(last), None, nobody, &secret(WRONG)).await;
        assert_eq!(key(refused), "signin.wrong");
    }
    let most = SignInConfig::default().refusals as usize;
    // Nobody who guesses waits for the rows.
    while world.rows_since(before).await.len() < most {
        tokio::task::yield_now().await;
    }
    let row = ("stranger".to_owned(), "user.signin.refused".to_owned());
    assert_eq!(world.rows_since(before).await, vec![row; most]);
    let mine = world.desk.my_activity(&signed_in, None, 100).await.unwrap();
    let refused = mine.rows.iter().filter(|row| row.action == "user.signin.refused");
    assert_eq!(refused.count(), most);
}

#[tokio::test]
async fn what_strangers_do_is_not_written_as_the_users_deed() {
    let world = world().await;
    let before = world.last_row().await;
    let visitor = from(7);
    world
        .desk
        .forgot_password(&visitor, "sophie@private.example")
        .await
        .unwrap();
    let acting = world.acting(&world.sophie).await;
    let spec = InviteSpec {
        address: "zoe@private.example".to_owned(),
        role: Role::Member,
        grants: Vec::new(),
        language: Language::French,
        by_mail: false,
    };
    let link = world.desk.invite(&acting, spec).await.unwrap().link.unwrap();
    world.desk.decline_invitation(&visitor, link.expose()).await.unwrap();
    let rows = world.rows_since(before).await;
    for action in ["user.reset.link", "invitation.decline"] {
        let row = rows.iter().find(|(_, done)| done == action);
        assert_eq!(row.map(|(who, _)| who.as_str()), Some("stranger"), "{action}");
    }
}
