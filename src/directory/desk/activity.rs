//! What was done, by whom: of the organisation, of one mailbox, and single rows by their number.

use super::super::Error;
use super::super::rights::Operation;
use super::{Acting, Desk};
use crate::model::MailboxId;
use crate::store::{AuditFilter, AuditPage, AuditRow};

const UNKNOWN_ENTRY: Error = Error::Unknown { what: "entry" };

impl Desk {
    /// A page of the organisation's audit log, newest first, by the rest of the filter.
    ///
    /// # Errors
    /// Whoever acts may not read it.
    pub async fn activity(&self, acting: &Acting, filter: AuditFilter) -> Result<AuditPage, Error> {
        self.allow(acting, Operation::AuditRead).await?;
        let filter = AuditFilter {
            org: Some(acting.org.id),
            ..filter
        };
        Ok(self.store().audit_page(&filter).await?)
    }

    /// What was done to a mailbox: the people who use it see what administrators did to it.
    ///
    /// # Errors
    /// There is no such mailbox here that whoever acts may see.
    pub async fn mailbox_activity(
        &self,
        acting: &Acting,
        mailbox: MailboxId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<AuditPage, Error> {
        self.allow_on(acting, Operation::MailboxActivity, mailbox).await?;
        let filter = AuditFilter {
            org: Some(acting.org.id),
            mailbox: Some(mailbox),
            before,
            limit,
            ..AuditFilter::default()
        };
        Ok(self.store().audit_page(&filter).await?)
    }

    /// One row by its number.
    ///
    /// # Errors
    /// There is none with this number here that whoever acts may see.
    pub async fn activity_entry(&self, acting: &Acting, number: i64) -> Result<AuditRow, Error> {
        let row = self
            .store()
            .audit_row(Some(acting.org.id), number)
            .await?
            .ok_or(UNKNOWN_ENTRY)?;
        match self.allow(acting, Operation::AuditRead).await {
            Ok(_) => return Ok(row),
            Err(Error::Forbidden(_)) => {}
            Err(error) => return Err(error),
        }
        let mailbox = row.mailbox.ok_or(UNKNOWN_ENTRY)?;
        match self.allow_on(acting, Operation::MailboxActivity, mailbox).await {
            Ok(_) => Ok(row),
            Err(Error::Forbidden(_) | Error::Unknown { .. }) => Err(UNKNOWN_ENTRY),
            Err(error) => Err(error),
        }
    }
}
