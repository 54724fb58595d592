//! Logins at scripted mail stores that send one octet at a time.

use super::*;

const CAPABLE: &str = "* OK [CAPABILITY IMAP4rev1 SASL-IR ID AUTH=PLAIN] ready\r\n";

/// Answers the mail store's octets one at a time, as the slowest network would bring them.
struct Peer {
    client: Client,
    input: BytesMut,
}

impl Peer {
    fn new(upgrade: Upgrade) -> Self {
        Self {
            client: Client::new(upgrade),
            input: BytesMut::new(),
        }
    }

    /// What the client wants after these octets; it must want nothing before the last of them.
    fn says(&mut self, text: &str) -> Result<Event, Error> {
        let mut event = Ok(Event::NeedInput);
        for octet in text.bytes() {
            assert!(
                matches!(event, Ok(Event::NeedInput)),
                "{event:?} before the end of {text:?}"
            );
            self.input.extend_from_slice(&[octet]);
            event = self.client.receive(&mut self.input);
        }
        event
    }

    fn sends(&mut self, text: &str, expect: &str) {
        let event = self.says(text);
        assert_eq!(sent(event), expect);
    }

    fn login(&mut self, authzid: Option<&str>, authcid: &str, password: &str) -> Result<Event, Error> {
        let password = Secret::new(password.as_bytes().to_vec());
        self.client.login(&Login {
            authzid,
            authcid,
            password: &password,
            id: &[],
        })
    }
}

fn sent(event: Result<Event, Error>) -> String {
    match event {
        Ok(Event::Send(octets)) => String::from_utf8(octets.expose().clone()).unwrap(),
        other => panic!("nothing sent: {other:?}"),
    }
}

fn greeted(greeting: &str) -> Peer {
    let mut peer = Peer::new(Upgrade::Never);
    assert!(matches!(peer.says(greeting), Ok(Event::Greeted)));
    peer
}

fn capabilities_of(event: Result<Event, Error>) -> Vec<String> {
    match event {
        Ok(Event::LoggedIn { capabilities }) => capabilities,
        other => panic!("not logged in: {other:?}"),
    }
}

#[test]
fn a_login_with_an_initial_response_is_one_round_trip() {
    let mut peer = greeted(CAPABLE);
    let login = sent(peer.login(Some("anna@example.org"), "master", "pw"));
    assert_eq!(login, "P4 AUTHENTICATE PLAIN YW5uYUBleGFtcGxlLm9yZwBtYXN0ZXIAcHc=\r\n");
    peer.input
        .extend_from_slice(b"P4 OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] Logged in\r\n* 5 EXISTS\r\n");
    assert_eq!(
        capabilities_of(peer.client.receive(&mut peer.input)),
        ["IMAP4rev1", "IDLE", "UIDPLUS"]
    );
    assert_eq!(&peer.input[..], b"* 5 EXISTS\r\n");
}

#[test]
fn the_id_goes_in_front_and_its_answer_changes_nothing() {
    for answer in [
        "* ID (\"name\" {7}\r\nDovecot)\r\nP3 OK done\r\n",
        "P3 BAD what?\r\n",
        "",
    ] {
        let mut peer = greeted(CAPABLE);
        let password = Secret::new(b"pw".to_vec());
        let id = [("x-originating-ip", "192.0.2.7"), ("name", "a \"b\\")];
        let login = Login {
            authzid: None,
            authcid: "anna",
            password: &password,
            id: &id,
        };
        let login = sent(peer.client.login(&login));
        let expect = "P3 ID (\"x-originating-ip\" \"192.0.2.7\" \"name\" \"a \\\"b\\\\\")\r\nP4 AUTHENTICATE PLAIN AGFubmEAcHc=\r\n";
        assert_eq!(login, expect);
        let logged_in = peer.says(&format!("{answer}P4 OK [CAPABILITY IMAP4rev1] hi\r\n"));
        assert_eq!(capabilities_of(logged_in), ["IMAP4rev1"]);
    }
}

