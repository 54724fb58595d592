//! One's own account: name, address, language, password, console sessions, and what one did.

use super::super::Error;
use super::super::mailboxes::parse;
use super::{Desk, Letter, Recipient, SignInChange, SignedIn};
use crate::identity::token::Address as AddressLink;
use crate::identity::{NewPassword, Token};
use crate::model::{Address, ConsoleSessionId, Grant, Language, User};
use crate::secret::Secret;
use crate::store::{self, AddressAsked, AuditFilter, AuditPage, ConsoleSession, Keep, TokenHash, UserEdit, UserOrg};

/// What somebody changes about themselves. `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct AccountEdit {
    /// Another name.
    pub name: Option<String>,
    /// Another language.
    pub language: Option<Language>,
}

/// What came of the wish to sign in with another address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressChange {
    /// It is the address that they have.
    Same,
    /// A link went to it; it counts once the link is used.
    Asked(Address),
    /// It counts at once, as no mail goes out here.
    Done(User),
    /// The mail with the link could not be written; nothing has changed.
    NotMailed,
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

    /// Changes name or language.
    ///
    /// # Errors
    /// The name cannot be accepted.
    pub async fn edit_account(&self, signed_in: &SignedIn, edit: &AccountEdit) -> Result<User, Error> {
        let (user, visitor) = (&signed_in.user, &signed_in.visitor);
        let edit = UserEdit {
            address: None,
            name: edit.name.clone(),
            language: edit.language,
        };
        self.must_live(&signed_in.session).await?;
        self.directory.edit_user(&visitor.actor(user), user.id, &edit).await
    }

    /// Changes the sign-in address. Where mails go out, a link goes to the new one first, so that nobody locks themselves
    /// out by a slip, or takes an address that is not theirs; where none do, it changes at once.
    ///
    /// # Errors
    /// The address is none or taken, or the proof is too old.
    pub async fn change_address(&self, signed_in: &SignedIn, given: &str) -> Result<AddressChange, Error> {
        let (user, visitor) = (&signed_in.user, &signed_in.visitor);
        let address = parse(given)?;
        if address == user.address {
            return Ok(AddressChange::Same);
        }
        self.must_be_fresh(&signed_in.session)?;
        // Whether an address is a user's can be found out here, so it can be asked a few times only.
        let now = self.directory.clock.now();
        self.throttle
            .take_mail(now, visitor.ip, address.as_str())
            .map_err(super::sign_in::too_many)?;
        self.must_live(&signed_in.session).await?;
        let actor = visitor.actor(user);
        if !self.post.is_open() {
            let edit = UserEdit {
                address: Some(address),
                ..UserEdit::default()
            };
            return Ok(AddressChange::Done(
                self.directory.edit_user(&actor, user.id, &edit).await?,
            ));
        }
        let (link, expires_at) = self.directory.make_address_link(&actor, user.id, &address).await?;
        let letter = Letter::AddressConfirm {
            old: user.address.clone(),
            new: address.clone(),
            at: self.now(),
            from: Some(visitor.ip),
            expires_at,
            link,
        };
        let to = Recipient {
            address: address.clone(),
            language: user.language,
        };
        Ok(match self.post.put(&to, None, letter).await {
            Ok(()) => AddressChange::Asked(address),
            Err(error) => {
                tracing::error!(%error, "a new sign-in address is not asked to be confirmed");
                AddressChange::NotMailed
            }
        })
    }

    /// The sign-in address that waits to be confirmed.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn asked_address(&self, signed_in: &SignedIn) -> Result<Option<AddressAsked>, Error> {
        Ok(self.store().address_asked(signed_in.user.id).await?)
    }

    /// The address that a link confirms for whoever is signed in. Only they can use it: a mail that went to a stranger by a
    /// slip gives the stranger nothing.
    ///
    /// # Errors
    /// The link was used, ran out, was replaced by a later one, or is somebody else's.
    pub async fn address_of_link(&self, signed_in: &SignedIn, link: &str) -> Result<Address, Error> {
        Ok(self.open_address(signed_in, link).await?.1)
    }

    async fn open_address(&self, signed_in: &SignedIn, link: &str) -> Result<(TokenHash, Address), Error> {
        let token = Token::<AddressLink>::read(link).ok_or(Error::DeadLink)?;
        for hash in token.hashes(&self.directory.keys) {
            if let Some(asked) = self.store().address_by_link(signed_in.user.id, &hash).await? {
                return Ok((hash, asked.address));
            }
        }
        Err(Error::DeadLink)
    }

    /// Signs in with the address that the link confirms from now on. The old and the new address are both told.
    ///
    /// # Errors
    /// As for [`Desk::address_of_link`], or somebody signs in with the address by now.
    pub async fn confirm_address(&self, signed_in: &SignedIn, link: &str) -> Result<User, Error> {
        let (hash, _) = self.open_address(signed_in, link).await?;
        let (old, visitor) = (&signed_in.user, &signed_in.visitor);
        self.must_live(&signed_in.session).await?;
        let user = match self.store().confirm_address(&visitor.actor(old), old.id, &hash).await {
            Err(store::Error::NotFound(_)) => return Err(Error::DeadLink),
            confirmed => confirmed?,
        };
        for to in [&old.address, &user.address] {
            let letter = Letter::AddressChanged {
                old: old.address.clone(),
                new: user.address.clone(),
                at: self.now(),
                from: Some(visitor.ip),
            };
            self.tell(to, user.language, None, letter).await;
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
