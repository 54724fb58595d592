//! One connection to a mail store up to the login: reads, writes and secures what the protocol's client asks for.
//!
//! The clients (`imap::client`, `smtp::client`) are plain values and hold the rules; here is the only I/O. Time limits
//! are the callers'. STARTTLS consumes the cleartext connection, and an octet that was received in clear behind its
//! answer ends it, so that nothing crosses into TLS (CVE-2021-38371, CVE-2026-42246).

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::secret::SecretBytes;
use crate::tls::Stream;

use super::client::{Client, Step};
use super::error::Error;
use super::plan::Plan;
use super::route::Transport;
use super::service::LiveService;
use super::{Connected, connect};

/// Octets asked for at once.
const READ_BYTES: usize = 4096;
/// Octets that a mail store may send from the connection to the login: an endless reply ends here, if not earlier in
/// the protocol's own limits. Real ones take some 2000.
const MAX_RECEIVED_BYTES: usize = 256 * 1024;

/// A connection that is not logged in.
pub(super) struct Dialogue {
    route: Arc<str>,
    stream: Stream,
    received: BytesMut,
    received_bytes: usize,
    client: Client,
    offered: Vec<String>,
}

impl Dialogue {
    /// Connects, secures and exchanges greetings.
    pub(super) async fn open(service: &LiveService) -> Result<Self, Error> {
        let stream = connect::open(&service.config).await.map_err(|source| Error::Connect {
            route: Arc::clone(&service.route),
            endpoint: service.config.endpoint.clone(),
            source,
        })?;
        let stream = match service.config.transport {
            Transport::ImplicitTls => secure(stream, service).await?,
            Transport::Cleartext | Transport::StartTls => stream,
        };
        let dialogue = Self {
            route: Arc::clone(&service.route),
            stream,
            received: BytesMut::new(),
            received_bytes: 0,
            client: Client::new(service),
            offered: Vec::new(),
        };
        dialogue.greet(service).await
    }

    async fn greet(mut self, service: &LiveService) -> Result<Self, Error> {
        loop {
            match self.receive()? {
                Step::Greeted(offered) => {
                    self.offered = offered;
                    return Ok(self);
                }
                Step::StartTls => {
                    if !self.received.is_empty() {
                        return Err(self.protocol("octets in clear behind the answer to STARTTLS"));
                    }
                    self.stream = secure(self.stream, service).await?;
                    let step = self.client.secured();
                    let step = step.map_err(|failure| failure.named(&self.route))?;
                    self.advance(step).await?;
                }
                step => self.advance(step).await?,
            }
        }
    }

    /// Logs in as the plan says.
    pub(super) async fn log_in(mut self, service: &LiveService, plan: &Plan<'_>) -> Result<Connected, Error> {
        let mut step = self
            .client
            .log_in(plan, &self.offered)
            .map_err(|failure| failure.named(&self.route))?;
        loop {
            if let Step::LoggedIn(capabilities) = step {
                if self.client.hid_ipv6() {
                    service.note_hidden_address();
                }
                let Self {
                    route,
                    stream,
                    received,
                    ..
                } = self;
                return Ok(Connected {
                    stream,
                    received,
                    capabilities,
                    route,
                });
            }
            self.advance(step).await?;
            step = self.receive()?;
        }
    }

    /// Says goodbye in the protocol's words, without waiting for the answer.
    pub(super) async fn leave(mut self) -> Result<(), Error> {
        let goodbye = self.client.quit();
        self.advance(goodbye).await?;
        // The other end may be gone already, which is what was wanted.
        let _ = self.stream.shutdown().await;
        Ok(())
    }

    /// Whether the mail store has neither said anything since its greeting nor closed.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.received.is_empty() && self.stream.is_quiet()
    }

    /// SMTP: the lines of the last EHLO reply.
    pub(super) fn keywords(&self) -> Option<&[String]> {
        matches!(self.client, Client::Smtp(_)).then_some(&*self.offered)
    }

    /// What the mail store offers before login: IMAP capabilities, or EHLO lines.
    pub(super) fn offered(&self) -> &[String] {
        match &self.client {
            Client::Imap(client) => client.capabilities(),
            Client::Smtp(_) => &self.offered,
        }
    }

    pub(super) const fn stream(&self) -> &Stream {
        &self.stream
    }

    fn receive(&mut self) -> Result<Step, Error> {
        self.client
            .receive(&mut self.received)
            .map_err(|failure| failure.named(&self.route))
    }

    async fn advance(&mut self, step: Step) -> Result<(), Error> {
        match step {
            Step::NeedInput => self.read().await,
            Step::Send(octets) => self.write(&octets).await,
            Step::Closed => Err(Error::Closed {
                route: Arc::clone(&self.route),
            }),
            Step::StartTls | Step::Greeted(_) | Step::LoggedIn(_) => Err(self.protocol("an answer out of turn")),
        }
    }

    async fn read(&mut self) -> Result<(), Error> {
        if self.received_bytes > MAX_RECEIVED_BYTES {
            return Err(self.protocol("an endless answer"));
        }
        self.received.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.received).await {
            Ok(0) => Err(Error::Closed {
                route: Arc::clone(&self.route),
            }),
            Ok(length) => {
                self.received_bytes = self.received_bytes.saturating_add(length);
                Ok(())
            }
            Err(error) => Err(self.lost(&error)),
        }
    }

    async fn write(&mut self, octets: &SecretBytes) -> Result<(), Error> {
        let written = async {
            self.stream.write_all(octets.expose()).await?;
            self.stream.flush().await
        };
        written.await.map_err(|error| self.lost(&error))
    }

    /// A TLS alert (a client certificate that is not accepted is told only after the handshake) is no mere end.
    fn lost(&self, error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::InvalidData => self.protocol(&error.to_string()),
            _ => Error::Closed {
                route: Arc::clone(&self.route),
            },
        }
    }

    fn protocol(&self, problem: &str) -> Error {
        Error::Protocol {
            route: Arc::clone(&self.route),
            problem: problem.to_owned(),
        }
    }
}

async fn secure(stream: Stream, service: &LiveService) -> Result<Stream, Error> {
    let endpoint = service.config.endpoint.clone();
    let failed = |source| Error::Tls {
        route: Arc::clone(&service.route),
        endpoint,
        source,
    };
    match (stream, service.tls()) {
        (Stream::Tcp(tcp), Some((connector, name))) => connector.connect(name, tcp).await.map_err(failed),
        _ => Err(failed(io::ErrorKind::Unsupported.into())),
    }
}
