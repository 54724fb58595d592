//! Plays a transcript over a loopback connection: our TLS acceptor on one end, a TLS client on the other.
//!
//! Transcripts that begin `= tls` run under implicit TLS, the others in clear until `= starttls`, where the connection
//! is upgraded in place. The client knows only the lines of both sides and when TLS comes; what a session does in
//! between is checked on the server's end, as in the plays without a socket.

use std::sync::Arc;

use postern::tls::{Acceptor, CertificateConfig, Certificates, Config, Stream, Version};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::format::{Act, Script};
use super::{Flow, Play};
use crate::kit::certificates::{Certificates as Authority, SERVER_NAME};
use crate::kit::wait::PATIENCE;

/// The same pieces on every run.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
/// The largest piece that a client sends at once.
const MAX_PIECE: u64 = 700;
/// What a record that carries an alert begins with (RFC 8446 §5.1): how a handshake over garbage ends.
const TLS_ALERT: u8 = 0x15;

/// What all plays of one protocol share.
pub(super) struct Wire {
    runtime: Runtime,
    authority: Authority,
    acceptor: Acceptor,
}

impl Wire {
    pub(super) fn new(protocol: &str) -> Self {
        let authority = Authority::new().unwrap();
        let certificate = CertificateConfig {
            certificate: authority.certificate.clone(),
            key: authority.key.clone(),
        };
        let certificates = Certificates::load(&Config {
            certificates: vec![certificate],
            min_version: Version::Tls12,
        });
        let alpn: &[u8] = if protocol == "imap" { b"imap" } else { b"smtp" };
        Self {
            runtime: Builder::new_current_thread().enable_all().build().unwrap(),
            authority,
            acceptor: Acceptor::new(certificates.unwrap(), alpn).unwrap(),
        }
    }

    /// Plays it; both ends have to find what the transcript says.
    pub(super) fn play(&self, protocol: &str, script: &Script) -> Result<(), String> {
        self.runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.map_err(text)?;
            let address = listener.local_addr().map_err(text)?;
            let connected = tokio::join!(listener.accept(), TcpStream::connect(address));
            let ((server, _), client) = (connected.0.map_err(text)?, connected.1.map_err(text)?);
            server.set_nodelay(true).map_err(text)?;
            client.set_nodelay(true).map_err(text)?;
            let server = Server {
                play: Play::new(protocol, script),
                end: end(script),
                acceptor: &self.acceptor,
                stream: Some(Stream::Tcp(server)),
            };
            let client = Client {
                connector: TlsConnector::from(Arc::clone(&self.authority.client)),
                stream: Some(Either::Left(client)),
                random: SEED,
            };
            let played = timeout(PATIENCE, async { tokio::try_join!(server.run(), client.run(script)) });
            played
                .await
                .map_err(|_| "0: the ends wait for each other".to_owned())?
                .map(drop)
        })
    }
}

/// What the session does last.
fn end(script: &Script) -> &str {
    match script.entries.last().map(|entry| &entry.act) {
        Some(Act::Directive { name, .. }) => name,
        _ => "",
    }
}

fn text(error: impl std::fmt::Display) -> String {
    format!("0: {error}")
}

/// Our end: the session, and the stream that it is served on.
struct Server<'a> {
    play: Play<'a>,
    end: &'a str,
    acceptor: &'a Acceptor,
    /// Nothing only while TLS comes up.
    stream: Option<Stream>,
}

