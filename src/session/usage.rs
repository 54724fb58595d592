//! Remembers when a device was used, off the login path.
//!
//! A login leaves its trace in a bounded map; a task writes the map to the store in one transaction every so often.
//! When the store does not take it, the traces wait; when the map is full, new traces are dropped and counted as a
//! store error: a login never waits for its own trace.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::metrics::Metrics;
use crate::model::DeviceId;
use crate::model::device::Use;
use crate::store::{CredentialStore, DeviceUse};

/// Devices whose latest use waits to be written.
const MAX_WAITING: usize = 100_000;

/// Uses on their way to the store.
pub struct Usage {
    waiting: Mutex<HashMap<DeviceId, Use>>,
    store: Arc<dyn CredentialStore>,
    metrics: Arc<Metrics>,
}

impl Usage {
    /// Nothing waits yet.
    pub fn new(store: Arc<dyn CredentialStore>, metrics: Arc<Metrics>) -> Self {
        Self {
            waiting: Mutex::default(),
            store,
            metrics,
        }
    }

    /// Notes a use; a later one of the same device takes its place.
    pub fn note(&self, device: DeviceId, usage: Use) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MAX_WAITING && !waiting.contains_key(&device) {
            self.metrics.store_errors.inc();
            return;
        }
        waiting.insert(device, usage);
    }

    /// Writes what waits; keeps it where the store refuses.
    pub async fn flush(&self) {
        let taken = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if taken.is_empty() {
            return;
        }
        let uses: Vec<DeviceUse> = taken
            .into_iter()
            .map(|(device, usage)| DeviceUse { device, usage })
            .collect();
        if let Err(error) = self.store.record_uses(&uses).await {
            self.metrics.store_errors.inc();
            tracing::error!(error = %error, uses = uses.len(), "uses not written yet");
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            for DeviceUse { device, usage } in uses {
                if waiting.len() < MAX_WAITING {
                    waiting.entry(device).or_insert(usage);
                }
            }
        }
    }
}
