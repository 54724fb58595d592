//! The API: `/api/v1`, JSON, for programs that act in a user's name with a token.
//!
//! A handler reads what was asked (`asked`, `words`), asks the desk (`directory::desk`), which alone decides who may do
//! what, and shows what it gives (`shown`). `caller` finds out who asks; it reads the Authorization header and nothing
//! else, so that a cookie of a browser is worth nothing here. `problem` is every refusal, `once` keeps a repeated creation
//! from happening twice, `document` is the description of it all: handlers are registered together with their part of it,
//! so that none can be missing.

#![expect(unused_qualifications, reason = "utoipa's macros write paths in full")]

mod aliases;
mod asked;
mod audit;
mod caller;
mod changed;
mod device_changes;
mod device_links;
mod devices;
mod document;
mod domains;
mod grants;
mod invitations;
mod mailboxes;
mod me;
mod members;
mod notices;
mod once;
mod organisation;
mod pages;
mod problem;
mod search;
mod sessions;
mod shown;
mod tokens;
mod words;

#[cfg(test)]
mod tests;

/// What handlers work with.
mod scope {
    pub(super) use std::sync::Arc;

    pub(super) use axum::Json;
    pub(super) use axum::extract::State;
    pub(super) use axum::response::NoContent;
    pub(super) use serde::{Deserialize, Serialize};
    pub(super) use utoipa::{IntoParams, ToSchema};
    pub(super) use utoipa_axum::router::OpenApiRouter;
    pub(super) use utoipa_axum::routes;

    pub(super) use super::asked::{At, Query, Sent};
    pub(super) use super::caller::Caller;
    pub(super) use super::changed::Ended;
    pub(super) use super::pages::{List, Pages, Paging};
    pub(super) use super::problem::Problem;
    pub(super) use super::{Api, Here, Reply, shown, words};
    pub(super) use crate::directory::Error;
    pub(super) use crate::directory::rights::Operation;
    pub(super) use crate::store;
}

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use tokio_util::task::TaskTracker;
use utoipa_axum::router::OpenApiRouter;

use crate::admin::records::Records;
use crate::clock::Clock;
use crate::directory::desk::Desk;
use crate::model::Origin;
use crate::onboard;
use crate::revoke::{Registry, Tail};

/// Where the API is.
const ROOT: &str = "/api/v1";

/// What handlers are made of.
pub struct Parts {
    /// Every operation; the pages work with the same ones.
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
    /// The time.
    pub clock: Clock,
    /// What is to come to its end although whoever asked for it has gone.
    pub tasks: TaskTracker,
}

/// What handlers work with.
pub struct Api {
    desk: Arc<Desk>,
    registry: Arc<Registry>,
    tail: Arc<Tail>,
    origin: Origin,
    settings: onboard::Settings,
    records: Arc<Records>,
    clock: Clock,
    tasks: TaskTracker,
}

impl Api {
    /// Handlers that work with these.
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts {
            desk,
            registry,
            tail,
            origin,
            settings,
            records,
            clock,
            tasks,
        } = parts;
        Arc::new(Self {
            desk,
            registry,
            tail,
            origin,
            settings,
            records,
            clock,
            tasks,
        })
    }
}

/// What handlers get as their state.
type Here = State<Arc<Api>>;

/// What a handler gives.
type Reply<T> = Result<Json<T>, problem::Problem>;

/// Every path, with its part of the description.
fn described() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::with_openapi(document::head())
        .merge(me::routes())
        .merge(organisation::routes())
        .merge(notices::routes())
        .merge(domains::routes())
        .merge(mailboxes::routes())
        .merge(aliases::routes())
        .merge(grants::routes())
        .merge(devices::routes())
        .merge(device_changes::routes())
        .merge(device_links::routes())
        .merge(sessions::routes())
        .merge(members::routes())
        .merge(invitations::routes())
        .merge(audit::routes())
        .merge(search::routes())
        .merge(tokens::routes())
        .merge(document::routes())
}

/// All paths below `/api`.
pub fn router(api: Arc<Api>) -> Router {
    let (paths, mut description) = described().split_for_parts();
    document::complete(&mut description);
    let description = Arc::new(document::text(&description));
    let served = get(move || {
        let text = String::clone(&description);
        async move { json(text) }
    });
    let paths = paths
        .route("/openapi.json", served)
        .fallback(async || problem::of_status(StatusCode::NOT_FOUND))
        .method_not_allowed_fallback(async || problem::of_status(StatusCode::METHOD_NOT_ALLOWED))
        .with_state(api);
    Router::new()
        .nest(ROOT, paths)
        // Other versions, which there are not.
        .route("/api", any(nowhere))
        .route("/api/", any(nowhere))
        .route("/api/{*rest}", any(nowhere))
}

async fn nowhere() -> Response {
    problem::of_status(StatusCode::NOT_FOUND).into_response()
}

fn json(text: String) -> Response {
    let content_type = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

/// Whether a path is one of the API's, so that what is said about it is JSON and no page.
pub fn is_below(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// The answer to a refusal that no handler has seen.
pub fn sorry(status: StatusCode) -> Response {
    problem::of_status(status).into_response()
}
