//! TLS as the server, for one listener.
//!
//! The ClientHello is read before a configuration is chosen, because of the application protocol (RFC 7301): a client
//! that lists ours gets it, a client that lists none, or only unknown ones, gets a handshake without one. Refusing
//! unknown lists would shut out clients behind intercepting middle boxes; sessions end at the first
//! HTTP verb instead.
//!
//! Resumption is stateless. The ticket key belongs to one listener, so a ticket is worthless on another one, and the
//! library refuses it for another server name (RFC 8446 §4.6.1): a session never crosses from one tenant's name, or
//! from one service, to another. There is no early data: a login must not be replayable (RFC 8446 §8). Half-RTT data
//! stays off too: it would send the greeting before the client's Finished has confirmed the handshake.

use std::io;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::{ClientHello, NoServerSessionStorage, ProducesTickets, UnbufferedServerConnection};
use rustls::{CommonState, ProtocolVersion, ServerConfig, SupportedCipherSuite};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::peer::TlsFacts;

use super::secured::Secured;
use super::{Certificates, Error, Stream, provider};

/// Octets asked for at once; a ClientHello with a post-quantum key share takes some 1800.
const HELLO_READ_BYTES: usize = 4 * 1024;
/// The longest ClientHello that is read.
const MAX_HELLO_BYTES: usize = 64 * 1024;

/// A ClientHello, and what it led to.
struct Hello {
    config: Arc<ServerConfig>,
    server_name: Option<Arc<str>>,
    received: Vec<u8>,
}

/// Accepts TLS for one listener.
#[derive(Debug)]
pub struct Acceptor {
    alpn: &'static [u8],
    with_alpn: Arc<ServerConfig>,
    without_alpn: Arc<ServerConfig>,
}

impl Acceptor {
    /// An acceptor with a ticket key of its own. `alpn` is the registered protocol name, `imap` or `smtp`.
    ///
    /// # Errors
    /// The system's random generator failed.
    pub fn new(certificates: Arc<Certificates>, alpn: &'static [u8]) -> Result<Self, Error> {
        let ticketer = Ticketer::new()?;
        let without_alpn = server_config(certificates, ticketer)?;
        let mut with_alpn = without_alpn.clone();
        with_alpn.alpn_protocols = vec![alpn.to_vec()];
        Ok(Self {
            alpn,
            with_alpn: Arc::new(with_alpn),
            without_alpn: Arc::new(without_alpn),
        })
    }

    /// The handshake; time limits are the caller's. Nothing may have been read from `stream` that belongs to it.
    ///
    /// # Errors
    /// The client speaks no TLS, an old version, or went away.
    pub async fn accept(&self, mut stream: TcpStream) -> io::Result<(Stream, TlsFacts)> {
        let hello = self.read_hello(&mut stream).await?;
        let side = UnbufferedServerConnection::new(hello.config).map_err(io::Error::other)?;
        let secured = Secured::handshake(stream, side, hello.received).await?;
        let facts = facts(secured.common(), hello.server_name);
        Ok((Stream::Server(Box::new(secured)), facts))
    }

    /// Reads the ClientHello, and gives the octets back: they are read once more under the configuration that they chose.
    async fn read_hello(&self, stream: &mut TcpStream) -> io::Result<Hello> {
        let mut acceptor = Box::new(rustls::server::Acceptor::default());
        let mut received = Vec::with_capacity(HELLO_READ_BYTES);
        while received.len() < MAX_HELLO_BYTES {
            let before = received.len();
            received.reserve(HELLO_READ_BYTES);
            if stream.read_buf(&mut received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut fresh = received.get(before..).unwrap_or_default();
            while !fresh.is_empty() {
                acceptor.read_tls(&mut fresh)?;
                match acceptor.accept() {
                    Ok(Some(accepted)) => {
                        let hello = accepted.client_hello();
                        return Ok(Hello {
                            config: self.config_for(&hello),
                            server_name: hello.server_name().map(|name| name.to_ascii_lowercase().into()),
                            received,
                        });
                    }
                    Ok(None) => {}
                    Err((error, mut alert)) => {
                        let mut octets = Vec::new();
                        alert.write_all(&mut octets)?;
                        stream.write_all(&octets).await?;
                        return Err(io::Error::new(io::ErrorKind::InvalidData, error));
                    }
                }
            }
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "an endless ClientHello"))
    }

    fn config_for(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        let listed = hello
            .alpn()
            .is_some_and(|mut protocols| protocols.any(|protocol| protocol == self.alpn));
        Arc::clone(if listed { &self.with_alpn } else { &self.without_alpn })
    }
}

fn server_config(certificates: Arc<Certificates>, ticketer: Arc<dyn ProducesTickets>) -> Result<ServerConfig, Error> {
    let versions = certificates.min_version().and_newer();
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = ticketer;
    // One is enough: a client that opens several connections at once resumes only the first of them anyway.
    config.send_tls13_tickets = 1;
    config.max_early_data_size = 0;
    config.send_half_rtt_data = false;
    Ok(config)
}

/// What a finished handshake agreed on.
pub(super) fn facts(session: &CommonState, server_name: Option<Arc<str>>) -> TlsFacts {
    let version = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        _ => "TLSv1.3",
    };
    let cipher = session.negotiated_cipher_suite().map(iana_name).unwrap_or_default();
    TlsFacts {
        version,
        cipher: cipher.into(),
        server_name,
    }
}

/// The library writes `TLS13_` where the registry writes `TLS_`.
fn iana_name(suite: SupportedCipherSuite) -> String {
    let name = format!("{:?}", suite.suite());
    name.strip_prefix("TLS13_")
        .map(|rest| format!("TLS_{rest}"))
        .unwrap_or(name)
}
