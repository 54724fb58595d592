//! The message (RFC 5322, RFC 2045, RFC 2047): text alone, ASCII by its encoding, and marked as sent by a program
//! (RFC 3834 §5), so that nobody's program answers it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::fmt::rfc2822;

use super::{Errand, HELLO};

/// Octets of text in one encoded word: with its frame it has at most 75 characters (RFC 2047 §2).
const WORD_BYTES: usize = 39;
/// Characters of a line of base64 (RFC 2045 §6.8).
const LINE_CHARS: usize = 76;

/// What the message says, in its reader's language.
#[derive(Debug, Clone)]
pub struct Message {
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// The message as it goes over the wire, with the dot behind it. No line of it begins with a dot.
pub(super) fn written(errand: &Errand<'_>) -> String {
    let Errand {
        from,
        to,
        unique,
        message,
        at,
        ..
    } = errand;
    let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    let date = rfc2822::to_string(&moment.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default();
    let subject = encoded_words(&message.subject);
    let text = base64_lines(&message.text.replace('\n', "\r\n"));
    format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nDate: {date}\r\nMessage-ID: <{unique:032x}@{HELLO}>\r\n\
         Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{text}\r\n.\r\n"
    )
}

fn encoded_words(text: &str) -> String {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        if word.len() + c.len_utf8() > WORD_BYTES {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let words = words
        .iter()
        .map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

fn base64_lines(text: &str) -> String {
    let encoded = STANDARD.encode(text);
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / LINE_CHARS * 2);
    for (at, c) in encoded.chars().enumerate() {
        if at > 0 && at % LINE_CHARS == 0 {
            lines.push_str("\r\n");
        }
        lines.push(c);
    }
    lines
}
