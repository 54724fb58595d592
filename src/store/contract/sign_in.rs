//! How users prove who they are.

use std::time::Duration;

use super::*;
use crate::model::{ConsoleSessionId, UserId};
use crate::store::sign_in::{RECOVERY_CODES_MAX, RESETS_MAX, SESSIONS_MAX};
use crate::store::{ConsoleSession, Hash, Keep, NewCode, NewConsoleSession, Proof, SessionEnds, SignIn, Verified};

const MINUTE: Duration = Duration::from_secs(60);

fn ends(idle: Duration, all: Duration) -> SessionEnds {
    SessionEnds {
        idle_at: START.plus(idle),
        at: START.plus(all),
    }
}

fn session_of(user: &User, number: u8, proof: Proof) -> NewConsoleSession {
    NewConsoleSession {
        user: user.id,
        hash: token(number),
        proof,
        ends: ends(MINUTE * 10, MINUTE * 60),
        origin: "192.0.2.7".into(),
        browser: "Firefox \u{1b}[2J".into(),
        verified: None,
    }
}

async fn open(store: &dyn Store, user: &User, number: u8, proof: Proof) -> ConsoleSession {
    store
        .open_session(&actor(), &session_of(user, number, proof))
        .await
        .unwrap()
}

async fn is_open(store: &dyn Store, number: u8) -> bool {
    store.session(&token(number)).await.unwrap().is_some()
}

async fn judged_by(store: &dyn Store, user: &User) -> SignIn {
    store.sign_in_of(user.id).await.unwrap().unwrap()
}

fn code(step: i64) -> NewCode {
    NewCode {
        sealed: b"sealed".to_vec(),
        step,
        recovery: (100..110).map(token).collect(),
    }
}

pub(in crate::store) async fn a_sign_in_is_judged_by_what_is_stored(backend: &Backend) {
    let store = &*backend.store;
    let zoe = user(store, "zoe@private.example").await;
    let found = store.sign_in(&zoe.address).await.unwrap().unwrap();
    assert_eq!(
        (&found.user, found.password),
        (&zoe, Some(password("zoe@private.example")))
    );
    assert_eq!(
        (found.code_secret, found.code_step, found.recovery_codes),
        (None, None, 0)
    );
    assert!(store.sign_in(&address("x@private.example")).await.unwrap().is_none());
    assert!(store.sign_in_of(UserId::from_raw(1)).await.unwrap().is_none());

    store.set_code(&actor(), zoe.id, &code(7), Keep::All).await.unwrap();
    let found = judged_by(store, &zoe).await;
    assert!(found.user.has_code);
    assert_eq!(
        (found.code_secret.as_deref(), found.code_step, found.recovery_codes),
        (Some(&b"sealed"[..]), Some(7), 10)
    );
    store.remove_code(&actor(), zoe.id, Keep::All).await.unwrap();
    store.remove_code(&actor(), zoe.id, Keep::All).await.unwrap();
    let found = judged_by(store, &zoe).await;
    assert_eq!(
        (found.code_secret, found.code_step, found.recovery_codes),
        (None, None, 0)
    );
    assert_eq!(actions(store).await[1..], ["user.code.set", "user.code.remove"]);
    let shown = format!("{:?}", store.sign_in(&zoe.address).await.unwrap());
    assert!(!shown.contains("argon2id"), "{shown}");
    not_found(
        store.set_code(&actor(), UserId::from_raw(1), &code(7), Keep::All).await,
        "there is no user",
    );
}

