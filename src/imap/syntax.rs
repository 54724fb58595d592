//! The grammar of IMAP before login, over input that is complete and bounded (RFC 9051 §9).
//!
//! Framing comes first (see `frame`), so every parser sees a whole command with its literals in place, borrows from
//! it, and copies nothing. Two deliberate deviations, both unambiguous: a bare string may hold `%`, `*`, `\` and octets
//! above 127, because Python's imaplib sends `DOMAIN\user` and `user%domain` unquoted.

use std::borrow::Cow;
use std::fmt;

use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take, take_while_m_n, take_while1};
use nom::character::complete::{char, digit1};
use nom::combinator::{map, opt, value, verify};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use crate::wire;

#[cfg(test)]
mod tests;

/// Octets of a tag, at most; Dovecot takes 126.
pub(super) const MAX_TAG_BYTES: usize = 128;
/// Pairs of one ID command (RFC 2971 §3.3).
const MAX_ID_PAIRS: usize = 30;
/// Octets of a field name of ID (RFC 2971 §3.3).
const MAX_ID_KEY_BYTES: usize = 30;
/// Octets of a value of ID (RFC 2971 §3.3).
const MAX_ID_VALUE_BYTES: usize = 1024;
/// Octets of what a client calls itself, in the log and on a page.
const MAX_CLIENT_NAME_BYTES: usize = 256;

/// A parser's result: the rest of the input, and the value.
pub(super) type Parsed<'a, T> = IResult<&'a [u8], T>;

/// A string as the client wrote it, not yet unescaped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AString<'a> {
    /// The octets themselves: an atom, a literal, or a quoted string without escapes.
    Plain(&'a [u8]),
    /// The inside of a quoted string with backslashes in it.
    Escaped(&'a [u8]),
}

impl fmt::Debug for AString<'_> {
    /// Without the octets: LOGIN's password is one of these.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[string]")
    }
}

impl<'a> AString<'a> {
    /// The octets that are meant.
    pub(super) fn octets(self) -> Cow<'a, [u8]> {
        let escaped = match self {
            Self::Plain(octets) => return Cow::Borrowed(octets),
            Self::Escaped(escaped) => escaped,
        };
        // With this capacity the vector never moves, which would leave an unwiped copy of a password behind.
        let mut octets = Vec::with_capacity(escaped.len());
        let mut rest = escaped.iter();
        while let Some(&octet) = rest.next() {
            octets.extend(if octet == b'\\' {
                rest.next().copied()
            } else {
                Some(octet)
            });
        }
        Cow::Owned(octets)
    }
}

/// The announcement of a literal at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LiteralHeader {
    /// Octets that follow; a number too large for the type is its maximum.
    pub(super) size: u64,
    /// Whether the client waits for a continuation request.
    pub(super) synchronising: bool,
}

/// Finds a literal's announcement at the end of a line, whatever stands before it.
///
/// Octets that may be a literal's data must never be read as a command, so this asks for no valid syntax in front.
///
/// ```text
/// literal = "{" number64 ["+"] "}" CRLF *CHAR8
/// ```
pub(super) fn literal_header(line: &[u8]) -> Option<LiteralHeader> {
    let inner = line.strip_suffix(b"}")?;
    let (inner, synchronising) = inner.strip_suffix(b"+").map_or((inner, true), |inner| (inner, false));
    let digits = inner.get(memchr::memrchr(b'{', inner)?.checked_add(1)?..)?;
    Some(LiteralHeader {
        size: number(digits)?,
        synchronising,
    })
}

/// `number64 = 1*DIGIT`, leading zeros allowed, saturating.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |sum: u64, digit: &u8| {
        sum.saturating_mul(10)
            .saturating_add(u64::from(digit.saturating_sub(b'0')))
    };
    Some(digits.iter().fold(0, add))
}

/// Whether a response line is text for people, in which a closing `{5}` announces nothing.
///
/// ```text
/// resp-cond-state = ("OK" / "NO" / "BAD") SP resp-text
/// ```
pub(super) const fn is_status_word(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"OK")
        || word.eq_ignore_ascii_case(b"NO")
        || word.eq_ignore_ascii_case(b"BAD")
        || word.eq_ignore_ascii_case(b"BYE")
        || word.eq_ignore_ascii_case(b"PREAUTH")
}

/// ```text
/// tag = 1*<any ASTRING-CHAR except "+">
/// ```
pub(super) fn command_tag(input: &[u8]) -> Parsed<'_, &[u8]> {
    let octet = |octet: u8| {
        octet.is_ascii_graphic() && !matches!(octet, b'+' | b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\')
    };
    take_while_m_n(1, MAX_TAG_BYTES, octet).parse(input)
}

