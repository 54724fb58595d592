//! Dialogues with upstreams, honest and not.
//!
//! `S` is what upstream sends, `C` what it must get back, `=` how the login stands.

use proptest::prelude::*;

use super::*;

fn plain() -> Plain {
    Plain {
        authzid: "anna@example.org".into(),
        authcid: "gate".into(),
        password: Secret::new(b"secret".to_vec()),
    }
}

/// base64 of `anna@example.org NUL gate NUL secret`.
const AUTH: &str = "AUTH PLAIN YW5uYUBleGFtcGxlLm9yZwBnYXRlAHNlY3JldA==";

fn xclient() -> Login {
    let attributes = Attributes {
        helo: Some("vm +\u{fc}".into()),
        login: Some("anna@example.org".into()),
        addr: Some("2001:db8::7".parse().unwrap()),
        port: Some(40_000),
        ..Attributes::default()
    };
    Login::Xclient {
        attributes,
        plain: None,
    }
}

/// Plays an upstream against the client; `login` is used once greeted.
fn check(starttls: bool, login: Login, dialogue: &str) {
    let mut client = Client::new(Config {
        hostname: "gate.example".into(),
        starttls,
    });
    let (mut input, mut login) = (BytesMut::new(), Some(login));
    let mut step = Ok(Step::NeedInput);
    for line in dialogue.lines().map(str::trim_start) {
        let (kind, text) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            "S" => {
                input.extend_from_slice(format!("{text}\r\n").as_bytes());
                step = client.receive(&mut input);
            }
            "C" => match std::mem::replace(&mut step, Ok(Step::NeedInput)) {
                Ok(Step::Send(sent)) => assert_eq!(sent.expose(), format!("{text}\r\n").as_bytes(), "{line}"),
                other => panic!("{line}: {other:?}"),
            },
            "=" => {
                let got = match &step {
                    Ok(step) => format!("{step:?}"),
                    Err(error) => error.to_string(),
                };
                assert_eq!(got, text, "{line}");
                step = match step {
                    Ok(Step::StartTls) => client.secured(),
                    Ok(Step::Greeted { .. }) => login.take().map_or(Ok(Step::NeedInput), |login| client.login(login)),
                    other => other,
                };
            }
            _ => panic!("no such step: {line}"),
        }
    }
}

