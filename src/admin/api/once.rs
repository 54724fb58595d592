//! Creating something once, although the request for it comes twice: a client whose connection broke cannot know whether
//! it was done. It names its request by a key; a repetition is answered with what was made, and makes nothing.
//!
//! What is kept of a request is its key, a hash of it, and the id of what it made, for a day and in a bounded number per
//! token. A repetition reads the thing anew, with the rights that the token has by then; a secret that was shown once is
//! not among what it reads. Work under a key, from the moment in which the key is claimed, goes on when whoever asked has
//! gone, so that it is known how it ended.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::problem::{self, Field, Problem};
use super::{Api, ROOT};
use crate::directory::desk::Acting;
use crate::model::TokenScope;
use crate::store::{Claim, RequestKey};

/// The header that names a request.
const HEADER: &str = "idempotency-key";
/// The longest key.
const KEY_MAX: usize = 255;
/// When it is worth while to ask again about a request that is being worked on.
const RUNNING_FOR: Duration = Duration::from_secs(1);
/// What tells an answer to a repetition.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The header of a request that creates something.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it is read as a header; this is its description")]
pub(super) struct KeyHeader {
    /// A name for this request, different for each: 1 to 255 visible ASCII characters. The same request under the same
    /// key, sent again within a day, makes nothing and is answered with what was made, without the secret that was shown
    /// the first time, and with `Idempotency-Replayed: true`.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$",
        nullable = false
    )]
    key: Option<String>,
}

/// What a request is called by whoever sends it, if they do.
pub(super) struct Key {
    key: Option<[u8; 32]>,
    hasher: blake3::Hasher,
}

impl FromRequestParts<Arc<Api>> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, Problem> {
        let mut given = parts.headers.get_all(HEADER).iter();
        let (key, more) = (given.next(), given.next());
        let is_right = |key: &HeaderValue| {
            let key = key.as_bytes();
            (1..=KEY_MAX).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic)
        };
        if more.is_some() || key.is_some_and(|key| !is_right(key)) {
            let text = format!("write one key of 1 to {KEY_MAX} visible ASCII characters");
            let field = Field::new("Idempotency-Key", "field.bad", text);
            return Err(Problem::of_field(problem::REQUEST_HEADER, field));
        }
        let mut hasher = blake3::Hasher::new();
        // No method and no path has a line end.
        hasher.update(parts.method.as_str().as_bytes());
        hasher.update(b"\n");
        hasher.update(parts.uri.path().as_bytes());
        hasher.update(b"\n");
        Ok(Self {
            key: key.map(|key| *blake3::hash(key.as_bytes()).as_bytes()),
            hasher,
        })
    }
}

impl Key {
    /// Together with the body.
    pub(super) fn of(mut self, body: &[u8]) -> Option<RequestKey> {
        self.hasher.update(body);
        Some(RequestKey {
            key: self.key?,
            request: *self.hasher.finalize().as_bytes(),
        })
    }
}

/// What a request came to.
#[derive(Debug)]
pub(super) enum Once<I, S> {
    /// It was done now, with what only this answer has.
    Now(I, S),
    /// It had been done before.
    Before(I),
}

impl<I: Copy, S> Once<I, S> {
    /// The id of what was made.
    pub(super) const fn id(&self) -> I {
        match self {
            Self::Now(id, _) | Self::Before(id) => *id,
        }
    }

    /// The id, and what only the first answer has.
    pub(super) fn split(self) -> (I, Option<S>) {
        match self {
            Self::Now(id, shown) => (id, Some(shown)),
            Self::Before(id) => (id, None),
        }
    }
}

impl Api {
    /// Does `make`, unless a request of this key has done it.
    pub(super) async fn once<I, S, F>(
        self: &Arc<Self>,
        caller: &Caller,
        key: Option<RequestKey>,
        make: F,
    ) -> Result<Once<I, S>, Problem>
    where
        I: FromStr + fmt::Display + Send + 'static,
        S: Send + 'static,
        F: Future<Output = Result<(I, S), Problem>> + Send + 'static,
    {
        let token = caller.token()?;
        let Some(key) = key.filter(|_| token.scope == TokenScope::Write) else {
            // Whoever may only read is refused by what they ask for, and leaves nothing behind.
            let (id, shown) = make.await?;
            return Ok(Once::Now(id, shown));
        };
        // Also the claim: one whose request has gone would be in the way of its repetition until it counts as lost.
        let (api, acting) = (Arc::clone(self), caller.acting.clone());
        let work = self.tasks.spawn(async move { api.claimed(&acting, &key, make).await });
        work.await.map_err(|_| Problem::plain(problem::SERVER_INTERNAL))?
    }

    async fn claimed<I, S, F>(&self, acting: &Acting, key: &RequestKey, make: F) -> Result<Once<I, S>, Problem>
    where
        I: FromStr + fmt::Display,
        F: Future<Output = Result<(I, S), Problem>>,
    {
        let claim = match self.desk.claim_request(acting, key).await? {
            Claim::New(claim) => claim,
            Claim::Done(made) => {
                let made = made.parse().map_err(|_| Problem::unknown("thing"))?;
                return Ok(Once::Before(made));
            }
            Claim::Other => return Err(Problem::plain(problem::KEY_MISMATCH)),
            Claim::Running => return Err(Problem::plain(problem::KEY_RUNNING).after(RUNNING_FOR)),
        };
        let made = make.await;
        let id = made.as_ref().ok().map(|(id, _)| id.to_string());
        self.desk.settle_request(claim, id.as_deref()).await;
        let (id, shown) = made?;
        Ok(Once::Now(id, shown))
    }
}

/// The answer to a request that creates something.
#[derive(Debug)]
pub(super) struct Made<T> {
    status: StatusCode,
    is_replay: bool,
    place: Option<String>,
    body: T,
}

impl<T> Made<T> {
    /// Something that has a path of its own below the root.
    pub(super) const fn of(is_replay: bool, place: String, body: T) -> Self {
        Self {
            status: StatusCode::CREATED,
            is_replay,
            place: Some(place),
            body,
        }
    }

    /// Something that was made for what is there already.
    pub(super) const fn again(is_replay: bool, body: T) -> Self {
        Self {
            status: StatusCode::OK,
            is_replay,
            place: None,
            body,
        }
    }
}

impl<T: Serialize> IntoResponse for Made<T> {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        let headers = response.headers_mut();
        let place = self
            .place
            .and_then(|place| HeaderValue::from_str(&format!("{ROOT}{place}")).ok());
        if let Some(place) = place {
            headers.insert(header::LOCATION, place);
        }
        if self.is_replay {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
