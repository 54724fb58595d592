//! Records that are right, wrong, missing, or that nobody can tell about, asked of a real name server on loopback.

use std::time::Duration;

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RData;

use super::name_server::{NameServer, Said, address, alias, srv, txt};
use super::*;
use crate::model::{DomainName, Origin};
use crate::onboard::records::{Plan, Purpose, Reach};
use crate::onboard::{Service, Settings};

fn config(server: &NameServer) -> Config {
    Config {
        servers: vec![server.address],
        timeout: Duration::from_millis(300),
    }
}

fn plan() -> Plan {
    let service = |port| Service {
        host: "mail.example.net".to_owned(),
        port,
        implicit_tls: true,
    };
    let reach = Reach {
        settings: Settings {
            provider: "Example".to_owned(),
            imap: Some(service(993)),
            smtp: Some(service(465)),
        },
        imap_beside: None,
        smtp_beside: None,
        manager: Some(Origin::parse("https://manager.example.net").unwrap()),
        manager_tls: true,
    };
    Plan::new(&DomainName::parse("example.org").unwrap(), &reach)
}

fn digest() -> String {
    let plan = plan();
    let of = |purpose| plan.records.iter().find(|record| record.purpose == purpose);
    of(Purpose::PaccDigest).unwrap().data.to_string()
}

/// A name server that has all records as they should be, its texts in several strings.
async fn right() -> NameServer {
    let server = NameServer::start().await;
    server.put("mail.example.net", address("192.0.2.1"));
    server.put("mail.example.net", address("2001:db8::1"));
    server.put("manager.example.net", address("192.0.2.2"));
    for name in ["autoconfig", "autodiscover", "ua-auto-config"] {
        server.put(&format!("{name}.example.org"), alias("manager.example.net"));
    }
    server.put("_imaps._tcp.example.org", srv(993, "mail.example.net"));
    server.put("_submissions._tcp.example.org", srv(465, "mail.example.net"));
    server.put("_autodiscover._tcp.example.org", srv(443, "manager.example.net"));
    for name in ["imap", "submission", "pop3", "pop3s"] {
        server.put(&format!("_{name}._tcp.example.org"), srv(0, ""));
    }
    let text = digest();
    let (begin, end) = text.as_bytes().split_at(20);
    server.put("_ua-auto-config.example.org", txt(&[begin, end]));
    server.put("_ua-auto-config.example.org", txt(&[b"v=spf1 -all"]));
    server
}

async fn states(server: &NameServer) -> Vec<(String, State)> {
    let examined = examine(&plan(), &config(server)).await;
    let records = examined.records.into_iter();
    records.map(|it| (it.record.name, it.state)).collect()
}

/// The state of the one record that is not right.
async fn the_wrong_one(server: &NameServer) -> (String, State) {
    let mut wrong = states(server).await;
    wrong.retain(|(_, state)| *state != State::Right);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    wrong.remove(0)
}