#[test]
fn a_login_by_plain_takes_two_phases() {
    check(
        false,
        Login::Plain(plain()),
        &format!(
            "S 220 store ESMTP
             C EHLO gate.example
             S 250-store
             S 250-size 10
             S 250-AUTH login plain
             S 250 DSN
             = Greeted {{ extensions: [\"SIZE 10\", \"AUTH login plain\", \"DSN\"] }}
             C {AUTH}
             S 235 2.7.0 ok
             = LoggedIn {{ extensions: [\"SIZE 10\", \"AUTH login plain\", \"DSN\"] }}"
        ),
    );
}

#[test]
fn starttls_forgets_what_was_said_in_clear() {
    check(
        true,
        Login::Trusted,
        "S 220-store
         S 220 ESMTP
         C EHLO gate.example
         S 250-store
         S 250-XCLIENT ADDR
         S 250 STARTTLS
         C STARTTLS
         S 220 go
         = StartTls
         C EHLO gate.example
         S 250-store
         S 250 DSN
         = Greeted { extensions: [\"DSN\"] }
         = LoggedIn { extensions: [\"DSN\"] }",
    );
}

#[test]
fn octets_behind_the_reply_to_starttls_are_fatal() {
    let mut client = Client::new(Config {
        hostname: "gate.example".into(),
        starttls: true,
    });
    for line in ["220 store\r\n", "250-store\r\n250 STARTTLS\r\n"] {
        assert!(matches!(client.receive(&mut BytesMut::from(line)), Ok(Step::Send(_))));
    }
    let mut injected = BytesMut::from("220 go\r\n250 injected\r\n");
    let error = Error::Protocol {
        command: "STARTTLS",
        what: "more than one reply",
    };
    assert_eq!(client.receive(&mut injected).unwrap_err(), error);
    assert!(client.secured().is_err());
}

#[test]
fn an_upstream_without_starttls_is_left() {
    check(
        true,
        Login::Trusted,
        "S 220 store
         C EHLO gate.example
         S 250-store
         S 250 DSN
         = upstream does not offer STARTTLS",
    );
}

#[test]
fn xclient_sends_what_is_offered_in_the_order_that_keeps_our_rights() {
    check(
        false,
        xclient(),
        "S 220 store
         C EHLO gate.example
         S 250-store
         S 250 XCLIENT NAME ADDR PROTO HELO LOGIN PORT
         = Greeted { extensions: [\"XCLIENT NAME ADDR PROTO HELO LOGIN PORT\"] }
         C XCLIENT HELO=vm+20+2B+C3+BC PROTO=ESMTP LOGIN=anna@example.org PORT=40000 NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::7
         S 220 store
         C EHLO gate.example
         S 250-store
         S 250 SIZE 5
         = LoggedIn { extensions: [\"SIZE 5\"] }",
    );
    check(
        false,
        Login::Xclient {
            attributes: Attributes {
                addr: Some("::ffff:192.0.2.7".parse().unwrap()),
                ..Attributes::default()
            },
            plain: Some(plain()),
        },
        &format!(
            "S 220 store
             C EHLO gate.example
             S 250-store
             S 250 XCLIENT ADDR
             = Greeted {{ extensions: [\"XCLIENT ADDR\"] }}
             C XCLIENT ADDR=192.0.2.7
             S 220 store
             C EHLO gate.example
             S 250-store
             S 250 AUTH PLAIN
             C {AUTH}
             S 235 ok
             = LoggedIn {{ extensions: [\"AUTH PLAIN\"] }}"
        ),
    );
}

#[test]
fn an_upstream_that_refuses_ipv6_addresses_is_told_none() {
    let login = |dest: &str| Login::Xclient {
        attributes: Attributes {
            helo: Some("IPV6:a".into()),
            addr: Some("2001:db8::7".parse().unwrap()),
            dest_addr: Some(dest.parse().unwrap()),
            ..Attributes::default()
        },
        plain: None,
    };
    let greeted = "S 220 store
         C EHLO gate.example
         S 250-store
         S 250 XCLIENT ADDR HELO DESTADDR
         = Greeted { extensions: [\"XCLIENT ADDR HELO DESTADDR\"] }";
    check(
        false,
        login("2001:db8::1"),
        &format!(
            "{greeted}
             C XCLIENT HELO=IPV6:a DESTADDR=IPV6:2001:db8::1 ADDR=IPV6:2001:db8::7
             S 501 5.5.4 Bad DESTADDR syntax
             C XCLIENT HELO=IPV6:a DESTADDR=[UNAVAILABLE] ADDR=[UNAVAILABLE]
             S 220 store
             C EHLO gate.example
             S 250 store
             = LoggedIn {{ extensions: [] }}"
        ),
    );
    let said = "C XCLIENT HELO=IPV6:a DESTADDR=192.0.2.1 ADDR=IPV6:2001:db8::7";
    for (dialogue, code) in [
        ("S 550 5.7.0 no", 550),
        (
            "S 501 no\nC XCLIENT HELO=IPV6:a DESTADDR=192.0.2.1 ADDR=[UNAVAILABLE]\nS 501 no",
            501,
        ),
    ] {
        check(
            false,
            login("192.0.2.1"),
            &format!("{greeted}\n{said}\n{dialogue}\n= upstream refused XCLIENT with {code}"),
        );
    }
}

#[test]
fn no_xclient_command_is_longer_than_512_octets() {
    let attributes = Attributes {
        helo: Some("\u{fc}".repeat(300)),
        login: Some(format!("{}@example.org", "\u{fc}".repeat(32))),
        addr: Some("2001:db8::7".parse().unwrap()),
        port: Some(1),
        dest_addr: Some("2001:db8::8".parse().unwrap()),
        dest_port: Some(587),
    };
    let commands = attributes.commands("NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT");
    assert_eq!(commands.len(), 2);
    assert!(
        commands
            .iter()
            .all(|command| command.len() <= 512 && command.starts_with("XCLIENT ")),
        "{commands:?}"
    );
    assert!(commands[0].starts_with("XCLIENT HELO=") && commands[1].ends_with(" ADDR=IPV6:2001:db8::7\r\n"));
}

#[test]
fn what_the_route_needs_and_upstream_lacks_is_named() {
    for (login, what) in [(xclient(), "XCLIENT"), (Login::Plain(plain()), "AUTH PLAIN")] {
        let mut client = Client::new(Config {
            hostname: "gate.example".into(),
            starttls: false,
        });
        client.receive(&mut BytesMut::from("220 store\r\n")).unwrap();
        client
            .receive(&mut BytesMut::from("250-store\r\n250 AUTH LOGIN XPLAIN\r\n"))
            .unwrap();
        assert_eq!(client.login(login).unwrap_err(), Error::Unsupported { what });
    }
}

#[test]
fn refusals_are_told_apart() {
    let greeted =
        "S 220 store\nC EHLO gate.example\nS 250-store\nS 250 AUTH PLAIN\n= Greeted { extensions: [\"AUTH PLAIN\"] }";
    for (dialogue, error) in [
        ("S 554 no", "upstream refused connect with 554"),
        ("S 421-busy\nS 421 busy", "upstream refused connect with 421 for now"),
        (
            "S 220 store\nC EHLO gate.example\nS 502 no",
            "upstream refused EHLO with 502",
        ),
        (
            &format!("{greeted}\nC {AUTH}\nS 535-5.7.8 no\nS 535-\nS 535 5.7.8 no"),
            "upstream refused AUTH with 535",
        ),
        (
            &format!("{greeted}\nC {AUTH}\nS 454 later"),
            "upstream refused AUTH with 454 for now",
        ),
        (
            &format!("{greeted}\nC {AUTH}\nS 334 "),
            "upstream broke the protocol after AUTH: unexpected reply code",
        ),
        (
            "S * OK IMAP4rev1",
            "upstream broke the protocol after connect: malformed reply",
        ),
        (
            "S 235 ok",
            "upstream broke the protocol after connect: unexpected reply code",
        ),
    ] {
        check(false, Login::Plain(plain()), &format!("{dialogue}\n= {error}"));
    }
}

#[test]
fn an_upstream_that_closes_a_warm_connection_is_temporary() {
    let mut client = Client::new(Config {
        hostname: "gate.example".into(),
        starttls: false,
    });
    client.receive(&mut BytesMut::from("220 store\r\n")).unwrap();
    client.receive(&mut BytesMut::from("250 store\r\n")).unwrap();
    let error = client.receive(&mut BytesMut::from("421 4.4.2 idle\r\n")).unwrap_err();
    assert_eq!(
        error,
        Error::Temporary {
            command: "login",
            code: 421
        }
    );
}

#[test]
fn a_probe_says_goodbye() {
    let mut client = Client::new(Config {
        hostname: "gate.example".into(),
        starttls: false,
    });
    client.receive(&mut BytesMut::from("220 store\r\n")).unwrap();
    assert!(matches!(
        client.receive(&mut BytesMut::from("250 store\r\n")),
        Ok(Step::Greeted { .. })
    ));
    assert!(matches!(client.quit(), Step::Send(line) if line.expose() == b"QUIT\r\n"));
    assert!(matches!(
        client.receive(&mut BytesMut::from("221 bye\r\n")),
        Ok(Step::Closed)
    ));
    assert!(client.login(Login::Trusted).is_err());
}

#[test]
fn debug_shows_no_password() {
    assert!(!format!("{:?}", Login::Plain(plain())).contains("secret\""));
}

proptest! {
    #[test]
    fn any_replies_are_survived(
        replies in prop::collection::vec(prop::sample::select(vec![
            "220 x", "250-a", "250 AUTH PLAIN", "250-XCLIENT ADDR LOGIN", "235 ok", "535-no", "535 no", "421 x", "334 ", "354 go", "", "25", "250-",
        ]), 0..12),
        chunk in 1_usize..9,
    ) {
        let mut client = Client::new(Config { hostname: "gate.example".into(), starttls: false });
        let mut input = BytesMut::new();
        for octets in format!("{}\r\n", replies.join("\r\n")).as_bytes().chunks(chunk) {
            input.extend_from_slice(octets);
            match client.receive(&mut input) {
                Ok(Step::Greeted { .. }) => drop(client.login(xclient())),
                Ok(_) => {}
                Err(_) => break,
            }
        }
    }
}
