//! The DNS records by which mail programs find the gateway for the addresses of a mail domain, what they should hold, and
//! what a record that was found means.
//!
//! Services are named by SRV records (RFC 6186 §3, RFC 8314 §5.1), whose target is never an alias (RFC 2782); a protocol
//! that is not offered has the target `.`. The settings themselves are documents that the Manager serves under names of
//! the mail domain: those names are aliases of the Manager's own.

mod judge;
mod zone;

use std::fmt;
use std::net::IpAddr;

use super::{Service, Settings, pacc};
use crate::model::{DomainName, Origin};

pub use judge::{Found, judge};
pub use zone::zone;

/// Octets of a name in the DNS, without its final dot (RFC 1035 §2.3.4).
const NAME_MAX: usize = 253;
/// Where programs ask for settings, whatever the Manager's port is.
const HTTPS: u16 = 443;
/// The preference of the way that people are told, and of one that is offered beside it: the smaller goes first.
const FIRST: u16 = 0;
const SECOND: u16 = 10;

/// How the world reaches this installation.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// What people are told.
    pub settings: Settings,
    /// Reading mail in the other way (STARTTLS in place of TLS, or TLS in place of STARTTLS), where it is offered too.
    pub imap_beside: Option<Service>,
    /// Sending mail in the other way.
    pub smtp_beside: Option<Service>,
    /// The Manager, which serves the documents; none where it is off.
    pub manager: Option<Origin>,
    /// Whether the Manager's TLS is ours, and not that of a reverse proxy before it.
    pub manager_tls: bool,
}

/// What a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Where Thunderbird and many others ask for settings.
    Autoconfig,
    /// Where Outlook asks for settings.
    Autodiscover,
    /// Reading mail, with TLS from the first octet.
    Receive,
    /// Reading mail, with STARTTLS.
    ReceiveStartTls,
    /// Sending mail, with TLS from the first octet.
    Send,
    /// Sending mail, with STARTTLS.
    SendStartTls,
    /// The server of Autodiscover by its own name.
    AutodiscoverServer,
    /// POP3, which we do not offer.
    Pop3,
    /// POP3 with TLS.
    Pop3Tls,
    /// Where programs ask for the PACC document.
    Pacc,
    /// What the PACC document must be.
    PaccDigest,
}

impl Purpose {
    /// A fixed word, for JSON and the keys of texts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Autoconfig => "autoconfig",
            Self::Autodiscover => "autodiscover",
            Self::Receive => "receive",
            Self::ReceiveStartTls => "receive-starttls",
            Self::Send => "send",
            Self::SendStartTls => "send-starttls",
            Self::AutodiscoverServer => "autodiscover-server",
            Self::Pop3 => "pop3",
            Self::Pop3Tls => "pop3-tls",
            Self::Pacc => "pacc",
            Self::PaccDigest => "pacc-digest",
        }
    }

    /// In English, for the command line.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Autoconfig => "settings for Thunderbird and others",
            Self::Autodiscover => "settings for Outlook",
            Self::Receive => "receive mail, TLS",
            Self::ReceiveStartTls => "receive mail, STARTTLS",
            Self::Send => "send mail, TLS",
            Self::SendStartTls => "send mail, STARTTLS",
            Self::AutodiscoverServer => "settings for Outlook, by SRV",
            Self::Pop3 => "POP3",
            Self::Pop3Tls => "POP3, TLS",
            Self::Pacc => "settings by PACC",
            Self::PaccDigest => "checksum of the settings by PACC",
        }
    }
}

/// What a record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// CNAME: another name.
    Alias(String),
    /// SRV.
    Service {
        /// The smaller goes first.
        priority: u16,
        /// Its share among equals.
        weight: u16,
        /// The port.
        port: u16,
        /// The server's name; none where the service is not offered.
        target: Option<String>,
    },
    /// TXT, its strings put together.
    Text(String),
    /// A or AAAA.
    Address(IpAddr),
}

impl Data {
    /// The record's type.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Alias(_) => "CNAME",
            Self::Service { .. } => "SRV",
            Self::Text(_) => "TXT",
            Self::Address(IpAddr::V4(_)) => "A",
            Self::Address(IpAddr::V6(_)) => "AAAA",
        }
    }
}

