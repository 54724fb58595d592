//! Records as lines of a zone file (RFC 1035 §5.1), for name servers and the import of DNS providers.

use std::fmt::Write as _;

use super::{Data, Plan};

/// How long others may remember a record, in seconds: an hour, so that a mistake does not last.
const TTL: u32 = 3600;
/// Octets of one string of a TXT record (RFC 1035 §3.3).
const STRING_MAX: usize = 255;

/// The records of a plan. Names are whole, so that the lines can be put into any zone file.
pub fn zone(plan: &Plan) -> String {
    let mut text = format!("; {}: what mail programs look for\n", plan.domain);
    for note in &plan.notes {
        let _ = writeln!(text, "; note: {note}");
    }
    for host in &plan.hosts {
        let _ = writeln!(
            text,
            "; {} needs an A or AAAA record of its own, once for all mail domains",
            host.name
        );
    }
    for record in &plan.records {
        let kind = record.data.kind();
        let _ = writeln!(text, "{}. {TTL} IN {kind} {}", record.name, data_of(&record.data));
    }
    text
}

fn data_of(data: &Data) -> String {
    match data {
        Data::Text(text) => strings(text),
        Data::Alias(_) | Data::Service { .. } | Data::Address(_) => data.to_string(),
    }
}

/// A text in quotes, in as many strings as it needs.
fn strings(text: &str) -> String {
    let strings = text.as_bytes().chunks(STRING_MAX).map(quoted);
    let strings: Vec<String> = strings.collect();
    if strings.is_empty() {
        return quoted(b"");
    }
    strings.join(" ")
}

fn quoted(octets: &[u8]) -> String {
    let mut quoted = String::with_capacity(octets.len().saturating_add(2));
    quoted.push('"');
    for &octet in octets {
        match octet {
            b'"' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(octet));
            }
            b' '..=b'~' => quoted.push(char::from(octet)),
            _ => {
                let _ = write!(quoted, "\\{octet:03}");
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_escaped_and_cut_into_strings() {
        assert_eq!(strings("v=UAAC1; a=sha256"), "\"v=UAAC1; a=sha256\"");
        assert_eq!(strings("say \"a\\b\"\n\u{e9}"), "\"say \\\"a\\\\b\\\"\\010\\195\\169\"");
        assert_eq!(strings(""), "\"\"");
        let long = strings(&"x".repeat(600));
        let lengths: Vec<usize> = long.split(' ').map(|string| string.len() - 2).collect();
        assert_eq!(lengths, [255, 255, 90]);
    }
}
