//! Passwords that are tried first: words that many people choose, alone or in pairs, keys that lie side by side, and the
//! same few letters again and again, with or without a year and an exclamation mark.
//!
//! The list (`common.txt`) is our own: words, names, teams, phrases and insults of some languages, without case, and in the
//! form in which people write them on any keyboard. It need not hold every word with every ending: [`is_common`] takes
//! off what people put around a word so that it counts as a password, and reads `p4$$w0rd` as what it is.

use std::collections::HashSet;
use std::sync::LazyLock;

use zeroize::{Zeroize, Zeroizing};

/// Characters around a word that do not make it a good password: a year, a few digits, some exclamation marks.
const AROUND_MAX: usize = 8;

/// Letters of a word that may be half of a pair.
const HALF_MIN: usize = 3;

/// Of a walk over the keyboard, the letters that one run has on average.
const RUN_MIN: usize = 4;

static WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| include_str!("common.txt").lines().collect());

/// Keys and letters in an order that fingers or memory follow, forwards or backwards.
const TRACKS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyza",
    "12345678901",
    "0123",
    "qwertyuiop[]",
    "qwertzuiop\u{fc}",
    "azertyuiop",
    "asdfghjkl;'",
    "asdfghjkl\u{f6}\u{e4}",
    "qsdfghjklm",
    "zxcvbnm,./",
    "yxcvbnm,.-",
    "wxcvbn,;:",
    "1qaz",
    "2wsx",
    "3edc",
    "4rfv",
    "5tgb",
    "6yhn",
    "7ujm",
    "8ik,",
    "9ol.",
    "1qay",
    "6zhn",
    "!@#$%^&*()",
    "!\"\u{a7}$%&/()=",
];

/// Whether a password (in lower case) is among the first that are tried. `own` are words that only this person's password
/// would be tried with: parts of their address and name.
pub(super) fn is_common(folded: &str, own: &[&str]) -> bool {
    let words = |text: &str| WORDS.contains(text) || own.contains(&text);
    let core = folded.trim_matches(|c: char| !c.is_alphabetic());
    let coded = folded.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '$' | '@' | '!'));
    let around = |part: &str| folded.chars().count() - part.chars().count();
    let mut read = vec![folded.to_owned(), coded.to_owned()];
    if around(core) <= AROUND_MAX {
        read.push(core.to_owned());
    }
    for i in ['i', 'l'] {
        read.push(decoded(folded, i));
        read.push(decoded(coded, i));
        // `p4ssw0rd2024`: the digits behind are a year, those inside are letters.
        let trimmed = folded.trim_end_matches(|c: char| !c.is_alphabetic());
        if around(trimmed) <= AROUND_MAX {
            read.push(decoded(trimmed, i));
        }
    }
    read.retain(|text| !text.is_empty());
    let common = |text: &String| {
        let joined: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| c.is_alphanumeric()).collect());
        words(text) || words(joined.as_str()) || is_pair(&joined, words)
    };
    let is_found = read.iter().any(common);
    read.iter_mut().for_each(Zeroize::zeroize);
    is_found || is_repeated(folded, words) || is_walk(folded)
}

