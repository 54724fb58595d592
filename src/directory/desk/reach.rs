//! What a right on a mailbox must not reach: somebody's sign-in, the names that speak for a whole domain, and other
//! organisations.
//!
//! Whoever can open the mail of an address can have a new password sent to it. So a mailbox with whose address somebody
//! signs in is looked after, as far as passwords and addresses go, only by those who could change that person's role.

use super::super::Error;
use super::super::rights::Operation;
use super::forbidden::Because;
use super::{Acting, Desk};
use crate::model::device::SenderPattern;
use crate::model::{Address, DomainName, Mailbox, OrgId, Role, SenderRule, User};

/// Names that speak for a domain: mail to them proves to certificate authorities and others that it is theirs (RFC 2142;
/// CA/Browser Forum Baseline Requirements §3.2.2.4.4).
const SPEAK_FOR_A_DOMAIN: [&str; 14] = [
    "abuse",
    "admin",
    "administrator",
    "hostmaster",
    "info-security",
    "mailer-daemon",
    "noc",
    "postmaster",
    "root",
    "security",
    "ssladmin",
    "ssladministrator",
    "sslwebmaster",
    "webmaster",
];

impl Desk {
    /// Refuses a new password of a mailbox with one of whose addresses somebody else signs in, to those who could not
    /// change that person's role.
    pub(super) async fn must_not_open_a_sign_in(
        &self,
        acting: &Acting,
        operation: Operation,
        mailbox: &Mailbox,
    ) -> Result<(), Error> {
        for user in self.store().sign_ins_of(mailbox.id).await? {
            self.may_change(acting, operation, &user).await?;
        }
        Ok(())
    }

    /// The same for one address, also for one that is to be made.
    pub(super) async fn must_not_be_a_sign_in(
        &self,
        acting: &Acting,
        operation: Operation,
        address: &Address,
    ) -> Result<(), Error> {
        match self.store().user_by_address(address).await? {
            Some(user) => self.may_change(acting, operation, &user).await,
            None => Ok(()),
        }
    }

    /// Refuses what opens a sign-in of this person to those who could not change their role. One's own is open already.
    async fn may_change(&self, acting: &Acting, operation: Operation, user: &User) -> Result<(), Error> {
        if user.id == acting.user.id {
            return Ok(());
        }
        let needed = self.to_change(acting.org.id, user).await?;
        if acting.may(needed) && self.allow(acting, needed).await.is_ok() {
            return Ok(());
        }
        let because = Because::SomebodySignsIn;
        Err(self
            .forbidden_because(acting, (operation, needed), Some(user.address.clone()), because)
            .await?)
    }

    /// What changing this person takes. Somebody who is no member here may be anything elsewhere.
    pub(super) async fn to_change(&self, org: OrgId, user: &User) -> Result<Operation, Error> {
        let standing = self.store().standing(org, user.id, None).await?;
        Ok(match standing.map(|standing| standing.membership.role) {
            None | Some(Role::Owner) => Operation::OwnerChange,
            Some(_) => Operation::MemberRole,
        })
    }

    /// Refuses an alias to somebody who may only manage those of one mailbox, where it would be more than another name of
    /// that mailbox.
    pub(super) async fn must_be_a_mere_alias(
        &self,
        acting: &Acting,
        mailbox: &Mailbox,
        alias: &Address,
    ) -> Result<(), Error> {
        let operation = Operation::AliasCreate;
        let speaks = SPEAK_FOR_A_DOMAIN.contains(&alias.local().to_lowercase().as_str());
        if acting.may(operation) || (alias.domain() == mailbox.address.domain() && !speaks) {
            return Ok(());
        }
        let address = Some(mailbox.address.clone());
        Err(self
            .forbidden_because(acting, (operation, operation), address, Because::SpeaksForDomain)
            .await?)
    }

    /// Whether this installation serves this organisation alone, so that nobody else can be reached from it.
    async fn is_alone(&self) -> Result<bool, Error> {
        Ok(self.directory.orgs().await?.len() <= 1)
    }

    /// Refuses a mail domain where there are other organisations: whose it is, only the operator can tell, and whoever has
    /// a domain has every mailbox of it in the mail store.
    pub(super) async fn may_take_domains(&self) -> Result<(), Error> {
        if self.is_alone().await? {
            Ok(())
        } else {
            Err(Error::DomainByOperator)
        }
    }

    /// Refuses sender addresses that could be another organisation's.
    pub(super) async fn must_be_own_senders(&self, acting: &Acting, rule: &SenderRule) -> Result<(), Error> {
        if matches!(rule, SenderRule::Mailbox) || self.is_alone().await? {
            return Ok(());
        }
        let domains = self.directory.domains(Some(acting.org.id)).await?;
        let is_own = |domain: &DomainName| domains.iter().any(|own| own.name == *domain);
        let foreign = match rule {
            SenderRule::Mailbox => None,
            SenderRule::Off => Some("any address".to_owned()),
            SenderRule::List(patterns) => patterns
                .iter()
                .find(|pattern| !is_own(&domain_of(pattern)))
                .map(ToString::to_string),
        };
        match foreign {
            None => Ok(()),
            Some(sender) => Err(Error::ForeignSender { sender }),
        }
    }
}

fn domain_of(pattern: &SenderPattern) -> DomainName {
    match pattern {
        SenderPattern::Address(address) => address.domain(),
        SenderPattern::Domain(domain) => domain.clone(),
    }
}
