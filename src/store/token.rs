//! Tokens for the API: made for a user in one organisation, shown once, kept by their keyed hash.

use async_trait::async_trait;

use super::{Actor, Error, TokenHash};
use crate::clock::Timestamp;
use crate::model::{ApiToken, OrgId, Role, TokenId, TokenScope, User, UserId};

/// The most tokens of one user in one organisation.
pub const TOKENS_MAX: u32 = 64;

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// In whose name; a member.
    pub user: UserId,
    /// 1 to 64 characters.
    pub name: String,
    /// Its hash.
    pub hash: TokenHash,
    /// The most it may do.
    pub role: Role,
    /// Whether it may change anything.
    pub scope: TokenScope,
    /// Refused from this moment on.
    pub expires_at: Option<Timestamp>,
}

/// Tokens for the API. Every change is one transaction with its audit row.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// Makes a token. `Refused` beyond [`TOKENS_MAX`], `NotFound` where the user is no member.
    async fn create_token(&self, actor: &Actor, org: OrgId, new: &NewToken) -> Result<ApiToken, Error>;
    /// The token with this hash and its user, unless it has ended. The user's own role is asked for separately
    /// ([`PeopleStore::standing`](super::PeopleStore::standing)): it may be less by now.
    async fn token(&self, hash: &TokenHash) -> Result<Option<(ApiToken, User)>, Error>;
    /// The tokens of an organisation, or of one user in it, newest first; ended ones too until they are tidied away.
    async fn tokens(&self, org: OrgId, user: Option<UserId>) -> Result<Vec<ApiToken>, Error>;
    /// Ends a token. `NotFound` where the organisation has no such token.
    async fn revoke_token(&self, actor: &Actor, org: OrgId, id: TokenId) -> Result<(), Error>;
    /// Notes that a token was used.
    async fn touch_token(&self, id: TokenId, origin: &str) -> Result<(), Error>;
}
