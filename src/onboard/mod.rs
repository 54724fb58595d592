//! What mail programs and devices are told so that nobody has to type it: how to reach the gateway, in the formats that
//! they read.
//!
//! Values in, octets out: no socket, no clock, no store. Whoever serves or prints a document gives the [`Settings`].

pub mod android;
pub mod autoconfig;
pub mod autodiscover;
pub mod pacc;
pub mod profile;
pub mod records;
pub mod sheet;

/// How a mail program reaches one protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The server name.
    pub host: String,
    /// The port.
    pub port: u16,
    /// TLS from the first octet, and not STARTTLS.
    pub implicit_tls: bool,
}

/// What there is to say about this installation. The user name is always the mailbox's full address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// What people know the service by.
    pub provider: String,
    /// Reading mail; none where there is no IMAP listener.
    pub imap: Option<Service>,
    /// Sending mail; none where there is no SMTP listener.
    pub smtp: Option<Service>,
}

/// What tests of the formats tell about.
#[cfg(test)]
fn example() -> Settings {
    let service = |port| Service {
        host: "mail.example.org".to_owned(),
        port,
        implicit_tls: true,
    };
    Settings {
        provider: "Example Mail".to_owned(),
        imap: Some(service(993)),
        smtp: Some(service(465)),
    }
}
