//! The client of the daemon's control socket: HTTP/1.1 with JSON over a Unix socket, one request a connection.
//!
//! Who may connect is decided by the socket's file permissions; the actor named in the header is for the audit log.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::store::Seq;

/// A daemon that lives accepts at once.
const CONNECT_TIME: Duration = Duration::from_secs(2);
/// The daemon itself waits up to 5 s for a change; its answer gets one more.
const ANSWER_TIME: Duration = Duration::from_secs(6);
/// Enough for a list of a hundred thousand sessions.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Why the daemon gave no good answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("no daemon is running (nobody listens on {0}); start it with `postern serve`")]
    NotRunning(PathBuf),
    #[error("{0} cannot be opened: permission denied; run this as the daemon's user or as root")]
    Denied(PathBuf),
    #[error("the daemon did not confirm within {} s", .0.as_secs())]
    Late(Duration),
    #[error("the daemon has no {0}")]
    NotFound(&'static str),
    #[error("the daemon refused: {}", .reasons.join("\n"))]
    Refused { reasons: Vec<String> },
    #[error("the daemon's answer cannot be understood ({0}); are daemon and command line of the same version?")]
    Answer(String),
}

/// A session as the daemon lists it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) device: String,
    pub(super) label: String,
    pub(super) mailbox: String,
    pub(super) address: String,
    pub(super) protocol: String,
    pub(super) client_address: String,
    pub(super) client: Option<String>,
    /// RFC 3339 §5.6.
    pub(super) since: String,
    pub(super) bytes_up: u64,
    pub(super) bytes_down: u64,
    pub(super) route: String,
}

/// What applying a change did.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Applied {
    pub(super) sessions_ended: usize,
    pub(super) milliseconds: f64,
}

/// What a reload did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Reloaded {
    #[serde(default)]
    pub(super) notes: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<String>,
}

/// Speaks to one daemon.
pub(super) struct Client {
    socket: PathBuf,
    actor: String,
}

impl Client {
    pub(super) fn new(socket: &Path, actor: &str) -> Self {
        Self {
            socket: socket.to_owned(),
            actor: actor.to_owned(),
        }
    }

    pub(super) async fn sessions(&self) -> Result<Vec<Session>, Error> {
        self.ask(Method::GET, "/v1/sessions", "such list").await
    }

    pub(super) async fn end_session(&self, id: &str) -> Result<(), Error> {
        self.ask::<serde_json::Value>(Method::DELETE, &format!("/v1/sessions/{id}"), "such session (any more)")
            .await
            .map(drop)
    }

    /// Waits until the changes after `after` up to `last` are applied.
    pub(super) async fn applied(&self, after: Seq, last: Seq) -> Result<Applied, Error> {
        let path = format!("/v1/changes/{}/applied?after={}", last.0, after.0);
        self.ask(Method::POST, &path, "such change").await
    }

    pub(super) async fn status(&self) -> Result<serde_json::Value, Error> {
        self.ask(Method::GET, "/v1/status", "status").await
    }

    pub(super) async fn reload(&self) -> Result<Reloaded, Error> {
        self.ask(Method::POST, "/v1/reload", "reload").await
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        what: &'static str,
    ) -> Result<T, Error> {
        let stream = timeout(CONNECT_TIME, UnixStream::connect(&self.socket))
            .await
            .map_err(|_| Error::Late(CONNECT_TIME))?;
        let stream = stream.map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => Error::Denied(self.socket.clone()),
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => Error::NotRunning(self.socket.clone()),
            _ => Error::Answer(error.to_string()),
        })?;
        let exchanged = timeout(ANSWER_TIME, self.exchange(stream, method, path)).await;
        let (status, body) = exchanged.map_err(|_| Error::Late(ANSWER_TIME))??;
        match status {
            StatusCode::OK => serde_json::from_slice(&body).map_err(|error| Error::Answer(error.to_string())),
            StatusCode::NOT_FOUND => Err(Error::NotFound(what)),
            StatusCode::GATEWAY_TIMEOUT => Err(Error::Late(ANSWER_TIME - Duration::from_secs(1))),
            StatusCode::UNPROCESSABLE_ENTITY => Err(Error::Refused {
                reasons: serde_json::from_slice::<Refusal>(&body).unwrap_or_default().errors,
            }),
            other => Err(Error::Answer(format!("status {other}"))),
        }
    }

    async fn exchange(&self, stream: UnixStream, method: Method, path: &str) -> Result<(StatusCode, Bytes), Error> {
        let broken = |error: hyper::Error| Error::Answer(error.to_string());
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "postern")
            .header("x-postern-actor", &self.actor)
            .body(Empty::<Bytes>::new())
            .map_err(|error| Error::Answer(error.to_string()))?;
        let exchange = async move {
            let response = sender.send_request(request).await.map_err(broken)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
            let body = body.map_err(|error| Error::Answer(error.to_string()))?;
            Ok((status, body.to_bytes()))
        };
        // The connection ends by itself once the exchange has dropped its sender.
        let (answer, _) = join(exchange, connection).await;
        answer
    }
}
