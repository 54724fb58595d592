//! Congested lanes tell nobody which names exist, or how their passwords are kept.

use std::sync::mpsc;

use super::*;

const IMPORTED: &str = "berta@example.org";

/// A lane that is busy until the returned sender is dropped, a queue of so many places, one of them for each /24, and
/// one name of each kind.
async fn congested(queue: usize) -> (Bench, mpsc::Sender<()>) {
    let bench = Bench::with(|config| {
        config.queue = queue;
        config.queue_per_network = 1;
        config.network.ipv4 = 24;
    });
    let mut owned = mailbox(1, BOX);
    owned.credentials = vec![generated(bench.keys.current(), 1, 1, 1)];
    bench.store.put(owned);
    let mut brought = mailbox(2, IMPORTED);
    let old = "{SSHA}MhRjZ3ChSyjzgQSWPfUM8hJrkH9zYWx0";
    brought.credentials = vec![imported(2, 2, old)];
    bench.store.put(brought);
    bench.store.put_alias("hello@example.org", BOX);
    accepted(bench.login(BOX, shown(1)).await);
    let (release, released) = mpsc::channel::<()>();
    let (began, begun) = tokio::sync::oneshot::channel();
    let lanes = Arc::clone(&bench.verifier.lanes);
    tokio::spawn(async move {
        let network = ipnet::IpNet::from(std::net::IpAddr::from([198, 51, 100, 1]));
        let busy = lanes.run(network, move |_| {
            let _ = began.send(());
            let _ = released.recv();
        });
        busy.await
    });
    begun.await.unwrap();
    (bench, release)
}

/// Something of this network that waits for the lane.
async fn waiting(bench: &Bench, network: &str) -> tokio::task::JoinHandle<Result<(), Cause>> {
    let (lanes, network) = (Arc::clone(&bench.verifier.lanes), network.parse().unwrap());
    let waiting = tokio::spawn(async move { lanes.run(network, |_| ()).await });
    while bench.metrics.hash_queue.get() == 0 {
        tokio::task::yield_now().await;
    }
    waiting
}

async fn answers(bench: &Bench) -> Vec<Option<Cause>> {
    let mut answers = Vec::new();
    for name in [BOX, IMPORTED, "hello@example.org", "nobody@example.org", "no name"] {
        let verdict = bench.login(name, "a wrong password").await;
        answers.push(match verdict {
            Verdict::Unavailable(cause) => Some(cause),
            other => {
                refused(other);
                None
            }
        });
    }
    answers
}

#[tokio::test]
async fn past_the_deadline_every_unproved_secret_hears_later_and_a_proved_one_gets_in() {
    let (bench, release) = congested(1).await;
    tokio::time::pause();
    assert_eq!(answers(&bench).await, [Some(Cause::Deadline); 5]);
    accepted(bench.login(BOX, shown(1)).await);
    drop(release);
}

#[tokio::test]
async fn a_full_queue_tells_every_unproved_secret_later() {
    let (bench, release) = congested(1).await;
    let waiting = waiting(&bench, "198.51.100.0/24").await;
    assert_eq!(answers(&bench).await, [Some(Cause::QueueFull); 5]);
    accepted(bench.login(BOX, shown(1)).await);
    drop(release);
    assert_eq!(waiting.await.unwrap(), Ok(()));
    assert_eq!(answers(&bench).await, [None; 5]);
}

#[tokio::test]
async fn addresses_of_one_configured_network_share_its_part_of_the_queue() {
    let (bench, release) = congested(2).await;
    let waiting = waiting(&bench, "192.0.2.0/24").await;
    let from = |ip| bench.login_by(BOX, "a wrong password", Protocol::Imap, ip);
    for ip in ["192.0.2.7", "192.0.2.8"] {
        let verdict = from(ip).await;
        assert!(matches!(verdict, Verdict::Unavailable(Cause::QueueFull)), "{verdict:?}");
    }
    let (elsewhere, ()) = tokio::join!(from("203.0.113.7"), async { drop(release) });
    refused(elsewhere);
    assert_eq!(waiting.await.unwrap(), Ok(()));
}
