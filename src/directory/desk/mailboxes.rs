//! The organisation itself, its mail domains, mailboxes and aliases, and finding things.

use super::super::Error;
use super::super::mailboxes::parse;
use super::super::orgs::unknown_domain;
use super::super::rights::Operation;
use super::{Acting, Desk};
use crate::clock::Timestamp;
use crate::model::{Address, Alias, AliasId, DomainId, MailDomain, Mailbox, MailboxId, Org};
use crate::store::{Actor, Found, MailboxQuery, MailboxRow, Overview, Page, Seq};

impl Desk {
    /// The organisation in numbers.
    ///
    /// # Errors
    /// Whoever acts may not see it.
    pub async fn overview(&self, acting: &Acting, unused_since: Timestamp) -> Result<Overview, Error> {
        self.allow(acting, Operation::OrgRead).await?;
        Ok(self.store().overview(acting.org.id, unused_since).await?)
    }

    /// Mailboxes, aliases, members and devices whose name contains this, as far as whoever acts may see them.
    ///
    /// # Errors
    /// Whoever acts is no member any more.
    pub async fn search(&self, acting: &Acting, text: &str, limit: u32) -> Result<Vec<Found>, Error> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        if self.allow(acting, Operation::MemberRead).await.is_ok() {
            return Ok(self.store().search(acting.org.id, text, limit).await?);
        }
        let lower = text.to_lowercase();
        let grants = self.granted(acting).await?;
        let mine = grants
            .into_iter()
            .filter(|grant| grant.address.as_str().contains(&lower));
        let mine = mine.map(|grant| Found::Mailbox {
            id: grant.mailbox,
            address: grant.address,
        });
        Ok(mine.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    /// Gives the organisation another name than the one that was seen.
    ///
    /// # Errors
    /// Whoever acts may not, the name is taken or cannot be accepted, or it has another one by now.
    pub async fn rename_org(&self, acting: &Acting, from: &str, to: &str) -> Result<Org, Error> {
        let actor = self.allow(acting, Operation::OrgEdit).await?;
        Ok(self.store().rename_org(&actor, acting.org.id, from, to).await?)
    }

    /// The mail domains, by name.
    ///
    /// # Errors
    /// Whoever acts may not see them.
    pub async fn domains(&self, acting: &Acting) -> Result<Vec<MailDomain>, Error> {
        self.allow(acting, Operation::OrgRead).await?;
        self.directory.domains(Some(acting.org.id)).await
    }

    /// Adds a mail domain.
    ///
    /// # Errors
    /// Whoever acts may not, or it is none, or known already.
    pub async fn create_domain(&self, acting: &Acting, name: &str) -> Result<MailDomain, Error> {
        let actor = self.allow(acting, Operation::DomainCreate).await?;
        self.may_take_domains().await?;
        self.directory.create_domain(&actor, &acting.org, name).await
    }

    /// Removes a mail domain that has no mailboxes and aliases.
    ///
    /// # Errors
    /// Whoever acts may not, there is none with this id here, or it still has some.
    pub async fn delete_domain(&self, acting: &Acting, id: DomainId) -> Result<(), Error> {
        let actor = self.allow(acting, Operation::DomainDelete).await?;
        let domains = self.directory.domains(Some(acting.org.id)).await?;
        if !domains.iter().any(|domain| domain.id == id) {
            return Err(Error::Unknown { what: "mail domain" });
        }
        Ok(self.store().delete_domain(&actor, id).await?)
    }

    /// Mailboxes of the whole organisation, by address. Members see theirs in [`Desk::my_grants`].
    ///
    /// # Errors
    /// Whoever acts may not see them all.
    pub async fn mailboxes(&self, acting: &Acting, query: &MailboxQuery) -> Result<Page<MailboxRow, Address>, Error> {
        self.allow(acting, Operation::OrgRead).await?;
        Ok(self.store().mailbox_page(acting.org.id, query).await?)
    }

    /// One mailbox.
    ///
    /// # Errors
    /// There is none with this id here that whoever acts may see.
    pub async fn mailbox(&self, acting: &Acting, id: MailboxId) -> Result<MailboxRow, Error> {
        Ok(self.allow_on(acting, Operation::MailboxRead, id).await?.1)
    }

    /// Creates a mailbox in one of the organisation's mail domains.
    ///
    /// # Errors
    /// Whoever acts may not, the address is none or taken, or its domain is not one of theirs.
    pub async fn create_mailbox(&self, acting: &Acting, address: &str) -> Result<Mailbox, Error> {
        let actor = self.allow(acting, Operation::MailboxCreate).await?;
        let address = parse(address)?;
        self.must_be_own_domain(acting, &address).await?;
        self.must_not_be_a_sign_in(acting, Operation::MailboxCreate, &address)
            .await?;
        self.directory.create_mailbox(&actor, address.as_str()).await
    }

    /// A domain of another organisation answers like an unknown one, and only own ones are named as similar.
    async fn must_be_own_domain(&self, acting: &Acting, address: &Address) -> Result<(), Error> {
        let domains = self.directory.domains(Some(acting.org.id)).await?;
        let name = address.domain();
        if domains.iter().any(|domain| domain.name == name) {
            Ok(())
        } else {
            Err(unknown_domain(name, &domains))
        }
    }

    /// Refuses every login of a mailbox and ends its sessions.
    ///
    /// # Errors
    /// Whoever acts may not, or there is none with this id here.
    pub async fn suspend_mailbox(&self, acting: &Acting, id: MailboxId) -> Result<Seq, Error> {
        let (actor, row) = self.allow_on(acting, Operation::MailboxSuspend, id).await?;
        Ok(self.store().set_mailbox_suspended(&actor, row.mailbox.id, true).await?)
    }

    /// Lets a suspended mailbox log in again.
    ///
    /// # Errors
    /// Whoever acts may not, or there is none with this id here.
    pub async fn resume_mailbox(&self, acting: &Acting, id: MailboxId) -> Result<Seq, Error> {
        let (actor, row) = self.allow_on(acting, Operation::MailboxResume, id).await?;
        Ok(self
            .store()
            .set_mailbox_suspended(&actor, row.mailbox.id, false)
            .await?)
    }

    /// Deletes a mailbox with its devices and aliases.
    ///
    /// # Errors
    /// Whoever acts may not, or there is none with this id here.
    pub async fn delete_mailbox(&self, acting: &Acting, id: MailboxId) -> Result<Seq, Error> {
        let (actor, row) = self.allow_on(acting, Operation::MailboxDelete, id).await?;
        Ok(self.store().delete_mailbox(&actor, row.mailbox.id).await?)
    }

    /// The aliases of a mailbox, by address.
    ///
    /// # Errors
    /// There is no such mailbox here that whoever acts may see.
    pub async fn aliases(&self, acting: &Acting, mailbox: MailboxId) -> Result<Vec<Alias>, Error> {
        self.allow_on(acting, Operation::MailboxRead, mailbox).await?;
        self.directory.aliases(Some(mailbox), None).await
    }

    /// Adds an alias of a mailbox.
    ///
    /// # Errors
    /// Whoever acts may not, there is no such mailbox here, or the address is none, taken, or of a foreign domain.
    pub async fn create_alias(&self, acting: &Acting, mailbox: MailboxId, alias: &str) -> Result<Alias, Error> {
        let (actor, row) = self.allow_on(acting, Operation::AliasCreate, mailbox).await?;
        let alias = parse(alias)?;
        self.must_be_a_mere_alias(acting, &row.mailbox, &alias).await?;
        self.must_be_own_domain(acting, &alias).await?;
        self.must_not_be_a_sign_in(acting, Operation::AliasCreate, &alias)
            .await?;
        Ok(self.store().create_alias(&actor, &alias, row.mailbox.id).await?)
    }

    /// Removes an alias of a mailbox.
    ///
    /// # Errors
    /// Whoever acts may not, or the mailbox has no such alias.
    pub async fn delete_alias(&self, acting: &Acting, mailbox: MailboxId, alias: AliasId) -> Result<Seq, Error> {
        let (actor, row) = self.allow_on(acting, Operation::AliasDelete, mailbox).await?;
        self.delete_alias_of(&actor, &row.mailbox, alias).await
    }

    async fn delete_alias_of(&self, actor: &Actor, mailbox: &Mailbox, alias: AliasId) -> Result<Seq, Error> {
        let aliases = self.directory.aliases(Some(mailbox.id), None).await?;
        if !aliases.iter().any(|known| known.id == alias) {
            return Err(Error::Unknown { what: "alias" });
        }
        Ok(self.store().delete_alias(actor, alias).await?)
    }
}
