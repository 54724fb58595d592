//! `[client_settings]`: what people are told to type into their mail programs.
//!
//! By default host and ports are our own; behind a load balancer they are whatever the world sees.

use super::file;
use super::section::Section;
use crate::listen::{ListenerConfig, TlsMode};
use crate::model::name::is_unshowable;
use crate::onboard::{Service, Settings};
use crate::peer::Protocol;

/// The longest name of the service, in characters: it stands in lists of accounts.
const PROVIDER_MAX: usize = 60;

/// Completes the section from the listeners.
pub(super) fn check(
    section: &mut Section<'_, '_>,
    raw: &file::ClientSettings,
    hostname: &str,
    listeners: &[ListenerConfig],
) -> Settings {
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
            Some(Service {
                host: host
                    .as_ref()
                    .map_or_else(|| hostname.to_owned(), |host| host.get_ref().clone()),
                port: port
                    .as_ref()
                    .map_or_else(|| listener.address.port(), |port| *port.get_ref()),
                implicit_tls: security.as_ref().map_or(listener.tls == TlsMode::Implicit, |security| {
                    matches!(security.get_ref(), file::ListenerSecurity::Tls)
                }),
            })
        };
    Settings {
        provider: provider(section, raw, hostname),
        imap: service(Protocol::Imap, &raw.imap_host, &raw.imap_port, &raw.imap_security),
        smtp: service(Protocol::Smtp, &raw.smtp_host, &raw.smtp_port, &raw.smtp_security),
    }
}

/// The other way to each protocol, IMAP first: TLS beside STARTTLS, or the other way round. Where the file says what people
/// are told, something stands in front of our listeners, and what it offers besides is not known.
pub(super) fn beside(
    raw: &file::ClientSettings,
    told: &Settings,
    listeners: &[ListenerConfig],
) -> [Option<Service>; 2] {
    let other = |protocol, told: &Option<Service>, is_said: bool| {
        let told = told.as_ref().filter(|_| !is_said)?;
        let others: Vec<ListenerConfig> = listeners
            .iter()
            .filter(|listener| !listener.address.ip().is_loopback())
            .filter(|listener| (listener.tls == TlsMode::Implicit) != told.implicit_tls)
            .cloned()
            .collect();
        Some(Service {
            host: told.host.clone(),
            port: best(&others, protocol)?.address.port(),
            implicit_tls: !told.implicit_tls,
        })
    };
    [
        other(
            Protocol::Imap,
            &told.imap,
            raw.imap_port.is_some() || raw.imap_security.is_some(),
        ),
        other(
            Protocol::Smtp,
            &told.smtp,
            raw.smtp_port.is_some() || raw.smtp_security.is_some(),
        ),
    ]
}

/// What people know the service by.
fn provider(section: &mut Section<'_, '_>, raw: &file::ClientSettings, hostname: &str) -> String {
    let Some(given) = &raw.provider else {
        return hostname.to_owned();
    };
    let name = given.get_ref().trim();
    let fits = !name.is_empty() && name.chars().count() <= PROVIDER_MAX && !name.chars().any(is_unshowable);
    if !fits {
        section.error(
            "client_settings.provider",
            &raw.provider,
            format!("mail programs show it in lists; write 1 to {PROVIDER_MAX} letters, such as \"Example Mail\""),
        );
    }
    name.to_owned()
}

/// The listener that people should use: one that others can reach before a loopback one, implicit TLS before STARTTLS
/// (RFC 8314 §3).
fn best(listeners: &[ListenerConfig], protocol: Protocol) -> Option<&ListenerConfig> {
    listeners
        .iter()
        .filter(|listener| listener.protocol == protocol)
        .min_by_key(|listener| (listener.address.ip().is_loopback(), listener.tls == TlsMode::StartTls))
}
