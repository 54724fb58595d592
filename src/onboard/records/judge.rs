//! Whether what the DNS has is what it should have.

use std::collections::HashSet;
use std::net::IpAddr;

use super::{Data, Record};

/// How PACC's records begin; other texts may stand beside them.
const PACC: &str = "v=uaac1";

/// What a look at a record found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// As it should be, or another way to the same.
    Right,
    /// Something else, which leads mail programs astray.
    Other(Vec<Data>),
    /// Nothing.
    Missing,
}

/// Judges what stands under a record's name. For an alias that is the alias or, where there is none, the addresses; `same`
/// are the addresses of the name that it should lead to.
pub fn judge(record: &Record, found: &[Data], same: &[IpAddr]) -> Found {
    let relevant: Vec<&Data> = found.iter().filter(|data| is_about(record, data)).collect();
    if relevant.is_empty() {
        return Found::Missing;
    }
    if is_right(&record.data, &relevant, same) {
        return Found::Right;
    }
    Found::Other(relevant.into_iter().cloned().collect())
}

/// Whether what was found has to do with the record at all: other texts may have the same name.
fn is_about(record: &Record, found: &Data) -> bool {
    match (&record.data, found) {
        (Data::Alias(_), Data::Alias(_) | Data::Address(_)) | (Data::Service { .. }, Data::Service { .. }) => true,
        (Data::Text(_), Data::Text(text)) => tags(text).next().is_some_and(|tag| tag.eq_ignore_ascii_case(PACC)),
        _ => false,
    }
}

fn is_right(wanted: &Data, found: &[&Data], same: &[IpAddr]) -> bool {
    match wanted {
        Data::Alias(target) => leads_to(target, found, same),
        // All of them count: a program takes any.
        Data::Service { port, target, .. } => found.iter().all(|data| match (data, target) {
            (Data::Service { target: None, .. }, None) => true,
            (
                Data::Service {
                    port: its_port,
                    target: Some(its),
                    ..
                },
                Some(target),
            ) => its_port == port && its.eq_ignore_ascii_case(target),
            _ => false,
        }),
        Data::Text(wanted) => match found {
            // Two of them contradict each other.
            [Data::Text(text)] => tags(text).collect::<HashSet<_>>() == tags(wanted).collect(),
            _ => false,
        },
        Data::Address(wanted) => found
            .iter()
            .all(|data| matches!(data, Data::Address(ip) if ip == wanted)),
    }
}

/// An alias of the right name somewhere on the way, or no other addresses than those of the right name: what a provider
/// that knows no aliases is given.
fn leads_to(target: &str, found: &[&Data], same: &[IpAddr]) -> bool {
    let is_alias = |data: &&Data| matches!(data, Data::Alias(name) if name.eq_ignore_ascii_case(target));
    if found.iter().any(is_alias) {
        return true;
    }
    let mut addresses = found.iter().filter_map(|data| match data {
        Data::Address(ip) => Some(ip),
        _ => None,
    });
    let mut any = false;
    let all = addresses.all(|ip| {
        any = true;
        same.contains(ip)
    });
    any && all
}

/// The tags of a record such as `v=UAAC1; a=sha256; d=...`.
fn tags(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|tag| !tag.is_empty())
}
