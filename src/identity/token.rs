//! Secret tokens: 256 random bits, each made for one purpose.
//!
//! Whoever has a token is let in by it, so it is shown once (in a cookie, a link, or on a page) and kept only as a keyed
//! hash. The purpose is part of the type, of the text in front of the first underscore, and of what is hashed: the token
//! of a reset is no invitation even to somebody who can write into the database. The text is base 32 (RFC 4648 §6) in
//! lower case and without padding, because links are typed by hand from paper more often than one thinks.

use std::fmt;
use std::marker::PhantomData;

use super::text::{decode, encode};
use crate::keys::{Keyring, ServerKey, fill_random};
use crate::secret::{Secret, on_wiped_stack};
use crate::store::TokenHash;

/// Octets of a token: 256 bits are beyond guessing, and need no slow hash.
pub const TOKEN_BYTES: usize = 32;

/// Letters of a token behind its prefix.
const TOKEN_LETTERS: usize = (TOKEN_BYTES * 8).div_ceil(5);

/// What a token is good for.
pub trait Purpose: Send + Sync + 'static {
    /// What its text begins with, underscore included: programs that look for leaked secrets know it by this.
    const PREFIX: &'static str;
}

macro_rules! purposes {
    ($($(#[$doc:meta])* $name:ident => $prefix:literal,)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub enum $name {}

            impl Purpose for $name {
                const PREFIX: &'static str = $prefix;
            }
        )*

        #[cfg(test)]
        const PREFIXES: &[&str] = &[$($prefix,)*];
    };
}

purposes! {
    /// Confirms that mail to a new sign-in address arrives.
    Address => "psa_",
    /// Speaks to the API in the name of a user.
    Api => "pst_",
    /// Sets a device up.
    Device => "psd_",
    /// The browser that opened a set-up link: what its cookie holds.
    DeviceBrowser => "psb_",
    /// Reads the file of a set-up link, once.
    DeviceFile => "psf_",
    /// Accepts an invitation.
    Invitation => "psi_",
    /// Sets a new password for somebody who has forgotten theirs.
    Reset => "psr_",
    /// A console session: what the browser's cookie holds.
    Session => "pss_",
    /// Makes the first owner.
    SetUp => "psu_",
}

/// A token in clear: shown once, then dropped. It stays in one place of the heap, as a moved array would leave copies.
pub struct Token<P>(Box<Secret<[u8; TOKEN_BYTES]>>, PhantomData<P>);

impl<P: Purpose> Token<P> {
    /// A new one from the operating system's generator.
    pub fn generate() -> Self {
        let mut token = Self::blank();
        fill_random(token.0.expose_mut());
        token
    }

    /// Reads what [`Token::shown`] wrote, in any case; blanks around it are cut. `None` where it is no token of this
    /// purpose.
    pub fn read(text: &str) -> Option<Self> {
        let (prefix, letters) = text.trim().split_at_checked(P::PREFIX.len())?;
        if !prefix.eq_ignore_ascii_case(P::PREFIX) || letters.len() != TOKEN_LETTERS {
            return None;
        }
        let mut token = Self::blank();
        decode(letters, token.0.expose_mut())?;
        Some(token)
    }

    /// The text, for showing once.
    pub fn shown(&self) -> Secret<String> {
        let mut text = String::with_capacity(P::PREFIX.len() + TOKEN_LETTERS);
        text.push_str(P::PREFIX);
        encode(self.0.expose(), &mut text);
        Secret::new(text)
    }

    /// What is stored, under the current key.
    pub fn hash(&self, keys: &Keyring) -> TokenHash {
        self.hash_with(keys.current())
    }

    /// What may be stored of it: under each key of the ring, the newest first, because a token outlives a rotation.
    pub fn hashes<'a>(&'a self, keys: &'a Keyring) -> impl Iterator<Item = TokenHash> + 'a {
        let mut keys: Vec<&ServerKey> = keys.all().collect();
        keys.reverse();
        keys.into_iter().map(|key| self.hash_with(key))
    }

    fn hash_with(&self, key: &ServerKey) -> TokenHash {
        let hash = on_wiped_stack(|| {
            let mut hasher = blake3::Hasher::new_keyed(key.token.expose());
            hasher.update(P::PREFIX.as_bytes());
            hasher.update(self.0.expose());
            hasher.finalize()
        });
        TokenHash(*hash.as_bytes())
    }

    /// To be filled in place.
    fn blank() -> Self {
        Self(Box::new(Secret::new([0; TOKEN_BYTES])), PhantomData)
    }
}

impl<P> fmt::Debug for Token<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_shown_is_read_back_in_any_case() {
        let token = Token::<Invitation>::generate();
        let shown = token.shown();
        let keys = Keyring::for_tests();
        assert!(shown.expose().starts_with("psi_") && shown.expose().len() == 56);
        for text in [
            shown.expose().clone(),
            shown.expose().to_uppercase(),
            format!(" {} \n", shown.expose()),
        ] {
            let read = Token::<Invitation>::read(&text).unwrap();
            assert_eq!(read.hash(&keys), token.hash(&keys));
        }
    }

    #[test]
    fn a_token_of_one_purpose_is_none_of_another() {
        let reset = Token::<Reset>::generate();
        let shown = reset.shown();
        assert!(Token::<Invitation>::read(shown.expose()).is_none());
        // Even with the prefix exchanged, it is not found under the other purpose.
        let forged = shown.expose().replacen("psr_", "psi_", 1);
        let forged = Token::<Invitation>::read(&forged).unwrap();
        let keys = Keyring::for_tests();
        assert_ne!(forged.hash(&keys), reset.hash(&keys));
    }

    #[test]
    fn prefixes_differ_and_have_one_length() {
        let mut prefixes = PREFIXES.to_vec();
        prefixes.sort_unstable();
        prefixes.dedup();
        assert_eq!(prefixes.len(), PREFIXES.len());
        assert!(prefixes.iter().all(|prefix| prefix.len() == 4 && prefix.ends_with('_')));
    }

    #[test]
    fn a_token_is_found_again_after_the_server_key_was_rotated() {
        let keys = Keyring::for_tests();
        let token = Token::<Session>::generate();
        let old = token.hash_with(keys.by_id(1).unwrap());
        let all: Vec<_> = token.hashes(&keys).collect();
        assert_eq!(all, [token.hash(&keys), old]);
        assert_ne!(all[0], all[1]);
    }

    #[test]
    fn no_debug_output_shows_a_token() {
        let token = Token::<Api>::generate();
        let hash = token.hash(&Keyring::for_tests());
        assert_eq!(format!("{token:?} {hash:?}"), "[token] [hash]");
    }

    proptest! {
        #[test]
        fn only_the_text_of_a_token_is_one(text in "\\PC{0,80}|pst_[a-z2-7]{50,54}") {
            if let Some(token) = Token::<Api>::read(&text) {
                let shown = token.shown();
                prop_assert_eq!(shown.expose().as_str(), text.trim().to_lowercase());
            }
        }
    }
}
