//! The mark of a known browser: a long-lived cookie that says "somebody signed in here before as this user".
//!
//! It opens nothing. It only gives its browser a budget of guesses of its own, so that whoever guesses at an address from
//! elsewhere does not slow its owner down. It is random and vouched for by a MAC under the server key that covers the
//! user, so that nothing need be stored, nobody can make one, and the mark of one user is worth nothing for another.

use std::fmt;
use std::time::Duration;

use subtle::ConstantTimeEq;

use super::text::{decode, encode};
use crate::clock::Timestamp;
use crate::keys::{Keyring, ServerKey, fill_random};
use crate::model::UserId;
use crate::secret::Secret;

/// How long a mark counts: the longest that browsers keep a cookie.
pub const BROWSER_MARK_LIFE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

const RANDOM_BYTES: usize = 16;
const TIME_BYTES: usize = 8;
const MAC_BYTES: usize = 16;
const BODY_BYTES: usize = RANDOM_BYTES + TIME_BYTES;
const MARK_BYTES: usize = BODY_BYTES + MAC_BYTES;
const PREFIX: &str = "psb_";
const LETTERS: usize = (MARK_BYTES * 8).div_ceil(5);

/// In front of what the MAC covers.
const DOMAIN: &[u8] = b"known browser";

/// A mark as a cookie brings it: nobody knows yet whether it is genuine.
pub struct BrowserMark(Secret<[u8; MARK_BYTES]>);

/// Which known browser it is, for the throttle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BrowserId(pub [u8; RANDOM_BYTES]);

impl BrowserMark {
    /// A new mark for the browser in which this user has just signed in.
    pub fn issue(keys: &Keyring, user: UserId, now: Timestamp) -> Self {
        let mut mark = Secret::new([0_u8; MARK_BYTES]);
        let (body, mac) = mark.expose_mut().split_at_mut(BODY_BYTES);
        let (random, time) = body.split_at_mut(RANDOM_BYTES);
        fill_random(random);
        time.copy_from_slice(&now.0.to_be_bytes());
        mac.copy_from_slice(&mac_of(keys.current(), user, body));
        Self(mark)
    }

    /// Reads a cookie; `None` where it has not the form of a mark.
    pub fn read(cookie: &str) -> Option<Self> {
        let letters = cookie.strip_prefix(PREFIX).filter(|letters| letters.len() == LETTERS)?;
        let mut mark = Secret::new([0_u8; MARK_BYTES]);
        decode(letters, mark.expose_mut())?;
        Some(Self(mark))
    }

    /// The cookie.
    pub fn shown(&self) -> Secret<String> {
        let mut text = String::with_capacity(PREFIX.len() + LETTERS);
        text.push_str(PREFIX);
        encode(self.0.expose(), &mut text);
        Secret::new(text)
    }

    /// Which browser it is, where the mark was issued to this user and is not too old.
    pub fn browser_of(&self, keys: &Keyring, user: UserId, now: Timestamp) -> Option<BrowserId> {
        let (body, mac) = self.0.expose().split_first_chunk::<BODY_BYTES>()?;
        let genuine = keys.all().any(|key| bool::from(mac_of(key, user, body).ct_eq(mac)));
        let (random, time) = body.split_first_chunk::<RANDOM_BYTES>()?;
        let issued_at = Timestamp(i64::from_be_bytes(time.try_into().ok()?));
        (genuine && now < issued_at.plus(BROWSER_MARK_LIFE)).then_some(BrowserId(*random))
    }
}

impl fmt::Debug for BrowserMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[browser mark]")
    }
}

fn mac_of(key: &ServerKey, user: UserId, body: &[u8]) -> [u8; MAC_BYTES] {
    let mut hasher = blake3::Hasher::new_keyed(key.token.expose());
    hasher.update(DOMAIN);
    hasher.update(&user.raw().to_le_bytes());
    hasher.update(body);
    let mut mac = [0; MAC_BYTES];
    hasher.finalize_xof().fill(&mut mac);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_000_000_000);

    #[test]
    fn a_mark_is_known_again_for_its_user_only() {
        let keys = Keyring::for_tests();
        let (anna, ben) = (UserId::from_raw(1), UserId::from_raw(2));
        let mark = BrowserMark::issue(&keys, anna, NOW);
        let back = BrowserMark::read(mark.shown().expose()).unwrap();
        let browser = back.browser_of(&keys, anna, NOW);
        assert!(browser.is_some());
        assert_eq!(browser, mark.browser_of(&keys, anna, NOW));
        assert_eq!(back.browser_of(&keys, ben, NOW), None);
        assert_ne!(
            browser,
            BrowserMark::issue(&keys, anna, NOW).browser_of(&keys, anna, NOW)
        );
    }

    #[test]
    fn a_mark_ends_and_cannot_be_made_younger() {
        let keys = Keyring::for_tests();
        let anna = UserId::from_raw(1);
        let mark = BrowserMark::issue(&keys, anna, NOW);
        let end = NOW.plus(BROWSER_MARK_LIFE);
        assert!(
            mark.browser_of(&keys, anna, end.minus(Duration::from_millis(1)))
                .is_some()
        );
        assert_eq!(mark.browser_of(&keys, anna, end), None);
        let mut younger = BrowserMark::read(mark.shown().expose()).unwrap();
        younger.0.expose_mut()[RANDOM_BYTES + TIME_BYTES - 2] ^= 0x40;
        assert_eq!(younger.browser_of(&keys, anna, end), None);
    }

    #[test]
    fn a_mark_outlives_a_rotation_of_the_server_key() {
        let keys = Keyring::for_tests();
        let anna = UserId::from_raw(1);
        let mut mark = BrowserMark::issue(&keys, anna, NOW);
        let (body, mac) = mark.0.expose_mut().split_at_mut(BODY_BYTES);
        mac.copy_from_slice(&mac_of(keys.by_id(1).unwrap(), anna, body));
        assert!(mark.browser_of(&keys, anna, NOW).is_some());
    }

    #[test]
    fn what_is_no_mark_is_not_read() {
        let shown = BrowserMark::issue(&Keyring::for_tests(), UserId::from_raw(1), NOW).shown();
        for text in [
            "",
            "psb_",
            "psb_aaaa",
            &shown.expose()[..60],
            &format!("{}a", shown.expose()),
        ] {
            assert!(BrowserMark::read(text).is_none(), "{text}");
        }
    }
}
