//! Test messages, so many a minute for each device, person and organisation, and few at the same time: each is a connection
//! to ourselves and a mail to somebody.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::model::{DeviceId, OrgId, UserId};

/// What "a minute" is.
const SPAN: Duration = Duration::from_secs(60);
/// Of one device in that time.
const OF_DEVICE: usize = 3;
/// By one person in that time.
const OF_USER: usize = 5;
/// In one organisation in that time.
const OF_ORG: usize = 20;
/// In all in that time: what is remembered.
const OF_ALL: usize = 1000;
/// At the same time.
const RUNNING_MAX: usize = 4;

/// Whose a test message is.
type Whose = (DeviceId, UserId, OrgId);

/// The test messages of the last minute, and those on their way.
#[derive(Debug)]
pub(super) struct Paced {
    sent: Mutex<VecDeque<(Instant, Whose)>>,
    running: Semaphore,
}

impl Default for Paced {
    fn default() -> Self {
        Self {
            sent: Mutex::default(),
            running: Semaphore::new(RUNNING_MAX),
        }
    }
}

impl Paced {
    /// A place where one may be sent now, to be held until it is; it counts then.
    pub(super) fn take(&self, whose: Whose, now: Instant) -> Option<SemaphorePermit<'_>> {
        let (device, user, org) = whose;
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.retain(|(at, _)| now.saturating_duration_since(*at) < SPAN);
        let count = |is_of: &dyn Fn(&Whose) -> bool| sent.iter().filter(|(_, one)| is_of(one)).count();
        let may = count(&|one| one.0 == device) < OF_DEVICE
            && count(&|one| one.1 == user) < OF_USER
            && count(&|one| one.2 == org) < OF_ORG
            && sent.len() < OF_ALL;
        let place = may.then(|| self.running.try_acquire().ok()).flatten()?;
        sent.push_back((now, whose));
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn whose(device: i64, user: i64, org: i64) -> Whose {
        (DeviceId::from_raw(device), UserId::from_raw(user), OrgId::from_raw(org))
    }

    #[test]
    fn nobody_takes_what_others_have() {
        let (paced, now) = (Paced::default(), Clock::system().now());
        let take = |whose| paced.take(whose, now).is_some();
        assert!((0..OF_DEVICE).all(|_| take(whose(1, 1, 1))));
        assert!(!take(whose(1, 2, 1)), "the device");
        let by_user = (2..100).filter(|device| take(whose(*device, 1, 1))).count();
        assert_eq!(by_user, OF_USER - OF_DEVICE);
        let in_org = (2..100).filter(|user| take(whose(100 + user, *user, 1))).count();
        assert_eq!(in_org, OF_ORG - OF_USER);
        assert!(take(whose(1000, 1000, 2)), "another organisation");
        assert!(paced.take(whose(1, 1, 1), now + SPAN).is_some());
    }

    #[test]
    fn few_run_at_the_same_time() {
        let (paced, now) = (Paced::default(), Clock::system().now());
        let take = |number| paced.take(whose(number, number, number), now);
        let mut running: Vec<_> = (0..RUNNING_MAX as i64).map(|number| take(number).unwrap()).collect();
        assert!(take(100).is_none());
        running.pop();
        assert!(take(100).is_some());
    }
}