fn other(found: &[&str]) -> State {
    State::Other(found.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn records_as_they_should_be_are_right_and_servers_have_addresses() {
    let server = right().await;
    let examined = examine(&plan(), &config(&server)).await;
    assert!(
        examined.records.iter().all(|it| it.state == State::Right),
        "{examined:#?}"
    );
    assert_eq!(examined.records.len(), 11);
    let hosts = examined.hosts.into_iter();
    let addresses: Vec<_> = hosts.map(|it| (it.host.name, it.addresses.unwrap())).collect();
    let ip = |text: &str| text.parse().unwrap();
    assert_eq!(
        addresses,
        [
            ("manager.example.net".to_owned(), vec![ip("192.0.2.2")]),
            ("mail.example.net".to_owned(), vec![ip("192.0.2.1"), ip("2001:db8::1")]),
        ]
    );
}

#[tokio::test]
async fn a_chain_of_aliases_and_the_same_addresses_lead_to_the_right_place_too() {
    let server = right().await;
    server.say("autoconfig.example.org", Said::Records(vec![alias("a.example.com")]));
    server.put("a.example.com", alias("b.example.com"));
    server.put("b.example.com", alias("manager.example.net"));
    server.say("autodiscover.example.org", Said::Records(vec![address("192.0.2.2")]));
    assert!(states(&server).await.iter().all(|(_, state)| *state == State::Right));
}

#[tokio::test]
async fn what_is_wrong_is_shown_as_it_stands_there() {
    for (name, records, found) in [
        (
            "_imaps._tcp.example.org",
            vec![srv(993, "mail.example.net"), srv(993, "old.example.net")],
            &["SRV 0 1 993 mail.example.net.", "SRV 0 1 993 old.example.net."] as &[_],
        ),
        (
            "_pop3._tcp.example.org",
            vec![srv(110, "mail.example.net")],
            &["SRV 0 1 110 mail.example.net."],
        ),
        ("autoconfig.example.org", vec![address("192.0.2.9")], &["A 192.0.2.9"]),
        (
            "autodiscover.example.org",
            vec![alias("nowhere.example.com")],
            &["CNAME nowhere.example.com."],
        ),
        (
            "_ua-auto-config.example.org",
            vec![txt(&[b"v=UAAC1; a=sha256; ", b"d=old\x1b[2J\xff"])],
            &["TXT v=UAAC1; a=sha256; d=old\u{fffd}[2J\u{fffd}"],
        ),
    ] {
        let server = right().await;
        server.say(name, Said::Records(records));
        assert_eq!(the_wrong_one(&server).await, (name.to_owned(), other(found)));
    }
}

#[tokio::test]
async fn missing_is_a_name_that_is_not_there_and_one_without_such_a_record() {
    let name = "_imaps._tcp.example.org";
    for said in [
        Said::Code(ResponseCode::NXDomain),
        Said::Records(Vec::new()),
        Said::Records(vec![txt(&[b"something else"])]),
    ] {
        let server = right().await;
        server.say(name, said);
        assert_eq!(the_wrong_one(&server).await, (name.to_owned(), State::Missing));
    }
}

#[tokio::test]
async fn a_failure_and_silence_are_not_missing() {
    for (said, trouble) in [
        (
            Said::Code(ResponseCode::ServFail),
            Trouble::Failed(ResponseCode::ServFail.to_str().to_owned()),
        ),
        (
            Said::Code(ResponseCode::Refused),
            Trouble::Failed(ResponseCode::Refused.to_str().to_owned()),
        ),
        (Said::Silence, Trouble::Timeout),
    ] {
        for name in ["_imaps._tcp.example.org", "autoconfig.example.org"] {
            let server = right().await;
            server.say(name, said.clone());
            let wrong = the_wrong_one(&server).await;
            assert_eq!(wrong, (name.to_owned(), State::Unknown(trouble.clone())));
        }
        let server = right().await;
        server.say("mail.example.net", said);
        let examined = examine(&plan(), &config(&server)).await;
        assert_eq!(examined.hosts[1].addresses, Err(trouble));
        assert!(examined.records.iter().all(|it| it.state == State::Right));
    }
}

#[tokio::test]
async fn a_huge_answer_comes_by_tcp_and_little_of_it_is_kept() {
    let server = right().await;
    let name = "_ua-auto-config.example.org";
    let long = [b'x'; 255];
    let strings: Vec<&[u8]> = std::iter::once(b"v=UAAC1; d=".as_slice())
        .chain(std::iter::repeat_n(long.as_slice(), 4))
        .collect();
    let records: Vec<RData> = std::iter::repeat_n(txt(&strings), answer::ANSWERS_MAX + 20).collect();
    server.say(name, Said::Records(records));
    let (wrong, state) = the_wrong_one(&server).await;
    assert_eq!(wrong, name);
    assert_eq!(state.found().len(), examine::FOUND_MAX);
    for found in state.found() {
        assert_eq!(found.chars().count(), "TXT ".len() + answer::TEXT_MAX);
    }
    assert_eq!(*server.by_tcp.lock().unwrap(), [format!("{name}.")]);
}

#[tokio::test]
async fn the_second_name_server_is_asked_where_the_first_fails() {
    let (dead, server) = (NameServer::start().await, right().await);
    let mut config = config(&dead);
    config.servers.push(server.address);
    for said in [
        Said::Code(ResponseCode::ServFail),
        Said::Code(ResponseCode::Refused),
        Said::Silence,
    ] {
        for host in &plan().hosts {
            dead.say(&host.name, said.clone());
        }
        for record in &plan().records {
            dead.say(&record.name, said.clone());
        }
        let examined = examine(&plan(), &config).await;
        let is_right = examined.records.iter().all(|it| it.state == State::Right);
        assert!(is_right, "{said:?} {examined:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_of_all_name_servers_ends_after_the_total_time() {
    let config = Config {
        servers: vec!["127.0.0.1:9".parse().unwrap()],
        timeout: Duration::from_secs(10),
    };
    let resolver = Resolver {
        places: Semaphore::new(0),
        ..Resolver::new(&config)
    };
    // No place for a question ever becomes free.
    let asked = resolver.ask("example.org", RecordType::TXT).await;
    assert_eq!(asked, Err(Trouble::Timeout));
}

#[tokio::test]
async fn a_name_server_that_is_not_there_cannot_be_asked() {
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = Config {
        servers: vec![free],
        timeout: Duration::from_millis(300),
    };
    for examined in examine(&plan(), &config).await.records {
        assert!(matches!(examined.state, State::Unknown(_)), "{examined:?}");
    }
}
