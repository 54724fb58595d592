//! Every reply of ours, with its enhanced status code (RFC 3463, RFC 4954 §6). One reply is one buffer, so one write.
//!
//! Texts are fixed or ours: nothing that a client or an upstream sent is repeated in them, but a sender address that
//! was parsed and written anew. Two prompts are literal because devices compare them (Xerox printers); they come from
//! `sasl`.

use bytes::Bytes;

use crate::wire;

/// Octets of free text in one reply line, at most (RFC 5321 §4.5.3.1.5 allows 512 for the whole line).
const MAX_TEXT_BYTES: usize = 400;

macro_rules! replies {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = concat!($text, "\r\n");)*
    };
}

replies! {
    /// STARTTLS is accepted.
    START_TLS = "220 2.0.0 Ready to start TLS";
    /// QUIT.
    BYE = "221 2.0.0 Bye";
    /// AUTH succeeded.
    AUTHENTICATED = "235 2.7.0 Authentication successful";
    /// HELP.
    HELP = "214 2.0.0 Use a mail program and the password of one device";
    /// NOOP, RSET.
    OK = "250 2.0.0 OK";
    /// VRFY: never tells whether an address exists.
    CANNOT_VERIFY = "252 2.5.0 Cannot verify, send some mail and see";
    /// The mail store went away in the middle of a session.
    UPSTREAM_LOST = "421 4.3.2 Mail store is not available, try again later";
    /// Too many commands before login.
    TOO_MANY_COMMANDS = "421 4.7.0 Too many commands";
    /// Too many commands that cannot be understood.
    TOO_MANY_ERRORS = "421 4.7.0 Too many errors";
    /// STARTTLS without a certificate (RFC 3207 §4).
    NO_TLS = "454 4.7.0 TLS is not available";
    /// A line that is no command.
    NOT_A_COMMAND = "500 5.5.2 Command not recognised";
    /// A line over its limit.
    LINE_TOO_LONG = "500 5.5.2 Line too long";
    /// A SASL line over its limit (RFC 4954 §4).
    AUTH_LINE_TOO_LONG = "500 5.5.6 Authentication exchange line is too long";
    /// The argument is wrong or not wanted.
    BAD_ARGUMENT = "501 5.5.4 Syntax error in parameters";
    /// The response is no base64, or no message of the mechanism.
    BAD_RESPONSE = "501 5.5.2 Cannot decode the response";
    /// The client sent `*`.
    CANCELLED = "501 5.7.0 Authentication cancelled";
    /// The path of MAIL is not one.
    BAD_SENDER = "501 5.1.7 Bad sender address syntax";
    /// The path of RCPT is not one.
    BAD_RECIPIENT = "501 5.1.3 Bad recipient address syntax";
    /// A verb that is never served.
    NOT_SERVED = "502 5.5.1 Command not implemented";
    /// AUTH before EHLO or HELO.
    HELLO_FIRST = "503 5.5.1 Send EHLO first";
    /// AUTH after login.
    ALREADY_AUTHENTICATED = "503 5.5.1 Already authenticated";
    /// STARTTLS under TLS.
    ALREADY_TLS = "503 5.5.1 TLS is already active";
    /// Another transaction in the middle of a message in chunks.
    CHUNKS_FIRST = "503 5.5.1 Send BDAT or RSET";
    /// BDAT where the upstream has no CHUNKING.
    NO_CHUNKING = "503 5.5.1 CHUNKING was not offered";
    /// An unknown mechanism.
    UNKNOWN_MECHANISM = "504 5.5.4 Unrecognised authentication mechanism";
    /// A chunk whose end cannot be found.
    BAD_CHUNK = "521 5.5.4 Bad BDAT size, closing connection";
    /// A line that does not end with CRLF: two servers may see two different lines.
    BARE_NEWLINE = "521 5.5.2 Lines must end with <CR><LF>, closing connection";
    /// CR without LF inside a message.
    BARE_CR = "521 5.5.2 Message has a bare <CR>, closing connection";
    /// LF without CR inside a message.
    BARE_LF = "521 5.5.2 Message has a bare <LF>, closing connection";
    /// NUL inside a message.
    NUL = "521 5.5.2 Message has a <NUL>, closing connection";
    /// Anything but STARTTLS in clear (RFC 3207 §4).
    START_TLS_FIRST = "530 5.7.0 Must issue a STARTTLS command first";
    /// Anything that needs a login.
    LOGIN_FIRST = "530 5.7.0 Authentication required";
    /// Every permanent cause without a hint.
    REFUSED = "535 5.7.8 Wrong user name or password: use the password of a device of this mailbox";
    /// `<>` where the device may not send it.
    NULL_SENDER = "550 5.7.1 The null sender is not allowed here";
    /// A sender that cannot be repeated in ASCII.
    SENDER_NOT_OWNED = "550 5.7.1 The sender is not an address of this mailbox";
    /// SIZE over the upstream's limit (RFC 1870 §6.1).
    TOO_BIG = "552 5.3.4 Message size exceeds the limit";
    /// A non-ASCII address without SMTPUTF8 (RFC 6531 §3.5).
    NEEDS_UTF8 = "553 5.6.7 Non-ASCII addresses need SMTPUTF8";
    /// A parameter of MAIL or RCPT that is unknown, or that the upstream does not offer (RFC 5321 §4.1.1.11).
    UNKNOWN_PARAMETER = "555 5.5.4 Unsupported parameter";
}

