//! A mail domain as its page shows it: its records, what was found of them, and the certificates of the names among them.

use super::super::scope::*;
use super::readable;
use crate::admin::console::view::domains::{Addresses, Certified, DomainRow, Found, Record, Server};
use crate::admin::records;
use crate::dns::{Examined, State as Looked};
use crate::model::MailDomain;
use crate::onboard::records::{Host, Note, Plan, Purpose, zone};
use crate::tls::Coverage;

/// What there is to show now; nothing is asked.
pub(super) fn row(pages: &Pages, domain: &MailDomain, mailboxes: u32, is_only: bool) -> DomainRow {
    let plan = pages.records.plan(domain);
    let seen = pages.records.seen(domain.id);
    let examined = seen.as_ref().map(|seen| &*seen.examined);
    let ascii = domain.name.to_string();
    let name = readable(&domain.name);
    DomainRow {
        id: domain.id,
        ascii: (ascii != name).then_some(ascii),
        name,
        mailboxes: mailboxes.into(),
        records: records_of(&plan, examined),
        servers: servers_of(pages, &plan, examined),
        notes: plan.notes.iter().map(note).collect(),
        zone: zone(&plan),
        checked_at: seen.as_ref().map(|seen| seen.at),
        is_open: is_only || seen.is_some(),
    }
}

fn records_of(plan: &Plan, examined: Option<&Examined>) -> Vec<Record> {
    let found = |index: usize| match examined.and_then(|examined| examined.records.get(index)) {
        None => Found::Unknown,
        Some(looked) => match &looked.state {
            Looked::Right => Found::Right,
            Looked::Other(found) => Found::Other(found.clone()),
            Looked::Missing => Found::Missing,
            Looked::Unknown(_) => Found::Unanswered,
        },
    };
    let shown = plan.records.iter().enumerate().map(|(index, record)| Record {
        purpose: purpose(record.purpose),
        is_needed: record.is_needed,
        name: record.name.clone(),
        kind: record.data.kind(),
        value: record.data.to_string(),
        found: found(index),
    });
    shown.collect()
}

fn servers_of(pages: &Pages, plan: &Plan, examined: Option<&Examined>) -> Vec<Server> {
    let addresses = |host: &Host| {
        let looked = examined.and_then(|examined| examined.hosts.iter().find(|looked| looked.host == *host));
        match looked.map(|looked| &looked.addresses) {
            None => Addresses::Unknown,
            Some(Ok(addresses)) => Addresses::Found(addresses.iter().map(ToString::to_string).collect()),
            Some(Err(_)) => Addresses::Unanswered,
        }
    };
    let certified = pages.records.certified(plan).into_iter();
    let servers = certified.map(|(host, state)| Server {
        addresses: addresses(&host),
        name: host.name,
        certified: match state {
            records::Certified::Proxy => Certified::Proxy,
            records::Certified::Development => Certified::Development,
            records::Certified::Ours(Coverage::Covered { until }) => Certified::Until(until),
            records::Certified::Ours(Coverage::EndsSoon { until }) => Certified::Soon(until),
            records::Certified::Ours(Coverage::Ended { at }) => Certified::Ended(at),
            records::Certified::Ours(Coverage::Uncovered) => Certified::Uncovered,
        },
    });
    servers.collect()
}

fn purpose(purpose: Purpose) -> Line {
    Line::new(match purpose {
        Purpose::Autoconfig => "record-autoconfig",
        Purpose::Autodiscover => "record-autodiscover",
        Purpose::AutodiscoverServer => "record-autodiscover-server",
        Purpose::Receive => "record-receive",
        Purpose::ReceiveStartTls => "record-receive-starttls",
        Purpose::Send => "record-send",
        Purpose::SendStartTls => "record-send-starttls",
        Purpose::Pop3 | Purpose::Pop3Tls => "record-pop3",
        Purpose::Pacc => "record-pacc",
        Purpose::PaccDigest => "record-pacc-digest",
    })
}

fn note(note: &Note) -> Line {
    match note {
        Note::NoManager => Line::new("records-no-manager"),
        Note::ManagerUnnamed(origin) => Line::new("records-manager-unnamed").with("value", origin),
        Note::ManagerPort(port) => Line::new("records-manager-port").with("value", port),
        Note::ServerUnnamed(host) => Line::new("records-server-unnamed").with("value", host),
        Note::TooLong(name) => Line::new("records-too-long").with("value", name),
    }
}
