//! Which notices of devices an organisation sends by mail.

use super::super::Error;
use super::super::rights::Operation;
use super::{Acting, Desk};
use crate::model::NoticesOff;

impl Desk {
    /// What the organisation has switched off: every member may know why they get mails, or none.
    ///
    /// # Errors
    /// Whoever acts is no member any more.
    pub async fn notices_off(&self, acting: &Acting) -> Result<NoticesOff, Error> {
        self.allow(acting, Operation::NoticeRead).await?;
        self.directory.notices_off(acting.org.id).await
    }

    /// Switches notices off and on, from what was seen to be switched off.
    ///
    /// # Errors
    /// Whoever acts may not, or something else is switched off by now.
    pub async fn set_notices_off(&self, acting: &Acting, from: NoticesOff, to: NoticesOff) -> Result<(), Error> {
        let actor = self.allow(acting, Operation::NoticeChange).await?;
        self.directory.set_notices_off(&actor, acting.org.id, from, to).await
    }
}