/// The value as the forms of DNS providers take it: names with their final dot, texts without quotes.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alias(name) => write!(f, "{name}."),
            Self::Service {
                priority,
                weight,
                port,
                target,
            } => write!(f, "{priority} {weight} {port} {}.", target.as_deref().unwrap_or("")),
            Self::Text(text) => f.write_str(text),
            Self::Address(ip) => ip.fmt(f),
        }
    }
}

/// A record as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it is for.
    pub purpose: Purpose,
    /// Its full name, without a final dot.
    pub name: String,
    /// What it should hold.
    pub data: Data,
    /// Mail programs in wide use look for it; the others are good to have.
    pub is_needed: bool,
}

/// A server that mail programs or people connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is named in settings: programs read or send mail there.
    Mail,
    /// The Manager, whose TLS is ours.
    Manager,
    /// The Manager behind a reverse proxy, which has the certificate.
    ManagerBehindProxy,
}

/// A name that has to lead to an address, or that a certificate has to cover, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The name.
    pub name: String,
    /// Who answers there.
    pub role: Role,
}

/// Why records are missing, or will not do alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// There is no Manager.
    NoManager,
    /// The Manager has no name that others reach.
    ManagerUnnamed(String),
    /// The Manager's port is not the one where programs ask.
    ManagerPort(u16),
    /// A mail server is told by something that is no full host name.
    ServerUnnamed(String),
    /// A name is longer than the DNS allows.
    TooLong(String),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoManager => f.write_str(
                "the Manager is off, so nobody serves settings to mail programs; set [manager], and there will be records for them",
            ),
            Self::ManagerUnnamed(origin) => write!(
                f,
                "the Manager is at {origin}, which no other machine can be led to; give manager.origin a host name, and there will be records for settings"
            ),
            Self::ManagerPort(port) => write!(
                f,
                "mail programs ask for settings on port {HTTPS}, and the Manager has port {port}; let port {HTTPS} lead to it too"
            ),
            Self::ServerUnnamed(host) => write!(
                f,
                "`{host}` is not a full host name, so no record can lead to it; set hostname or [client_settings]"
            ),
            Self::TooLong(name) => write!(f, "{name} is longer than a name in the DNS can be, so it is left out"),
        }
    }
}

/// Everything about one mail domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The mail domain.
    pub domain: DomainName,
    /// Its records, those that are needed first.
    pub records: Vec<Record>,
    /// Servers that have to have an address. Their records are made once, for all domains.
    pub hosts: Vec<Host>,
    /// Names that certificates have to cover: those of the servers, and those of the domain under which we answer.
    pub certified: Vec<Host>,
    /// Why records are missing, or will not do alone.
    pub notes: Vec<Note>,
}

impl Plan {
    /// The records of a mail domain.
    pub fn new(domain: &DomainName, reach: &Reach) -> Self {
        let mut plan = Self {
            domain: domain.clone(),
            records: Vec::new(),
            hosts: Vec::new(),
            certified: Vec::new(),
            notes: Vec::new(),
        };
        plan.documents(reach);
        let imap = (reach.settings.imap.as_ref(), reach.imap_beside.as_ref());
        let smtp = (reach.settings.smtp.as_ref(), reach.smtp_beside.as_ref());
        plan.services(imap, ["imaps", "imap"], [Purpose::Receive, Purpose::ReceiveStartTls]);
        plan.services(
            smtp,
            ["submissions", "submission"],
            [Purpose::Send, Purpose::SendStartTls],
        );
        plan.service("pop3s", Purpose::Pop3Tls, None);
        plan.service("pop3", Purpose::Pop3, None);
        plan.records.sort_by_key(|record| !record.is_needed);
        plan.certified.splice(0..0, plan.hosts.iter().cloned());
        plan
    }

