//! Keeps a spliced session from going back before its login, where the mail store offers UNAUTHENTICATE (RFC 8437).
//!
//! With it, whoever was logged in once could guess passwords at the mail store behind our back. COMPRESS would hide it
//! from us, so it goes with it. A command of either name is turned into an unknown one of the same length, and the mail
//! store itself answers it with BAD, in its turn.
//!
//! The rule on which this stands: whatever the mail store may take for a command begins right behind an LF.
//! - *Certain*: from login on, as long as lines look as clients write them (a tag, one blank, a bare verb; CRLF) and
//!   literals are such as the mail store must accept (non-synchronising, at most 4096 octets, offered). There the verb
//!   is rewritten.
//! - *Uncertain*, and for good: behind a synchronising or large literal, which the mail store may have refused so that
//!   its octets are commands, and behind whatever servers may read differently: a stray CR, LF or NUL, a leading or
//!   second blank, a quoted verb. No octet is changed there, as it may belong to a message; a line that *is* such a
//!   command, however spelt, ends the session.
//!
//! Holding: only the octets of a verb that may still become one of the two names are held, at most 13. They are free
//! with the next octet that differs, a line's end at the latest; nobody waits in the middle of a verb. Tags, literals
//! and all other octets pass at once.

use super::tail::Tail;

#[cfg(test)]
mod tests;

/// Octets of a non-synchronising literal that every server which offers LITERAL- or LITERAL+ accepts (RFC 7888 §5).
const MAX_CERTAIN_LITERAL_BYTES: u64 = 4096;
/// Octets of a word that matter: one more than UNAUTHENTICATE has.
const WORD_BYTES: usize = 15;
/// Words of a line that are compared where it is uncertain how the mail store reads it.
const SUSPICIOUS_WORDS: u32 = 3;

const UNAUTHENTICATE: &[u8] = b"UNAUTHENTICATE";
const COMPRESS: &[u8] = b"COMPRESS";
const DEFLATE: &[u8] = b"DEFLATE";

/// Whether a mail store with these capabilities needs the filter.
pub fn is_needed(upstream: &[String]) -> bool {
    upstream.iter().any(|name| name.eq_ignore_ascii_case("UNAUTHENTICATE"))
}

/// Whether a filtered session cannot use this capability, so that it must not be promised.
pub(super) fn hides(capability: &str) -> bool {
    let name = capability.as_bytes();
    name.eq_ignore_ascii_case(UNAUTHENTICATE)
        || name
            .split(|&octet| octet == b'=')
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(COMPRESS))
}

/// A forbidden command stands where it cannot be rewritten safely: the session has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a command that would leave the login stands behind an uncertain literal")]
pub struct HiddenCommand;

/// Follows the commands of one spliced client.
#[derive(Debug)]
pub struct CommandFilter {
    state: State,
    /// The mail store takes non-synchronising literals.
    non_synchronising: bool,
    /// Octets at the front of the caller's buffer that were looked at and held.
    held: usize,
}

#[derive(Debug)]
enum State {
    /// In a line of which the place is known.
    Line(Line),
    /// In a literal: no command, and if the mail store should differ, none of the two.
    Literal { left: u64, suspect: Suspect },
    /// For good.
    Uncertain(Suspect),
}

/// A command line, or what follows a literal of it.
#[derive(Debug, Default)]
struct Line {
    head: Head,
    tail: Tail,
    /// Goes on to the line's end behind a literal, as a command might begin inside and end outside of it.
    suspect: Option<Suspect>,
}

#[derive(Debug, Default)]
enum Head {
    #[default]
    Start,
    Tag,
    Verb {
        name: &'static [u8],
        matched: usize,
    },
    Rest,
}

/// What one octet does to a line's head.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Expected,
    /// The verb is complete and forbidden; so many octets before this one it began.
    Forbidden(usize),
    /// Servers may differ about what follows.
    Odd,
}

