//! The conversation before login: steps of the protocol session in, octets out, until the client is told OK.
//!
//! The octet budget and the count of failures are kept here, the time budget by `drive`, which may drop the conversation
//! at any await.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;

use super::drive::Ready;
use super::input::Input;
use super::login::{Admitted, Attempt, Outcome};
use super::summary::RESTARTING;
use super::transfer::{Outbox, linger};
use super::{Config, Plane};
use crate::peer::{Peer, Protocol};
use crate::preauth::{Answer, Credentials, InClear, Session, Step};
use crate::secret::SecretBytes;
use crate::tls::{Acceptor, Stream};
use crate::tries::Attempted;

/// Why a connection ended before login.
pub(super) enum End {
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
pub(super) struct Talk<'a> {
    pub(super) plane: &'a Plane,
    pub(super) config: &'a Config,
    pub(super) peer: Peer,
    pub(super) protocol: Protocol,
    pub(super) id: u64,
    pub(super) stream: Stream,
    pub(super) session: Box<dyn Session>,
    pub(super) input: Input,
    pub(super) received: usize,
    pub(super) failures: Failures,
    /// The place among those that have not proved anything.
    pub(super) place: Option<Box<dyn Send>>,
}

impl Talk<'_> {
    /// Talks until the client is told OK; `first` is the greeting, or nothing after STARTTLS.
    pub(super) async fn run(&mut self, first: Step) -> Result<Box<Admitted>, End> {
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
            if let Some(InClear { credentials }) = self.session.in_clear() {
                let sent = credentials
                    .as_ref()
                    .map(|sent| (sent.username.as_str(), &sent.password));
                self.plane.tries.in_clear(self.attempted(), sent);
            }
        }
    }

    /// A try of this moment.
    fn attempted(&self) -> Attempted {
        Attempted {
            at: self.plane.clock.utc(),
            from: self.peer.ip(),
            protocol: self.protocol,
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
    pub(super) async fn upgrade(self, acceptor: &Acceptor) -> Result<Self, End> {
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

    /// Hands everything to the session after login.
    pub(super) fn ready(mut self, admitted: Box<Admitted>) -> Ready {
        Ready {
            admitted,
            down: self.stream,
            input: self.input.take(),
            tls_version: self.peer.tls.map_or("none", |tls| tls.version),
        }
    }

    /// Ends the connection in order; where its time is up, the client is told.
    pub(super) async fn close(self, end: &End) {
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
            trial: self.plane.tries.trial_of(self.peer.addr, self.protocol),
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
pub(super) struct Failures {
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
