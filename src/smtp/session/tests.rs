//! What transcripts cannot show: counts across TLS, wiping, very long lines, names and properties.

use proptest::prelude::*;

use super::*;
use crate::preauth::Session as _;

fn session(security: Security) -> Session {
    let config = Config {
        hostname: "gate.example".into(),
        limits: Limits::default(),
        extensions: Arc::new(vec!["SIZE 1000".into(), "XCLIENT NAME".into(), "PIPELINING".into()]),
    };
    Session::new(config, security)
}

/// What a session did with some octets.
fn run(session: &mut Session, octets: &[u8], chunk: usize) -> String {
    let (mut input, mut seen) = (BytesMut::new(), String::new());
    for octets in octets.chunks(chunk) {
        input.extend_from_slice(octets);
        loop {
            match session.receive(&mut input) {
                Ok(Step::NeedInput) => break,
                Ok(Step::Reply(reply)) => seen.push_str(&String::from_utf8_lossy(&reply)),
                Ok(Step::Verify(credentials)) => {
                    seen.push_str(&format!(
                        "verify {} by {}\r\n",
                        credentials.username, credentials.mechanism
                    ));
                    let refusal = Refusal::Permanent { hint: None };
                    session.answer(Answer::Refused {
                        refusal: &refusal,
                        close: false,
                    });
                }
                Ok(step) => return format!("{seen}{step:?}"),
                Err(error) => return format!("{seen}{error:?}"),
            }
        }
    }
    seen
}

#[test]
fn counts_survive_tls_and_everything_else_is_forgotten() {
    let mut clear = session(Security::Cleartext { starttls: true });
    run(&mut clear, &b"EHLO x\r\n".repeat(60), usize::MAX);
    assert_eq!(clear.client_name().as_deref(), Some("x"));
    let mut secured = Box::new(clear).secured();
    assert_eq!(secured.client_name(), None);
    let mut input = BytesMut::from(&b"NOOP\r\n".repeat(41)[..]);
    for _ in 0..40 {
        assert!(matches!(secured.receive(&mut input), Ok(Step::Reply(_))));
    }
    assert_eq!(secured.receive(&mut input).unwrap_err().rule, "too_many_commands");
}

#[test]
fn bad_commands_are_few() {
    let mut session = session(Security::Tls);
    let seen = run(&mut session, &b"XCLIENT\r\n".repeat(11), usize::MAX);
    assert_eq!(seen.matches("530 5.7.0").count(), 10);
    assert!(seen.contains("too_many_bad_commands"), "{seen}");
}

#[test]
fn a_very_long_line_is_skipped_and_answered_once() {
    for (line, reply) in [
        ("NOOP ", reply::LINE_TOO_LONG),
        ("AUTH PLAIN ", reply::AUTH_LINE_TOO_LONG),
    ] {
        let octets = format!("EHLO x\r\n{line}{}\r\nRSET\r\n", "A".repeat(1 << 20));
        for chunk in [1000, 4096, usize::MAX] {
            let seen = run(&mut session(Security::Tls), octets.as_bytes(), chunk);
            assert!(
                seen.ends_with(&format!("AUTH PLAIN LOGIN\r\n{reply}250 2.0.0 OK\r\n")),
                "{seen}"
            );
        }
    }
}

#[test]
fn a_skipped_line_is_not_kept() {
    let mut session = session(Security::Tls);
    let mut input = BytesMut::from("EHLO x\r\nAUTH LOGIN\r\n");
    session.receive(&mut input).unwrap();
    session.receive(&mut input).unwrap();
    for _ in 0..100 {
        input.extend_from_slice(&[b'A'; 1000]);
        assert!(matches!(session.receive(&mut input), Ok(Step::NeedInput)));
        assert!(input.len() <= 13_000);
    }
    input.extend_from_slice(b"\r\n");
    assert!(matches!(session.receive(&mut input), Ok(Step::Reply(reply)) if reply == reply::AUTH_LINE_TOO_LONG));
}

#[test]
fn a_sasl_line_of_the_limit_is_taken() {
    let lines = |length: usize| format!("EHLO x\r\nAUTH PLAIN\r\n{}\r\n", "A".repeat(length));
    let fits = run(&mut session(Security::Tls), lines(12_288).as_bytes(), usize::MAX);
    assert!(fits.ends_with(reply::BAD_RESPONSE), "{fits}");
    let long = run(&mut session(Security::Tls), lines(13_312).as_bytes(), usize::MAX);
    assert!(long.ends_with(reply::AUTH_LINE_TOO_LONG), "{long}");
}

#[test]
fn input_behind_auth_stays_for_the_guard() {
    let mut session = session(Security::Tls);
    let mut input = BytesMut::from("EHLO x\r\nAUTH PLAIN AGEAYg==\r\nMAIL FROM:<a@b.example>\r\n");
    session.receive(&mut input).unwrap();
    assert!(matches!(session.receive(&mut input), Ok(Step::Verify(_))));
    assert!(matches!(session.receive(&mut input), Ok(Step::NeedInput)));
    let ready = session.answer(Answer::Accepted { capabilities: &[] });
    assert!(matches!(ready, Step::Ready(reply) if reply == reply::AUTHENTICATED));
    assert_eq!(&input[..], b"MAIL FROM:<a@b.example>\r\n");
}

#[test]
fn a_client_name_is_printable() {
    let mut session = session(Security::Tls);
    run(&mut session, "EHLO  m\u{fc}ller \r\n".as_bytes(), usize::MAX);
    assert_eq!(session.client_name().as_deref(), Some("m??ller"));
    run(&mut session, b"HELO\r\n", usize::MAX);
    assert_eq!(session.client_name(), None);
}

proptest! {
    #[test]
    fn any_octets_are_survived_in_any_chunks(octets in prop::collection::vec(any::<u8>(), 0..200), chunk in 1_usize..20) {
        run(&mut session(Security::Tls), &octets, chunk);
    }

    #[test]
    fn chunking_never_changes_the_answers(
        lines in prop::collection::vec(prop::sample::select(vec![
            "EHLO vm", "helo", "AUTH PLAIN", "AUTH LOGIN YQ==", "AUTH PLAIN AGEAYg==", "AGEAYg==", "*", "", "NOOP", "RSET x",
            "QUIT", "MAIL FROM:<a@b.example>", "GET / HTTP/1.0", "=", "AUTH", "a\nb", "\x16\x03",
        ]), 0..12),
        chunk in 1_usize..9,
    ) {
        let octets = format!("{}\r\n", lines.join("\r\n"));
        for security in [Security::Tls, Security::Cleartext { starttls: true }] {
            let whole = run(&mut session(security), octets.as_bytes(), usize::MAX);
            let chunked = run(&mut session(security), octets.as_bytes(), chunk);
            prop_assert_eq!(whole, chunked);
        }
    }
}
