//! Which notices of devices an organisation sends by mail.

use super::{Directory, Error};
use crate::model::{NoticesOff, OrgId};
use crate::store::Actor;

impl Directory {
    /// What an organisation has switched off.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn notices_off(&self, org: OrgId) -> Result<NoticesOff, Error> {
        Ok(self.store.notices_off(org).await?)
    }

    /// Switches notices off and on, from what was seen to be switched off.
    ///
    /// # Errors
    /// Something else is switched off by now.
    pub async fn set_notices_off(
        &self,
        actor: &Actor,
        org: OrgId,
        from: NoticesOff,
        to: NoticesOff,
    ) -> Result<(), Error> {
        Ok(self.store.set_notices_off(actor, org, from, to).await?)
    }
}