impl Server<'_> {
    async fn run(mut self) -> Result<(), String> {
        let mut flow = Flow::On;
        while let Some(act) = self.play.next() {
            flow = match act {
                _ if flow == Flow::Over => return self.play.fail("the session is over already"),
                Act::Client(octets) => self.serve(octets).await?,
                Act::Server(_) => return self.play.fail("the session did not say this"),
                Act::Directive { name, value } => {
                    if name == "tls" {
                        self.secure().await?;
                    }
                    self.play.direct(name, value)?
                }
            };
            self.write().await?;
        }
        if flow != Flow::Over && self.stream()?.read(&mut [0]).await.map_err(text)? != 0 {
            return self.play.fail("the client sent more");
        }
        self.close().await
    }

    /// Feeds the session from the socket until it has what the client sends here, or wants no more. What stands behind
    /// a login has to arrive too.
    async fn serve(&mut self, octets: &[u8]) -> Result<Flow, String> {
        let mut buffer = vec![0; octets.len()];
        let mut fed = 0;
        let mut flow = Flow::On;
        while fed < octets.len() && (flow != Flow::Over || self.end == "ready") {
            let came = self.stream()?.read(&mut buffer[fed..]).await.map_err(text)?;
            let piece = fed..fed + came;
            if came == 0 || buffer[piece.clone()] != octets[piece.clone()] {
                return self.play.fail("the connection changed what the client sent");
            }
            fed += came;
            if flow == Flow::Over {
                continue;
            }
            flow = self.play.feed(&buffer[piece], &octets[fed..])?;
            self.write().await?;
            if flow == Flow::Secured {
                self.secure().await?;
            }
        }
        // What stands behind STARTTLS is no handshake, whether it came together with it or later.
        let injected = flow == Flow::Over && self.end == "injected";
        if injected && self.play.input.is_empty() && self.secure().await.is_ok() {
            return self.play.fail("TLS came up over what was injected");
        }
        Ok(flow)
    }

    async fn secure(&mut self) -> Result<(), String> {
        let Some(Stream::Tcp(tcp)) = self.stream.take() else {
            return self.play.fail("TLS is there already");
        };
        let (stream, _) = self.acceptor.accept(tcp).await.map_err(text)?;
        self.stream = Some(stream);
        Ok(())
    }

    fn stream(&mut self) -> Result<&mut Stream, String> {
        self.stream
            .as_mut()
            .ok_or_else(|| "0: the connection is gone".to_owned())
    }

    async fn write(&mut self) -> Result<(), String> {
        for octets in std::mem::take(&mut self.play.writes) {
            let stream = self.stream()?;
            stream.write_all(&octets).await.map_err(text)?;
            stream.flush().await.map_err(text)?;
        }
        Ok(())
    }

    /// Ends the connection without a reset, which would take from the client what it has not read yet.
    async fn close(mut self) -> Result<(), String> {
        // A failed handshake has ended it already.
        let Ok(stream) = self.stream() else { return Ok(()) };
        stream.shutdown().await.map_err(text)?;
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.map_err(text)?;
        Ok(())
    }
}

/// The other end.
struct Client {
    connector: TlsConnector,
    stream: Option<Either<TcpStream, TlsStream<TcpStream>>>,
    random: u64,
}

impl Client {
    async fn run(mut self, script: &Script) -> Result<(), String> {
        for entry in &script.entries {
            let done = match &entry.act {
                Act::Client(octets) => self.send(octets).await,
                Act::Server(octets) => self.receive(octets).await,
                Act::Directive { name, .. } if name == "tls" || name == "starttls" => self.secure().await,
                Act::Directive { .. } => Ok(()),
            };
            done.map_err(|error| format!("{}: the client: {error}", entry.line))?;
        }
        let stream = self.stream.as_mut().ok_or("0: the connection is gone")?;
        let end = end(script);
        if !matches!(end, "close" | "broken" | "injected") {
            stream.shutdown().await.map_err(text)?;
        }
        let mut rest = Vec::new();
        // An end without close_notify is an error here.
        let ended = stream.read_to_end(&mut rest).await;
        // The server waits for it, and where the connection broke, nobody does.
        let _ = stream.shutdown().await;
        let alert = end == "injected" && rest.first() == Some(&TLS_ALERT);
        match ended {
            Ok(_) if rest.is_empty() || alert => Ok(()),
            Err(_) if end == "injected" => Ok(()),
            ended => Err(format!("0: at the end {ended:?} and `{}`", rest.escape_ascii())),
        }
    }

    async fn secure(&mut self) -> Result<(), String> {
        let Some(Either::Left(tcp)) = self.stream.take() else {
            return Err("TLS is there already".to_owned());
        };
        let name = ServerName::try_from(SERVER_NAME).map_err(|error| error.to_string())?;
        let tls = self
            .connector
            .connect(name, tcp)
            .await
            .map_err(|error| error.to_string())?;
        self.stream = Some(Either::Right(tls));
        Ok(())
    }

    /// Sends in pieces, each in a record of its own; a server that has heard enough may be gone.
    async fn send(&mut self, octets: &[u8]) -> Result<(), String> {
        let mut unsent = octets;
        while !unsent.is_empty() {
            let size = self.piece().min(unsent.len());
            let (piece, rest) = unsent.split_at(size);
            unsent = rest;
            let stream = self.stream.as_mut().ok_or("the connection is gone")?;
            if stream.write_all(piece).await.is_err() || stream.flush().await.is_err() {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Mostly a few octets, sometimes many (xorshift).
    fn piece(&mut self) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let most = if self.random & 3 == 0 { MAX_PIECE } else { 16 };
        usize::try_from((self.random >> 8) % most).map_or(1, |size| size + 1)
    }

    async fn receive(&mut self, expected: &[u8]) -> Result<(), String> {
        let mut octets = vec![0; expected.len()];
        let stream = self.stream.as_mut().ok_or("the connection is gone")?;
        stream
            .read_exact(&mut octets)
            .await
            .map_err(|error| error.to_string())?;
        if octets != expected {
            return Err(format!("received `{}`", octets.escape_ascii()));
        }
        Ok(())
    }
}
