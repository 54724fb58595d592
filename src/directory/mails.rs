//! Mails in the outbox, for those who run the gateway.

use super::{Directory, Error};
use crate::audit::Actor;
use crate::model::{Mail, MailId};
use crate::store::MailFilter;

impl Directory {
    /// Lists mails, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn mails(&self, filter: &MailFilter) -> Result<Vec<Mail>, Error> {
        Ok(self.store.mails(filter).await?)
    }

    /// Withdraws a mail that waits.
    ///
    /// # Errors
    /// There is no such mail, or it does not wait any more.
    pub async fn withdraw_mail(&self, actor: &Actor, id: MailId) -> Result<(), Error> {
        Ok(self.store.withdraw_mail(actor, id).await?)
    }
}
