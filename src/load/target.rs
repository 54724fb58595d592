//! Where the load goes and who logs in.

use std::net::SocketAddr;

use super::client_tls::ClientTls;
use crate::peer::Protocol;
use crate::secret::SecretBytes;

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

/// How the password is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// SASL PLAIN (RFC 4616).
    Plain,
    /// IMAP: the command LOGIN. SMTP: the SASL mechanism LOGIN, which some servers offer alone.
    Login,
}
