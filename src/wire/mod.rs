//! Line taking and sanitising, shared by the protocols before login.
//!
//! A line ends with CRLF and with nothing else: RFC 9051 §2.2 and RFC 5321 §2.3.8 know no other line end. A CR or LF
//! that stands alone is an error and never a line end, so that no two parsers on the way can disagree about where a
//! command stops. Nothing here knows a verb, a literal or a reply of theirs.
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

use std::ops::Deref;

use bytes::BytesMut;
use zeroize::Zeroize;

/// Verbs of HTTP and of its successor's preface. Only a browser that was made to speak to us (the ALPACA attack) says
/// them first.
pub const HTTP_METHODS: [&[u8]; 10] = [
    b"CONNECT", b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"PATCH", b"POST", b"PRI", b"PUT", b"TRACE",
];

/// Why no line can be taken any more: the connection has to end, as its next command cannot be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// A CR or LF that is not part of a CRLF.
    #[error("line end is not CRLF")]
    BareNewline,
    /// No CRLF within the limit.
    #[error("line is longer than its limit")]
    TooLong,
}

impl LineError {
    /// The fixed word for [`crate::preauth::ProtocolError::rule`].
    pub const fn rule(self) -> &'static str {
        match self {
            Self::BareNewline => "bare_newline",
            Self::TooLong => "line_too_long",
        }
    }
}

/// One line, or one IMAP command with its literals, without its last CRLF; wiped when dropped, because before login
/// any line may hold a password.
pub struct Line(BytesMut);

impl Deref for Line {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.get(..self.0.len().saturating_sub(2)).unwrap_or_default()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.as_mut().zeroize();
    }
}

/// The length of the first line of `input`, its CRLF included; `None` while it is incomplete.
///
/// `limit` is in octets and counts the CRLF. An incomplete line is searched anew at each call: a client that sends one
/// octet at a time costs at most `limit`² / 2 compared octets, a few milliseconds of `memchr` for 12 KiB and far less
/// than receiving those octets did. In return no scan offset can get out of step with the caller's buffer.
///
/// # Errors
/// The line cannot be completed: see [`LineError`].
pub fn line_length(input: &[u8], limit: usize) -> Result<Option<usize>, LineError> {
    let window = input.get(..limit).unwrap_or(input);
    let Some(at) = memchr::memchr2(b'\r', b'\n', window) else {
        return if window.len() == limit {
            Err(LineError::TooLong)
        } else {
            Ok(None)
        };
    };
    match window.get(at..) {
        Some([b'\r', b'\n', ..]) => Ok(at.checked_add(2)),
        Some([b'\r']) if window.len() == limit => Err(LineError::TooLong),
        Some([b'\r']) => Ok(None),
        _ => Err(LineError::BareNewline),
    }
}

/// Takes the first line off `input`; `None` while it is incomplete.
///
/// # Errors
/// As [`line_length`]; `input` is left as it was.
pub fn take_line(input: &mut BytesMut, limit: usize) -> Result<Option<Line>, LineError> {
    Ok(line_length(input, limit)?.map(|length| split_line(input, length)))
}

/// Takes `length` octets off `input`, of which the last two are a CRLF that was found before.
pub fn split_line(input: &mut BytesMut, length: usize) -> Line {
    Line(input.split_to(length.min(input.len())))
}

/// The printable ASCII of `text`, each other octet as `?`, at most `max` octets, without outer blanks.
///
/// For names that a client gives itself and that end up in logs and pages.
pub fn printable(text: &[u8], max: usize) -> String {
    let kept: String = text
        .trim_ascii()
        .iter()
        .take(max)
        .map(|&octet| {
            if octet == b' ' || octet.is_ascii_graphic() {
                char::from(octet)
            } else {
                '?'
            }
        })
        .collect();
    kept.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(input: &[u8], limit: usize, expect: Result<Option<usize>, LineError>) {
        assert_eq!(line_length(input, limit), expect, "{input:?}");
    }

    #[test]
    fn a_line_ends_with_crlf_only() {
        check(b"", 10, Ok(None));
        check(b"a NOOP", 10, Ok(None));
        check(b"a NOOP\r", 10, Ok(None));
        check(b"a NOOP\r\n", 10, Ok(Some(8)));
        check(b"\r\nrest", 10, Ok(Some(2)));
        check(b"a\nb\r\n", 10, Err(LineError::BareNewline));
        check(b"a\rb\r\n", 10, Err(LineError::BareNewline));
        check(b"\r\r\n", 10, Err(LineError::BareNewline));
    }

    #[test]
    fn the_limit_counts_the_line_end() {
        check(b"12345678\r\n", 10, Ok(Some(10)));
        check(b"123456789\r\n", 10, Err(LineError::TooLong));
        check(b"123456789\r", 10, Err(LineError::TooLong));
        check(b"1234567890", 10, Err(LineError::TooLong));
        check(b"123456789", 10, Ok(None));
        check(b"ab\r\n34567890123", 10, Ok(Some(4)));
    }

    #[test]
    fn a_taken_line_has_no_line_end_and_leaves_the_rest() {
        let mut input = BytesMut::from(&b"a NOOP\r\nb LOG"[..]);
        assert_eq!(&*take_line(&mut input, 20).unwrap().unwrap(), b"a NOOP");
        assert!(take_line(&mut input, 20).unwrap().is_none());
        assert_eq!(&input[..], b"b LOG");
    }

    #[test]
    fn a_printed_name_is_short_and_harmless() {
        assert_eq!(
            printable(b"  iPhone Mail\r\n\x1b[31m 22C161 ", 18),
            "iPhone Mail???[31m"
        );
        assert_eq!(printable("Zo\u{eb}".as_bytes(), 10), "Zo??");
        assert_eq!(printable(b"abc   d", 5), "abc");
    }

    proptest! {
        #[test]
        fn chunking_never_changes_where_a_line_ends(input in "[a\\r\\n]{0,12}", limit in 2_usize..12) {
            let input = input.as_bytes();
            let whole = line_length(input, limit);
            let first = (0..=input.len())
                .map(|end| line_length(&input[..end], limit))
                .find(|result| !matches!(result, Ok(None)))
                .unwrap_or(Ok(None));
            prop_assert_eq!(whole, first);
        }
    }
}
