//! One command line as its verb and what follows (RFC 5321 §4.1.1, §2.4).
//!
//! Only the verb is judged here; each verb's arguments have a grammar of their own in [`super::syntax`]. Verbs that are
//! not in the list are one case, so that whoever matches on a [`Command`] refuses what nobody thought of.

use super::syntax;
use crate::secret::Borrowed;
use crate::wire::HTTP_METHODS;

/// A command line, with its arguments where they matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command<'a> {
    /// `AUTH` and its mechanism and initial response (RFC 4954 §4).
    Auth(Borrowed<'a>),
    /// `BDAT` and its size (RFC 3030 §2).
    Bdat(&'a [u8]),
    /// `DATA`; arguments are an error.
    Data(&'a [u8]),
    /// `EHLO` and a name, which may be missing.
    Ehlo(&'a [u8]),
    /// `HELO` and a name, which may be missing.
    Helo(&'a [u8]),
    /// `HELP`, whatever follows.
    Help,
    /// A verb of HTTP: a browser was made to speak to us, nobody else says one.
    Http,
    /// `MAIL`, with `FROM:<...>` and parameters.
    Mail(&'a [u8]),
    /// `NOOP`, whatever follows.
    Noop,
    /// Any other verb: ETRN, EXPN, TURN, XCLIENT, PROXY and everything unheard of.
    Other,
    /// `QUIT`, whatever follows.
    Quit,
    /// `RCPT`, with `TO:<...>` and parameters.
    Rcpt(&'a [u8]),
    /// `RSET`; arguments are an error.
    Rset(&'a [u8]),
    /// `STARTTLS`; arguments are an error (RFC 3207 §4).
    StartTls(&'a [u8]),
    /// `VRFY`, whatever follows.
    Vrfy,
}

impl<'a> Command<'a> {
    /// Reads a line without its CRLF. `None` is a line that is no command: it does not begin with a word of letters,
    /// or it holds a control character. Blanks at the end are left out (RFC 5321 §4.1.1).
    pub fn read(line: &'a [u8]) -> Option<Self> {
        let line = line.trim_ascii_end();
        if line.iter().any(u8::is_ascii_control) {
            return None;
        }
        let (verb, arguments) = syntax::verb(line)?;
        Some(match verb.to_ascii_uppercase().as_slice() {
            b"AUTH" => Self::Auth(Borrowed(arguments)),
            b"BDAT" => Self::Bdat(arguments),
            b"DATA" => Self::Data(arguments),
            b"EHLO" => Self::Ehlo(arguments),
            b"HELO" => Self::Helo(arguments),
            b"HELP" => Self::Help,
            b"MAIL" => Self::Mail(arguments),
            b"NOOP" => Self::Noop,
            b"QUIT" => Self::Quit,
            b"RCPT" => Self::Rcpt(arguments),
            b"RSET" => Self::Rset(arguments),
            b"STARTTLS" => Self::StartTls(arguments),
            b"VRFY" => Self::Vrfy,
            other if HTTP_METHODS.contains(&other) => Self::Http,
            _ => Self::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_read_in_any_case_and_with_blanks_behind() {
        assert_eq!(Command::read(b"ehlo vm  "), Some(Command::Ehlo(b"vm")));
        assert_eq!(Command::read(b"Helo"), Some(Command::Helo(b"")));
        assert_eq!(Command::read(b"Noop what ever"), Some(Command::Noop));
        assert_eq!(
            Command::read(b"mail FROM:<a@b.example>"),
            Some(Command::Mail(b"FROM:<a@b.example>"))
        );
        assert_eq!(Command::read(b"get / HTTP/1.1"), Some(Command::Http));
    }

    #[test]
    fn verbs_that_nobody_serves_are_one_case() {
        for line in [
            "XCLIENT ADDR=192.0.2.1",
            "XFORWARD",
            "PROXY TCP4",
            "ETRN x",
            "EXPN x",
            "SEND FROM:<a@b>",
            "BURL x",
        ] {
            assert_eq!(Command::read(line.as_bytes()), Some(Command::Other), "{line}");
        }
    }

    #[test]
    fn a_line_that_is_no_command_is_none() {
        for line in [
            &b""[..],
            b" NOOP",
            b"\x16\x03\x01",
            b"NOOP\tx",
            b"MAIL\0FROM:<a@b>",
            b"+OK",
            b"1 LOGIN",
            b"DATA\x1bx",
            b"R\xc3\xa9SET",
        ] {
            assert_eq!(Command::read(line), None, "{line:?}");
        }
    }
}
