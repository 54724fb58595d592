//! Routes: which mail store serves which mail domain, how it is reached, and how we log in there.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::model::DomainName;
use crate::secret::SecretBytes;
use crate::tls::ConnectorConfig;

/// How a route logs in.
#[derive(Debug, Clone)]
pub enum Strategy {
    /// SASL PLAIN with the mailbox as authorization identity and our own credentials (RFC 4616 §2).
    Authzid {
        /// Our authentication identity.
        user: String,
        /// Its password.
        password: Arc<SecretBytes>,
    },
    /// The login name is `mailbox<separator>user`, the password the master user's.
    MasterUser {
        /// The master user.
        user: String,
        /// Its password.
        password: Arc<SecretBytes>,
        /// What the mail store splits the name at; Dovecot's is usually `*`.
        separator: char,
    },
    /// SMTP: the same fixed credentials for every mailbox.
    Plain {
        /// Our authentication identity.
        user: String,
        /// Its password.
        password: Arc<SecretBytes>,
    },
    /// The mailbox's own password at the mail store, sealed in our store.
    Stored,
    /// SMTP: nothing; the mail store trusts our address.
    TrustedNetwork,
    /// SMTP: XCLIENT with ADDR and LOGIN; no password (Postfix's `XCLIENT_README`).
    Xclient,
}

/// Where a mail store listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A host name or an address, and a port.
    Tcp {
        /// A host name, an IPv4 or an IPv6 address (without brackets).
        host: String,
        /// The port.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// How the bytes to a mail store are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Not at all: for loopback and Unix sockets.
    Cleartext,
    /// TLS from the first byte (RFC 8314 §3).
    ImplicitTls,
    /// STARTTLS, which then is demanded: a mail store that does not offer it is an outage.
    StartTls,
}

/// One protocol of one route.
#[derive(Debug, Clone)]
pub struct Service {
    /// Where the mail store listens.
    pub endpoint: Endpoint,
    /// How the bytes are protected.
    pub transport: Transport,
    /// Trust anchors and client certificate; unused in clear.
    pub tls: ConnectorConfig,
    /// The name that the certificate has to be for; the endpoint's host where absent.
    pub tls_name: Option<String>,
    /// How to log in.
    pub strategy: Strategy,
    /// Tell the mail store the client's address (IMAP ID, SMTP XCLIENT).
    pub send_client_address: bool,
    /// Connections kept ready, greeted but not logged in. 0 keeps none.
    pub warm: usize,
    /// The oldest a ready connection may get; below the mail store's own limit before login (Dovecot: 3 minutes).
    pub warm_age: Duration,
    /// The limit for connecting, TLS and greeting together.
    pub connect_timeout: Duration,
    /// The limit for logging in on a greeted connection.
    pub login_timeout: Duration,
}

/// One mail store, or one cluster of them.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its name in logs.
    pub name: Arc<str>,
    /// The mail domains it serves. Empty: every domain that no other route names.
    pub domains: Vec<DomainName>,
    /// Where IMAP sessions go; with `None` the default route serves them, where it can.
    pub imap: Option<Service>,
    /// Where submission sessions go; with `None` the default route serves them, where it can.
    pub smtp: Option<Service>,
}

/// Settings of the upstream side.
#[derive(Debug, Clone)]
pub struct Config {
    /// All routes. Of those without domains the first one that has the protocol is its default.
    pub routes: Vec<Route>,
    /// Our name in EHLO.
    pub hostname: String,
}

impl Config {
    /// The routes that serve a mail domain, each with only the protocols that it serves there: what logins use.
    pub fn serving(&self, domain: &DomainName) -> Vec<Route> {
        let chosen = |service: fn(&Route) -> &Option<Service>| {
            let able = self
                .routes
                .iter()
                .enumerate()
                .filter(|(_, route)| service(route).is_some());
            let choice = Choice::new(able.map(|(number, route)| (route.domains.clone(), Arc::new(number))));
            choice.of(domain).map(|number| **number)
        };
        let (imap, smtp) = (chosen(|route| &route.imap), chosen(|route| &route.smtp));
        let routes = self.routes.iter().enumerate().map(|(number, route)| Route {
            imap: route.imap.clone().filter(|_| imap == Some(number)),
            smtp: route.smtp.clone().filter(|_| smtp == Some(number)),
            ..route.clone()
        });
        routes
            .filter(|route| route.imap.is_some() || route.smtp.is_some())
            .collect()
    }
}

/// Finds the route of a mail domain.
pub(super) struct Choice<T> {
    by_domain: HashMap<DomainName, Arc<T>>,
    default: Option<Arc<T>>,
}

impl<T> Choice<T> {
    /// Earlier routes win where two name the same domain.
    pub(super) fn new(routes: impl IntoIterator<Item = (Vec<DomainName>, Arc<T>)>) -> Self {
        let mut choice = Self {
            by_domain: HashMap::new(),
            default: None,
        };
        for (domains, route) in routes {
            if domains.is_empty() {
                choice.default.get_or_insert(route);
                continue;
            }
            for domain in domains {
                choice.by_domain.entry(domain).or_insert_with(|| Arc::clone(&route));
            }
        }
        choice
    }

    pub(super) fn of(&self, domain: &DomainName) -> Option<&Arc<T>> {
        self.by_domain.get(domain).or(self.default.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_finds_its_own_route_and_every_other_one_the_default() {
        let domain = |text| DomainName::parse(text).unwrap();
        let one = (vec![domain("example.org")], Arc::new("one"));
        let two = (vec![domain("example.net"), domain("example.org")], Arc::new("two"));
        let default = (vec![], Arc::new("default"));
        let choice = Choice::new([one.clone(), default, two.clone(), (vec![], Arc::new("never"))]);
        let route = |text| **choice.of(&domain(text)).unwrap();
        assert_eq!(
            [route("example.org"), route("example.net"), route("a.example.org")],
            ["one", "two", "default"]
        );
        assert!(Choice::new([one, two]).of(&domain("example.com")).is_none());
    }

    #[test]
    fn an_endpoint_is_shown_as_people_write_it() {
        let tcp = |host: &str| {
            Endpoint::Tcp {
                host: host.into(),
                port: 993,
            }
            .to_string()
        };
        assert_eq!(
            [tcp("store.example"), tcp("2001:db8::1")],
            ["store.example:993", "[2001:db8::1]:993"]
        );
    }
}