pub(in crate::store) async fn a_new_password_ends_what_the_old_one_opened(backend: &Backend) {
    let store = &*backend.store;
    let (zoe, bea) = (user(store, "zoe@b.example").await, user(store, "bea@b.example").await);
    let here = open(store, &zoe, 1, Proof::Code).await;
    open(store, &zoe, 2, Proof::Code).await;
    open(store, &bea, 3, Proof::Code).await;
    store
        .create_reset(&actor(), zoe.id, &token(9), START.plus(MINUTE))
        .await
        .unwrap();
    let set = async |text: &str, keep| store.set_password(&actor(), zoe.id, &password(text), keep).await;
    set("second", Keep::Session(here.id)).await.unwrap();
    assert_eq!(judged_by(store, &zoe).await.password, Some(password("second")));
    assert_eq!(
        (
            is_open(store, 1).await,
            is_open(store, 2).await,
            is_open(store, 3).await
        ),
        (true, false, true)
    );
    assert_eq!(store.reset(&token(9)).await.unwrap(), None);
    set("third", Keep::All).await.unwrap();
    assert!(is_open(store, 1).await);
    set("fourth", Keep::None).await.unwrap();
    assert_eq!((is_open(store, 1).await, is_open(store, 3).await), (false, true));
    not_found(
        store
            .set_password(&actor(), UserId::from_raw(1), &password("x"), Keep::None)
            .await,
        "there is no user",
    );

    let stronger = UserPassword {
        key_id: 2,
        ..password("stronger")
    };
    let before = actions(store).await;
    let upgrade = async |verified: &str| {
        let verified = password(verified).hash;
        store.upgrade_password(zoe.id, &verified, &stronger).await.unwrap();
        judged_by(store, &zoe).await.password.unwrap()
    };
    assert_eq!(upgrade("third").await, password("fourth"), "somebody was quicker");
    assert_eq!(upgrade("fourth").await, stronger);
    assert_eq!(actions(store).await, before);
}

pub(in crate::store) async fn a_code_is_taken_once_however_many_send_it(backend: &Backend) {
    let store = &*backend.store;
    let zoe = user(store, "zoe@private.example").await;
    assert!(
        !store.use_code_step(zoe.id, 8).await.unwrap(),
        "without codes none is right"
    );
    store.set_code(&actor(), zoe.id, &code(7), Keep::All).await.unwrap();
    assert!(
        !store.use_code_step(zoe.id, 7).await.unwrap(),
        "the one that proved the secret"
    );
    for step in 8..30 {
        let take = |store: &Arc<dyn Store>| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.use_code_step(zoe.id, step).await.unwrap() })
        };
        let (one, two) = (take(&backend.store), take(&backend.other));
        assert!(one.await.unwrap() ^ two.await.unwrap(), "step {step}");
    }
    assert!(!store.use_code_step(zoe.id, 20).await.unwrap(), "an earlier one");
}

pub(in crate::store) async fn a_recovery_code_is_used_once(backend: &Backend) {
    let store = &*backend.store;
    let (zoe, bea) = (user(store, "zoe@b.example").await, user(store, "bea@b.example").await);
    store.set_code(&actor(), zoe.id, &code(7), Keep::All).await.unwrap();
    let take = async |who: &User, number| {
        let left = store.use_recovery_code(&actor(), who.id, &token(number)).await;
        left.unwrap()
    };
    assert_eq!(take(&bea, 100).await, None, "it is Zoe's");
    assert_eq!(take(&zoe, 99).await, None);
    assert_eq!(take(&zoe, 100).await, Some(9));
    assert_eq!(take(&zoe, 100).await, None);
    let race = |store: &Arc<dyn Store>| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.use_recovery_code(&actor(), zoe.id, &token(101)).await.unwrap() })
    };
    let (one, two) = (race(&backend.store), race(&backend.other));
    let mut both = [one.await.unwrap(), two.await.unwrap()];
    both.sort();
    assert_eq!(both, [None, Some(8)]);
    store
        .set_recovery_codes(&actor(), zoe.id, &[token(1), token(2)])
        .await
        .unwrap();
    assert_eq!((take(&zoe, 102).await, take(&zoe, 1).await), (None, Some(1)));
    let many = vec![token(1); RECOVERY_CODES_MAX + 1];
    refused(
        store.set_recovery_codes(&actor(), zoe.id, &many).await,
        "at most 32 recovery codes",
    );
    assert_eq!(take(&zoe, 2).await, Some(0), "a refusal leaves the old ones");
    let used = actions(store)
        .await
        .iter()
        .filter(|action| *action == "user.recovery.use")
        .count();
    assert_eq!(used, 4);
}

