//! Certificates on disk, chosen by the name that the client asks for (RFC 6066 §3), swapped without dropping a session.
//!
//! A name is found exactly first, then by a wildcard that stands for the whole leftmost label (RFC 9525 §6.3). Several
//! certificates may share a name: ECDSA is offered before RSA, and the first one that the client can verify is taken,
//! so that phones get the cheap signature and old printers the only one they know. Without a name, or with one that no
//! certificate has, the first certificate answers: refusing would lock out clients that connect by an address or an old
//! name.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, SignatureAlgorithm, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::clock::Timestamp;
use crate::secret::SecretBytes;

use super::{Config, Error, Version, provider};

/// Octets of a PEM file; a chain of ten RSA-4096 certificates has about 25 000.
const PEM_BYTES: u64 = 1024 * 1024;

/// The files of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateConfig {
    /// The chain in PEM, the server's own certificate first.
    pub certificate: PathBuf,
    /// Its private key in PEM, not encrypted.
    pub key: PathBuf,
}

/// One certificate in use, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The DNS names and addresses it is for.
    pub names: Vec<String>,
    /// When it ends.
    pub not_after: Timestamp,
    /// The file it came from.
    pub path: PathBuf,
}

/// Certificates on disk, chosen by server name, swapped without dropping a session.
pub struct Certificates {
    table: ArcSwap<Table>,
    min_version: Version,
}

/// Certificates that were read and are not in use yet.
pub struct Fresh(Table);

/// What one load of all files gave.
struct Table {
    exact: HashMap<String, Candidates>,
    /// By what stands behind `*.`.
    wildcard: HashMap<String, Candidates>,
    default: Candidates,
    facts: Vec<CertificateFacts>,
}

type Candidates = Vec<Arc<CertifiedKey>>;

/// One certificate with its key and the names it is for.
struct Loaded {
    certified: Arc<CertifiedKey>,
    facts: CertificateFacts,
}

impl Certificates {
    /// Reads all of them; the first is the default for clients without, or with an unknown, server name.
    ///
    /// # Errors
    /// A file is missing, unreadable, not what it should be, or key and certificate do not belong together. A
    /// certificate that has expired is not an error: see [`Certificates::describe`].
    pub fn load(config: &Config) -> Result<Arc<Self>, Error> {
        let table = Table::read(&config.certificates)?;
        Ok(Arc::new(Self {
            table: ArcSwap::from_pointee(table),
            min_version: config.min_version,
        }))
    }

    /// Reads certificates for [`Certificates::take`]; those in use stay.
    ///
    /// # Errors
    /// As [`Certificates::load`].
    pub fn read(certificates: &[CertificateConfig]) -> Result<Fresh, Error> {
        Ok(Fresh(Table::read(certificates)?))
    }

    /// Uses these for every handshake from now on; sessions under way keep theirs.
    pub fn take(&self, fresh: Fresh) {
        self.table.store(Arc::new(fresh.0));
    }

    /// Names and end dates, in the order of the configuration.
    pub fn describe(&self) -> Vec<CertificateFacts> {
        self.table.load().facts.clone()
    }

    /// Whether this is one of them.
    pub(super) fn has(&self, end_entity: &CertificateDer<'_>) -> bool {
        let table = self.table.load();
        let named = table.exact.values().chain(table.wildcard.values()).flatten();
        let mut all = named.chain(&table.default);
        all.any(|candidate| candidate.end_entity_cert().is_ok_and(|own| own == end_entity))
    }

    /// The oldest version that listeners with these certificates accept.
    pub(super) const fn min_version(&self) -> Version {
        self.min_version
    }

    /// The certificates for exactly this name, or by a wildcard; the default ones are not among them.
    pub(super) fn of_name(&self, name: &str) -> Vec<Arc<CertifiedKey>> {
        let table = self.table.load();
        if table.is_known(name) {
            table.candidates(Some(name)).cloned().collect()
        } else {
            Vec::new()
        }
    }

    fn choose(&self, name: Option<&str>, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let table = self.table.load();
        table
            .candidates(name)
            .find(|candidate| candidate.key.choose_scheme(schemes).is_some())
            .cloned()
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("facts", &self.table.load().facts)
            .finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name(), hello.signature_schemes())
    }
}

