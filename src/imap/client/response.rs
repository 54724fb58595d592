//! The responses of a mail store before login, read as loosely as servers write them (RFC 9051 §7).

use super::Error;
use crate::imap::syntax;
use crate::wire;

/// Capabilities of one list.
const MAX_CAPABILITIES: usize = 256;
/// Octets of a refusal's code, in our log.
const MAX_CODE_BYTES: usize = 40;

/// A response's kind and what stands behind it.
pub(super) enum Response<'a> {
    Continue,
    Tagged {
        tag: &'a [u8],
        condition: Condition,
        text: &'a [u8],
    },
    Untagged {
        word: &'a [u8],
        text: &'a [u8],
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Bad,
    No,
    Ok,
}

/// Whether the first line is a continuation request or a status response, in which `{5}` announces nothing.
pub(super) fn is_text(response: &[u8]) -> bool {
    let mut words = response.split(|octet| matches!(octet, b' ' | b'\r'));
    words.next().is_some_and(|word| word.first() == Some(&b'+')) || words.next().is_some_and(syntax::is_status_word)
}

/// ```text
/// response = *(continue-req / response-data) response-done
/// ```
pub(super) fn parse(line: &[u8]) -> Result<Response<'_>, Error> {
    if line.first() == Some(&b'+') {
        return Ok(Response::Continue);
    }
    let (tag, rest) = word(line);
    let (word, text) = word(rest);
    if tag == b"*" {
        return Ok(Response::Untagged { word, text });
    }
    let condition = if word.eq_ignore_ascii_case(b"OK") {
        Condition::Ok
    } else if word.eq_ignore_ascii_case(b"NO") {
        Condition::No
    } else if word.eq_ignore_ascii_case(b"BAD") {
        Condition::Bad
    } else {
        return Err(Error::Protocol("unknown_response"));
    };
    Ok(Response::Tagged { tag, condition, text })
}

/// The first word, and what stands behind its blank.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    (
        text.get(..end).unwrap_or_default(),
        text.get(end.saturating_add(1)..).unwrap_or_default(),
    )
}

/// The inside of a response code's brackets.
fn code(text: &[u8]) -> Option<&[u8]> {
    let inside = text.strip_prefix(b"[")?;
    inside.get(..memchr::memchr(b']', inside)?)
}

/// The list of a CAPABILITY code at the front of a text.
pub(super) fn capability_code(text: &[u8]) -> Option<&[u8]> {
    let (name, list) = word(code(text)?);
    name.eq_ignore_ascii_case(b"CAPABILITY").then_some(list)
}

/// The atoms of a list; what is no atom would break the list that we pass on, and is left out.
pub(super) fn capabilities(list: &[u8]) -> Vec<String> {
    list.split(|&octet| octet == b' ')
        .filter(|name| matches!(syntax::atom(name), Ok((b"", _))))
        .take(MAX_CAPABILITIES)
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

/// What a NO means. Some codes speak of the mail store's state and not of our credentials (RFC 5530 §3).
pub(super) fn refusal(text: &[u8]) -> Error {
    const TEMPORARY: [&str; 5] = ["UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT", "CONTACTADMIN"];
    let code = code(text).map(|code| wire::printable(word(code).0, MAX_CODE_BYTES).to_ascii_uppercase());
    match code {
        Some(code) if TEMPORARY.contains(&code.as_str()) => Error::Temporary { code },
        code => Error::Refused { code },
    }
}
