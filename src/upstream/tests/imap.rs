//! IMAP: identities, the ID pairs that a mail store trusts, and a mail store's many ways to say no.

use super::fake::{Fake, Side, imap};
use super::*;

const GREETING: &str = "* OK [CAPABILITY IMAP4rev1 ID SASL-IR AUTH=PLAIN STARTTLS] ready\r\n";

async fn greeted(fake: &Fake, greeting: &str) -> Side {
    let mut side = fake.accept().await;
    side.say(greeting).await;
    side
}

/// Takes the ID and the login, and answers the login.
async fn take_login(side: &mut Side, answer: &str) -> (String, String) {
    let (tag, id) = side.command().await;
    side.say(&format!("* ID NIL\r\n{tag} OK\r\n")).await;
    let (tag, login) = side.command().await;
    side.say(&answer.replace("TAG", &tag)).await;
    (id, login)
}

async fn log_in(harness: &Harness, fake: &Fake, answer: &str) -> (Result<Connected, Error>, (String, String)) {
    let script = async { take_login(&mut greeted(fake, GREETING).await, answer).await };
    tokio::join!(harness.log_in(Protocol::Imap), script)
}

#[tokio::test]
async fn the_master_user_logs_in_and_what_follows_belongs_to_the_client() {
    let fake = Fake::bind().await;
    let harness = Harness::new(vec![imap(fake.service())]);
    let answer = "TAG OK [CAPABILITY IMAP4rev2 IDLE] hello\r\n* OK still here\r\n";
    let (connected, (id, login)) = log_in(&harness, &fake, answer).await;
    let connected = connected.unwrap();
    assert_eq!(connected.capabilities, ["IMAP4rev2", "IDLE"]);
    assert_eq!(
        (&*connected.received, &*connected.route),
        (&b"* OK still here\r\n"[..], "store")
    );
    let response = plain("", "anna@example.org*postern", "master secret");
    assert_eq!(login, format!("AUTHENTICATE PLAIN {response}"));
    assert_eq!(
        id,
        "ID (\"name\" \"Thunderbird??\\\"x\" \"x-originating-ip\" \"2001:db8::7\" \"x-originating-port\" \"4711\" \
         \"x-connected-ip\" \"2001:db8::1\" \"x-connected-port\" \"993\" \"x-proxy-ttl\" \"4\" \"x-session-id\" \"42\")"
    );
}

#[tokio::test]
async fn without_leave_to_tell_addresses_only_the_clients_name_is_told() {
    let fake = Fake::bind().await;
    let mut service = fake.service();
    service.send_client_address = false;
    service.strategy = Strategy::Authzid {
        user: "postern".into(),
        password: password("our secret"),
    };
    let harness = Harness::new(vec![imap(service)]);
    let (connected, (id, login)) = log_in(&harness, &fake, "TAG OK [CAPABILITY IMAP4rev1] hello\r\n").await;
    connected.unwrap();
    assert_eq!(id, "ID (\"name\" \"Thunderbird??\\\"x\")");
    assert_eq!(
        login,
        format!(
            "AUTHENTICATE PLAIN {}",
            plain("anna@example.org", "postern", "our secret")
        )
    );
}

#[tokio::test]
async fn a_stored_password_is_unsealed_for_its_mailbox() {
    let fake = Fake::bind().await;
    let mut service = fake.service();
    service.strategy = Strategy::Stored;
    let harness = Harness::new(vec![imap(service)]);
    let (connected, (_, login)) = log_in(&harness, &fake, "TAG OK [CAPABILITY IMAP4rev1] hello\r\n").await;
    connected.unwrap();
    assert_eq!(
        login,
        format!("AUTHENTICATE PLAIN {}", plain("", "anna@example.org", "stored secret"))
    );
}

