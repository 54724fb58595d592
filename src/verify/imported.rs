//! Imported password hashes: what other mail servers and web applications keep, checked once and then re-hashed.
//!
//! Known are bcrypt, SHA-crypt (`$5$`, `$6$`), yescrypt, Argon2i and Argon2id, PBKDF2 (passlib's, PHC's and Dovecot's
//! form) and salted SHA (Dovecot's `{SSHA}`, `{SSHA256}`, `{SSHA512}`), each with Dovecot's scheme prefix where it has
//! one. An imported hash is cost that somebody else chose: caps keep every run within about a second. Unsalted, DES,
//! MD5 and clear-text forms are refused, because whoever stole them has the passwords. The same parser reads the
//! normalised text that the store keeps.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordVerifier};
use argon2::{Algorithm, Argon2, Version};

use super::digest::{Pbkdf2, Salted};
use super::hash::{Memory, phc_matches};

/// Highest bcrypt cost: 2^14 rounds are about one second.
const MAX_BCRYPT_COST: u32 = 14;

/// Most SHA-crypt rounds; the format allows 999,999,999. Passlib's default is 656,000.
const MAX_SHA_CRYPT_ROUNDS: u32 = 1_000_000;

/// Octets of a SHA-crypt salt, which the format cuts there.
const MAX_SHA_CRYPT_SALT: usize = 16;

/// Argon2's memory in KiB, passes, lanes, and KiB times passes.
const MAX_ARGON2_KIB: u32 = 131_072;
const MAX_ARGON2_PASSES: u32 = 16;
const MAX_ARGON2_LANES: u32 = 16;
const MAX_ARGON2_WORK_KIB: u32 = 524_288;

/// yescrypt's memory (128 * N * r octets) in KiB; Debian's default uses 16 MiB.
const MAX_YESCRYPT_KIB: u64 = 131_072;

/// yescrypt's parallelism, which we compute one after the other.
const MAX_YESCRYPT_LANES: u32 = 4;

/// Octets of a hash with its prefix.
const MAX_TEXT_BYTES: usize = 512;

/// Why an imported hash is refused. Messages never repeat the text, which may be a password by mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHash {
    /// A known format with something wrong in it.
    #[error("this is not a complete {0} hash: export it again")]
    Malformed(&'static str),
    /// A run would take too long.
    #[error("the {what} is {found}, more than the cap of {cap}: add a new device instead of importing this password")]
    TooCostly {
        /// Which parameter of which format.
        what: &'static str,
        /// Its value.
        found: u64,
        /// The most that is accepted.
        cap: u64,
    },
    /// None of the formats we know.
    #[error(
        "unknown password hash: known are bcrypt, SHA-crypt ($5$, $6$), yescrypt, Argon2, PBKDF2 and salted SHA, with or without Dovecot's {{SCHEME}}"
    )]
    Unknown,
    /// A hash of ours whose server key is not in the key file.
    #[error("the server key of this hash is not in the key file: put the key file back that belongs to this database")]
    UnknownKey,
    /// A format that protects nothing.
    #[error("{0} protects nothing once stolen: add a new device instead of importing this password")]
    Weak(&'static str),
}

/// An imported hash, taken apart and within the caps.
pub(super) enum Imported {
    Argon2 {
        algorithm: Algorithm,
        version: Version,
        params: Box<argon2::Params>,
        phc: Box<PasswordHash>,
    },
    Bcrypt(String),
    Pbkdf2(Pbkdf2),
    Salted(Salted),
    ShaCrypt(String),
    Yescrypt(String),
}

