//! The I/O loop before login: socket, timers and limits around a sans-IO protocol session.
//!
//! One time budget and one octet budget run from the first octet to the login, whatever the client says in between:
//! a NOOP every 250 ms buys no time. Everything that is needed only before login lives in one boxed future that is
//! gone when the session is handed to the splice, so that an idle session stays small.

use std::collections::HashSet;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::input::Input;
use super::login::{Admitted, Attempt, Outcome};
use super::relay::Relay;
use super::splice::{Splice, Start};
use super::summary::{Ending, Moved, RESTARTING, log_end};
use super::transfer::{Outbox, linger};
use super::{Config, Connection, Plane, TlsMode};
use crate::clock::Timestamp;
use crate::metrics::ReasonLabel;
use crate::model::device::Use;
use crate::peer::{Peer, Protocol};
use crate::preauth::{Answer, Credentials, Security, Session, Step};
use crate::revoke::LiveSession;
use crate::secret::SecretBytes;
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
struct Ready {
    admitted: Box<Admitted>,
    down: Stream,
    input: BytesMut,
    peer: Peer,
    protocol: Protocol,
    client: Option<String>,
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

/// Why a connection ended before login.
enum End {
    /// In order, by a rule or by a limit: a fixed word for the log and the metric.
    Closed(&'static str),
    /// By the network.
    Io(io::Error),
    /// Not an end: TLS is to start.
    StartTls,
    /// The time to log in is over.
    TimeUp,
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// One conversation before login.
struct Talk<'a> {
    plane: &'a Plane,
    config: &'a Config,
    peer: Peer,
    protocol: Protocol,
    id: u64,
    stream: Stream,
    session: Box<dyn Session>,
    input: Input,
    received: usize,
    failures: Failures,
    /// The place among those that have not proved anything.
    place: Option<Box<dyn Send>>,
}

impl Talk<'_> {
    /// Talks until the client is told OK; `first` is the greeting, or nothing after STARTTLS.
    async fn run(&mut self, first: Step) -> Result<Box<Admitted>, End> {
        let mut step = first;
        loop {
            match step {
                Step::NeedInput => self.read().await?,
                Step::Reply(reply) => self.write(&reply).await?,
                Step::StartTls(reply) => self.start_tls(&reply).await?,
                Step::Verify(credentials) => {
                    if let Some(admitted) = self.judge(credentials).await? {
                        return Ok(admitted);
                    }
                }
                Step::Close(goodbye) => {
                    self.write(&goodbye).await?;
                    return Err(End::Closed("client"));
                }
                Step::Ready(_) => return Err(End::Closed("protocol_state")),
            }
            step = match self.session.receive(&mut self.input) {
                Ok(step) => step,
                Err(error) => {
                    self.write(&error.farewell).await?;
                    return Err(End::Closed(error.rule));
                }
            };
        }
    }

    async fn read(&mut self) -> Result<(), End> {
        if self.received >= self.config.login_bytes {
            let goodbye = self.session.farewell("Too much before login");
            self.write(&goodbye).await?;
            return Err(End::Closed("login_bytes"));
        }
        let octets = tokio::select! {
            octets = self.input.read(&mut self.stream) => octets?,
            () = self.plane.stopping.cancelled() => {
                let goodbye = self.session.farewell(RESTARTING);
                self.write(&goodbye).await?;
                return Err(End::Closed("shutdown"));
            }
        };
        self.received = self.received.saturating_add(octets);
        if octets == 0 {
            Err(End::Closed("client"))
        } else {
            Ok(())
        }
    }

    async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets).await?;
        self.stream.flush().await
    }

    /// RFC 3207 §4.2, RFC 9051 §6.2.1: whatever was sent in clear behind STARTTLS would be executed as if it had been
    /// sent under TLS, so it ends the connection.
    async fn start_tls(&mut self, reply: &[u8]) -> Result<(), End> {
        if !self.input.is_empty() {
            return Err(End::Closed("starttls_pipelining"));
        }
        self.write(reply).await?;
        Err(End::StartTls)
    }

    /// The same conversation under TLS: a new session over an empty buffer, with the counts of the old one.
    async fn upgrade(self, acceptor: &Acceptor) -> Result<Self, End> {
        let Stream::Tcp(stream) = self.stream else {
            return Err(End::Closed("protocol_state"));
        };
        let (stream, facts) = acceptor.accept(stream).await?;
        let peer = Peer {
            tls: Some(facts),
            ..self.peer
        };
        Ok(Self {
            stream,
            peer,
            session: self.session.secured(),
            input: Input::default(),
            ..self
        })
    }

    /// Hands everything to the splice.
    fn ready(mut self, admitted: Box<Admitted>) -> Ready {
        let client = self.session.client_name();
        Ready {
            admitted,
            down: self.stream,
            input: self.input.take(),
            peer: self.peer,
            protocol: self.protocol,
            client,
        }
    }

    /// Ends the connection in order; where its time is up, the client is told.
    async fn close(self, end: &End) {
        let goodbye = match end {
            End::TimeUp => BytesMut::from(self.session.farewell("Too long without login")),
            _ => BytesMut::new(),
        };
        linger(self.stream, Outbox::with(goodbye), self.config.close_time).await;
    }

    /// Answers credentials: with the login itself, or with a refusal on the clock of failures.
    async fn judge(&mut self, credentials: Credentials) -> Result<Option<Box<Admitted>>, End> {
        let attempt = Attempt {
            plane: self.plane,
            config: self.config,
            peer: &self.peer,
            protocol: self.protocol,
            id: self.id,
            client: self.session.client_name(),
        };
        let outcome = attempt.judge(credentials).await;
        match outcome {
            Outcome::Admitted(admitted) => {
                let answer = Answer::Accepted {
                    capabilities: &admitted.upstream.capabilities,
                };
                // Before the client can know: it may connect again at once.
                self.place = None;
                match self.session.answer(answer) {
                    Step::Ready(ok) => self.write(&ok).await?,
                    _ => return Err(End::Closed("protocol_state")),
                }
                Ok(Some(admitted))
            }
            Outcome::Refused {
                refusal,
                release_at,
                wrong,
            } => {
                let close = wrong.is_some_and(|wrong| self.failures.add(wrong) >= self.config.max_failures);
                tokio::time::sleep_until(tokio::time::Instant::from_std(release_at)).await;
                match self.session.answer(Answer::Refused {
                    refusal: &refusal,
                    close,
                }) {
                    Step::Close(goodbye) => {
                        self.write(&goodbye).await?;
                        Err(End::Closed("failures"))
                    }
                    Step::Reply(reply) => {
                        self.write(&reply).await?;
                        Ok(None)
                    }
                    _ => Err(End::Closed("protocol_state")),
                }
            }
        }
    }
}

/// The distinct wrong secrets of one connection, as keyed hashes: a client that repeats one password by three
/// mechanisms, or with and without the domain of its name (Delta Chat), made one mistake.
#[derive(Default)]
struct Failures {
    key: RandomState,
    seen: HashSet<u64>,
}

impl Failures {
    /// Counts this secret for this name and says how many distinct ones there were; never holds more than
    /// `max_failures`.
    fn add(&mut self, (name, password): (String, SecretBytes)) -> u32 {
        let fingerprint = self.key.hash_one((name, password.expose()));
        self.seen.insert(fingerprint);
        u32::try_from(self.seen.len()).unwrap_or(u32::MAX)
    }
}
