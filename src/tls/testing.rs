//! A throw-away certificate authority and raw TLS peers, for the tests of `tls` and `upstream`.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionMemoryCache, ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::{ClientConfig, DigitallySignedStruct, NamedGroup, RootCertStore, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tempfile::TempDir;

use super::{CertificateConfig, Certificates, Config, Signer, Version, provider};
use crate::clock::Clock;

/// An authority with a folder of its own for what it issues.
pub(crate) struct Ca {
    dir: TempDir,
    issuer: Issuer<'static, KeyPair>,
    params: CertificateParams,
}

/// A certificate with its key, in files and in memory.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) files: CertificateConfig,
    pub(crate) der: CertificateDer<'static>,
    key_pem: String,
}

impl Ca {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("ca.pem"), certificate.pem()).unwrap();
        Self {
            dir,
            issuer: Issuer::new(params.clone(), key),
            params,
        }
    }

    /// The authority's own certificate.
    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// A path in the authority's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Signs for these names with a certificate that has those.
    pub(crate) fn signer(&self, has: &[&str], wants: &[&str], clock: &Clock) -> Signer {
        let config = Config {
            certificates: vec![self.issue("signer", has).files],
            min_version: Version::Tls12,
        };
        let wants = wants.iter().map(|&name| name.to_owned()).collect();
        Signer::new(Certificates::load(&config).unwrap(), wants, clock.clone())
    }

    /// An ordinary server certificate.
    pub(crate) fn issue(&self, file: &str, names: &[&str]) -> Issued {
        self.issue_with(file, names, &PKCS_ECDSA_P256_SHA256, |_| {})
    }

    /// A server certificate that is peculiar.
    pub(crate) fn issue_with(
        &self,
        file: &str,
        names: &[&str],
        algorithm: &'static rcgen::SignatureAlgorithm,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Issued {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut params);
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        self.write(file, &certificate, &key)
    }

    /// A certificate that nobody else signed.
    pub(crate) fn self_signed(&self, file: &str, names: &[&str]) -> Issued {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = self.params.distinguished_name.clone();
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        self.write(file, &params.self_signed(&key).unwrap(), &key)
    }

    fn write(&self, file: &str, certificate: &rcgen::Certificate, key: &KeyPair) -> Issued {
        let files = CertificateConfig {
            certificate: self.path(&format!("{file}.pem")),
            key: self.path(&format!("{file}.key")),
        };
        std::fs::write(&files.certificate, certificate.pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
        Issued {
            files,
            der: certificate.der().clone(),
            key_pem: key.serialize_pem(),
        }
    }

    /// A client that trusts this authority alone.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.file()).unwrap()).unwrap();
        ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }
}

impl Issued {
    /// A plain server with this certificate, without anything of ours.
    pub(crate) fn server(&self) -> ServerConfig {
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).unwrap();
        ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], key)
            .unwrap()
    }
}

/// A client that believes any certificate and can verify these signatures only.
pub(crate) fn credulous_client(schemes: &[SignatureScheme]) -> ClientConfig {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(credulous_verifier(schemes))
        .with_no_client_auth()
}

/// Believes any certificate.
pub(crate) fn credulous_verifier(schemes: &[SignatureScheme]) -> Arc<dyn ServerCertVerifier> {
    Arc::new(Credulous(schemes.to_vec()))
}

#[derive(Debug)]
struct Credulous(Vec<SignatureScheme>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}

/// Presents what it got under one server name under any other one, as only an attacker would.
#[derive(Debug)]
pub(crate) struct AnyName(ClientSessionMemoryCache);

impl AnyName {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(ClientSessionMemoryCache::new(8)))
    }
}

fn one_name() -> ServerName<'static> {
    ServerName::try_from("one.example").unwrap()
}

impl ClientSessionStore for AnyName {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.0.set_kx_hint(one_name(), group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.kx_hint(&one_name())
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.0.set_tls12_session(one_name(), value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.tls12_session(&one_name())
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.0.remove_tls12_session(&one_name());
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.insert_tls13_ticket(one_name(), value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(&one_name())
    }
}
