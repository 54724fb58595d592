//! Submission: XCLIENT, what is promised before login, and health.

use super::fake::{Fake, Side, smtp};
use super::*;

const GREETING: &str = "220 store ESMTP\r\n";
const HELLO: &str = "EHLO mx.postern.example";
const XCLIENT: &str =
    "250-store\r\n250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT\r\n250-PIPELINING\r\n250 SIZE 1000\r\n";

async fn greet(side: &mut Side, ehlo: &str) {
    side.say(GREETING).await;
    side.expect(HELLO, ehlo).await;
}

#[tokio::test]
async fn xclient_tells_mailbox_and_address_and_is_followed_by_a_new_ehlo() {
    let fake = Fake::bind().await;
    let mut service = fake.service();
    service.strategy = Strategy::Xclient;
    let harness = Harness::new(vec![smtp(service)]);
    let script = async {
        let mut side = fake.accept().await;
        greet(&mut side, XCLIENT).await;
        let mut told = String::new();
        loop {
            let line = side.line().await;
            if line == HELLO {
                break;
            }
            told.push_str(line.strip_prefix("XCLIENT").unwrap());
            side.say(GREETING).await;
        }
        side.say("250-store\r\n250 SIZE 500\r\n").await;
        told
    };
    let (connected, told) = tokio::join!(harness.log_in(Protocol::Smtp), script);
    let connected = connected.unwrap();
    assert_eq!(connected.capabilities, ["SIZE 500"]);
    assert!(connected.received.is_empty());
    for attribute in [
        " LOGIN=anna@example.org",
        " PROTO=ESMTP",
        " ADDR=IPV6:2001:db8::7",
        " PORT=4711",
        " DESTADDR=IPV6:2001:db8::1",
        " DESTPORT=993",
        " NAME=[UNAVAILABLE]",
    ] {
        assert!(told.contains(attribute), "{attribute} is missing in {told}");
    }
    assert!(told.starts_with(" HELO=Thunderbird+3F+3F+3Fx "), "{told}");
}

