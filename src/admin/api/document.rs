//! The description of the API (OpenAPI 3.1), made from the code: what stands beside each handler, and here what holds for
//! all of them. It and the list of problems are served to everybody.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use serde::Serialize;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Response,
    ResponseBuilder, Server,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::{CONTENT_TYPE, Field, KINDS, Kind, Problem, ProblemBody};
use super::{Api, ROOT, Reply};
use crate::admin::api::words;

const SCHEME: &str = "token";

const ABOUT: &str = "\
What the Manager can do, for programs. Every request carries a token (`Authorization: Bearer pst_...`), which a member \
makes in the Manager; it acts in their name, in one organisation, and may never do more than they may.

A request that is not done is answered with `application/problem+json` (RFC 9457): `key` tells programs what it was, `hint` \
tells people what to do, and `/problems` lists all of them. A path that is none is `request.path` (404), a method that a \
path does not know `request.method` (405), a request for another host `request.host` (421).

Lists come in pages: give `next` as `after` until it is null. A request that creates something may carry an \
`Idempotency-Key`, and can then be sent again safely. A change of something says which `revision` was seen.";

/// Each tag and what it is about.
const TAGS: [(&str, &str); 14] = [
    ("me", "Whom the token acts for, and what was granted to them."),
    ("organisation", "The token's organisation."),
    ("domains", "Mail domains."),
    (
        "mailboxes",
        "Mailboxes: an address and what lies in the mail store. They have no password.",
    ),
    (
        "aliases",
        "Further addresses of a mailbox. They cannot be signed in to.",
    ),
    (
        "grants",
        "What people may do with a mailbox: \"access\" on the screens of the Manager.",
    ),
    ("devices", "Devices: each is one password of one mailbox."),
    ("sessions", "Live mail sessions."),
    ("members", "The people of the organisation."),
    ("invitations", "Offers to become a member."),
    ("audit", "Who did what."),
    ("search", "Finding things."),
    ("tokens", "API tokens."),
    ("description", "This description; it needs no token."),
];

/// The statuses of refusals that operations are described with.
const REFUSALS: [u16; 11] = [400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503];

/// The begin of the description.
pub(super) fn head() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Postern")
        .version("1")
        .description(Some(ABOUT));
    let tags = TAGS.map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build());
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new(ROOT)]))
        .tags(Some(tags))
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(SCHEME, [])]))
        .build()
}

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(problems)).routes(routes!(problem))
}

/// The description as it is served.
pub(super) fn text(description: &OpenApi) -> String {
    description.to_json().unwrap_or_default()
}

/// Adds what holds for every operation: the scheme of tokens, and the refusals.
pub(super) fn complete(description: &mut OpenApi) {
    let components = description.components.get_or_insert_with(Components::new);
    let scheme = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("pst_ and 52 letters")
        .build();
    components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
    for (name, schema) in [
        (ProblemBody::name(), ProblemBody::schema()),
        (Field::name(), Field::schema()),
        (words::Moment::name(), words::Moment::schema()),
    ] {
        components.schemas.insert(name.into_owned(), schema);
    }
    for status in REFUSALS {
        let kinds = KINDS.iter().filter(|kind| kind.status.as_u16() == status);
        components
            .responses
            .insert(refusal_name(status), refusal(status, kinds));
    }
    for item in description.paths.paths.values_mut() {
        for (method, operation) in [
            (HttpMethod::Get, &mut item.get),
            (HttpMethod::Put, &mut item.put),
            (HttpMethod::Post, &mut item.post),
            (HttpMethod::Delete, &mut item.delete),
            (HttpMethod::Patch, &mut item.patch),
        ] {
            if let Some(operation) = operation {
                refusals(&method, operation);
                replays(operation);
            }
        }
    }
}

/// Whether an operation is served to everybody.
fn is_open(operation: &Operation) -> bool {
    operation.security.as_ref().is_some_and(Vec::is_empty)
}

fn has_parameter(operation: &Operation, place: &ParameterIn) -> bool {
    let parameters = operation.parameters.iter().flatten();
    parameters
        .clone()
        .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == *place))
}

