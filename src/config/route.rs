//! `[[route]]`: which mail store serves which domains, and how Postern logs in there.
//!
//! Upstream credentials open every mailbox, so they come only from files that nobody else can
//! read, never from this file, an argument or the environment.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_spanned::Spanned;

use super::file::{self, Key};
use super::secret_file;
use super::section::{Section, mins, ms, or, secs, span};
use super::{Secrets, file::Login};
use crate::listen::ListenerConfig;
use crate::model::{Address, DomainName};
use crate::peer::Protocol;
use crate::secret::{Secret, SecretBytes};
use crate::tls::{CertificateConfig, ConnectorConfig};
use crate::upstream::{Endpoint, Route, Service, Strategy, Transport};

/// Checks all routes.
pub(super) fn routes(section: &mut Section<'_, '_>, raw: &[Spanned<file::Route>], secrets: Secrets) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for entry in raw {
        let route = route(section, entry, secrets);
        if routes.iter().any(|other| other.name == route.name) {
            section.error_at(
                "route.name",
                span(&entry.get_ref().name),
                format!("there are two routes named \"{}\"; rename one", route.name),
            );
        }
        if route.domains.is_empty()
            && let Some(other) = routes.iter().find(|other| other.domains.is_empty())
        {
            section.error_at(
                "route.domains",
                Some(entry.span()),
                format!(
                    "route \"{}\" is the default already; list the domains of this one",
                    other.name
                ),
            );
        }
        let taken = route.domains.iter().find_map(|domain| {
            routes
                .iter()
                .find(|other| other.domains.contains(domain))
                .map(|other| (domain, other))
        });
        if let Some((domain, other)) = taken {
            section.error_at(
                "route.domains",
                span(&entry.get_ref().domains),
                format!(
                    "{domain} is served by route \"{}\" already; name it in one route only",
                    other.name
                ),
            );
        }
        routes.push(route);
    }
    routes
}

fn route(section: &mut Section<'_, '_>, entry: &Spanned<file::Route>, secrets: Secrets) -> Route {
    let raw = entry.get_ref();
    if raw.imap.is_none() && raw.smtp.is_none() {
        section.error_at(
            "route",
            Some(entry.span()),
            "this route leads nowhere; add [route.imap] or [route.smtp] with an address",
        );
    }
    let mut domains = Vec::new();
    for name in raw.domains.iter().flat_map(|list| list.get_ref()) {
        match DomainName::parse(name.get_ref()) {
            Ok(domain) => domains.push(domain),
            Err(_) => section.error_at(
                "route.domains",
                Some(name.span()),
                format!(
                    "`{}` is not a mail domain; write one such as \"example.org\"",
                    name.get_ref()
                ),
            ),
        }
    }
    Route {
        name: raw.name.as_ref().map_or("default", |name| name.get_ref()).into(),
        domains,
        imap: raw
            .imap
            .as_ref()
            .and_then(|raw| service(section, Protocol::Imap, raw, secrets)),
        smtp: raw
            .smtp
            .as_ref()
            .and_then(|raw| service(section, Protocol::Smtp, raw, secrets)),
    }
}

fn service(
    section: &mut Section<'_, '_>,
    protocol: Protocol,
    entry: &Spanned<file::Service>,
    secrets: Secrets,
) -> Option<Service> {
    let raw = entry.get_ref();
    let at = format!("route.{}", protocol.name());
    let name = |key: &str| format!("{at}.{key}");
    let endpoint = endpoint(section, &name("address"), entry)?;
    let transport = transport(section, &at, raw, &endpoint);
    let strategy = strategy(section, protocol, entry, secrets)?;
    let client = match (
        section.optional_path(&raw.client_certificate),
        section.optional_path(&raw.client_key),
    ) {
        (Some(certificate), Some(key)) => Some(CertificateConfig { certificate, key }),
        (None, None) => None,
        (certificate, _) => {
            let missing = if certificate.is_some() {
                "client_key"
            } else {
                "client_certificate"
            };
            section.error_at(
                &name(missing),
                Some(entry.span()),
                format!("a client certificate needs both files; add {missing}"),
            );
            None
        }
    };
    Some(Service {
        endpoint,
        transport,
        tls: ConnectorConfig {
            ca: section.optional_path(&raw.ca),
            client,
        },
        tls_name: raw.tls_name.as_ref().map(|name| name.get_ref().clone()),
        send_client_address: or(
            &raw.send_client_address,
            protocol == Protocol::Imap || matches!(strategy, Strategy::Xclient),
        ),
        strategy,
        warm: section.number(&name("warm"), &raw.warm, 2, 0..=1000),
        warm_age: section.time(&name("warm_age"), &raw.warm_age, secs(60), secs(1)..=mins(60)),
        connect_timeout: section.time(
            &name("connect_timeout"),
            &raw.connect_timeout,
            secs(3),
            ms(100)..=secs(60),
        ),
        login_timeout: section.time(&name("login_timeout"), &raw.login_timeout, secs(4), ms(100)..=secs(60)),
    })
}

