//! Tests of the registry and the tail; `race` drives every interleaving of logins and revocations.

mod explorer;
mod fake;
mod race;
mod sweep;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;

use self::fake::{FakeStore, info};
use super::*;
use crate::metrics::Metrics;
use crate::model::{DeviceId, MailboxId};
use crate::store::{Change, EndReason, Seq};

const POLL: Duration = Duration::from_millis(200);

fn device(raw: i64) -> DeviceId {
    DeviceId::from_raw(raw)
}

fn mailbox(raw: i64) -> MailboxId {
    MailboxId::from_raw(raw)
}

/// What the session was told, without waiting.
fn told(session: &LiveSession) -> Option<EndReason> {
    session.ended().now_or_never()
}

fn tail(store: &Arc<FakeStore>, registry: &Arc<Registry>, forgotten: &Arc<Mutex<Vec<Seq>>>) -> Arc<Tail> {
    let forgotten = Arc::clone(forgotten);
    let forget = move |change: &Change| forgotten.lock().unwrap().push(change.seq);
    Tail::new(
        store.clone(),
        Arc::clone(registry),
        Box::new(forget),
        POLL,
        Arc::default(),
    )
}

#[test]
fn ending_a_device_tells_exactly_its_sessions_among_ten_thousand() {
    let registry = Registry::new(Arc::new(Metrics::new()));
    let sessions: Vec<_> = (0..10_000).map(|n| registry.register(info(n / 4, n / 40))).collect();
    assert_eq!(registry.count(device(7), mailbox(0)), (4, 40));
    assert_eq!(registry.end_device(device(7), EndReason::Revoked), 4);
    assert_eq!(
        registry.end_device(device(7), EndReason::Paused),
        0,
        "they were told already"
    );
    assert_eq!(registry.end_mailbox(mailbox(0)), 36);
    for (n, session) in (0_i64..).zip(&sessions) {
        let expected = match n {
            28..32 => Some(EndReason::Revoked),
            0..40 => Some(EndReason::MailboxEnded),
            _ => None,
        };
        assert_eq!(told(session), expected, "session {n}");
    }
    assert_eq!(
        registry.sessions().len(),
        10_000,
        "a session is listed until it is gone"
    );
}

#[test]
fn a_test_message_is_no_session_of_the_device_and_ends_with_it() {
    let registry = Registry::new(Arc::new(Metrics::new()));
    let own = registry.register(info(1, 1));
    let trial = registry.register(SessionInfo {
        is_trial: true,
        ..info(1, 1)
    });
    let of_device = registry.sessions_of_device(device(1));
    assert_eq!(
        of_device.iter().map(|session| session.id).collect::<Vec<_>>(),
        [own.id()]
    );
    assert_eq!(registry.count(device(1), mailbox(1)), (2, 2), "for the caps it counts");
    assert_eq!(registry.end_device(device(1), EndReason::Revoked), 2);
    assert_eq!(told(&trial), Some(EndReason::Revoked));
}

#[test]
fn a_session_that_is_dropped_leaves_nothing_behind() {
    let metrics = Arc::new(Metrics::new());
    let registry = Registry::new(Arc::clone(&metrics));
    let (one, two) = (registry.register(info(1, 1)), registry.register(info(2, 1)));
    assert_eq!(registry.count(device(1), mailbox(1)), (1, 2));
    drop(one);
    assert_eq!(registry.count(device(1), mailbox(1)), (0, 1));
    assert_eq!(registry.end_device(device(1), EndReason::Revoked), 0);
    drop(two);
    assert!(registry.sessions().is_empty());
    assert!(metrics.encode().contains("live_sessions{protocol=\"imap\"} 0"));
}

#[test]
fn one_session_or_all_can_be_ended_and_the_first_reason_stands() {
    let registry = Registry::new(Arc::new(Metrics::new()));
    let (one, two) = (registry.register(info(1, 1)), registry.register(info(1, 1)));
    assert!(registry.end_session(one.id(), EndReason::Operator));
    assert!(!registry.end_session(one.id(), EndReason::Operator));
    assert!(!registry.end_session(SessionId(999), EndReason::Operator));
    assert_eq!(registry.end_all(EndReason::Shutdown), 1);
    assert_eq!(
        (told(&one), told(&two)),
        (Some(EndReason::Operator), Some(EndReason::Shutdown))
    );
}

#[test]
fn the_list_shows_octets_and_the_client_named_last() {
    let registry = Registry::new(Arc::new(Metrics::new()));
    let session = registry.register(info(1, 1));
    session.note_moved(3, 5);
    session.note_moved(4, 5);
    session.set_client("Thunderbird");
    let listed = registry.sessions();
    let [listed] = listed.as_slice() else {
        panic!("one session, not {}", listed.len())
    };
    assert_eq!((listed.id, listed.bytes_up, listed.bytes_down), (session.id(), 4, 5));
    assert_eq!(listed.info.client.as_deref(), Some("Thunderbird"));
}

#[tokio::test]
async fn a_waiting_session_is_woken() {
    let registry = Registry::new(Arc::new(Metrics::new()));
    let session = registry.register(info(1, 1));
    let waiting = tokio::spawn(async move { session.ended().await });
    tokio::task::yield_now().await;
    assert_eq!(registry.end_device(device(1), EndReason::Paused), 1);
    assert_eq!(waiting.await.unwrap(), EndReason::Paused);
}

