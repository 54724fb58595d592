//! Organisations and mail domains.

use super::{Directory, Error};
use crate::model::near::nearest;
use crate::model::{DomainName, MailDomain, Org, OrgId, name};
use crate::store::Actor;

impl Directory {
    /// Adds an organisation.
    ///
    /// # Errors
    /// The name is taken or cannot be accepted.
    pub async fn create_org(&self, actor: &Actor, name: &str) -> Result<Org, Error> {
        Ok(self.store.create_org(actor, name).await?)
    }

    /// All organisations, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn orgs(&self) -> Result<Vec<Org>, Error> {
        Ok(self.store.orgs().await?)
    }

    /// Finds an organisation by its name, whatever the case, or by its id.
    ///
    /// # Errors
    /// There is none.
    pub async fn find_org(&self, name_or_id: &str) -> Result<Org, Error> {
        let given = name_or_id.trim();
        let (key, id) = (name::name_key(given), given.parse::<OrgId>().ok());
        let orgs = self.store.orgs().await?;
        let near = nearest(given, orgs.iter().map(|org| org.name.as_str())).map(|name| format!("{name:?}"));
        let found = orgs
            .into_iter()
            .find(|org| Some(org.id) == id || name::name_key(&org.name) == key);
        found.ok_or_else(|| Error::UnknownOrg {
            given: given.to_owned(),
            near,
        })
    }

    /// Removes an organisation that has no mail domains.
    ///
    /// # Errors
    /// It still has some.
    pub async fn delete_org(&self, actor: &Actor, org: &Org) -> Result<(), Error> {
        Ok(self.store.delete_org(actor, org.id).await?)
    }

    /// Adds a mail domain to an organisation.
    ///
    /// # Errors
    /// It is not a domain name, or exists already.
    pub async fn create_domain(&self, actor: &Actor, org: &Org, name: &str) -> Result<MailDomain, Error> {
        Ok(self.store.create_domain(actor, org.id, &domain_name(name)?).await?)
    }

    /// Mail domains of one organisation, or all, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn domains(&self, org: Option<OrgId>) -> Result<Vec<MailDomain>, Error> {
        Ok(self.store.domains(org).await?)
    }

    /// Finds a mail domain by its name.
    ///
    /// # Errors
    /// There is none.
    pub async fn find_domain(&self, name: &str) -> Result<MailDomain, Error> {
        let name = domain_name(name)?;
        let domains = self.store.domains(None).await?;
        match domains.iter().find(|domain| domain.name == name) {
            Some(domain) => Ok(domain.clone()),
            None => Err(unknown_domain(name, &domains)),
        }
    }

    /// Removes a mail domain that has no mailboxes and aliases.
    ///
    /// # Errors
    /// There is none, or it still has some.
    pub async fn delete_domain(&self, actor: &Actor, name: &str) -> Result<(), Error> {
        let domain = self.find_domain(name).await?;
        Ok(self.store.delete_domain(actor, domain.id).await?)
    }
}

fn domain_name(given: &str) -> Result<DomainName, Error> {
    let given = given.trim();
    DomainName::parse(given).map_err(|why| Error::BadDomain {
        given: given.to_owned(),
        why,
    })
}

pub(super) fn unknown_domain(domain: DomainName, known: &[MailDomain]) -> Error {
    let near = nearest(domain.as_str(), known.iter().map(|known| known.name.as_str())).map(str::to_owned);
    Error::UnknownDomain { domain, near }
}
