//! Tokens for the API.

use std::time::Duration;

use super::*;
use crate::model::{ApiToken, TokenId, TokenScope, UserId};
use crate::store::token::TOKENS_MAX;
use crate::store::{NewToken, Tidied};

fn new_token(user: &User, number: u8) -> NewToken {
    NewToken {
        user: user.id,
        name: " Nightly script ".into(),
        hash: token(number),
        role: Role::Auditor,
        scope: TokenScope::Read,
        expires_at: Some(START.plus(Duration::from_secs(60))),
    }
}

pub(in crate::store) async fn a_token_is_known_by_its_hash_until_it_ends(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let made = store
        .create_token(&actor(), world.acme, &new_token(&world.lucie, 1))
        .await
        .unwrap();
    let expected = ApiToken {
        id: made.id,
        user: world.lucie.id,
        org: world.acme,
        name: "Nightly script".into(),
        role: Role::Auditor,
        scope: TokenScope::Read,
        created_at: START,
        expires_at: Some(START.plus(Duration::from_secs(60))),
        used_at: None,
        used_from: None,
    };
    assert_eq!(made, expected);
    let found = async |number| store.token(&token(number)).await.unwrap();
    assert_eq!(found(1).await, Some((expected.clone(), world.lucie.clone())));
    assert_eq!(found(2).await, None);
    store.touch_token(made.id, "192.0.2.7").await.unwrap();
    let (used, _) = found(1).await.unwrap();
    assert_eq!(
        (used.used_at, used.used_from.as_deref()),
        (Some(START), Some("192.0.2.7"))
    );
    let for_ever = NewToken {
        expires_at: None,
        ..new_token(&world.sophie, 2)
    };
    let second = store.create_token(&actor(), world.acme, &for_ever).await.unwrap();
    backend.clock.advance(Duration::from_secs(60));
    assert_eq!(found(1).await, None, "its time is over");
    assert!(found(2).await.is_some());
    let listed = async |org, user| -> Vec<TokenId> {
        let tokens = store.tokens(org, user).await.unwrap();
        tokens.into_iter().map(|token| token.id).collect()
    };
    assert_eq!(listed(world.acme, None).await, [second.id, made.id]);
    assert_eq!(listed(world.acme, Some(world.lucie.id)).await, [made.id]);
    assert_eq!(listed(world.other, None).await, []);
    let tidied = Tidied {
        tokens: 1,
        ..Tidied::default()
    };
    let kept_since = START.plus(Duration::from_secs(61));
    assert_eq!(
        store.tidy_people(&Actor::daemon(), kept_since, 9).await.unwrap(),
        tidied
    );
    assert_eq!(listed(world.acme, None).await, [second.id]);
}

pub(in crate::store) async fn what_breaks_a_rule_of_tokens_is_refused(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let before = actions(store).await;
    let create = async |org, new: &NewToken| store.create_token(&actor(), org, new).await;
    let nameless = NewToken {
        name: " ".into(),
        ..new_token(&world.lucie, 1)
    };
    refused(create(world.acme, &nameless).await, "the name of a token is empty");
    let past = NewToken {
        expires_at: Some(START),
        ..new_token(&world.lucie, 1)
    };
    refused(create(world.acme, &past).await, "is in the past");
    not_found(
        create(world.other, &new_token(&world.lucie, 1)).await,
        "there is no member",
    );
    let nobody = NewToken {
        user: UserId::from_raw(1),
        ..new_token(&world.lucie, 1)
    };
    not_found(create(world.acme, &nobody).await, "there is no member");
    assert_eq!(actions(store).await, before);

    let made = create(world.acme, &new_token(&world.lucie, 1)).await.unwrap();
    let revoke = async |org, id| store.revoke_token(&actor(), org, id).await;
    not_found(revoke(world.other, made.id).await, "there is no token");
    not_found(revoke(world.acme, TokenId::from_raw(1)).await, "there is no token");
    revoke(world.acme, made.id).await.unwrap();
    not_found(revoke(world.acme, made.id).await, "there is no token");
    assert_eq!(store.token(&token(1)).await.unwrap(), None);
    assert_eq!(actions(store).await[before.len()..], ["token.create", "token.revoke"]);

    for number in 0..u8::try_from(TOKENS_MAX).unwrap() {
        create(world.acme, &new_token(&world.lucie, number)).await.unwrap();
    }
    refused(
        create(world.acme, &new_token(&world.lucie, 200)).await,
        "lucie@private.example has 64 tokens, the most there may be",
    );
    create(world.acme, &new_token(&world.sophie, 200)).await.unwrap();
}
