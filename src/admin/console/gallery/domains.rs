//! Mail domains and their DNS records.

use super::sample::{HOSTILE, NOW, Sample};
use super::{Shot, shot};
use crate::admin::console::text::Line;
use crate::admin::console::view::confirm::Confirm;
use crate::admin::console::view::domains::{Addresses, Certified, DomainRow, Domains, Found, Record, Server};
use crate::admin::console::view::form::problem;
use crate::admin::console::view::{Field, Place};
use crate::model::DomainId;

const SERVER: &str = "mail.acme.example";

fn record(purpose: &'static str, name: &str, kind: &'static str, value: &str, found: Found) -> Record {
    Record {
        purpose: Line::new(purpose),
        is_needed: !name.contains("pop3") && kind != "TXT",
        name: format!("{name}.acme.ch"),
        kind,
        value: value.to_owned(),
        found,
    }
}

/// The records, in these states.
fn records(found: [Found; 7]) -> Vec<Record> {
    let [one, two, three, four, five, six, seven] = found;
    let manager = "manager.acme.example.";
    let digest = "v=UAAC1; a=sha256; d=4vK7fZbXqkQmJw0d2m8xYzL5tS3hN1oPqRsTuVwXyZ0=";
    vec![
        record("record-autoconfig", "autoconfig", "CNAME", manager, one),
        record("record-autodiscover", "autodiscover", "CNAME", manager, two),
        record(
            "record-receive",
            "_imaps._tcp",
            "SRV",
            "0 1 993 mail.acme.example.",
            three,
        ),
        record(
            "record-send",
            "_submissions._tcp",
            "SRV",
            "0 1 465 mail.acme.example.",
            four,
        ),
        record("record-send-starttls", "_submission._tcp", "SRV", "0 0 0 .", five),
        record("record-pop3", "_pop3s._tcp", "SRV", "0 0 0 .", six),
        record("record-pacc-digest", "_ua-auto-config", "TXT", digest, seven),
    ]
}

fn server(name: &str, addresses: Addresses, certified: Certified) -> Server {
    Server {
        name: name.to_owned(),
        addresses,
        certified,
    }
}

fn domain(id: i64, name: &str, mailboxes: u64) -> DomainRow {
    let zone: Vec<String> = records(std::array::from_fn(|_| Found::Unknown))
        .iter()
        .map(|record| format!("{}. 3600 IN {} {}", record.name, record.kind, record.value))
        .collect();
    DomainRow {
        id: DomainId::from_raw(id),
        name: name.to_owned(),
        ascii: None,
        mailboxes,
        records: records(std::array::from_fn(|_| Found::Unknown)),
        servers: vec![server(SERVER, Addresses::Unknown, Certified::Until(NOW))],
        notes: Vec::new(),
        zone: zone.join("\n"),
        checked_at: None,
        is_open: false,
    }
}

/// Everything that can be found of a domain.
fn mixed() -> DomainRow {
    let others = vec!["SRV 0 1 993 old.acme.example.".to_owned(), format!("TXT {HOSTILE}")];
    let addresses = |all: &[&str]| Addresses::Found(all.iter().map(ToString::to_string).collect());
    DomainRow {
        records: records([
            Found::Right,
            Found::Missing,
            Found::Other(others),
            Found::Unanswered,
            Found::Right,
            Found::Missing,
            Found::Unknown,
        ]),
        servers: vec![
            server(SERVER, addresses(&["192.0.2.1", "2001:db8::1"]), Certified::Until(NOW)),
            server("manager.acme.example", addresses(&[]), Certified::Proxy),
            server("old.acme.example", Addresses::Unanswered, Certified::Ended(NOW)),
            server("autoconfig.acme.ch", Addresses::Unknown, Certified::Uncovered),
            server("autodiscover.acme.ch", Addresses::Unknown, Certified::Soon(NOW)),
            server("ua-auto-config.acme.ch", Addresses::Unknown, Certified::Development),
        ],
        notes: vec![Line::new("records-manager-port").with("value", 8443_u16)],
        checked_at: Some(NOW),
        is_open: true,
        ..domain(1, "acme.ch", 52)
    }
}

/// A domain of which all is in order.
fn right() -> DomainRow {
    let found = Addresses::Found(vec!["192.0.2.1".to_owned()]);
    DomainRow {
        ascii: Some("xn--bcher-kva.example".to_owned()),
        records: records(std::array::from_fn(|_| Found::Right)),
        servers: vec![server(SERVER, found, Certified::Until(NOW))],
        checked_at: Some(NOW),
        ..domain(2, "bücher.example", 1)
    }
}

pub(super) fn shots(sample: &Sample) -> Vec<Shot> {
    let unanswered = DomainRow {
        records: records(std::array::from_fn(|_| Found::Unanswered)),
        checked_at: Some(NOW),
        is_open: true,
        ..domain(1, "acme.ch", 52)
    };
    let rows = vec![
        mixed(),
        right(),
        DomainRow {
            notes: vec![Line::new("records-no-manager")],
            ..domain(3, "mail.grandhotel-bellevue-lausanne.example", 0)
        },
    ];
    let page = |frame, rows, domain, may_change| Domains {
        frame,
        rows,
        domain,
        may_change,
    };
    let frame = || sample.frame(Place::Domains);
    let refused = |field: Field| page(sample.refused(Place::Domains), rows.clone(), field, true);
    let remove = Confirm::remove_domain(frame(), "acme.ch", "/do".to_owned(), "/back".to_owned());
    vec![
        shot("domains", &page(frame(), rows.clone(), Field::default(), true)),
        shot("domains-empty", &page(frame(), Vec::new(), Field::default(), true)),
        shot(
            "domains-unanswered",
            &page(frame(), vec![unanswered], Field::default(), true),
        ),
        shot("domains-auditor", &page(frame(), rows.clone(), Field::default(), false)),
        shot(
            "domains-bad",
            &refused(Field::of("http://acme").wrong(problem::domain())),
        ),
        shot(
            "domains-taken",
            &refused(Field::of("acme.ch").wrong(problem::domain_taken("acme.ch"))),
        ),
        shot("domain-remove", &remove),
    ]
}