#[tokio::test]
async fn peculiar_stores_are_understood() {
    let fake = Fake::bind().await;
    let harness = Harness::new(vec![imap(fake.service())]);
    let script = async {
        let mut side = greeted(&fake, "* ok ready\r\n").await;
        let (tag, command) = side.command().await;
        assert_eq!(command, "CAPABILITY");
        side.say(&format!(
            "* OK a notice\r\n* capability IMAP4rev1 AUTH=PLAIN\r\n{tag} ok\r\n"
        ))
        .await;
        let (tag, command) = side.command().await;
        assert_eq!(command, "AUTHENTICATE PLAIN");
        side.say("+\r\n").await;
        assert_eq!(
            side.line().await,
            plain("", "anna@example.org*postern", "master secret")
        );
        side.say(&format!("* CAPABILITY IMAP4rev1\r\n{tag} ok\r\n")).await;
        let (tag, command) = side.command().await;
        assert_eq!(command, "CAPABILITY");
        side.say(&format!("* CAPABILITY IMAP4rev1 IDLE\r\n{tag} OK\r\n")).await;
    };
    let (connected, ()) = tokio::join!(harness.log_in(Protocol::Imap), script);
    assert_eq!(connected.unwrap().capabilities, ["IMAP4rev1", "IDLE"]);
}

#[tokio::test]
async fn answers_to_a_login_are_told_apart() {
    let fake = Fake::bind().await;
    let harness = Harness::new(vec![imap(fake.service())]);
    for (answer, reason) in [
        ("TAG NO [AUTHENTICATIONFAILED] wrong\r\n", "refused"),
        ("TAG NO wrong\r\n", "refused"),
        ("TAG NO [UNAVAILABLE] later\r\n", "temporary"),
        ("TAG no [inuse] later\r\n", "temporary"),
        ("* BYE going down\r\n", "closed"),
        ("", "closed"),
        ("TAG BAD what\r\n", "protocol"),
        ("+ more\r\n", "protocol"),
        ("x OK hello\r\n", "protocol"),
        ("TAG OK hello\n", "protocol"),
    ] {
        let (connected, _) = log_in(&harness, &fake, answer).await;
        let error = connected.unwrap_err();
        assert_eq!(error.reason(), reason, "{answer:?}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let (connected, _) = log_in(&harness, &fake, "TAG NO [AUTHENTICATIONFAILED] wrong\r\n").await;
    assert!(connected.unwrap_err().to_string().contains("AUTHENTICATIONFAILED"));
}

#[tokio::test]
async fn a_greeting_that_is_not_for_us_gets_no_credential() {
    let fake = Fake::bind().await;
    let harness = Harness::new(vec![imap(fake.service())]);
    for (greeting, reason) in [
        ("* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n", "protocol"),
        ("* BYE [UNAVAILABLE] later\r\n", "closed"),
        ("220 wrong port\r\n", "protocol"),
        ("", "closed"),
    ] {
        let script = async {
            let mut side = greeted(&fake, greeting).await;
            if greeting.is_empty() {
                return vec![];
            }
            side.rest().await
        };
        let (connected, rest) = tokio::join!(harness.log_in(Protocol::Imap), script);
        assert_eq!(
            (connected.unwrap_err().reason(), rest),
            (reason, vec![]),
            "{greeting:?}"
        );
    }
}

#[tokio::test]
async fn starttls_that_is_stripped_or_answered_too_early_gets_no_credential() {
    let fake = Fake::bind().await;
    let mut service = fake.service();
    service.transport = Transport::StartTls;
    let harness = Harness::new(vec![imap(service)]);
    let script = async {
        greeted(&fake, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n")
            .await
            .rest()
            .await
    };
    let (connected, rest) = tokio::join!(harness.log_in(Protocol::Imap), script);
    assert_eq!((connected.unwrap_err().reason(), rest), ("protocol", vec![]));

    for injected in [
        "TAG OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
        "TAG NO no\r\n",
        "TAG OK go\r\nP4 OK in\r\n",
    ] {
        let script = async {
            let mut side = greeted(&fake, GREETING).await;
            let (tag, command) = side.command().await;
            assert_eq!(command, "STARTTLS");
            side.say(&injected.replace("TAG", &tag)).await;
            side.rest().await
        };
        let (connected, rest) = tokio::join!(harness.log_in(Protocol::Imap), script);
        assert_eq!(
            (connected.unwrap_err().reason(), rest),
            ("protocol", vec![]),
            "{injected:?}"
        );
    }
}

#[tokio::test]
async fn endless_untagged_lines_end_the_login() {
    let fake = Fake::bind().await;
    let harness = Harness::new(vec![imap(fake.service())]);
    let script = async {
        let mut side = greeted(&fake, GREETING).await;
        loop {
            side.say("* OK one more\r\n").await;
        }
    };
    tokio::select! {
        connected = harness.log_in(Protocol::Imap) => assert_eq!(connected.unwrap_err().reason(), "protocol"),
        () = script => {}
    }
}
