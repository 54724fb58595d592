//! Replies of an upstream (RFC 5321 §4.2), taken whole off a buffer, strictly and within bounds.
//!
//! A reply is handed over only when its last line is there, so that a line of ours never lands inside one of upstream's.
//! Endless, malformed or mixed replies end the connection: they have crashed or filled proxies before.

use bytes::{Bytes, BytesMut};

use crate::wire::{self, LineError};

/// Octets of one line, CRLF included; RFC 5321 §4.5.3.1.5 has 512, some servers send more.
const MAX_LINE_BYTES: usize = 2048;
/// Lines of one reply.
const MAX_LINES: usize = 128;

/// One reply of an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The three digits, 200 to 599.
    pub code: u16,
    /// The reply as it came, all lines with their CRLF.
    pub octets: Bytes,
}

/// Upstream sent what is no reply, or a longer one than we keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("upstream sent a malformed or endless reply")]
pub struct Malformed;

/// Takes replies off a buffer; remembers how much of an incomplete one it has looked at.
#[derive(Debug, Default)]
pub struct Replies {
    scanned: usize,
    lines: usize,
    code: Option<u16>,
}

impl Replies {
    /// Takes the first reply off `input`; `None` while it is incomplete.
    ///
    /// # Errors
    /// The octets are no reply.
    pub fn take(&mut self, input: &mut BytesMut) -> Result<Option<Received>, Malformed> {
        loop {
            let rest = input.get(self.scanned..).unwrap_or_default();
            let length = match wire::line_length(rest, MAX_LINE_BYTES) {
                Ok(Some(length)) => length,
                Ok(None) => return Ok(None),
                Err(LineError::BareNewline | LineError::TooLong) => return Err(Malformed),
            };
            let (code, last) = read_line(rest.get(..length).unwrap_or_default()).ok_or(Malformed)?;
            self.lines = self.lines.saturating_add(1);
            if self.lines > MAX_LINES || self.code.is_some_and(|first| first != code) {
                return Err(Malformed);
            }
            self.code = Some(code);
            self.scanned = self.scanned.saturating_add(length);
            if last {
                let octets = input.split_to(self.scanned).freeze();
                *self = Self::default();
                return Ok(Some(Received { code, octets }));
            }
        }
    }
}

impl Received {
    /// The text of each line, without code and CRLF; octets that are no printable ASCII become `?`.
    pub fn texts(&self) -> impl Iterator<Item = String> + '_ {
        self.octets
            .split(|octet| *octet == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| wire::printable(line.get(4..).unwrap_or_default().trim_ascii(), MAX_LINE_BYTES))
    }
}

/// A line's code, and whether it is the last of its reply.
///
/// ```text
/// Reply-code = %x32-35 %x30-39 %x30-39      then "-" (more follow), SP or the end of the line
/// ```
fn read_line(line: &[u8]) -> Option<(u16, bool)> {
    let [first @ b'2'..=b'5', second, third, after, ..] = line else {
        return None;
    };
    if !second.is_ascii_digit() || !third.is_ascii_digit() {
        return None;
    }
    let code = [first, second, third].into_iter().fold(0_u16, |code, digit| {
        code.saturating_mul(10)
            .saturating_add(u16::from(digit.saturating_sub(b'0')))
    });
    match after {
        b'-' => Some((code, false)),
        b' ' | b'\r' => Some((code, true)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expect: Result<Option<u16>, Malformed>) {
        let mut buffer = BytesMut::from(input);
        let whole = Replies::default()
            .take(&mut buffer)
            .map(|reply| reply.map(|reply| reply.code));
        assert_eq!(whole, expect, "{input:?}");
        let (mut buffer, mut replies, mut stepwise) = (BytesMut::new(), Replies::default(), Ok(None));
        for octet in input.bytes() {
            buffer.extend_from_slice(&[octet]);
            stepwise = replies.take(&mut buffer).map(|reply| reply.map(|reply| reply.code));
            if !matches!(stepwise, Ok(None)) {
                break;
            }
        }
        assert_eq!(stepwise, expect, "octet by octet: {input:?}");
    }

    #[test]
    fn a_reply_is_taken_when_its_last_line_is_there() {
        check("250 OK\r\n", Ok(Some(250)));
        check("250\r\n", Ok(Some(250)));
        check("535-5.7.8 no\r\n535-\r\n535 5.7.8 no\r\n", Ok(Some(535)));
        check("250-a\r\n", Ok(None));
        check("250 OK\r", Ok(None));
        check("", Ok(None));
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for input in [
            "250-a\r\n251 b\r\n",
            "* OK IMAP\r\n",
            "\r\n",
            "25\r\n",
            "25x OK\r\n",
            "150 x\r\n",
            "650 x\r\n",
            "250_OK\r\n",
            "250 OK\n",
            "250 O\rK\r\n",
            "+OK\r\n",
            "HTTP/1.1 400\r\n",
        ] {
            check(input, Err(Malformed));
        }
    }

    #[test]
    fn an_endless_reply_or_line_is_refused() {
        check(&"250-x\r\n".repeat(129), Err(Malformed));
        check(&format!("{}250 x\r\n", "250-x\r\n".repeat(127)), Ok(Some(250)));
        check(&format!("250 {}", "x".repeat(2044)), Err(Malformed));
    }

    #[test]
    fn texts_are_printable() {
        let reply = Replies::default()
            .take(&mut BytesMut::from(&b"250-a\r\n250-\r\n250 b\x1b\xc3\r\n"[..]))
            .unwrap()
            .unwrap();
        assert_eq!(reply.texts().collect::<Vec<_>>(), ["a", "", "b??"]);
    }
}