#[test]
fn without_initial_response_the_message_waits_for_its_turn() {
    for turn in ["+ \r\n", "+\r\n", "+ go on {5}\r\n", "* OK still here\r\n+ \r\n"] {
        let mut peer = greeted("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n");
        assert_eq!(sent(peer.login(None, "anna", "pw")), "P4 AUTHENTICATE PLAIN\r\n");
        peer.sends(turn, "AGFubmEAcHc=\r\n");
    }
}

#[test]
fn login_is_quoted_or_a_literal() {
    let mut peer = greeted("* OK [CAPABILITY IMAP4rev1] hi\r\n");
    assert_eq!(
        sent(peer.login(None, "an\"na", "p\\w x")),
        "P4 LOGIN \"an\\\"na\" \"p\\\\w x\"\r\n"
    );
    let mut peer = greeted("* OK [CAPABILITY IMAP4rev1] hi\r\n");
    assert_eq!(sent(peer.login(None, "\u{e4}nna", "\u{fc}")), "P4 LOGIN {5}\r\n");
    peer.sends("+ OK\r\n", "\u{e4}nna {2}\r\n");
    peer.sends("+\r\n", "\u{fc}\r\n");
    assert_eq!(
        peer.says("+ \r\n").unwrap_err(),
        Error::Protocol("unexpected_continuation")
    );
}

#[test]
fn a_login_that_cannot_be_said_is_refused_before_anything_is_sent() {
    let mut peer = greeted("* OK [CAPABILITY IMAP4rev1] hi\r\n");
    assert_eq!(
        peer.login(Some("anna"), "master", "pw").unwrap_err(),
        Error::NoMechanism
    );
    assert_eq!(
        peer.login(None, "anna\r\nx LOGOUT", "pw").unwrap_err(),
        Error::Unsendable
    );
    assert_eq!(peer.login(None, "anna", "p\0w").unwrap_err(), Error::Unsendable);
    let mut peer = greeted("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n");
    assert_eq!(peer.login(None, "anna", "pw").unwrap_err(), Error::NoMechanism);
}

#[test]
fn capabilities_are_asked_for_where_nobody_named_them() {
    let mut peer = Peer::new(Upgrade::Never);
    peer.sends("* ok hello\r\n", "P1 CAPABILITY\r\n");
    assert!(matches!(
        peer.says("* capability IMAP4rev1 auth=plain sasl-ir\r\np1 ok\r\n"),
        Ok(Event::Greeted)
    ));
    sent(peer.login(None, "anna", "pw"));
    peer.sends(
        "* CAPABILITY STALE\r\n* OK [ALERT] maintenance\r\nP4 OK\r\n",
        "P1 CAPABILITY\r\n",
    );
    let logged_in = peer.says("* 1 EXISTS\r\n* CAPABILITY IMAP4rev1 X\"Y IDLE\r\nP1 OK done\r\n");
    assert_eq!(capabilities_of(logged_in), ["IMAP4rev1", "IDLE"]);
}

#[test]
fn starttls_forgets_what_was_said_in_clear() {
    let mut peer = Peer::new(Upgrade::StartTls);
    peer.sends(
        "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hi\r\n",
        "P2 STARTTLS\r\n",
    );
    assert!(matches!(peer.says("P2 OK go\r\n"), Ok(Event::StartTls)));
    assert_eq!(sent(Ok(peer.client.secured())), "P1 CAPABILITY\r\n");
    assert!(matches!(
        peer.says("* CAPABILITY IMAP4rev1\r\nP1 OK\r\n"),
        Ok(Event::Greeted)
    ));
    assert!(sent(peer.login(None, "anna", "pw")).starts_with("P4 LOGIN"));
}

