//! Users' passwords: what may be one, and their hashes on lanes of their own.
//!
//! The rule is length and nothing else (NIST SP 800-63B §5.1.1.2): 12 to 128 characters of any kind, none of those that
//! everybody tries first. A password is composed (NFKC) before it is judged, hashed or compared, so that it is the same
//! one however a keyboard makes its letters. It is hashed as device passwords are (Argon2id with the server key's
//! pepper), but on other lanes: a flood of sign-ins at the Manager delays no mail login, and the reverse.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use icu_normalizer::ComposingNormalizerBorrowed;
use ipnet::IpNet;
use zeroize::{Zeroize, Zeroizing};

use super::common::is_common;
use crate::keys::Keyring;
use crate::metrics::Metrics;
use crate::model::Address;
use crate::secret::Secret;
use crate::store::UserPassword;
use crate::verify::hash::{self, Memory, Params};
use crate::verify::lanes::{Lanes, Limits, Whose};

/// Characters of the shortest password.
pub const PASSWORD_MIN: usize = 12;

/// Characters of the longest password.
pub const PASSWORD_MAX: usize = 128;

/// Octets that are composed at all: four for each character, and some for what composing takes away.
const TYPED_BYTES_MAX: usize = 1024;

/// Octets that one octet can become when it is composed (one Arabic ligature of three octets becomes 33).
const GROWTH_MAX: usize = 11;

/// Why a text cannot be a user's password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// It is among the first that are tried.
    #[error(
        "this password is one of the first that are tried; take three or four words that have nothing to do with each other"
    )]
    Common,
    /// It is the address or the name of its owner.
    #[error("this password is made of your own name or address; take words that have nothing to do with you")]
    LikeYou,
    /// It is too long.
    #[error("a password has at most {PASSWORD_MAX} characters")]
    TooLong,
    /// It is too short.
    #[error("a password has at least {PASSWORD_MIN} characters; three or four words make a good one")]
    TooShort,
}

impl BadPassword {
    /// The stable key of texts in files, API and command line.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Common => "password.common",
            Self::LikeYou => "password.like_you",
            Self::TooLong => "password.too_long",
            Self::TooShort => "password.too_short",
        }
    }
}

/// A password that may be set: composed, and judged by the rule.
pub struct NewPassword(Secret<String>);

impl NewPassword {
    /// Judges a password that somebody wants to have. Their address and name are words that it must not be made of.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn check(typed: &str, address: &Address, name: &str) -> Result<Self, BadPassword> {
        let composed = composed(typed).ok_or(BadPassword::TooLong)?;
        match composed.expose().chars().count() {
            0..PASSWORD_MIN => return Err(BadPassword::TooShort),
            PASSWORD_MIN..=PASSWORD_MAX => {}
            _ => return Err(BadPassword::TooLong),
        }
        let folded = Zeroizing::new(composed.expose().to_lowercase());
        if is_common(&folded, &[]) {
            return Err(BadPassword::Common);
        }
        let own = own_words(address, name);
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        if is_common(&folded, &own) {
            return Err(BadPassword::LikeYou);
        }
        Ok(Self(composed))
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[password]")
    }
}

/// The words that somebody's password would be tried with: the parts of their address and name.
fn own_words(address: &Address, name: &str) -> Vec<String> {
    let (domain, name) = (address.domain(), name.to_lowercase());
    let parts = [address.as_str(), address.local(), domain.as_str(), name.as_str()];
    let pieces = parts
        .iter()
        .flat_map(|part| part.split(|c: char| !c.is_alphanumeric()))
        .map(str::to_owned);
    let joined = parts
        .iter()
        .map(|part| part.chars().filter(|c| c.is_alphanumeric()).collect::<String>());
    let whole = parts.iter().map(|part| (*part).to_owned());
    let mut words: Vec<String> = pieces.chain(joined).chain(whole).collect();
    words.retain(|word| word.chars().count() > 2);
    words
}