#[tokio::test]
async fn without_a_login_attribute_xclient_is_not_tried() {
    let fake = Fake::bind().await;
    let mut service = fake.service();
    service.strategy = Strategy::Xclient;
    let harness = Harness::new(vec![smtp(service)]);
    let script = async {
        let mut side = fake.accept().await;
        greet(&mut side, "250-store\r\n250 XCLIENT NAME ADDR\r\n").await;
        side.rest().await
    };
    let (connected, rest) = tokio::join!(harness.log_in(Protocol::Smtp), script);
    assert!(matches!(connected, Err(Error::Protocol { .. })), "{connected:?}");
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn the_address_is_told_before_authentication_where_the_store_asks_for_it() {
    let fake = Fake::bind().await;
    let mut service = fake.service();
    service.strategy = Strategy::Authzid {
        user: "postern".into(),
        password: password("our secret"),
    };
    let harness = Harness::new(vec![smtp(service)]);
    let script = async {
        let mut side = fake.accept().await;
        greet(&mut side, "250-store\r\n250-AUTH PLAIN\r\n250 XCLIENT ADDR\r\n").await;
        side.expect("XCLIENT ADDR=IPV6:2001:db8::7", GREETING).await;
        side.expect(HELLO, "250-store\r\n250-AUTH PLAIN LOGIN\r\n250 DSN\r\n")
            .await;
        let response = plain("anna@example.org", "postern", "our secret");
        side.expect(&format!("AUTH PLAIN {response}"), "235 2.7.0 ok\r\n").await;
    };
    let (connected, ()) = tokio::join!(harness.log_in(Protocol::Smtp), script);
    assert_eq!(connected.unwrap().capabilities, ["AUTH PLAIN LOGIN", "DSN"]);
}

#[tokio::test]
async fn a_store_that_refuses_ipv6_addresses_is_told_none_and_the_login_works() {
    let fake = Fake::bind().await;
    let mut service = fake.service();
    service.strategy = Strategy::Xclient;
    let harness = Harness::new(vec![smtp(service)]);
    let script = async {
        let mut side = fake.accept().await;
        greet(&mut side, "250-store\r\n250 XCLIENT ADDR LOGIN\r\n").await;
        side.expect(
            "XCLIENT LOGIN=anna@example.org ADDR=IPV6:2001:db8::7",
            "501 5.5.4 Bad ADDR syntax: IPV6:2001:db8::7\r\n",
        )
        .await;
        side.expect("XCLIENT LOGIN=anna@example.org ADDR=[UNAVAILABLE]", GREETING)
            .await;
        side.expect(HELLO, "250-store\r\n250 DSN\r\n").await;
    };
    let (connected, ()) = tokio::join!(harness.log_in(Protocol::Smtp), script);
    assert_eq!(connected.unwrap().capabilities, ["DSN"]);
    assert!(harness.service().has_told_of_hidden_address());
}

#[tokio::test]
async fn fixed_credentials_and_a_trusted_network_say_nothing_of_the_mailbox() {
    let fake = Fake::bind().await;
    let mut service = fake.service();
    service.strategy = Strategy::Plain {
        user: "relay".into(),
        password: password("relay secret"),
    };
    let harness = Harness::new(vec![smtp(service.clone())]);
    let script = async {
        let mut side = fake.accept().await;
        greet(&mut side, "250-store\r\n250 AUTH PLAIN\r\n").await;
        side.expect(
            &format!("AUTH PLAIN {}", plain("", "relay", "relay secret")),
            "235 ok\r\n",
        )
        .await;
    };
    assert!(tokio::join!(harness.log_in(Protocol::Smtp), script).0.is_ok());

    service.strategy = Strategy::TrustedNetwork;
    let harness = Harness::new(vec![smtp(service)]);
    let script = async {
        let mut side = fake.accept().await;
        greet(&mut side, XCLIENT).await;
        side
    };
    let (connected, mut side) = tokio::join!(harness.log_in(Protocol::Smtp), script);
    drop(connected.unwrap());
    assert_eq!(side.rest().await, b"");
}

#[tokio::test]
async fn only_what_every_store_offers_is_promised_once_it_is_known() {
    let (one, two) = (Fake::bind().await, Fake::bind().await);
    let harness = Harness::new(vec![smtp(one.service()), smtp(two.service())]);
    assert!(harness.upstreams.smtp_extensions().is_empty());
    let script = async {
        let mut first = one.accept().await;
        greet(
            &mut first,
            "250-store\r\n250-VRFY\r\n250-AUTH PLAIN\r\n250-DSN\r\n250-SIZE 1000\r\n250 PIPELINING\r\n",
        )
        .await;
        first.expect("QUIT", "221 bye\r\n").await;
        assert_eq!(
            **harness.upstreams.smtp_extensions(),
            ["DSN", "SIZE 1000", "PIPELINING"]
        );
        let mut second = two.accept().await;
        greet(&mut second, "250-store\r\n250-size 500\r\n250 PIPELINING\r\n").await;
        second.expect("QUIT", "221 bye\r\n").await;
        assert_eq!(**harness.upstreams.smtp_extensions(), ["SIZE 500", "PIPELINING"]);
    };
    tokio::select! {
        () = harness.upstreams.run() => {}
        () = script => {}
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_known_and_found_again() {
    let fake = Fake::bind().await;
    let service = fake.service();
    let harness = Harness::new(vec![smtp(service)]);
    assert!(!harness.upstreams.all_down(Protocol::Smtp) && !harness.upstreams.all_down(Protocol::Imap));
    let script = async {
        let mut side = fake.accept().await;
        side.say("421 4.3.2 closing\r\n").await;
        while !harness.upstreams.all_down(Protocol::Smtp) {
            tokio::task::yield_now().await;
        }
        assert!(!harness.upstreams.all_down(Protocol::Imap));
        let mut side = fake.accept().await;
        greet(&mut side, XCLIENT).await;
        side.expect("QUIT", "221 bye\r\n").await;
        assert!(!harness.upstreams.all_down(Protocol::Smtp));
    };
    tokio::select! {
        () = harness.upstreams.run() => {}
        () = script => {}
    }
}

#[tokio::test]
async fn answers_to_authentication_are_told_apart() {
    let fake = Fake::bind().await;
    let harness = Harness::new(vec![smtp(fake.service())]);
    let cases = [
        ("535 5.7.8 wrong\r\n", "refused"),
        ("535-5.7.8 wrong\r\n535 5.7.8 really\r\n", "refused"),
        ("454 4.7.0 later\r\n", "temporary"),
        ("421 4.3.2 closing\r\n", "closed"),
        ("", "closed"),
        ("334 \r\n", "protocol"),
        ("235 ok\r\n220 more\r\n", "protocol"),
        ("hello\r\n", "protocol"),
    ];
    for (answer, reason) in cases {
        let before = harness.failures(reason);
        let script = async {
            let mut side = fake.accept().await;
            greet(&mut side, "250-store\r\n250 AUTH PLAIN\r\n").await;
            side.expect(
                &format!("AUTH PLAIN {}", plain("", "anna@example.org*postern", "master secret")),
                answer,
            )
            .await;
        };
        let (connected, ()) = tokio::join!(harness.log_in(Protocol::Smtp), script);
        let error = connected.unwrap_err();
        assert_eq!(error.reason(), reason, "{answer:?}: {error}");
        assert!(
            error.to_string().starts_with("route `store`: ") && !error.to_string().contains("secret"),
            "{error}"
        );
        assert_eq!(harness.failures(reason), before + 1);
    }
}
