//! The generated device password: shown once, typed on any keyboard.
//!
//! 16 letters in four groups (`kqzm-xwdp-hpdt-vnrc`). The alphabet has the 20 letters `bcdfghjkmnpqrstvwxyz`: no vowels,
//! so that no words appear, and no `l`, so that none is taken for a digit. 15 letters are random, which is 15 * log2(20) =
//! 64.8 bits; the last one is a check letter.
//!
//! The check is a linear code over GF(4) x GF(5), because no weighted sum modulo 20 can tell all neighbours exchanged
//! (the difference of two odd weights is even). A letter is a pair of field elements; the weights are powers of
//! generators of the two fields, so that the weights of two places less than three apart differ in both. Hence every
//! single wrong letter, every exchange of letters one or two places apart and every wrong pair of neighbours (`bb`
//! for `cc`) is noticed; of other mistakes 19 in 20.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice
    )
)]

use zeroize::Zeroizing;

use crate::secret::Secret;

const ALPHABET: &[u8; 20] = b"bcdfghjkmnpqrstvwxyz";

/// Letters of a password, the check letter included.
const LETTERS: usize = 16;

/// Letters between two dashes when it is shown.
const GROUP: usize = 4;

/// Random octets at or above this are thrown away, so that every letter is equally likely (240 = 12 * 20).
const FAIR_BELOW: u8 = 240;

/// A generated device password in canonical form (16 lower-case letters), in clear: shown once, then dropped.
///
/// It stays in one place of the heap: an array would leave a copy on the stack with every move.
#[derive(Debug)]
pub struct PlainPassword(Box<Secret<[u8; LETTERS]>>);

/// What a client typed, judged as a password.
pub enum Typed<'a> {
    /// Has the form of a generated password and a right check letter; in canonical form.
    Generated(PlainPassword),
    /// Has the form of a generated password but a wrong check letter: a typo. Never counts as an attack.
    Typo,
    /// Anything else: can only match an imported password, byte for byte.
    Other(&'a [u8]),
}

impl PlainPassword {
    /// Makes one; `random` fills a buffer from the operating system's generator.
    pub fn generate(random: &mut dyn FnMut(&mut [u8])) -> Self {
        let mut password = Self::blank();
        let mut check = Check::default();
        let [places @ .., last] = password.0.expose_mut();
        for place in places {
            let index = fair_index(random);
            *place = letter(index);
            check.add(index);
        }
        *last = check.letter();
        password
    }

    /// Reads what a client sent. Case, blanks, any dash, zero-width characters and line ends are ignored: phones
    /// capitalise the first letter, iOS makes typographic dashes, and people paste the blanks of a web page.
    pub fn read(typed: &[u8]) -> Typed<'_> {
        match std::str::from_utf8(typed).ok().and_then(Self::from_text) {
            None => Typed::Other(typed),
            Some((password, check)) if check.holds() => Typed::Generated(password),
            Some(_) => Typed::Typo,
        }
    }

    /// The canonical 16 letters.
    pub fn canonical(&self) -> &[u8; LETTERS] {
        self.0.expose()
    }

    /// `kqzm-xwdp-hpdt-vnrc`, for showing once.
    pub fn shown(&self) -> Secret<String> {
        let mut text = String::with_capacity(LETTERS + LETTERS / GROUP);
        for group in self.canonical().chunks(GROUP) {
            if !text.is_empty() {
                text.push('-');
            }
            text.extend(group.iter().copied().map(char::from));
        }
        Secret::new(text)
    }

    /// To be filled in place.
    fn blank() -> Self {
        Self(Box::new(Secret::new([0; LETTERS])))
    }

    /// The 16 letters of a text that has the form of a generated password, and what they add up to.
    fn from_text(text: &str) -> Option<(Self, Check)> {
        let mut password = Self::blank();
        let mut check = Check::default();
        let mut places = password.0.expose_mut().iter_mut();
        for c in text.chars() {
            let letter = u8::try_from(c).unwrap_or_default().to_ascii_lowercase();
            if let Some(index) = index_of(letter) {
                *places.next()? = letter;
                check.add(index);
            } else if !is_ignored(c) {
                return None;
            }
        }
        places.next().is_none().then_some((password, check))
    }
}

/// Blanks (no-break ones and line ends included), dashes and zero-width characters.
fn is_ignored(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
        )
        || matches!(c, '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// A random index into the alphabet, each equally likely.
fn fair_index(random: &mut dyn FnMut(&mut [u8])) -> u8 {
    let mut drawn = Zeroizing::new([u8::MAX]);
    loop {
        random(drawn.as_mut_slice());
        let [octet] = *drawn;
        if octet < FAIR_BELOW {
            break octet % 20;
        }
    }
}

fn letter(index: u8) -> u8 {
    ALPHABET.get(usize::from(index)).copied().unwrap_or(b'b')
}

/// The place in the alphabet; written out, as the compiler makes one table of it.
const fn index_of(letter: u8) -> Option<u8> {
    Some(match letter {
        b'b' => 0,
        b'c' => 1,
        b'd' => 2,
        b'f' => 3,
        b'g' => 4,
        b'h' => 5,
        b'j' => 6,
        b'k' => 7,
        b'm' => 8,
        b'n' => 9,
        b'p' => 10,
        b'q' => 11,
        b'r' => 12,
        b's' => 13,
        b't' => 14,
        b'v' => 15,
        b'w' => 16,
        b'x' => 17,
        b'y' => 18,
        b'z' => 19,
        _ => return None,
    })
}

/// The running value of the check, by Horner's rule; zero in both fields after 16 right letters.
#[derive(Default)]
struct Check {
    /// An element of GF(4): 0, 1, w = 2, w + 1 = 3. Addition is exclusive or.
    four: u8,
    /// Stands for an element of GF(5); reduced only when it is asked for, as 16 letters stay far below 2^32.
    five: u32,
}

impl Check {
    fn add(&mut self, index: u8) {
        self.step();
        self.four ^= index / 5;
        self.five = self.five.wrapping_add(u32::from(index % 5));
    }

    /// Times w, and times 2.
    fn step(&mut self) {
        let high = self.four >> 1;
        self.four = ((self.four << 1) & 2) ^ high.wrapping_mul(3);
        self.five = self.five.wrapping_mul(2);
    }

    /// The letter that makes the check hold when it is added next.
    fn letter(&mut self) -> u8 {
        self.step();
        let negative = u8::try_from(5_u32.wrapping_sub(self.five % 5) % 5).unwrap_or_default();
        letter(self.four.wrapping_mul(5).wrapping_add(negative))
    }

    const fn holds(&self) -> bool {
        self.four == 0 && self.five.is_multiple_of(5)
    }
}

#[cfg(test)]
mod tests;
