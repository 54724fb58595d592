//! The accept loop: connections, their time, and TLS.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::client::Neighbour;
use super::pace::Paced;
use super::places::{Place as Taken, Places};
use super::{Config, Place};
use crate::clock::Clock;
use crate::tls::{Acceptor, Stream};

/// From the connection to the end of the TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// From a request's first octet, or the end of the one before, to the end of its headers.
const HEADER_TIME: Duration = Duration::from_secs(20);
/// The headers of a request, all together.
const HEADER_BYTES: usize = 16 * 1024;
/// Header fields of a request.
const HEADERS_MAX: usize = 64;
/// How long requests under way may take when the daemon stops.
const STOP_TIME: Duration = Duration::from_secs(5);
/// Pause after accept failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound listener.
#[derive(Debug)]
pub enum Bound {
    /// On a port.
    Tcp(TcpListener),
    /// On a socket in the file system.
    Unix(UnixListener),
}

/// Binds the Manager's listener.
///
/// # Errors
/// The address or path cannot be used; the message names it.
pub async fn bind(config: &Config) -> io::Result<Bound> {
    match &config.place {
        Place::Tcp { address, .. } => {
            let bound = TcpListener::bind(address).await.map_err(|error| {
                let text = format!("the Manager cannot listen on {address}: {error}; choose another manager.address");
                io::Error::new(error.kind(), text)
            })?;
            Ok(Bound::Tcp(bound))
        }
        Place::Unix(path) => {
            let listener = crate::admin::bind_socket("Manager", path).await?;
            // The reverse proxy runs as another user; who may reach the socket is for its folder to say.
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
            Ok(Bound::Unix(listener))
        }
    }
}

impl Bound {
    /// Where it listens, with the port that the system chose; nothing for a Unix socket.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn address(&self) -> io::Result<Option<SocketAddr>> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Some),
            Self::Unix(_) => Ok(None),
        }
    }

    async fn accept(&self) -> io::Result<(Accepted, Neighbour)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                let _ = stream.set_nodelay(true);
                Ok((Accepted::Tcp(stream), Neighbour::Tcp(address.ip().to_canonical())))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Accepted::Ready(Stream::Unix(stream)), Neighbour::Unix))
            }
        }
    }
}

/// A connection, before TLS where it has any.
enum Accepted {
    Tcp(TcpStream),
    Ready(Stream),
}

/// Answers until cancelled; requests under way then have some seconds left. `acceptor` is none where the Manager speaks
/// in clear.
pub async fn serve(
    bound: Bound,
    config: &Config,
    acceptor: Option<Arc<Acceptor>>,
    router: Router,
    clock: Clock,
    stop: CancellationToken,
) {
    let places = Places::new(config, clock);
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = bound.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (accepted, neighbour) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::error!(listener.name = "manager", error = %error, "accept failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Beyond its limits it is closed without a word: a page would cost more than a flood should get.
        let Some(place) = places.take(neighbour) else { continue };
        let (acceptor, router, stop) = (acceptor.clone(), router.clone(), stop.clone());
        tasks.spawn(async move {
            if let Err(error) = connection(accepted, acceptor.as_deref(), router, &place, stop).await {
                tracing::debug!(client.addr = %neighbour.address(), listener.name = "manager", error = %error, "connection ended");
            }
        });
    }
    tasks.close();
    // Event streams have no end of their own.
    let _ = tokio::time::timeout(STOP_TIME, tasks.wait()).await;
}

async fn connection(
    accepted: Accepted,
    acceptor: Option<&Acceptor>,
    router: Router,
    place: &Taken,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let stream = match (accepted, acceptor) {
        (Accepted::Ready(stream), _) => stream,
        (Accepted::Tcp(stream), None) => Stream::Tcp(stream),
        (Accepted::Tcp(stream), Some(acceptor)) => {
            tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await??.0
        }
    };
    answer(stream, router, place, stop).await
}

/// Answers what is asked on one stream, to its end.
pub(super) async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    router: Router,
    place: &Taken,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let service = hyper::service::service_fn(|mut request: hyper::Request<Incoming>| {
        let client = place.client(request.headers());
        request.extensions_mut().insert(client);
        if let Some(network) = place.own_network() {
            request.extensions_mut().insert(network);
        }
        let request: Request = request.map(Body::new);
        router.clone().oneshot(request)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .max_buf_size(HEADER_BYTES)
            .max_headers(HEADERS_MAX)
            .serve_connection(TokioIo::new(Paced::new(stream)), service)
    );
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = stop.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    Ok(tokio::time::timeout(STOP_TIME, connection).await??)
}
