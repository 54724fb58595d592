//! A bounded map of tries: the newest of each key, and of all keys those that were tried last.

use std::collections::HashMap;
use std::hash::Hash;

use super::{TRIES_MAX, Tried};
use crate::clock::Timestamp;

/// The newest try of each key.
pub(super) struct Recent<K>(HashMap<K, Tried>);

impl<K> Default for Recent<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Recent<K> {
    /// Takes the place of what was known of this key.
    pub(super) fn note(&mut self, key: K, tried: Tried) {
        if self.0.len() >= TRIES_MAX && !self.0.contains_key(&key) {
            self.forget_older_half();
        }
        self.0.insert(key, tried);
    }

    pub(super) fn get(&self, key: &K) -> Option<&Tried> {
        self.0.get(key)
    }

    /// A half at once, so that a flood of names does not pay for this with each of them.
    fn forget_older_half(&mut self) {
        let mut times: Vec<_> = self.0.values().map(|tried| tried.at).collect();
        let middle = times.len() / 2;
        let (_, middle, _) = times.select_nth_unstable(middle);
        let middle = *middle;
        self.0.retain(|_, tried| tried.at > middle);
    }

    pub(super) fn forget_before(&mut self, begin: Timestamp) {
        self.0.retain(|_, tried| tried.at >= begin);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
