//! The grammar of SMTP command lines (RFC 5321 §4.1.2), as an allow-list: what no parser here takes is refused.
//!
//! Every parser takes a whole line's arguments without CRLF and controls; none of them repairs anything. Two liberties
//! are taken because devices need them, and are harmless as the guard writes each command anew: blanks between
//! `FROM:` and `<`, and several blanks between parameters. Source routes, missing brackets, comments and bare domains
//! are not taken.

mod path;

use std::fmt::Write as _;

use nom::bytes::complete::{tag_no_case, take_while, take_while1};
use nom::character::complete::{char, digit1};
use nom::combinator::{all_consuming, map, opt, rest, verify};
use nom::multi::many0;
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use crate::secret::Borrowed;

pub use path::{ForwardPath, Host, Mailbox, ReversePath};

#[cfg(test)]
mod tests;

/// Parameters of one MAIL or RCPT, at most; no client sends more than five.
const MAX_PARAMETERS: usize = 16;

/// One chunk's octets, at most. A size beyond the mail store's integers is read differently there, and its octets are
/// then taken for commands: Exim keeps 32 bits of it.
const MAX_CHUNK_BYTES: u64 = (1 << 31) - 1;

/// One esmtp-param of MAIL or RCPT.
///
/// ```text
/// esmtp-param = esmtp-keyword ["=" esmtp-value]
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// The keyword as sent; compare it without case.
    pub keyword: &'a str,
    /// What follows `=`.
    pub value: Option<&'a str>,
}

/// The arguments of BDAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// The octets that follow the line.
    pub length: u64,
    /// Whether the message ends with them.
    pub last: bool,
}

/// The arguments of AUTH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Auth<'a> {
    /// The mechanism's name as sent.
    pub mechanism: &'a [u8],
    /// The initial response, `=` for an empty one.
    pub initial: Option<Borrowed<'a>>,
}

/// Splits a line into its verb and what follows the blank behind it.
///
/// ```text
/// verb = 1*ALPHA
/// ```
pub fn verb(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let word = |input| -> IResult<&[u8], &[u8]> { take_while1(|octet: u8| octet.is_ascii_alphabetic()).parse(input) };
    let blank =
        |input| -> IResult<&[u8], &[u8]> { preceded(char(' '), take_while(|octet| octet == b' ')).parse(input) };
    let (_, (verb, arguments)) = all_consuming((word, opt(preceded(blank, rest)))).parse(line).ok()?;
    Some((verb, arguments.unwrap_or_default()))
}

/// Reads the arguments of AUTH.
///
/// ```text
/// SP sasl-mech [SP (base64 / "=")]
/// ```
pub fn auth(arguments: &[u8]) -> Option<Auth<'_>> {
    let word = |input| -> IResult<&[u8], &[u8]> { take_while1(|octet| octet != b' ').parse(input) };
    let blanks = |input| -> IResult<&[u8], &[u8]> { take_while1(|octet| octet == b' ').parse(input) };
    let (_, (mechanism, initial)) = all_consuming((word, opt(preceded(blanks, word))))
        .parse(arguments)
        .ok()?;
    let initial = initial.map(Borrowed);
    Some(Auth { mechanism, initial })
}

/// Reads the arguments of MAIL.
///
/// ```text
/// "FROM:" Reverse-path [SP Mail-parameters]
/// ```
pub fn mail(arguments: &str) -> Option<(ReversePath, Vec<Parameter<'_>>)> {
    let parser = preceded((tag_no_case("FROM:"), spaces0), (path::reverse_path, parameters));
    Some(all_consuming(parser).parse(arguments).ok()?.1)
}

/// Reads the arguments of RCPT.
///
/// ```text
/// "TO:" ( "<Postmaster>" / Forward-path ) [SP Rcpt-parameters]
/// ```
pub fn rcpt(arguments: &str) -> Option<(ForwardPath, Vec<Parameter<'_>>)> {
    let parser = preceded((tag_no_case("TO:"), spaces0), (path::forward_path, parameters));
    Some(all_consuming(parser).parse(arguments).ok()?.1)
}

/// Reads the arguments of BDAT.
///
/// ```text
/// chunk-size [SP "LAST"]      chunk-size = 1*DIGIT (at most 20)
/// ```
pub fn bdat(arguments: &[u8]) -> Option<Chunk> {
    let arguments = std::str::from_utf8(arguments).ok()?;
    let parser = (
        verify(digit1, |digits: &str| digits.len() <= 20),
        opt(preceded(spaces1, tag_no_case("LAST"))),
    );
    let (_, (digits, last)) = all_consuming(parser).parse(arguments).ok()?;
    let length = digits.parse().ok().filter(|length| *length <= MAX_CHUNK_BYTES)?;
    Some(Chunk {
        length,
        last: last.is_some(),
    })
}

fn spaces0(input: &str) -> IResult<&str, &str> {
    take_while(|c| c == ' ').parse(input)
}

fn spaces1(input: &str) -> IResult<&str, &str> {
    take_while1(|c| c == ' ').parse(input)
}

fn parameters(input: &str) -> IResult<&str, Vec<Parameter<'_>>> {
    terminated(
        verify(many0(preceded(spaces1, parameter)), |parameters: &Vec<_>| {
            parameters.len() <= MAX_PARAMETERS
        }),
        spaces0,
    )
    .parse(input)
}

/// ```text
/// esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
/// esmtp-value   = 1*(%d33-60 / %d62-126 / UTF8-non-ascii)
/// ```
fn parameter(input: &str) -> IResult<&str, Parameter<'_>> {
    let keyword = verify(
        take_while1(|c: char| c.is_ascii_alphanumeric() || c == '-'),
        |word: &str| !word.starts_with('-'),
    );
    let value = take_while1(|c: char| c != '=' && (c.is_ascii_graphic() || (!c.is_ascii() && !c.is_control())));
    map((keyword, opt(preceded(char('='), value))), |(keyword, value)| {
        Parameter { keyword, value }
    })
    .parse(input)
}

/// Decodes xtext; `None` where it is none.
///
/// ```text
/// xtext = *( xchar / hexchar )      hexchar = "+" 2(%x30-39 / %x41-46)      (RFC 3461 §4)
/// ```
pub fn xtext_decode(text: &str) -> Option<Vec<u8>> {
    let mut octets = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(octet) = octets.next() {
        decoded.push(match octet {
            b'+' => upper_hex(octets.next()?)?.checked_shl(4)? | upper_hex(octets.next()?)?,
            b'=' => return None,
            octet if octet.is_ascii_graphic() => octet,
            _ => return None,
        });
    }
    Some(decoded)
}

/// Encodes as xtext: everything but letters, digits and `.:_@-` becomes `+XX`.
///
/// RFC 3461 §4 would let more stand for itself, but Postfix reads a quote, a bracket or a backslash inside an XCLIENT
/// value as its own syntax, so that a client's EHLO `a"` would swallow the attributes behind it.
pub fn xtext_encode(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for &octet in octets {
        if octet.is_ascii_alphanumeric() || b".:_@-".contains(&octet) {
            text.push(char::from(octet));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "+{octet:02X}");
        }
    }
    text
}

fn upper_hex(octet: u8) -> Option<u8> {
    if octet.is_ascii_lowercase() {
        return None;
    }
    char::from(octet)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
