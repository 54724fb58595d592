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
use rustls::server::{ClientHello, NoServerSessionStorage, ProducesTickets};
use rustls::{CommonState, ProtocolVersion, ServerConfig, SupportedCipherSuite};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;

use crate::peer::TlsFacts;

use super::{BUFFER_LIMIT, Certificates, Error, Stream, provider};

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
    pub async fn accept(&self, stream: TcpStream) -> io::Result<(Stream, TlsFacts)> {
        let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
        let config = self.config_for(&start.client_hello());
        let tls = start
            .into_stream_with(config, |session| session.set_buffer_limit(Some(BUFFER_LIMIT)))
            .await?;
        let session = tls.get_ref().1;
        let facts = facts(session, session.server_name());
        Ok((Stream::Server(Box::new(tls)), facts))
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
pub(super) fn facts(session: &CommonState, server_name: Option<&str>) -> TlsFacts {
    let version = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        _ => "TLSv1.3",
    };
    let cipher = session.negotiated_cipher_suite().map(iana_name).unwrap_or_default();
    let server_name = server_name.map(|name| name.to_ascii_lowercase().into());
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
