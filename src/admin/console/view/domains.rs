//! Mail domains, and what has to stand in the DNS for mail programs to find their way.

use super::scope::*;
use crate::model::DomainId;

/// Whether a record is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// As it should be.
    Right,
    /// Something else is there.
    Other(String),
    /// Nothing is there.
    Missing,
    /// It was not looked up (yet).
    Unknown,
}

/// A DNS record.
#[derive(Debug, Clone)]
pub struct Record {
    /// What it is for.
    pub purpose: Line,
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
            Found::Other(_) => Badge::new(Tone::Warning, Line::new("record-other")),
            Found::Missing => Badge::new(Tone::Warning, Line::new("record-missing")),
            Found::Unknown => Badge::new(Tone::Plain, Line::new("record-unknown")),
        }
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
    /// The records that help mail programs; empty where the Manager does not know the servers' names.
    pub records: Vec<Record>,
}

impl DomainRow {
    /// The DNS was asked about them.
    fn is_checked(&self) -> bool {
        self.records
            .iter()
            .any(|record| !matches!(record.found, Found::Unknown))
    }
}

/// `/o/{org}/domains`. Sends `domain` to add one; `.../domains/{domain}/remove` is `confirm`'s.
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
