//! Congested lanes tell nobody which names exist, or how their passwords are kept.

use std::sync::mpsc;

use super::*;

const IMPORTED: &str = "berta@example.org";

/// A lane that is busy until the returned sender is dropped, beside a queue of one place, and one name of each kind.
async fn congested() -> (Bench, mpsc::Sender<()>) {
    let bench = Bench::with(|config| {
        config.queue = 1;
        config.queue_per_network = 1;
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
    let (bench, release) = congested().await;
    tokio::time::pause();
    assert_eq!(answers(&bench).await, [Some(Cause::Deadline); 5]);
    accepted(bench.login(BOX, shown(1)).await);
    drop(release);
}

#[tokio::test]
async fn a_full_queue_tells_every_unproved_secret_later() {
    let (bench, release) = congested().await;
    let waiting = {
        let lanes = Arc::clone(&bench.verifier.lanes);
        let network = ipnet::IpNet::from(std::net::IpAddr::from([198, 51, 100, 2]));
        tokio::spawn(async move { lanes.run(network, |_| ()).await })
    };
    while bench.metrics.hash_queue.get() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(answers(&bench).await, [Some(Cause::QueueFull); 5]);
    accepted(bench.login(BOX, shown(1)).await);
    drop(release);
    assert_eq!(waiting.await.unwrap(), Ok(()));
    assert_eq!(answers(&bench).await, [None; 5]);
}
