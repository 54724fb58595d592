//! Which records there are, in which words, and what counts as right.

use super::*;

fn domain(name: &str) -> DomainName {
    DomainName::parse(name).unwrap()
}

fn service(host: &str, port: u16) -> Service {
    Service {
        host: host.to_owned(),
        port,
        implicit_tls: matches!(port, 993 | 465),
    }
}

fn reach() -> Reach {
    Reach {
        settings: Settings {
            provider: "Example".to_owned(),
            imap: Some(service("mail.example.net", 993)),
            smtp: Some(service("mail.example.net", 465)),
        },
        imap_beside: None,
        smtp_beside: Some(service("mail.example.net", 587)),
        manager: Some(Origin::parse("https://manager.example.net").unwrap()),
        manager_tls: true,
    }
}

/// Of the document that the Manager serves.
fn digest() -> String {
    let reach = reach();
    pacc::digest(&pacc::document(&reach.settings, &reach.manager.unwrap()).unwrap())
}

fn plan(reach: &Reach) -> Plan {
    Plan::new(&domain("example.org"), reach)
}

#[test]
fn a_zone_file_has_every_record_with_whole_names() {
    let expected = "\
; example.org: what mail programs look for
; manager.example.net needs an A or AAAA record of its own, once for all mail domains
; mail.example.net needs an A or AAAA record of its own, once for all mail domains
autoconfig.example.org. 3600 IN CNAME manager.example.net.
autodiscover.example.org. 3600 IN CNAME manager.example.net.
_imaps._tcp.example.org. 3600 IN SRV 0 1 993 mail.example.net.
_submissions._tcp.example.org. 3600 IN SRV 0 1 465 mail.example.net.
ua-auto-config.example.org. 3600 IN CNAME manager.example.net.
_autodiscover._tcp.example.org. 3600 IN SRV 0 0 443 manager.example.net.
_ua-auto-config.example.org. 3600 IN TXT \"v=UAAC1; a=sha256; d={digest}\"
_imap._tcp.example.org. 3600 IN SRV 0 0 0 .
_submission._tcp.example.org. 3600 IN SRV 10 1 587 mail.example.net.
_pop3s._tcp.example.org. 3600 IN SRV 0 0 0 .
_pop3._tcp.example.org. 3600 IN SRV 0 0 0 .
";
    assert_eq!(zone(&plan(&reach())), expected.replace("{digest}", &digest()));
}

#[test]
fn certificates_have_to_cover_the_servers_and_the_names_of_the_domain() {
    let names = |plan: &Plan| {
        plan.certified
            .iter()
            .map(|host| (host.name.clone(), host.role))
            .collect::<Vec<_>>()
    };
    let with = |name: &str, role| (name.to_owned(), role);
    assert_eq!(
        names(&plan(&reach())),
        [
            with("manager.example.net", Role::Manager),
            with("mail.example.net", Role::Mail),
            with("autoconfig.example.org", Role::Manager),
            with("autodiscover.example.org", Role::Manager),
            with("ua-auto-config.example.org", Role::Manager),
        ]
    );
    let mut behind = reach();
    behind.manager_tls = false;
    assert!(names(&plan(&behind)).contains(&with("autoconfig.example.org", Role::ManagerBehindProxy)));
    // Where one name is both, the mail listeners need the certificate in any case.
    behind.manager = Some(Origin::parse("https://mail.example.net").unwrap());
    assert_eq!(
        plan(&behind).hosts,
        [Host {
            name: "mail.example.net".to_owned(),
            role: Role::Mail
        }]
    );
}

#[test]
fn what_cannot_be_a_record_is_a_note() {
    let mut reach = reach();
    reach.manager = None;
    assert_eq!(plan(&reach).notes, [Note::NoManager]);
    assert!(
        plan(&reach)
            .records
            .iter()
            .all(|record| matches!(record.data, Data::Service { .. }))
    );
    for origin in [
        "http://localhost:8080",
        "https://192.0.2.1",
        "https://[2001:db8::1]:8443",
    ] {
        reach.manager = Some(Origin::parse(origin).unwrap());
        assert_eq!(plan(&reach).notes, [Note::ManagerUnnamed(origin.to_owned())]);
    }
    reach.manager = Some(Origin::parse("https://manager.example.net:8443").unwrap());
    assert_eq!(plan(&reach).notes, [Note::ManagerPort(8443)]);
    for host in ["localhost", "192.0.2.1"] {
        reach.settings.imap = Some(service(host, 993));
        let plan = plan(&reach);
        assert!(plan.notes.contains(&Note::ServerUnnamed(host.to_owned())), "{plan:?}");
        assert!(plan.records.iter().all(|record| record.purpose != Purpose::Receive));
    }
    let label = "a".repeat(60);
    let long = domain(&format!("{label}.{label}.{label}.{label}.org"));
    let plan = Plan::new(&long, &reach);
    assert!(
        plan.notes.iter().any(|note| matches!(note, Note::TooLong(_))),
        "{plan:?}"
    );
    assert!(plan.records.iter().all(|record| record.name.len() <= NAME_MAX));
}

