//! The race between a login and a revocation, in every interleaving, over the real `admit`, `Registry` and `Tail`.
//!
//! After each schedule: a login that was answered OK under an epoch that is no longer the present one must have been
//! told to end. The same exploration of three wrong orders must find a violation, which proves that it can.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use super::explorer::{Explored, Task, World, explore};
use super::fake::{FakeStore, info, yield_now};
use super::{device, mailbox, told};
use crate::metrics::Metrics;
use crate::revoke::{LiveSession, Registry, SessionInfo, Tail, admit, admit_sender};
use crate::store::{CredentialStore, EndReason, Epoch};

type Admission = Pin<Box<dyn Future<Output = Option<LiveSession>>>>;
type Admit = fn(Arc<Registry>, Arc<FakeStore>, Epoch, SessionInfo) -> Admission;

/// Sessions that were answered OK, with the epoch under which they were verified.
type Answered = Arc<Mutex<Vec<(LiveSession, Epoch)>>>;

/// Shared by all worlds, because making them takes longer than a schedule.
static METRICS: LazyLock<Arc<Metrics>> = LazyLock::new(Arc::default);

struct Scene {
    store: Arc<FakeStore>,
    registry: Arc<Registry>,
    answered: Answered,
}

fn real(registry: Arc<Registry>, store: Arc<FakeStore>, epoch: Epoch, info: SessionInfo) -> Admission {
    Box::pin(async move { admit(&registry, store.as_ref(), epoch, info).await.ok() })
}

/// The same for a session whose senders are checked.
fn real_sender(registry: Arc<Registry>, store: Arc<FakeStore>, epoch: Epoch, info: SessionInfo) -> Admission {
    Box::pin(async move {
        let admitted = admit_sender(&registry, store.as_ref(), epoch, info).await;
        admitted.ok().map(|(session, _)| session)
    })
}

/// Wrong: answers without reading the epoch again.
fn without_reading_again(registry: Arc<Registry>, _: Arc<FakeStore>, _: Epoch, info: SessionInfo) -> Admission {
    Box::pin(async move {
        let session = registry.register(info);
        yield_now().await;
        Some(session)
    })
}

/// Wrong: reads the epoch again, but registers only then.
fn reading_before_registering(
    registry: Arc<Registry>,
    store: Arc<FakeStore>,
    epoch: Epoch,
    info: SessionInfo,
) -> Admission {
    Box::pin(async move {
        let present = store.epoch(info.device, info.mailbox).await.ok()??;
        (present == epoch).then(|| registry.register(info))
    })
}

impl Scene {
    fn new() -> Self {
        let registry = Registry::new(Arc::clone(&METRICS));
        Self {
            store: FakeStore::with_devices(&[(1, 1)]),
            registry,
            answered: Arc::default(),
        }
    }

    fn login(&self, admit: Admit) -> Task {
        let (store, registry, answered) = (
            Arc::clone(&self.store),
            Arc::clone(&self.registry),
            Arc::clone(&self.answered),
        );
        Box::pin(async move {
            let Some(verified) = store.epoch_now(device(1)) else {
                return;
            };
            yield_now().await;
            if let Some(session) = admit(registry, store, verified, info(1, 1)).await {
                answered.lock().unwrap().push((session, verified));
            }
        })
    }

    fn end_device(&self, reason: EndReason) -> Task {
        let store = Arc::clone(&self.store);
        Box::pin(async move {
            store.end_device(device(1), reason);
        })
    }

    fn end_mailbox(&self) -> Task {
        let store = Arc::clone(&self.store);
        Box::pin(async move {
            store.end_mailbox(mailbox(1));
        })
    }

    /// Wrong: ends sessions first and commits afterwards.
    fn end_before_commit(&self) -> Task {
        let (store, registry) = (Arc::clone(&self.store), Arc::clone(&self.registry));
        Box::pin(async move {
            registry.end_device(device(1), EndReason::Revoked);
            yield_now().await;
            store.end_device(device(1), EndReason::Revoked);
        })
    }

