//! Base 32 (RFC 4648 §6) in lower case and without padding.

/// Letters and digits in the order of their values.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Appends the letters of `octets`. The caller has made room, so that no copy of a secret stays behind.
pub(super) fn encode(octets: &[u8], text: &mut String) {
    let (mut held, mut bits) = (0_u32, 0_u32);
    for octet in octets {
        held = (held << 8) | u32::from(*octet);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(held >> bits));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(letter(held << (5 - bits)));
    }
}

/// Fills `octets` from letters in any case; `None` where they are too many, too few, others, or where the bits behind the
/// last octet are not zero (so that no two texts mean the same).
pub(super) fn decode(text: &str, octets: &mut [u8]) -> Option<()> {
    let (mut held, mut bits) = (0_u32, 0_u32);
    let mut places = octets.iter_mut();
    for letter in text.bytes() {
        held = (held << 5) | value(letter)?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            *places.next()? = u8::try_from((held >> bits) & 0xff).ok()?;
        }
        held &= (1 << bits) - 1;
    }
    (places.next().is_none() && bits < 5 && held == 0).then_some(())
}

fn letter(value: u32) -> char {
    let place = usize::try_from(value & 31).unwrap_or_default();
    ALPHABET.get(place).copied().map_or('a', char::from)
}

fn value(letter: u8) -> Option<u32> {
    let letter = letter.to_ascii_lowercase();
    let place = ALPHABET.iter().position(|known| *known == letter)?;
    u32::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(octets: &[u8]) -> String {
        let mut text = String::new();
        encode(octets, &mut text);
        text
    }

    #[test]
    fn the_examples_of_the_rfc() {
        for (octets, text) in [
            (&b""[..], ""),
            (b"f", "my"),
            (b"fo", "mzxq"),
            (b"foo", "mzxw6"),
            (b"foob", "mzxw6yq"),
            (b"fooba", "mzxw6ytb"),
            (b"foobar", "mzxw6ytboi"),
        ] {
            assert_eq!(encoded(octets), text);
            let mut back = vec![0; octets.len()];
            assert_eq!(decode(text, &mut back), Some(()));
            assert_eq!(back, octets);
        }
    }

    #[test]
    fn no_two_texts_mean_the_same() {
        let mut octet = [0];
        assert_eq!(decode("my", &mut octet), Some(()));
        for text in ["mz", "m", "mya", "my=", "m1", "m y", "mé"] {
            assert_eq!(decode(text, &mut octet), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(octets in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut back = vec![0; octets.len()];
            prop_assert_eq!(decode(&encoded(&octets).to_uppercase(), &mut back), Some(()));
            prop_assert_eq!(back, octets);
        }
    }
}
