//! What a request says, read into types: ids of the path, fields of a form, fields of a query.
//!
//! An id that cannot be read answers like one that is unknown. A form is a struct with named fields: nothing else that is
//! sent reaches anybody.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::{Form, Query};
use serde::de::DeserializeOwned;

use super::super::{Inside, Pages};
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
    params.find(|(given, _)| *given == name).and_then(|(_, value)| value.parse().ok())
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

/// The fields of a form that was sent; several of one name are a list.
pub(super) struct Posted<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Pages>> for Posted<T> {
    type Rejection = StatusCode;

    async fn from_request(request: Request, pages: &Arc<Pages>) -> Result<Self, StatusCode> {
        match Form::<T>::from_request(request, pages).await {
            Ok(Form(form)) => Ok(Self(form)),
            // The words of the refusal are the program's; the page for this status has ours.
            Err(refused) => Err(refused.into_response().status()),
        }
    }
}

/// The fields of a query.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Pages>> for Asked<T> {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, pages: &Arc<Pages>) -> Result<Self, StatusCode> {
        let query = Query::<T>::from_request_parts(parts, pages).await;
        query.map(|Query(query)| Self(query)).map_err(|_| StatusCode::BAD_REQUEST)
    }
}