#[tokio::test]
async fn admission_needs_the_verified_epoch_and_a_store_that_answers() {
    let registry = Registry::new(Arc::new(Metrics::new()));
    let store = FakeStore::with_devices(&[(1, 1)]);
    let epoch = store.epoch_now(device(1)).unwrap();
    let session = admit(&registry, store.as_ref(), epoch, info(1, 1)).await.unwrap();
    store.end_device(device(1), EndReason::Narrowed);
    assert!(matches!(
        admit(&registry, store.as_ref(), epoch, info(1, 1)).await,
        Err(NotAdmitted::Ended)
    ));
    store.end_device(device(1), EndReason::Revoked);
    assert!(matches!(
        admit(&registry, store.as_ref(), epoch, info(1, 1)).await,
        Err(NotAdmitted::Ended)
    ));
    store.set_failing(true);
    assert!(matches!(
        admit(&registry, store.as_ref(), epoch, info(1, 1)).await,
        Err(NotAdmitted::Store(_))
    ));
    assert_eq!(
        registry.count(device(1), mailbox(1)),
        (1, 1),
        "who is not admitted is not registered"
    );
    drop(session);
}

#[tokio::test]
async fn the_tail_applies_only_later_changes_in_order_and_forgets_before_it_ends() {
    let registry = Registry::new(Arc::new(Metrics::new()));
    let store = FakeStore::with_devices(&[(1, 1), (2, 1), (3, 2)]);
    let before = store.end_device(device(1), EndReason::Revoked);
    let forgotten = Arc::default();
    let tail = tail(&store, &registry, &forgotten);
    tail.start().await.unwrap();
    assert_eq!(tail.seen(), before);
    let sessions: Vec<_> = [(1, 1), (2, 1), (2, 1), (3, 2)]
        .map(|(d, m)| registry.register(info(d, m)))
        .into();
    let first = store.end_device(device(2), EndReason::Replaced);
    let last = store.end_mailbox(mailbox(1));
    let running = tokio::spawn({
        let tail = Arc::clone(&tail);
        async move { tail.run().await }
    });
    assert_eq!(tail.applied(last).await.sessions_ended, 1);
    assert_eq!(tail.applied_between(before, last).await.sessions_ended, 3);
    assert_eq!(*forgotten.lock().unwrap(), [first, last]);
    let told: Vec<_> = sessions.iter().map(told).collect();
    assert_eq!(
        told,
        [
            Some(EndReason::MailboxEnded),
            Some(EndReason::Replaced),
            Some(EndReason::Replaced),
            None
        ]
    );
    running.abort();
}

#[tokio::test]
async fn more_changes_than_one_read_returns_are_all_applied_and_none_twice() {
    let registry = Registry::new(Arc::new(Metrics::new()));
    let store = FakeStore::with_devices(&[(1, 1)]);
    let forgotten = Arc::default();
    let tail = tail(&store, &registry, &forgotten);
    let running = tokio::spawn({
        let tail = Arc::clone(&tail);
        async move { tail.run().await }
    });
    let seqs: Vec<_> = (0..1000)
        .map(|_| store.end_device(device(1), EndReason::Narrowed))
        .collect();
    tail.applied(*seqs.last().unwrap()).await;
    assert_eq!(*forgotten.lock().unwrap(), seqs);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_delays_changes_and_loses_none() {
    let registry = Registry::new(Arc::new(Metrics::new()));
    let store = FakeStore::with_devices(&[(1, 1)]);
    let forgotten = Arc::default();
    let tail = tail(&store, &registry, &forgotten);
    let session = registry.register(info(1, 1));
    store.set_failing(true);
    let running = tokio::spawn({
        let tail = Arc::clone(&tail);
        async move { tail.run().await }
    });
    let seq = store.end_device(device(1), EndReason::Revoked);
    assert!(
        tokio::time::timeout(Duration::from_secs(60), tail.applied(seq))
            .await
            .is_err()
    );
    assert_eq!(told(&session), None, "sessions go on while the store is away");
    store.set_failing(false);
    tail.wake();
    assert_eq!(tail.applied(seq).await.sessions_ended, 1);
    assert_eq!(told(&session), Some(EndReason::Revoked));
    running.abort();
}

#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "measures the runtime's paused time")]
async fn a_lost_wake_up_costs_one_poll_and_a_wake_none() {
    let registry = Registry::new(Arc::new(Metrics::new()));
    let store = FakeStore::with_devices(&[(1, 1)]);
    let tail = tail(&store, &registry, &Arc::default());
    let running = tokio::spawn({
        let tail = Arc::clone(&tail);
        async move { tail.run().await }
    });
    tokio::task::yield_now().await;
    let begun = tokio::time::Instant::now();
    tail.applied(store.end_device_silently(device(1))).await;
    assert_eq!(begun.elapsed(), POLL);
    tail.wake();
    tail.applied(store.end_device_silently(device(1))).await;
    assert_eq!(begun.elapsed(), POLL);
    running.abort();
}