/// `p4$$w0rd` as what it stands for; `1` and `!` are read as `i` or as `l`.
fn decoded(text: &str, one: char) -> String {
    let plain = |c: char| match c {
        '0' => 'o',
        '1' | '!' => one,
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    text.chars().map(plain).collect()
}

/// Two words in a row: whoever tries words tries pairs of them.
fn is_pair(text: &str, words: impl Fn(&str) -> bool) -> bool {
    text.char_indices().any(|(at, _)| {
        text.split_at_checked(at).is_some_and(|(first, second)| {
            first.len() >= HALF_MIN && second.len() >= HALF_MIN && words(first) && words(second)
        })
    })
}

/// The same few characters, a word or a walk, again and again.
fn is_repeated(text: &str, words: impl Fn(&str) -> bool) -> bool {
    let length = text.len();
    (1..=length / 2)
        .filter(|unit| length.is_multiple_of(*unit))
        .any(|unit| {
            let Some(first) = text.get(..unit) else { return false };
            let few = unit <= RUN_MIN || words(first) || is_walk(first);
            few && text.as_bytes().chunks(unit).all(|chunk| chunk == first.as_bytes())
        })
}

/// Keys side by side: long runs along a track, or of one character.
fn is_walk(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let (mut runs, mut way) = (1_usize, None);
    for pair in letters.windows(2) {
        let [from, to] = pair else { continue };
        let step = way_from(*from, *to);
        match (way, step) {
            (None, Some(_)) => way = step,
            (Some(old), Some(new)) if old & new != 0 => way = Some(old & new),
            _ => {
                runs += 1;
                way = None;
            }
        }
    }
    letters.len() >= RUN_MIN && runs * RUN_MIN <= letters.len()
}

/// On which tracks, and in which direction, one key follows another: a bit each, and the last one for the same key
/// again; `None` for no track.
fn way_from(from: char, to: char) -> Option<u64> {
    let mut ways = u64::from(from == to) << 63;
    for (number, track) in TRACKS.iter().enumerate() {
        let keys = track.chars().zip(track.chars().skip(1));
        for (one, next) in keys {
            if (one, next) == (from, to) {
                ways |= 1 << (2 * number);
            }
            if (next, one) == (from, to) {
                ways |= 2 << (2 * number);
            }
        }
    }
    (ways != 0).then_some(ways)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_the_form_in_which_it_is_searched() {
        let lines: Vec<&str> = include_str!("common.txt").lines().collect();
        assert!(lines.is_sorted_by(|a, b| a < b), "sorted, each once");
        assert!(lines.len() > 1500, "{}", lines.len());
        for line in &lines {
            assert!(
                line.len() >= HALF_MIN && line.chars().all(char::is_alphabetic),
                "{line}"
            );
            assert_eq!(line.to_lowercase(), **line);
        }
    }

    #[test]
    fn tracks_have_a_bit_each() {
        assert!(TRACKS.len() * 2 < 63);
    }

    #[test]
    fn what_is_tried_first_is_common() {
        for password in [
            "passwordpassword",
            "password2024!",
            "p4ssw0rd2024",
            "pa$$word1234",
            "iloveyousomuch",
            "iloveyou!!!!",
            "correcthorsebatterystaple",
            "correct-horse-battery-staple",
            "123456789012",
            "987654321098",
            "qwertyuiop12",
            "1qaz2wsx3edc",
            "qwertzuiop\u{fc}123",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "aaaabbbbcccc",
            "1234qwerasdfzxcv",
            "dragon198712",
            "summersunshine",
            "summer-sunshine",
            "contrase\u{f1}a1234",
            "motdepasse12",
            "schatzschatz",
            "!!!!welcome!!!!",
        ] {
            assert!(is_common(password, &[]), "{password}");
        }
    }

    #[test]
    fn what_nobody_tries_is_not() {
        for password in [
            "vast-otter-plume-38",
            "the kettle sang twice",
            "mfk2-8zpq-lw0x",
            "xkqzmwdphpdtvnrc",
            "93847561029384",
            "zebra crossing at nine below",
            "\u{3068}\u{3066}\u{3082}\u{9577}\u{3044}\u{5408}\u{8a00}\u{8449}\u{3067}\u{3059}\u{3088}\u{306d}",
        ] {
            assert!(!is_common(password, &[]), "{password}");
        }
    }

    #[test]
    fn ones_own_address_and_name_are_tried_too() {
        let own = ["lucie.martin", "luciemartin", "exampleco", "martin"];
        for password in [
            "lucie.martin1",
            "luciemartin2024",
            "exampleco!2024",
            "martinmartin",
            "luciemartin martin",
        ] {
            assert!(is_common(password, &own), "{password}");
        }
        assert!(!is_common("lucie eats seven pears", &own));
    }

    #[test]
    fn any_text_can_be_judged() {
        for text in [
            "",
            "a",
            "\u{fc}",
            "!!!!!!!!!!!!",
            "\u{1f600}\u{1f600}\u{1f600}\u{1f600}",
            "a\u{308}",
        ] {
            is_common(text, &[]);
        }
    }
}
