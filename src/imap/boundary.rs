//! Where a goodbye fits into a spliced stream: between two responses of the mail store, and never inside a literal.
//!
//! A session that is ended by revocation or drain gets `* BYE` only there (RFC 9051 §7.1.5); anywhere else the
//! connection is just closed, so that no foreign octet ends up in a message. This follows lines and literals of the
//! server-to-client stream and nothing else; where it cannot follow (COMPRESS, a line without end), it says so once
//! and for all, and costs nothing any more.

use super::syntax;
use super::tail::Tail;

#[cfg(test)]
mod tests;

/// Octets of one line outside literals; `* SEARCH` of a large folder is the longest that real servers send.
const MAX_LINE_BYTES: usize = 1024 * 1024;
/// Octets of the longest status word, PREAUTH, and one more to see that a word is longer.
const WORD_BYTES: usize = 8;

/// Follows the mail store's responses; begins between two of them.
#[derive(Debug, Default)]
pub struct Boundary {
    state: State,
}

#[derive(Debug)]
enum State {
    /// Inside a line, or in front of one.
    Line(Line),
    /// So many octets of a literal are still to come, then the same response goes on.
    Literal(u64),
    /// Not followed any more.
    Opaque,
}

impl Default for State {
    fn default() -> Self {
        Self::Line(Line::default())
    }
}

impl Boundary {
    /// Whether `* BYE` may be sent to the client now.
    pub const fn at_boundary(&self) -> bool {
        matches!(&self.state, State::Line(line) if line.length == 0 && !line.continues)
    }

    /// Takes what the mail store sent. Literals cost nothing per octet.
    pub fn feed(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            match &mut self.state {
                State::Opaque => return,
                State::Literal(left) => {
                    let skipped = usize::try_from(*left).map_or(octets.len(), |left| left.min(octets.len()));
                    octets = octets.get(skipped..).unwrap_or_default();
                    *left = left.saturating_sub(u64::try_from(skipped).unwrap_or(u64::MAX));
                    if *left == 0 {
                        self.state = State::Line(Line::continued());
                    }
                }
                State::Line(line) => {
                    let plain = if line.length == 0 { plain_lines(octets) } else { 0 };
                    if plain > 0 {
                        octets = octets.get(plain..).unwrap_or_default();
                        *line = Line::default();
                        continue;
                    }
                    let end = memchr::memchr(b'\n', octets);
                    let (segment, rest) = match end {
                        Some(end) => (
                            octets.get(..end).unwrap_or_default(),
                            octets.get(end.saturating_add(1)..),
                        ),
                        None => (octets, None),
                    };
                    octets = rest.unwrap_or_default();
                    let followed = line.extend(segment);
                    if !followed {
                        self.state = State::Opaque;
                    } else if end.is_some() {
                        self.state = line.finish();
                    }
                }
            }
        }
    }
}

/// Octets up to the end of the last of those lines that are there whole and after which no literal can come, whatever
/// they say: of most streams all. They are looked at in one sweep, without following words and tails.
fn plain_lines(octets: &[u8]) -> usize {
    let mut from = 0_usize;
    for end in memchr::memchr_iter(b'\n', octets) {
        let line = octets.get(from..end).and_then(|line| line.strip_suffix(b"\r"));
        let is_plain = |line: &[u8]| !line.ends_with(b"}") && line.len() < MAX_LINE_BYTES && !has_controls(line);
        if !line.is_some_and(is_plain) {
            break;
        }
        from = end.saturating_add(1);
    }
    from
}

/// Whether this is no text. Without an early end this loop is vectorised.
fn has_controls(octets: &[u8]) -> bool {
    octets
        .iter()
        .fold(false, |found, &octet| found | (octet < b' ' && octet != b'\t'))
}

/// A line without its LF, as far as it matters.
#[derive(Debug, Default)]
struct Line {
    /// Octets so far.
    length: usize,
    /// A literal of the same response came before.
    continues: bool,
    head: Head,
    tail: Tail,
}

/// The first two words, which tell a status response: its text for people may end like a literal's announcement.
#[derive(Debug, Default)]
enum Head {
    #[default]
    First,
    Second {
        word: [u8; WORD_BYTES],
        length: usize,
    },
    Known {
        text_only: bool,
    },
}

impl Line {
    fn continued() -> Self {
        Self {
            continues: true,
            head: Head::Known { text_only: false },
            ..Self::default()
        }
    }

    /// Takes more of the line; `false` where this cannot be IMAP.
    fn extend(&mut self, segment: &[u8]) -> bool {
        if segment.is_empty() {
            return true;
        }
        // A CR is the line's last octet or no part of it.
        let inner = segment.strip_suffix(b"\r").unwrap_or(segment);
        if has_controls(inner) || self.tail.ends_with_cr() {
            return false;
        }
        for (offset, &octet) in segment.iter().enumerate() {
            if matches!(self.head, Head::Known { .. }) {
                break;
            }
            self.head.take(octet, self.length == 0 && offset == 0);
        }
        self.length = self.length.saturating_add(segment.len());
        self.tail.push(segment);
        self.length <= MAX_LINE_BYTES
    }

    /// What comes behind the line's LF.
    fn finish(&self) -> State {
        if !self.tail.ends_with_cr() {
            return State::Opaque;
        }
        match (&self.head, self.tail.literal_header()) {
            (Head::Known { text_only: true }, _) | (_, None) => State::default(),
            (_, Some(header)) => State::Literal(header.size),
        }
    }
}

impl Head {
    fn take(&mut self, octet: u8, is_first: bool) {
        match self {
            Self::First if is_first && octet == b'+' => *self = Self::Known { text_only: true },
            Self::First if octet == b' ' => {
                *self = Self::Second {
                    word: [0; WORD_BYTES],
                    length: 0,
                }
            }
            Self::First | Self::Known { .. } => {}
            Self::Second { word, length } => match word.get_mut(*length) {
                Some(place) if octet != b' ' && octet != b'\r' => {
                    *place = octet;
                    *length = length.saturating_add(1);
                }
                _ => {
                    let text_only = word.get(..*length).is_some_and(syntax::is_status_word);
                    *self = Self::Known { text_only };
                }
            },
        }
    }
}
