//! What a request says, read into types: ids of the path, and fields of a query.
//!
//! An id that cannot be read answers like one that is unknown.

use std::convert::Infallible;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::super::Pages;
use super::super::form::{Form, Sent};
use super::super::visit::Inside;
use crate::directory::Error;
use crate::model::{AliasId, DeviceId, DomainId, InvitationId, MailboxId, UserId};
use crate::revoke::SessionId;

/// Something that a path names inside an organisation.
pub(super) trait Named: Sized + Send {
    /// What it is.
    const WHAT: &'static str;

    /// Reads it from the path's parameters.
    fn read(params: &RawPathParams) -> Option<Self>;
}

fn param<T: FromStr>(params: &RawPathParams, name: &str) -> Option<T> {
    let mut params = params.iter();
    params
        .find(|(given, _)| *given == name)
        .and_then(|(_, value)| value.parse().ok())
}

macro_rules! named {
    ($($type:ty => $name:literal, $what:literal;)*) => {
        $(impl Named for $type {
            const WHAT: &'static str = $what;

            fn read(params: &RawPathParams) -> Option<Self> {
                param(params, $name)
            }
        })*
    };
}

named! {
    AliasId => "alias", "alias";
    DeviceId => "device", "device";
    DomainId => "domain", "mail domain";
    InvitationId => "invitation", "invitation";
    MailboxId => "mailbox", "mailbox";
    UserId => "user", "member";
    i64 => "number", "entry";
}

impl Named for SessionId {
    const WHAT: &'static str = "session";

    fn read(params: &RawPathParams) -> Option<Self> {
        param(params, "session").map(Self)
    }
}

impl<A: Named, B: Named> Named for (A, B) {
    const WHAT: &'static str = B::WHAT;

    fn read(params: &RawPathParams) -> Option<Self> {
        Some((A::read(params)?, B::read(params)?))
    }
}

/// Somebody inside an organisation, and what the path names there. Whether there is such a thing is for the desk to say.
pub(super) struct There<T> {
    pub(super) inside: Inside,
    pub(super) id: T,
}

impl<T: Named> FromRequestParts<Arc<Pages>> for There<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, pages: &Arc<Pages>) -> Result<Self, Response> {
        let inside = Inside::from_request_parts(parts, pages).await?;
        let params = RawPathParams::from_request_parts(parts, pages).await.ok();
        match params.as_ref().and_then(T::read) {
            Some(id) => Ok(Self { inside, id }),
            None => Err(inside.failed(Error::Unknown { what: T::WHAT }).into_response()),
        }
    }
}

/// The fields of a query: of a list, or of a form that is to be filled in already.
pub(super) struct Asked<F>(pub(super) F);

impl<F: Form> FromRequestParts<Arc<Pages>> for Asked<F> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Pages>) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        // A link that was cut off shows the page all the same.
        let mut sent = Sent::parse(query.as_bytes()).unwrap_or_default();
        Ok(Self(F::read(&mut sent)))
    }
}
