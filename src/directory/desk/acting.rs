//! Who acts in an organisation, made anew for every request, and the one question before every operation.

use super::super::rights::{Operation, may};
use super::{Desk, Error, SignedIn, Visitor};
use crate::identity::Token;
use crate::identity::token::Api;
use crate::model::{ApiToken, Mailbox, MailboxId, Org, OrgId, Rights, Role, TokenScope, User};
use crate::store::{Actor, ConsoleSession, MailboxRow, Proof, Standing};

/// By what somebody acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// A person in a browser.
    Session(ConsoleSession),
    /// A program with an API token, in a person's name.
    Token(ApiToken),
}

/// Who acts in which organisation. It says what was so when the request began; every operation asks again.
#[derive(Debug, Clone)]
pub struct Acting {
    /// Who, or in whose name.
    pub user: User,
    /// Where.
    pub org: Org,
    /// Their own role.
    pub role: Role,
    /// By what.
    pub via: Via,
    /// From where.
    pub visitor: Visitor,
}

impl Acting {
    /// Whether the role alone allows an operation, for pages that show or leave out what can be done.
    pub fn may(&self, operation: Operation) -> bool {
        self.may_with(self.role, Rights::NONE, operation)
    }

    /// The same for a mailbox on which these rights were granted ([`Desk::rights_on`]).
    pub fn may_on(&self, rights: Rights, operation: Operation) -> bool {
        self.may_with(self.role, rights, operation)
    }

    fn may_with(&self, role: Role, rights: Rights, operation: Operation) -> bool {
        may_by(self.token(), role, rights, operation)
    }

    /// The token, where a program acts.
    pub(super) const fn token(&self) -> Option<&ApiToken> {
        match &self.via {
            Via::Session(_) => None,
            Via::Token(token) => Some(token),
        }
    }

    /// How the audit log names them.
    fn actor(&self) -> Actor {
        match &self.via {
            Via::Session(_) => self.visitor.actor(&self.user),
            Via::Token(token) => {
                Actor::token(&token.name, &self.user.address, &self.visitor.ip.to_string()).by(self.user.id)
            }
        }
    }

    /// The session, where a person acts.
    ///
    /// # Errors
    /// A token does.
    pub(super) fn in_person(&self) -> Result<&ConsoleSession, Error> {
        match &self.via {
            Via::Session(session) => Ok(session),
            Via::Token(_) => Err(Error::OnlyInPerson),
        }
    }
}

/// Whether somebody with this role and these rights may do something, in person or by a token. A token is bounded by its own
/// role, its user's, and its scope; what was granted to its user it may use.
pub(super) fn may_by(token: Option<&ApiToken>, role: Role, rights: Rights, operation: Operation) -> bool {
    match token {
        None => may(role, rights, operation),
        Some(token) => {
            let reads = token.scope == TokenScope::Write || !operation.changes();
            let by_role = operation.allows_role(role) && operation.allows_role(token.role);
            reads && (by_role || rights.iter().any(|right| operation.allows_right(right)))
        }
    }
}

impl Desk {
    /// A signed-in person in one of their organisations.
    ///
    /// # Errors
    /// There is no such organisation, or they are no member: the answer is the same.
    pub async fn acting(&self, signed_in: &SignedIn, org: OrgId) -> Result<Acting, Error> {
        let standing = self.store().standing(org, signed_in.user.id, None).await?;
        let (Some(standing), Some(org)) = (standing, self.store().org(org).await?) else {
            return Err(UNKNOWN_ORG);
        };
        Ok(Acting {
            user: signed_in.user.clone(),
            org,
            role: standing.membership.role,
            via: Via::Session(signed_in.session.clone()),
            visitor: signed_in.visitor.clone(),
        })
    }

    /// A program with an API token, in the token's organisation.
    ///
    /// # Errors
    /// It is no token, one that has ended, or its user is no member any more: the answer is the same, until there were too
    /// many such tries from one network.
    pub async fn acting_by_token(&self, visitor: &Visitor, token: &str) -> Result<Acting, Error> {
        let given = Token::<Api>::read(token).ok_or(Error::SignedOut)?;
        let mut found = None;
        for hash in given.hashes(&self.directory.keys) {
            found = self.store().token(&hash).await?;
            if found.is_some() {
                break;
            }
        }
        let Some((token, user)) = found else {
            return Err(self.wrong_token(visitor));
        };
        let standing = self.store().standing(token.org, user.id, None).await?;
        let (Some(standing), Some(org)) = (standing, self.store().org(token.org).await?) else {
            return Err(self.wrong_token(visitor));
        };
        let seen = token
            .used_at
            .is_some_and(|at| !crate::identity::lifetime::is_seen_stale(at, self.now()));
        if !seen {
            self.note_use(&token, visitor).await;
        }
        Ok(Acting {
            user,
            org,
            role: standing.membership.role,
            via: Via::Token(token),
            visitor: visitor.clone(),
        })
    }

