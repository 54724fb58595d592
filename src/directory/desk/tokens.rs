//! API tokens: one's own, and everybody's.

use super::super::rights::Operation;
use super::super::{Error, TokenSpec};
use super::{Acting, Desk, Letter, Via};
use crate::model::{ApiToken, TokenId};
use crate::secret::Secret;
use crate::store::{self, Claim, RequestKey};

impl Desk {
    /// Makes an API token that acts for oneself; it is shown once. It can never do more than its user at that moment.
    ///
    /// # Errors
    /// A token asks, the proof is too old, the name cannot be accepted, or the end has passed or is too far away.
    pub async fn create_token(&self, acting: &Acting, spec: TokenSpec) -> Result<(ApiToken, Secret<String>), Error> {
        let actor = self.allow(acting, Operation::OwnToken).await?;
        self.fresh_in_person(acting)?;
        let expires_at = spec.expires_at;
        let (token, secret) = self
            .directory
            .create_token(&actor, acting.org.id, acting.user.id, spec)
            .await?;
        // Whoever sits at somebody's open browser could make one, to stay.
        let letter = Letter::token_made(&token, &acting.org, expires_at, Some(acting.visitor.ip));
        let user = &acting.user;
        self.tell(&user.address, user.language, Some(acting.org.id), letter)
            .await;
        Ok((token, secret.shown()))
    }

    /// One's own tokens in this organisation, newest first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn my_tokens(&self, acting: &Acting) -> Result<Vec<ApiToken>, Error> {
        self.directory.tokens(acting.org.id, Some(acting.user.id)).await
    }

    /// Everybody's tokens in this organisation, newest first.
    ///
    /// # Errors
    /// Whoever acts may not see them.
    pub async fn tokens(&self, acting: &Acting) -> Result<Vec<ApiToken>, Error> {
        self.allow(acting, Operation::TokenRead).await?;
        self.directory.tokens(acting.org.id, None).await
    }

    /// Ends a token: one's own, or by role anybody's.
    ///
    /// # Errors
    /// Whoever acts may not, or there is none with this id here.
    pub async fn revoke_token(&self, acting: &Acting, id: TokenId) -> Result<(), Error> {
        let mine = self.my_tokens(acting).await?;
        let actor = if mine.iter().any(|token| token.id == id) {
            acting.in_person()?;
            self.allow(acting, Operation::OwnToken).await?
        } else {
            self.allow(acting, Operation::TokenRevoke).await?
        };
        self.directory.revoke_token(&actor, acting.org.id, id).await
    }

    /// Asks what is known of a request of a token that came with a key, and notes that it is being worked on. Rights are
    /// asked by what the request does.
    ///
    /// # Errors
    /// A person acts, or the token is no more.
    pub async fn claim_request(&self, acting: &Acting, request: &RequestKey) -> Result<Claim, Error> {
        let Via::Token(token) = &acting.via else {
            return Err(Error::SignedOut);
        };
        match self.store().claim_request(token.id, request).await {
            Err(store::Error::NotFound(_)) => Err(Error::SignedOut),
            claimed => Ok(claimed?),
        }
    }

    /// Notes what a request made, or that it made nothing. Where that cannot be noted, the request counts as being worked
    /// on for some minutes more.
    pub async fn settle_request(&self, claim: i64, made: Option<&str>) {
        if let Err(error) = self.store().settle_request(claim, made).await {
            tracing::error!(%error, "what a request with a key made was not noted");
        }
    }
}
