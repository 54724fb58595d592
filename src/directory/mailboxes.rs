//! Mailboxes and aliases.

use super::orgs::unknown_domain;
use super::{Directory, Error};
use crate::model::near::nearest;
use crate::model::{Address, Alias, DomainId, Mailbox, MailboxId, OrgId};
use crate::secret::SecretBytes;
use crate::store::{self, Actor, Seq};

/// Mailboxes that are read at once.
const PAGE: u32 = 10_000;
/// Mailboxes of a domain that are searched for one with a similar name.
const NEAR_SEARCHED_MAX: u32 = 10_000;

impl Directory {
    /// Creates a mailbox in a known domain. It has no password: nobody can log in until it gets a device.
    ///
    /// # Errors
    /// The address is taken, cannot be accepted, or lies in an unknown domain.
    pub async fn create_mailbox(&self, actor: &Actor, address: &str) -> Result<Mailbox, Error> {
        let address = parse(address)?;
        match self.store.create_mailbox(actor, &address).await {
            Err(error) => Err(self.about_domain_of(&address, error).await?),
            created => Ok(created?),
        }
    }

    /// Finds a mailbox by its address or its id.
    ///
    /// # Errors
    /// There is none; an alias is told with the mailbox it belongs to, an unknown address with one that is similar.
    pub async fn find_mailbox(&self, address: &str) -> Result<Mailbox, Error> {
        if let Ok(id) = address.trim().parse::<MailboxId>() {
            return self.mailbox_by_id(id).await;
        }
        let address = parse(address)?;
        match self.store.mailbox(&address).await? {
            Some(mailbox) => Ok(mailbox),
            None => Err(self.no_mailbox(address).await?),
        }
    }

    /// The store finds a mailbox in its organisation only.
    async fn mailbox_by_id(&self, id: MailboxId) -> Result<Mailbox, Error> {
        for org in self.store.orgs().await? {
            if let Some(row) = self.store.mailbox_in(org.id, id).await? {
                return Ok(row.mailbox);
            }
        }
        Err(Error::Unknown { what: "mailbox" })
    }

    /// Why there is no mailbox with this address.
    async fn no_mailbox(&self, address: Address) -> Result<Error, Error> {
        if let Some(alias) = self.store.alias(&address).await? {
            return Ok(Error::IsAlias {
                alias: alias.address,
                target: alias.target,
            });
        }
        match self.domain_of(&address).await {
            Ok(domain) => {
                let near = self.near_mailbox(&address, domain).await?;
                Ok(Error::UnknownMailbox { address, near })
            }
            Err(error) => Ok(error),
        }
    }

    /// Where something was not found because the domain of an address is unknown: says so, with one that is similar.
    async fn about_domain_of(&self, address: &Address, error: store::Error) -> Result<Error, Error> {
        if matches!(error, store::Error::NotFound(_)) {
            self.domain_of(address).await?;
        }
        Ok(error.into())
    }

    async fn domain_of(&self, address: &Address) -> Result<DomainId, Error> {
        let domains = self.store.domains(None).await?;
        let name = address.domain();
        match domains.iter().find(|domain| domain.name == name) {
            Some(domain) => Ok(domain.id),
            None => Err(unknown_domain(name, &domains)),
        }
    }

    pub(super) async fn near_mailbox(&self, address: &Address, domain: DomainId) -> Result<Option<String>, Error> {
        let known = self
            .store
            .mailboxes(None, Some(domain), None, NEAR_SEARCHED_MAX)
            .await?;
        let near = nearest(address.local(), known.iter().map(|mailbox| mailbox.address.local()));
        Ok(near.map(|local| format!("{local}@{}", address.domain())))
    }