pub(in crate::store) async fn a_session_is_known_by_its_hash_until_it_ends(backend: &Backend) {
    let store = &*backend.store;
    let zoe = user(store, "zoe@private.example").await;
    let opened = open(store, &zoe, 1, Proof::Password).await;
    let expected = ConsoleSession {
        id: opened.id,
        user: zoe.id,
        proof: Proof::Password,
        created_at: START,
        seen_at: START,
        proved_at: START,
        ends: ends(MINUTE * 10, MINUTE * 60),
        origin: "192.0.2.7".into(),
        browser: "Firefox \\u{1b}[2J".into(),
    };
    assert_eq!(opened, expected);
    let seen = User {
        seen_at: Some(START),
        ..zoe.clone()
    };
    assert_eq!(store.session(&token(1)).await.unwrap(), Some((expected, seen)));
    assert!(!is_open(store, 2).await);

    backend.clock.advance(MINUTE * 9);
    let now = START.plus(MINUTE * 9);
    store
        .touch_session(opened.id, now.plus(MINUTE * 10), "198.51.100.1")
        .await
        .unwrap();
    let (touched, user) = store.session(&token(1)).await.unwrap().unwrap();
    assert_eq!(
        (touched.seen_at, touched.ends.idle_at, touched.origin.as_str()),
        (now, now.plus(MINUTE * 10), "198.51.100.1")
    );
    assert_eq!((touched.proved_at, user.seen_at), (START, Some(now)));
    backend.clock.advance(MINUTE * 10);
    assert!(!is_open(store, 1).await, "nobody used it");
    let later = START.plus(MINUTE * 99);
    store.touch_session(opened.id, later, "x").await.unwrap();
    assert!(!is_open(store, 1).await, "what ended does not come back");

    let second = open(store, &zoe, 2, Proof::Code).await;
    let short = NewConsoleSession {
        ends: ends(MINUTE * 99, MINUTE * 20),
        ..session_of(&zoe, 3, Proof::Code)
    };
    let short = store.open_session(&actor(), &short).await.unwrap();
    assert_eq!(short.ends.idle_at, short.ends.at, "never idle beyond its end");
    store.touch_session(short.id, later, "x").await.unwrap();
    let (short, _) = store.session(&token(3)).await.unwrap().unwrap();
    assert_eq!(short.ends.idle_at, short.ends.at);
    assert!(!is_open(store, 2).await, "its idle time was over when it was opened");
    assert_eq!(second.ends.idle_at, START.plus(MINUTE * 10));
    assert_eq!(actions(store).await[1..], ["user.signin"; 3]);
    let unknown = NewConsoleSession {
        user: UserId::from_raw(1),
        ..session_of(&zoe, 9, Proof::Code)
    };
    not_found(store.open_session(&actor(), &unknown).await, "there is no user");
}

