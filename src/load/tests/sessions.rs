//! One session: what it says, and what it makes of the answers.

use tokio::io::AsyncReadExt;

use super::*;

const IMAP: &str = "* OK ready\r\n";
const LOGIN: &str = r#"L1 LOGIN "anna@example.org" "s e\"cret""#;
const EHLO: &str = "EHLO [127.0.0.1]";
const OFFERS: &str = "250-example.org\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE\r\n";
const AUTH: &str = "AUTH PLAIN AGFubmFAZXhhbXBsZS5vcmcAcyBlImNyZXQ=";

async fn open(address: SocketAddr, protocol: Protocol) -> Result<Session, Failure> {
    Session::open(&target(address, protocol), None, LONG).await
}

async fn imap_login(answer: &str) -> Result<(), Failure> {
    let address = script(IMAP, steps(&[(LOGIN, answer)])).await;
    let mut session = open(address, Protocol::Imap).await.unwrap();
    session.login(&account(), Mechanism::Login).await
}

async fn smtp_login(dialogue: &[(&str, &str)], mechanism: Mechanism) -> Result<(), Failure> {
    let address = script("220 ready\r\n", steps(dialogue)).await;
    let mut session = open(address, Protocol::Smtp).await.unwrap();
    session.login(&account(), mechanism).await
}

/// Fetches a message that should be `stored`, from a server that answers with these octets.
async fn fetch(answer: Vec<u8>, stored: Expected) -> Result<u64, Failure> {
    let address = script(IMAP, vec![("L1 FETCH 1 BODY.PEEK[]".to_owned(), answer)]).await;
    let mut session = open(address, Protocol::Imap).await.unwrap();
    session.fetch_whole(1, &stored).await
}

fn fetched(octets: &[u8]) -> Vec<u8> {
    let head = format!("* 2 EXISTS\r\n* 1 FETCH (FLAGS () BODY[] {{{}}}\r\n", octets.len());
    [head.as_bytes(), octets, b" UID 7)\r\nL1 OK done\r\n"].concat()
}

#[tokio::test]
async fn a_message_is_compared_octet_by_octet() {
    let stored = Expected::new(200_000);
    let octets = whole(stored);
    assert_eq!(fetch(fetched(&octets), stored).await, Ok(stored.octets()));

    let mut flipped = octets.clone();
    flipped[123_456] ^= 0x20;
    let failure = fetch(fetched(&flipped), stored).await.unwrap_err();
    assert_eq!(
        failure,
        Failure::BadAnswer("octet 123456 of the message is not what was stored".to_owned())
    );

    let failure = fetch(fetched(&octets[1..]), stored).await.unwrap_err();
    assert_eq!(failure.word(), "bad_answer");
    assert_eq!(
        fetch(b"L1 OK done\r\n".to_vec(), stored).await.unwrap_err().word(),
        "bad_answer"
    );
    let half = fetched(&octets)[..100_000].to_vec();
    assert_eq!(fetch(half, stored).await, Err(Failure::Closed));
    let failure = fetch(b"L1 NO no such message\r\n".to_vec(), stored).await.unwrap_err();
    assert_eq!(failure, Failure::Refused("no such message".to_owned()));
}

#[tokio::test]
async fn refusals_of_an_imap_login_have_kinds() {
    assert_eq!(imap_login("* CAPABILITY IMAP4rev1\r\nL1 OK in\r\n").await, Ok(()));
    let check = async |answer: &str, word: &str| {
        let failure = imap_login(answer).await.unwrap_err();
        assert_eq!(failure.word(), word, "{answer}: {failure}");
    };
    check("L1 NO [AUTHENTICATIONFAILED] wrong\r\n", "wrong_password").await;
    check("L1 no wrong\r\n", "wrong_password").await;
    check(
        "* BYE too many\r\nL1 NO [AUTHENTICATIONFAILED] wrong\r\n",
        "wrong_password",
    )
    .await;
    check("L1 NO [UNAVAILABLE] later\r\n", "unavailable").await;
    check("L1 NO [LIMIT] too many\r\n", "unavailable").await;
    check("* BYE shutting down\r\n", "unavailable").await;
    check("L1 BAD what\r\n", "refused").await;
    check("L2 OK whose\r\n", "bad_answer").await;
    check("250 hello\r\n", "bad_answer").await;
    check("", "closed").await;
    check(&"x".repeat(20_000), "bad_answer").await;
}

