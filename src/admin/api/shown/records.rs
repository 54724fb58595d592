//! The DNS records of a mail domain.

use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::api::words::Moment;
use crate::admin::records::{Certified, Records};
use crate::dns::State;
use crate::model::MailDomain;
use crate::onboard::records::{Host, Plan, zone};
use crate::tls::Coverage;

/// Whether something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Found {
    /// As it should be.
    Right,
    /// Something else is there.
    Other,
    /// Nothing is there.
    Missing,
    /// The question had no answer in time, or a name server failed.
    Unanswered,
    /// It was not asked.
    Unknown,
}

/// Whether a name is covered by a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Certificate {
    /// It is.
    Covered,
    /// By one that ends within 14 days.
    EndsSoon,
    /// By one that has ended.
    Ended,
    /// By none.
    Uncovered,
    /// The reverse proxy in front of the Manager has it, so it is not known.
    Proxy,
    /// By one that is made for development, which no client trusts.
    Development,
}

/// A DNS record as it should be, and what was found.
#[derive(Debug, Serialize, ToSchema)]
struct DnsRecord {
    /// What it is for, in a word such as `autoconfig`, `receive` or `pacc-digest`.
    purpose: &'static str,
    /// Its full name, without a final dot.
    name: String,
    /// `CNAME`, `SRV` or `TXT`.
    r#type: &'static str,
    /// What it should hold, as the forms of DNS providers take it.
    value: String,
    /// Whether mail programs in wide use look for it.
    needed: bool,
    state: Found,
    /// What stands there instead, each with its type in front.
    found: Vec<String>,
}

/// A name that mail programs connect to.
#[derive(Debug, Serialize, ToSchema)]
struct DnsServer {
    name: String,
    /// Whether it has an address; for a name that is one of the records, the record tells.
    state: Found,
    addresses: Vec<String>,
    certificate: Certificate,
    /// When the certificate ends; null where there is none of ours.
    #[schema(required = true)]
    certificate_until: Option<Moment>,
}

/// The DNS records of a mail domain.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct DomainRecords {
    /// The mail domain, in A-labels.
    domain: String,
    records: Vec<DnsRecord>,
    servers: Vec<DnsServer>,
    /// Why records are missing, or will not do alone.
    notes: Vec<String>,
    /// All records as lines of a zone file.
    zone: String,
    /// When the DNS was asked; null where nobody has asked (lately).
    #[schema(required = true)]
    checked_at: Option<Moment>,
}

impl DomainRecords {
    pub(in crate::admin::api) fn new(records: &Records, domain: &MailDomain) -> Self {
        let plan = records.plan(domain);
        let seen = records.seen(domain.id);
        let servers = records.certified(&plan).into_iter();
        let server = |(host, certified): (Host, Certified)| {
            let looked = seen.as_ref().and_then(|seen| {
                let mut hosts = seen.examined.hosts.iter();
                hosts.find(|looked| looked.host == host)
            });
            let addresses = looked.and_then(|looked| looked.addresses.as_ref().ok());
            let (certificate, until) = of_certificate(certified);
            DnsServer {
                state: match looked.map(|looked| &looked.addresses) {
                    None => Found::Unknown,
                    Some(Err(_)) => Found::Unanswered,
                    Some(Ok(addresses)) if addresses.is_empty() => Found::Missing,
                    Some(Ok(_)) => Found::Right,
                },
                addresses: addresses.into_iter().flatten().map(ToString::to_string).collect(),
                name: host.name,
                certificate,
                certificate_until: until,
            }
        };
        Self {
            domain: domain.name.to_string(),
            servers: servers.map(server).collect(),
            records: records_of(&plan, |index| {
                let looked = seen.as_ref()?.examined.records.get(index)?;
                Some(looked.state.clone())
            }),
            notes: plan.notes.iter().map(ToString::to_string).collect(),
            zone: zone(&plan),
            checked_at: seen.as_ref().map(|seen| Moment(seen.at)),
        }
    }
}

fn records_of(plan: &Plan, looked: impl Fn(usize) -> Option<State>) -> Vec<DnsRecord> {
    let shown = plan.records.iter().enumerate().map(|(index, record)| {
        let state = looked(index);
        DnsRecord {
            purpose: record.purpose.word(),
            name: record.name.clone(),
            r#type: record.data.kind(),
            value: record.data.to_string(),
            needed: record.is_needed,
            state: match &state {
                None => Found::Unknown,
                Some(State::Right) => Found::Right,
                Some(State::Other(_)) => Found::Other,
                Some(State::Missing) => Found::Missing,
                Some(State::Unknown(_)) => Found::Unanswered,
            },
            found: state.as_ref().map(|state| state.found().to_vec()).unwrap_or_default(),
        }
    });
    shown.collect()
}

fn of_certificate(certified: Certified) -> (Certificate, Option<Moment>) {
    match certified {
        Certified::Proxy => (Certificate::Proxy, None),
        Certified::Development => (Certificate::Development, None),
        Certified::Ours(Coverage::Covered { until }) => (Certificate::Covered, Some(Moment(until))),
        Certified::Ours(Coverage::EndsSoon { until }) => (Certificate::EndsSoon, Some(Moment(until))),
        Certified::Ours(Coverage::Ended { at }) => (Certificate::Ended, Some(Moment(at))),
        Certified::Ours(Coverage::Uncovered) => (Certificate::Uncovered, None),
    }
}
