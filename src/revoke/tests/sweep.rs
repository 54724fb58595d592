//! The sweeper ends idle and expired sessions, in time and never early, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use super::fake::info;
use super::told;
use crate::clock::{Clock, Timestamp};
use crate::metrics::Metrics;
use crate::peer::Protocol;
use crate::revoke::{IdleLimits, LiveSession, Registry, SWEEP_INTERVAL, SessionInfo, Sweeper};
use crate::store::EndReason;

const LIMITS: IdleLimits = IdleLimits {
    imap: Duration::from_secs(1800),
    smtp: Duration::from_secs(300),
};
/// What an idle session may get on top: until the sweeper first sees it, and until it looks again.
const LATE: Duration = Duration::from_secs(16);

/// A registry with its sweeper, on a clock that the test moves.
struct Scene {
    registry: Arc<Registry>,
    sweeper: Sweeper,
    clock: Clock,
    ended: usize,
}

impl Scene {
    fn new() -> Self {
        let (registry, clock) = (Registry::new(Arc::new(Metrics::new())), Clock::manual(Timestamp(0)));
        Self {
            sweeper: Sweeper::new(Arc::clone(&registry), clock.now()),
            registry,
            clock,
            ended: 0,
        }
    }

    fn register(&self, device: i64, change: impl FnOnce(&mut SessionInfo)) -> LiveSession {
        let mut info = info(device, device);
        change(&mut info);
        self.registry.register(info)
    }

    /// Sweeps for so long, and says how many sessions were ended in all.
    fn pass(&mut self, time: Duration) -> usize {
        for _ in 0..time.as_secs() / SWEEP_INTERVAL.as_secs() {
            self.clock.advance(SWEEP_INTERVAL);
            self.ended += self.sweeper.step(self.clock.now(), self.clock.utc(), &LIMITS);
        }
        self.ended
    }
}

#[test]
fn a_session_in_which_nothing_moves_ends_after_the_time_of_its_protocol() {
    let mut scene = Scene::new();
    let imap: Vec<_> = (0..200).map(|device| scene.register(device, |_| {})).collect();
    let smtp = scene.register(7, |info| info.protocol = Protocol::Smtp);
    assert_eq!(scene.pass(LIMITS.smtp - SWEEP_INTERVAL), 0);
    assert_eq!(scene.pass(LATE + SWEEP_INTERVAL), 1);
    assert_eq!(told(&smtp), Some(EndReason::Idle));
    assert_eq!(scene.pass(LIMITS.imap - LIMITS.smtp - LATE - SWEEP_INTERVAL), 1);
    assert_eq!(scene.pass(LATE + SWEEP_INTERVAL), 201);
    assert!(imap.iter().all(|session| told(session) == Some(EndReason::Idle)));
}

#[test]
fn octets_in_either_direction_keep_a_session_alive() {
    let mut scene = Scene::new();
    let session = scene.register(1, |_| {});
    for round in 1..=4 {
        session.note_moved(round / 2, round.div_ceil(2));
        assert_eq!(scene.pass(LIMITS.imap - SWEEP_INTERVAL), 0, "round {round}");
    }
    assert_eq!(scene.pass(LATE + SWEEP_INTERVAL), 1);
}

#[test]
fn a_session_ends_when_the_date_of_its_device_comes_and_no_other_does() {
    let mut scene = Scene::new();
    let at = |seconds: u64| Some(Timestamp(0).plus(Duration::from_secs(seconds)));
    let soon = scene.register(1, |info| info.expires_at = at(60));
    let twin = scene.register(1, |info| info.expires_at = at(60));
    let later = scene.register(2, |info| info.expires_at = at(61));
    let gone = scene.register(3, |info| info.expires_at = at(30));
    drop(gone);
    assert_eq!(scene.pass(Duration::from_secs(59)), 0);
    assert_eq!(scene.pass(SWEEP_INTERVAL), 2);
    assert_eq!(
        [&soon, &twin, &later].map(told),
        [Some(EndReason::Expired), Some(EndReason::Expired), None]
    );
    assert_eq!(scene.pass(SWEEP_INTERVAL), 3);
}

#[test]
fn a_session_of_a_device_that_expired_while_it_logged_in_ends_with_the_next_step() {
    let mut scene = Scene::new();
    scene.pass(Duration::from_secs(10));
    let late = scene.register(1, |info| info.expires_at = Some(Timestamp(1)));
    assert_eq!(scene.pass(SWEEP_INTERVAL), 1);
    assert_eq!(told(&late), Some(EndReason::Expired));
}

#[test]
fn a_session_that_was_told_before_is_not_told_again() {
    let mut scene = Scene::new();
    let session = scene.register(1, |info| info.expires_at = Some(Timestamp(1)));
    scene.registry.end_all(EndReason::Shutdown);
    assert_eq!(scene.pass(LIMITS.imap + LATE), 0);
    assert_eq!(told(&session), Some(EndReason::Shutdown));
}
