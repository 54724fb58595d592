//! Every response that a client gets before it is logged in (RFC 9051 §7, RFC 5530).
//!
//! Capabilities are said in one place, so that greeting and CAPABILITY always agree, and nothing is promised that is
//! not served: no IMAP4rev2 and no LITERAL+, because what the mail store will serve is not known yet. AUTH=LOGIN is
//! accepted but not advertised, as Thunderbird and Horde try a wrong password once more for it.
//!
//! A failed login has one of two codes: AUTHENTICATIONFAILED for whatever is permanent and UNAVAILABLE for whatever is
//! not. Thunderbird and K-9 take every other code, and none, for a wrong password.

use bytes::Bytes;

use crate::preauth::{Refusal, Security};
use crate::wire;

/// Octets of a text for people; longer ones do not fit a phone's dialog.
const MAX_TEXT_BYTES: usize = 140;

/// The goodbye of a gateway that is known to be unable to serve: clients then send no password at all.
pub(super) const UNAVAILABLE_GREETING: &[u8] =
    b"* BYE [UNAVAILABLE] Service is temporarily unavailable, try again later\r\n";
/// Asks for a literal. The text matters: Webklex looks for `+ `.
pub(super) const CONTINUE: &[u8] = b"+ OK\r\n";

/// What is served before login.
pub(super) const fn capabilities(security: Security) -> &'static str {
    match security {
        Security::Tls => "IMAP4rev1 SASL-IR LITERAL- ID AUTH=PLAIN",
        Security::Cleartext { starttls: true } => "IMAP4rev1 LITERAL- ID STARTTLS LOGINDISABLED",
        Security::Cleartext { starttls: false } => "IMAP4rev1 LITERAL- ID LOGINDISABLED",
    }
}

/// `* OK [CAPABILITY ..] ..`
pub(super) fn greeting(hostname: &str, security: Security) -> Bytes {
    format!("* OK [CAPABILITY {}] {hostname} ready\r\n", capabilities(security)).into()
}

/// The untagged list, and the tagged OK in the same write.
pub(super) fn capability(tag: &[u8], security: Security) -> Bytes {
    concat(&[
        b"* CAPABILITY ",
        capabilities(security).as_bytes(),
        b"\r\n",
        tag,
        b" OK CAPABILITY completed\r\n",
    ])
}

/// We say nothing about ourselves before login.
pub(super) fn id(tag: &[u8]) -> Bytes {
    concat(&[b"* ID NIL\r\n", tag, b" OK ID completed\r\n"])
}

/// The goodbye that a client asked for.
pub(super) fn logout(tag: &[u8]) -> Bytes {
    concat(&[b"* BYE Logging out\r\n", tag, b" OK LOGOUT completed\r\n"])
}

/// A tagged response: `text` begins with the condition.
pub(super) fn tagged(tag: &[u8], text: &str) -> Bytes {
    concat(&[tag, b" ", text.as_bytes(), b"\r\n"])
}

/// BAD, untagged where the tag could not be read.
pub(super) fn bad(tag: Option<&[u8]>, text: &str) -> Bytes {
    concat(&[tag.unwrap_or(b"*"), b" BAD ", text.as_bytes(), b"\r\n"])
}

/// A SASL challenge; an empty one keeps its blank (RFC 9051 §6.2.2).
pub(super) fn challenge(text: &str) -> Bytes {
    concat(&[b"+ ", text.as_bytes(), b"\r\n"])
}

/// The goodbye of a connection that we end.
pub(super) fn bye(text: &str) -> Bytes {
    concat(&[b"* BYE ", text.as_bytes(), b"\r\n"])
}

/// The goodbye together with the last BAD.
pub(super) fn bye_bad(goodbye: &str, tag: Option<&[u8]>, text: &str) -> Bytes {
    [bye(goodbye), bad(tag, text)].concat().into()
}

/// The goodbye while a login is under way: aioimaplib waits for the tagged line for ever.
pub(super) fn bye_unavailable(tag: &[u8], text: &str) -> Bytes {
    concat(&[
        b"* BYE ",
        text.as_bytes(),
        b"\r\n",
        tag,
        b" NO [UNAVAILABLE] ",
        text.as_bytes(),
        b"\r\n",
    ])
}

/// A refused login, with the goodbye in the same write where the connection ends.
pub(super) fn refused(tag: &[u8], refusal: &Refusal, close: bool) -> Bytes {
    let (bye, code, text) = match refusal {
        Refusal::Permanent { hint } => {
            let text = hint
                .as_ref()
                .map(|hint| wire::printable(hint.as_bytes(), MAX_TEXT_BYTES));
            let fixed = || String::from("Wrong name or password. Use a device password, not your account password");
            (
                "Too many failed logins",
                "AUTHENTICATIONFAILED",
                text.unwrap_or_else(fixed),
            )
        }
        Refusal::Temporary { text } => (*text, "UNAVAILABLE", (*text).to_owned()),
    };
    let goodbye = if close {
        format!("* BYE {bye}\r\n")
    } else {
        String::new()
    };
    concat(&[
        goodbye.as_bytes(),
        tag,
        b" NO [",
        code.as_bytes(),
        b"] ",
        text.as_bytes(),
        b"\r\n",
    ])
}

/// The tagged OK of a login, with the mail store's own capabilities as far as they may be used.
///
/// Clients such as mbsync never ask again, and work without NAMESPACE or IDLE where the list is missing or ours.
pub(super) fn logged_in(tag: &[u8], upstream: &[String]) -> Bytes {
    let filtered = super::filter::is_needed(upstream);
    let mut list = String::new();
    for name in upstream {
        if !(filtered && super::filter::hides(name)) {
            list.push(' ');
            list.push_str(name);
        }
    }
    if list.is_empty() {
        return tagged(tag, "OK Logged in");
    }
    concat(&[tag, b" OK [CAPABILITY", list.as_bytes(), b"] Logged in\r\n"])
}

fn concat(parts: &[&[u8]]) -> Bytes {
    parts.concat().into()
}