/// The refusals that an operation of this form can be answered with.
fn refusals(method: &HttpMethod, operation: &mut Operation) {
    let mut statuses = vec![500, 503];
    let has_query = has_parameter(operation, &ParameterIn::Query);
    let has_body = operation.request_body.is_some();
    let repeats = has_parameter(operation, &ParameterIn::Header);
    if !is_open(operation) {
        statuses.extend([401, 403, 429]);
    }
    if has_query || has_body || repeats {
        statuses.push(400);
    }
    // A filter may name a mailbox as well, and what was made by a repeated request may be gone.
    if has_parameter(operation, &ParameterIn::Path) || repeats || (has_query && *method == HttpMethod::Get) {
        statuses.push(404);
    }
    if *method != HttpMethod::Get {
        statuses.push(409);
    }
    if has_body {
        statuses.extend([413, 415]);
    }
    if has_body || repeats {
        statuses.push(422);
    }
    for status in statuses {
        let refusal = RefOr::Ref(Ref::from_response_name(refusal_name(status)));
        operation.responses.responses.insert(status.to_string(), refusal);
    }
}

fn refusal_name(status: u16) -> String {
    format!("Problem{status}")
}

/// The refusals with this status, whatever the operation.
fn refusal<'a>(status: u16, kinds: impl Iterator<Item = &'a Kind>) -> RefOr<Response> {
    let keys: Vec<String> = kinds.map(|kind| format!("`{}`", kind.key)).collect();
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemBody::name())));
    let mut response = ResponseBuilder::new()
        .description(format!("Not done: {}", keys.join(", ")))
        .content(CONTENT_TYPE, content.build());
    let text = |about: &str| {
        let header = HeaderBuilder::new().description(Some(about));
        header
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build()
    };
    if status == 401 {
        response = response.header("WWW-Authenticate", text("`Bearer`."));
    }
    if matches!(status, 429 | 503) {
        response = response.header("Retry-After", text("After how many seconds to try again."));
    }
    RefOr::T(response.build())
}

/// What answers to requests with a key carry.
fn replays(operation: &mut Operation) {
    if !has_parameter(operation, &ParameterIn::Header) {
        return;
    }
    for (status, response) in &mut operation.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
            let text = || ObjectBuilder::new().schema_type(Type::String);
            let replayed = HeaderBuilder::new()
                .description(Some("`true` where an earlier request with this key had made it."))
                .schema(Some(text()));
            let replayed = RefOr::T(replayed.build());
            response.headers.insert("Idempotency-Replayed".to_owned(), replayed);
            if status == "201" {
                let place = HeaderBuilder::new()
                    .description(Some("The path of what was made."))
                    .schema(Some(text()));
                response.headers.insert("Location".to_owned(), RefOr::T(place.build()));
            }
        }
    }
}

/// One kind of problem.
#[derive(Debug, Serialize, ToSchema)]
struct ProblemKind {
    /// Its fixed key.
    key: &'static str,
    /// The status of such an answer.
    status: u16,
    /// What happened, in few words.
    title: &'static str,
    /// What to do.
    hint: &'static str,
}

impl From<&Kind> for ProblemKind {
    fn from(kind: &Kind) -> Self {
        Self {
            key: kind.key,
            status: kind.status.as_u16(),
            title: kind.title,
            hint: kind.hint,
        }
    }
}

/// Every kind of problem.
#[derive(Debug, Serialize, ToSchema)]
struct ProblemKinds {
    items: Vec<ProblemKind>,
}

/// The kinds of problems
#[utoipa::path(get, path = "/problems", operation_id = "problems.list", tag = "description", security(),
    responses((status = 200, description = "All of them", body = ProblemKinds)))]
async fn problems() -> Json<ProblemKinds> {
    let items = KINDS.iter().map(ProblemKind::from).collect();
    Json(ProblemKinds { items })
}

/// One kind of problem
///
/// What `type` of a problem leads to.
#[utoipa::path(get, path = "/problems/{key}", operation_id = "problems.read", tag = "description", security(),
    params(("key" = String, Path, description = "The key of a kind of problem.")),
    responses((status = 200, description = "The kind", body = ProblemKind)))]
async fn problem(Path(key): Path<String>) -> Reply<ProblemKind> {
    let kind = KINDS.iter().find(|kind| kind.key == key);
    kind.map(|kind| Json(kind.into()))
        .ok_or_else(|| Problem::unknown("kind of problem"))
}