    fn wrong_token(&self, visitor: &Visitor) -> Error {
        let taken = self.throttle.take_token(self.directory.clock.now(), visitor.ip);
        taken.map_or_else(super::sign_in::too_many, |()| Error::SignedOut)
    }

    async fn note_use(&self, token: &ApiToken, visitor: &Visitor) {
        if let Err(error) = self.store().touch_token(token.id, &visitor.ip.to_string()).await {
            tracing::warn!(%error, "the use of an API token was not noted");
        }
    }

    /// What was granted to whoever acts on one mailbox.
    ///
    /// # Errors
    /// They are no member any more.
    pub async fn rights_on(&self, acting: &Acting, mailbox: MailboxId) -> Result<Rights, Error> {
        Ok(self.standing_of(acting, Some(mailbox)).await?.rights)
    }

    /// Role and rights of whoever acts, at this moment.
    async fn standing_of(&self, acting: &Acting, mailbox: Option<MailboxId>) -> Result<Standing, Error> {
        // A request may take its time: its form comes slowly, or a hash waits for others.
        match &acting.via {
            Via::Session(session) => self.must_live(session).await?,
            Via::Token(token) if self.store().is_token_in_force(token.id).await? => {}
            Via::Token(_) => return Err(Error::SignedOut),
        }
        let standing = self.store().standing(acting.org.id, acting.user.id, mailbox).await?;
        standing.ok_or(UNKNOWN_ORG)
    }

    /// Refuses to go on in a console session that has ended since the request began.
    pub(super) async fn must_live(&self, session: &ConsoleSession) -> Result<(), Error> {
        if self.store().is_session_live(session.id).await? {
            Ok(())
        } else {
            Err(Error::SignedOut)
        }
    }

    /// Allows an operation on the organisation as a whole, and says as whom it is done.
    pub(super) async fn allow(&self, acting: &Acting, operation: Operation) -> Result<Actor, Error> {
        let standing = self.standing_of(acting, None).await?;
        if acting.may_with(standing.membership.role, Rights::NONE, operation) {
            return Ok(acting.actor());
        }
        Err(self.refuse(acting, operation, None).await?)
    }

    /// Allows an operation on one mailbox. Whoever may not even see it is told that there is none.
    pub(super) async fn allow_on(
        &self,
        acting: &Acting,
        operation: Operation,
        mailbox: MailboxId,
    ) -> Result<(Actor, MailboxRow), Error> {
        let row = self
            .store()
            .mailbox_in(acting.org.id, mailbox)
            .await?
            .ok_or(UNKNOWN_MAILBOX)?;
        let actor = self.allow_any(acting, &[operation], &row.mailbox).await?;
        Ok((actor, row))
    }

    /// Allows what needs all of these operations on one mailbox that is known to be of this organisation.
    pub(super) async fn allow_any(
        &self,
        acting: &Acting,
        operations: &[Operation],
        mailbox: &Mailbox,
    ) -> Result<Actor, Error> {
        let standing = self.standing_of(acting, Some(mailbox.id)).await?;
        let may = |operation: Operation| acting.may_with(standing.membership.role, standing.rights, operation);
        match operations.iter().find(|operation| !may(**operation)) {
            None => Ok(acting.actor()),
            Some(_) if !may(Operation::MailboxRead) => Err(UNKNOWN_MAILBOX),
            Some(refused) => Err(self.refuse(acting, *refused, Some(mailbox)).await?),
        }
    }

    async fn refuse(&self, acting: &Acting, operation: Operation, mailbox: Option<&Mailbox>) -> Result<Error, Error> {
        match &acting.via {
            Via::Token(token) if token.scope == TokenScope::Read && operation.changes() => Ok(Error::ReadOnly),
            _ => {
                self.forbidden(acting, operation, mailbox.map(|mailbox| mailbox.address.clone()))
                    .await
            }
        }
    }

    /// Wants a fresh proof of a person. A token is a proof of its own: one had to be given to make it.
    pub(super) fn fresh_or_token(&self, acting: &Acting) -> Result<(), Error> {
        match &acting.via {
            Via::Token(_) => Ok(()),
            Via::Session(session) => self.must_be_fresh(session),
        }
    }

    /// Wants a person and a fresh proof of them.
    pub(super) fn fresh_in_person(&self, acting: &Acting) -> Result<(), Error> {
        self.must_be_fresh(acting.in_person()?)
    }

    pub(super) fn must_be_fresh(&self, session: &ConsoleSession) -> Result<(), Error> {
        if session.proof != Proof::Half && self.directory.lifetimes.is_fresh(session.proved_at, self.now()) {
            Ok(())
        } else {
            Err(Error::StepUp)
        }
    }
}

pub(super) const UNKNOWN_ORG: Error = Error::Unknown { what: "organisation" };
pub(super) const UNKNOWN_MAILBOX: Error = Error::Unknown { what: "mailbox" };
