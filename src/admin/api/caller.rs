//! Who asks: a program with a token. An extractor, so that a handler that names it cannot be reached without one.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::Api;
use super::problem::Problem;
use crate::admin::manager::ClientAddress;
use crate::directory::Error;
use crate::directory::desk::{Acting, Via, Visitor};
use crate::model::ApiToken;
use crate::secret::Secret;

/// The scheme of the Authorization header (RFC 6750 §2.1).
const SCHEME: &str = "Bearer";

/// A program with a token, in the token's organisation.
pub(super) struct Caller {
    /// Who acts there.
    pub(super) acting: Acting,
    token: Arc<Secret<String>>,
}

impl Caller {
    /// What it needs to be asked again later.
    pub(super) fn again(&self) -> Again {
        Again {
            visitor: self.acting.visitor.clone(),
            token: Arc::clone(&self.token),
        }
    }

    /// Reads anew who acts: something was changed since the request began.
    pub(super) async fn look_again(&mut self, api: &Api) -> Result<(), Problem> {
        let visitor = self.acting.visitor.clone();
        self.acting = api.desk.acting_by_token(&visitor, self.token.expose()).await?;
        Ok(())
    }

    /// The token's record.
    pub(super) fn token(&self) -> Result<&ApiToken, Problem> {
        match &self.acting.via {
            Via::Token(token) => Ok(token),
            Via::Session(_) => Err(Error::SignedOut.into()),
        }
    }
}

/// A token that was shown, for answers that take longer than a moment.
pub(super) struct Again {
    pub(super) visitor: Visitor,
    pub(super) token: Arc<Secret<String>>,
}

/// The token that a request gives; none where it gives several, or something else.
fn token_of(headers: &HeaderMap) -> Option<Secret<String>> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (only, more) = (given.next()?, given.next());
    if more.is_some() {
        return None;
    }
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case(SCHEME)
        .then(|| Secret::new(token.trim().to_owned()))
}

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let token = token_of(&parts.headers).ok_or(Error::SignedOut)?;
        let client = parts.extensions.get::<ClientAddress>();
        let ip = client.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |client| client.0);
        let program = parts.headers.get(header::USER_AGENT);
        let program = program.and_then(|program| program.to_str().ok()).unwrap_or_default();
        let visitor = Visitor::new(ip, program);
        let acting = api.desk.acting_by_token(&visitor, token.expose()).await?;
        Ok(Self {
            acting,
            token: Arc::new(token),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        token_of(&headers).map(|token| token.expose().clone())
    }

    #[test]
    fn a_token_is_read_from_one_bearer_header_and_from_nothing_else() {
        assert_eq!(read(&["Bearer pst_x"]).as_deref(), Some("pst_x"));
        assert_eq!(read(&["bearer  pst_x "]).as_deref(), Some("pst_x"));
        for none in [
            &[][..],
            &["pst_x"],
            &["Basic pst_x"],
            &["Bearer a", "Bearer b"],
            &["Bearer"],
        ] {
            assert_eq!(read(none), None, "{none:?}");
        }
    }
}
