//! The login's half of the ordering rule (see the module's head).

use std::sync::Arc;

use super::registry::{LiveSession, Registry, SessionInfo};
use crate::store::{CredentialStore, Epoch, Error};

/// Why a verified login was not admitted.
#[derive(Debug)]
pub enum NotAdmitted {
    /// Something was taken away since verification.
    Ended,
    /// The store did not answer; whether something was taken away is not known, so nobody is let in.
    Store(Error),
}

/// Registers the session, then reads the epoch again; only a caller who holds the returned session may answer OK.
///
/// # Errors
/// The epoch differs from the verified one, or cannot be read; the session is then no longer registered.
pub async fn admit(
    registry: &Arc<Registry>,
    store: &dyn CredentialStore,
    verified_epoch: Epoch,
    info: SessionInfo,
) -> Result<LiveSession, NotAdmitted> {
    let device = info.device;
    // This order is the rule: whoever ends sessions after our reading finds this one.
    let session = registry.register(info);
    match store.epoch(device).await {
        Ok(Some(present)) if present == verified_epoch => Ok(session),
        Ok(_) => Err(NotAdmitted::Ended),
        Err(error) => Err(NotAdmitted::Store(error)),
    }
}
