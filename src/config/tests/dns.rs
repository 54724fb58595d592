//! `[dns]`, and how the world reaches us as records are made of it.

use super::*;
use crate::model::DomainName;
use crate::onboard::records::{Plan, Purpose};

#[test]
fn name_servers_are_addresses_and_few() {
    let (config, _) = read_text(MINIMAL).unwrap();
    assert_eq!(
        (config.dns.servers.len(), config.dns.timeout),
        (0, Duration::from_secs(3))
    );
    let text = format!("{MINIMAL}[dns]\nresolver = [\"192.0.2.53\", \"127.0.0.1:5353\"]\ntimeout = \"1 s\"\n");
    let (config, _) = read_text(&text).unwrap();
    let servers: Vec<String> = config.dns.servers.iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["192.0.2.53:53", "127.0.0.1:5353"]);
    for (more, expected) in [
        (
            "resolver = [\"ns1.example.org\"]",
            "postern.toml:13:12: dns.resolver: `ns1.example.org` is not a name server; write its IP address, with a port where it is not 53, such as \"127.0.0.1\" or \"[::1]:5353\"",
        ),
        (
            "resolver = []",
            "postern.toml:13:12: dns.resolver: the list is empty; name a name server such as \"127.0.0.1:53\", or remove this to ask the system's",
        ),
        (
            "resolver = [\"::1\", \"::2\", \"::3\", \"::4\", \"::5\"]",
            "postern.toml:13:12: dns.resolver: 5 name servers are named; write at most 4, each is asked only where the one before fails",
        ),
        (
            "timeout = \"1 min\"",
            "postern.toml:13:11: dns.timeout: 1 min is out of range; write a time from 100 ms to 10 s",
        ),
    ] {
        expect_one_with(&format!("[dns]\n{more}\n"), expected);
    }
}

/// The records of the services, as `label value`.
fn services(text: &str) -> Vec<String> {
    let (config, _) = read_text(text).unwrap();
    let plan = Plan::new(&DomainName::parse("example.org").unwrap(), &config.reach());
    let wanted = [Purpose::Receive, Purpose::ReceiveStartTls];
    let records = plan.records.iter().filter(|record| wanted.contains(&record.purpose));
    records.map(|record| record.data.to_string()).collect()
}

#[test]
fn what_listeners_offer_beside_what_people_are_told_has_a_record_too() {
    let public = MINIMAL.replace("127.0.0.1:8993", "0.0.0.0:993");
    let second = "[[listener]]\naddress = \"0.0.0.0:143\"\nprotocol = \"imap\"\nsecurity = \"starttls\"\n";
    let both = format!("{public}{second}");
    assert_eq!(services(&public), ["0 1 993 mail.example.org.", "0 0 0 ."]);
    assert_eq!(
        services(&both),
        ["0 1 993 mail.example.org.", "10 1 143 mail.example.org."]
    );
    let inside = both.replace("0.0.0.0:143", "127.0.0.1:143");
    assert_eq!(services(&inside), ["0 1 993 mail.example.org.", "0 0 0 ."]);
    // What stands in front of our listeners may offer something else.
    let front = format!("{both}[client_settings]\nimap_port = 993\n");
    assert_eq!(services(&front), ["0 1 993 mail.example.org.", "0 0 0 ."]);
}
