//! Looks all records of a plan up, and judges them.

use std::collections::HashMap;
use std::net::IpAddr;

use futures_util::future::join_all;
use hickory_resolver::proto::rr::RecordType;

use super::{Config, Resolver, Trouble};
use crate::onboard::records::{Data, Found, Host, Plan, Record, judge};

/// Records that are shown of what stands there instead.
pub(super) const FOUND_MAX: usize = 8;

/// What the DNS has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Right,
    /// Something else, as it stands there.
    Other(Vec<String>),
    /// Nothing.
    Missing,
    /// It is not known: the question had no answer.
    Unknown(Trouble),
}

impl State {
    /// A fixed word, for JSON and the keys of texts.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Other(_) => "other",
            Self::Missing => "missing",
            Self::Unknown(_) => "unknown",
        }
    }

    /// What stands there instead.
    pub fn found(&self) -> &[String] {
        match self {
            Self::Other(found) => found,
            Self::Right | Self::Missing | Self::Unknown(_) => &[],
        }
    }
}

/// A record, and what was found of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExaminedRecord {
    /// As it should be.
    pub record: Record,
    /// As it is.
    pub state: State,
}

/// A server, and its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExaminedHost {
    /// The server.
    pub host: Host,
    /// Its addresses, or why they are not known; there may be none.
    pub addresses: Result<Vec<IpAddr>, Trouble>,
}

/// What the DNS said about a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The records, in the order of the plan.
    pub records: Vec<ExaminedRecord>,
    /// The servers, in the order of the plan.
    pub hosts: Vec<ExaminedHost>,
}

/// Looks everything up, within a bounded time whatever the name servers do.
pub async fn examine(plan: &Plan, config: &Config) -> Examined {
    let resolver = Resolver::new(config);
    let addresses = plan.hosts.iter().map(|host| addresses(&host.name, &resolver));
    let addresses = join_all(addresses).await;
    let hosts: Vec<ExaminedHost> = plan
        .hosts
        .iter()
        .cloned()
        .zip(addresses)
        .map(|(host, addresses)| ExaminedHost { host, addresses })
        .collect();
    let known: HashMap<&str, &[IpAddr]> = hosts
        .iter()
        .filter_map(|examined| Some((examined.host.name.as_str(), examined.addresses.as_deref().ok()?)))
        .collect();
    let states = plan.records.iter().map(|record| state(record, &known, &resolver));
    let states = join_all(states).await;
    let records = plan.records.iter().cloned().zip(states);
    let records = records
        .map(|(record, state)| ExaminedRecord { record, state })
        .collect();
    Examined { records, hosts }
}

/// All addresses of a name. One family is enough: the other may fail.
async fn addresses(name: &str, resolver: &Resolver) -> Result<Vec<IpAddr>, Trouble> {
    let data = either(name, resolver).await?;
    let address = |data| match data {
        Data::Address(ip) => Some(ip),
        _ => None,
    };
    Ok(data.into_iter().filter_map(address).collect())
}

/// Addresses of both families, and the aliases on the way.
async fn either(name: &str, resolver: &Resolver) -> Result<Vec<Data>, Trouble> {
    let four = resolver.ask(name, RecordType::A);
    let six = resolver.ask(name, RecordType::AAAA);
    match futures_util::future::join(four, six).await {
        (Ok(mut four), Ok(six)) => {
            four.extend(six.into_iter().filter(|data| matches!(data, Data::Address(_))));
            Ok(four)
        }
        (Ok(data), Err(trouble)) | (Err(trouble), Ok(data)) => {
            if data.is_empty() {
                Err(trouble)
            } else {
                Ok(data)
            }
        }
        (Err(trouble), Err(_)) => Err(trouble),
    }
}

async fn state(record: &Record, known: &HashMap<&str, &[IpAddr]>, resolver: &Resolver) -> State {
    let (found, same) = match &record.data {
        Data::Alias(target) => {
            let same = known.get(target.as_str()).copied().unwrap_or_default();
            (alias(record, resolver).await, same)
        }
        Data::Service { .. } => (resolver.ask(&record.name, RecordType::SRV).await, &[] as &[IpAddr]),
        Data::Text(_) => (resolver.ask(&record.name, RecordType::TXT).await, &[] as &[IpAddr]),
        Data::Address(_) => (either(&record.name, resolver).await, &[] as &[IpAddr]),
    };
    match found {
        Err(trouble) => State::Unknown(trouble),
        Ok(found) => match judge(record, &found, same) {
            Found::Right => State::Right,
            Found::Missing => State::Missing,
            Found::Other(found) => {
                let shown = found.iter().take(FOUND_MAX);
                State::Other(shown.map(|data| format!("{} {data}", data.kind())).collect())
            }
        },
    }
}

/// The alias itself, which is there although its target may lead nowhere; then everything that it leads to.
async fn alias(record: &Record, resolver: &Resolver) -> Result<Vec<Data>, Trouble> {
    let mut found = resolver.ask(&record.name, RecordType::CNAME).await?;
    if judge(record, &found, &[]) == Found::Right {
        return Ok(found);
    }
    for data in either(&record.name, resolver).await? {
        if !found.contains(&data) {
            found.push(data);
        }
    }
    Ok(found)
}
