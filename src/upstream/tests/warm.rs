//! Warm connections: used, replaced, discarded, and given up for a fresh one at most once.

use std::time::Duration;

use super::fake::{Fake, Side, smtp};
use super::*;

const EHLO: &str = "250-store\r\n250 AUTH PLAIN\r\n";

fn harness(fake: &Fake, warm: usize) -> Harness {
    let mut service = fake.service();
    service.warm = warm;
    Harness::new(vec![smtp(service)])
}

async fn accept(fake: &Fake) -> Side {
    let mut side = fake.accept().await;
    side.say("220 store\r\n").await;
    side.expect("EHLO mx.postern.example", EHLO).await;
    side
}

async fn authenticate(side: &mut Side, answer: &str) {
    assert!(side.line().await.starts_with("AUTH PLAIN "));
    side.say(answer).await;
}

/// Puts one warm connection into the pool.
async fn warm_up(harness: &Harness, fake: &Fake) -> Side {
    let service = harness.service();
    let (dialogue, side) = tokio::join!(service.connect(), accept(fake));
    assert!(service.pool.put(dialogue.unwrap(), harness.clock.now()).is_none());
    side
}

#[tokio::test]
async fn a_login_takes_a_warm_connection_and_another_one_replaces_it() {
    let fake = Fake::bind().await;
    let harness = harness(&fake, 1);
    let script = async {
        let mut warm = accept(&fake).await;
        // The connection is in the pool once the gateway has nothing to refill any more.
        while harness.service().pool.room() > 0 {
            tokio::task::yield_now().await;
        }
        let (connected, ()) = tokio::join!(harness.log_in(Protocol::Smtp), authenticate(&mut warm, "235 ok\r\n"));
        connected.unwrap();
        accept(&fake).await
    };
    tokio::select! {
        () = harness.upstreams.run() => {}
        _ = script => {}
    }
}

#[tokio::test]
async fn the_newest_is_taken_first_and_there_are_never_more_than_configured() {
    let fake = Fake::bind().await;
    let harness = harness(&fake, 2);
    let mut old = warm_up(&harness, &fake).await;
    let mut new = warm_up(&harness, &fake).await;
    let service = harness.service();
    let (third, _side) = tokio::join!(service.connect(), accept(&fake));
    assert!(service.pool.put(third.unwrap(), harness.clock.now()).is_some());
    for side in [&mut new, &mut old] {
        let (connected, ()) = tokio::join!(harness.log_in(Protocol::Smtp), authenticate(side, "235 ok\r\n"));
        connected.unwrap();
    }
}

#[tokio::test]
async fn a_connection_that_spoke_or_closed_since_its_greeting_is_not_used() {
    let fake = Fake::bind().await;
    for last_words in ["421 4.3.2 restarting\r\n", ""] {
        let harness = harness(&fake, 1);
        let mut stale = warm_up(&harness, &fake).await;
        stale.say(last_words).await;
        drop(stale);
        let script = async { authenticate(&mut accept(&fake).await, "235 ok\r\n").await };
        let (connected, ()) = tokio::join!(harness.log_in(Protocol::Smtp), script);
        connected.unwrap();
    }
}

#[tokio::test]
async fn a_connection_that_is_too_old_is_not_used() {
    let fake = Fake::bind().await;
    let harness = harness(&fake, 1);
    let mut old = warm_up(&harness, &fake).await;
    harness.clock.advance(Duration::from_secs(60));
    let script = async { authenticate(&mut accept(&fake).await, "235 ok\r\n").await };
    let (connected, ()) = tokio::join!(harness.log_in(Protocol::Smtp), script);
    connected.unwrap();
    assert_eq!(old.rest().await, b"");
}

#[tokio::test]
async fn a_login_that_finds_its_warm_connection_dying_tries_once_more() {
    let fake = Fake::bind().await;
    for answer in ["", "421 4.3.2 closing\r\n"] {
        let harness = harness(&fake, 1);
        let mut warm = warm_up(&harness, &fake).await;
        let script = async {
            authenticate(&mut warm, answer).await;
            drop(warm);
            authenticate(&mut accept(&fake).await, "235 ok\r\n").await;
        };
        let (connected, ()) = tokio::join!(harness.log_in(Protocol::Smtp), script);
        connected.unwrap();
        assert_eq!(harness.failures("closed"), 0);
    }
}

#[tokio::test]
async fn a_second_dead_connection_ends_the_login_and_a_refusal_is_final_at_once() {
    let fake = Fake::bind().await;
    let twice = harness(&fake, 1);
    let mut warm = warm_up(&twice, &fake).await;
    let script = async {
        authenticate(&mut warm, "").await;
        drop(warm);
        authenticate(&mut accept(&fake).await, "").await;
    };
    let (connected, ()) = tokio::join!(twice.log_in(Protocol::Smtp), script);
    assert_eq!(connected.unwrap_err().reason(), "closed");
    assert!(fake.is_alone().await);

    let refused = harness(&fake, 1);
    let mut warm = warm_up(&refused, &fake).await;
    let (connected, ()) = tokio::join!(refused.log_in(Protocol::Smtp), authenticate(&mut warm, "535 no\r\n"));
    assert_eq!(connected.unwrap_err().reason(), "refused");
    assert!(fake.is_alone().await);
}

#[tokio::test]
async fn new_routes_close_the_old_ones_connections_and_serve_the_next_login() {
    let (old, new) = (Fake::bind().await, Fake::bind().await);
    let harness = harness(&old, 1);
    let mut warm = warm_up(&harness, &old).await;
    let before = harness.service();
    let config = Config {
        routes: vec![smtp(new.service())],
        hostname: "mx.postern.example".into(),
    };
    harness.upstreams.replace(config).unwrap();
    assert_eq!(warm.rest().await, b"");
    assert_eq!(before.pool.room(), 0);
    let script = async { authenticate(&mut accept(&new).await, "235 ok\r\n").await };
    assert!(tokio::join!(harness.log_in(Protocol::Smtp), script).0.is_ok());
    assert!(old.is_alone().await);
}

#[tokio::test]
async fn routes_that_cannot_be_used_leave_the_old_ones_in_place() {
    let fake = Fake::bind().await;
    let harness = harness(&fake, 0);
    let mut bad = fake.service();
    bad.transport = Transport::ImplicitTls;
    bad.tls_name = Some("not a name".into());
    let config = Config {
        routes: vec![smtp(bad.clone())],
        hostname: "mx.postern.example".into(),
    };
    assert!(matches!(
        harness.upstreams.replace(config),
        Err(tls::Error::Name { .. })
    ));
    bad.endpoint = Endpoint::Unix("/run/store.sock".into());
    let config = Config {
        routes: vec![smtp(bad)],
        hostname: "mx.postern.example".into(),
    };
    assert!(matches!(
        harness.upstreams.replace(config),
        Err(tls::Error::UnixSocket { .. })
    ));
    let script = async { authenticate(&mut accept(&fake).await, "235 ok\r\n").await };
    assert!(tokio::join!(harness.log_in(Protocol::Smtp), script).0.is_ok());
}
