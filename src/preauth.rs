//! The boundary between a protocol before login and the loop that drives it.
//!
//! A [`Session`] is a plain value: bytes in, [`Step`]s out. It owns no socket, reads no clock and waits for nothing, so
//! that transcripts, fuzzers and the real I/O loop all drive the same code. `imap::Session` and `smtp::Session`
//! implement it; `session::drive` is the only production caller.

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::secret::SecretBytes;

/// What a client claims: to be judged by the verifier, dropped (and wiped) afterwards.
pub struct Credentials {
    /// The authentication identity as the client typed it, valid UTF-8, at most 320 octets and not empty.
    pub username: String,
    /// The authorization identity of SASL PLAIN where the client sent a non-empty one (RFC 4616 §2).
    pub authzid: Option<String>,
    /// The password's octets, not yet normalised.
    pub password: SecretBytes,
    /// `PLAIN`, `LOGIN` or (IMAP's command) `login`: for the log only.
    pub mechanism: &'static str,
}

/// Octets of a user name, at most: 64 of local part, `@`, 255 of domain (RFC 5321 §4.5.3.1).
pub const MAX_NAME_BYTES: usize = 320;

impl Credentials {
    /// Takes names as they came off the wire.
    ///
    /// Blanks and line ends around a name, which people paste, are left out. A name that is empty, too long, not UTF-8
    /// or holds a control character becomes U+FFFD, which no mailbox is called: it fails where, how and when a wrong
    /// password fails, and nothing further on meets odd octets.
    pub fn new(username: &[u8], authzid: Option<&[u8]>, password: SecretBytes, mechanism: &'static str) -> Self {
        Self {
            username: name(username),
            authzid: authzid.map(name),
            password,
            mechanism,
        }
    }
}

impl fmt::Debug for Credentials {
    /// Without the names as well: people type their password there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("mechanism", &self.mechanism)
            .finish_non_exhaustive()
    }
}

fn name(octets: &[u8]) -> String {
    match std::str::from_utf8(octets.trim_ascii()) {
        Ok(text) if (1..=MAX_NAME_BYTES).contains(&text.len()) && !text.chars().any(char::is_control) => {
            text.to_owned()
        }
        _ => String::from('\u{fffd}'),
    }
}

/// A login that was refused because it came in clear. What the client sent with it all the same is judged by nobody; it
/// tells those who wait for a device's first sign-in that its password went over the network so.
#[derive(Debug)]
pub struct InClear {
    /// Name and password, where they were in the command itself.
    pub credentials: Option<Credentials>,
}

/// What a session wants its driver to do next.
#[derive(Debug)]
pub enum Step {
    /// Nothing complete is buffered: read more, then call [`Session::receive`] again.
    NeedInput,
    /// Send this in one write, then call [`Session::receive`] again: more input may be buffered already.
    Reply(Bytes),
    /// Send this, then start TLS; whatever the client sent behind STARTTLS is an attack and ends the connection.
    StartTls(Bytes),
    /// Judge these, then call [`Session::answer`]. Input that follows stays in the caller's buffer.
    Verify(Credentials),
    /// The client was logged in by the answer before: send this, then splice. Buffered input belongs to the splice.
    Ready(Bytes),
    /// Send this and end the connection in order.
    Close(Bytes),
}

/// The client broke a rule or a limit that ends the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtocolError {
    /// Which rule: a fixed, lower-case word for the log and the metric, such as `line_too_long`.
    pub rule: &'static str,
    /// What to send before closing; may be empty (nothing is echoed to a client that speaks HTTP).
    pub farewell: Bytes,
}

/// The verdict as far as a protocol has to know it.
#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    /// The mail store accepted the login.
    Accepted {
        /// IMAP: the mail store's capabilities after login. SMTP: unused.
        capabilities: &'a [String],
    },
    /// The login failed, or could not be judged.
    Refused {
        /// Whose fault it is, and what may be said.
        refusal: &'a Refusal,
        /// Say goodbye in the same write and end the connection.
        close: bool,
    },
}

