//! What a link from a mail, a page or the console opens for somebody who is not signed in, or not yet a user: an
//! invitation, a new password, the first owner.
//!
//! A link works once. Who has it may do what it says and nothing else; it tells nobody whether an address is a user's
//! before they have done something with it.

use std::fmt;

use super::super::{Error, FirstOrg};
use super::acting::UNKNOWN_ORG;
use super::{Desk, Letter, Opened, SignInChange, SignedIn, Visitor};
use crate::clock::Timestamp;
use crate::identity::token::{Invitation as InvitationLink, Reset, SetUp};
use crate::identity::{NewPassword, Token};
use crate::model::{Address, Invitation, InvitationState, Language, Org, User};
use crate::secret::Secret;
use crate::store::{self, Accepting, Actor, NewUser, PasswordReset, Proof, TokenHash, UserPassword};

/// Why an invitation cannot be accepted, and whom to ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct DeadInvitation {
    /// What is wrong.
    pub why: DeadReason,
    /// Who invited, where that is known.
    pub ask: Option<String>,
}

/// Why an invitation cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadReason {
    /// It is for another address than the one that is signed in with.
    ForSomebodyElse {
        /// For whom.
        invited: Address,
    },
    /// Its time ran out.
    RanOut {
        /// When.
        at: Timestamp,
    },
    /// Somebody signs in with the invited address already: it can be accepted, but not as somebody new.
    SignInFirst,
    /// The link leads nowhere: mistyped, or the invitation is long gone.
    Unknown,
    /// It was accepted before.
    Used {
        /// When.
        at: Timestamp,
        /// By whom.
        by: Address,
    },
    /// Whoever invited took it back.
    Withdrawn,
    /// Whoever was invited did not want it.
    Declined,
}

impl DeadInvitation {
    /// The stable key.
    pub const fn key(&self) -> &'static str {
        match self.why {
            DeadReason::ForSomebodyElse { .. } => "ui.invite_other",
            DeadReason::RanOut { .. } => "ui.invite_expired",
            DeadReason::SignInFirst => "ui.invite_sign_in",
            DeadReason::Unknown => "ui.invite_unknown",
            DeadReason::Used { .. } => "ui.invite_used",
            DeadReason::Withdrawn => "ui.invite_withdrawn",
            DeadReason::Declined => "ui.invite_declined",
        }
    }
}

impl fmt::Display for DeadInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            DeadReason::ForSomebodyElse { invited } => {
                write!(
                    f,
                    "this invitation is for {invited}: sign out, and accept it with that address"
                )?;
            }
            DeadReason::RanOut { .. } => f.write_str("this invitation has run out")?,
            DeadReason::SignInFirst => f.write_str(
                "somebody signs in with this address already: sign in to accept, or ask for a new password by mail",
            )?,
            DeadReason::Unknown => f.write_str("this link leads to no invitation: look whether it is whole")?,
            DeadReason::Used { .. } => f.write_str("this invitation was accepted already: sign in")?,
            DeadReason::Withdrawn => f.write_str("this invitation was withdrawn")?,
            DeadReason::Declined => f.write_str("this invitation was declined")?,
        }
        match &self.ask {
            Some(name) => write!(f, "; ask {name} for a new one"),
            None => Ok(()),
        }
    }
}

/// An invitation as whoever has its link sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationView {
    /// The invitation.
    pub invitation: Invitation,
    /// Into which organisation.
    pub org: Org,
}

/// Somebody who becomes a user.
#[derive(Debug)]
pub struct NewPerson<'a> {
    /// What they are called.
    pub name: &'a str,
    /// Their language.
    pub language: Language,
    /// Their password.
    pub password: &'a Secret<String>,
}

/// Somebody who came in by a link, and where.
#[derive(Debug)]
pub struct Welcomed {
    /// Who.
    pub user: User,
    /// Into which organisation.
    pub org: Org,
    /// Their session, where they had none before.
    pub opened: Option<Opened>,
}

impl Desk {
    /// What an invitation's link leads to. The first time is noted.
    ///
    /// # Errors
    /// It leads nowhere, or to an invitation that cannot be accepted any more.
    pub async fn invitation_of(&self, link: &str) -> Result<InvitationView, Error> {
        let (hash, invitation) = self.open_invitation(link).await?;
        let org = self.store().org(invitation.org).await?.ok_or(UNKNOWN_ORG)?;
        if invitation.opened_at.is_none() {
            self.store().note_invitation_opened(&hash).await?;
        }
        Ok(InvitationView { invitation, org })
    }

