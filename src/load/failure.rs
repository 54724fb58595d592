//! What can go wrong with one operation, by kind: the kinds are what reports count.

use std::io;

use super::wire::excerpt;

/// Why an operation failed. The texts are for people and hold at most a line of the server's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No TCP connection: refused, unreachable.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// This machine has no file, port or address left for the connection.
    #[error("this machine cannot open the connection: {0}")]
    Local(String),
    /// The other side does not speak TLS, or none that we speak.
    #[error("no TLS: {0}")]
    Tls(String),
    /// The server's certificate is not trusted, has ended, or is for another name.
    #[error("the certificate is refused: {0}")]
    Certificate(String),
    /// A step took longer than its limit; the word says which.
    #[error("no end of {0} within the time of a step")]
    Timeout(&'static str),
    /// The other side closed the connection without a word.
    #[error("the connection was closed")]
    Closed,
    /// The server does not offer what the step needs.
    #[error("the server does not offer {0}")]
    Unsupported(&'static str),
    /// The server calls the user name or the password wrong.
    #[error("the server says that user name or password are wrong")]
    WrongPassword,
    /// The server refuses for now, or says goodbye.
    #[error("temporarily refused: {0}")]
    Unavailable(String),
    /// The server refuses for good, for another reason than the password.
    #[error("refused: {0}")]
    Refused(String),
    /// The answer breaks the protocol, or is not the content that was stored.
    #[error("wrong answer: {0}")]
    BadAnswer(String),
}

impl Failure {
    /// The kind, as reports count it: a fixed, lower-case word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::Local(_) => "local",
            Self::Tls(_) => "tls",
            Self::Certificate(_) => "certificate",
            Self::Timeout(_) => "timeout",
            Self::Closed => "closed",
            Self::Unsupported(_) => "unsupported",
            Self::WrongPassword => "wrong_password",
            Self::Unavailable(_) => "unavailable",
            Self::Refused(_) => "refused",
            Self::BadAnswer(_) => "bad_answer",
        }
    }

    /// Without the server's words, of which only the code stays: a server may repeat what it was sent, and at the login that
    /// is a password.
    #[must_use]
    pub(super) fn without_words(self) -> Self {
        match self {
            Self::Unavailable(text) => Self::Unavailable(code_of(&text)),
            Self::Refused(text) => Self::Refused(code_of(&text)),
            Self::BadAnswer(_) => Self::BadAnswer("what followed the login is no answer to it".to_owned()),
            other => other,
        }
    }

    /// A connection that broke while it was used.
    pub(super) fn broken(error: &io::Error) -> Self {
        tls_failure(error).unwrap_or(Self::Closed)
    }

    /// A socket that could not be bound or connected. What the kernel says of ports and files is about this machine.
    pub(super) fn connecting(error: &io::Error) -> Self {
        use io::ErrorKind::{AddrInUse, AddrNotAvailable};
        /// `EMFILE` and `ENFILE`, which the standard library has no kind for.
        const NO_FILES: [i32; 2] = [24, 23];
        let is_local = matches!(error.kind(), AddrInUse | AddrNotAvailable)
            || error.raw_os_error().is_some_and(|code| NO_FILES.contains(&code));
        if is_local {
            Self::Local(error.to_string())
        } else {
            Self::Connect(error.to_string())
        }
    }

    /// A TLS handshake that did not come to its end.
    pub(super) fn handshake(error: &io::Error) -> Self {
        match (tls_failure(error), error.kind()) {
            (Some(failure), _) => failure,
            (None, io::ErrorKind::UnexpectedEof) => Self::Closed,
            (None, io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => Self::Closed,
            (None, _) => Self::Tls(error.to_string()),
        }
    }

    /// An answer that is none of the possible ones.
    pub(super) fn unexpected(what: &str, line: &[u8]) -> Self {
        Self::BadAnswer(format!("expected {what}, got `{}`", excerpt(line)))
    }
}

fn tls_failure(error: &io::Error) -> Option<Failure> {
    let error: &rustls::Error = error.get_ref()?.downcast_ref()?;
    Some(match error {
        rustls::Error::InvalidCertificate(_) => Failure::Certificate(error.to_string()),
        _ => Failure::Tls(error.to_string()),
    })
}

/// `[UNAVAILABLE]` of IMAP, `454 4.7.0` of SMTP.
fn code_of(text: &str) -> String {
    if let Some((code, _)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        let is_code = code.len() <= 24 && code.bytes().all(|octet| octet.is_ascii_uppercase() || octet == b'-');
        return if is_code {
            format!("[{code}]")
        } else {
            "no code".to_owned()
        };
    }
    let is_number = |word: &&str| word.len() <= 8 && word.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
    let numbers: Vec<&str> = text.split([' ', '-']).take(2).take_while(is_number).collect();
    if numbers.is_empty() {
        "no code".to_owned()
    } else {
        numbers.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_refused_login_only_the_code_is_told() {
        for (said, told) in [
            ("[UNAVAILABLE] try later", "[UNAVAILABLE]"),
            ("[hunter2] no", "no code"),
            ("unknown: LOGIN \"anna\" \"hunter2\"", "no code"),
            ("454 4.7.0 later, hunter2", "454 4.7.0"),
            ("500-unrecognized AUTH PLAIN AGFu", "500"),
        ] {
            assert_eq!(
                Failure::Refused(said.to_owned()).without_words(),
                Failure::Refused(told.to_owned())
            );
        }
        let wrong = Failure::BadAnswer("got `LOGIN anna hunter2`".to_owned()).without_words();
        assert!(!wrong.to_string().contains("hunter2"), "{wrong}");
    }
}
