//! Tokens for the API: made for a user in one organisation, shown once, kept by their keyed hash. And what requests with a
//! token made that came with a key of their own, so that one that comes again makes nothing again.

use std::time::Duration;

use async_trait::async_trait;

use super::{Actor, Error, TokenHash};
use crate::clock::Timestamp;
use crate::model::{ApiToken, OrgId, Role, TokenId, TokenScope, User, UserId};

/// The most tokens of one user in one organisation.
pub const TOKENS_MAX: u32 = 64;

/// How long it is known what a request with a key made.
pub const REQUESTS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The most requests with a key of one token that are known, the newest.
pub const REQUESTS_MAX: u32 = 10_000;

/// How long a request may be worked on. One that takes longer was lost with the process that had it, and is done again.
pub const REQUEST_TIME: Duration = Duration::from_secs(5 * 60);

/// What a request is known by; both are hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestKey {
    /// Of what the client calls it.
    pub key: [u8; 32],
    /// Of what it asks for.
    pub request: [u8; 32],
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: it is to be done now, under this number.
    New(i64),
    /// It is being worked on.
    Running,
    /// It made the thing with this id.
    Done(String),
    /// Another request came with its key.
    Other,
}

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
    /// Whether a token has not ended.
    async fn is_token_in_force(&self, id: TokenId) -> Result<bool, Error>;
    /// The tokens of an organisation, or of one user in it, newest first; ended ones too until they are tidied away.
    async fn tokens(&self, org: OrgId, user: Option<UserId>) -> Result<Vec<ApiToken>, Error>;
    /// Ends a token, and the set-up links that were made with it. `NotFound` where the organisation has no such token.
    async fn revoke_token(&self, actor: &Actor, org: OrgId, id: TokenId) -> Result<(), Error>;
    /// Notes that a token was used.
    async fn touch_token(&self, id: TokenId, origin: &str) -> Result<(), Error>;

    /// Asks what is known of a request, and notes that it is being worked on where that is nothing: of several that come
    /// at the same time, one is told to do it. `NotFound` where there is no such token any more. No change of the model,
    /// and so without an audit row.
    async fn claim_request(&self, token: TokenId, request: &RequestKey) -> Result<Claim, Error>;
    /// Notes what a request made; where it made nothing, it is forgotten and may be done again. Does nothing where somebody
    /// else was told to do it meanwhile.
    async fn settle_request(&self, claim: i64, made: Option<&str>) -> Result<(), Error>;
}
