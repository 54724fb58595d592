//! Settings of the outbox: the mail server that takes our mail, and what mails look like.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;

use crate::model::name::is_unshowable;
use crate::model::{Address, Origin};
use crate::secret::SecretBytes;

/// The longest name in front of the sender's address, in characters.
const SENDER_NAME_MAX: usize = 100;

/// Settings of the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where mail goes; none: nothing is sent.
    pub server: Option<Server>,
    /// Where links lead; none: mails with a link cannot be sent.
    pub origin: Option<Origin>,
    /// The gateway's name, for Message-IDs.
    pub hostname: String,
}

/// The mail server that takes our mail.
#[derive(Clone)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub security: Security,
    /// Trust this authority in place of the system's.
    pub ca: Option<PathBuf>,
    /// How we log in, if we do.
    pub credentials: Option<Credentials>,
    /// Who mails are from.
    pub from: Sender,
    /// Our name in EHLO.
    pub hello: String,
    /// How long one attempt may take, from connecting to the answer to the message.
    pub timeout: Duration,
    /// How long after the first failure the second attempt follows.
    pub first_retry: Duration,
}

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// In clear: on this machine only.
    Cleartext,
    /// STARTTLS, or nothing is said.
    StartTls,
    /// TLS from the first octet.
    Tls,
}

/// A user of the mail server.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: Arc<SecretBytes>,
}

/// A text that is not `Name <address>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sender is an address, or a name and an address such as \"Postern <postern@example.org>\"")]
pub struct BadSender;

/// Who mails are from: an address, with or without a name.
#[derive(Clone, PartialEq, Eq)]
pub struct Sender(Mailbox);

impl Sender {
    /// Reads `name@example.org` or `Name <name@example.org>`.
    ///
    /// # Errors
    /// It is neither, or the name has characters that cannot be shown safely.
    pub fn parse(text: &str) -> Result<Self, BadSender> {
        let text = text.trim();
        if text.chars().any(is_unshowable) {
            return Err(BadSender);
        }
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"').trim(), address),
            None => ("", text),
        };
        if name.chars().count() > SENDER_NAME_MAX || name.contains(['<', '>', '@', '"']) {
            return Err(BadSender);
        }
        let address = Address::parse(address).map_err(|_| BadSender)?;
        // A server without SMTPUTF8 would refuse every mail.
        let is_ascii = address.as_str().is_ascii();
        let address = address.as_str().parse().ok().filter(|_| is_ascii).ok_or(BadSender)?;
        let name = (!name.is_empty()).then(|| name.to_owned());
        Ok(Self(Mailbox::new(name, address)))
    }

    pub(super) const fn mailbox(&self) -> &Mailbox {
        &self.0
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.name {
            Some(name) => write!(f, "{name} <{}>", self.0.email),
            None => self.0.email.fmt(f),
        }
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("ca", &self.ca)
            .field("username", &self.credentials.as_ref().map(|user| &user.username))
            .field("from", &self.from)
            .field("hello", &self.hello)
            .field("timeout", &self.timeout)
            .field("first_retry", &self.first_retry)
            .finish()
    }
}

impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        self.username == other.username && self.password.expose() == other.password.expose()
    }
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        (&self.host, self.port, self.security, &self.ca, &self.credentials)
            == (&other.host, other.port, other.security, &other.ca, &other.credentials)
            && (&self.from, &self.hello, self.timeout, self.first_retry)
                == (&other.from, &other.hello, other.timeout, other.first_retry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        for (text, shown) in [
            ("postern@example.org", "postern@example.org"),
            ("<Postern@Example.ORG>", "postern@example.org"),
            ("Postern <postern@example.org>", "Postern <postern@example.org>"),
            (
                "\"Acme, mail\" <a@bücher.example>",
                "Acme, mail <a@xn--bcher-kva.example>",
            ),
            ("Zoë <a@example.org>", "Zoë <a@example.org>"),
        ] {
            assert_eq!(
                Sender::parse(text).map(|sender| sender.to_string()),
                Ok(shown.to_owned())
            );
        }
    }

    #[test]
    fn what_is_no_sender_is_refused() {
        for text in [
            "",
            "Postern",
            "a@b@example.org <",
            "A <a@example.org> B",
            "A\r\nBcc: x <a@example.org>",
            "A\u{202e} <a@example.org>",
            "a@evil.example <a@example.org>",
            "zoë@example.org",
            "A <a@example.org\r\n>",
        ] {
            assert_eq!(Sender::parse(text), Err(BadSender), "{text:?}");
        }
    }
}
