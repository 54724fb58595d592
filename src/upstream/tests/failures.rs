//! What must not work, and that no credential leaves us then.

use std::time::Duration;

use rcgen::{PKCS_ECDSA_P256_SHA256, date_time_ymd};

use super::fake::{Fake, Side, smtp};
use super::*;
use crate::model::DomainName;
use crate::tls::ConnectorConfig;
use crate::tls::testing::{Ca, Issued};

const HELLO: &str = "EHLO mx.postern.example";
const TLS_EHLO: &str = "250-store\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n";

fn tls_harness(fake: &Fake, ca: &Ca, transport: Transport) -> Harness {
    let mut service = fake.service();
    service.transport = transport;
    service.tls = ConnectorConfig {
        ca: Some(ca.file()),
        client: None,
    };
    service.tls_name = Some("store.example.org".into());
    Harness::new(vec![smtp(service)])
}

async fn clear_greeting(fake: &Fake, ehlo: &str) -> Side {
    let mut side = fake.accept().await;
    side.say("220 store\r\n").await;
    side.expect(HELLO, ehlo).await;
    side
}

#[tokio::test]
async fn starttls_is_taken_and_everything_learned_in_clear_forgotten() {
    let (fake, ca) = (Fake::bind().await, Ca::new());
    let issued = ca.issue("store", &["store.example.org"]);
    let harness = tls_harness(&fake, &ca, Transport::StartTls);
    let script = async {
        let mut side = clear_greeting(&fake, TLS_EHLO).await;
        side.expect("STARTTLS", "220 go\r\n").await;
        let mut side = side.secure(issued.server()).await.unwrap();
        side.expect(HELLO, "250-store\r\n250-AUTH PLAIN\r\n250 DSN\r\n").await;
        assert!(side.line().await.starts_with("AUTH PLAIN "));
        side.say("235 ok\r\n").await;
    };
    let (connected, ()) = tokio::join!(harness.log_in(Protocol::Smtp), script);
    let connected = connected.unwrap();
    assert_eq!(connected.capabilities, ["AUTH PLAIN", "DSN"]);
    assert!(matches!(connected.stream, Stream::Client(_)));
}

#[tokio::test]
async fn a_store_without_starttls_gets_nothing() {
    let (fake, ca) = (Fake::bind().await, Ca::new());
    let harness = tls_harness(&fake, &ca, Transport::StartTls);
    for ehlo in ["250-store\r\n250 AUTH PLAIN\r\n", "250 store\r\n"] {
        let script = async { clear_greeting(&fake, ehlo).await.rest().await };
        let (connected, rest) = tokio::join!(harness.log_in(Protocol::Smtp), script);
        assert_eq!((connected.unwrap_err().reason(), rest), ("protocol", vec![]));
    }
    for refusal in ["454 4.7.0 no\r\n", "554 5.7.0 no\r\n"] {
        let script = async {
            let mut side = clear_greeting(&fake, TLS_EHLO).await;
            side.expect("STARTTLS", refusal).await;
            side.rest().await
        };
        let (connected, rest) = tokio::join!(harness.log_in(Protocol::Smtp), script);
        assert!(connected.is_err() && rest.is_empty());
    }
}

