//! Signs a file with a certificate in use: CMS `SignedData` (RFC 5652 §5) with the content inside, as Apple's devices read a
//! configuration profile.
//!
//! The file may hold a password. So its octets are written once, into a buffer of the right length that is wiped; what
//! stands around them is small and public.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use cms::cert::IssuerAndSerialNumber;
use cms::cert::x509::Certificate;
use cms::cert::x509::attr::Attribute;
use cms::cert::x509::der::asn1::{Null, ObjectIdentifier, OctetString, OctetStringRef, SetOfVec, UtcTime};
use cms::cert::x509::der::{self, Any, Decode as _, Encode as _};
use cms::cert::x509::spki::AlgorithmIdentifierOwned;
use cms::content_info::CmsVersion;
use cms::signed_data::{SignerIdentifier, SignerInfo};
use rustls::SignatureScheme;
use rustls::sign::CertifiedKey;

use super::Certificates;
use super::certificates::names_and_end;
use crate::clock::{Clock, Timestamp};
use crate::secret::SecretBytes;

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");

/// DER tags (ITU-T X.690 §8): they are written by hand around the content only.
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OCTET_STRING: u8 = 0x04;
const CONTEXT_0: u8 = 0xa0;
/// `INTEGER 1`: the version, as the content is plain data and signers are named by issuer and number.
const VERSION_1: [u8; 3] = [2, 1, 1];

/// Signatures that devices can check, the best first, each with its digest.
const SCHEMES: [SignatureScheme; 3] = [
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::RSA_PKCS1_SHA256,
];

/// Why a file was not signed.
#[derive(Debug, thiserror::Error)]
pub enum NotSigned {
    /// No certificate that is in force has one of the names.
    #[error("no certificate in force is for {}: name one under [[tls.certificate]], or files stay unsigned", .names.join(" or "))]
    NoCertificate {
        /// The names that were looked for.
        names: Vec<String>,
    },
    /// The certificate's key makes none of the signatures that devices check.
    #[error("the certificate's key makes no signature that devices can check: use ECDSA P-256, P-384 or RSA")]
    Key,
    /// The certificate is not what it should be.
    #[error("the certificate cannot be put beside a signature: {0}")]
    Certificate(der::Error),
    /// The library refused.
    #[error("the TLS library did not sign: {0}")]
    Library(#[from] rustls::Error),
}

impl From<der::Error> for NotSigned {
    fn from(error: der::Error) -> Self {
        Self::Certificate(error)
    }
}

/// Signs with the certificate of the first of its names that has one.
#[derive(Clone)]
pub struct Signer {
    certificates: Arc<Certificates>,
    names: Vec<String>,
    clock: Clock,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl Signer {
    /// Signs with these certificates, in whatever state a reload leaves them.
    pub fn new(certificates: Arc<Certificates>, names: Vec<String>, clock: Clock) -> Self {
        Self {
            certificates,
            names,
            clock,
        }
    }

    /// The content inside a signature over it, with the certificate's chain.
    ///
    /// # Errors
    /// There is no certificate for it, or its key cannot do it.
    pub fn sign(&self, content: &[u8]) -> Result<SecretBytes, NotSigned> {
        let now = self.clock.utc();
        let certified = self.certified(now).ok_or_else(|| NotSigned::NoCertificate {
            names: self.names.clone(),
        })?;
        let signer = certified.key.choose_scheme(&SCHEMES).ok_or(NotSigned::Key)?;
        let (digest_oid, algorithm, digest) = match signer.scheme() {
            SignatureScheme::ECDSA_NISTP256_SHA256 => (SHA256, bare(ECDSA_SHA256), &digest::SHA256),
            SignatureScheme::ECDSA_NISTP384_SHA384 => (SHA384, bare(ECDSA_SHA384), &digest::SHA384),
            SignatureScheme::RSA_PKCS1_SHA256 => (SHA256, with_null(RSA)?, &digest::SHA256),
            _ => return Err(NotSigned::Key),
        };
        let attributes = attributes(digest::digest(digest, content).as_ref(), now)?;
        let signature = signer.sign(&attributes.to_der()?)?;
        let info = SignerInfo {
            version: CmsVersion::V1,
            sid: SignerIdentifier::IssuerAndSerialNumber(name_of(&certified)?),
            digest_alg: bare(digest_oid),
            signed_attrs: Some(attributes),
            signature_algorithm: algorithm,
            signature: OctetString::new(signature)?,
            unsigned_attrs: None,
        };
        let mut chain: Vec<&[u8]> = certified.cert.iter().map(AsRef::as_ref).collect();
        // A set in DER is sorted (X.690 §11.6).
        chain.sort_unstable();
        Ok(assembled(
            content,
            &bare(digest_oid).to_der()?,
            &chain.concat(),
            &info.to_der()?,
        ))
    }

    fn certified(&self, now: Timestamp) -> Option<Arc<CertifiedKey>> {
        let in_force = |certified: &Arc<CertifiedKey>| {
            let end = certified.cert.first().and_then(names_and_end);
            end.is_some_and(|(_, not_after)| not_after > now)
        };
        let mut found = self.names.iter().flat_map(|name| self.certificates.of_name(name));
        found.find(in_force)
    }
}

fn bare(oid: ObjectIdentifier) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid, parameters: None }
}