#[test]
fn a_name_is_no_alias_of_itself() {
    let mut reach = reach();
    reach.manager = Some(Origin::parse("https://autoconfig.example.org").unwrap());
    let plan = plan(&reach);
    assert!(plan.records.iter().all(|record| record.purpose != Purpose::Autoconfig));
    assert!(
        plan.records
            .iter()
            .any(|record| record.purpose == Purpose::Autodiscover)
    );
}

#[test]
fn a_starttls_service_is_needed_where_it_is_what_people_are_told() {
    let mut reach = reach();
    reach.settings.imap = Some(service("mail.example.net", 143));
    let plan = plan(&reach);
    // PACC knows the usual ports only, so there is no document.
    assert!(
        plan.records
            .iter()
            .all(|record| !record.name.contains("ua-auto-config"))
    );
    let of = |purpose| plan.records.iter().find(|record| record.purpose == purpose).unwrap();
    assert_eq!(
        of(Purpose::ReceiveStartTls).data.to_string(),
        "0 1 143 mail.example.net."
    );
    assert!(of(Purpose::ReceiveStartTls).is_needed && !of(Purpose::Receive).is_needed);
    assert_eq!(of(Purpose::Receive).data.to_string(), "0 0 0 .");
}

fn record(purpose: Purpose) -> Record {
    let plan = plan(&reach());
    plan.records
        .into_iter()
        .find(|record| record.purpose == purpose)
        .unwrap()
}

fn srv(port: u16, target: &str) -> Data {
    Data::Service {
        priority: 5,
        weight: 7,
        port,
        target: (!target.is_empty()).then(|| target.to_owned()),
    }
}

#[test]
fn a_service_is_right_by_port_and_target_in_all_its_records() {
    let receive = record(Purpose::Receive);
    assert_eq!(judge(&receive, &[srv(993, "Mail.Example.NET")], &[]), Found::Right);
    assert_eq!(judge(&receive, &[], &[]), Found::Missing);
    for wrong in [srv(143, "mail.example.net"), srv(993, "old.example.net"), srv(0, "")] {
        let both = [srv(993, "mail.example.net"), wrong.clone()];
        assert_eq!(judge(&receive, &both, &[]), Found::Other(both.to_vec()));
        assert_eq!(
            judge(&receive, std::slice::from_ref(&wrong), &[]),
            Found::Other(vec![wrong])
        );
    }
    let pop3 = record(Purpose::Pop3);
    assert_eq!(judge(&pop3, &[srv(0, "")], &[]), Found::Right);
    assert!(matches!(
        judge(&pop3, &[srv(110, "mail.example.net")], &[]),
        Found::Other(_)
    ));
}

#[test]
fn an_alias_is_right_by_its_name_or_by_the_same_addresses() {
    let autoconfig = record(Purpose::Autoconfig);
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let alias = |name: &str| Data::Alias(name.to_owned());
    let same = [ip("192.0.2.1"), ip("2001:db8::1")];
    let right: [&[Data]; 4] = [
        &[alias("MANAGER.example.net")],
        &[alias("else.example.net"), alias("manager.example.net")],
        &[alias("else.example.net"), Data::Address(same[0])],
        &[Data::Address(same[0]), Data::Address(same[1])],
    ];
    for found in right {
        assert_eq!(judge(&autoconfig, found, &same), Found::Right, "{found:?}");
    }
    let wrong: [&[Data]; 3] = [
        &[alias("else.example.net")],
        &[Data::Address(ip("192.0.2.9"))],
        &[Data::Address(same[0]), Data::Address(ip("192.0.2.9"))],
    ];
    for found in wrong {
        assert_eq!(judge(&autoconfig, found, &same), Found::Other(found.to_vec()));
    }
    // Nothing is known of the right name's addresses.
    assert!(matches!(
        judge(&autoconfig, &[Data::Address(same[0])], &[]),
        Found::Other(_)
    ));
}

#[test]
fn a_digest_is_compared_tag_by_tag_and_other_texts_do_not_count() {
    let wanted = record(Purpose::PaccDigest);
    let text = |text: &str| Data::Text(text.to_owned());
    let spf = text("v=spf1 -all");
    assert_eq!(judge(&wanted, std::slice::from_ref(&spf), &[]), Found::Missing);
    let right = [spf.clone(), text(&format!("v=UAAC1;a=sha256;  d={};", digest()))];
    assert_eq!(judge(&wanted, &right, &[]), Found::Right);
    let old = text("v=UAAC1; a=sha256; d=AAAA");
    assert_eq!(
        judge(&wanted, &[spf, old.clone()], &[]),
        Found::Other(vec![old.clone()])
    );
    let twice = [text(&format!("v=UAAC1; a=sha256; d={}", digest())), old];
    assert_eq!(judge(&wanted, &twice, &[]), Found::Other(twice.to_vec()));
}