/// A typed password in the one form that is hashed and compared; `None` where it is longer than any password.
fn composed(typed: &str) -> Option<Secret<String>> {
    if typed.len() > TYPED_BYTES_MAX {
        return None;
    }
    // Room for the longest result from the start: growing would leave a copy behind.
    let mut text = String::with_capacity(typed.len() * GROWTH_MAX);
    if ComposingNormalizerBorrowed::new_nfkc()
        .normalize_to(typed, &mut text)
        .is_err()
    {
        text.zeroize();
        return None;
    }
    Some(Secret::new(text))
}

/// Settings of the lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Threads that hash, each with Argon2id's memory.
    pub lanes: usize,
    /// Passwords that wait for a lane.
    pub queue: usize,
    /// Of these, passwords from one network.
    pub queue_per_network: usize,
    /// Of the queue, for people in a browser that they signed in with before, or who are signed in.
    pub queue_kept: usize,
    /// Longest wait for a lane and its run.
    pub deadline: Duration,
    /// Argon2id's cost.
    pub params: Params,
}

impl Config {
    /// Lanes for hashes of this cost, with the usual limits.
    pub const fn of(params: Params) -> Self {
        Self {
            lanes: 1,
            queue: 64,
            queue_per_network: 8,
            queue_kept: 16,
            deadline: Duration::from_secs(5),
            params,
        }
    }
}

/// Too many passwords wait to be hashed: nothing is known about this one, and it can be tried again shortly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are made and compared at this moment; try again in a few seconds")]
pub struct Busy;

/// Hashes a new password where no lanes run: at the command line. Blocks.
pub fn hash(params: Params, keys: &Keyring, password: &NewPassword) -> UserPassword {
    let key = keys.current();
    UserPassword {
        key_id: key.id,
        hash: hash::hash(params, key, password.0.expose().as_bytes()),
    }
}

/// Hashes and compares users' passwords.
pub struct Passwords {
    lanes: Lanes,
    keys: Arc<Keyring>,
    params: Params,
}

impl Passwords {
    /// Starts the lanes.
    ///
    /// # Panics
    /// The system gives us no thread.
    pub fn start(config: Config, keys: Arc<Keyring>, metrics: &Metrics) -> Self {
        let limits = Limits {
            lanes: config.lanes,
            queue: config.queue,
            per_network: config.queue_per_network,
            kept: config.queue_kept,
            deadline: config.deadline,
        };
        Self {
            lanes: Lanes::start("sign-in-lane", limits, config.params, metrics.sign_in_queue.clone()),
            keys,
            params: config.params,
        }
    }

    /// Hashes a new password for storage, under the current server key.
    ///
    /// # Errors
    /// The lanes are busy.
    pub async fn hash(&self, network: IpNet, password: NewPassword) -> Result<UserPassword, Busy> {
        self.hash_composed(network, password.0).await
    }

    /// Hashes a password anew that was just proved, whatever the rule was when it was set.
    ///
    /// # Errors
    /// The lanes are busy.
    pub async fn rehash(&self, network: IpNet, proved: &str) -> Result<UserPassword, Busy> {
        self.hash_composed(network, composed(proved).ok_or(Busy)?).await
    }

    async fn hash_composed(&self, network: IpNet, password: Secret<String>) -> Result<UserPassword, Busy> {
        let (keys, params) = (Arc::clone(&self.keys), self.params);
        let work = move |memory: &mut Memory| {
            let key = keys.current();
            UserPassword {
                key_id: key.id,
                hash: hash::hash_with(memory, params, key, password.expose().as_bytes()),
            }
        };
        self.lanes.run(network, work).await.map_err(|_| Busy)
    }

    /// Whether this is the stored password. Where there is none (no such user, or one without a password) the same work is
    /// done for nothing, so that the time tells nobody who exists.
    ///
    /// # Errors
    /// The lanes are busy.
    pub async fn matches(&self, network: IpNet, stored: Option<UserPassword>, typed: &str) -> Result<bool, Busy> {
        self.matches_for(network, Whose::Strangers, stored, typed).await
    }