    fn tail(&self) -> Task {
        let store = Arc::clone(&self.store);
        let tail = Tail::new(
            store,
            Arc::clone(&self.registry),
            Box::new(|_| {}),
            Duration::ZERO,
            Arc::clone(&METRICS),
        );
        Box::pin(async move { tail.run().await })
    }

    /// No session lives on under an epoch that is past.
    fn into_world(self, tasks: Vec<Task>) -> World {
        let check = move || {
            let present = self.store.epoch_now(device(1));
            let answered = self.answered.lock().unwrap();
            answered
                .iter()
                .all(|(session, verified)| Some(*verified) == present || told(session).is_some())
        };
        World {
            tasks,
            check: Box::new(check),
        }
    }
}

fn explore_scene(tasks: impl Fn(&Scene) -> Vec<Task>) -> Explored {
    explore(|| {
        let scene = Scene::new();
        let tasks = tasks(&scene);
        scene.into_world(tasks)
    })
}

fn assert_safe(explored: &Explored, at_least: usize) {
    assert!(explored.violation.is_none(), "{explored:?}");
    assert!(explored.schedules >= at_least, "only {} schedules", explored.schedules);
}

#[test]
fn no_interleaving_of_login_and_revocation_leaves_a_session_inside() {
    for admit in [real as Admit, real_sender] {
        let explored =
            explore_scene(|scene| vec![scene.login(admit), scene.end_device(EndReason::Revoked), scene.tail()]);
        assert_safe(&explored, 100);
    }
}

#[test]
fn no_interleaving_with_two_revocations_leaves_a_session_inside() {
    let explored = explore_scene(|scene| {
        vec![
            scene.login(real),
            scene.end_device(EndReason::Narrowed),
            scene.end_mailbox(),
            scene.tail(),
        ]
    });
    assert_safe(&explored, 1000);
}

#[test]
fn no_interleaving_of_two_logins_and_a_revocation_leaves_a_session_inside() {
    let explored = explore_scene(|scene| {
        vec![
            scene.login(real),
            scene.login(real),
            scene.end_device(EndReason::Revoked),
            scene.tail(),
        ]
    });
    assert_safe(&explored, 1000);
}

#[test]
fn no_interleaving_of_login_and_replacement_leaves_the_old_password_inside() {
    let outcomes = Arc::new(Mutex::new(BTreeSet::new()));
    let explored = explore(|| {
        let scene = Scene::new();
        let tasks = vec![scene.login(real), scene.end_device(EndReason::Replaced), scene.tail()];
        let (answered, outcomes) = (Arc::clone(&scene.answered), Arc::clone(&outcomes));
        let World { tasks, check } = scene.into_world(tasks);
        let check = move || {
            let told = answered.lock().unwrap().first().map(|(session, _)| told(session));
            outcomes.lock().unwrap().insert(format!("{told:?}"));
            check()
        };
        World {
            tasks,
            check: Box::new(check),
        }
    });
    assert_safe(&explored, 100);
    let outcomes: Vec<_> = outcomes.lock().unwrap().iter().cloned().collect();
    assert_eq!(
        outcomes,
        ["None", "Some(None)", "Some(Some(Replaced))"],
        "refused, inside, told to end: all occur"
    );
}

#[test]
fn the_exploration_finds_a_login_that_does_not_read_the_epoch_again() {
    let explored = explore_scene(|scene| {
        vec![
            scene.login(without_reading_again),
            scene.end_device(EndReason::Revoked),
            scene.tail(),
        ]
    });
    assert!(explored.violation.is_some(), "{explored:?}");
}

#[test]
fn the_exploration_finds_a_login_that_reads_the_epoch_before_it_registers() {
    let explored = explore_scene(|scene| {
        vec![
            scene.login(reading_before_registering),
            scene.end_device(EndReason::Revoked),
            scene.tail(),
        ]
    });
    assert!(explored.violation.is_some(), "{explored:?}");
}

#[test]
fn the_exploration_finds_a_revocation_that_ends_sessions_before_it_commits() {
    let explored = explore_scene(|scene| vec![scene.login(real), scene.end_before_commit()]);
    assert!(explored.violation.is_some(), "{explored:?}");
}
