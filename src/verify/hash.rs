//! Password hashes: Argon2id (RFC 9106) for our own; `imported` judges the rest. Synchronous: the lanes call it.
//!
//! Our own hash is the PHC string `$argon2id$v=19$m=..,t=..,p=1$salt$hash` whose secret input is the server key's pepper;
//! which key that was stands beside it in the store. An imported Argon2 hash has no pepper and is told apart by the
//! scheme `{ARGON2}` in front of it, so that neither is ever checked as the other.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Version};
use subtle::ConstantTimeEq;

use super::imported::Imported;
use crate::keys::{ServerKey, random_bytes};
use crate::secret::Secret;
use crate::store::Hash;

pub use super::imported::BadHash;

/// Octets of a salt (RFC 9106 §3.1 recommends 16).
const SALT_BYTES: usize = 16;

/// Octets of a hash.
const OUTPUT_BYTES: usize = 32;

/// Octets of the longest hash that a PHC string can hold.
const MAX_OUTPUT_BYTES: usize = 64;

/// What a hash of ours begins with.
const OWN_PREFIX: &str = "$argon2id$";

/// Argon2id parameters of new hashes; parallelism is always 1, because every lane is one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params {
    /// Memory in KiB, at least 8.
    pub memory_kib: u32,
    /// Passes over the memory, at least 1.
    pub passes: u32,
}

impl Params {
    fn argon2(self) -> argon2::Params {
        let memory_kib = self.memory_kib.max(argon2::Params::MIN_M_COST);
        argon2::Params::new(
            memory_kib,
            self.passes.max(argon2::Params::MIN_T_COST),
            1,
            Some(OUTPUT_BYTES),
        )
        .expect("any memory of at least 8 KiB and at least one pass are allowed")
    }
}

/// Argon2's working memory, kept by whoever hashes often: allocating 19 MiB anew for every run costs time and makes the
/// process grow. It is not wiped between runs: the next run overwrites it, and it holds nothing that leads back to a
/// password faster than the stored hash does to somebody who has the pepper.
pub struct Memory(Vec<Block>);

impl Memory {
    /// Memory for hashes with these parameters; costlier ones allocate their own.
    pub fn new(params: Params) -> Self {
        Self(vec![Block::new(); params.argon2().block_count()])
    }

    /// One Argon2 run into `out`.
    pub(super) fn run(
        &mut self,
        argon2: &Argon2<'_>,
        password: &[u8],
        salt: &[u8],
        out: &mut [u8],
    ) -> Result<(), argon2::Error> {
        let blocks = argon2.params().block_count();
        match self.0.get_mut(..blocks) {
            Some(memory) => argon2.hash_password_into_with_memory(password, salt, out, memory),
            None => argon2.hash_password_into_with_memory(password, salt, out, vec![Block::new(); blocks]),
        }
    }
}

/// Hashes a password for storage.
pub fn hash(params: Params, key: &ServerKey, password: &[u8]) -> Hash {
    hash_with(&mut Memory::new(params), params, key, password)
}

/// As [`hash`], in memory that the caller keeps.
pub(crate) fn hash_with(memory: &mut Memory, params: Params, key: &ServerKey, password: &[u8]) -> Hash {
    let params = params.argon2();
    let salt = random_bytes::<SALT_BYTES>();
    let mut output = Secret::new([0_u8; OUTPUT_BYTES]);
    memory
        .run(
            &own_argon2(key, params.clone()),
            password,
            salt.expose(),
            output.expose_mut(),
        )
        .expect("lengths of password, salt and output are within Argon2's limits");
    let text = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).expect("three numbers fit into a PHC string"),
        salt: Some(Salt::new(salt.expose()).expect("16 octets are a PHC salt")),
        hash: Some(Output::new(output.expose()).expect("32 octets are a PHC output")),
    };
    Hash(text.to_string())
}

/// Checks that an imported hash is of a known format within the cost caps; returns its normalised text.
///
/// # Errors
/// It is not such a hash; the error says what to do and never repeats the text, which may be a password.
pub fn check_imported(text: &str) -> Result<Hash, BadHash> {
    Imported::parse(text).map(|imported| Hash(imported.to_text()))
}

/// Whether this password made this hash. `key` is the server key named beside the hash; imported hashes do not use it.
pub(crate) fn matches(
    hash: &Hash,
    key: Option<&ServerKey>,
    password: &[u8],
    memory: &mut Memory,
) -> Result<bool, BadHash> {
    if !hash.0.starts_with(OWN_PREFIX) {
        return Imported::parse(&hash.0)?.matches(password, memory);
    }
    let stored = PasswordHash::new(&hash.0).map_err(|_| BadHash::Malformed("Argon2id"))?;
    let key = key.ok_or(BadHash::UnknownKey)?;
    let argon2 = own_argon2(
        key,
        argon2::Params::try_from(&stored).map_err(|_| BadHash::Malformed("Argon2id"))?,
    );
    phc_matches(&argon2, &stored, password, memory)
}

/// Whether a fresh hash of the same password would be stronger than this one.
pub(crate) fn is_weaker(hash: &Hash, params: Params) -> bool {
    if !hash.0.starts_with(OWN_PREFIX) {
        return true;
    }
    let stored = PasswordHash::new(&hash.0)
        .ok()
        .and_then(|stored| argon2::Params::try_from(&stored).ok());
    let wanted = params.argon2();
    stored.is_none_or(|stored| stored.m_cost() < wanted.m_cost() || stored.t_cost() < wanted.t_cost())
}

/// Runs Argon2 with the salt of a PHC string and compares in constant time.
pub(super) fn phc_matches(
    argon2: &Argon2<'_>,
    stored: &PasswordHash,
    password: &[u8],
    memory: &mut Memory,
) -> Result<bool, BadHash> {
    let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
        return Err(BadHash::Malformed("Argon2"));
    };
    let mut buffer = Secret::new([0_u8; MAX_OUTPUT_BYTES]);
    let output = buffer
        .expose_mut()
        .get_mut(..expected.len())
        .ok_or(BadHash::Malformed("Argon2"))?;
    memory
        .run(argon2, password, salt.as_ref(), output)
        .map_err(|_| BadHash::Malformed("Argon2"))?;
    Ok(output.ct_eq(expected.as_bytes()).into())
}

fn own_argon2(key: &ServerKey, params: argon2::Params) -> Argon2<'_> {
    Argon2::new_with_secret(key.pepper.expose(), Algorithm::Argon2id, Version::V0x13, params)
        .expect("a pepper has 32 octets")
}

#[cfg(test)]
mod tests;