#[tokio::test]
async fn refusals_of_an_smtp_login_have_kinds() {
    let check = async |dialogue: &[(&str, &str)], word: &str| {
        let failure = smtp_login(dialogue, Mechanism::Plain).await.unwrap_err();
        assert_eq!(failure.word(), word, "{dialogue:?}: {failure}");
    };
    let auth = |answer| [(EHLO, OFFERS), (AUTH, answer)];
    assert_eq!(smtp_login(&auth("235 in\r\n"), Mechanism::Plain).await, Ok(()));
    check(&auth("535-5.7.8 wrong\r\n535 5.7.8 really\r\n"), "wrong_password").await;
    check(&auth("454 4.7.0 later\r\n"), "unavailable").await;
    check(&auth("421 bye\r\n"), "unavailable").await;
    check(&auth("530 5.7.0 no\r\n"), "refused").await;
    check(&auth("334 \r\n"), "bad_answer").await;
    check(&auth("* OK in\r\n"), "bad_answer").await;
    check(&auth("999 in\r\n"), "bad_answer").await;
    check(&auth(""), "closed").await;
    check(
        &[(EHLO, "250-example.org\r\n250-STARTTLS\r\n250 AUTH LOGIN\r\n")],
        "unsupported",
    )
    .await;
    check(&[(EHLO, "502 what\r\n")], "refused").await;
}

#[tokio::test]
async fn what_greets_otherwise_is_no_mail_server() {
    let check = async |greeting: &str, protocol, word: &str| {
        let failure = open(script(greeting, Vec::new()).await, protocol).await.unwrap_err();
        assert_eq!(failure.word(), word, "{greeting}: {failure}");
    };
    check("220 ready\r\n", Protocol::Imap, "bad_answer").await;
    check("* PREAUTH in\r\n", Protocol::Imap, "bad_answer").await;
    check("* BYE full\r\n", Protocol::Imap, "unavailable").await;
    check("SSH-2.0-OpenSSH\r\n", Protocol::Imap, "bad_answer").await;
    check("* OK ready\r\n", Protocol::Smtp, "bad_answer").await;
    check("554 go away\r\n", Protocol::Smtp, "refused").await;
    check("421 full\r\n", Protocol::Smtp, "unavailable").await;
    check("", Protocol::Smtp, "closed").await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut target = target(listener.local_addr().unwrap(), Protocol::Imap);
    for (security, what) in [
        (Security::Cleartext, "the greeting"),
        (Security::ImplicitTls, "the TLS handshake"),
    ] {
        target.security = security;
        let failure = Session::open(&target, None, SHORT).await.unwrap_err();
        assert_eq!(failure, Failure::Timeout(what));
    }
}

#[tokio::test]
async fn a_closed_port_and_a_foreign_address_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = target(listener.local_addr().unwrap(), Protocol::Imap);
    drop(listener);
    let failure = Session::open(&target, None, LONG).await.unwrap_err();
    assert_eq!(failure.word(), "connect", "{failure}");
    let from = Some("192.0.2.1".parse().unwrap());
    let failure = Session::open(&target, from, LONG).await.unwrap_err();
    assert_eq!(failure.word(), "local", "{failure}");
}

#[tokio::test]
async fn a_server_without_tls_is_said_to_be_one() {
    let with = async |greeting: &str, dialogue: &[(&str, &str)], protocol, security| {
        let address = script(greeting, steps(dialogue)).await;
        let target = Target {
            security,
            ..target(address, protocol)
        };
        Session::open(&target, None, LONG).await.unwrap_err()
    };
    let failure = with("220 ready\r\n", &[], Protocol::Smtp, Security::ImplicitTls).await;
    assert_eq!(failure.word(), "tls", "{failure}");
    let failure = with(
        IMAP,
        &[("L1 STARTTLS", "L1 BAD what\r\n")],
        Protocol::Imap,
        Security::StartTls,
    )
    .await;
    assert_eq!(failure, Failure::Unsupported("STARTTLS"));
    let failure = with("220 ready\r\n", &[(EHLO, OFFERS)], Protocol::Smtp, Security::StartTls).await;
    assert_eq!(failure, Failure::Unsupported("STARTTLS"));
    let injected = "L1 OK go\r\nL2 OK in\r\n";
    let failure = with(IMAP, &[("L1 STARTTLS", injected)], Protocol::Imap, Security::StartTls).await;
    assert_eq!(failure.word(), "bad_answer", "{failure}");
}

