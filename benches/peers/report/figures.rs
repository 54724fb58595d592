//! Medians and spreads of a work's samples. Quiet samples count alone where there are any.

use std::collections::BTreeMap;

use crate::proxies::Peer;
use crate::rounds::{Sample, WorkResult};

/// The figures of one work.
pub(crate) struct Figures {
    values: BTreeMap<(Peer, &'static str), Vec<f64>>,
    /// Peers of which no sample was quiet.
    pub(crate) disturbed: Vec<Peer>,
}

impl Figures {
    /// Sorts a work's samples.
    pub(crate) fn of(result: &WorkResult) -> Self {
        let mut values: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        let mut disturbed = Vec::new();
        for (&peer, samples) in &result.samples {
            let quiet: Vec<&Sample> = samples.iter().filter(|sample| !sample.disturbance.is_much()).collect();
            if quiet.is_empty() {
                disturbed.push(peer);
            }
            let counted = if quiet.is_empty() {
                samples.iter().collect()
            } else {
                quiet
            };
            for (&key, &value) in counted.iter().flat_map(|sample| &sample.values) {
                values.entry((peer, key)).or_default().push(value);
            }
        }
        values.values_mut().for_each(|values| values.sort_by(f64::total_cmp));
        Self { values, disturbed }
    }

    /// The median.
    pub(crate) fn median(&self, peer: Peer, key: &'static str) -> Option<f64> {
        let values = self.values.get(&(peer, key))?;
        let upper = values.get(values.len() / 2)?;
        let lower = values.get((values.len() - 1) / 2)?;
        Some(f64::midpoint(*lower, *upper))
    }

    /// The smallest and the largest value.
    pub(crate) fn spread(&self, peer: Peer, key: &'static str) -> Option<(f64, f64)> {
        let values = self.values.get(&(peer, key))?;
        Some((*values.first()?, *values.last()?))
    }

    /// How many samples count.
    pub(crate) fn count(&self, peer: Peer, key: &'static str) -> usize {
        self.values.get(&(peer, key)).map_or(0, Vec::len)
    }
}

/// A number with three significant digits.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        large if large >= 100.0 => format!("{value:.0}"),
        large if large >= 10.0 => format!("{value:.1}"),
        large if large >= 1.0 => format!("{value:.2}"),
        large if large >= 0.1 => format!("{value:.3}"),
        _ => format!("{value:.4}"),
    }
}