#[test]
fn starttls_that_is_missing_refused_or_tampered_with_ends_the_connection() {
    let after = |texts: &[&str]| {
        let mut peer = Peer::new(Upgrade::StartTls);
        let mut event = Ok(Event::NeedInput);
        for text in texts {
            peer.input.extend_from_slice(text.as_bytes());
            event = peer.client.receive(&mut peer.input);
        }
        event.unwrap_err()
    };
    let offer = "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n";
    assert_eq!(after(&["* OK [CAPABILITY IMAP4rev1] hi\r\n"]), Error::NoStartTls);
    assert_eq!(after(&[offer, "P2 NO\r\n"]), Error::NoStartTls);
    assert_eq!(after(&[offer, "P2 OK\r\n* CAPABILITY AUTH=PLAIN\r\n"]), Error::Injected);
    assert_eq!(after(&[&format!("{offer}P2 OK early\r\n")]), Error::Injected);
    assert_eq!(after(&["* OK hi\r\n* CAPABILITY STARTTLS\r\n"]), Error::Injected);
    assert_eq!(
        after(&["* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n"]),
        Error::Preauth
    );
}

#[test]
fn refusals_tell_an_outage_from_wrong_credentials() {
    let refused = |text: &str| {
        let mut peer = greeted(CAPABLE);
        sent(peer.login(None, "anna", "pw"));
        peer.says(text).unwrap_err()
    };
    let code = |code: &str| code.to_owned();
    assert_eq!(refused("P4 NO\r\n"), Error::Refused { code: None });
    let failed = Error::Refused {
        code: Some(code("AUTHENTICATIONFAILED")),
    };
    assert_eq!(refused("P4 NO [AUTHENTICATIONFAILED] wrong {5}\r\n"), failed);
    for word in ["UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT", "CONTACTADMIN"] {
        assert_eq!(
            refused(&format!("p4 no [{}] x\r\n", word.to_lowercase())),
            Error::Temporary { code: code(word) }
        );
    }
    assert_eq!(refused("* BYE too busy\r\n"), Error::Bye);
    assert_eq!(refused("P4 BAD what\r\n"), Error::Protocol("login_is_bad"));
    assert_eq!(refused("P9 OK\r\n"), Error::Protocol("unexpected_tag"));
    assert_eq!(refused("220 smtp\r\n"), Error::Protocol("unknown_response"));
}

#[test]
fn greetings_that_are_none_end_the_connection() {
    let greet = |text: &str| Peer::new(Upgrade::Never).says(text).unwrap_err();
    assert_eq!(greet("* BYE [UNAVAILABLE] down\r\n"), Error::Bye);
    assert_eq!(greet("* PREAUTH hi\r\n"), Error::Preauth);
    assert_eq!(greet("+ OK\r\n"), Error::Protocol("no_greeting"));
    assert_eq!(greet("* OK hi\n"), Error::Protocol("bare_newline"));
}

#[test]
fn no_answer_is_longer_than_our_patience() {
    let mut peer = greeted(CAPABLE);
    sent(peer.login(None, "anna", "pw"));
    peer.input
        .extend_from_slice("* OK still here\r\n".repeat(101).as_bytes());
    assert_eq!(
        peer.client.receive(&mut peer.input).unwrap_err(),
        Error::Protocol("too_many_responses")
    );
    let login = |text: &str| {
        let mut peer = greeted(CAPABLE);
        sent(peer.login(None, "anna", "pw"));
        peer.input.extend_from_slice(text.as_bytes());
        peer.client.receive(&mut peer.input).unwrap_err()
    };
    assert_eq!(login(&"a".repeat(9000)), Error::Protocol("line_too_long"));
    assert_eq!(login("* ID {99999}\r\n"), Error::Protocol("literal_too_large"));
}

#[test]
fn no_debug_output_shows_a_password() {
    let mut peer = greeted(CAPABLE);
    let event = peer.login(None, "anna", "kqzm-xwdp");
    let shown = format!("{event:?} {:?}", peer.client);
    assert!(!shown.contains("kqzm") && !shown.contains("a3F6bS"), "{shown}");
}