#[tokio::test]
async fn passwords_that_cannot_be_quoted_go_as_literals() {
    let dialogue = [("L1 LOGIN \"anna\" {7}", "+ go\r\n"), ("schlüs", "L1 OK in\r\n")];
    let address = script(IMAP, steps(&dialogue)).await;
    let mut session = open(address, Protocol::Imap).await.unwrap();
    let account = Account {
        username: "anna".to_owned(),
        password: Secret::new("schlüs".as_bytes().to_vec()),
    };
    assert_eq!(session.login(&account, Mechanism::Login).await, Ok(()));
}

#[tokio::test]
async fn plain_waits_for_the_server_where_it_must() {
    let message = "AGFubmFAZXhhbXBsZS5vcmcAcyBlImNyZXQ=";
    let waits = [("L1 AUTHENTICATE PLAIN", "+ \r\n"), (message, "L1 OK in\r\n")];
    let at_once = format!("L1 AUTHENTICATE PLAIN {message}");
    let at_once = [(at_once.as_str(), "L1 OK in\r\n")];
    for (greeting, dialogue) in [
        (IMAP, &waits[..]),
        ("* OK [CAPABILITY IMAP4rev1 SASL-IR] ready\r\n", &at_once[..]),
    ] {
        let address = script(greeting, steps(dialogue)).await;
        let mut session = open(address, Protocol::Imap).await.unwrap();
        assert_eq!(session.login(&account(), Mechanism::Plain).await, Ok(()));
    }
    let login = [
        (EHLO, OFFERS),
        ("AUTH LOGIN", "334 VXNlcm5hbWU6\r\n"),
        ("YW5uYUBleGFtcGxlLm9yZw==", "334 UGFzc3dvcmQ6\r\n"),
        ("cyBlImNyZXQ=", "235 in\r\n"),
    ];
    assert_eq!(smtp_login(&login, Mechanism::Login).await, Ok(()));
}

#[tokio::test]
async fn a_message_is_sent_as_it_is_known() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = target(listener.local_addr().unwrap(), Protocol::Smtp);
    let message = Expected::new(150_000);
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 ready\r\n").await.unwrap();
        let mut stream = BufReader::new(stream);
        for answer in ["250 ok\r\n", "250 ok\r\n", "354 go\r\n"] {
            stream.read_line(&mut String::new()).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        let mut received = Vec::new();
        while !received.ends_with(b"\r\n.\r\n") {
            assert!(stream.read_buf(&mut received).await.unwrap() > 0);
        }
        stream.write_all(b"250 queued\r\n").await.unwrap();
        received
    });
    let mut session = Session::open(&target, None, LONG).await.unwrap();
    let sent = session
        .send("anna@example.org", "sink@example.org", &message)
        .await
        .unwrap();
    let received = served.await.unwrap();
    let received = received.strip_suffix(b".\r\n").unwrap();
    assert_eq!(received.len() as u64, sent);
    let header = b"From: <anna@example.org>\r\nTo: <sink@example.org>\r\n";
    assert_eq!(message.check(0, received.strip_prefix(header).unwrap()), Ok(()));
    let failure = session.send("a b", "x>\r\nDATA", &message).await.unwrap_err();
    assert_eq!(failure.word(), "unsupported");
}

#[tokio::test]
async fn idling_hears_lines_and_the_goodbye() {
    let dialogue = [
        ("L1 IDLE", "+ idling\r\n* 3 EXISTS\r\n"),
        ("DONE", "L1 OK done\r\n"),
        ("L2 IDLE", "+ idling\r\n* BYE [UNAVAILABLE] restart\r\n"),
    ];
    let mut session = open(script(IMAP, steps(&dialogue)).await, Protocol::Imap)
        .await
        .unwrap();
    session.idle().await.unwrap();
    assert_eq!(session.next_line().await, Ok("* 3 EXISTS".to_owned()));
    session.done().await.unwrap();
    session.idle().await.unwrap();
    let failure = session.next_line().await.unwrap_err();
    assert_eq!(failure, Failure::Unavailable("BYE [UNAVAILABLE] restart".to_owned()));
    assert_eq!(session.next_line().await, Err(Failure::Closed));
}