    async fn open_invitation(&self, link: &str) -> Result<(TokenHash, Invitation), Error> {
        let unknown = || DeadInvitation {
            why: DeadReason::Unknown,
            ask: None,
        };
        let token = Token::<InvitationLink>::read(link).ok_or_else(unknown)?;
        for hash in token.hashes(&self.directory.keys) {
            let Some(invitation) = self.store().invitation_by_link(&hash).await? else {
                continue;
            };
            return match dead_reason(&invitation) {
                None => Ok((hash, invitation)),
                Some(why) => Err(DeadInvitation {
                    why,
                    ask: Some(invitation.invited_by),
                }
                .into()),
            };
        }
        Err(unknown().into())
    }

    /// Accepts an invitation as whoever is signed in.
    ///
    /// # Errors
    /// It is for another address, or cannot be accepted any more.
    pub async fn accept_signed_in(&self, signed_in: &SignedIn, link: &str) -> Result<Welcomed, Error> {
        let (hash, invitation) = self.open_invitation(link).await?;
        let user = &signed_in.user;
        if user.address != invitation.address {
            return Err(DeadInvitation {
                why: DeadReason::ForSomebodyElse {
                    invited: invitation.address,
                },
                ask: Some(invitation.invited_by),
            }
            .into());
        }
        let actor = signed_in.visitor.actor(user);
        self.accept(&actor, link, &hash, &Accepting::User(user.id)).await
    }

    /// Accepts an invitation as somebody who becomes a user with it, and signs them in.
    ///
    /// # Errors
    /// The name or password cannot be accepted, the address is a user's (they have to sign in), or the invitation cannot be
    /// accepted any more.
    pub async fn accept_new(&self, visitor: &Visitor, link: &str, person: &NewPerson<'_>) -> Result<Welcomed, Error> {
        let (hash, invitation) = self.open_invitation(link).await?;
        let password = self.new_password(visitor, &invitation.address, person).await?;
        let actor = Actor::user(&invitation.address, &visitor.ip.to_string());
        let who = Accepting::New {
            name: person.name.to_owned(),
            language: person.language,
            password,
        };
        let mut welcomed = match self.accept(&actor, link, &hash, &who).await {
            Err(Error::Store(store::Error::Conflict(_))) => {
                return Err(DeadInvitation {
                    why: DeadReason::SignInFirst,
                    ask: None,
                }
                .into());
            }
            accepted => accepted?,
        };
        welcomed.opened = Some(self.open_new(visitor, &welcomed.user).await?);
        Ok(welcomed)
    }

    /// Declines an invitation: whoever has its link may.
    ///
    /// # Errors
    /// It cannot be accepted any more.
    pub async fn decline_invitation(&self, visitor: &Visitor, link: &str) -> Result<(), Error> {
        let (hash, _) = self.open_invitation(link).await?;
        // The link is no proof of who has it.
        let actor = Actor::unknown(&visitor.ip.to_string());
        if let Err(error) = self.store().decline_invitation(&actor, &hash).await {
            // It may have been accepted or withdrawn at this moment: then the link's own answer is the better one.
            self.open_invitation(link).await?;
            return Err(error.into());
        }
        Ok(())
    }

