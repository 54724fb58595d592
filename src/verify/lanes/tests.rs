//! Tests of the fair queue and of the lanes around it.

use std::net::IpAddr;
use std::sync::mpsc;

use super::*;

const PARAMS: Params = Params {
    memory_kib: 8,
    passes: 1,
};

fn network(last: u8) -> IpNet {
    IpAddr::from([192, 0, 2, last]).into()
}

fn lanes(queue: usize, per_network: usize, deadline: Duration) -> Lanes {
    Lanes::start(
        "hash-lane",
        Limits {
            lanes: 1,
            queue,
            per_network,
            kept: 0,
            deadline,
        },
        PARAMS,
        Gauge::default(),
    )
}

/// Occupies the only lane until the returned sender is dropped; returns once it is occupied.
async fn occupy(lanes: &Arc<Lanes>) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel::<()>();
    let (began, begun) = oneshot::channel();
    let lanes = Arc::clone(lanes);
    tokio::spawn(async move {
        lanes
            .run(network(255), move |_| {
                let _ = began.send(());
                let _ = released.recv();
            })
            .await
    });
    begun.await.unwrap();
    release
}

#[test]
fn networks_take_turns_whatever_one_of_them_queued_first() {
    let mut queue = FairQueue::new(100, 50, 0);
    for item in 0..5 {
        queue.push(network(1), Whose::Strangers, (1, item)).unwrap();
    }
    for last in [2, 3] {
        queue.push(network(last), Whose::Strangers, (last, 0)).unwrap();
        queue.push(network(last), Whose::Strangers, (last, 1)).unwrap();
    }
    let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
    assert_eq!(
        order,
        [(1, 0), (2, 0), (3, 0), (1, 1), (2, 1), (3, 1), (1, 2), (1, 3), (1, 4)]
    );
    assert_eq!(
        (queue.len, queue.turns.len(), queue.waiting.len()),
        (0, 0, 0),
        "nothing of a network stays behind"
    );
}

#[test]
fn the_queue_and_each_networks_share_are_bounded() {
    let mut queue = FairQueue::new(4, 2, 0);
    assert!(queue.push(network(1), Whose::Strangers, 0).is_ok() && queue.push(network(1), Whose::Strangers, 1).is_ok());
    assert_eq!(queue.push(network(1), Whose::Strangers, 2), Err(2));
    assert!(queue.push(network(2), Whose::Strangers, 3).is_ok() && queue.push(network(3), Whose::Strangers, 4).is_ok());
    assert_eq!(queue.push(network(4), Whose::Strangers, 5), Err(5));
    queue.retain(|item| *item != 3);
    assert_eq!(queue.push(network(4), Whose::Strangers, 5), Ok(()));
    assert_eq!(std::iter::from_fn(|| queue.pop()).collect::<Vec<_>>(), [0, 4, 5, 1]);
}

#[tokio::test]
async fn work_runs_and_answers() {
    let lanes = lanes(4, 4, Duration::from_secs(60));
    assert_eq!(lanes.run(network(1), |_| 42).await, Ok(42));
}

#[tokio::test]
async fn a_failing_run_costs_its_asker_an_answer_and_the_lane_nothing() {
    let lanes = lanes(4, 4, Duration::from_secs(60));
    let failed: Result<(), Cause> = lanes.run(network(1), |_| panic!("on purpose")).await;
    assert_eq!(failed, Err(Cause::Deadline));
    assert_eq!(lanes.run(network(1), |_| 42).await, Ok(42));
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_makes_room_when_askers_go() {
    let lanes = Arc::new(lanes(1, 1, Duration::from_secs(60)));
    let release = occupy(&lanes).await;
    let waiting = tokio::spawn({
        let lanes = Arc::clone(&lanes);
        async move { lanes.run(network(1), |_| 1).await }
    });
    while lanes.shared.lock().queue.len == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(lanes.run(network(2), |_| 2).await, Err(Cause::QueueFull));
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    let next = tokio::spawn({
        let lanes = Arc::clone(&lanes);
        async move { lanes.run(network(2), |_| 2).await }
    });
    while lanes.shared.lock().queue.len == 0 {
        tokio::task::yield_now().await;
    }
    drop(release);
    assert_eq!(next.await.unwrap(), Ok(2));
}

#[tokio::test]
async fn an_abandoned_request_is_never_computed() {
    let lanes = Arc::new(lanes(4, 4, Duration::from_secs(60)));
    let release = occupy(&lanes).await;
    let (ran, runs) = mpsc::channel();
    let gone = tokio::spawn({
        let lanes = Arc::clone(&lanes);
        async move { lanes.run(network(1), move |_| ran.send(())).await }
    });
    while lanes.shared.lock().queue.len == 0 {
        tokio::task::yield_now().await;
    }
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    drop(release);
    assert_eq!(lanes.run(network(2), |_| 2).await, Ok(2));
    assert!(runs.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn past_the_deadline_there_is_a_temporary_answer() {
    let lanes = Arc::new(lanes(4, 4, Duration::from_secs(5)));
    let (release, released) = mpsc::channel::<()>();
    let outcome = lanes.run(network(1), move |_| released.recv().is_ok()).await;
    assert_eq!(outcome, Err(Cause::Deadline));
    drop(release);
}

#[test]
fn strangers_leave_the_places_of_people_who_are_known() {
    let mut queue = FairQueue::new(4, 2, 2);
    assert!(queue.push(network(1), Whose::Strangers, 1).is_ok());
    assert!(queue.push(network(2), Whose::Strangers, 2).is_ok());
    assert_eq!(queue.push(network(3), Whose::Strangers, 3), Err(3));
    assert!(queue.push(network(3), Whose::Known, 3).is_ok());
    assert!(queue.push(network(4), Whose::Known, 4).is_ok());
    assert_eq!(queue.push(network(5), Whose::Known, 5), Err(5), "full is full");
}
