//! From the records of an answer to what is compared and shown: little of it, and nothing that could act where it is
//! shown, as anybody can write anything into their own zone.

use std::net::IpAddr;

use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use crate::model::name::is_unshowable;
use crate::onboard::records::Data;

/// Records of one answer that are looked at.
pub(super) const ANSWERS_MAX: usize = 32;
/// Characters of a text; what is longer is none of ours.
pub(super) const TEXT_MAX: usize = 300;

/// The records of a kind, and the aliases that lead to them.
pub(super) fn read(answers: &[Record], kind: RecordType) -> Vec<Data> {
    answers
        .iter()
        .take(ANSWERS_MAX)
        .filter(|record| [kind, RecordType::CNAME].contains(&record.record_type()))
        .filter_map(|record| data_of(&record.data))
        .collect()
}

fn data_of(data: &RData) -> Option<Data> {
    Some(match data {
        RData::CNAME(name) => Data::Alias(shown(name)),
        RData::SRV(service) => Data::Service {
            priority: service.priority,
            weight: service.weight,
            port: service.port,
            target: (!service.target.is_root()).then(|| shown(&service.target)),
        },
        RData::TXT(text) => {
            let octets: Vec<u8> = text.txt_data.iter().flatten().copied().collect();
            Data::Text(showable(&String::from_utf8_lossy(&octets)))
        }
        RData::A(ip) => Data::Address(IpAddr::V4(ip.0)),
        RData::AAAA(ip) => Data::Address(IpAddr::V6(ip.0)),
        _ => return None,
    })
}

/// A name without its final dot; octets that no host name has are escaped.
fn shown(name: &Name) -> String {
    showable(name.to_ascii().trim_end_matches('.'))
}

fn showable(text: &str) -> String {
    let cut = text.chars().take(TEXT_MAX);
    cut.map(|c| {
        if is_unshowable(c) {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    })
    .collect()
}
