//! The accept loop of one listener.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::task::TaskTracker;

use super::limits::{Limiter, Place, PlaceBeforeLogin};
use super::proxy_header::{self, Header, Progress};
use super::{Config, ListenerConfig};
use crate::metrics::ReasonLabel;
use crate::peer::{Peer, Protocol};
use crate::session::{Connection, LoggedIn, Plane, TlsMode, log_in};
use crate::tls::Acceptor;

/// Connections that the kernel may hold for us.
const BACKLOG: u32 = 1024;
/// Pause after accept failed for want of descriptors or memory: trying again at once would only burn the CPU.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Time for a refusal in clear to leave.
const REFUSAL_TIME: Duration = Duration::from_secs(1);

/// A bound listener.
pub struct Listener {
    socket: TcpListener,
    entrance: Entrance,
}

/// What each connection of a listener needs of it. The socket is not among it: connections outlive the accept loop, and
/// a socket that stays open would let clients connect whom nobody greets any more.
struct Entrance {
    config: ListenerConfig,
    acceptor: Arc<Acceptor>,
    proxy_header_time: Duration,
}

/// Binds one listener.
///
/// # Errors
/// The address is in use, not ours, or needs a privilege; the message names the listener and the address.
pub fn bind(config: &Config, listener: &ListenerConfig, acceptor: Arc<Acceptor>) -> io::Result<Listener> {
    let open = || -> io::Result<TcpListener> {
        let socket = if listener.address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        socket.set_reuseaddr(true)?;
        socket.bind(listener.address)?;
        socket.listen(BACKLOG)
    };
    let socket = open().map_err(|error| {
        let text = format!(
            "listener {} cannot listen on {}: {error}{}",
            listener.name,
            listener.address,
            super::bind_remedy(&error)
        );
        io::Error::new(error.kind(), text)
    })?;
    let proxy_header_time = config.proxy_header_time;
    let entrance = Entrance {
        config: listener.clone(),
        acceptor,
        proxy_header_time,
    };
    Ok(Listener { socket, entrance })
}

impl Listener {
    /// Where it listens, with the port that the system chose.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// What it is.
    pub const fn config(&self) -> &ListenerConfig {
        &self.entrance.config
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.entrance.config.name
    }

    /// Accepts until the plane stops, then closes the socket; each connection is a task of `tasks`.
    pub async fn run(self, plane: Arc<Plane>, limiter: Arc<Limiter>, tasks: TaskTracker) {
        let Self { socket, entrance } = self;
        let entrance = Arc::new(entrance);
        let name: Arc<str> = entrance.config.name.as_str().into();
        loop {
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                () = plane.stopping.cancelled() => return,
            };
            match accepted {
                Ok((stream, addr)) => {
                    let (entrance, name) = (Arc::clone(&entrance), Arc::clone(&name));
                    let welcome = entrance.welcome(stream, addr, name, Arc::clone(&plane), Arc::clone(&limiter));
                    tasks.spawn(Visit::BeforeLogin(Box::pin(welcome)));
                }
                Err(error) => {
                    tracing::error!(listener.name = &*name, error = %error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// The time before login: nothing where the connection ended in it.
type Welcome = Pin<Box<dyn Future<Output = Option<(Place, LoggedIn)>> + Send>>;

/// One connection, as a task. Before login it is a pointer to something large; that is gone when the client has logged
/// in, and the task is then as large as what sessions keep.
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is what nearly all connections are for nearly all of their time"
)]
enum Visit {
    BeforeLogin(Welcome),
    LoggedIn { session: LoggedIn, _place: Place },
}

impl Future for Visit {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let visit = self.get_mut();
        if let Self::BeforeLogin(welcome) = visit {
            match ready!(welcome.as_mut().poll(cx)) {
                Some((_place, session)) => *visit = Self::LoggedIn { session, _place },
                None => return Poll::Ready(()),
            }
        }
        match visit {
            Self::BeforeLogin(_) => Poll::Pending,
            Self::LoggedIn { session, .. } => Pin::new(session).poll(cx),
        }
    }
}

impl Entrance {
    /// Lets a client in, up to its login. `None` where its connection ended before.
    async fn welcome(
        self: Arc<Self>,
        stream: TcpStream,
        addr: SocketAddr,
        name: Arc<str>,
        plane: Arc<Plane>,
        limiter: Arc<Limiter>,
    ) -> Option<(Place, LoggedIn)> {
        let local = stream.local_addr().ok()?;
        let mut peer = Peer::new(addr, local);
        let mut stream = stream;
        if let Some(trusted) = &self.config.proxy_from {
            if !trusted.iter().any(|net| net.contains(&peer.ip())) {
                close(&plane, &peer, &name, "proxy_not_trusted");
                return None;
            }
            // All clients of a balancer arrive from its one address, which must not cap them together.
            let waiting = match limiter.enter_unnamed() {
                Ok(place) => place,
                Err(cap) => {
                    self.refuse(stream, &peer, cap, &plane).await;
                    return None;
                }
            };
            let header = tokio::time::timeout(self.proxy_header_time, read_header(&mut stream)).await;
            match header {
                Ok(Ok(Header::Proxied { source, destination })) => peer = Peer::new(source, destination),
                Ok(Ok(Header::Local)) => {}
                _ => {
                    close(&plane, &peer, &name, "proxy_header");
                    return None;
                }
            }
            drop(waiting);
        }
        let place = match limiter.enter(peer.ip()) {
            Ok(place) => place,
            Err(cap) => {
                // Behind a balancer it says nothing of the one client.
                if self.config.proxy_from.is_none() {
                    plane.no_room(&peer, self.config.protocol);
                }
                self.refuse(stream, &peer, cap, &plane).await;
                return None;
            }
        };
        let (place, before_login): (Place, PlaceBeforeLogin) = place;
        let connection = Connection {
            stream,
            peer,
            protocol: self.config.protocol,
            tls: self.config.tls,
            acceptor: Arc::clone(&self.acceptor),
            listener: name,
            stressed: limiter.is_stressed(),
            before_login: Box::new(before_login),
        };
        let session = log_in(plane, connection).await?;
        Some((place, session))
    }

    /// Turns a connection away. In clear it hears why (a limit is a temporary cause); under implicit TLS a
    /// handshake would cost more than a flood should get.
    async fn refuse(&self, mut stream: TcpStream, peer: &Peer, cap: &'static str, plane: &Plane) {
        close(plane, peer, &self.config.name, cap);
        if self.config.tls == TlsMode::StartTls {
            let text: &[u8] = match self.config.protocol {
                Protocol::Imap => b"* BYE [UNAVAILABLE] Too many connections, please try again later\r\n",
                Protocol::Smtp => b"421 4.7.0 Too many connections, please try again later\r\n",
            };
            let _ = tokio::time::timeout(REFUSAL_TIME, stream.write_all(text)).await;
        }
    }
}

fn close(plane: &Plane, peer: &Peer, listener: &str, reason: &'static str) {
    plane
        .metrics
        .closed_before_login
        .get_or_create(&ReasonLabel { reason })
        .inc();
    tracing::debug!(client.addr = %peer.ip(), listener.name = listener, session.end = reason, "connection refused");
}

/// Reads exactly the header and not one octet more: what follows belongs to TLS or to the protocol.
async fn read_header(stream: &mut TcpStream) -> io::Result<Header> {
    let mut header = Vec::new();
    loop {
        match proxy_header::parse(&header).map_err(io::Error::other)? {
            Progress::Complete(header) => return Ok(header),
            Progress::NeedInput { at_most } => {
                if stream.take(at_most as u64).read_buf(&mut header).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
    }
}