#[tokio::test]
async fn an_answer_injected_behind_starttls_ends_the_connection() {
    let (fake, ca) = (Fake::bind().await, Ca::new());
    let harness = tls_harness(&fake, &ca, Transport::StartTls);
    let script = async {
        let mut side = clear_greeting(&fake, TLS_EHLO).await;
        side.expect("STARTTLS", "220 go\r\n250-store\r\n250 AUTH PLAIN\r\n235 ok\r\n")
            .await;
        side.rest().await
    };
    let (connected, rest) = tokio::join!(harness.log_in(Protocol::Smtp), script);
    assert_eq!((connected.unwrap_err().reason(), rest), ("protocol", vec![]));
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_gets_no_credential() {
    let (fake, ca) = (Fake::bind().await, Ca::new());
    let name = "store.example.org";
    let expired: Issued = ca.issue_with("expired", &[name], &PKCS_ECDSA_P256_SHA256, |params| {
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let cn_only = ca.issue_with("cn", &[], &PKCS_ECDSA_P256_SHA256, |params| {
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
    });
    for issued in [
        expired,
        cn_only,
        ca.self_signed("self", &[name]),
        ca.issue("other", &["127.0.0.1"]),
    ] {
        for transport in [Transport::ImplicitTls, Transport::StartTls] {
            let harness = tls_harness(&fake, &ca, transport);
            let script = async {
                let side = if transport == Transport::StartTls {
                    let mut side = clear_greeting(&fake, TLS_EHLO).await;
                    side.expect("STARTTLS", "220 go\r\n").await;
                    side
                } else {
                    fake.accept().await
                };
                side.secure(issued.server()).await.map(|_| ())
            };
            let (connected, secured) = tokio::join!(harness.log_in(Protocol::Smtp), script);
            let error = connected.unwrap_err();
            assert_eq!((error.reason(), secured.is_err()), ("tls", true), "{error}");
        }
    }
}

#[tokio::test]
async fn a_greeting_that_is_none_or_never_ends_is_an_outage() {
    let fake = Fake::bind().await;
    let harness = Harness::new(vec![smtp(fake.service())]);
    let long_line = format!("220 {}", "x".repeat(300_000));
    let many_lines = "220-store\r\n".repeat(30_000);
    for greeting in [
        "",
        "hello\r\n",
        "220",
        "554 5.7.1 go away\r\n",
        "421 later\r\n",
        &long_line,
        &many_lines,
    ] {
        let script = async {
            let mut side = fake.accept().await;
            side.say(greeting).await;
            drop(side);
        };
        let (connected, ()) = tokio::join!(harness.log_in(Protocol::Smtp), script);
        assert!(connected.is_err(), "{}", greeting.get(..20).unwrap_or(greeting));
        assert_eq!(harness.service().health(), Health::Down);
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off_although_it_goes_on() {
    let fake = Fake::bind().await;
    let harness = Harness::new(vec![smtp(fake.service())]);
    let script = async {
        let mut side = fake.accept().await;
        loop {
            side.say("220-more\r\n").await;
        }
    };
    tokio::select! {
        connected = harness.log_in(Protocol::Smtp) => assert_eq!(connected.unwrap_err().reason(), "protocol"),
        () = script => {}
    }
}

#[tokio::test]
async fn silence_is_cut_off_in_both_phases() {
    let fake = Fake::bind().await;
    let mut service = fake.service();
    service.connect_timeout = Duration::from_millis(50);
    let harness = Harness::new(vec![smtp(service.clone())]);
    let (connected, _silent) = tokio::join!(harness.log_in(Protocol::Smtp), fake.accept());
    assert!(matches!(
        connected,
        Err(Error::Timeout {
            phase: "connecting",
            ..
        })
    ));

    service.connect_timeout = Duration::from_secs(20);
    service.login_timeout = Duration::from_millis(50);
    let harness = Harness::new(vec![smtp(service)]);
    let script = clear_greeting(&fake, "250-store\r\n250 AUTH PLAIN\r\n");
    let (connected, _silent) = tokio::join!(harness.log_in(Protocol::Smtp), script);
    assert!(matches!(
        connected,
        Err(Error::Timeout {
            phase: "logging in",
            ..
        })
    ));
    assert_eq!(harness.failures("timeout"), 1);
}

#[tokio::test]
async fn nobody_listening_is_told_as_such() {
    let fake = Fake::bind().await;
    let harness = Harness::new(vec![smtp(fake.service())]);
    drop(fake);
    let error = harness.log_in(Protocol::Smtp).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("route `store`: cannot connect to 127.0.0.1:"),
        "{error}"
    );
    assert_eq!((error.reason(), harness.failures("connect")), ("connect", 1));
    assert!(harness.upstreams.all_down(Protocol::Smtp));
}

#[tokio::test]
async fn what_cannot_be_said_is_refused_before_any_contact() {
    let fake = Fake::bind().await;
    let mut service = fake.service();
    service.strategy = Strategy::MasterUser {
        user: "m".into(),
        password: password("x"),
        separator: '+',
    };
    let mut harness = Harness::new(vec![smtp(service.clone())]);
    harness.address = Address::parse("anna+x@example.org").unwrap();
    assert_eq!(harness.log_in(Protocol::Smtp).await.unwrap_err().reason(), "bad_name");

    service.strategy = Strategy::Stored;
    for sealed in [None, Some(b"not sealed by us".to_vec())] {
        let mut harness = Harness::new(vec![smtp(service.clone())]);
        harness.sealed = sealed;
        assert_eq!(harness.log_in(Protocol::Smtp).await.unwrap_err().reason(), "no_secret");
    }

    for strategy in [
        Strategy::Xclient,
        Strategy::TrustedNetwork,
        Strategy::Plain {
            user: "m".into(),
            password: password("x"),
        },
    ] {
        let mut route = smtp(service.clone());
        route.imap = route.smtp.take().map(|service| Service { strategy, ..service });
        let harness = Harness::new(vec![route]);
        assert_eq!(
            harness.log_in(Protocol::Imap).await.unwrap_err().reason(),
            "unsupported"
        );
        assert_eq!(harness.log_in(Protocol::Smtp).await.unwrap_err().reason(), "no_route");
    }

    let mut route = smtp(service);
    route.domains = vec![DomainName::parse("example.net").unwrap()];
    let error = Harness::new(vec![route]).log_in(Protocol::Smtp).await.unwrap_err();
    assert_eq!((error.reason(), error.route()), ("no_route", None));
    assert!(fake.is_alone().await);
}

#[test]
fn a_name_is_only_a_name() {
    for name in [
        "anna@example.org",
        "a.b-c+d@xn--bcher-kva.example",
        "zoë@example.org",
        "o'neil@example.org",
    ] {
        assert!(plan::is_plain_name(name, Some('*')), "{name}");
    }
    for name in [
        "",
        "a*b@x.org",
        "a%u@x.org",
        "a\"b@x.org",
        "a\\b@x.org",
        "a b@x.org",
        "a\0b@x.org",
        "a\r\nb@x.org",
        "a\u{85}b@x.org",
    ] {
        assert!(!plan::is_plain_name(name, None), "{name:?}");
    }
    assert!(!plan::is_plain_name("a/b@x.org", Some('/')));
}
