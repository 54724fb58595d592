//! The I/O loop before login: socket, timers and limits around a sans-IO protocol session.
//!
//! One time budget and one octet budget run from the first octet to the login, whatever the client says in between:
//! a NOOP every 250 ms buys no time. Everything that is needed only before login lives in one boxed future that is
//! gone when the session is handed to the splice, so that an idle session stays small.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::TcpStream;

use super::input::Input;
use super::login::Admitted;
use super::relay::Relay;
use super::splice::{Splice, Start};
use super::summary::{Ending, Moved, log_end};
use super::talk::{End, Failures, Talk};
use super::{Config, Connection, Plane, TlsMode};
use crate::clock::Timestamp;
use crate::metrics::ReasonLabel;
use crate::model::device::Use;
use crate::peer::{Peer, Protocol};
use crate::preauth::{Security, Session, Step};
use crate::revoke::LiveSession;
use crate::store::EndReason;
use crate::tls::{Acceptor, Stream};
use crate::{imap, smtp};

/// First octet of a TLS handshake record (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Serves one connection from its first octet to its last.
pub async fn serve(plane: Arc<Plane>, connection: Connection) {
    let id = plane.next_connection_id().get();
    let started = plane.clock.now();
    let config = plane.config.load_full();
    let _counted = Counted::new(&plane.metrics.connections);
    if let Some(ready) = Box::pin(before_login(&plane, &config, connection, id)).await {
        Box::pin(after_login(&plane, &config, ready, id, started)).await;
    }
}

/// A client that was told OK, and everything that goes on with it.
pub(super) struct Ready {
    pub(super) admitted: Box<Admitted>,
    pub(super) down: Stream,
    pub(super) input: BytesMut,
    pub(super) peer: Peer,
    pub(super) protocol: Protocol,
    pub(super) client: Option<String>,
}

async fn after_login(plane: &Plane, config: &Config, ready: Ready, id: u64, started: Instant) {
    let Ready {
        admitted,
        down,
        input,
        peer,
        protocol,
        client,
    } = ready;
    let Admitted {
        login,
        upstream,
        live,
        guard,
    } = *admitted;
    if let Some(name) = &client {
        live.set_client(name);
    }
    let ended = || must_end(plane, &live, login.device().expires_at);
    let (ending, moved) = match guard {
        None => {
            let noticed = |name: &str| {
                live.set_client(name);
                let client = Some(name.to_owned());
                plane.usage.note(
                    login.device().id,
                    Use {
                        at: plane.clock.utc(),
                        ip: peer.ip(),
                        protocol,
                        client,
                    },
                );
            };
            let start = Start {
                down,
                up: upstream.stream,
                from_client: input,
                from_upstream: upstream.received,
                capabilities: &upstream.capabilities,
                live: &live,
                noticed: &noticed,
            };
            match Splice::new(start) {
                Ok(mut splice) => {
                    let ending = splice.run(ended(), config.imap_idle_time).await;
                    let text = ending.goodbye(login.device());
                    (ending, splice.close(text.as_deref(), config.close_time).await)
                }
                // The client hid a command behind its login that the filter refuses.
                Err(_) => (Ending::Broken, Moved::default()),
            }
        }
        Some(guard) => {
            let mut relay = Relay::new(down, upstream.stream, guard, input, &live);
            let ending = relay.run(ended(), config.smtp_idle_time).await;
            let text = ending.goodbye(login.device());
            (ending, relay.close(text.as_deref(), config.close_time).await)
        }
    };
    drop(live);
    plane.metrics.bytes_up.inc_by(moved.up);
    plane.metrics.bytes_down.inc_by(moved.down);
    let lasted = plane.clock.now().saturating_duration_since(started);
    log_end(id, &peer, protocol, &login, (ending, moved, lasted));
}

/// Resolves when the session must end: it was ended from outside, or its device's date has come. (A device whose date
/// was put off meanwhile just connects again.)
async fn must_end(plane: &Plane, live: &LiveSession, expires_at: Option<Timestamp>) -> EndReason {
    let Some(expires_at) = expires_at else {
        return live.ended().await;
    };
    let left = u64::try_from(expires_at.0.saturating_sub(plane.clock.utc().0)).unwrap_or(0);
    let left = Duration::from_millis(left);
    tokio::time::timeout(left, live.ended())
        .await
        .unwrap_or(EndReason::Expired)
}

/// Counts a connection as long as it lives, also one whose task panics.
struct Counted<'a>(&'a Gauge);

impl<'a> Counted<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

