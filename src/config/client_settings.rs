//! `[client_settings]`: what people are told to type into their mail programs.
//!
//! By default host and ports are our own; behind a load balancer they are whatever the world sees.

use super::file;
use super::section::Section;
use crate::listen::{ListenerConfig, TlsMode};
use crate::peer::Protocol;

/// How a mail program reaches one protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientService {
    /// The server name.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Implicit TLS or STARTTLS.
    pub security: TlsMode,
}

/// The settings to type; the user name is the mailbox's full address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientSettings {
    /// Reading mail; `None` where there is no IMAP listener.
    pub imap: Option<ClientService>,
    /// Sending mail; `None` where there is no SMTP listener.
    pub smtp: Option<ClientService>,
}

/// Completes the section from the listeners.
pub(super) fn check(
    section: &mut Section<'_, '_>,
    raw: &file::ClientSettings,
    hostname: &str,
    listeners: &[ListenerConfig],
) -> ClientSettings {
    for (name, key) in [("imap_host", &raw.imap_host), ("smtp_host", &raw.smtp_host)] {
        if let Some(host) = key
            && (host.get_ref().is_empty()
                || !host
                    .get_ref()
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || b".-".contains(&octet)))
        {
            section.error(
                &format!("client_settings.{name}"),
                key,
                format!(
                    "`{}` is not a host name; write one such as \"mail.example.org\"",
                    host.get_ref()
                ),
            );
        }
    }
    for (name, key) in [("imap_port", &raw.imap_port), ("smtp_port", &raw.smtp_port)] {
        section.number(&format!("client_settings.{name}"), key, 1, 1..=u16::MAX);
    }
    let service =
        |protocol, host: &file::Key<String>, port: &file::Key<u16>, security: &file::Key<file::ListenerSecurity>| {
            let listener = best(listeners, protocol)?;
            Some(ClientService {
                host: host
                    .as_ref()
                    .map_or_else(|| hostname.to_owned(), |host| host.get_ref().clone()),
                port: port
                    .as_ref()
                    .map_or_else(|| listener.address.port(), |port| *port.get_ref()),
                security: security
                    .as_ref()
                    .map_or(listener.tls, |security| match security.get_ref() {
                        file::ListenerSecurity::Tls => TlsMode::Implicit,
                        file::ListenerSecurity::Starttls => TlsMode::StartTls,
                    }),
            })
        };
    ClientSettings {
        imap: service(Protocol::Imap, &raw.imap_host, &raw.imap_port, &raw.imap_security),
        smtp: service(Protocol::Smtp, &raw.smtp_host, &raw.smtp_port, &raw.smtp_security),
    }
}

/// The listener that people should use: one that others can reach before a loopback one, implicit TLS before STARTTLS
/// (RFC 8314 §3).
fn best(listeners: &[ListenerConfig], protocol: Protocol) -> Option<&ListenerConfig> {
    listeners
        .iter()
        .filter(|listener| listener.protocol == protocol)
        .min_by_key(|listener| (listener.address.ip().is_loopback(), listener.tls == TlsMode::StartTls))
}
