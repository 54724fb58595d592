//! TLS as the client, towards a mail store.
//!
//! The certificate is verified against the system's roots, or against the configured CA alone; its names are matched
//! as RFC 9525 §6 says (no common name, a wildcard only as the whole leftmost label). There is deliberately no way to
//! turn that off: what passes here is a credential that opens every mailbox.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;

use super::certificates::{read_chain, read_key};
use super::secured::Secured;
use super::{CertificateConfig, Error, Stream, Version, provider};

/// Sessions kept for resumption, per connector: one upstream name needs one, with a few tickets.
const RESUMABLE_SESSIONS: usize = 8;

/// Whom a connector trusts, and as whom it presents itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectorConfig {
    /// Trust anchors in PEM; the system's where absent.
    pub ca: Option<PathBuf>,
    /// The certificate that we present where the upstream asks for one.
    pub client: Option<CertificateConfig>,
}

/// Connects with TLS to one mail store.
#[derive(Clone)]
pub struct Connector {
    config: Arc<ClientConfig>,
}

impl Connector {
    /// Reads trust anchors and client certificate.
    ///
    /// # Errors
    /// A file is missing or not what it should be.
    pub fn new(config: &ConnectorConfig) -> Result<Self, Error> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(Version::Tls12.and_newer())?
            .with_root_certificates(roots(config)?);
        let mut client = match &config.client {
            None => builder.with_no_client_auth(),
            Some(files) => {
                let chain = read_chain(&files.certificate)?;
                let bad_key = |_| Error::Key {
                    path: files.key.clone(),
                };
                builder
                    .with_client_auth_cert(chain, read_key(&files.key)?)
                    .map_err(bad_key)?
            }
        };
        client.resumption = Resumption::in_memory_sessions(RESUMABLE_SESSIONS);
        Ok(Self {
            config: Arc::new(client),
        })
    }

    /// The handshake, with the certificate verified for `name` (a host name or an address); time limits are the
    /// caller's.
    ///
    /// # Errors
    /// The certificate is not acceptable, or the connection failed.
    pub async fn connect(&self, name: &str, stream: TcpStream) -> io::Result<Stream> {
        let name = server_name(name).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let side = UnbufferedClientConnection::new(Arc::clone(&self.config), name).map_err(io::Error::other)?;
        let secured = Secured::handshake(stream, side, Vec::new()).await?;
        Ok(Stream::Client(Box::new(secured)))
    }

    /// Whether a certificate can have this name at all.
    ///
    /// # Errors
    /// It is neither a host name nor an address.
    pub fn check_name(name: &str) -> Result<(), Error> {
        server_name(name).map(drop)
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

fn server_name(name: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(name.to_owned()).map_err(|_| Error::Name { name: name.to_owned() })
}

fn roots(config: &ConnectorConfig) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    match &config.ca {
        Some(path) => {
            for anchor in read_chain(path)? {
                roots
                    .add(anchor)
                    .map_err(|_| Error::Certificate { path: path.clone() })?;
            }
        }
        None => {
            // Single broken files in the system's store are not our concern, an empty store is.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(Error::NoRoots);
            }
        }
    }
    Ok(roots)
}