impl CommandFilter {
    /// A filter for a client that was just logged in; `None` where the mail store needs none.
    pub fn new(upstream: &[String]) -> Option<Self> {
        const OFFERS: [&str; 3] = ["LITERAL+", "LITERAL-", "IMAP4rev2"];
        let offers = |name: &String| OFFERS.iter().any(|offer| offer.eq_ignore_ascii_case(name));
        let state = State::Line(Line::default());
        is_needed(upstream).then(|| Self {
            state,
            non_synchronising: upstream.iter().any(offers),
            held: 0,
        })
    }

    /// Takes the octets that were not sent on yet, those held by the last call first, and rewrites them in place.
    ///
    /// Returns how many of them may be sent now; the rest has to stand at the front of the next call's buffer. Where the
    /// client ends its stream, the rest can be dropped: half a line is no command.
    ///
    /// # Errors
    /// Nothing of the buffer may be sent, and the session has to end.
    pub fn pass(&mut self, buffer: &mut [u8]) -> Result<usize, HiddenCommand> {
        let mut at = self.held;
        while let Some(rest) = buffer.get_mut(at..).filter(|rest| !rest.is_empty()) {
            let taken = match &mut self.state {
                State::Uncertain(suspect) => {
                    suspect.feed(rest)?;
                    rest.len()
                }
                State::Literal { left, suspect } => {
                    let taken = usize::try_from(*left).map_or(rest.len(), |left| left.min(rest.len()));
                    suspect.feed(rest.get(..taken).unwrap_or_default())?;
                    *left = left.saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX));
                    if *left == 0 {
                        let suspect = Some(*suspect);
                        self.state = State::Line(Line {
                            head: Head::Rest,
                            suspect,
                            ..Line::default()
                        });
                    }
                    taken
                }
                State::Line(_) => self.pass_line(buffer, at)?,
            };
            at = at.saturating_add(taken);
        }
        self.held = match &self.state {
            State::Line(Line {
                head: Head::Verb { matched, .. },
                ..
            }) => *matched,
            _ => 0,
        };
        Ok(buffer.len().saturating_sub(self.held))
    }

    /// Takes octets from `at` on, to the line's end at most; returns how many.
    fn pass_line(&mut self, buffer: &mut [u8], at: usize) -> Result<usize, HiddenCommand> {
        let State::Line(line) = &mut self.state else {
            return Ok(0);
        };
        let rest = buffer.get(at..).unwrap_or_default();
        let end = memchr::memchr(b'\n', rest);
        let length = end.unwrap_or(rest.len());
        let sound = line.sound_octets(rest.get(..length).unwrap_or_default());
        for offset in 0..sound {
            if matches!(line.head, Head::Rest) {
                break;
            }
            let place = at.saturating_add(offset);
            let Some(&octet) = buffer.get(place) else { break };
            match line.head.take(octet) {
                Turn::Expected => {}
                Turn::Forbidden(back) => {
                    if let Some(first) = buffer.get_mut(place.saturating_sub(back)) {
                        *first = b'X';
                    }
                }
                Turn::Odd => {
                    self.state = State::Uncertain(Suspect::default());
                    return Ok(offset);
                }
            }
        }
        let segment = buffer.get(at..at.saturating_add(sound)).unwrap_or_default();
        line.tail.push(segment);
        if let Some(suspect) = &mut line.suspect {
            suspect.feed(segment)?;
        }
        if sound < length {
            self.state = State::Uncertain(line.suspect.take().unwrap_or_default());
            return Ok(sound);
        }
        let Some(end) = end else { return Ok(length) };
        if let Some(suspect) = &mut line.suspect {
            suspect.feed(b"\n")?;
        }
        self.state = line.finish(self.non_synchronising);
        Ok(end.saturating_add(1))
    }
}

