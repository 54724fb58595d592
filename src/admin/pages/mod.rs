//! The Manager's handlers: from a request to a page.
//!
//! A handler reads what a form says, asks the desk (`directory::desk`), which alone decides who may do what, and fills a
//! page of `console::view`. `visit` finds out who asks, `reply` turns pages and errors into answers, `flash` carries one
//! message over a redirection. A POST that changed something is answered by a redirection (303), so that reloading a page
//! repeats nothing; the one exception is a page that shows a secret, which exists in this answer only.

mod applied;
mod cookies;
mod doors;
mod flash;
mod form;
mod me;
mod notices;
mod once;
mod org;
mod paced;
mod query;
mod reply;
mod settings;
mod shown;
mod visit;

#[cfg(test)]
pub(super) mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use tower_http::compression::CompressionLayer;

use super::console::assets;
use super::console::view::error::{ErrorDoor, Fault};
use crate::admin::records::Records;
use crate::clock::Clock;
use crate::directory::desk::Desk;
use crate::directory::rights::{Operation, may};
use crate::model::{Origin, Rights};
use crate::onboard;
use crate::revoke::{Registry, Tail};
use crate::store::UserOrg;
use crate::tls::Signer;
use crate::trial;
use crate::tries::Tries;

use visit::{Guest, Person};

/// Files that are the same for everybody and have a hash in their path.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// What handlers are made of.
pub struct Parts {
    /// Every operation; the API works with the same ones.
    pub desk: Arc<Desk>,
    /// The live mail sessions of this process.
    pub registry: Arc<Registry>,
    /// Tells when a change has been applied.
    pub tail: Arc<Tail>,
    /// The begin of every link.
    pub origin: Origin,
    /// How mail programs reach us.
    pub settings: onboard::Settings,
    /// The DNS records of mail domains.
    pub records: Arc<Records>,
    /// What devices that somebody waits for tried lately.
    pub tries: Arc<Tries>,
    /// The way of a test message to our own submission listener; none where there is no such listener.
    pub trial: Option<trial::Way>,
    /// Signs files that devices are set up with.
    pub signer: Signer,
    /// The time.
    pub clock: Clock,
}

/// What handlers work with.
pub struct Pages {
    desk: Arc<Desk>,
    registry: Arc<Registry>,
    tail: Arc<Tail>,
    origin: Origin,
    settings: onboard::Settings,
    records: Arc<Records>,
    tries: Arc<Tries>,
    trial: Option<trial::Way>,
    signer: Signer,
    clock: Clock,
    /// Messages on their way over a redirection.
    flashes: flash::Flashes,
    /// Forms that were taken.
    once: once::Once,
    /// When test messages were sent.
    trials: paced::Paced,
}

impl Pages {
    /// Handlers that work with these.
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            desk: parts.desk,
            registry: parts.registry,
            tail: parts.tail,
            origin: parts.origin,
            settings: parts.settings,
            records: parts.records,
            tries: parts.tries,
            trial: parts.trial,
            trials: paced::Paced::default(),
            signer: parts.signer,
            clock: parts.clock,
            flashes: flash::Flashes::default(),
            once: once::Once::default(),
        })
    }

    /// Every operation.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }
}

/// What handlers get as their state.
type Here = State<Arc<Pages>>;

/// All pages.
pub fn router(pages: Arc<Pages>) -> Router {
    Router::new()
        .route("/", get(start))
        // Only what is the same for everybody is compressed: in a page, a secret would stand beside what somebody else
        // chose, and the length would tell (BREACH).
        .route("/assets/{hash}/{name}", get(asset).layer(CompressionLayer::new()))
        .merge(doors::routes(&pages))
        .merge(me::routes())
        .merge(org::routes())
        .merge(settings::routes())
        .merge(notices::routes())
        .fallback(async |guest: Guest| reply::door_fault(&guest, Fault::NotFound))
        .method_not_allowed_fallback(async |guest: Guest| reply::door_fault(&guest, Fault::NotFound))
        .with_state(pages)
}

/// `/`: the organisation that one looks after, or one's own mailboxes.
async fn start(person: Person) -> Response {
    reply::to(&start_of(&person.orgs))
}

/// Where somebody with these organisations begins.
fn start_of(orgs: &[UserOrg]) -> String {
    let looked_after = |org: &&UserOrg| may(org.role, Rights::NONE, Operation::OrgRead);
    match orgs.iter().find(looked_after) {
        Some(org) => format!("/o/{}", org.org.id),
        None => "/me".to_owned(),
    }
}

async fn asset(uri: Uri) -> Response {
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