async fn before_login(plane: &Plane, config: &Config, connection: Connection, id: u64) -> Option<Ready> {
    let Connection {
        stream,
        mut peer,
        protocol,
        tls,
        acceptor,
        listener,
        stressed,
        before_login,
    } = connection;
    let accepted = tokio::time::Instant::from_std(plane.clock.now());
    let login_time = if stressed {
        config.login_time.min(config.stress_time)
    } else {
        config.login_time
    };
    let deadline = accepted + login_time;
    let handshake_deadline = deadline.min(accepted + config.handshake_time);
    // A refused option costs latency, not correctness.
    let _ = stream.set_nodelay(true);
    let log = |end: &End, peer: &Peer| log_closed(plane, id, (peer, &listener), end);
    let opened = within(handshake_deadline, open(stream, tls, &acceptor, &mut peer, config)).await;
    let (stream, security) = match opened {
        Ok(opened) => opened,
        Err(end) => {
            log(&end, &peer);
            return None;
        }
    };
    let session = new_session(plane, config, protocol, security);
    let mut talk = Talk {
        plane,
        config,
        peer,
        protocol,
        id,
        stream,
        session,
        input: Input::default(),
        received: 0,
        failures: Failures::default(),
        place: Some(before_login),
    };
    let mut first = talk.session.greet(!plane.can_serve(protocol));
    loop {
        match within(deadline, talk.run(first)).await {
            Ok(admitted) => return Some(talk.ready(admitted)),
            Err(End::StartTls) => {
                let peer = talk.peer.clone();
                let limit = deadline.min(tokio::time::Instant::from_std(plane.clock.now()) + config.handshake_time);
                match within(limit, talk.upgrade(&acceptor)).await {
                    Ok(upgraded) => talk = upgraded,
                    Err(end) => {
                        log(&end, &peer);
                        return None;
                    }
                }
                first = Step::NeedInput;
            }
            Err(end) => {
                log(&end, &talk.peer);
                talk.close(&end).await;
                return None;
            }
        }
    }
}

/// Runs a part of the time before login; running out of it is an end like any other.
async fn within<T, E: Into<End>>(
    deadline: tokio::time::Instant,
    part: impl Future<Output = Result<T, E>>,
) -> Result<T, End> {
    match tokio::time::timeout_at(deadline, part).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(End::TimeUp),
    }
}

fn log_closed(plane: &Plane, id: u64, who: (&Peer, &str), end: &End) {
    let (peer, listener) = who;
    let (reason, error) = match end {
        End::Closed(reason) => (*reason, None),
        End::Io(error) => ("broken", Some(error)),
        End::StartTls => ("protocol_state", None),
        End::TimeUp => ("login_time", None),
    };
    plane
        .metrics
        .closed_before_login
        .get_or_create(&ReasonLabel { reason })
        .inc();
    tracing::debug!(
        session.id = id,
        session.end = reason,
        client.addr = %peer.ip(),
        listener.name = listener,
        error = error.map(tracing::field::display),
        "connection closed before login"
    );
}

/// Brings TLS up where the listener, or a client that speaks TLS at once on a STARTTLS port, begins with it.
async fn open(
    stream: TcpStream,
    tls: TlsMode,
    acceptor: &Acceptor,
    peer: &mut Peer,
    config: &Config,
) -> io::Result<(Stream, Security)> {
    let implicit = match tls {
        TlsMode::Implicit => true,
        // HP printers and people who swap the ports speak TLS at once; our greeting in clear would break their handshake.
        TlsMode::StartTls => speaks_tls_first(&stream, config.tls_first_time).await?,
    };
    if !implicit {
        return Ok((Stream::Tcp(stream), Security::Cleartext { starttls: true }));
    }
    let (stream, facts) = acceptor.accept(stream).await?;
    peer.tls = Some(facts);
    Ok((stream, Security::Tls))
}

async fn speaks_tls_first(stream: &TcpStream, wait: Duration) -> io::Result<bool> {
    let mut first = [0];
    match tokio::time::timeout(wait, stream.peek(&mut first)).await {
        Ok(octets) => Ok(octets? == 1 && first == [TLS_HANDSHAKE]),
        Err(_) => Ok(false),
    }
}

fn new_session(plane: &Plane, config: &Config, protocol: Protocol, security: Security) -> Box<dyn Session> {
    let (hostname, limits) = (config.hostname.clone(), config.limits.clone());
    match protocol {
        Protocol::Imap => Box::new(imap::Session::new(imap::Config { hostname, limits }, security)),
        Protocol::Smtp => {
            let extensions = plane.upstreams.smtp_extensions();
            Box::new(smtp::Session::new(
                smtp::Config {
                    hostname,
                    limits,
                    extensions,
                },
                security,
            ))
        }
    }
}
