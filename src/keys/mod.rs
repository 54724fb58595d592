//! The server key: what a thief of the database does not have.
//!
//! A keyring file of mode 0600 (its form stands in `file`) holds one or more 256-bit keys, each with a number; the last one
//! is used for new credentials, the others still verify old ones. Sub-keys are derived per purpose with BLAKE3's key
//! derivation, so that no key does two jobs and none tells anything about another. Sealing is AES-256-GCM (NIST SP
//! 800-38D) with random nonces. Nothing here is ever written to the database but fingerprints.

mod file;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroize;

use crate::secret::{Secret, SecretBytes};

/// Octets of a server key and of every key derived from it.
const KEY_BYTES: usize = 32;

/// Octets in front of a sealed secret's nonce: the form's number and the key's id.
const SEALED_HEAD_BYTES: usize = 5;

/// The form of sealed secrets: form, key id (big endian), nonce, ciphertext and tag.
const SEALED_FORM: u8 = 1;

// BLAKE3 asks for context strings that are fixed, unique and name the application and the purpose.
const TAG_CONTEXT: &str = "Postern 2026-11 device password tag";
const PEPPER_CONTEXT: &str = "Postern 2026-11 Argon2id secret input";
const TOKEN_CONTEXT: &str = "Postern 2026-11 secrets of the Manager";
const SEALING_CONTEXT: &str = "Postern 2026-11 sealed upstream secret";
const FINGERPRINT_CONTEXT: &str = "Postern 2026-11 server key fingerprint";

/// Octets of a fingerprint before it is written in hexadecimal digits.
const FINGERPRINT_BYTES: usize = 8;

/// Sub-keys of one server key.
#[derive(Debug)]
pub struct ServerKey {
    /// The number stored with everything this key made.
    pub id: u32,
    /// Keys the tags (BLAKE3 keyed hash).
    pub tag: Secret<[u8; KEY_BYTES]>,
    /// Argon2's secret input.
    pub pepper: Secret<[u8; KEY_BYTES]>,
    /// Keys what is kept of tokens, recovery codes and browser marks (BLAKE3 keyed hash).
    pub token: Secret<[u8; KEY_BYTES]>,
    /// Seals upstream secrets and those of one-time codes (AES-256-GCM).
    pub sealing: Secret<[u8; KEY_BYTES]>,
    fingerprint: String,
}

/// All server keys of this installation; never empty.
#[derive(Debug)]
pub struct Keyring {
    keys: Vec<ServerKey>,
}

/// Why the keyring, or something sealed with it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error(
        "key file {path}: cannot {action}: {source}; it must be within reach of the user that runs Postern: run this as that user or as root"
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no such file.
    #[error(
        "key file {0} is missing: put the one back that belongs to this database; a new installation begins with `postern init`"
    )]
    Missing(PathBuf),
    /// A file stands where a new one was to be written.
    #[error("key file {0} exists already and is never overwritten: without it every device password would be lost")]
    Exists(PathBuf),
    /// Group or others may read or write the file.
    #[error("key file {path} has mode {mode:04o}, so that others can read it: run `chmod 600 {path}`")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The text is not a keyring.
    #[error("key file {path}, line {line}: {problem}: restore the file from a backup")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong, without the line's content.
        problem: &'static str,
    },
    /// Another rotation runs, or one was interrupted.
    #[error(
        "{0} exists: another rotation is running, or one was interrupted; if none is running, remove that file and try again"
    )]
    Rotating(PathBuf),
    /// The sealed octets are not what this keyring and context made.
    #[error("the sealed secret does not open: it was changed, or belongs to another mailbox")]
    Sealed,
    /// The key that sealed or hashed something is not in the file.
    #[error("server key {0} is not in the key file: put the key file back that belongs to this database")]
    UnknownKey(u32),
}

impl ServerKey {
    /// Derives the sub-keys of the key with this number; the key itself is not kept.
    fn derive(id: u32, material: &Secret<[u8; KEY_BYTES]>) -> Self {
        let sub_key = |context| Secret::new(blake3::derive_key(context, material.expose()));
        let fingerprint = blake3::derive_key(FINGERPRINT_CONTEXT, material.expose());
        let fingerprint = fingerprint
            .iter()
            .take(FINGERPRINT_BYTES)
            .map(|octet| format!("{octet:02x}"))
            .collect();
        Self {
            id,
            tag: sub_key(TAG_CONTEXT),
            pepper: sub_key(PEPPER_CONTEXT),
            token: sub_key(TOKEN_CONTEXT),
            sealing: sub_key(SEALING_CONTEXT),
            fingerprint,
        }
    }

