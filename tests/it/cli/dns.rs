//! `dns records` and `doctor dns`, against a name server of our own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use hickory_resolver::proto::op::ResponseCode;
use serde_json::Value;

use super::installation::{CONFIG, Installation, MANAGER};
use crate::kit::certificates::Certificates;
use crate::kit::name_server::{NameServer, Said, address, alias, srv, txt};

/// With a Manager, the certificate of the test and this name server.
fn installation(server: &NameServer, names: &[&str]) -> (Installation, Certificates) {
    let certificates = Certificates::new().unwrap();
    let issued = certificates.issue("mail", names).unwrap();
    let tls = format!(
        "[[tls.certificate]]\nchain = \"{}\"\nkey = \"{}\"\n",
        issued.certificate.display(),
        issued.key.display()
    );
    let config = CONFIG.replace("[tls]\ndevelopment = true\n", &tls);
    let dns = format!("[dns]\nresolver = [\"{}\"]\ntimeout = \"500ms\"\n", server.address);
    let it = Installation::with_config(&format!("{config}{MANAGER}{dns}"));
    it.ok(&["init"]);
    it.ok(&["org", "create", "Example"]);
    it.ok(&["domain", "create", "example.org", "--org", "Example"]);
    (it, certificates)
}

const NAMES: &[&str] = &[
    "mail.example.org",
    "manager.example.org",
    "autoconfig.example.org",
    "autodiscover.example.org",
    "ua-auto-config.example.org",
];

/// Publishes what `dns records` prints, and the servers' addresses.
fn publish(server: &NameServer, it: &Installation) {
    let plan = it.json(&["dns", "records", "example.org"]);
    for host in plan["hosts"].as_array().unwrap() {
        server.put(host.as_str().unwrap(), address("192.0.2.1"));
    }
    for record in plan["records"].as_array().unwrap() {
        let text = |key: &str| record[key].as_str().unwrap();
        let data = match text("type") {
            "CNAME" => alias(text("target")),
            "SRV" => srv(
                u16::try_from(record["port"].as_u64().unwrap()).unwrap(),
                text("target").trim_end_matches('.'),
            ),
            _ => txt(&[text("value").as_bytes()]),
        };
        server.put(text("name"), data);
    }
}

/// The digest of the PACC document.
fn digest_of(plan: &Value) -> String {
    let mut records = plan["records"].as_array().unwrap().iter();
    let record = records.find(|record| record["purpose"] == "pacc-digest").unwrap();
    record["value"].as_str().unwrap().split_once("d=").unwrap().1.to_owned()
}