/// The greeting; says no version.
pub fn greeting(hostname: &str) -> Bytes {
    line("220", &format!("{hostname} ESMTP Postern"))
}

/// The greeting while the mail store is known to be down: clients go away and keep their password.
pub fn unavailable(hostname: &str) -> Bytes {
    line("421 4.3.2", &format!("{hostname} is not available, try again later"))
}

/// A reply to EHLO: our name, then each line.
pub fn ehlo<'a>(hostname: &str, lines: impl Iterator<Item = &'a str>) -> Bytes {
    let mut reply = String::new();
    let mut last = hostname;
    for line in lines {
        reply.extend(["250-", last, "\r\n"]);
        last = line;
    }
    reply.extend(["250 ", last, "\r\n"]);
    Bytes::from(reply)
}

/// A reply to HELO.
pub fn helo(hostname: &str) -> Bytes {
    line("250", hostname)
}

/// A challenge of SASL; the blank stays where the challenge is empty (RFC 4954 §4).
pub fn challenge(text: &str) -> Bytes {
    Bytes::from(format!("334 {text}\r\n"))
}

/// A login is refused for good; the hint is for somebody who proved to know the secret of a refused device.
pub fn refused(hint: Option<&str>) -> Bytes {
    hint.map_or(Bytes::from_static(REFUSED.as_bytes()), |hint| line("535 5.7.8", hint))
}

/// A login cannot be judged now.
pub fn temporary(text: &str) -> Bytes {
    line("454 4.7.0", text)
}

/// The connection is ended from our side.
pub fn closing(text: &str) -> Bytes {
    line("421 4.3.2", text)
}

/// A sender that is not the mailbox's; `address` is as we wrote it, never as the client did.
pub fn sender_not_owned(address: &str) -> Bytes {
    if address.is_ascii() {
        line("550 5.7.1", &format!("<{address}> is not an address of this mailbox"))
    } else {
        Bytes::from_static(SENDER_NOT_OWNED.as_bytes())
    }
}

/// One line; the text is forced into printable ASCII, so that no text can end the line early.
fn line(code: &str, text: &str) -> Bytes {
    Bytes::from(format!(
        "{code} {}\r\n",
        wire::printable(text.as_bytes(), MAX_TEXT_BYTES)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_never_ends_its_line() {
        assert_eq!(refused(Some("a\r\n235 2.7.0 b")), "535 5.7.8 a??235 2.7.0 b\r\n");
    }

    #[test]
    fn the_last_line_of_ehlo_has_a_blank() {
        assert_eq!(ehlo("mx.example", [].into_iter()), "250 mx.example\r\n");
        assert_eq!(
            ehlo("mx.example", ["DSN", "SIZE 1"].into_iter()),
            "250-mx.example\r\n250-DSN\r\n250 SIZE 1\r\n"
        );
    }
}
