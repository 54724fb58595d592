//! What holds for every request and every answer, whatever page it is for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::{ConfigError, CsrfLayer};

use super::{ClientAddress, Origin};
use crate::clock::Clock;
use crate::metrics::{HttpLabel, Metrics};

/// The body of a request: the longest form that people fill in is a few kilobytes.
pub(super) const BODY_BYTES: usize = 64 * 1024;
/// From the last header of a request to the first octet of its answer.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Nothing but our own files, no inline script or style, no frame around us, forms to ourselves only.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// No page of ours asks for any of it.
const PERMISSIONS_POLICY: &str =
    "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=(), clipboard-read=()";
/// A year: whoever has seen the Manager by TLS once never speaks to it in clear.
const STRICT_TRANSPORT: &str = "max-age=31536000";

/// Headers of every answer. `same-origin` and not `no-referrer`: with the latter browsers send forms with the origin
/// `null` (Fetch §3.2), and a form of ours could not be told from a stranger's.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
];

/// What the guards need.
#[derive(Clone)]
struct Guard {
    origin: Origin,
    metrics: Arc<Metrics>,
    clock: Clock,
}

/// Makes the answer of a refusal that no handler has seen, for the path that was asked for.
pub type Sorry = fn(&str, StatusCode) -> Response;

/// Puts the guards around pages and API.
///
/// # Errors
/// The origin is none that a browser could send.
pub fn guarded(
    router: Router,
    origin: &Origin,
    metrics: Arc<Metrics>,
    clock: Clock,
    sorry: Sorry,
) -> Result<Router, ConfigError> {
    let guard = Guard {
        origin: origin.clone(),
        metrics,
        clock,
    };
    let csrf = CsrfLayer::new().add_trusted_origin(origin.as_str())?;
    let guarded = router
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(csrf)
        .layer(middleware::from_fn_with_state(guard.clone(), only_our_host))
        .layer(middleware::from_fn(in_time))
        // A defect in one page is a page that says so, and a line in the log.
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(move |request, next| in_words(sorry, request, next)))
        .layer(middleware::from_fn_with_state(guard.clone(), with_headers))
        .layer(middleware::from_fn_with_state(guard, counted));
    Ok(guarded)
}

/// A request for another name is refused, so that nothing a request says can become part of a page.
async fn only_our_host(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if host_of(&request).is_some_and(|host| host.eq_ignore_ascii_case(guard.origin.authority())) {
        next.run(request).await
    } else {
        StatusCode::MISDIRECTED_REQUEST.into_response()
    }
}

/// The name and the port that a request was sent to, as it says itself.
pub(in crate::admin) fn host_of(request: &Request) -> Option<&str> {
    let given = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    request
        .uri()
        .authority()
        .map(axum::http::uri::Authority::as_str)
        .or(given)
}

/// An answer, or the refusal of one that takes too long.
pub(in crate::admin) async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(ANSWER_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The answer to what ended in a defect.
pub(in crate::admin) fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    // The panic hook has logged where; what it said may hold what somebody typed.
    tracing::error!("a request ended in a defect");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// Gives refusals without a body their words.
async fn in_words(sorry: Sorry, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if is_error && !response.headers().contains_key(header::CONTENT_TYPE) {
        return sorry(&path, status);
    }
    response
}

async fn with_headers(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if guard.origin.is_secure() {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(STRICT_TRANSPORT),
        );
    }
    // Pages show what is whose; only files that are the same for everybody say otherwise.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// One line and one count a request: the route's pattern and never the path, which may hold a link's secret.
async fn counted(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let told = Told::begin(&guard.clock, &route, &request);
    let response = next.run(request).await;
    told.end(&guard.clock, &guard.metrics, &response);
    response
}

/// What is told of a request: everything else in it may be a secret.
pub(in crate::admin) struct Told<'a> {
    began: Instant,
    method: Method,
    route: &'a str,
    client: Option<ClientAddress>,
}

impl<'a> Told<'a> {
    /// Begins with a request that has come, for the pattern of its route.
    pub(in crate::admin) fn begin(clock: &Clock, route: &'a str, request: &Request) -> Self {
        Self {
            began: clock.now(),
            method: request.method().clone(),
            route,
            client: request.extensions().get::<ClientAddress>().copied(),
        }
    }

    /// Counts the request with its answer, and logs it.
    pub(in crate::admin) fn end(self, clock: &Clock, metrics: &Metrics, response: &Response) {
        let status = response.status().as_u16();
        metrics
            .http_requests
            .get_or_create(&HttpLabel::new(self.route, status))
            .inc();
        tracing::debug!(
            http.method = %self.method,
            http.route = self.route,
            http.status = status,
            client.addr = self.client.map(|client| tracing::field::display(client.0)),
            duration_ms = clock.now().duration_since(self.began).as_secs_f64() * 1000.0,
            "request"
        );
    }
}

/// Where to go after signing in, as a page asked for it: a path of ours and nothing else.
pub fn local_path(asked: &str) -> Option<&str> {
    let uri: Uri = asked.parse().ok()?;
    let is_path = uri.scheme().is_none() && uri.authority().is_none();
    // `//host` and `/\host` are other hosts to a browser.
    let stays = asked.starts_with('/') && !asked.starts_with("//") && !asked.contains(['\\', '\t', '\r', '\n']);
    (is_path && stays).then_some(asked)
}
