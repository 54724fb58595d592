//! Certificates for trying Postern out: an authority of its own, and a server certificate that it signs.
//!
//! The authority is made once and kept, so that people trust it once; the server certificate is made anew when it is
//! about to end or when the names change. Keys have mode 0600. Not for production: nobody else trusts this authority.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use crate::clock::{Clock, Timestamp};

use super::certificates::{describe, read_chain, read_key};
use super::{CertificateConfig, Error, provider};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Ten years: trusting it by hand is work.
const CA_LIFE: Duration = DAY.saturating_mul(3650);
/// Below the 398 days that phones accept.
const LEAF_LIFE: Duration = DAY.saturating_mul(397);
/// A server certificate with less than this left is made anew.
const RENEW_BEFORE: Duration = DAY.saturating_mul(30);
/// Machines whose clock is somewhat behind still accept a fresh certificate.
const BACKDATED: Duration = DAY;

/// Where the authority's certificate is kept: the file that people tell their mail programs to trust.
pub(super) fn development_ca(dir: &Path) -> PathBuf {
    dir.join("ca.pem")
}

/// Makes an authority and an ECDSA P-256 certificate for these host names and addresses in `dir`, as far as they are
/// missing, unusable, about to end, or for other names.
///
/// # Errors
/// The directory cannot be written, or a name cannot stand in a certificate.
pub fn ensure_development_certificates(
    dir: &Path,
    names: &[String],
    clock: &Clock,
) -> Result<CertificateConfig, Error> {
    let make_dir = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    make_dir.map_err(|source| Error::Write {
        path: dir.to_owned(),
        source,
    })?;
    let config = CertificateConfig {
        certificate: dir.join("server.pem"),
        key: dir.join("server.key"),
    };
    let now = clock.utc();
    let (ca, fresh_ca) = match keep_ca(dir, now) {
        Some(ca) => (ca, false),
        None => (make_ca(dir, now)?, true),
    };
    if fresh_ca || !is_current(&config, &ca.certificate, names, now) {
        make_leaf(&config, &ca, names, now)?;
    }
    Ok(config)
}

struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

fn ca_key(dir: &Path) -> PathBuf {
    dir.join("ca.key")
}

/// The authority of an earlier run, where both files are whole, belong together and will outlive a new certificate.
fn keep_ca(dir: &Path, now: Timestamp) -> Option<Authority> {
    let chain = read_chain(&development_ca(dir)).ok()?;
    let (_, not_after) = describe(&development_ca(dir), &chain).ok()?;
    CertifiedKey::from_der(chain.clone(), read_key(&ca_key(dir)).ok()?, &provider()).ok()?;
    if not_after < now.plus(LEAF_LIFE) {
        return None;
    }
    let pem = fs::read_to_string(development_ca(dir)).ok()?;
    let key = KeyPair::from_pem(&fs::read_to_string(ca_key(dir)).ok()?).ok()?;
    let certificate = chain.into_iter().next()?;
    let issuer = Issuer::from_ca_cert_der(&certificate, key).ok()?;
    Some(Authority {
        certificate,
        pem,
        issuer,
    })
}

fn make_ca(dir: &Path, now: Timestamp) -> Result<Authority, Error> {
    let failed = |source| Error::Generate {
        names: vec!["the development authority".into()],
        source,
    };
    let key = new_key().map_err(failed)?;
    let mut params = params(&[], "Postern development CA", now, CA_LIFE).map_err(failed)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key).map_err(failed)?;
    write(&ca_key(dir), &key.serialize_pem(), 0o600)?;
    write(&development_ca(dir), &certificate.pem(), 0o644)?;
    let pem = certificate.pem();
    Ok(Authority {
        certificate: certificate.into(),
        pem,
        issuer: Issuer::new(params, key),
    })
}

fn is_current(config: &CertificateConfig, ca: &CertificateDer<'_>, names: &[String], now: Timestamp) -> bool {
    let check = || {
        let chain = read_chain(&config.certificate).ok()?;
        let key = read_key(&config.key).ok()?;
        let (mut have, not_after) = describe(&config.certificate, &chain).ok()?;
        let mut want: Vec<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        have.sort();
        want.sort();
        let issued_here = chain.get(1) == Some(ca);
        CertifiedKey::from_der(chain, key, &provider()).ok()?;
        Some(have == want && issued_here && not_after > now.plus(RENEW_BEFORE))
    };
    check().unwrap_or(false)
}

fn make_leaf(config: &CertificateConfig, ca: &Authority, names: &[String], now: Timestamp) -> Result<(), Error> {
    let failed = |source| Error::Generate {
        names: names.to_vec(),
        source,
    };
    let key = new_key().map_err(failed)?;
    let common_name = names.first().map_or("localhost", String::as_str);
    let mut params = params(names, common_name, now, LEAF_LIFE).map_err(failed)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let leaf = params.signed_by(&key, &ca.issuer).map_err(failed)?;
    write(&config.key, &key.serialize_pem(), 0o600)?;
    write(&config.certificate, &format!("{}{}", leaf.pem(), ca.pem), 0o644)
}

fn new_key() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
}

fn params(
    names: &[String],
    common_name: &str,
    now: Timestamp,
    life: Duration,
) -> Result<CertificateParams, rcgen::Error> {
    let lower: Vec<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    let mut params = CertificateParams::new(lower)?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Postern development, not for production");
    params.distinguished_name.push(DnType::CommonName, common_name);
    let since_1970 = Duration::from_millis(u64::try_from(now.0).unwrap_or_default());
    let now = date_time_ymd(1970, 1, 1) + since_1970;
    params.not_before = now - BACKDATED;
    params.not_after = now + life;
    Ok(params)
}

/// Through a temporary file, so that a crash leaves the old content or the new one; with its mode from the start.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let attempt = || -> io::Result<()> {
        let temporary = path.with_extension("new");
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    attempt().map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}
