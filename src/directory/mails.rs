//! Mails in the outbox, for those who run the gateway.

use super::{Directory, Error};
use crate::audit::Actor;
use crate::model::{DeviceLink, Mail, MailId};
use crate::store::MailFilter;

impl Directory {
    /// Lists mails, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn mails(&self, filter: &MailFilter) -> Result<Vec<Mail>, Error> {
        Ok(self.store.mails(filter).await?)
    }

    /// The newest mail with a set-up link. One without any was handed over, or its mail could not be written.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn mail_of_link(&self, link: &DeviceLink) -> Result<Option<Mail>, Error> {
        if link.recipient.is_none() {
            return Ok(None);
        }
        let filter = MailFilter {
            org: Some(link.org),
            link: Some(link.id),
            limit: 1,
            ..MailFilter::default()
        };
        Ok(self.store.mails(&filter).await?.pop())
    }

    /// Withdraws a mail that waits.
    ///
    /// # Errors
    /// There is no such mail, or it does not wait any more.
    pub async fn withdraw_mail(&self, actor: &Actor, id: MailId) -> Result<(), Error> {
        Ok(self.store.withdraw_mail(actor, id).await?)
    }
}