    async fn accept(&self, actor: &Actor, link: &str, hash: &TokenHash, who: &Accepting) -> Result<Welcomed, Error> {
        let accepted = match self.store().accept_invitation(actor, hash, who).await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Another browser may have been quicker: then the link's own answer is the better one.
                self.open_invitation(link).await?;
                return Err(error.into());
            }
        };
        let org = self.store().org(accepted.invitation.org).await?.ok_or(UNKNOWN_ORG)?;
        Ok(Welcomed {
            user: accepted.user,
            org,
            opened: None,
        })
    }

    /// Judges and hashes the password of somebody who becomes a user.
    async fn new_password(
        &self,
        visitor: &Visitor,
        address: &Address,
        person: &NewPerson<'_>,
    ) -> Result<UserPassword, Error> {
        let password = NewPassword::check(person.password.expose(), address, person.name)?;
        let network = self.settings.network.network_of(visitor.ip);
        Ok(self.passwords.hash(network, password).await?)
    }

    async fn open_new(&self, visitor: &Visitor, user: &User) -> Result<Opened, Error> {
        let ends = self.directory.lifetimes.session_ends(self.now());
        self.open_as(visitor, user, (Proof::Password, ends), None).await
    }

    /// Sends a link for a new password, if this address is a user's. The answer and its time are the same if it is not, and
    /// if too many were asked for.
    ///
    /// # Errors
    /// This installation sends no mail, or the store does not answer.
    pub async fn forgot_password(&self, visitor: &Visitor, address: &str) -> Result<(), Error> {
        if !self.post.is_open() {
            return Err(Error::NoMail);
        }
        let started = self.directory.clock.now();
        let sent = self.send_reset(visitor, address).await;
        self.hold(started).await;
        sent
    }

    async fn send_reset(&self, visitor: &Visitor, address: &str) -> Result<(), Error> {
        let Ok(address) = Address::parse(address) else {
            return Ok(());
        };
        if self
            .throttle
            .take_mail(self.directory.clock.now(), visitor.ip, address.as_str())
            .is_err()
        {
            tracing::info!(client.addr = %visitor.ip, "a new password was asked for too often");
            return Ok(());
        }
        let Some(user) = self.store().user_by_address(&address).await? else {
            return Ok(());
        };
        let actor = Actor::stranger(&visitor.ip.to_string(), user.id);
        let (link, expires_at) = self.directory.make_reset_link(&actor, user.id).await?;
        let letter = Letter::PasswordReset {
            address: user.address.clone(),
            at: self.now(),
            from: Some(visitor.ip),
            expires_at,
            link,
        };
        self.tell(&user.address, user.language, None, letter).await;
        Ok(())
    }

    /// Whose password a reset link sets.
    ///
    /// # Errors
    /// It was used, or ran out.
    pub async fn reset_of(&self, link: &str) -> Result<PasswordReset, Error> {
        Ok(self.open_reset(link).await?.1)
    }

    async fn open_reset(&self, link: &str) -> Result<(TokenHash, PasswordReset), Error> {
        let token = Token::<Reset>::read(link).ok_or(Error::DeadLink)?;
        for hash in token.hashes(&self.directory.keys) {
            if let Some(reset) = self.store().reset(&hash).await? {
                return Ok((hash, reset));
            }
        }
        Err(Error::DeadLink)
    }

    /// Sets a new password by a link. All console sessions of the user end. They have to sign in afterwards, with a code where
    /// they use codes; what is returned marks this browser as one that they know, so that nobody who guesses at their
    /// address meanwhile can keep them out.
    ///
    /// # Errors
    /// The link was used or ran out, or the password breaks the rule.
    pub async fn reset_password(
        &self,
        visitor: &Visitor,
        link: &str,
        typed: &Secret<String>,
    ) -> Result<(User, Secret<String>), Error> {
        let (hash, reset) = self.open_reset(link).await?;
        let user = self.store().user(reset.user).await?.ok_or(Error::DeadLink)?;
        let password = NewPassword::check(typed.expose(), &user.address, &user.name)?;
        let network = self.settings.network.network_of(visitor.ip);
        let password = self.passwords.hash(network, password).await?;
        let user = match self.store().use_reset(&visitor.actor(&user), &hash, &password).await {
            Err(store::Error::NotFound(_)) => return Err(Error::DeadLink),
            used => used?,
        };
        self.tell_of_sign_in(visitor, &user, SignInChange::Password).await;
        let mark = self.mark_for(user.id);
        Ok((user, mark))
    }

    /// Whether this link makes the first owner.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn is_set_up_link(&self, link: &str) -> Result<bool, Error> {
        Ok(self.open_set_up(link).await?.is_some())
    }

    async fn open_set_up(&self, link: &str) -> Result<Option<TokenHash>, Error> {
        let Some(token) = Token::<SetUp>::read(link) else {
            return Ok(None);
        };
        for hash in token.hashes(&self.directory.keys) {
            if self.store().is_set_up_link(&hash).await? {
                return Ok(Some(hash));
            }
        }
        Ok(None)
    }

    /// Makes the first owner and their organisation, once, and signs them in.
    ///
    /// # Errors
    /// The link was used, ran out or was replaced, or address, name or password cannot be accepted.
    pub async fn set_up(
        &self,
        visitor: &Visitor,
        link: &str,
        org: &FirstOrg,
        address: &str,
        person: &NewPerson<'_>,
    ) -> Result<Welcomed, Error> {
        let hash = self.open_set_up(link).await?.ok_or(Error::DeadLink)?;
        let address = super::super::mailboxes::parse(address)?;
        let password = self.new_password(visitor, &address, person).await?;
        let actor = Actor::user(&address, &visitor.ip.to_string());
        let new = NewUser {
            address,
            name: person.name.to_owned(),
            language: person.language,
            password: Some(password),
        };
        let (user, org) = match self.store().create_first_owner(&actor, Some(&hash), org, &new).await {
            Ok(made) => made,
            Err(error) => {
                // Another browser may have been quicker: then the link is dead, whatever else is wrong.
                self.open_set_up(link).await?.ok_or(Error::DeadLink)?;
                return Err(error.into());
            }
        };
        let opened = Some(self.open_new(visitor, &user).await?);
        Ok(Welcomed { user, org, opened })
    }
}

fn dead_reason(invitation: &Invitation) -> Option<DeadReason> {
    match invitation.state {
        InvitationState::Sent => None,
        InvitationState::Accepted(at) => Some(DeadReason::Used {
            at,
            // Nobody else can accept it.
            by: invitation.address.clone(),
        }),
        InvitationState::Declined(_) => Some(DeadReason::Declined),
        InvitationState::Withdrawn(_) => Some(DeadReason::Withdrawn),
        InvitationState::Expired => Some(DeadReason::RanOut {
            at: invitation.expires_at,
        }),
    }
}