impl Table {
    fn read(configs: &[CertificateConfig]) -> Result<Self, Error> {
        let mut all = configs.iter().map(Loaded::read).collect::<Result<Vec<_>, _>>()?;
        let facts: Vec<_> = all.iter().map(|loaded| loaded.facts.clone()).collect();
        let first = facts.first().ok_or(Error::NoCertificate)?;
        // Stable: within one kind of key the order of the configuration holds.
        all.sort_by_key(|loaded| loaded.certified.key.algorithm() == SignatureAlgorithm::RSA);

        let mut table = Self {
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            default: Vec::new(),
            facts: Vec::new(),
        };
        for loaded in &all {
            // The default is every certificate of the first one's names, so that a client without a server name that
            // knows only RSA finds the RSA twin of an ECDSA certificate.
            if loaded.facts.path == first.path || loaded.facts.names.iter().any(|name| first.names.contains(name)) {
                table.default.push(Arc::clone(&loaded.certified));
            }
            for name in &loaded.facts.names {
                let (map, name) = match name.strip_prefix("*.") {
                    Some(parent) => (&mut table.wildcard, parent),
                    None => (&mut table.exact, name.as_str()),
                };
                map.entry(name.to_owned())
                    .or_default()
                    .push(Arc::clone(&loaded.certified));
            }
        }
        table.facts = facts;
        Ok(table)
    }

    /// The certificates that have this name, and those that have it by a wildcard.
    fn named(&self, name: &str) -> (Option<&Candidates>, Option<&Candidates>) {
        let name = name.to_ascii_lowercase();
        let exact = self.exact.get(&name);
        let wildcard = name.split_once('.').and_then(|(_, parent)| self.wildcard.get(parent));
        (exact, wildcard)
    }

    /// Whether any certificate is for this name.
    fn is_known(&self, name: &str) -> bool {
        let (exact, wildcard) = self.named(name);
        exact.is_some() || wildcard.is_some()
    }

    /// Everything that may answer for this name, best first; never empty.
    fn candidates(&self, name: Option<&str>) -> impl Iterator<Item = &Arc<CertifiedKey>> {
        let (exact, wildcard) = self.named(name.unwrap_or_default());
        let known = exact.is_some() || wildcard.is_some();
        let default = (!known).then_some(&self.default);
        exact.into_iter().chain(wildcard).chain(default).flatten()
    }
}

impl Loaded {
    fn read(config: &CertificateConfig) -> Result<Self, Error> {
        let chain = read_chain(&config.certificate)?;
        let key = read_key(&config.key)?;
        let (names, not_after) = describe(&config.certificate, &chain)?;
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => Error::KeyMismatch {
                certificate: config.certificate.clone(),
                key: config.key.clone(),
            },
            _ => Error::Key {
                path: config.key.clone(),
            },
        })?;
        let facts = CertificateFacts {
            names,
            not_after,
            path: config.certificate.clone(),
        };
        Ok(Self {
            certified: Arc::new(certified),
            facts,
        })
    }
}

/// All certificates of a PEM file, at least one.
pub(super) fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let pem = read_bounded(path)?;
    let chain = CertificateDer::pem_slice_iter(pem.expose()).collect::<Result<Vec<_>, _>>();
    chain
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| Error::Certificate { path: path.to_owned() })
}

/// The first private key of a PEM file.
pub(super) fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let pem = read_bounded(path)?;
    PrivateKeyDer::from_pem_slice(pem.expose()).map_err(|_| Error::Key { path: path.to_owned() })
}

/// Keys pass through here as well, so the text is wiped.
fn read_bounded(path: &Path) -> Result<SecretBytes, Error> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    if length > PEM_BYTES {
        return Err(Error::TooLarge {
            path: path.to_owned(),
            limit: PEM_BYTES,
        });
    }
    // Room for all of it at once: a vector that grows leaves copies of a key behind.
    let mut text = Vec::with_capacity(usize::try_from(length).unwrap_or_default().saturating_add(1));
    file.take(PEM_BYTES).read_to_end(&mut text).map_err(failed)?;
    Ok(SecretBytes::new(text))
}

/// The names and the end date of a chain's first certificate, which came from this file.
pub(super) fn describe(path: &Path, chain: &[CertificateDer<'_>]) -> Result<(Vec<String>, Timestamp), Error> {
    chain
        .first()
        .and_then(names_and_end)
        .ok_or_else(|| Error::Certificate { path: path.to_owned() })
}

/// The names in the subject alternative name extension (the common name is no name, RFC 9525 §2) and the end date.
pub(super) fn names_and_end(leaf: &CertificateDer<'_>) -> Option<(Vec<String>, Timestamp)> {
    let (_, leaf) = X509Certificate::from_der(leaf).ok()?;
    let names = leaf.subject_alternative_name().ok()?;
    let names = names.map(|extension| extension.value.general_names.iter().filter_map(name_of).collect());
    Some((
        names.unwrap_or_default(),
        Timestamp(leaf.validity().not_after.timestamp().saturating_mul(1000)),
    ))
}

fn name_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(octets) => match octets.len() {
            4 => <[u8; 4]>::try_from(*octets)
                .ok()
                .map(|octets| std::net::IpAddr::from(octets).to_string()),
            _ => <[u8; 16]>::try_from(*octets)
                .ok()
                .map(|octets| std::net::IpAddr::from(octets).to_string()),
        },
        _ => None,
    }
}
