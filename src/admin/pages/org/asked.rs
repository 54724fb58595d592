//! What a request says, read into types: ids of the path, and fields of a query.
//!
//! An id that cannot be read answers like one that is unknown.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::super::Pages;
use super::super::form::{Form, Sent};
use super::super::visit::Inside;
use crate::admin::named::Named;
use crate::directory::Error;

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
