//! The tag: a short keyed selector that tells which hash, if any, a password could match.
//!
//! A wrong password matches the tag of none of n devices with probability 1 - n/65536, and then no hash is computed at
//! all. Whoever steals database and key gains at most these 16 bits of a password's 64.

use crate::keys::ServerKey;
use crate::model::MailboxId;
use crate::secret::on_wiped_stack;

/// The tag of a generated password (its canonical letters) in this mailbox under this key.
pub fn tag(key: &ServerKey, mailbox: MailboxId, canonical: &[u8; 16]) -> u16 {
    let mac = on_wiped_stack(|| {
        let mut input = [0_u8; 24];
        let (id, letters) = input.split_at_mut(8);
        id.copy_from_slice(&mailbox.raw().to_le_bytes());
        letters.copy_from_slice(canonical);
        blake3::keyed_hash(key.tag.expose(), &input)
    });
    let [low, high, ..] = *mac.as_bytes();
    u16::from_le_bytes([low, high])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keyring;

    #[test]
    fn a_tag_depends_on_key_mailbox_and_password() {
        let ring = Keyring::for_tests();
        let (one, two) = (ring.by_id(1).unwrap(), ring.by_id(2).unwrap());
        let (a, b) = (MailboxId::from_raw(1), MailboxId::from_raw(2));
        let tags = [
            tag(one, a, b"bcdfghjkmnpqrstv"),
            tag(two, a, b"bcdfghjkmnpqrstv"),
            tag(one, b, b"bcdfghjkmnpqrstv"),
            tag(one, a, b"bcdfghjkmnpqrstw"),
        ];
        assert_eq!(
            tags.iter().collect::<std::collections::BTreeSet<_>>().len(),
            4,
            "{tags:?}"
        );
        assert_eq!(tag(one, a, b"bcdfghjkmnpqrstv"), *tags.first().unwrap());
    }
}
