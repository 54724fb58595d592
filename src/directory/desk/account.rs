//! One's own account: name, address, language, password, console sessions, and what one did.

use super::super::Error;
use super::super::mailboxes::parse;
use super::{Desk, Letter, SignInChange, SignedIn};
use crate::identity::NewPassword;
use crate::model::{ConsoleSessionId, Grant, Language, User};
use crate::secret::Secret;
use crate::store::{AuditFilter, AuditPage, ConsoleSession, Keep, UserEdit, UserOrg};

/// What somebody changes about themselves. `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct AccountEdit {
    /// Another name.
    pub name: Option<String>,
    /// Another language.
    pub language: Option<Language>,
    /// Another sign-in address; wants a fresh proof.
    pub address: Option<String>,
}

impl Desk {
    /// The organisations of whoever is signed in, by name.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn my_orgs(&self, signed_in: &SignedIn) -> Result<Vec<UserOrg>, Error> {
        self.directory.orgs_of(signed_in.user.id).await
    }

    /// Whether they sign in with an address of one of their organisations: they would lose it with that mailbox.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn signs_in_here(&self, signed_in: &SignedIn) -> Result<bool, Error> {
        let own = signed_in.user.address.domain();
        for org in self.my_orgs(signed_in).await? {
            let domains = self.directory.domains(Some(org.org.id)).await?;
            if domains.iter().any(|domain| domain.name == own) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What was granted to whoever is signed in, in all organisations, by address; ended grants are left out.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn my_grants(&self, signed_in: &SignedIn) -> Result<Vec<Grant>, Error> {
        let now = self.now();
        let mut grants = self.directory.grants_of(None, signed_in.user.id).await?;
        grants.retain(|grant| !grant.rights_at(now).is_empty());
        Ok(grants)
    }

    /// What was done by whoever is signed in, or in their name, newest first; `before` is the last number of the page before.
    /// It goes by who they are: whoever had their address before them was somebody else.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn my_activity(&self, signed_in: &SignedIn, before: Option<i64>, limit: u32) -> Result<AuditPage, Error> {
        let filter = AuditFilter {
            user: Some(signed_in.user.id),
            before,
            limit,
            ..AuditFilter::default()
        };
        Ok(self.store().audit_page(&filter).await?)
    }

    /// Changes name, language or address. The old and the new address are both told of a change.
    ///
    /// # Errors
    /// The name cannot be accepted, the address is none or taken, or the proof for another address is too old.
    pub async fn edit_account(&self, signed_in: &SignedIn, edit: &AccountEdit) -> Result<User, Error> {
        let (old, visitor) = (&signed_in.user, &signed_in.visitor);
        let address = match &edit.address {
            Some(given) => Some(parse(given)?).filter(|address| *address != old.address),
            None => None,
        };
        if let Some(address) = &address {
            self.must_be_fresh(&signed_in.session)?;
            // Whether an address is a user's can be found out here, so it can be asked a few times only.
            let now = self.directory.clock.now();
            self.throttle
                .take_mail(now, visitor.ip, address.as_str())
                .map_err(super::sign_in::too_many)?;
        }
        let edit = UserEdit {
            address,
            name: edit.name.clone(),
            language: edit.language,
        };
        self.must_live(&signed_in.session).await?;
        let user = self.directory.edit_user(&visitor.actor(old), old.id, &edit).await?;
        if user.address != old.address {
            for to in [&old.address, &user.address] {
                let letter = Letter::AddressChanged {
                    old: old.address.clone(),
                    new: user.address.clone(),
                    at: self.now(),
                    from: Some(visitor.ip),
                };
                self.tell(to, user.language, None, letter).await;
            }
        }
        Ok(user)
    }

    /// Sets another password; all other console sessions end.
    ///
    /// # Errors
    /// The proof is too old, or the password breaks the rule.
    pub async fn change_password(&self, signed_in: &SignedIn, typed: &Secret<String>) -> Result<(), Error> {
        self.must_be_fresh(&signed_in.session)?;
        let (user, visitor) = (&signed_in.user, &signed_in.visitor);
        let password = NewPassword::check(typed.expose(), &user.address, &user.name)?;
        let network = self.settings.network.network_of(visitor.ip);
        let password = self.passwords.hash(network, password).await?;
        let actor = visitor.actor(user);
        self.must_live(&signed_in.session).await?;
        self.store()
            .set_password(&actor, user.id, &password, Self::keep(signed_in))
            .await?;
        self.tell_of_sign_in(visitor, user, SignInChange::Password).await;
        Ok(())
    }

    /// One's own console sessions, the latest seen first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn my_sessions(&self, signed_in: &SignedIn) -> Result<Vec<ConsoleSession>, Error> {
        Ok(self.store().sessions_of(signed_in.user.id).await?)
    }

    /// Ends one of one's own console sessions.
    ///
    /// # Errors
    /// There is none with this id.
    pub async fn end_my_session(&self, signed_in: &SignedIn, id: ConsoleSessionId) -> Result<(), Error> {
        let actor = signed_in.visitor.actor(&signed_in.user);
        if self.store().end_session(&actor, signed_in.user.id, id).await? {
            Ok(())
        } else {
            Err(Error::Unknown { what: "session" })
        }
    }

    /// "Sign out everywhere": ends all console sessions, or all but this one. Says how many.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn sign_out_elsewhere(&self, signed_in: &SignedIn, here_too: bool) -> Result<u32, Error> {
        let keep = if here_too { Keep::None } else { Self::keep(signed_in) };
        let actor = signed_in.visitor.actor(&signed_in.user);
        Ok(self.store().end_sessions(&actor, signed_in.user.id, keep).await?)
    }
}
