//! `/livez`, `/readyz` and `/metrics`.
//!
//! `/livez` answers as long as the process runs; `/readyz` turns 503 while the store does not answer or the daemon
//! stops; `/metrics` is OpenMetrics text. Nothing here is secret, and nothing here names a person.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::Daemon;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn router(daemon: Arc<Daemon>) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(daemon)
}

async fn ready(State(daemon): State<Arc<Daemon>>) -> impl IntoResponse {
    let health = &daemon.health;
    let body = json!({
        "ready": health.is_ready(),
        "store": health.store.load(Ordering::Relaxed),
        "imap_upstream": health.imap_upstream.load(Ordering::Relaxed),
        "smtp_upstream": health.smtp_upstream.load(Ordering::Relaxed),
        "stopping": health.stopping.load(Ordering::Relaxed),
    });
    let status = if health.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(body))
}

async fn metrics(State(daemon): State<Arc<Daemon>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, OPENMETRICS)], daemon.metrics.encode())
}
