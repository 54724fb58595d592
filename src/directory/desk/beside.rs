//! What pages show beside the thing that they are about: whether its form may be shown at all, who people in the audit log
//! are, who has access to each mailbox of a list, and what happened to one device.

use std::collections::HashMap;

use super::super::Error;
use super::super::rights::Operation;
use super::{Acting, Desk};
use crate::model::{Address, DeviceId, DomainId, MailboxId, OrgId, UserId};
use crate::store::{AuditFilter, AuditPage, AuditRow, MailboxRow, Seq};

/// How an audit row names a user ([`Actor::user`](crate::store::Actor::user)).
const USER: &str = "user:";

/// What people are called whom audit rows name.
#[derive(Debug, Default)]
pub struct Names(HashMap<NameKey, String>);

/// How a row names somebody, and who it was, where the row knows.
type NameKey = (String, Option<UserId>);

impl Names {
    /// Who acted, and on whose behalf. The row's user is the one of the two that is a person; where both are, the first.
    fn keys(row: &AuditRow) -> [Option<NameKey>; 2] {
        let (who, behalf) = (&row.actor.who, row.actor.behalf.as_ref());
        let is_person = who.starts_with(USER);
        [
            Some((who.clone(), row.actor.user.filter(|_| is_person))),
            behalf.map(|behalf| (behalf.clone(), row.actor.user.filter(|_| !is_person))),
        ]
    }

    /// The name of whoever acted.
    pub fn who(&self, row: &AuditRow) -> Option<&str> {
        let [who, _] = Self::keys(row);
        self.0.get(&who?).map(String::as_str)
    }

    /// The name of whoever it was done for.
    pub fn behalf(&self, row: &AuditRow) -> Option<&str> {
        let [_, behalf] = Self::keys(row);
        self.0.get(&behalf?).map(String::as_str)
    }
}

impl Desk {
    /// Whether an operation on the organisation as a whole is allowed, before its form is shown. Doing it asks again.
    ///
    /// # Errors
    /// It is not.
    pub async fn check(&self, acting: &Acting, operation: Operation) -> Result<(), Error> {
        self.allow(acting, operation).await.map(|_| ())
    }

    /// Whether any of these operations on one mailbox is allowed, before its form is shown. Doing it asks again.
    ///
    /// # Errors
    /// There is no such mailbox here that whoever acts may see, or none of them is allowed: the refusal is the first one's.
    pub async fn check_on(
        &self,
        acting: &Acting,
        operations: &[Operation],
        mailbox: MailboxId,
    ) -> Result<MailboxRow, Error> {
        let (_, row) = self.allow_on(acting, Operation::MailboxRead, mailbox).await?;
        let mut refused = None;
        for operation in operations {
            match self.allow_any(acting, &[*operation], &row.mailbox).await {
                Ok(_) => return Ok(row),
                Err(error @ Error::Forbidden(_)) => refused = refused.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        refused.map_or(Ok(row), Err)
    }

    /// The number of the latest change: what a change of one's own ends comes after it.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn latest_change(&self) -> Result<Seq, Error> {
        Ok(self.store().latest_change().await?)
    }

    /// What the people are called who did what these rows tell, by how the rows name them. Whoever may read the rows may
    /// know it; who is no user any more has no name here.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn names_in(&self, rows: &[AuditRow]) -> Result<Names, Error> {
        let mut names = Names::default();
        for row in rows {
            for key in Names::keys(row).into_iter().flatten() {
                if names.0.contains_key(&key) {
                    continue;
                }
                let name = match key.1 {
                    Some(user) => self.store().user(user).await?.map(|user| user.name),
                    None => self.name_of(&key.0).await?,
                };
                names.0.extend(name.map(|name| (key, name)));
            }
        }
        Ok(names)
    }

    /// What the person is called whom an audit row or a [`Stale`](crate::store::Error::Stale) names.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn name_of(&self, who: &str) -> Result<Option<String>, Error> {
        let Some(address) = who.strip_prefix(USER).and_then(|address| Address::parse(address).ok()) else {
            return Ok(None);
        };
        Ok(self.store().user_by_address(&address).await?.map(|user| user.name))
    }

    /// Who has access to each of these mailboxes: at most `most` names of each, for a list of which whoever acts may see
    /// all rows.
    ///
    /// # Errors
    /// Whoever acts may not see who has access to mailboxes.
    pub async fn people_on(
        &self,
        acting: &Acting,
        mailboxes: impl Iterator<Item = MailboxId> + Send,
        most: usize,
    ) -> Result<HashMap<MailboxId, Vec<String>>, Error> {
        self.allow(acting, Operation::GrantRead).await?;
        let mut people = HashMap::new();
        for mailbox in mailboxes {
            let grants = self.store().grants_on(acting.org.id, mailbox).await?;
            people.insert(mailbox, grants.into_iter().take(most).map(|row| row.name).collect());
        }
        Ok(people)
    }

    /// What was done to one device, newest first.
    ///
    /// # Errors
    /// There is none with this id here that whoever acts may see.
    pub async fn device_activity(
        &self,
        acting: &Acting,
        device: DeviceId,
        action: Option<&str>,
        limit: u32,
    ) -> Result<AuditPage, Error> {
        let row = self.device(acting, device).await?;
        let filter = AuditFilter {
            org: Some(acting.org.id),
            mailbox: Some(row.device.mailbox),
            subject: Some(device.to_string()),
            action: action.map(str::to_owned),
            limit,
            ..AuditFilter::default()
        };
        Ok(self.store().audit_page(&filter).await?)
    }

    /// How many mailboxes each mail domain has.
    ///
    /// # Errors
    /// Whoever acts may not see the mail domains.
    pub async fn mailboxes_by_domain(&self, acting: &Acting) -> Result<HashMap<DomainId, u32>, Error> {
        self.allow(acting, Operation::OrgRead).await?;
        let org: OrgId = acting.org.id;
        Ok(self.store().mailboxes_by_domain(org).await?.into_iter().collect())
    }
}