    fn sealing_key(&self) -> RandomizedNonceKey {
        RandomizedNonceKey::new(&AES_256_GCM, self.sealing.expose()).expect("a sub-key has the length of AES-256")
    }
}

impl Keyring {
    /// Writes a new keyring with one random key; never overwrites.
    ///
    /// # Errors
    /// The file exists, or cannot be written.
    pub fn create(path: &Path) -> Result<Self, Error> {
        file::create(path).map(Self::from_records)
    }

    /// Reads a keyring.
    ///
    /// # Errors
    /// The file is missing, readable for others, or not a keyring.
    pub fn load(path: &Path) -> Result<Self, Error> {
        file::load(path).map(Self::from_records)
    }

    /// Appends a fresh key to the file (atomically) and returns the new ring.
    ///
    /// # Errors
    /// As [`Keyring::load`], or the file cannot be replaced; the old file then stands unchanged.
    pub fn rotate(path: &Path) -> Result<Self, Error> {
        file::rotate(path).map(Self::from_records)
    }

    /// A ring with fixed keys: worthless as protection.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        let record = |(id, octet)| file::Record {
            id,
            material: Secret::new([octet; KEY_BYTES]),
        };
        Self::from_records([(1, 0x5a), (2, 0xa5)].map(record).into())
    }

    fn from_records(records: Vec<file::Record>) -> Self {
        Self {
            keys: records
                .iter()
                .map(|record| ServerKey::derive(record.id, &record.material))
                .collect(),
        }
    }

    /// The key for new credentials.
    pub fn current(&self) -> &ServerKey {
        self.keys.last().expect("a keyring is never empty")
    }

    /// The key with this number.
    pub fn by_id(&self, id: u32) -> Option<&ServerKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// All keys, oldest first.
    pub fn all(&self) -> impl Iterator<Item = &ServerKey> {
        self.keys.iter()
    }

    /// Seals an upstream secret for one mailbox (`context` is bound as associated data).
    ///
    /// # Errors
    /// Only if the cipher refuses the length.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let key = self.current();
        let head = sealed_head(key.id);
        // Room for the tag from the start: growing the buffer would leave a copy of the plain text behind.
        let mut body = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(plain);
        let nonce = key
            .sealing_key()
            .seal_in_place_append_tag(Aad::from(associated(&head, context)), &mut body)
            .map_err(|_| Error::Sealed)?;
        Ok([head.as_slice(), nonce.as_ref().as_slice(), &body].concat())
    }

    /// Opens what [`Keyring::seal`] made.
    ///
    /// # Errors
    /// The octets or the context were changed, or the key is not in the ring.
    pub fn unseal(&self, context: &[u8], sealed: &[u8]) -> Result<SecretBytes, Error> {
        let (head, rest) = sealed.split_first_chunk::<SEALED_HEAD_BYTES>().ok_or(Error::Sealed)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Error::Sealed)?;
        let [form, id @ ..] = *head;
        if form != SEALED_FORM {
            return Err(Error::Sealed);
        }
        let id = u32::from_be_bytes(id);
        let key = self.by_id(id).ok_or(Error::UnknownKey(id))?;
        let mut body = body.to_vec();
        let length = key
            .sealing_key()
            .open_in_place(Nonce::from(nonce), Aad::from(associated(head, context)), &mut body)
            .map(|plain| plain.len())
            .map_err(|_| Error::Sealed)?;
        body.truncate(length);
        Ok(Secret::new(body))
    }

    /// A short fingerprint of each key (not usable to derive it), kept in the database's meta table so that a wrong
    /// key file is told at start.
    pub fn fingerprints(&self) -> Vec<(u32, String)> {
        self.keys.iter().map(|key| (key.id, key.fingerprint.clone())).collect()
    }
}

fn sealed_head(id: u32) -> [u8; SEALED_HEAD_BYTES] {
    let [a, b, c, d] = id.to_be_bytes();
    [SEALED_FORM, a, b, c, d]
}

/// The head is bound too, so that nobody can make us open a secret with another key than the one that sealed it.
fn associated(head: &[u8; SEALED_HEAD_BYTES], context: &[u8]) -> Vec<u8> {
    [head.as_slice(), context].concat()
}

/// Octets of the operating system's generator; the only source of secrets.
pub(crate) fn random_bytes<const N: usize>() -> Secret<[u8; N]> {
    let mut octets = [0; N];
    fill_random(&mut octets);
    let secret = Secret::new(octets);
    octets.zeroize();
    secret
}

/// Fills a buffer from the operating system's generator.
///
/// # Panics
/// The generator fails, which no supported system does once it has started: going on without randomness would make
/// guessable passwords and keys.
pub fn fill_random(octets: &mut [u8]) {
    getrandom::fill(octets).expect("the operating system's generator works");
}