pub(in crate::store) async fn a_session_gets_another_id_when_more_is_proved(backend: &Backend) {
    let store = &*backend.store;
    let zoe = user(store, "zoe@private.example").await;
    let half = open(store, &zoe, 1, Proof::Half).await;
    assert_eq!(store.sessions_of(zoe.id).await.unwrap(), [], "nobody is signed in yet");
    assert_eq!(store.user(zoe.id).await.unwrap().unwrap().seen_at, None);
    assert_eq!(actions(store).await[1..], [""; 0]);

    backend.clock.advance(MINUTE);
    let now = START.plus(MINUTE);
    let prove = async |old, new, proof, ends| {
        store
            .prove_session(&actor(), &token(old), &token(new), proof, ends)
            .await
            .unwrap()
    };
    let whole = ends(MINUTE * 20, MINUTE * 90);
    let signed_in = prove(1, 2, Proof::Code, whole).await.unwrap();
    assert_eq!(
        (signed_in.id, signed_in.proof, signed_in.proved_at, signed_in.ends),
        (half.id, Proof::Code, now, whole)
    );
    assert_eq!((is_open(store, 1).await, is_open(store, 2).await), (false, true));
    let listed = store.sessions_of(zoe.id).await.unwrap();
    assert_eq!(listed, [signed_in]);
    assert_eq!(actions(store).await[1..], ["user.signin"]);

    backend.clock.advance(MINUTE);
    let stepped = prove(2, 3, Proof::Password, ends(MINUTE * 30, MINUTE * 999))
        .await
        .unwrap();
    assert_eq!(
        (stepped.proof, stepped.ends),
        (Proof::Code, ends(MINUTE * 30, MINUTE * 90))
    );
    assert_eq!(stepped.proved_at, START.plus(MINUTE * 2));
    assert_eq!(prove(2, 4, Proof::Code, whole).await, None, "the old id is gone");
    assert_eq!(actions(store).await[1..], ["user.signin"]);
    for (old, new) in [(3, 10), (10, 11), (11, 12)] {
        let race = |store: &Arc<dyn Store>, new: u8| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                store
                    .prove_session(&actor(), &token(old), &token(new), Proof::Code, whole)
                    .await
                    .unwrap()
                    .is_some()
            })
        };
        let (one, two) = (race(&backend.store, new), race(&backend.other, new + 100));
        let won = one.await.unwrap();
        assert!(won ^ two.await.unwrap(), "one browser, one id");
        if !won {
            prove(new + 100, new, Proof::Code, whole).await.unwrap();
        }
    }
}

pub(in crate::store) async fn sessions_are_listed_and_ended_by_their_owner(backend: &Backend) {
    let store = &*backend.store;
    let (zoe, bea) = (user(store, "zoe@b.example").await, user(store, "bea@b.example").await);
    let first = open(store, &zoe, 1, Proof::Password).await;
    backend.clock.advance(MINUTE);
    let second = open(store, &zoe, 2, Proof::Password).await;
    let third = open(store, &bea, 3, Proof::Password).await;
    open(store, &zoe, 4, Proof::Half).await;
    let listed = async |user: &User| -> Vec<ConsoleSessionId> {
        let sessions = store.sessions_of(user.id).await.unwrap();
        sessions.into_iter().map(|session| session.id).collect()
    };
    assert_eq!(listed(&zoe).await, [second.id, first.id]);
    let end = async |user: &User, id| store.end_session(&actor(), user.id, id).await.unwrap();
    assert!(!end(&zoe, third.id).await, "it is Bea's");
    assert!(end(&zoe, first.id).await);
    assert!(!end(&zoe, first.id).await);
    assert_eq!(listed(&zoe).await, [second.id]);
    open(store, &zoe, 5, Proof::Password).await;
    let before = actions(store).await.len();
    let all = async |keep| store.end_sessions(&actor(), zoe.id, keep).await.unwrap();
    assert_eq!(all(Keep::All).await, 0);
    assert_eq!(all(Keep::Session(second.id)).await, 1);
    assert!(
        !is_open(store, 4).await,
        "half a sign-in ends too, but nobody was signed in by it"
    );
    assert_eq!(all(Keep::None).await, 1);
    assert_eq!((listed(&zoe).await, listed(&bea).await), (vec![], vec![third.id]));
    assert_eq!(actions(store).await[before..], ["user.signout.all"; 3]);
}

