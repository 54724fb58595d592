//! A throw-away certificate authority with one server certificate: nothing in the repository can expire or leak.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use super::work_dir::WorkDir;

/// The name that clients expect. Also in the certificate: `127.0.0.1` and `::1`.
pub(crate) const SERVER_NAME: &str = "localhost";

/// A server certificate with its key.
#[derive(Debug)]
pub(crate) struct Issued {
    /// The certificate's file.
    pub(crate) certificate: PathBuf,
    /// Its private key's file.
    pub(crate) key: PathBuf,
    /// The certificate itself.
    pub(crate) der: CertificateDer<'static>,
}

/// The authority and its first certificate, as files and for our own client.
#[derive(Debug)]
pub(crate) struct Certificates {
    /// The authority's certificate, for clients to trust.
    pub(crate) authority: PathBuf,
    /// The server's certificate.
    pub(crate) certificate: PathBuf,
    /// The server's private key.
    pub(crate) key: PathBuf,
    /// A client that trusts the authority and nobody else.
    pub(crate) client: Arc<ClientConfig>,
    issuer: Issuer<'static, KeyPair>,
    dir: WorkDir,
}

impl Certificates {
    /// Makes a new authority and a certificate for [`SERVER_NAME`].
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority
            .distinguished_name
            .push(DnType::CommonName, "Postern test authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate()?;
        let authority_certificate = authority.self_signed(&authority_key)?;
        let issuer = Issuer::new(authority, authority_key);

        let mut roots = RootCertStore::empty();
        roots.add(authority_certificate.der().clone())?;
        let client = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .context("the TLS provider lacks a protocol version")?
            .with_root_certificates(roots)
            .with_no_client_auth();

        let dir = WorkDir::new("ca")?;
        let server = issue(&issuer, &dir, "server", &[SERVER_NAME, "127.0.0.1", "::1"])?;
        Ok(Self {
            authority: dir.write("authority.pem", &authority_certificate.pem())?,
            certificate: server.certificate,
            key: server.key,
            client: Arc::new(client),
            issuer,
            dir,
        })
    }

    /// Makes another certificate, in the files `FILE.pem` and `FILE.key`; `server` is the first one's.
    pub(crate) fn issue(&self, file: &str, names: &[&str]) -> anyhow::Result<Issued> {
        issue(&self.issuer, &self.dir, file, names)
    }
}

fn issue(issuer: &Issuer<'_, KeyPair>, dir: &WorkDir, file: &str, names: &[&str]) -> anyhow::Result<Issued> {
    let mut server = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
    server
        .distinguished_name
        .push(DnType::CommonName, names.first().copied().unwrap_or_default());
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // OpenSSL 3.2 and later refuse a chain without it.
    server.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, issuer)?;
    Ok(Issued {
        certificate: dir.write(&format!("{file}.pem"), &certificate.pem())?,
        key: dir.write_secret(&format!("{file}.key"), &key.serialize_pem())?,
        der: certificate.der().clone(),
    })
}