    /// The same in a browser that is known as this user's, which a flood of strangers does not keep waiting.
    ///
    /// # Errors
    /// The lanes are busy.
    pub async fn matches_known(&self, network: IpNet, stored: Option<UserPassword>, typed: &str) -> Result<bool, Busy> {
        self.matches_for(network, Whose::Known, stored, typed).await
    }

    async fn matches_for(
        &self,
        network: IpNet,
        whose: Whose,
        stored: Option<UserPassword>,
        typed: &str,
    ) -> Result<bool, Busy> {
        // What is longer than any password is compared as well, cut: it can match nothing, and takes as long.
        let typed = composed(typed).unwrap_or_else(|| Secret::new(String::new()));
        let (keys, params) = (Arc::clone(&self.keys), self.params);
        let work = move |memory: &mut Memory| {
            let typed = typed.expose().as_bytes();
            let known = stored
                .as_ref()
                .and_then(|stored| Some((stored, keys.by_id(stored.key_id)?)));
            match known {
                Some((stored, key)) => hash::matches(&stored.hash, Some(key), typed, memory).unwrap_or(false),
                None => {
                    hash::hash_with(memory, params, keys.current(), typed);
                    false
                }
            }
        };
        self.lanes.run_for(network, whose, work).await.map_err(|_| Busy)
    }