/// `host:port`, `[address]:port` or `unix:/path`.
fn endpoint(section: &mut Section<'_, '_>, name: &str, entry: &Spanned<file::Service>) -> Option<Endpoint> {
    let key = &entry.get_ref().address;
    let Some(address) = key else {
        section.error_at(
            name,
            Some(entry.span()),
            "the mail store has no address; add address = \"host:port\" or \"unix:/path\"",
        );
        return None;
    };
    if let Some(path) = address.get_ref().strip_prefix("unix:") {
        if path.starts_with('/') {
            return Some(Endpoint::Unix(path.into()));
        }
        section.error(
            name,
            key,
            "the path of a Unix socket begins with a slash; write \"unix:/path\"",
        );
        return None;
    }
    let parsed = address.get_ref().rsplit_once(':').and_then(|(host, port)| {
        let host = host
            .strip_prefix('[')
            .map_or(Some(host), |rest| rest.strip_suffix(']'))?;
        let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
        let usable = host.parse::<IpAddr>().is_ok()
            || (!host.is_empty()
                && host
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || b".-_".contains(&octet)));
        usable.then(|| Endpoint::Tcp {
            host: host.to_owned(),
            port,
        })
    });
    if parsed.is_none() {
        section.error(
            name,
            key,
            format!(
                "`{}` is not the address of a mail store; write \"host:port\", \"[2001:db8::1]:143\" or \"unix:/path\"",
                address.get_ref()
            ),
        );
    }
    parsed
}

fn transport(section: &mut Section<'_, '_>, at: &str, raw: &file::Service, endpoint: &Endpoint) -> Transport {
    let unix = matches!(endpoint, Endpoint::Unix(_));
    let default = if unix {
        file::UpstreamSecurity::Cleartext
    } else {
        file::UpstreamSecurity::Tls
    };
    let security = or(&raw.security, default);
    if unix && security != file::UpstreamSecurity::Cleartext {
        section.error(
            &format!("{at}.security"),
            &raw.security,
            "a Unix socket does not leave the machine and is spoken to in clear; remove security",
        );
    }
    match (security, endpoint) {
        (file::UpstreamSecurity::Cleartext, Endpoint::Tcp { host, .. }) if !is_loopback(host) => section.warning(
            &format!("{at}.security"),
            &raw.security,
            format!("credentials that open every mailbox travel to {host} in clear; use \"tls\" or \"starttls\""),
        ),
        (file::UpstreamSecurity::Cleartext, _) => {
            for (key, value) in [
                ("ca", span(&raw.ca)),
                ("tls_name", span(&raw.tls_name)),
                ("client_certificate", span(&raw.client_certificate)),
            ] {
                if value.is_some() {
                    section.error_at(
                        &format!("{at}.{key}"),
                        value,
                        format!("without TLS {key} has no effect; remove it or set security = \"tls\""),
                    );
                }
            }
        }
        _ => {}
    }
    match security {
        file::UpstreamSecurity::Tls => Transport::ImplicitTls,
        file::UpstreamSecurity::Starttls => Transport::StartTls,
        file::UpstreamSecurity::Cleartext => Transport::Cleartext,
    }
}

