//! The control plane: every change exists once, here. Console, API and command line call it.
//!
//! It reads what people write (addresses, names, `address/label`), finds what they mean or says what they may have
//! meant, and makes passwords. The rules that only the store can see (uniqueness, what counts as taking away) live in
//! the store, in the transaction of the change; nothing here is decided twice. Nothing here ends a session: that is
//! `revoke`, which hears of every change by the change log.

mod devices;
mod error;
mod explain;
mod import;
mod mailboxes;
mod mails;
mod orgs;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::Semaphore;

pub use devices::DeviceSpec;
pub use error::Error;
pub use explain::AddressMeaning;
pub use import::RowError;

use crate::clock::Clock;
use crate::keys::Keyring;
use crate::store::{AuditFilter, AuditRow, Store};
use crate::verify::hash::Params;

/// Passwords that are hashed at the same time here: each takes the memory of one Argon2id run, beside the lanes.
const HASHES_AT_ONCE: usize = 1;

/// All operations.
pub struct Directory {
    store: Arc<dyn Store>,
    keys: Arc<Keyring>,
    clock: Clock,
    params: Params,
    hashing: Semaphore,
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory")
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

impl Directory {
    /// A directory over this store; new passwords are hashed with the current key and these parameters.
    pub fn new(store: Arc<dyn Store>, keys: Arc<Keyring>, clock: Clock, params: Params) -> Self {
        Self {
            store,
            keys,
            clock,
            params,
            hashing: Semaphore::new(HASHES_AT_ONCE),
        }
    }

    /// Reads audit rows, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, Error> {
        Ok(self.store.audit_rows(filter).await?)
    }
}
