//! Recovery codes: what gets somebody in whose phone is gone. Ten of them, each good for one sign-in.
//!
//! A code is 15 letters of Crockford's base 32 in three groups (`4t8kq-x2mzd-0hw9p`), which is 75 random bits: people
//! write them down, so they have no look-alikes, and what is read as `O`, `I` or `L` counts as the digit. It is kept as a
//! keyed hash, bound to its user; 75 bits behind a key need no slow hash.

use std::fmt;

use crate::keys::{Keyring, ServerKey, fill_random};
use crate::model::UserId;
use crate::secret::{Secret, on_wiped_stack};
use crate::store::TokenHash;

/// Codes that a user has after making new ones.
pub const RECOVERY_CODES: usize = 10;

/// Letters of a code.
const LETTERS: usize = 15;

/// Letters between two dashes when it is shown.
const GROUP: usize = 5;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// In front of what is hashed, so that no hash of a token is one of a code.
const DOMAIN: &[u8] = b"recovery code";

/// One code in clear.
pub struct RecoveryCode(Box<Secret<[u8; LETTERS]>>);

impl RecoveryCode {
    /// A new one.
    pub fn generate() -> Self {
        let mut code = Self::blank();
        fill_random(code.0.expose_mut());
        for place in code.0.expose_mut() {
            // 256 is eight times 32, so that every letter is equally likely.
            *place = ALPHABET.get(usize::from(*place % 32)).copied().unwrap_or(b'0');
        }
        code
    }

    /// A fresh set of codes.
    pub fn generate_all() -> Vec<Self> {
        std::iter::repeat_with(Self::generate).take(RECOVERY_CODES).collect()
    }

    /// Reads what somebody typed: any case, blanks and dashes anywhere. `None` where it has not the form of a code.
    pub fn read(typed: &str) -> Option<Self> {
        let mut code = Self::blank();
        let mut places = code.0.expose_mut().iter_mut();
        for c in typed
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}'))
        {
            let letter = match c.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                other => other,
            };
            let letter = u8::try_from(letter).ok().filter(|letter| ALPHABET.contains(letter))?;
            *places.next()? = letter;
        }
        places.next().is_none().then_some(code)
    }

    /// `4t8kq-x2mzd-0hw9p`, for showing once.
    pub fn shown(&self) -> Secret<String> {
        let mut text = String::with_capacity(LETTERS + LETTERS / GROUP);
        for group in self.0.expose().chunks(GROUP) {
            if !text.is_empty() {
                text.push('-');
            }
            text.extend(group.iter().copied().map(char::from));
        }
        Secret::new(text)
    }

    /// What is stored, under the current key.
    pub fn hash(&self, keys: &Keyring, user: UserId) -> TokenHash {
        self.hash_with(keys.current(), user)
    }

    /// What may be stored of it: under each key of the ring, the newest first.
    pub fn hashes(&self, keys: &Keyring, user: UserId) -> Vec<TokenHash> {
        let mut hashes: Vec<_> = keys.all().map(|key| self.hash_with(key, user)).collect();
        hashes.reverse();
        hashes
    }

    fn hash_with(&self, key: &ServerKey, user: UserId) -> TokenHash {
        let hash = on_wiped_stack(|| {
            let mut hasher = blake3::Hasher::new_keyed(key.token.expose());
            hasher.update(DOMAIN);
            hasher.update(&user.raw().to_le_bytes());
            hasher.update(self.0.expose());
            hasher.finalize()
        });
        TokenHash(*hash.as_bytes())
    }

    fn blank() -> Self {
        Self(Box::new(Secret::new([0; LETTERS])))
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[recovery code]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_back_however_it_is_written() {
        let keys = Keyring::for_tests();
        let user = UserId::from_raw(7);
        let code = RecoveryCode::generate();
        let shown = code.shown();
        assert_eq!(shown.expose().len(), 17);
        for typed in [
            shown.expose().clone(),
            shown.expose().to_uppercase(),
            shown.expose().replace('-', " "),
            shown.expose().replace('0', "O").replace('1', "l"),
        ] {
            assert_eq!(
                RecoveryCode::read(&typed).unwrap().hash(&keys, user),
                code.hash(&keys, user)
            );
        }
    }

    #[test]
    fn what_has_not_the_form_is_no_code() {
        for typed in [
            "",
            "123456",
            "4t8kq-x2mzd-0hw9",
            "4t8kq-x2mzd-0hw9pp",
            "4t8kq-x2mzd-0hw9u",
            "ä",
        ] {
            assert!(RecoveryCode::read(typed).is_none(), "{typed}");
        }
    }

    #[test]
    fn a_code_belongs_to_one_user_and_outlives_a_rotation() {
        let keys = Keyring::for_tests();
        let code = RecoveryCode::generate();
        let (one, two) = (UserId::from_raw(1), UserId::from_raw(2));
        assert_ne!(code.hash(&keys, one), code.hash(&keys, two));
        assert_eq!(code.hashes(&keys, one).len(), 2);
        assert_eq!(code.hashes(&keys, one)[0], code.hash(&keys, one));
        assert_eq!(
            format!("{code:?} {:?}", code.hash(&keys, one)),
            "[recovery code] [hash]"
        );
    }

    #[test]
    fn a_set_has_ten_different_codes() {
        let keys = Keyring::for_tests();
        let hashes: std::collections::HashSet<_> = RecoveryCode::generate_all()
            .iter()
            .map(|code| code.hash(&keys, UserId::from_raw(1)))
            .collect();
        assert_eq!(hashes.len(), RECOVERY_CODES);
    }
}