    /// Mailboxes of one organisation or domain, or all, by address.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn mailboxes(&self, org: Option<OrgId>, domain: Option<DomainId>) -> Result<Vec<Mailbox>, Error> {
        let mut mailboxes: Vec<Mailbox> = Vec::new();
        loop {
            let after = mailboxes.last().map(|mailbox| &mailbox.address);
            let page = self.store.mailboxes(org, domain, after, PAGE).await?;
            let last = u32::try_from(page.len()).is_ok_and(|read| read < PAGE);
            mailboxes.extend(page);
            if last {
                return Ok(mailboxes);
            }
        }
    }

    /// Refuses every login of a mailbox and ends its sessions.
    ///
    /// # Errors
    /// There is no such mailbox.
    pub async fn suspend_mailbox(&self, actor: &Actor, address: &str) -> Result<Seq, Error> {
        let mailbox = self.find_mailbox(address).await?;
        Ok(self.store.set_mailbox_suspended(actor, mailbox.id, true).await?)
    }

    /// Lets a suspended mailbox log in again.
    ///
    /// # Errors
    /// There is no such mailbox.
    pub async fn resume_mailbox(&self, actor: &Actor, address: &str) -> Result<Seq, Error> {
        let mailbox = self.find_mailbox(address).await?;
        Ok(self.store.set_mailbox_suspended(actor, mailbox.id, false).await?)
    }

    /// Deletes a mailbox with its devices and aliases; its mail in the mail store is not touched.
    ///
    /// # Errors
    /// There is no such mailbox.
    pub async fn delete_mailbox(&self, actor: &Actor, address: &str) -> Result<Seq, Error> {
        let mailbox = self.find_mailbox(address).await?;
        Ok(self.store.delete_mailbox(actor, mailbox.id).await?)
    }

    /// Sets or removes the password that the `stored` strategy logs in upstream with; it is sealed with the server key
    /// and bound to the mailbox.
    ///
    /// # Errors
    /// There is no such mailbox.
    pub async fn set_upstream_secret(
        &self,
        actor: &Actor,
        address: &str,
        secret: Option<SecretBytes>,
    ) -> Result<(), Error> {
        let mailbox = self.find_mailbox(address).await?;
        let context = mailbox.id.seal_context();
        let sealed = secret
            .map(|secret| self.keys.seal(&context, secret.expose()))
            .transpose()?;
        Ok(self
            .store
            .set_upstream_secret(actor, mailbox.id, sealed.as_deref())
            .await?)
    }

    /// Adds an alias of a mailbox: a sender address, never a login.
    ///
    /// # Errors
    /// The address is taken, lies in an unknown domain or one of another organisation, or there is no such mailbox.
    pub async fn create_alias(&self, actor: &Actor, alias: &str, mailbox: &str) -> Result<Alias, Error> {
        let alias = parse(alias)?;
        let mailbox = self.find_mailbox(mailbox).await?;
        match self.store.create_alias(actor, &alias, mailbox.id).await {
            Err(error) => Err(self.about_domain_of(&alias, error).await?),
            created => Ok(created?),
        }
    }

    /// Aliases of one mailbox or organisation, or all, by address.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn aliases(&self, mailbox: Option<MailboxId>, org: Option<OrgId>) -> Result<Vec<Alias>, Error> {
        Ok(self.store.aliases(mailbox, org).await?)
    }

    /// Removes an alias.
    ///
    /// # Errors
    /// There is no such alias.
    pub async fn delete_alias(&self, actor: &Actor, alias: &str) -> Result<Seq, Error> {
        let address = parse(alias)?;
        let Some(alias) = self.store.alias(&address).await? else {
            return Err(match self.store.mailbox(&address).await? {
                Some(_) => Error::IsMailbox { address },
                None => Error::UnknownAlias { address },
            });
        };
        Ok(self.store.delete_alias(actor, alias.id).await?)
    }
}

pub(super) fn parse(given: &str) -> Result<Address, Error> {
    Address::parse(given).map_err(|why| Error::BadAddress {
        given: given.to_owned(),
        why,
    })
}
