//! Typed ids: 63 bits, the upper 41 the creation time in milliseconds since 2025, the lower 22 random.
//!
//! Ids sort by creation, are unique without asking anybody, and are shown as a kind and 13 letters
//! (`dev-0h8k2m...`, Crockford's base 32), so that an id pasted into the wrong place is told at once.

use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {kind} id: expected `{prefix}-` and 13 letters or digits")]
pub struct BadId {
    given: String,
    kind: &'static str,
    prefix: &'static str,
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const RANDOM_BITS: u32 = 22;
const RANDOM_MASK: u32 = (1 << RANDOM_BITS) - 1;
const TIME_MASK: i64 = (1 << 41) - 1;
/// 2025-01-01: counted from here, 41 bits last until 2094.
const SINCE: Timestamp = Timestamp(1_735_689_600_000);
const DIGITS: usize = 13;

/// The raw number of an id that is made at `at`; `random` gives the lower bits.
pub fn fresh(at: Timestamp, random: u32) -> i64 {
    let low = i64::from(random & RANDOM_MASK);
    ((at.0.wrapping_sub(SINCE.0) & TIME_MASK) << RANDOM_BITS) | low
}

/// Writes all digits at once: every log line has ids, and a formatter takes longer for a piece than for a letter.
fn encode(raw: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut digits = [b'0'; DIGITS];
    let mut rest = raw;
    for place in digits.iter_mut().rev() {
        let letter = usize::try_from(rest & 31).ok().and_then(|digit| ALPHABET.get(digit));
        *place = letter.copied().unwrap_or(b'0');
        rest >>= 5;
    }
    f.write_str(str::from_utf8(&digits).unwrap_or_default())
}

fn decode(text: &str) -> Option<i64> {
    if text.len() != DIGITS {
        return None;
    }
    text.bytes().try_fold(0_i64, |raw, byte| {
        let digit = ALPHABET
            .iter()
            .position(|letter| *letter == byte.to_ascii_lowercase())?;
        raw.checked_mul(32)?.checked_add(i64::try_from(digit).ok()?)
    })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// The id with this raw number, as the store keeps it.
            pub const fn from_raw(raw: i64) -> Self {
                Self(raw)
            }

            /// The number that the store keeps.
            pub const fn raw(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "-"))?;
                encode(self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix(concat!($prefix, "-"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or_else(|| BadId { given: text.into(), kind: $kind, prefix: $prefix })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

id!(/// An alias.
    AliasId, "als", "an alias");
id!(/// One password of a device; a replaced password is another credential.
    CredentialId, "crd", "a credential");
id!(/// A console session: one browser in which somebody signed in to the Manager.
    ConsoleSessionId, "ses", "a console session");
id!(/// A device.
    DeviceId, "dev", "a device");
id!(/// A set-up link of a device.
    DeviceLinkId, "lnk", "a set-up link");
id!(/// A mail domain.
    DomainId, "dom", "a mail domain");
id!(/// An invitation.
    InvitationId, "inv", "an invitation");
id!(/// A mail that the Manager sends.
    MailId, "mal", "a mail");
id!(/// A mailbox.
    MailboxId, "mbx", "a mailbox");
id!(/// An organisation.
    OrgId, "org", "an organisation");
id!(/// A token for the API.
    TokenId, "tok", "a token");
id!(/// A user: a person who signs in to the Manager.
    UserId, "usr", "a user");

impl MailboxId {
    /// What a sealed upstream secret is bound to: whoever seals and whoever opens must say the same octets.
    pub const fn seal_context(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

impl UserId {
    /// What the sealed secret of a user's one-time codes is bound to.
    pub const fn seal_context(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_back() {
        let id = DeviceId::from_raw(fresh(Timestamp(1_795_000_000_123), 0x3f_ffff));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().replace("DEV", "dev").parse(), Ok(id));
    }

    #[test]
    fn ids_sort_by_creation_until_2094() {
        let times = [
            1_795_000_000_000,
            1_795_000_000_001,
            2_208_988_800_000,
            3_900_000_000_000,
        ]
        .map(Timestamp);
        let ids: Vec<_> = times
            .into_iter()
            .flat_map(|at| [fresh(at, 0), fresh(at, u32::MAX)])
            .collect();
        assert!(ids.is_sorted() && ids.iter().all(|id| *id > 0), "{ids:?}");
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id = MailboxId::from_raw(7).to_string();
        let error = id.parse::<DeviceId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`mbx-0000000000007` is not a device id: expected `dev-` and 13 letters or digits"
        );
    }
}