impl Imported {
    pub(super) fn parse(text: &str) -> Result<Self, BadHash> {
        let text = text.trim();
        if text.len() > MAX_TEXT_BYTES {
            return Err(BadHash::Unknown);
        }
        let Some((scheme, rest)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) else {
            return Self::parse_crypt(text);
        };
        match scheme.to_ascii_uppercase().as_str() {
            "ARGON2" | "ARGON2I" | "ARGON2ID" | "BLF-CRYPT" | "CRYPT" | "SHA256-CRYPT" | "SHA512-CRYPT" => {
                Self::parse_crypt(rest)
            }
            "PBKDF2" => Pbkdf2::parse_dovecot(rest).map(Self::Pbkdf2),
            "CLEAR" | "CLEARTEXT" | "PLAIN" | "PLAIN-TRUNC" => Err(BadHash::Weak("a password in clear")),
            "DES-CRYPT" => Err(BadHash::Weak("DES crypt")),
            "CRAM-MD5" | "DIGEST-MD5" | "HMAC-MD5" | "LDAP-MD5" | "MD5" | "MD5-CRYPT" | "PLAIN-MD4" | "PLAIN-MD5"
            | "SMD5" => Err(BadHash::Weak("an MD5 hash")),
            "SHA" | "SHA1" | "SHA256" | "SHA512" => Err(BadHash::Weak("an unsalted SHA hash")),
            scheme => Salted::parse(scheme, rest).map(Self::Salted),
        }
    }

    fn parse_crypt(text: &str) -> Result<Self, BadHash> {
        let (id, rest) = text
            .strip_prefix('$')
            .and_then(|text| text.split_once('$'))
            .ok_or(BadHash::Unknown)?;
        match id {
            "2a" | "2b" | "2y" => check_bcrypt(text).map(|()| Self::Bcrypt(text.to_owned())),
            "5" => check_sha_crypt(text, rest, 32).map(|()| Self::ShaCrypt(text.to_owned())),
            "6" => check_sha_crypt(text, rest, 64).map(|()| Self::ShaCrypt(text.to_owned())),
            "y" => check_yescrypt(text, rest).map(|()| Self::Yescrypt(text.to_owned())),
            "argon2i" | "argon2id" => parse_argon2(text),
            "pbkdf2" | "pbkdf2-sha256" | "pbkdf2-sha512" => Pbkdf2::parse(id, rest).map(Self::Pbkdf2),
            "1" | "apr1" => Err(BadHash::Weak("an MD5 hash")),
            _ => Err(BadHash::Unknown),
        }
    }

    /// The one form in which the store keeps it; [`Imported::parse`] reads it back.
    pub(super) fn to_text(&self) -> String {
        match self {
            // Without a scheme it would be taken for one of ours, which have a pepper.
            Self::Argon2 { phc, .. } => format!("{{ARGON2}}{phc}"),
            Self::Bcrypt(text) | Self::ShaCrypt(text) | Self::Yescrypt(text) => text.clone(),
            Self::Pbkdf2(pbkdf2) => pbkdf2.to_text(),
            Self::Salted(salted) => salted.to_text(),
        }
    }

    pub(super) fn matches(&self, password: &[u8], memory: &mut Memory) -> Result<bool, BadHash> {
        match self {
            Self::Argon2 {
                algorithm,
                version,
                params,
                phc,
            } => phc_matches(
                &Argon2::new(*algorithm, *version, params.as_ref().clone()),
                phc,
                password,
                memory,
            ),
            // Cut at 72 octets, as bcrypt is: the hash was made that way.
            Self::Bcrypt(text) => bcrypt::verify(password, text).map_err(|_| BadHash::Malformed("bcrypt")),
            Self::Pbkdf2(pbkdf2) => Ok(pbkdf2.matches(password)),
            Self::Salted(salted) => Ok(salted.matches(password)),
            Self::ShaCrypt(text) => outcome(sha_crypt::ShaCrypt::default().verify_password(password, text.as_str())),
            Self::Yescrypt(text) => outcome(yescrypt::Yescrypt::default().verify_password(password, text.as_str())),
        }
    }
}

fn outcome(result: Result<(), password_hash::Error>) -> Result<bool, BadHash> {
    match result {
        Ok(()) => Ok(true),
        Err(password_hash::Error::PasswordInvalid) => Ok(false),
        Err(_) => Err(BadHash::Malformed("crypt")),
    }
}

/// The cap, as a check.
pub(super) fn at_most(what: &'static str, found: impl Into<u64>, cap: impl Into<u64>) -> Result<(), BadHash> {
    let (found, cap) = (found.into(), cap.into());
    if found > cap {
        Err(BadHash::TooCostly { what, found, cap })
    } else {
        Ok(())
    }
}

