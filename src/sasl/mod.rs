//! The SASL mechanisms that clients use before login: PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login).
//!
//! An [`Exchange`] eats the base64 lines of one authentication and ends with [`Credentials`]. How a protocol frames a
//! challenge, and what it answers to an error, is the protocol's own. Judging the credentials is the verifier's work:
//! a name that cannot exist still becomes credentials, so that it fails on the same clock as a wrong password.
//!
//! Deliberate deviation: LOGIN takes the user name as an initial response although it is a server-first mechanism
//! (RFC 4422 §3), as Python's smtplib, Konica copiers and Veeam send it and MS-XLOGIN describes it.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice
    )
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::preauth::Credentials;
use crate::secret::{Secret, SecretBytes};

#[cfg(test)]
mod tests;

/// Octets of a password, at most; generated ones have 19, imported ones are capped far below.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// What LOGIN asks first: `Username:`. Xerox printers give up on any other text.
const USERNAME_PROMPT: &str = "VXNlcm5hbWU6";
/// What LOGIN asks next: `Password:`.
const PASSWORD_PROMPT: &str = "UGFzc3dvcmQ6";

/// A mechanism that clients may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// Two prompts, name and password.
    Login,
    /// One message, RFC 4616.
    Plain,
}

impl Mechanism {
    /// Finds a mechanism by its name, in any case.
    pub const fn from_name(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"PLAIN") {
            Some(Self::Plain)
        } else if name.eq_ignore_ascii_case(b"LOGIN") {
            Some(Self::Login)
        } else {
            None
        }
    }

    /// The registered name, as it stands in capabilities and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "LOGIN",
            Self::Plain => "PLAIN",
        }
    }
}

/// Why an exchange ended without credentials: BAD in IMAP, 501 in SMTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The line is not strict, padded base64 (RFC 4648 §4).
    #[error("response is not valid base64")]
    BadBase64,
    /// The client sent `*` (RFC 9051 §6.2.2, RFC 4954 §4).
    #[error("client cancelled the authentication")]
    Cancelled,
    /// The decoded response breaks the mechanism's syntax or a limit.
    #[error("response does not fit the mechanism")]
    Malformed,
}

/// What a client sent that put all it has to say into the command itself; nothing where it waits for a prompt.
pub fn in_one_line(mechanism: &[u8], initial: Option<&[u8]>) -> Option<Credentials> {
    match Exchange::start(Mechanism::from_name(mechanism)?, initial) {
        Ok(Progress::Done(credentials)) => Some(credentials),
        Ok(Progress::Challenge { .. }) | Err(_) => None,
    }
}

/// What comes next in an authentication.
#[derive(Debug)]
pub enum Progress {
    /// Send the challenge, then hand the client's next line to the exchange.
    Challenge {
        /// Base64 text, empty for PLAIN, without the protocol's prefix (`+ `, `334 `).
        text: &'static str,
        /// The exchange, waiting for the line.
        exchange: Exchange,
    },
    /// The client has said all it will say.
    Done(Credentials),
}

/// One authentication that waits for a line of the client.
#[derive(Debug)]
pub struct Exchange(Expect);

/// What the next line has to be.
#[derive(Debug)]
enum Expect {
    LoginName,
    LoginPassword { username: SecretBytes },
    PlainMessage,
}

impl Exchange {
    /// Begins an authentication; `initial` is the initial response in base64 as sent, where `=` means an empty one.
    ///
    /// # Errors
    /// The initial response is no base64, or does not fit the mechanism.
    pub fn start(mechanism: Mechanism, initial: Option<&[u8]>) -> Result<Progress, Error> {
        let expect = match mechanism {
            Mechanism::Login => Expect::LoginName,
            Mechanism::Plain => Expect::PlainMessage,
        };
        match initial {
            Some(b"=") => expect.take(Zeroizing::default()),
            Some(response) => expect.take(decode(response)?),
            None => Ok(expect.challenge()),
        }
    }

    /// Takes the client's next line, without its CRLF.
    ///
    /// # Errors
    /// The line is `*`, no base64, or does not fit the mechanism. The exchange is over.
    pub fn respond(self, line: &[u8]) -> Result<Progress, Error> {
        if line == b"*" {
            return Err(Error::Cancelled);
        }
        self.0.take(decode(line)?)
    }
}

impl Expect {
    const fn challenge(self) -> Progress {
        let text = match &self {
            Self::LoginName => USERNAME_PROMPT,
            Self::LoginPassword { .. } => PASSWORD_PROMPT,
            Self::PlainMessage => "",
        };
        Progress::Challenge {
            text,
            exchange: Exchange(self),
        }
    }

    fn take(self, mut response: Zeroizing<Vec<u8>>) -> Result<Progress, Error> {
        match self {
            Self::LoginName if response.is_empty() => Err(Error::Malformed),
            Self::LoginName => {
                // A secret as well: people type their password into the wrong field.
                let username = Secret::new(std::mem::take(&mut *response));
                Ok(Self::LoginPassword { username }.challenge())
            }
            Self::LoginPassword { username } => {
                let password = password(&response)?;
                Ok(Progress::Done(Credentials::new(
                    username.expose(),
                    None,
                    password,
                    Mechanism::Login.name(),
                )))
            }
            Self::PlainMessage => plain(&response).map(Progress::Done),
        }
    }
}

/// ```text
/// message = [authzid] UTF8NUL authcid UTF8NUL passwd
/// ```
fn plain(message: &[u8]) -> Result<Credentials, Error> {
    let mut fields = message.split(|&octet| octet == 0);
    let (Some(authzid), Some(authcid), Some(passwd), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(Error::Malformed);
    };
    if authcid.is_empty() {
        return Err(Error::Malformed);
    }
    let authzid = (!authzid.is_empty()).then_some(authzid);
    Ok(Credentials::new(
        authcid,
        authzid,
        password(passwd)?,
        Mechanism::Plain.name(),
    ))
}

fn password(octets: &[u8]) -> Result<SecretBytes, Error> {
    if octets.is_empty() || octets.len() > MAX_PASSWORD_BYTES || octets.contains(&0) {
        return Err(Error::Malformed);
    }
    Ok(Secret::new(octets.to_vec()))
}

/// Strict base64: padded, without foreign characters, without stray bits at the end.
fn decode(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    // With this capacity the decoder never reallocates, which would leave an unwiped copy behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(base64::decoded_len_estimate(text.len())));
    STANDARD.decode_vec(text, &mut octets).map_err(|_| Error::BadBase64)?;
    Ok(octets)
}

/// The message of PLAIN in base64, for a login upstream; `authzid` may be empty.
pub fn encode_plain(authzid: &str, authcid: &str, password: &[u8]) -> SecretBytes {
    let parts: [&[u8]; 5] = [authzid.as_bytes(), b"\0", authcid.as_bytes(), b"\0", password];
    let length = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
    let mut message = Zeroizing::new(Vec::with_capacity(length));
    for part in parts {
        message.extend_from_slice(part);
    }
    encode(&message)
}

/// One response in base64, without a stray copy.
pub fn encode(response: &[u8]) -> SecretBytes {
    let capacity = base64::encoded_len(response.len(), true).unwrap_or_default();
    let mut text = Zeroizing::new(vec![0; capacity]);
    let length = STANDARD.encode_slice(response, &mut text).unwrap_or_default();
    text.truncate(length);
    Secret::new(std::mem::take(&mut *text))
}