/// The findings that are not in order, as `state check`.
fn faults(said: &str) -> Vec<String> {
    let said: Value = serde_json::from_str(said).unwrap();
    let findings = said["findings"].as_array().unwrap().iter();
    let faults = findings.filter(|finding| finding["state"] != "ok");
    faults
        .map(|finding| {
            format!(
                "{} {}",
                finding["state"].as_str().unwrap(),
                finding["check"].as_str().unwrap()
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_printed_for_people_for_name_servers_and_for_programs() {
    let server = NameServer::start().await;
    let (it, _certificates) = installation(&server, NAMES);
    let json = it.json(&["dns", "records", "example.org"]);
    let digest = digest_of(&json);
    let printed = |args: &[&str]| it.ok(args).replace(&digest, "[digest]");
    insta::assert_snapshot!("dns_records", printed(&["dns", "records", "example.org"]));
    insta::assert_snapshot!("dns_zone", printed(&["dns", "records", "example.org.", "--zone"]));
    assert_eq!(json["records"][0]["purpose"], "autoconfig");
    assert_eq!(json["notes"], serde_json::json!([]));

    let ran = it.run(&["dns", "records", "bücher.example"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("autoconfig.xn--bcher-kva.example"), "{ran:?}");
    assert!(
        ran.stderr
            .contains("warning: xn--bcher-kva.example is no mail domain of this installation (yet)"),
        "{ran:?}"
    );
    assert_eq!(it.run(&["dns", "records", "example.org"]).stderr, "");
    let said = it.fails(2, &["dns", "records", "anna@example.org"]);
    assert!(said.contains("no mail domain"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_as_printed_passes() {
    let server = NameServer::start().await;
    let (it, _certificates) = installation(&server, NAMES);
    publish(&server, &it);
    let said = it.json(&["doctor", "dns"]);
    assert_eq!(
        (&said["errors"], &said["findings"].as_array().unwrap().len()),
        (&Value::from(0), &18)
    );
    // The certificates of tests last longer than two weeks, so there is no warning either.
    assert_eq!(said["warnings"], 0, "{said:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_is_told_with_what_to_do() {
    let server = NameServer::start().await;
    let (it, _certificates) = installation(&server, &["mail.example.org", "autoconfig.example.org"]);
    publish(&server, &it);
    server.say(
        "_imaps._tcp.example.org",
        Said::Records(vec![srv(993, "old.example.net")]),
    );
    server.say("autodiscover.example.org", Said::Code(ResponseCode::NXDomain));
    server.say("_pop3._tcp.example.org", Said::Code(ResponseCode::NXDomain));
    server.say(
        "_ua-auto-config.example.org",
        Said::Records(vec![txt(&[b"v=UAAC1; a=sha256; ", b"d=old"])]),
    );
    server.say("mail.example.org", Said::Records(Vec::new()));
    let ran = it.run(&["doctor", "dns", "example.org", "--json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(
        faults(&ran.stdout),
        [
            "error autodiscover.example.org CNAME",
            "error _imaps._tcp.example.org SRV",
            "error _ua-auto-config.example.org TXT",
            "warning _pop3._tcp.example.org SRV",
            "error mail.example.org address",
            "error manager.example.org certificate",
            "error autodiscover.example.org certificate",
            "error ua-auto-config.example.org certificate",
        ]
    );
    for words in [
        "missing; add manager.example.org. (settings for Outlook)",
        "found SRV 0 1 993 old.example.net.; it should be 0 1 993 mail.example.org. (receive mail, TLS)",
        "found TXT v=UAAC1; a=sha256; d=old; it should be v=UAAC1; a=sha256; d=",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_server_that_does_not_answer_ends_it_with_another_code() {
    let server = NameServer::start().await;
    let (it, _certificates) = installation(&server, NAMES);
    publish(&server, &it);
    for said in [Said::Code(ResponseCode::ServFail), Said::Silence] {
        server.say("_imaps._tcp.example.org", said);
        let ran = it.run(&["doctor", "dns"]);
        assert_eq!(ran.code, 5, "{ran:?}");
        assert!(
            ran.stdout.contains("ERROR    _imaps._tcp.example.org SRV: not known: "),
            "{ran:?}"
        );
    }
    server.say("_submissions._tcp.example.org", Said::Records(Vec::new()));
    assert_eq!(it.run(&["doctor", "dns"]).code, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reverse_proxy_and_development_certificates_are_told() {
    let server = NameServer::start().await;
    let (it, _certificates) = installation(&server, NAMES);
    publish(&server, &it);
    let text = std::fs::read_to_string(it.config()).unwrap();
    it.write(
        "postern.toml",
        text.replace("8443\"\n", "8443\"\ntls = false\nproxies = [\"127.0.0.1\"]\n"),
    );
    let said = it.ok(&["doctor", "dns"]);
    assert!(
        said.contains("ok       autoconfig.example.org certificate: not ours: the reverse proxy"),
        "{said}"
    );
    it.write("postern.toml", CONFIG.to_owned() + &text[text.find("[dns]").unwrap()..]);
    let said = it.ok(&["doctor", "dns"]);
    assert!(said.contains("warning  certificate: made for development"), "{said}");
    assert!(
        said.contains("warning  example.org records: the Manager is off"),
        "{said}"
    );
}