    /// Whether a hash of the same password would be stronger today: costlier, or under a newer server key.
    pub fn is_weak(&self, stored: &UserPassword) -> bool {
        stored.key_id != self.keys.current().id || hash::is_weaker(&stored.hash, self.params)
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::store::Hash;

    const GOOD: &str = "vast otter plume";

    fn address() -> Address {
        Address::parse("lucie.martin@exampleco.org").unwrap()
    }

    fn checked(typed: &str) -> Result<NewPassword, BadPassword> {
        NewPassword::check(typed, &address(), "Lucie Martin")
    }

    fn network() -> IpNet {
        IpAddr::from([192, 0, 2, 1]).into()
    }

    fn passwords() -> Passwords {
        let params = Params {
            memory_kib: 8,
            passes: 1,
        };
        Passwords::start(Config::of(params), Arc::new(Keyring::for_tests()), &Metrics::default())
    }

    #[test]
    fn length_is_counted_in_composed_characters() {
        assert_eq!(checked("vast otter!").unwrap_err(), BadPassword::TooShort);
        assert!(checked("vast otter!?").is_ok());
        assert!(checked("vast otter\u{fb01}").is_ok(), "a ligature is two letters");
        let long = "otter kilo plume 4 ".repeat(7);
        assert!(checked(&long[..PASSWORD_MAX]).is_ok());
        assert_eq!(checked(&long[..=PASSWORD_MAX]).unwrap_err(), BadPassword::TooLong);
        // Decomposed letters are two characters each until they are composed.
        assert_eq!(checked(&"e\u{301}".repeat(11)).unwrap_err(), BadPassword::TooShort);
        assert_eq!(
            checked(&"x".repeat(TYPED_BYTES_MAX + 1)).unwrap_err(),
            BadPassword::TooLong
        );
    }

    #[test]
    fn common_passwords_are_refused_whatever_their_case_and_letters() {
        for typed in [
            "PasswordPassword",
            "\u{ff30}\u{ff41}ssword2024!",
            "Correct Horse Battery Staple",
        ] {
            assert_eq!(checked(typed).unwrap_err(), BadPassword::Common, "{typed}");
        }
    }

    #[test]
    fn ones_own_name_and_address_are_refused() {
        for typed in [
            "Lucie.Martin@exampleco.org",
            "LucieMartin2024",
            "exampleco.org",
            "martin-lucie-1",
        ] {
            let refused = checked(typed).unwrap_err();
            assert!(
                matches!(refused, BadPassword::LikeYou | BadPassword::Common),
                "{typed}: {refused:?}"
            );
        }
        assert_eq!(checked("exampleco.org").unwrap_err(), BadPassword::LikeYou);
    }

    #[test]
    fn nothing_else_is_asked_of_a_password() {
        for typed in [
            GOOD,
            "aeiou aeiou xyz",
            "93847561029384",
            "    otter   plume",
            "\u{1f9a6} otter \u{1f9a6} plume",
        ] {
            assert!(checked(typed).is_ok(), "{typed}");
        }
    }

    #[tokio::test]
    async fn a_password_matches_however_it_is_composed_and_nothing_else_does() {
        let passwords = passwords();
        let stored = passwords
            .hash(network(), checked("sept \u{e9}t\u{e9}s \u{e0} No\u{eb}l").unwrap())
            .await
            .unwrap();
        assert!(stored.hash.0.starts_with("$argon2id$"));
        for (typed, expected) in [
            ("sept \u{e9}t\u{e9}s \u{e0} No\u{eb}l", true),
            ("sept e\u{301}te\u{301}s a\u{300} Noe\u{308}l", true),
            ("sept \u{e9}t\u{e9}s \u{e0} no\u{eb}l", false),
            ("sept \u{e9}t\u{e9}s \u{e0} No\u{eb}l ", false),
            ("", false),
        ] {
            assert_eq!(
                passwords.matches(network(), Some(stored.clone()), typed).await,
                Ok(expected),
                "{typed}"
            );
        }
        assert_eq!(
            passwords.matches(network(), Some(stored), &"x".repeat(5000)).await,
            Ok(false)
        );
    }

    #[tokio::test]
    async fn nobody_and_a_damaged_hash_match_nothing() {
        let passwords = passwords();
        assert_eq!(passwords.matches(network(), None, GOOD).await, Ok(false));
        let broken = UserPassword {
            key_id: 2,
            hash: Hash("x".into()),
        };
        assert_eq!(passwords.matches(network(), Some(broken), GOOD).await, Ok(false));
        let unknown_key = UserPassword {
            key_id: 99,
            hash: Hash("x".into()),
        };
        assert_eq!(passwords.matches(network(), Some(unknown_key), GOOD).await, Ok(false));
    }

    #[tokio::test]
    async fn an_old_key_and_a_cheap_hash_are_weak() {
        let passwords = passwords();
        let stored = passwords.hash(network(), checked(GOOD).unwrap()).await.unwrap();
        assert!(!passwords.is_weak(&stored));
        assert!(passwords.is_weak(&UserPassword {
            key_id: 1,
            ..stored.clone()
        }));
        let costlier = Params {
            memory_kib: 16,
            passes: 1,
        };
        let costlier = Passwords::start(
            Config::of(costlier),
            Arc::new(Keyring::for_tests()),
            &Metrics::default(),
        );
        assert!(costlier.is_weak(&stored));
    }

    #[tokio::test]
    async fn a_full_queue_says_so_and_hashes_nothing() {
        let config = Config {
            queue: 0,
            ..Config::of(Params {
                memory_kib: 8,
                passes: 1,
            })
        };
        let passwords = Passwords::start(config, Arc::new(Keyring::for_tests()), &Metrics::default());
        assert_eq!(passwords.matches(network(), None, GOOD).await, Err(Busy));
    }

    #[tokio::test]
    async fn who_is_known_has_places_that_strangers_do_not_get() {
        let config = Config {
            queue: 4,
            queue_kept: 4,
            ..Config::of(Params {
                memory_kib: 8,
                passes: 1,
            })
        };
        let passwords = Passwords::start(config, Arc::new(Keyring::for_tests()), &Metrics::default());
        assert_eq!(passwords.matches(network(), None, GOOD).await, Err(Busy));
        assert_eq!(passwords.matches_known(network(), None, GOOD).await, Ok(false));
    }

    #[test]
    fn no_debug_output_shows_a_password() {
        assert_eq!(format!("{:?}", checked(GOOD).unwrap()), "[password]");
    }
}
