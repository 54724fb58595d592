//! Where mail programs look for their settings by themselves: Thunderbird's autoconfig, Outlook's Autodiscover, PACC.
//!
//! A few paths on the Manager's listener, asked under names such as `autoconfig.example.org` for any mail domain of the
//! store, and so in front of the guard that knows one host only. What is answered is public and the same for every
//! address of a domain, so that nobody learns here which mailboxes exist: no mailbox is ever looked up. Programs send
//! passwords with these requests unasked (Outlook in `Authorization`, Thunderbird too once it has one). Nothing here
//! reads that header, no answer asks for it, and neither it nor a query nor a body is logged.

mod asked;
mod known;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Router, body};
use tower::ServiceExt as _;
use tower_http::catch_panic::CatchPanicLayer;

use super::manager::{self, Told};
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::model::{Address, DomainName, Origin};
use crate::onboard::{Settings, autoconfig, autodiscover, pacc};
use crate::store::DirectoryStore;
use asked::{Host, Route};
use known::Known;

/// The body of a request: Outlook's has some 400 octets.
const BODY_BYTES: usize = 16 * 1024;
/// How long an answer to a GET may be used again: a change of the settings is seen everywhere after that time.
const CACHED: &str = "public, max-age=3600";
/// What is served is for programs; in a browser it is nothing but text.
const HEADERS: [(HeaderName, &str); 2] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
];

/// What discovery works with.
pub struct Parts {
    /// Knows the mail domains.
    pub store: Arc<dyn DirectoryStore>,
    /// How mail programs reach us.
    pub settings: Settings,
    /// Where people read on.
    pub origin: Origin,
    /// Counts requests.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Clock,
}

struct Discovery {
    parts: Parts,
    known: Known,
    /// The same octets each time: their digest is published.
    pacc: Option<Bytes>,
}