/// Why a login is refused, as far as the client may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Any permanent cause: `[AUTHENTICATIONFAILED]`, 535 5.7.8.
    Permanent {
        /// More than the fixed text, only for somebody who proved to know the secret of a refused device.
        /// At most 140 printable ASCII characters.
        hint: Option<String>,
    },
    /// Any temporary cause, limits included: `[UNAVAILABLE]`, 454 4.7.0. The text is ours, never from outside.
    Temporary {
        /// Printable ASCII, at most 140 characters.
        text: &'static str,
    },
}

/// Whether the bytes travel under TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Implicit TLS, or after STARTTLS.
    Tls,
    /// In clear on a STARTTLS listener.
    Cleartext {
        /// A certificate is there, so STARTTLS can be offered.
        starttls: bool,
    },
}

/// The caps that a session holds before login. Each is a configuration key of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one command line without its literals, CRLF included.
    pub line_bytes: usize,
    /// Octets of one SASL response line, CRLF included (RFC 4954 §4 asks for 12288 without CRLF).
    pub sasl_line_bytes: usize,
    /// Octets of one literal (IMAP).
    pub literal_bytes: usize,
    /// Octets of one command with all its lines and literals (an ID of 30 pairs needs 32 KiB).
    pub command_bytes: usize,
    /// Commands before login, on one connection.
    pub commands: u32,
    /// Commands that were refused with BAD or 5xx for their syntax, on one connection.
    pub bad_commands: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes: 8192,
            sasl_line_bytes: 13 * 1024,
            literal_bytes: 4096,
            command_bytes: 65_536,
            commands: 100,
            bad_commands: 10,
        }
    }
}

/// One protocol conversation before login.
pub trait Session: Send {
    /// The greeting; `Close` where the gateway is known to be unable to serve (`unavailable`): said here, no client takes
    /// it for a wrong password.
    fn greet(&mut self, unavailable: bool) -> Step;

    /// Takes what is complete from the front of `input` and says what to do. Never blocks, never keeps a copy of
    /// what it did not consume, and consumes at most one command a call.
    ///
    /// # Errors
    /// The client broke a rule that ends the connection.
    fn receive(&mut self, input: &mut BytesMut) -> Result<Step, ProtocolError>;

    /// Answers the credentials of the last [`Step::Verify`].
    fn answer(&mut self, answer: Answer<'_>) -> Step;

    /// The session after TLS came up: as after the greeting, with nothing the client said before (RFC 3207 §4.2), but
    /// with the counts of commands going on.
    fn secured(self: Box<Self>) -> Box<dyn Session>;

    /// What to say when the gateway ends the connection before login (`text` is printable ASCII of ours).
    fn farewell(&self, text: &str) -> Bytes;

    /// Takes what is known of a login that was refused, since this was asked last, because it came in clear.
    fn in_clear(&mut self) -> Option<InClear>;

    /// What the client calls itself (IMAP ID, EHLO), printable and at most 256 octets; for the log and the device.
    fn client_name(&self) -> Option<String>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn check(octets: &[u8], expect: &str) {
        let credentials = Credentials::new(octets, Some(octets), Secret::new(Vec::new()), "PLAIN");
        assert_eq!(credentials.username, expect);
        assert_eq!(credentials.authzid.as_deref(), Some(expect));
    }

    #[test]
    fn a_name_is_kept_as_typed_but_for_the_blanks_around_it() {
        check(b" Anna@Example.ORG\r\n", "Anna@Example.ORG");
        check("zo\u{eb} x@example.org".as_bytes(), "zo\u{eb} x@example.org");
        check(&[b'n'; MAX_NAME_BYTES], &"n".repeat(MAX_NAME_BYTES));
    }

    #[test]
    fn a_name_that_cannot_exist_becomes_one_that_nobody_has() {
        for odd in [
            &b""[..],
            b" ",
            b"an\0na",
            b"an\r\nna",
            b"an\x7fna",
            b"\xff",
            "\u{85}a".as_bytes(),
            &[b'n'; 321],
        ] {
            check(odd, "\u{fffd}");
        }
    }
}
