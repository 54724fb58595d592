//! A message of known content: octet *i* is a function of *i*, so nothing is kept to compare what comes back.
//!
//! A short header (servers refuse messages without one), then lines of 76 printable characters and CRLF, none of which
//! begins with a dot (RFC 5321 §4.5.2 would double it). The lines repeat after 9,906 octets, which shares no factor but
//! 2 with the sizes of buffers and TLS records: a block that is lost, doubled or exchanged is found.

use std::sync::LazyLock;

const HEADER: &str = "Subject: postern load, may be deleted\r\n\
     Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n\
     MIME-Version: 1.0\r\n\
     Content-Type: text/plain; charset=us-ascii\r\n\
     \r\n";
const LINE_CHARACTERS: usize = 76;
const LINE_OCTETS: usize = LINE_CHARACTERS + 2;
/// A prime number.
const LINES: usize = 127;
const PERIOD: usize = LINES * LINE_OCTETS;
/// Periods in one piece of memory, so that writes are long.
const PERIODS: usize = 7;

static BODY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let letters: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').collect();
    let mut body = Vec::with_capacity(PERIOD * PERIODS);
    for line in (0..LINES).cycle().take(LINES * PERIODS) {
        // Two steps that depend on the line: no two lines of a period are alike.
        let characters =
            (0..LINE_CHARACTERS).map(|column| (line + column * (1 + line / letters.len())) % letters.len());
        body.extend(characters.filter_map(|letter| letters.get(letter)));
        body.extend_from_slice(b"\r\n");
    }
    body
});

/// A message of known content and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    octets: u64,
}

impl Expected {
    /// A message of at least so many octets: whole lines, and at least the header with one line.
    pub fn new(at_least: u64) -> Self {
        let body = at_least.saturating_sub(HEADER.len() as u64);
        let lines = body.div_ceil(LINE_OCTETS as u64).max(1);
        Self {
            octets: (HEADER.len() as u64).saturating_add(lines.saturating_mul(LINE_OCTETS as u64)),
        }
    }

    /// Its length.
    pub const fn octets(self) -> u64 {
        self.octets
    }

    /// A run of its octets from `offset` on, as long as is at hand; empty at the end.
    pub fn run(self, offset: u64) -> &'static [u8] {
        let left = usize::try_from(self.octets.saturating_sub(offset)).unwrap_or(usize::MAX);
        let header = HEADER.as_bytes();
        let run = match usize::try_from(offset).ok().and_then(|offset| header.get(offset..)) {
            Some(rest) if !rest.is_empty() => rest,
            _ => {
                let offset = offset.saturating_sub(header.len() as u64) % PERIOD as u64;
                BODY.get(usize::try_from(offset).unwrap_or(0)..).unwrap_or_default()
            }
        };
        run.get(..left).unwrap_or(run)
    }

    /// Compares octets that came from `offset` on.
    ///
    /// # Errors
    /// The position of the first octet that is another, or that is too many.
    pub fn check(self, mut offset: u64, mut octets: &[u8]) -> Result<(), u64> {
        while !octets.is_empty() {
            let run = self.run(offset);
            let length = run.len().min(octets.len());
            let (now, rest) = octets.split_at(length);
            if length == 0 || run.get(..length) != Some(now) {
                let same = run.iter().zip(now).take_while(|(left, right)| left == right).count();
                return Err(offset.saturating_add(same as u64));
            }
            offset = offset.saturating_add(length as u64);
            octets = rest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(expected: Expected) -> Vec<u8> {
        let mut message = Vec::new();
        while message.len() as u64 != expected.octets() {
            message.extend_from_slice(expected.run(message.len() as u64));
        }
        message
    }

    #[test]
    fn a_message_is_whole_lines_without_a_dot_in_front() {
        let expected = Expected::new(100_000);
        assert!((100_000..100_000 + LINE_OCTETS as u64).contains(&expected.octets()));
        let message = whole(expected);
        assert!(message.ends_with(b"\r\n") && message.is_ascii());
        let text = String::from_utf8(message).unwrap();
        let (header, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(header.lines().all(|line| line.contains(": ")), "{header}");
        for line in body.split_terminator("\r\n") {
            assert_eq!(line.len(), LINE_CHARACTERS);
            assert!(line.bytes().all(|octet| octet.is_ascii_alphanumeric()), "{line}");
        }
        assert_eq!(Expected::new(0).octets(), (HEADER.len() + LINE_OCTETS) as u64);
        assert_eq!(Expected::new(expected.octets()), expected);
    }

    #[test]
    fn no_two_lines_of_a_period_are_alike() {
        let lines: std::collections::BTreeSet<&[u8]> = BODY.chunks(LINE_OCTETS).collect();
        assert_eq!(lines.len(), LINES);
    }

    #[test]
    fn each_octet_is_compared_wherever_the_pieces_are_cut() {
        let expected = Expected::new(30_000);
        let message = whole(expected);
        for size in [1, 77, 4096, 16_384, message.len()] {
            let mut offset = 0;
            for piece in message.chunks(size) {
                assert_eq!(expected.check(offset, piece), Ok(()));
                offset += piece.len() as u64;
            }
        }
        for at in [
            0,
            1,
            HEADER.len() - 1,
            HEADER.len(),
            PERIOD + HEADER.len(),
            message.len() - 1,
        ] {
            let mut wrong = message.clone();
            wrong[at] ^= 1;
            assert_eq!(expected.check(0, &wrong), Err(at as u64));
            assert_eq!(expected.check(at as u64, &wrong[at..]), Err(at as u64));
        }
        let (lost, doubled) = (&message[16_384..], [&message[..16_384], &message[..4096]].concat());
        assert!(expected.check(0, lost).is_err() && expected.check(0, &doubled).is_err());
        let more = [message.as_slice(), b"x"].concat();
        assert_eq!(expected.check(0, &more), Err(expected.octets()));
        assert!(expected.run(expected.octets()).is_empty() && expected.run(u64::MAX).is_empty());
    }
}
