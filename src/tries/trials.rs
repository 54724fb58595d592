//! Connections of our own: a test message goes through the gateway as the device, and is no use of the device.
//!
//! Each gives itself a name in EHLO that nobody can guess.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Timestamp;

/// What every name begins with.
const PREFIX: &str = "test-message-";
/// What every name ends with: no host has it.
const SUFFIX: &str = ".invalid";
/// A trial is over long before.
const TRIAL_MAX: Duration = Duration::from_secs(5 * 60);
/// Names that are known.
const TRIALS_MAX: usize = 64;

/// The names in use, the oldest first.
#[derive(Default)]
pub(super) struct Trials(VecDeque<(String, Timestamp)>);

impl Trials {
    pub(super) fn begin(&mut self, random: u128, now: Timestamp) -> String {
        let begin = now.minus(TRIAL_MAX);
        self.0.retain(|(_, at)| *at >= begin);
        if self.0.len() >= TRIALS_MAX {
            self.0.pop_front();
        }
        let name = format!("{PREFIX}{random:032x}{SUFFIX}");
        self.0.push_back((name.clone(), now));
        name
    }

    pub(super) fn has(&self, client: &str) -> bool {
        client.starts_with(PREFIX) && self.0.iter().any(|(name, _)| name == client)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
