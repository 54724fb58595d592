//! Mail domains, and what has to stand in the DNS for mail programs to find their way.

use super::scope::*;
use crate::admin::console::text::Fact;
use crate::model::DomainId;

/// Whether a record is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// As it should be.
    Right,
    /// Something else is there.
    Other(Vec<String>),
    /// Nothing is there.
    Missing,
    /// The question had no answer.
    Unanswered,
    /// It was not looked up (yet).
    Unknown,
}

/// A DNS record.
#[derive(Debug, Clone)]
pub struct Record {
    /// What it is for.
    pub purpose: Line,
    /// Mail programs in wide use look for it.
    pub is_needed: bool,
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: &'static str,
    /// What it should hold.
    pub value: String,
    /// Whether it is there.
    pub found: Found,
}

impl Record {
    /// Its state.
    pub fn badge(&self) -> Badge {
        match self.found {
            Found::Right => Badge::new(Tone::Good, Line::new("record-right")),
            Found::Other(_) => Badge::new(Tone::Bad, Line::new("record-other")),
            Found::Missing if self.is_needed => Badge::new(Tone::Warning, Line::new("record-missing")),
            Found::Missing => Badge::new(Tone::Plain, Line::new("record-missing")),
            Found::Unanswered => Badge::new(Tone::Plain, Line::new("record-unanswered")),
            Found::Unknown => Badge::new(Tone::Plain, Line::new("record-unknown")),
        }
    }

    /// What stands there instead.
    fn others(&self) -> &[String] {
        match &self.found {
            Found::Other(others) => others,
            Found::Right | Found::Missing | Found::Unanswered | Found::Unknown => &[],
        }
    }

    /// Somebody has to do something about it.
    fn is_problem(&self) -> bool {
        match self.found {
            Found::Other(_) => true,
            Found::Missing => self.is_needed,
            Found::Right | Found::Unanswered | Found::Unknown => false,
        }
    }
}

/// What was found of the addresses of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addresses {
    /// These; there may be none.
    Found(Vec<String>),
    /// The question had no answer.
    Unanswered,
    /// It was not looked up, or its record says it.
    Unknown,
}

/// The certificate for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certified {
    /// Until then.
    Until(Timestamp),
    /// Until then, which is soon.
    Soon(Timestamp),
    /// No longer, since then.
    Ended(Timestamp),
    /// There is none.
    Uncovered,
    /// The reverse proxy has it.
    Proxy,
    /// One that nobody trusts.
    Development,
}

/// A name that mail programs connect to.
#[derive(Debug, Clone)]
pub struct Server {
    /// The name.
    pub name: String,
    /// Its addresses.
    pub addresses: Addresses,
    /// Its certificate.
    pub certified: Certified,
}

impl Server {
    /// What is to be done about its addresses.
    pub fn address_badge(&self) -> Option<Badge> {
        match &self.addresses {
            Addresses::Found(addresses) if addresses.is_empty() => {
                Some(Badge::new(Tone::Bad, Line::new("server-no-address")))
            }
            Addresses::Unanswered => Some(Badge::new(Tone::Plain, Line::new("record-unanswered"))),
            Addresses::Found(_) | Addresses::Unknown => None,
        }
    }

    fn addresses(&self) -> &[String] {
        match &self.addresses {
            Addresses::Found(addresses) => addresses,
            Addresses::Unanswered | Addresses::Unknown => &[],
        }
    }

    /// The state of its certificate.
    pub fn certificate_badge(&self) -> Badge {
        match self.certified {
            Certified::Until(day) => Badge::new(Tone::Good, Line::new("certificate-until").with("day", Fact::Day(day))),
            Certified::Soon(day) => Badge::new(
                Tone::Warning,
                Line::new("certificate-until").with("day", Fact::Day(day)),
            ),
            Certified::Ended(day) => Badge::new(Tone::Bad, Line::new("certificate-ended").with("day", Fact::Day(day))),
            Certified::Uncovered => Badge::new(Tone::Bad, Line::new("certificate-none")),
            Certified::Proxy => Badge::new(Tone::Plain, Line::new("certificate-proxy")),
            Certified::Development => Badge::new(Tone::Plain, Line::new("certificate-development")),
        }
    }

    fn is_problem(&self) -> bool {
        let lost = matches!(&self.addresses, Addresses::Found(addresses) if addresses.is_empty());
        lost || matches!(self.certified, Certified::Ended(_) | Certified::Uncovered)
    }
}

/// A mail domain.
#[derive(Debug, Clone)]
pub struct DomainRow {
    /// Which.
    pub id: DomainId,
    /// Its name as people read it.
    pub name: String,
    /// Its name in A-labels, where that differs.
    pub ascii: Option<String>,
    /// Mailboxes in it.
    pub mailboxes: u64,
    /// The records that help mail programs.
    pub records: Vec<Record>,
    /// The names that they connect to.
    pub servers: Vec<Server>,
    /// Why records are missing, or will not do alone.
    pub notes: Vec<Line>,
    /// All records as lines of a zone file.
    pub zone: String,
    /// When the DNS was asked.
    pub checked_at: Option<Timestamp>,
    /// The records are shown at once.
    pub is_open: bool,
}

impl DomainRow {
    /// How much somebody has to do.
    pub fn problems(&self) -> usize {
        let records = self.records.iter().filter(|record| record.is_problem());
        let servers = self.servers.iter().filter(|server| server.is_problem());
        records.count().saturating_add(servers.count())
    }

    /// Questions without an answer.
    pub fn unanswered(&self) -> usize {
        let records = self.records.iter();
        let records = records.filter(|record| record.found == Found::Unanswered);
        let servers = self.servers.iter();
        let servers = servers.filter(|server| server.addresses == Addresses::Unanswered);
        records.count().saturating_add(servers.count())
    }

    /// All in a word, once the DNS was asked.
    fn badge(&self) -> Badge {
        match (self.problems(), self.unanswered()) {
            (0, 0) => Badge::new(Tone::Good, Line::new("domain-right")),
            (0, _) => Badge::new(Tone::Plain, Line::new("record-unanswered")),
            (problems, _) => Badge::new(Tone::Warning, Line::new("domain-problems").with("count", problems)),
        }
    }
}

/// `/o/{org}/domains`. Sends `domain` to add one; `.../domains/{domain}/remove` is `confirm`'s; `.../domains/{domain}/check`
/// takes a form without fields.
#[derive(Debug, Template)]
#[template(path = "org/domains.html")]
pub struct Domains {
    /// What stands around it.
    pub frame: Frame,
    /// The domains.
    pub rows: Vec<DomainRow>,
    /// A new one.
    pub domain: Field,
    /// Domains may be added and removed.
    pub may_change: bool,
}

impl Domains {
    fn title(&self) -> Line {
        Line::new("nav-domains")
    }
}