    /// The names under which the Manager serves settings.
    fn documents(&mut self, reach: &Reach) {
        let Some(origin) = &reach.manager else {
            return self.notes.push(Note::NoManager);
        };
        let Some(host) = full_name(origin.host()).filter(|_| origin.is_secure()) else {
            return self.notes.push(Note::ManagerUnnamed(origin.to_string()));
        };
        if origin.port() != HTTPS {
            self.notes.push(Note::ManagerPort(origin.port()));
        }
        let role = if reach.manager_tls {
            Role::Manager
        } else {
            Role::ManagerBehindProxy
        };
        self.host(&host, role);
        let digest = pacc::document(&reach.settings, origin).map(|document| pacc::digest(&document));
        let mut names = vec![
            ("autoconfig", Purpose::Autoconfig),
            ("autodiscover", Purpose::Autodiscover),
        ];
        if digest.is_some() {
            names.push(("ua-auto-config", Purpose::Pacc));
        }
        for (label, purpose) in names {
            let name = format!("{label}.{}", self.domain);
            // A name is no alias of itself: then its address is what the server needs anyway.
            if name != host {
                let data = Data::Alias(host.clone());
                if self.add(purpose, name.clone(), data, purpose != Purpose::Pacc) {
                    self.certified.push(Host { name, role });
                }
            }
        }
        let data = Data::Service {
            priority: 0,
            weight: 0,
            port: origin.port(),
            target: Some(host),
        };
        let name = format!("_autodiscover._tcp.{}", self.domain);
        self.add(Purpose::AutodiscoverServer, name, data, false);
        if let Some(digest) = digest {
            let text = Data::Text(format!("v=UAAC1; a=sha256; d={digest}"));
            let name = format!("_ua-auto-config.{}", self.domain);
            self.add(Purpose::PaccDigest, name, text, false);
        }
    }

    /// The two ways of one protocol: what people are told is needed, the other way is not.
    fn services(
        &mut self,
        (told, beside): (Option<&Service>, Option<&Service>),
        [tls, starttls]: [&str; 2],
        [with_tls, with_starttls]: [Purpose; 2],
    ) {
        for (label, purpose, implicit) in [(tls, with_tls, true), (starttls, with_starttls, false)] {
            let is_this = |service: &&Service| service.implicit_tls == implicit;
            let first = told.filter(is_this).map(|service| (service, FIRST));
            let second = beside.filter(is_this).map(|service| (service, SECOND));
            self.service(label, purpose, first.or(second));
        }
    }

    fn service(&mut self, label: &str, purpose: Purpose, offer: Option<(&Service, u16)>) {
        let name = format!("_{label}._tcp.{}", self.domain);
        let Some((service, priority)) = offer else {
            let nothing = Data::Service {
                priority: 0,
                weight: 0,
                port: 0,
                target: None,
            };
            self.add(purpose, name, nothing, false);
            return;
        };
        let Some(host) = full_name(&service.host) else {
            let note = Note::ServerUnnamed(service.host.clone());
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
            return;
        };
        self.host(&host, Role::Mail);
        let data = Data::Service {
            priority,
            weight: 1,
            port: service.port,
            target: Some(host),
        };
        self.add(purpose, name, data, priority == FIRST);
    }

    /// A server, once; as a mail server its certificate is ours in any case.
    fn host(&mut self, name: &str, role: Role) {
        match self.hosts.iter_mut().find(|host| host.name == name) {
            Some(host) if role == Role::Mail => host.role = role,
            Some(_) => {}
            None => self.hosts.push(Host {
                name: name.to_owned(),
                role,
            }),
        }
    }

    /// Whether there is such a record.
    fn add(&mut self, purpose: Purpose, name: String, data: Data, is_needed: bool) -> bool {
        if name.len() > NAME_MAX {
            self.notes.push(Note::TooLong(name));
            return false;
        }
        self.records.push(Record {
            purpose,
            name,
            data,
            is_needed,
        });
        true
    }
}

/// A host name that records can lead to: neither an address nor a name of this machine's network only.
fn full_name(host: &str) -> Option<String> {
    let host = host.trim_end_matches('.');
    if host.parse::<IpAddr>().is_ok() || host.ends_with(".localhost") {
        return None;
    }
    DomainName::parse(host).ok().map(|name| name.to_string())
}

#[cfg(test)]
mod tests;
