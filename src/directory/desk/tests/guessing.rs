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