fn check_bcrypt(text: &str) -> Result<(), BadHash> {
    let parts: bcrypt::HashParts = text.parse().map_err(|_| BadHash::Malformed("bcrypt"))?;
    if parts.get_cost() < 4 {
        return Err(BadHash::Malformed("bcrypt"));
    }
    at_most("bcrypt cost", parts.get_cost(), MAX_BCRYPT_COST)
}

fn check_sha_crypt(text: &str, rest: &str, output_bytes: usize) -> Result<(), BadHash> {
    const FORMAT: BadHash = BadHash::Malformed("SHA-crypt");
    let fields: Vec<&str> = rest.split('$').collect();
    let (rounds, salt, output) = match fields.as_slice() {
        [rounds, salt, output] => (rounds.strip_prefix("rounds=").ok_or(FORMAT)?, salt, output),
        [salt, output] => ("5000", salt, output),
        _ => return Err(FORMAT),
    };
    let rounds: u32 = rounds.parse().map_err(|_| FORMAT)?;
    at_most("number of SHA-crypt rounds", rounds, MAX_SHA_CRYPT_ROUNDS)?;
    sha_crypt::Params::new(rounds).map_err(|_| FORMAT)?;
    mcf::PasswordHashRef::new(text).map_err(|_| FORMAT)?;
    let length = mcf::Base64::Crypt.decode_vec(output).map_err(|_| FORMAT)?.len();
    if salt.len() > MAX_SHA_CRYPT_SALT || length != output_bytes {
        Err(FORMAT)
    } else {
        Ok(())
    }
}

fn check_yescrypt(text: &str, rest: &str) -> Result<(), BadHash> {
    const FORMAT: BadHash = BadHash::Malformed("yescrypt");
    let fields: Vec<&str> = rest.split('$').collect();
    let [settings, salt, output] = fields.as_slice() else {
        return Err(FORMAT);
    };
    let params: yescrypt::Params = settings.parse().map_err(|_| FORMAT)?;
    at_most(
        "memory of yescrypt in KiB",
        params.n().saturating_mul(u64::from(params.r())) / 8,
        MAX_YESCRYPT_KIB,
    )?;
    at_most("parallelism of yescrypt", params.p(), MAX_YESCRYPT_LANES)?;
    // Its time and flavour cannot be asked for, so only settings that are written the same without them pass.
    let plain = yescrypt::Params::new(yescrypt::Mode::default(), params.n(), params.r(), params.p());
    if plain.map_err(|_| FORMAT)?.to_string() != *settings {
        return Err(FORMAT);
    }
    mcf::PasswordHashRef::new(text).map_err(|_| FORMAT)?;
    mcf::Base64::Crypt.decode_vec(salt).map_err(|_| FORMAT)?;
    let length = mcf::Base64::Crypt.decode_vec(output).map_err(|_| FORMAT)?.len();
    if length == 32 { Ok(()) } else { Err(FORMAT) }
}

fn parse_argon2(text: &str) -> Result<Imported, BadHash> {
    const FORMAT: BadHash = BadHash::Malformed("Argon2");
    let phc = PasswordHash::new(text).map_err(|_| FORMAT)?;
    let algorithm = Algorithm::new(phc.algorithm.as_str()).map_err(|_| FORMAT)?;
    // The first version wrote no number.
    let version = phc
        .version
        .map_or(Ok(Version::V0x10), Version::try_from)
        .map_err(|_| FORMAT)?;
    let params = argon2::Params::try_from(&phc).map_err(|_| FORMAT)?;
    if phc.salt.is_none() || phc.hash.is_none() || !params.keyid().is_empty() || !params.data().is_empty() {
        return Err(FORMAT);
    }
    at_most("memory of Argon2 in KiB", params.m_cost(), MAX_ARGON2_KIB)?;
    at_most("number of Argon2 passes", params.t_cost(), MAX_ARGON2_PASSES)?;
    at_most("parallelism of Argon2", params.p_cost(), MAX_ARGON2_LANES)?;
    at_most(
        "work of Argon2 in KiB",
        params.m_cost().saturating_mul(params.t_cost()),
        MAX_ARGON2_WORK_KIB,
    )?;
    Ok(Imported::Argon2 {
        algorithm,
        version,
        params: Box::new(params),
        phc: Box::new(phc),
    })
}

#[cfg(test)]
mod tests;
