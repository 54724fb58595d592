//! Test messages, so many a minute for each device: each is a connection to ourselves and a mail to somebody.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::DeviceId;

/// What "a minute" is.
const SPAN: Duration = Duration::from_secs(60);
/// For one device in that time.
const OF_ONE: usize = 3;
/// For all devices in that time.
const OF_ALL: usize = 60;

/// When each device's test messages of the last minute were sent.
#[derive(Debug, Default)]
pub(super) struct Paced(Mutex<HashMap<DeviceId, Vec<Instant>>>);

impl Paced {
    /// Whether one may be sent now; it counts then.
    pub(super) fn take(&self, device: DeviceId, now: Instant) -> bool {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.retain(|_, times| {
            times.retain(|at| now.saturating_duration_since(*at) < SPAN);
            !times.is_empty()
        });
        let all: usize = sent.values().map(Vec::len).sum();
        let of_one = sent.get(&device).map_or(0, Vec::len);
        let may = of_one < OF_ONE && all < OF_ALL;
        if may {
            sent.entry(device).or_default().push(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_device_has_few_in_a_minute_and_all_together_not_many() {
        let (paced, now) = (Paced::default(), Clock::system().now());
        let device = DeviceId::from_raw(1);
        assert!((0..OF_ONE).all(|_| paced.take(device, now)));
        assert!(!paced.take(device, now) && paced.take(DeviceId::from_raw(2), now));
        assert!(paced.take(device, now + SPAN));
        let paced = Paced::default();
        let taken = (0..2 * OF_ALL as i64).filter(|raw| paced.take(DeviceId::from_raw(*raw), now));
        assert_eq!(taken.count(), OF_ALL);
    }
}