impl Line {
    /// How many octets of the line's next segment come before a stray CR or a NUL.
    fn sound_octets(&self, segment: &[u8]) -> usize {
        if self.tail.ends_with_cr() {
            return 0;
        }
        match memchr::memchr2(b'\r', 0, segment) {
            Some(at) if segment.get(at..) != Some(b"\r") => at,
            _ => segment.len(),
        }
    }

    /// What comes behind the line's LF.
    fn finish(&self, non_synchronising: bool) -> State {
        if !self.tail.ends_with_cr() {
            return State::Uncertain(Suspect::default());
        }
        match self.tail.literal_header() {
            None => State::Line(Self::default()),
            Some(header) if non_synchronising && !header.synchronising && header.size <= MAX_CERTAIN_LITERAL_BYTES => {
                State::Literal {
                    left: header.size,
                    suspect: Suspect::default(),
                }
            }
            Some(_) => State::Uncertain(Suspect::default()),
        }
    }
}

impl Head {
    fn take(&mut self, octet: u8) -> Turn {
        match self {
            Self::Start | Self::Tag | Self::Verb { matched: 0, .. } if octet == b'\r' => *self = Self::Rest,
            Self::Start if octet.is_ascii_graphic() && octet != b'"' => *self = Self::Tag,
            Self::Tag if octet == b' ' => *self = Self::Verb { name: b"", matched: 0 },
            Self::Tag if octet.is_ascii_graphic() && octet != b'"' => {}
            Self::Verb { name, matched } if octet.is_ascii_alphanumeric() || *matched > 0 => {
                if *matched == 0 {
                    *name = if octet.eq_ignore_ascii_case(&b'U') {
                        UNAUTHENTICATE
                    } else {
                        COMPRESS
                    };
                }
                if !name
                    .get(*matched)
                    .is_some_and(|letter| letter.eq_ignore_ascii_case(&octet))
                {
                    *self = Self::Rest;
                    return Turn::Expected;
                }
                *matched = matched.saturating_add(1);
                if *matched == name.len() {
                    let back = matched.saturating_sub(1);
                    *self = Self::Rest;
                    return Turn::Forbidden(back);
                }
            }
            Self::Rest => {}
            Self::Start | Self::Tag | Self::Verb { .. } => return Turn::Odd,
        }
        Turn::Expected
    }
}

/// Looks for a forbidden command at the start of every line, whatever the line is.
#[derive(Debug, Default, Clone, Copy)]
struct Suspect {
    /// Words of the line that are complete.
    words: u32,
    word: [u8; WORD_BYTES],
    length: usize,
    /// The word before was COMPRESS.
    compress: bool,
}

impl Suspect {
    fn feed(&mut self, mut octets: &[u8]) -> Result<(), HiddenCommand> {
        while let Some((&octet, rest)) = octets.split_first() {
            octets = rest;
            match octet {
                b'\n' => {
                    self.end_word()?;
                    *self = Self::default();
                }
                _ if self.words >= SUSPICIOUS_WORDS && !self.compress => {
                    // Nothing of this line matters any more.
                    octets = memchr::memchr(b'\n', rest)
                        .and_then(|end| rest.get(end..))
                        .unwrap_or_default();
                }
                b'\\' => {}
                b'"' | 0..=b' ' => self.end_word()?,
                _ => {
                    if let Some(place) = self.word.get_mut(self.length) {
                        *place = octet;
                        self.length = self.length.saturating_add(1);
                    }
                }
            }
        }
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), HiddenCommand> {
        let Some(word) = self.word.get(..self.length).filter(|word| !word.is_empty()) else {
            return Ok(());
        };
        let deflate = word
            .get(..DEFLATE.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(DEFLATE));
        if word.eq_ignore_ascii_case(UNAUTHENTICATE) || (self.compress && deflate) {
            return Err(HiddenCommand);
        }
        self.compress = word.eq_ignore_ascii_case(COMPRESS);
        self.words = self.words.saturating_add(1);
        self.length = 0;
        Ok(())
    }
}
