//! What operators and the command line ask a running daemon over HTTP.
//!
//! `operations` is the plain listener for probes and metrics; `control` is the Unix socket (mode 0600) through which
//! the command line sees live sessions, waits for a change to be applied and asks for a reload. Neither can change
//! anything that the store of record holds: that is `directory`'s.

pub mod api;
mod applied;
pub mod console;
mod control;
pub mod discovery;
mod export;
mod lists;
pub mod manager;
mod named;
mod operations;
pub mod pages;

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Timestamp};
use crate::metrics::Metrics;
use crate::revoke::{Registry, Tail};
use crate::store::AuditStore;

/// Settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `/metrics`, `/livez`, `/readyz`; none where unset.
    pub operations_address: Option<SocketAddr>,
    /// The command line speaks to the daemon here.
    pub control_socket: PathBuf,
}

/// What the daemon knows about its own health; written by its root, read by probes.
#[derive(Debug, Default)]
pub struct Health {
    store: AtomicBool,
    imap_upstream: AtomicBool,
    smtp_upstream: AtomicBool,
    stopping: AtomicBool,
}

impl Health {
    /// Notes what the last probe saw.
    pub fn note(&self, store: bool, imap_upstream: bool, smtp_upstream: bool) {
        self.store.store(store, Ordering::Relaxed);
        self.imap_upstream.store(imap_upstream, Ordering::Relaxed);
        self.smtp_upstream.store(smtp_upstream, Ordering::Relaxed);
    }

    /// From now on no traffic should be sent here.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Ready for new logins. A mail store that is down does not count: another node would not do better.
    pub fn is_ready(&self) -> bool {
        self.store.load(Ordering::Relaxed) && !self.stopping.load(Ordering::Relaxed)
    }
}

/// The answer to a reload: what was taken over and what needs a restart, or what is wrong.
pub type ReloadAnswer = Result<Vec<String>, String>;

/// Everything that the two listeners answer from.
pub struct Daemon {
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Live sessions.
    pub registry: Arc<Registry>,
    /// The change log's reader.
    pub tail: Arc<Tail>,
    /// Where an ended session leaves its audit row.
    pub audit: Arc<dyn AuditStore>,
    /// Health.
    pub health: Arc<Health>,
    /// The time.
    pub clock: Clock,
    /// When the daemon started.
    pub started: Timestamp,
    /// Asks the root for a reload.
    pub reload: mpsc::Sender<oneshot::Sender<ReloadAnswer>>,
}

/// What the Manager's listener answers with: pages for people, and the API for programs.
pub fn router(pages: Arc<pages::Pages>, api: Arc<api::Api>) -> axum::Router {
    pages::router(pages).merge(api::router(api))
}

/// The answer to a refusal that no handler has seen, as whoever asks for this path reads it.
pub fn sorry(path: &str, status: axum::http::StatusCode) -> axum::response::Response {
    if api::is_below(path) {
        api::sorry(status)
    } else {
        pages::sorry(status)
    }
}

/// Binds the operators' listener.
///
/// # Errors
/// The address cannot be used; the message names it.
pub async fn bind_operations(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("operations listener cannot listen on {address}: {error}; choose another admin.operations_address"),
        )
    })
}

/// Binds the control socket with mode 0600, in place of one that a daemon which is gone left behind.
///
/// # Errors
/// Another daemon answers there, or the path cannot be used; the message names it.
pub async fn bind_control(path: &Path) -> io::Result<UnixListener> {
    bind_socket("control", path).await
}

/// Binds a Unix socket with mode 0600.
async fn bind_socket(what: &str, path: &Path) -> io::Result<UnixListener> {
    let named = |error: io::Error| {
        io::Error::new(
            error.kind(),
            format!("{what} socket {} cannot be used: {error}", path.display()),
        )
    };
    if tokio::net::UnixStream::connect(path).await.is_ok() {
        let text = format!(
            "another postern answers on {}: stop it first, or use another data directory",
            path.display()
        );
        return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
    }
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path).map_err(named)?,
        // A mistaken path must not cost anybody a file.
        Ok(_) => {
            return Err(named(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "there is something else",
            )));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(named(error)),
    }
    // The umask, which `cli::serve` sets, keeps others out until the mode is set.
    let listener = UnixListener::bind(path).map_err(named)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(named)?;
    Ok(listener)
}

/// Answers probes and metrics until cancelled.
pub async fn serve_operations(listener: TcpListener, daemon: Arc<Daemon>, stop: CancellationToken) -> io::Result<()> {
    axum::serve(listener, operations::router(daemon))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

/// Answers the command line until cancelled.
pub async fn serve_control(listener: UnixListener, daemon: Arc<Daemon>, stop: CancellationToken) -> io::Result<()> {
    axum::serve(listener, control::router(daemon))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_left_behind_is_replaced_and_anything_else_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (socket, file) = (dir.path().join("control.sock"), dir.path().join("postern.db"));
        drop(bind_control(&socket).await.unwrap());
        assert!(socket.exists(), "a daemon that is gone left it behind");
        let listener = bind_control(&socket).await.unwrap();
        assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            bind_control(&socket).await.unwrap_err().kind(),
            io::ErrorKind::AddrInUse
        );
        drop(listener);
        std::fs::write(&file, "precious").unwrap();
        assert!(bind_control(&file).await.is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    }
}