pub(in crate::store) async fn a_user_has_a_bounded_number_of_sessions(backend: &Backend) {
    let store = &*backend.store;
    let zoe = user(store, "zoe@private.example").await;
    let most = u8::try_from(SESSIONS_MAX).unwrap();
    for number in 0..most {
        backend.clock.advance(Duration::from_secs(1));
        open(store, &zoe, number, Proof::Password).await;
    }
    // Somebody who knows the password only begins over and over again.
    for number in 0..most {
        backend.clock.advance(Duration::from_secs(1));
        open(store, &zoe, 100 + number, Proof::Half).await;
    }
    assert!(!is_open(store, 0).await, "the one that was used longest ago");
    for number in 1..most {
        assert!(is_open(store, number).await, "{number}");
    }
    assert!(is_open(store, 99 + most).await);
    assert!(!is_open(store, 98 + most).await);
}

pub(in crate::store) async fn a_reset_link_works_once_and_ends_all_sessions(backend: &Backend) {
    let store = &*backend.store;
    let (zoe, bea) = (user(store, "zoe@b.example").await, user(store, "bea@b.example").await);
    open(store, &zoe, 1, Proof::Code).await;
    let make = async |user: &User, number| {
        store
            .create_reset(&actor(), user.id, &token(number), START.plus(MINUTE))
            .await
            .unwrap();
    };
    for number in 10..=10 + u8::try_from(RESETS_MAX).unwrap() {
        backend.clock.advance(Duration::from_secs(1));
        make(&zoe, number).await;
    }
    make(&bea, 30).await;
    assert_eq!(
        store.reset(&token(10)).await.unwrap(),
        None,
        "the newest {RESETS_MAX} work"
    );
    let reset = store.reset(&token(11)).await.unwrap().unwrap();
    assert_eq!(
        (reset.user, reset.address, reset.expires_at),
        (zoe.id, zoe.address.clone(), START.plus(MINUTE))
    );
    let race = |store: &Arc<dyn Store>, text: &'static str| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.use_reset(&actor(), &token(11), &password(text)).await })
    };
    let (one, two) = (race(&backend.store, "one"), race(&backend.other, "two"));
    let outcomes = [one.await.unwrap(), two.await.unwrap()];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for outcome in outcomes {
        if outcome.is_err() {
            not_found(outcome, "this link does not work (any more)");
        }
    }
    assert!(!is_open(store, 1).await);
    assert_eq!(
        store.reset(&token(12)).await.unwrap(),
        None,
        "nor does any other of hers"
    );
    assert!(store.reset(&token(30)).await.unwrap().is_some());
    backend.clock.advance(MINUTE);
    not_found(
        store.use_reset(&actor(), &token(30), &password("x")).await,
        "this link does not work",
    );
    assert_eq!(actions(store).await.last().unwrap(), "user.reset.use");
    not_found(
        store
            .create_reset(&actor(), UserId::from_raw(1), &token(40), START)
            .await,
        "there is no user",
    );
}

pub(in crate::store) async fn a_session_is_opened_only_by_what_still_holds(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    let user = &world.lucie;
    let set = async |text: &str| {
        let new = password(text);
        store.set_password(&actor(), user.id, &new, Keep::None).await.unwrap();
        new.hash
    };
    let open = async |number, hash: &Hash, has_code| {
        let verified = Some(Verified {
            hash: hash.clone(),
            has_code,
        });
        let new = NewConsoleSession {
            verified,
            ..session_of(user, number, Proof::Password)
        };
        store.open_session(&actor(), &new).await
    };
    let old = set("old").await;
    open(1, &old, false).await.unwrap();
    let new = set("new").await;
    conflict(
        open(2, &old, false).await,
        "the sign-in of lucie@private.example was changed a moment ago; sign in again",
    );
    open(3, &new, false).await.unwrap();
    let code = NewCode {
        sealed: vec![1],
        step: 1,
        recovery: Vec::new(),
    };
    store.set_code(&actor(), user.id, &code, Keep::None).await.unwrap();
    conflict(
        open(4, &new, false).await,
        "the sign-in of lucie@private.example was changed a moment ago; sign in again",
    );
    open(5, &new, true).await.unwrap();
    assert_eq!(store.sessions_of(user.id).await.unwrap().len(), 1);
}
