//! Why a mail was not sent: at which step, for good or for now, and in whose words.

use std::fmt;
use std::io;
use std::time::Duration;

use lettre::transport::smtp::Error as SmtpError;
use rustls::CertificateError;

use crate::smtp::client;

use super::Error;

/// So many letters of a secret tell it from anything else that a mail server says.
const SECRET_HEAD: usize = 8;

/// The steps of an attempt, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The mail is put into words.
    Content,
    /// TCP.
    Connection,
    /// The handshake, and STARTTLS before it.
    Tls,
    /// The server's greeting and its answer to ours.
    Greeting,
    /// AUTH.
    Login,
    /// MAIL.
    Sender,
    /// RCPT.
    Recipient,
    /// DATA, until the server says that it has taken the mail.
    Message,
}

impl Stage {
    /// The fixed word, in logs and in what people are told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Login => "login",
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::Message => "message",
        }
    }
}

/// Why a mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// At which step.
    pub stage: Stage,
    /// Trying again will not help: the server refused this mail, or it cannot be put into words.
    pub permanent: bool,
    /// Reply code and enhanced status code, which name nobody.
    pub reply: Option<String>,
    /// For people: the server's own words among them, which may name the recipient.
    pub words: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl Failure {
    /// Something that passes, or that an operator mends.
    pub(super) fn passing(stage: Stage, words: impl Into<String>) -> Self {
        Self {
            stage,
            permanent: false,
            reply: None,
            words: words.into(),
        }
    }

    /// The mail itself cannot be sent.
    pub(super) fn of_content(error: &Error) -> Self {
        Self {
            stage: Stage::Content,
            permanent: error.is_permanent(),
            reply: None,
            words: error.to_string(),
        }
    }

    /// The same where the mail server may have repeated the secret of a link.
    pub(super) fn without(mut self, secret: &str) -> Self {
        // Whole or in part: what is left of a secret that was cut is a help to whoever guesses.
        let known = secret.get(..SECRET_HEAD).unwrap_or(secret);
        while let Some(start) = self.words.find(known) {
            let end = self
                .words
                .get(start..)
                .and_then(|rest| rest.find(|c: char| !is_of_secret(c)));
            let end = end.map_or(self.words.len(), |length| start + length);
            self.words.replace_range(start..end, "[secret]");
        }
        self
    }

    /// Nothing was heard in time.
    pub(super) fn timeout(stage: Stage, limit: Duration) -> Self {
        Self::passing(
            stage,
            format!(
                "the mail server did not answer in time ({}, {limit:?} in all)",
                stage.name()
            ),
        )
    }

    /// What lettre says. A refusal is for good only where it concerns this mail: a wrong password or a closed port is
    /// for an operator to mend, and then the mail goes out.
    pub(super) fn of_smtp(stage: Stage, error: &SmtpError) -> Self {
        let said = std::error::Error::source(error)
            .map(ToString::to_string)
            .unwrap_or_default();
        let Some(code) = error.status() else {
            let words = match said.as_str() {
                "incomplete response" => format!("the mail server closed the connection ({})", stage.name()),
                "" => format!("the mail server cannot be spoken to ({}): {error}", stage.name()),
                said => format!("the mail server cannot be spoken to ({}): {said}", stage.name()),
            };
            return Self {
                // What lettre itself refuses: an address that the server could not take.
                permanent: error.is_client() && stage >= Stage::Sender,
                ..Self::passing(stage, words)
            };
        };
        let permanent = error.is_permanent() && stage >= Stage::Sender;
        let refused = if error.is_permanent() {
            "refused"
        } else {
            "does not take"
        };
        let now = if error.is_permanent() { "" } else { " now" };
        let advice = match stage {
            Stage::Login => "; check username and password_file under [mail]",
            Stage::Sender if permanent => "; check from under [mail]",
            _ => "",
        };
        let enhanced = said.split(' ').next().filter(|word| is_enhanced(word));
        Self {
            stage,
            permanent,
            reply: Some(enhanced.map_or_else(|| code.to_string(), |enhanced| format!("{code} {enhanced}"))),
            words: format!(
                "the mail server {refused} the {}{now}: {code} {said}{advice}",
                stage.name()
            ),
        }
    }

    /// What was said in clear before STARTTLS.
    pub(super) fn of_clear(error: &client::Error) -> Self {
        let words = match error {
            client::Error::Unsupported { what } => format!(
                "the mail server does not offer {what}: set tls = \"required\" under [mail] with the port that speaks TLS at once"
            ),
            client::Error::Refused { command, code } | client::Error::Temporary { command, code } => {
                format!("the mail server refused {command} with {code}")
            }
            client::Error::Protocol { command, what } => {
                format!("the mail server broke the protocol after {command}: {what}")
            }
        };
        Self::passing(Stage::Tls, words)
    }

    /// A handshake that failed.
    pub(super) fn of_tls(host: &str, error: &io::Error) -> Self {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        Self::passing(
            Stage::Tls,
            format!("TLS with {host} failed: {error}; {}", advice(cause)),
        )
    }
}

/// What an operator can do about a mail server whose certificate was not accepted.
const fn advice(cause: Option<&rustls::Error>) -> &'static str {
    match cause {
        Some(rustls::Error::InvalidCertificate(problem)) => match problem {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has ended: renew it there"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet: check the clocks of both machines"
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "nobody trusted signed its certificate: name its authority as ca under [mail]"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for other names: set host under [mail] to one of them"
            }
            _ => "replace its certificate",
        },
        Some(rustls::Error::InvalidMessage(_)) => {
            "the port does not answer in TLS: check port under [mail], and whether tls should be \"starttls\""
        }
        _ => "check that the port speaks TLS 1.2 or 1.3, and the mail server's log",
    }
}

/// What the secret of a link is made of.
const fn is_of_secret(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// RFC 3463 §2: `class.subject.detail`.
fn is_enhanced(word: &str) -> bool {
    let mut parts = word.split('.');
    let is_number =
        |part: Option<&str>| part.is_some_and(|part| (1..=3).contains(&part.len()) && part.parse::<u16>().is_ok());
    is_number(parts.next()) && is_number(parts.next()) && is_number(parts.next()) && parts.next().is_none()
}
