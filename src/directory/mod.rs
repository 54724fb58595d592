//! The control plane: every change exists once, here. Console, API and command line call it.
//!
//! It reads what people write (addresses, names, `address/label`), finds what they mean or says what they may have
//! meant, and makes passwords. The rules that only the store can see (uniqueness, what counts as taking away) live in
//! the store, in the transaction of the change; nothing here is decided twice. Nothing here ends a session: that is
//! `revoke`, which hears of every change by the change log.
//!
//! What is here acts as the machine and asks nobody for rights: that is for the command line. People come to the [`Desk`],
//! which asks the table (`rights`) and then does the same. What it tells people by mail are letters (`letter`).

pub mod desk;
mod device_links;
mod devices;
mod error;
mod explain;
pub mod export;
mod import;
mod invitations;
pub mod letter;
mod lookup;
mod mailboxes;
mod mails;
mod notices;
mod orgs;
mod people;
mod post;
pub mod rights;
mod turns;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use desk::Desk;
pub use device_links::LinkTerms;
pub use devices::DeviceSpec;
pub use error::Error;
pub use explain::AddressMeaning;
pub use import::RowError;
pub use invitations::{Invite, TokenSpec};
pub use people::TIDIED_MAX;
pub use rights::Operation;

pub use crate::store::FirstOrg;

use self::turns::Turns;
use crate::clock::Clock;
use crate::identity::Lifetimes;
use crate::keys::Keyring;
use crate::store::{AuditFilter, AuditRow, Store};
use crate::verify::hash::Params;

/// All operations.
pub struct Directory {
    store: Arc<dyn Store>,
    keys: Arc<Keyring>,
    clock: Clock,
    params: Params,
    lifetimes: Lifetimes,
    hashing: Turns,
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
            lifetimes: Lifetimes::default(),
            hashing: Turns::new(),
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