/// A verb or a mechanism's name.
///
/// ```text
/// atom = 1*ATOM-CHAR
/// ```
pub(super) fn atom(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(|octet: u8| {
        octet.is_ascii_graphic() && !matches!(octet, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
    })
    .parse(input)
}

/// ```text
/// astring = 1*ASTRING-CHAR / string
/// ```
pub(super) fn astring(input: &[u8]) -> Parsed<'_, AString<'_>> {
    let bare = take_while1(|octet: u8| octet > b' ' && !matches!(octet, b'(' | b')' | b'{' | b'"' | 0x7f));
    alt((map(bare, AString::Plain), string)).parse(input)
}

/// ```text
/// string = quoted / literal
/// ```
fn string(input: &[u8]) -> Parsed<'_, AString<'_>> {
    alt((quoted, map(literal, AString::Plain))).parse(input)
}

/// ```text
/// quoted      = DQUOTE *QUOTED-CHAR DQUOTE
/// QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials / UTF8-2 / UTF8-3 / UTF8-4
/// ```
fn quoted(input: &[u8]) -> Parsed<'_, AString<'_>> {
    let (inside, _) = char('"').parse(input)?;
    let mut from = 0_usize;
    let mut escaped = false;
    loop {
        let rest = inside.get(from..).unwrap_or_default();
        let step = match rest {
            [b'"', after @ ..] => {
                let text = inside.get(..from).unwrap_or_default();
                return Ok((
                    after,
                    if escaped {
                        AString::Escaped(text)
                    } else {
                        AString::Plain(text)
                    },
                ));
            }
            [b'\\', b'"' | b'\\', ..] => {
                escaped = true;
                2
            }
            [b'\\' | b'\r' | b'\n' | 0, ..] | [] => return fail(rest),
            _ => 1,
        };
        from = from.saturating_add(step);
    }
}

/// ```text
/// literal = "{" number64 ["+"] "}" CRLF *CHAR8
/// CHAR8   = %x01-ff
/// ```
fn literal(input: &[u8]) -> Parsed<'_, &[u8]> {
    let mut header = delimited(char('{'), terminated(digit1, opt(char('+'))), tag("}\r\n"));
    let (data, digits) = header.parse(input)?;
    let size = number(digits).and_then(|size| usize::try_from(size).ok());
    let Some(size) = size else { return fail(data) };
    verify(take(size), |octets: &[u8]| memchr::memchr(0, octets).is_none()).parse(data)
}

/// What a client calls itself in ID: the three fields that tell people which device it is.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct ClientId<'a> {
    name: Option<AString<'a>>,
    version: Option<AString<'a>>,
    os: Option<AString<'a>>,
}

impl ClientId<'_> {
    /// `name version os`, printable and short; `None` where the client named nothing.
    pub(super) fn display(&self) -> Option<String> {
        let fields = [self.name, self.version, self.os].into_iter().flatten();
        let words: Vec<String> = fields
            .map(|field| wire::printable(&field.octets(), MAX_CLIENT_NAME_BYTES))
            .filter(|word| !word.is_empty())
            .collect();
        let name = wire::printable(words.join(" ").as_bytes(), MAX_CLIENT_NAME_BYTES);
        (!name.is_empty()).then_some(name)
    }
}

/// ```text
/// id-params-list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil
/// ```
pub(super) fn id_params(input: &[u8]) -> Parsed<'_, ClientId<'_>> {
    let nil = value(ClientId::default(), tag_no_case("NIL"));
    alt((nil, delimited(char('('), id_pairs, char(')')))).parse(input)
}

fn id_pairs(input: &[u8]) -> Parsed<'_, ClientId<'_>> {
    let mut id = ClientId::default();
    let mut rest = input;
    for pair in 0..=MAX_ID_PAIRS {
        if rest.first() == Some(&b')') {
            return Ok((rest, id));
        }
        if pair > 0 {
            (rest, _) = char(' ').parse(rest)?;
        }
        let key = verify(string, |key: &AString<'_>| key.octets().len() <= MAX_ID_KEY_BYTES);
        let (after, (key, value)) = (key, preceded(char(' '), nstring)).parse(rest)?;
        rest = after;
        let key = key.octets();
        if key.eq_ignore_ascii_case(b"name") {
            id.name = value;
        } else if key.eq_ignore_ascii_case(b"version") {
            id.version = value;
        } else if key.eq_ignore_ascii_case(b"os") {
            id.os = value;
        }
    }
    fail(rest)
}

/// ```text
/// nstring = string / nil
/// ```
fn nstring(input: &[u8]) -> Parsed<'_, Option<AString<'_>>> {
    let short = verify(string, |text: &AString<'_>| text.octets().len() <= MAX_ID_VALUE_BYTES);
    alt((value(None, tag_no_case("NIL")), map(short, Some))).parse(input)
}

fn fail<T>(input: &[u8]) -> Parsed<'_, T> {
    Err(nom::Err::Error(nom::error::Error::new(
        input,
        nom::error::ErrorKind::Verify,
    )))
}
