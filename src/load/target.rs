//! Where the load goes and who logs in.

use std::net::SocketAddr;

use super::client_tls::ClientTls;
use super::failure::Failure;
use crate::model::password::PlainPassword;
use crate::peer::Protocol;
use crate::secret::{Secret, SecretBytes};

/// A mail server, and how to reach it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where to connect.
    pub address: SocketAddr,
    /// The name that its certificate must have: a host name or an address.
    pub server_name: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// When TLS begins.
    pub security: Security,
    /// How TLS is spoken.
    pub tls: ClientTls,
}

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// At once (RFC 8314 §3).
    ImplicitTls,
    /// After STARTTLS; a server that does not offer it is a failure.
    StartTls,
    /// Never: passwords travel in clear.
    Cleartext,
}

impl Security {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ImplicitTls => "tls",
            Self::StartTls => "starttls",
            Self::Cleartext => "cleartext",
        }
    }
}

/// Somebody who logs in.
#[derive(Debug)]
pub struct Account {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: SecretBytes,
}

impl Account {
    /// An account with a password that is made up: one of the gateway's form, which takes others for typing errors.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn made_up(username: &str) -> Result<Self, Failure> {
        let mut outcome = Ok(());
        let password = PlainPassword::generate(&mut |octets| {
            if let Err(error) = getrandom::fill(octets) {
                // What is made of these is thrown away.
                octets.fill(0);
                outcome = Err(Failure::Local(format!("no random numbers: {error}")));
            }
        });
        outcome?;
        Ok(Self {
            username: username.to_owned(),
            password: Secret::new(password.shown().expose().as_bytes().to_vec()),
        })
    }
}

/// How the password is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// SASL PLAIN (RFC 4616).
    Plain,
    /// IMAP: the command LOGIN. SMTP: the SASL mechanism LOGIN, which some servers offer alone.
    Login,
}
