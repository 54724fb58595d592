//! TLS as a client of any mail server. Certificates are always verified: a laboratory gives its CA.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::failure::Failure;

/// Server names whose tickets one store keeps; each client of a run has its own store.
const RESUMABLE_SERVERS: usize = 1;

/// Who may have issued the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The system's roots.
    System,
    /// The certificates of this PEM file alone.
    File(PathBuf),
    /// Nobody: for targets in clear.
    Nobody,
}

/// What the client offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// TLS 1.3 and 1.2 with everything that the library holds good.
    Default,
    /// TLS 1.3 with AES-128-GCM and X25519 alone: the same work for every server that is compared.
    Aes128X25519,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of trusted certificates.
    #[error("{}: {problem}; give a PEM file of CA certificates", path.display())]
    Ca {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The system trusts nobody.
    #[error("the system has no trusted root certificates: install the ca-certificates package, or name a CA file")]
    NoRoots,
    /// The library refused the settings.
    #[error("the TLS library refused the settings: {0}")]
    Library(#[from] rustls::Error),
}

/// Trust, suites and resumption of a client. Cheap to clone; clones share their tickets.
#[derive(Debug, Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
}

impl ClientTls {
    /// Reads the trusted certificates. `resume` keeps tickets and offers them to the same server again.
    ///
    /// # Errors
    /// There is nobody to trust.
    pub fn new(trust: &Trust, offer: Offer, resume: bool) -> Result<Self, Error> {
        let mut provider = aws_lc_rs::default_provider();
        let versions: &[_] = match offer {
            Offer::Default => rustls::ALL_VERSIONS,
            Offer::Aes128X25519 => {
                provider.cipher_suites = vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256];
                provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
                &[&TLS13]
            }
        };
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(versions)?
            .with_root_certificates(roots(trust)?)
            .with_no_client_auth();
        let tls = Self {
            config: Arc::new(config),
        };
        Ok(tls.separate(resume))
    }

    /// The same with a store of tickets of its own, or with none. A ticket serves once, and a store keeps few of them:
    /// clients that run side by side would take each other's.
    #[must_use]
    pub fn separate(&self, resume: bool) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        config.resumption = if resume {
            Resumption::in_memory_sessions(RESUMABLE_SERVERS)
        } else {
            Resumption::disabled()
        };
        Self {
            config: Arc::new(config),
        }
    }

    /// The handshake; also whether the session is a resumed one.
    pub(super) async fn connect(&self, name: &str, stream: TcpStream) -> Result<(TlsStream<TcpStream>, bool), Failure> {
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| Failure::Certificate(format!("`{name}` is not a name that a certificate can have")))?;
        let stream = TlsConnector::from(Arc::clone(&self.config))
            .connect(name, stream)
            .await
            .map_err(|error| Failure::handshake(&error))?;
        let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
        Ok((stream, resumed))
    }
}

fn roots(trust: &Trust) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    match trust {
        Trust::Nobody => {}
        Trust::File(path) => {
            let bad = |problem: String| Error::Ca {
                path: path.clone(),
                problem,
            };
            for certificate in certificates(path).map_err(bad)? {
                roots.add(certificate).map_err(|error| bad(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(bad("holds no certificate".to_owned()));
            }
        }
        Trust::System => {
            // A broken file in the system's store is not our concern, an empty store is.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(Error::NoRoots);
            }
        }
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
    found.collect::<Result<_, _>>().map_err(|error| error.to_string())
}