fn strategy(
    section: &mut Section<'_, '_>,
    protocol: Protocol,
    entry: &Spanned<file::Service>,
    secrets: Secrets,
) -> Option<Strategy> {
    let raw = entry.get_ref();
    let at = format!("route.{}", protocol.name());
    let name = |key: &str| format!("{at}.{key}");
    let Some(login) = &raw.login else {
        section.error_at(&name("login"), Some(entry.span()), "it is not said how to log in there; add login = \"master-user\", \"authzid\", \"stored\" or, for smtp, \"xclient\", \"trusted-network\" or \"plain\"");
        return None;
    };
    let login = *login.get_ref();
    if protocol == Protocol::Imap && matches!(login, Login::Xclient | Login::TrustedNetwork | Login::Plain) {
        section.error(
            &name("login"),
            &raw.login,
            "IMAP knows no such login; use \"master-user\", \"authzid\" or \"stored\"",
        );
        return None;
    }
    let shared = matches!(login, Login::MasterUser | Login::Authzid | Login::Plain);
    for (key, value) in [("user", span(&raw.user)), ("password_file", span(&raw.password_file))] {
        if value.is_some() && !shared {
            section.error_at(
                &name(key),
                value,
                format!("{key} has no effect with this login; remove it"),
            );
        } else if value.is_none() && shared {
            section.error_at(
                &name(key),
                Some(entry.span()),
                format!("this login needs a user and a password file; add {key}"),
            );
        }
    }
    if raw.separator.is_some() && login != Login::MasterUser {
        section.error(
            &name("separator"),
            &raw.separator,
            "only login = \"master-user\" has a separator; remove it",
        );
    }
    match login {
        Login::Stored => return Some(Strategy::Stored),
        Login::Xclient => return Some(Strategy::Xclient),
        Login::TrustedNetwork => return Some(Strategy::TrustedNetwork),
        Login::MasterUser | Login::Authzid | Login::Plain => {}
    }
    let user = raw.user.as_ref()?.get_ref().clone();
    let password = password(section, &name("password_file"), &raw.password_file, secrets)?;
    Some(match login {
        Login::Authzid => Strategy::Authzid { user, password },
        Login::MasterUser => Strategy::MasterUser {
            user,
            password,
            separator: separator(section, &name("separator"), raw),
        },
        _ => Strategy::Plain { user, password },
    })
}

/// The separator must be a character that no address of ours can have: else `anna*root` could be a mailbox.
fn separator(section: &mut Section<'_, '_>, name: &str, raw: &file::Service) -> char {
    let separator = raw.separator.as_ref().map_or('*', |letter| letter.get_ref().0);
    if separator.is_control() || Address::parse(&format!("a{separator}b@example.org")).is_ok() {
        section.error(
            name,
            &raw.separator,
            "mailboxes can have this character in their names; use \"*\" or \"%\" here and in the mail store",
        );
    }
    separator
}

/// A word that is no file may be the password itself, so it is not repeated in a log.
const NO_SUCH_FILE: &str = "there is no such file beside the configuration; name a file with the password on one line and `chmod 600` it (a password itself never belongs here)";

/// Reads the password in the file that a key names.
pub(super) fn password(
    section: &mut Section<'_, '_>,
    name: &str,
    key: &Key<PathBuf>,
    secrets: Secrets,
) -> Option<Arc<SecretBytes>> {
    let path = section.optional_path(key)?;
    match secrets {
        Secrets::Skip => Some(Arc::new(Secret::new(Vec::new()))),
        Secrets::Read => match secret_file::read(&path) {
            Ok(password) => Some(Arc::new(password)),
            Err(error) => {
                let bare = key.as_ref().map(|path| path.get_ref().components().count());
                let text = match error {
                    secret_file::Error::Unreadable { reason, .. }
                        if reason.kind() == ErrorKind::NotFound && bare == Some(1) =>
                    {
                        NO_SUCH_FILE.to_owned()
                    }
                    error => error.to_string(),
                };
                section.error(name, key, text);
                None
            }
        },
    }
}

/// A route that leads back to one of our own listeners would log in to itself until the machine is full.
pub(super) fn refuse_loops(
    section: &mut Section<'_, '_>,
    raw: &[Spanned<file::Route>],
    listeners: &[ListenerConfig],
    hostname: &str,
) {
    let services = raw
        .iter()
        .flat_map(|route| [&route.get_ref().imap, &route.get_ref().smtp])
        .flatten();
    for service in services {
        let Some(address) = &service.get_ref().address else {
            continue;
        };
        let Some((host, port)) = address.get_ref().rsplit_once(':') else {
            continue;
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let leads_to = |listener: &&ListenerConfig| {
            let ip = listener.address.ip();
            let same_host = host.parse::<IpAddr>().map_or_else(
                |_| {
                    host.eq_ignore_ascii_case(hostname)
                        || (is_loopback(host) && (ip.is_unspecified() || ip.is_loopback()))
                },
                |upstream| upstream == ip || (upstream.is_loopback() && ip.is_unspecified()),
            );
            listener.proxy_from.is_none() && same_host && port.parse() == Ok(listener.address.port())
        };
        if let Some(listener) = listeners.iter().find(leads_to) {
            section.error(
                "route.address",
                &service.get_ref().address,
                format!(
                    "this is our own listener \"{}\"; give the address of the mail store",
                    listener.name
                ),
            );
        }
    }
}

pub(super) fn is_loopback(host: &str) -> bool {
    host.parse::<IpAddr>()
        .map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |ip| ip.is_loopback())
}
