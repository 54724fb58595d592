//! Tokens for the API.

use std::time::Duration;

use super::*;
use crate::model::{ApiToken, TokenId, TokenScope, UserId};
use crate::store::token::{REQUEST_TIME, REQUESTS_KEPT, TOKENS_MAX};
use crate::store::{Claim, NewToken, RequestKey, Tidied};

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

/// A request that the client calls by the first number, and that asks for what the second one says.
fn request(key: u8, asked: u8) -> RequestKey {
    RequestKey {
        key: [key; 32],
        request: [asked; 32],
    }
}

#[track_caller]
fn new(claim: Result<Claim, Error>) -> i64 {
    match claim.unwrap() {
        Claim::New(number) => number,
        known => panic!("{known:?}"),
    }
}

pub(in crate::store) async fn a_request_with_a_key_is_done_once(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let made = async |number| {
        let new = new_token(&world.lucie, number);
        store.create_token(&actor(), world.acme, &new).await.unwrap().id
    };
    let (token, another) = (made(1).await, made(2).await);
    let before = actions(store).await;
    let claim = async |request| store.claim_request(token, &request).await;
    let first = new(claim(request(1, 1)).await);
    assert_eq!(claim(request(1, 1)).await.unwrap(), Claim::Running);
    assert_eq!(claim(request(1, 2)).await.unwrap(), Claim::Other);
    new(claim(request(2, 1)).await);
    new(store.claim_request(another, &request(1, 2)).await);
    store.settle_request(first, Some("mbx-0000000000007")).await.unwrap();
    let done = Claim::Done("mbx-0000000000007".to_owned());
    assert_eq!(claim(request(1, 1)).await.unwrap(), done);
    assert_eq!(claim(request(1, 2)).await.unwrap(), Claim::Other);

    let nothing = new(claim(request(3, 1)).await);
    store.settle_request(nothing, None).await.unwrap();
    new(claim(request(3, 2)).await);
    not_found(
        store.claim_request(TokenId::from_raw(1), &request(1, 1)).await,
        "there is no token",
    );
    assert_eq!(actions(store).await, before, "no change of the model");

    backend.clock.advance(REQUESTS_KEPT);
    let tidied = store.tidy_people(&Actor::daemon(), START, 2).await.unwrap();
    assert_eq!(tidied.requests, 2);
    let tidied = store.tidy_people(&Actor::daemon(), START, 9).await.unwrap();
    assert_eq!(tidied.requests, 2);
    new(claim(request(1, 2)).await);
    store.revoke_token(&actor(), world.acme, token).await.unwrap();
    let tidied = store.tidy_people(&Actor::daemon(), START, 9).await.unwrap();
    assert_eq!(tidied.requests, 0, "what is known goes with the token");
}

pub(in crate::store) async fn a_request_that_was_lost_is_done_again_by_one(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let token = new_token(&world.lucie, 1);
    let token = store.create_token(&actor(), world.acme, &token).await.unwrap().id;
    let lost = new(store.claim_request(token, &request(1, 1)).await);
    backend.clock.advance(REQUEST_TIME);
    let again = new(store.claim_request(token, &request(1, 1)).await);
    let running = store.claim_request(token, &request(1, 1)).await.unwrap();
    assert_eq!(running, Claim::Running);
    // Whoever had it comes back after all: what it says does not count any more.
    store.settle_request(lost, Some("mbx-lost")).await.unwrap();
    let running = store.claim_request(token, &request(1, 1)).await.unwrap();
    assert_eq!(running, Claim::Running);
    store.settle_request(again, Some("mbx-again")).await.unwrap();
    let done = store.claim_request(token, &request(1, 1)).await.unwrap();
    assert_eq!(done, Claim::Done("mbx-again".to_owned()));
}

pub(in crate::store) async fn two_processes_claim_a_request_once(backend: &Backend) {
    let world = world(&*backend.store).await;
    let new = new_token(&world.lucie, 1);
    let token = backend.store.create_token(&actor(), world.acme, &new).await.unwrap().id;
    for key in 0..20 {
        let request = request(key, 1);
        let (one, other) = tokio::join!(
            backend.store.claim_request(token, &request),
            backend.other.claim_request(token, &request)
        );
        let claims = [one.unwrap(), other.unwrap()];
        let told = claims.iter().filter(|claim| matches!(claim, Claim::New(_))).count();
        assert_eq!(told, 1, "{claims:?}");
        assert!(claims.contains(&Claim::Running));
    }
}
