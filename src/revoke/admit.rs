//! The login's half of the ordering rule (see the module's head).

use std::sync::Arc;

use super::registry::{LiveSession, Registry, SessionInfo};
use crate::model::Address;
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
    let (device, mailbox) = (info.device, info.mailbox);
    let again = async { Ok(store.epoch(device, mailbox).await?.map(|epoch| (epoch, ()))) };
    let (session, ()) = admit_by(registry, verified_epoch, info, again).await?;
    Ok(session)
}

/// As [`admit`], for a session whose senders are checked: the mailbox's addresses are read with the epoch.
///
/// # Errors
/// As [`admit`].
pub async fn admit_sender(
    registry: &Arc<Registry>,
    store: &dyn CredentialStore,
    verified_epoch: Epoch,
    info: SessionInfo,
) -> Result<(LiveSession, Vec<Address>), NotAdmitted> {
    let again = store.epoch_and_senders(info.device, info.mailbox);
    admit_by(registry, verified_epoch, info, again).await
}

/// The rule. `again` is the second reading, which begins only when it is first polled.
async fn admit_by<T>(
    registry: &Arc<Registry>,
    verified_epoch: Epoch,
    info: SessionInfo,
    again: impl Future<Output = Result<Option<(Epoch, T)>, Error>>,
) -> Result<(LiveSession, T), NotAdmitted> {
    // This order is the rule: whoever ends sessions after our reading finds this one.
    let session = registry.register(info);
    match again.await {
        Ok(Some((present, read))) if present == verified_epoch => Ok((session, read)),
        Ok(_) => Err(NotAdmitted::Ended),
        Err(error) => Err(NotAdmitted::Store(error)),
    }
}
