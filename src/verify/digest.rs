//! Imported hashes over plain digests: PBKDF2 (RFC 8018 §5.2) in three notations, and Dovecot's salted SHA.
//!
//! Notations: passlib `$pbkdf2-sha256$rounds$salt$hash` (base 64 with `.` for `+`), PHC `$pbkdf2-sha256$i=..,l=..$salt$hash`,
//! Dovecot `{PBKDF2}$1$salt$rounds$hex` (SHA-1, the salt as text), and `{SSHA256}` with base 64 or, as
//! `{SSHA256.HEX}`, hexadecimal digits of digest and salt.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use super::imported::{BadHash, at_most};

/// Most PBKDF2 iterations; the highest common recommendation is 1,400,000, for SHA-1.
const MAX_PBKDF2_ROUNDS: u32 = 1_500_000;

/// Octets of a salt.
const MAX_SALT_BYTES: usize = 64;

/// Octets of a PBKDF2 output: fewer prove nothing, more cost another full run each block.
const MIN_OUTPUT_BYTES: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

impl Digest {
    const fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// A PBKDF2 hash.
pub(super) struct Pbkdf2 {
    digest: Digest,
    rounds: u32,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Pbkdf2 {
    pub(super) fn parse(id: &str, rest: &str) -> Result<Self, BadHash> {
        let digest = match id {
            "pbkdf2-sha256" => Digest::Sha256,
            "pbkdf2-sha512" => Digest::Sha512,
            _ => Digest::Sha1,
        };
        let fields: Vec<&str> = rest.split('$').collect();
        let [settings, salt, output] = fields.as_slice() else {
            return Err(malformed());
        };
        let rounds = settings
            .split(',')
            .find_map(|setting| setting.strip_prefix("i="))
            .unwrap_or(settings);
        Self::new(digest, rounds, decode_base64(salt)?, decode_base64(output)?)
    }

    pub(super) fn parse_dovecot(rest: &str) -> Result<Self, BadHash> {
        let fields: Vec<&str> = rest.split('$').collect();
        let ["", "1", salt, rounds, output] = fields.as_slice() else {
            return Err(malformed());
        };
        Self::new(
            Digest::Sha1,
            rounds,
            salt.as_bytes().to_vec(),
            decode_hex(output).ok_or(malformed())?,
        )
    }

    fn new(digest: Digest, rounds: &str, salt: Vec<u8>, output: Vec<u8>) -> Result<Self, BadHash> {
        let rounds: u32 = rounds.parse().map_err(|_| malformed())?;
        at_most("number of PBKDF2 iterations", rounds, MAX_PBKDF2_ROUNDS)?;
        if rounds == 0 || salt.len() > MAX_SALT_BYTES || !(MIN_OUTPUT_BYTES..=digest.bytes()).contains(&output.len()) {
            return Err(malformed());
        }
        Ok(Self {
            digest,
            rounds,
            salt,
            output,
        })
    }

    /// PHC notation, whatever it came in.
    pub(super) fn to_text(&self) -> String {
        let id = match self.digest {
            Digest::Sha1 => "pbkdf2",
            Digest::Sha256 => "pbkdf2-sha256",
            Digest::Sha512 => "pbkdf2-sha512",
        };
        let (salt, output) = (STANDARD_NO_PAD.encode(&self.salt), STANDARD_NO_PAD.encode(&self.output));
        format!("${id}$i={},l={}${salt}${output}", self.rounds, self.output.len())
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut output = vec![0; self.output.len()];
        match self.digest {
            Digest::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, &self.salt, self.rounds, &mut output),
            Digest::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, &self.salt, self.rounds, &mut output),
            Digest::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, &self.salt, self.rounds, &mut output),
        }
        output.ct_eq(&self.output).into()
    }
}

/// A salted SHA hash: digest of password and salt.
pub(super) struct Salted {
    digest: Digest,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Salted {
    pub(super) fn parse(scheme: &str, rest: &str) -> Result<Self, BadHash> {
        let (name, form) = scheme.split_once('.').unwrap_or((scheme, "B64"));
        let digest = match name {
            "SSHA" => Digest::Sha1,
            "SSHA256" => Digest::Sha256,
            "SSHA512" => Digest::Sha512,
            _ => return Err(BadHash::Unknown),
        };
        let octets = match form {
            "B64" | "BASE64" => STANDARD.decode(rest).or_else(|_| STANDARD_NO_PAD.decode(rest)).ok(),
            "HEX" => decode_hex(rest),
            _ => None,
        };
        let octets = octets.ok_or(BadHash::Malformed("salted SHA"))?;
        match octets.split_at_checked(digest.bytes()) {
            Some((output, salt)) if (1..=MAX_SALT_BYTES).contains(&salt.len()) => Ok(Self {
                digest,
                salt: salt.to_vec(),
                output: output.to_vec(),
            }),
            _ => Err(BadHash::Malformed("salted SHA")),
        }
    }

    pub(super) fn to_text(&self) -> String {
        let scheme = match self.digest {
            Digest::Sha1 => "SSHA",
            Digest::Sha256 => "SSHA256",
            Digest::Sha512 => "SSHA512",
        };
        format!(
            "{{{scheme}}}{}",
            STANDARD.encode([self.output.as_slice(), &self.salt].concat())
        )
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        fn digest<D: sha2::Digest>(password: &[u8], salt: &[u8]) -> Vec<u8> {
            D::new().chain_update(password).chain_update(salt).finalize().to_vec()
        }
        let output = match self.digest {
            Digest::Sha1 => digest::<Sha1>(password, &self.salt),
            Digest::Sha256 => digest::<Sha256>(password, &self.salt),
            Digest::Sha512 => digest::<Sha512>(password, &self.salt),
        };
        output.ct_eq(&self.output).into()
    }
}

const fn malformed() -> BadHash {
    BadHash::Malformed("PBKDF2")
}

/// Base 64 without padding, in the usual alphabet or passlib's.
fn decode_base64(text: &str) -> Result<Vec<u8>, BadHash> {
    STANDARD_NO_PAD.decode(text.replace('.', "+")).map_err(|_| malformed())
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: u8| {
        char::from(octet)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?))
        .collect()
}
