//! TLS for both sides: certificates by server name, acceptors, connectors, and the one stream type of the house.
//!
//! TLS 1.2 and 1.3 with forward-secret AEAD suites only (RFC 9325 §4.1, RFC 8314 §3). The cryptography provider is named
//! wherever a configuration is built and never found through a process-wide default. There is no early data, no
//! client authentication downstream, and no switch that turns the verification of an upstream off.

mod acceptor;
mod advice;
mod certificates;
mod connector;
mod coverage;
mod development;
mod own;
mod scratch;
mod secured;
mod signer;
mod stream;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{SupportedProtocolVersion, version};

pub use acceptor::Acceptor;
pub use advice::advice;
pub use certificates::{CertificateConfig, CertificateFacts, Certificates, Fresh};
pub use connector::{Connector, ConnectorConfig};
pub use coverage::{Coverage, coverage, covers};
pub use development::ensure_development_certificates;
pub use own::OwnConnector;
pub use secured::{Secured, Side};
pub use signer::{NotSigned, Signer};
pub use stream::Stream;

/// Whether a handshake failed because the client did not accept our certificate, and said so.
pub fn refused_certificate(error: &std::io::Error) -> bool {
    use rustls::AlertDescription::{
        AccessDenied, BadCertificate, CertificateExpired, CertificateRevoked, CertificateUnknown, UnknownCA,
        UnsupportedCertificate,
    };
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    matches!(
        cause,
        Some(rustls::Error::AlertReceived(
            AccessDenied
                | BadCertificate
                | CertificateExpired
                | CertificateRevoked
                | CertificateUnknown
                | UnknownCA
                | UnsupportedCertificate
        ))
    )
}

/// Certificates that end sooner are worth a warning.
pub const RENEWAL_NOTICE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// TLS settings of the gateway's own listeners.
#[derive(Debug, Clone)]
pub struct Config {
    /// At least one; the first is the default for clients without, or with an unknown, server name.
    pub certificates: Vec<CertificateConfig>,
    /// The oldest version that listeners accept.
    pub min_version: Version,
}

/// A TLS version that can be asked for. Older ones do not exist in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// RFC 5246 with AEAD suites.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl Version {
    /// This version and every newer one.
    fn and_newer(self) -> &'static [&'static SupportedProtocolVersion] {
        static TLS13_ONLY: [&SupportedProtocolVersion; 1] = [&version::TLS13];
        match self {
            Self::Tls12 => rustls::ALL_VERSIONS,
            Self::Tls13 => &TLS13_ONLY,
        }
    }
}

/// Why certificates, keys or trust anchors cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {}: {source}; check the path and that the service's user may read it", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is larger than any certificate chain.
    #[error("{} is larger than {limit} octets: it is not a PEM file of certificates or a key", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// The most that is read.
        limit: u64,
    },
    /// No certificate in the file, or a damaged one.
    #[error("{} holds no usable certificate: expected PEM blocks `BEGIN CERTIFICATE`, the server's own first", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
    },
    /// No private key in the file, or of a kind that cannot sign.
    #[error("{} holds no usable private key: expected an unencrypted PEM key (ECDSA P-256 is best, RSA works)", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
    },
    /// The key is not the certificate's.
    #[error("{} is not the key of the certificate in {}: configure the pair that was issued together", key.display(), certificate.display())]
    KeyMismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The configuration lists no certificate.
    #[error("no certificate is configured: name at least one certificate and its key")]
    NoCertificate,
    /// The system's store of trusted roots is empty or unreadable.
    #[error("the system has no trusted root certificates: install the ca-certificates package or configure a ca file")]
    NoRoots,
    /// An upstream's TLS name is neither a host name nor an address.
    #[error("`{name}` is not a name that a certificate can have: give a host name or an IP address")]
    Name {
        /// What was configured.
        name: String,
    },
    /// TLS was asked for on a Unix socket.
    #[error("TLS over the Unix socket {} is not supported: use cleartext there, the socket's mode protects it", path.display())]
    UnixSocket {
        /// Which socket.
        path: PathBuf,
    },
    /// The provider refused, or the system's random generator failed.
    #[error("the TLS library refused the settings: {0}")]
    Library(#[from] rustls::Error),
    /// A development certificate cannot be written.
    #[error("cannot write {}: {source}; choose a development directory that the service's user may write", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A development certificate cannot be made.
    #[error("cannot make a development certificate for {names}: {source}", names = names.join(", "))]
    Generate {
        /// For which names.
        names: Vec<String>,
        /// What the library said.
        source: rcgen::Error,
    },
}

/// AWS-LC by name: a process-wide default would be ambiguous as soon as a second provider enters the build.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