fn with_null(oid: ObjectIdentifier) -> Result<AlgorithmIdentifierOwned, der::Error> {
    let parameters = Some(Any::encode_from(&Null)?);
    Ok(AlgorithmIdentifierOwned { oid, parameters })
}

/// What is signed: the kind of the content, its digest, and when.
fn attributes(digest: &[u8], now: Timestamp) -> Result<SetOfVec<Attribute>, der::Error> {
    let seconds = u64::try_from(now.0 / 1000).unwrap_or_default();
    let time = UtcTime::from_unix_duration(Duration::from_secs(seconds))?;
    let attribute = |oid, value: Any| {
        Ok::<_, der::Error>(Attribute {
            oid,
            values: SetOfVec::try_from(vec![value])?,
        })
    };
    SetOfVec::try_from(vec![
        attribute(CONTENT_TYPE, Any::encode_from(&DATA)?)?,
        attribute(MESSAGE_DIGEST, Any::encode_from(&OctetStringRef::new(digest)?)?)?,
        attribute(SIGNING_TIME, Any::encode_from(&time)?)?,
    ])
}

/// How the signature names its certificate.
fn name_of(certified: &CertifiedKey) -> Result<IssuerAndSerialNumber, NotSigned> {
    let leaf = certified.cert.first().ok_or(NotSigned::Key)?;
    let leaf = Certificate::from_der(leaf)?.tbs_certificate;
    Ok(IssuerAndSerialNumber {
        issuer: leaf.issuer,
        serial_number: leaf.serial_number,
    })
}

/// Puts the parts around the content:
///
/// ```text
/// SEQUENCE { signedData, [0] { SEQUENCE { 1, SET { digest }, SEQUENCE { data, [0] { OCTET STRING content } },
///     [0] { certificates }, SET { signer } } } }
/// ```
fn assembled(content: &[u8], digest: &[u8], certificates: &[u8], signer: &[u8]) -> SecretBytes {
    let (signed_data, data) = (oid(SIGNED_DATA), oid(DATA));
    let octets = whole(content.len());
    let explicit = whole(octets);
    let inside = whole(data.len() + explicit);
    let fields = VERSION_1.len() + whole(digest.len()) + inside + whole(certificates.len()) + whole(signer.len());
    let outer = signed_data.len() + whole(whole(fields));
    let mut file = SecretBytes::new(Vec::with_capacity(whole(outer)));
    let out = file.expose_mut();
    head(out, SEQUENCE, outer);
    out.extend_from_slice(&signed_data);
    head(out, CONTEXT_0, whole(fields));
    head(out, SEQUENCE, fields);
    out.extend_from_slice(&VERSION_1);
    head(out, SET, digest.len());
    out.extend_from_slice(digest);
    head(out, SEQUENCE, data.len() + explicit);
    out.extend_from_slice(&data);
    head(out, CONTEXT_0, octets);
    head(out, OCTET_STRING, content.len());
    out.extend_from_slice(content);
    head(out, CONTEXT_0, certificates.len());
    out.extend_from_slice(certificates);
    head(out, SET, signer.len());
    out.extend_from_slice(signer);
    file
}

/// An identifier with its tag and length: all of ours are shorter than 128 octets.
fn oid(oid: ObjectIdentifier) -> Vec<u8> {
    let mut out = Vec::new();
    head(&mut out, 0x06, oid.as_bytes().len());
    out.extend_from_slice(oid.as_bytes());
    out
}

/// The length of an element with so many octets in it.
fn whole(inside: usize) -> usize {
    let mut head_of = Vec::new();
    head(&mut head_of, 0, inside);
    head_of.len() + inside
}

/// A tag and a length in the shortest form (X.690 §10.1).
fn head(out: &mut Vec<u8>, tag: u8, length: usize) {
    out.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let octets = length.to_be_bytes();
            let begin = octets.iter().position(|octet| *octet != 0).unwrap_or_default();
            let octets = octets.get(begin..).unwrap_or_default();
            // A length has eight octets at most.
            out.push(0x80 | u8::try_from(octets.len()).unwrap_or_default());
            out.extend_from_slice(octets);
        }
    }
}
