//! The Manager's handlers: from a request to a page.
//!
//! A handler reads what a form says, asks the desk (`directory::desk`), which alone decides who may do what, and fills a
//! page of `console::view`. `visit` finds out who asks, `reply` turns pages and errors into answers, `flash` carries one
//! message over a redirection. A POST that changed something is answered by a redirection (303), so that reloading a page
//! repeats nothing; the one exception is a page that shows a secret, which exists in this answer only.

mod cookies;
mod flash;
mod query;
mod reply;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::console::assets;
use super::console::view::error::{ErrorDoor, Fault};
use super::manager::Origin;
use crate::clock::Clock;
use crate::directory::desk::Desk;
use crate::revoke::{Registry, Tail};

pub use reply::{Failed, Reply};
pub use visit::{Guest, Inside, Person};

/// Files that are the same for everybody and have a hash in their path.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// How a mail program reaches one protocol, for the page that shows a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientService {
    /// The server name.
    pub host: String,
    /// The port.
    pub port: u16,
    /// TLS from the first octet, and not STARTTLS.
    pub implicit_tls: bool,
}

/// What handlers work with.
pub struct Pages {
    /// Every operation.
    pub desk: Desk,
    /// The live mail sessions of this process.
    pub registry: Arc<Registry>,
    /// Tells when a change has been applied.
    pub tail: Arc<Tail>,
    /// The begin of every link.
    pub origin: Origin,
    /// Where mail programs receive.
    pub imap: Option<ClientService>,
    /// Where they send.
    pub smtp: Option<ClientService>,
    /// The time.
    pub clock: Clock,
    /// Messages on their way over a redirection.
    pub flashes: flash::Flashes,
}

/// What handlers get as their state.
pub type Here = State<Arc<Pages>>;

/// All pages.
pub fn router(pages: Arc<Pages>) -> Router {
    Router::new()
        .route("/assets/{hash}/{name}", get(asset))
        .fallback(async |guest: Guest| reply::door_fault(&guest, Fault::NotFound))
        .with_state(pages)
}

async fn asset(OriginalUri(uri): OriginalUri) -> Response {
    let Some(asset) = assets::find(uri.path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static(FOREVER)),
    ];
    (headers, asset.body).into_response()
}

/// The page of a refusal that no handler has seen, for somebody of whom nothing is known.
pub fn sorry(status: StatusCode) -> Response {
    let fault = match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Fault::BadRequest
        }
        StatusCode::FORBIDDEN | StatusCode::MISDIRECTED_REQUEST => Fault::ForeignSite,
        StatusCode::PAYLOAD_TOO_LARGE => Fault::TooLarge,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Fault::NotFound,
        StatusCode::SERVICE_UNAVAILABLE => Fault::Unavailable,
        _ => Fault::Internal {
            reference: String::new(),
        },
    };
    let frame = super::console::view::Frame::door(visit::plain_reader(&Clock::system()));
    reply::with_status(status, &ErrorDoor { frame, fault })
}
