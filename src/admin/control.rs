//! The control socket's requests.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::Daemon;
use crate::audit::Action;
use crate::revoke::{SessionId, SessionSnapshot};
use crate::store::{Actor, EndReason, Seq};

/// How long a caller waits for its change to be applied.
const APPLY_TIME: Duration = Duration::from_secs(5);
/// Longest actor name taken from the caller.
const MAX_ACTOR_CHARS: usize = 100;

pub(super) fn router(daemon: Arc<Daemon>) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/sessions", get(sessions))
        .route("/v1/sessions/{id}", delete(end_session))
        .route("/v1/changes/{seq}/applied", post(applied))
        .route("/v1/reload", post(reload))
        .with_state(daemon)
}

async fn status(State(daemon): State<Arc<Daemon>>) -> Json<Value> {
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started": daemon.started.rfc3339(),
        "ready": daemon.health.is_ready(),
        "sessions": daemon.registry.sessions().len(),
        "change": daemon.tail.seen(),
    }))
}

async fn sessions(State(daemon): State<Arc<Daemon>>) -> Json<Vec<Value>> {
    Json(daemon.registry.sessions().iter().map(shown).collect())
}

fn shown(session: &SessionSnapshot) -> Value {
    let facts = &session.info;
    json!({
        "id": session.id.0.to_string(),
        "device": facts.device,
        "label": facts.label,
        "mailbox": facts.mailbox,
        "address": facts.address.as_str(),
        "protocol": facts.protocol.name(),
        "client_address": facts.peer,
        "client": facts.client,
        "since": facts.since.rfc3339(),
        "bytes_up": session.bytes_up,
        "bytes_down": session.bytes_down,
        "route": &*facts.route,
    })
}

async fn end_session(State(daemon): State<Arc<Daemon>>, Path(id): Path<u64>, headers: HeaderMap) -> Response {
    let found = daemon
        .registry
        .sessions()
        .into_iter()
        .find(|session| session.id == SessionId(id));
    let Some(session) = found.filter(|session| daemon.registry.end_session(session.id, EndReason::Operator)) else {
        return (StatusCode::NOT_FOUND, Json(json!({ "ended": false }))).into_response();
    };
    let detail = json!({
        "session": id, "mailbox": session.info.address.as_str(), "label": *session.info.label,
        "protocol": session.info.protocol.name(),
    });
    let subject = session.info.device.to_string();
    if let Err(error) = daemon
        .audit
        .append_audit(&actor(&headers), Action::SessionEnd.as_str(), None, &subject, detail)
        .await
    {
        tracing::error!(session.id = id, error = %error, "session ended without an audit row");
    }
    Json(json!({ "ended": true })).into_response()
}

/// Which changes belong to the caller's: those after this one.
#[derive(serde::Deserialize)]
struct After {
    after: i64,
}

async fn applied(State(daemon): State<Arc<Daemon>>, Path(last): Path<i64>, Query(since): Query<After>) -> Response {
    let asked = daemon.clock.now();
    daemon.tail.wake();
    match tokio::time::timeout(APPLY_TIME, daemon.tail.applied_between(Seq(since.after), Seq(last))).await {
        Ok(applied) => Json(json!({
            "applied": true,
            "sessions_ended": applied.sessions_ended,
            "milliseconds": milliseconds(daemon.clock.now().duration_since(asked)),
        }))
        .into_response(),
        Err(_) => (StatusCode::GATEWAY_TIMEOUT, Json(json!({ "applied": false }))).into_response(),
    }
}

async fn reload(State(daemon): State<Arc<Daemon>>) -> Response {
    let (answer, answered) = oneshot::channel();
    if daemon.reload.send(answer).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match answered.await {
        Ok(Ok(notes)) => Json(json!({ "reloaded": true, "notes": notes })).into_response(),
        Ok(Err(error)) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Json(json!({ "reloaded": false, "errors": [error] })),
        )
            .into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Whoever can open the socket may name themselves: the name is for people, not for rights.
fn actor(headers: &HeaderMap) -> Actor {
    let name = headers
        .get("x-postern-actor")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("cli");
    let who = name.chars().filter(|c| !c.is_control()).take(MAX_ACTOR_CHARS).collect();
    Actor {
        who,
        origin: "local".to_owned(),
        behalf: None,
        user: None,
    }
}

/// In whole microseconds, as people read it.
fn milliseconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