/// Why there is no document.
enum Fault {
    /// Not a name or an address of a mail domain of ours.
    Unknown,
    /// There is no such document for the configured services.
    NotOffered,
    Method(&'static str),
    TooLong,
    Body,
    Store,
}

/// Puts discovery in front of everything else.
pub fn in_front(parts: Parts, rest: Router) -> Router {
    let pacc = pacc::document(&parts.settings, &parts.origin).map(Bytes::from);
    let known = Known::new(Arc::clone(&parts.store), parts.clock.clone());
    let own = Router::new()
        .fallback(answer)
        .with_state(Arc::new(Discovery { parts, known, pacc }))
        .layer(middleware::from_fn(manager::in_time))
        .layer(CatchPanicLayer::custom(manager::panicked))
        .layer(middleware::map_response(with_headers));
    rest.layer(middleware::from_fn_with_state(own, divert))
}

async fn divert(State(own): State<Router>, mut request: Request, next: Next) -> Response {
    let Some(route) = Route::of(request.uri().path()) else {
        return next.run(request).await;
    };
    request.extensions_mut().insert(route);
    match own.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn answer(
    State(discovery): State<Arc<Discovery>>,
    Extension(route): Extension<Route>,
    request: Request,
) -> Response {
    let told = Told::begin(&discovery.parts.clock, route.pattern(), &request);
    let answer = discovery.answer(route, request).await;
    let response = answer.unwrap_or_else(IntoResponse::into_response);
    told.end(&discovery.parts.clock, &discovery.parts.metrics, &response);
    response
}

impl Discovery {
    async fn answer(&self, route: Route, request: Request) -> Result<Response, Fault> {
        let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
        let is_post = route == Route::AutodiscoverXml && request.method() == Method::POST;
        if !is_get && !is_post {
            return Err(Fault::Method(route.methods()));
        }
        let host = Host::of(&request, &self.parts.origin).ok_or(Fault::Unknown)?;
        match route {
            Route::Autoconfig => {
                let domain = self.domain(&host, asked::domain_in_query(request.uri())).await?;
                let document = autoconfig::document(&self.parts.settings, &self.parts.origin, &domain);
                Ok(found(autoconfig::MEDIA_TYPE, document.ok_or(Fault::NotOffered)?))
            }
            Route::Pacc => {
                if !matches!(host, Host::Own) {
                    self.domain(&host, None).await?;
                }
                Ok(found("application/json", self.pacc.clone().ok_or(Fault::NotOffered)?))
            }
            Route::AutodiscoverXml if is_post => self.autodiscover(&host, request.into_body()).await,
            Route::AutodiscoverXml => {
                // Some programs ask without saying anything; what they get is the same for everybody.
                self.domain(&host, asked::domain_in_query(request.uri())).await?;
                let document = autodiscover::settings(&self.parts.settings, None);
                Ok(found(autodiscover::MEDIA_TYPE, document.ok_or(Fault::NotOffered)?))
            }
            Route::AutodiscoverJson => {
                self.domain(&host, asked::domain_in_json_request(request.uri())).await?;
                // Programs follow the link with a password in their hand. A name that does not stand for a domain of ours
                // may be anybody's, who wants to see it.
                let stands = self.serves_any(&host).await?;
                let host = if stands { &host } else { &Host::Own };
                let url = host.link(&self.parts.origin, asked::AUTODISCOVER_XML);
                let protocol = asked::in_query(request.uri(), &["protocol"]);
                Ok(match autodiscover::version_2(protocol.as_deref(), &url) {
                    // A cache that does not ask for the name would hand one name's link to another.
                    Ok(document) => ([(header::CONTENT_TYPE, "application/json")], document).into_response(),
                    Err(document) => {
                        let is_json = [(header::CONTENT_TYPE, "application/json")];
                        (StatusCode::BAD_REQUEST, is_json, document).into_response()
                    }
                })
            }
        }
    }

    /// Version 1 of Autodiscover. Errors have status 200, as programs expect them (MS-OXDSCLI §3.1.5.4).
    async fn autodiscover(&self, host: &Host, body: Body) -> Result<Response, Fault> {
        let is_xml = [(header::CONTENT_TYPE, autodiscover::MEDIA_TYPE)];
        let body = body::to_bytes(body, BODY_BYTES).await.map_err(|error| {
            // The one error that says so is that of the limit.
            let is_too_long =
                std::error::Error::source(&error).is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
            if is_too_long { Fault::TooLong } else { Fault::Body }
        })?;
        let address = match autodiscover::read(&body) {
            Ok(address) => address,
            Err(why) => {
                let now = self.parts.clock.utc().rfc3339();
                let time = now.get(11..19).unwrap_or_default();
                return Ok((is_xml, autodiscover::refused(why, time)).into_response());
            }
        };
        let domain = address.as_ref().map(Address::domain);
        self.domain(host, domain).await?;
        let document = autodiscover::settings(&self.parts.settings, address.as_ref());
        Ok((is_xml, document.ok_or(Fault::NotOffered)?).into_response())
    }

    /// The mail domain that is asked for: that of the address where there is one, else that of the host.
    async fn domain(&self, host: &Host, of_address: Option<DomainName>) -> Result<DomainName, Fault> {
        let Some(domain) = of_address else {
            for domain in host.domains() {
                if self.serves(domain).await? {
                    return Ok(domain.clone());
                }
            }
            return Err(Fault::Unknown);
        };
        // One such name under the domain of the mail exchanger is enough for all domains behind it.
        let is_ours = host.is_for_any_domain() || self.serves_any(host).await?;
        if is_ours && self.serves(&domain).await? {
            Ok(domain)
        } else {
            Err(Fault::Unknown)
        }
    }

    async fn serves_any(&self, host: &Host) -> Result<bool, Fault> {
        for domain in host.domains() {
            if self.serves(domain).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn serves(&self, domain: &DomainName) -> Result<bool, Fault> {
        self.known.is_ours(domain).await.map_err(|known::Failed| Fault::Store)
    }
}

fn found(media_type: &'static str, document: impl Into<Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, CACHED),
        (header::VARY, "host"),
    ];
    (headers, document.into()).into_response()
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Unknown => (
                StatusCode::NOT_FOUND,
                "This is not a mail domain of this service. Ask on a name such as autoconfig.example.org, with the whole \
                 mail address.\n",
            ),
            Self::NotOffered => (
                StatusCode::NOT_FOUND,
                "This service has no settings in this format. Type them in as the Manager shows them.\n",
            ),
            Self::Method(allowed) => {
                let headers = [(header::ALLOW, allowed)];
                return (
                    StatusCode::METHOD_NOT_ALLOWED,
                    headers,
                    "Nothing is read here that way.\n",
                )
                    .into_response();
            }
            Self::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "A request has at most 16 KiB.\n"),
            Self::Body => (StatusCode::BAD_REQUEST, "The request did not arrive whole.\n"),
            Self::Store => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The settings cannot be read now. Try again in a minute.\n",
            ),
        };
        (status, text).into_response()
    }
}
