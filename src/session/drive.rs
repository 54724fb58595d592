//! The I/O loop before login: socket, timers and limits around a sans-IO protocol session.
//!
//! One time budget and one octet budget run from the first octet to the login, whatever the client says in between:
//! a NOOP every 250 ms buys no time. What is needed only before login lives in this one future, which is gone when the
//! session goes on in `logged_in`.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::TcpStream;

use super::input::Input;
use super::logged_in::LoggedIn;
use super::login::Admitted;
use super::talk::{End, Failures, Talk};
use super::{Config, Connection, Plane, TlsMode};
use crate::metrics::ReasonLabel;
use crate::peer::{Peer, Protocol};
use crate::preauth::{Security, Session, Step};
use crate::tls::{self, Acceptor, Stream};
use crate::tries::{Attempted, What};
use crate::{imap, smtp};

/// First octet of a TLS handshake record (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Takes one connection from its first octet to its login. `None` where it ended before.
///
/// This is a large future; the session that it gives is small.
pub async fn log_in(plane: Arc<Plane>, connection: Connection) -> Option<LoggedIn> {
    let begun = Begun {
        id: plane.next_connection_id().get(),
        at: plane.clock.now(),
        _counted: Counted::new(&plane.metrics.connections),
    };
    let config = plane.config.load_full();
    let ready = before_login(&plane, &config, connection, begun.id).await?;
    LoggedIn::start(&plane, ready, begun)
}

/// A client that was told OK, and what goes on with it.
pub(super) struct Ready {
    pub(super) admitted: Box<Admitted>,
    pub(super) down: Stream,
    pub(super) input: BytesMut,
    /// `none` in clear.
    pub(super) tls_version: &'static str,
}

/// The begin of a connection.
pub(super) struct Begun {
    /// Its number, for the log.
    pub(super) id: u64,
    at: Instant,
    _counted: Counted,
}

impl Begun {
    /// How long ago that was.
    pub(super) fn lasted(&self, plane: &Plane) -> Duration {
        plane.clock.now().saturating_duration_since(self.at)
    }
}

/// Counts a connection as long as it lives, also one whose task panics.
struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
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
    let deadline = accepted + config.time_to_log_in(stressed);
    let handshake_deadline = deadline.min(accepted + config.handshake_time);
    // A refused option costs latency, not correctness.
    let _ = stream.set_nodelay(true);
    let log = |end: &End, peer: &Peer| log_closed(plane, id, (peer, &listener), end);
    let log_handshake = |end: &End, peer: &Peer| {
        note_certificate(plane, (peer, protocol), end);
        log(end, peer);
    };
    let opened = within(
        handshake_deadline,
        Box::pin(open(stream, tls, &acceptor, &mut peer, config)),
    )
    .await;
    let (stream, security) = match opened {
        Ok(opened) => opened,
        Err(end) => {
            log_handshake(&end, &peer);
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
                        log_handshake(&end, &peer);
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

/// A client that did not accept our certificate: nobody knows whose it is.
fn note_certificate(plane: &Plane, who: (&Peer, Protocol), end: &End) {
    if let End::Io(error) = end
        && tls::refused_certificate(error)
    {
        let (peer, protocol) = who;
        let attempted = Attempted {
            at: plane.clock.utc(),
            from: peer.ip(),
            protocol,
        };
        plane.tries.nameless(attempted, What::Certificate);
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

/// Brings TLS up where the listener, or a client that speaks TLS at once on a STARTTLS port, begins with it. For a box:
/// the future is large, and would be moved several times.
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
