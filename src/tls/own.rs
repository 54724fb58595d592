//! TLS as a client of our own listeners: the certificate has to be for the name and in date, and is either trusted by this
//! machine or the very one that we present. A test of our own submission must not fail where a laboratory's issuer is
//! nobody whom this machine knows; that it is so is told.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{UnbufferedClientConnection, WebPkiServerVerifier, verify_server_name};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::secured::Secured;
use super::{Certificates, Error, Stream, Version, provider};

/// Connects to our own listeners.
#[derive(Debug, Clone)]
pub struct OwnConnector {
    certificates: Arc<Certificates>,
    trusted: Option<Arc<WebPkiServerVerifier>>,
}

impl OwnConnector {
    /// Reads whom this machine trusts.
    ///
    /// # Errors
    /// The library refused the settings.
    pub fn new(certificates: Arc<Certificates>) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let trusted = if roots.is_empty() {
            None
        } else {
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
            Some(verifier.map_err(|error| rustls::Error::General(error.to_string()))?)
        };
        Ok(Self { certificates, trusted })
    }

    /// The handshake; time limits are the caller's. Also whether this machine trusts the certificate's issuer.
    ///
    /// # Errors
    /// The certificate is not acceptable, or the connection failed.
    pub async fn connect(&self, name: &str, stream: TcpStream) -> io::Result<(Stream, bool)> {
        let server_name = ServerName::try_from(name.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let verifier = Arc::new(OwnOrTrusted {
            own: self.clone(),
            is_trusted: AtomicBool::new(false),
        });
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(Version::Tls12.and_newer())
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        config.resumption = rustls::client::Resumption::disabled();
        let side = UnbufferedClientConnection::new(Arc::new(config), server_name).map_err(io::Error::other)?;
        let secured = Secured::handshake(stream, side, Vec::new()).await?;
        let is_trusted = verifier.is_trusted.load(Ordering::Relaxed);
        Ok((Stream::Client(Box::new(secured)), is_trusted))
    }
}

/// Accepts what the machine trusts, and otherwise our own certificates alone.
#[derive(Debug)]
struct OwnOrTrusted {
    own: OwnConnector,
    is_trusted: AtomicBool,
}

impl ServerCertVerifier for OwnOrTrusted {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(trusted) = &self.own.trusted
            && let Ok(verified) = trusted.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        {
            self.is_trusted.store(true, Ordering::Relaxed);
            return Ok(verified);
        }
        if !self.own.certificates.has(end_entity) {
            return Err(CertificateError::UnknownIssuer.into());
        }
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        let (_, parsed) = X509Certificate::from_der(end_entity).map_err(|_| CertificateError::BadEncoding)?;
        let (validity, now) = (parsed.validity(), i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        if now > validity.not_after.timestamp() {
            return Err(CertificateError::Expired.into());
        }
        if now < validity.not_before.timestamp() {
            return Err(CertificateError::NotValidYet.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::super::testing::{Ca, Issued};
    use super::super::{Acceptor, Config};
    use super::*;

    fn certificates(issued: &Issued) -> Arc<Certificates> {
        let config = Config {
            certificates: vec![issued.files.clone()],
            min_version: Version::Tls12,
        };
        Certificates::load(&config).unwrap()
    }

    /// Connects, as `name`, to a listener that presents `presented`, with `own` as what is ours.
    async fn connects(presented: &Issued, own: &Issued, name: &str) -> Result<bool, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = Acceptor::new(certificates(presented), b"smtp").unwrap();
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            acceptor.accept(stream).await.map(drop)
        });
        let tcp = TcpStream::connect(address).await.unwrap();
        let connector = OwnConnector::new(certificates(own)).unwrap();
        let outcome = connector.connect(name, tcp).await;
        drop(server.await);
        outcome
            .map(|(_, is_trusted)| is_trusted)
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn our_own_certificate_is_accepted_by_its_name_and_no_other_is() {
        let ca = Ca::new();
        let own = ca.issue("own", &["mail.example.org"]);
        let other = ca.issue("other", &["mail.example.org"]);
        assert_eq!(
            connects(&own, &own, "mail.example.org").await,
            Ok(false),
            "nobody trusts its issuer"
        );
        let refused = connects(&other, &own, "mail.example.org").await.unwrap_err();
        assert!(refused.contains("UnknownIssuer"), "{refused}");
        let refused = connects(&own, &own, "imap.example.org").await.unwrap_err();
        assert!(refused.contains("not valid for name"), "{refused}");
    }
}
