//! Octets of a client against the SMTP session before login (RFC 5321, RFC 4954, RFC 3207).
//!
//! The first octet chooses TLS or not and the verdicts; the rest is what the client sends. Checked: no panic, the same
//! answers in one piece and octet by octet, replies that are whole lines of their code, and no credentials in clear.

use std::sync::Arc;

use bytes::BytesMut;
use postern::preauth::{Answer, Limits, Refusal, Security, Session, Step};
use postern::smtp;

/// Runs one input.
pub(crate) fn run(input: &[u8]) {
    let Some((&choice, octets)) = input.split_first() else {
        return;
    };
    let whole = play(choice, octets, octets.len());
    let stepwise = play(choice, octets, 1);
    assert_eq!(whole, stepwise, "chunks of the input change the answers");
}

fn play(choice: u8, octets: &[u8], chunk: usize) -> Vec<String> {
    let security = match choice & 3 {
        0 => Security::Cleartext { starttls: true },
        1 => Security::Cleartext { starttls: false },
        _ => Security::Tls,
    };
    let config = smtp::Config {
        hostname: "mail.example.org".to_owned(),
        limits: Limits {
            line_bytes: 64,
            sasl_line_bytes: 128,
            ..Limits::default()
        },
        extensions: Arc::new(vec!["SIZE 1000".to_owned(), "XCLIENT NAME".to_owned()]),
    };
    let mut session = smtp::Session::new(config, security);
    let (mut buffer, mut seen) = (BytesMut::new(), Vec::new());
    for octets in octets.chunks(chunk.max(1)) {
        buffer.extend_from_slice(octets);
        loop {
            match session.receive(&mut buffer) {
                Ok(Step::NeedInput) => break,
                Ok(Step::Reply(reply)) => seen.push(checked(&reply)),
                Ok(Step::Verify(credentials)) => {
                    assert_eq!(security, Security::Tls, "credentials in clear");
                    assert!(!credentials.username.is_empty() && !credentials.password.expose().is_empty());
                    let refusal = Refusal::Permanent { hint: None };
                    let answer = match choice & 4 {
                        0 => Answer::Refused {
                            refusal: &refusal,
                            close: choice & 8 != 0,
                        },
                        _ => Answer::Accepted { capabilities: &[] },
                    };
                    match session.answer(answer) {
                        Step::Reply(reply) => seen.push(checked(&reply)),
                        Step::Ready(reply) | Step::Close(reply) => {
                            seen.push(checked(&reply));
                            return seen;
                        }
                        step => panic!("not an answer: {step:?}"),
                    }
                }
                Ok(Step::StartTls(reply) | Step::Close(reply) | Step::Ready(reply)) => {
                    seen.push(checked(&reply));
                    return seen;
                }
                Err(error) => {
                    seen.push(error.rule.to_owned());
                    return seen;
                }
            }
        }
        assert!(buffer.len() <= 128, "an incomplete line is kept beyond its limit");
    }
    seen
}

/// A reply as text: lines of one code, each with CRLF.
fn checked(reply: &[u8]) -> String {
    let text = std::str::from_utf8(reply).expect("replies are ASCII");
    assert!(text.ends_with("\r\n"), "{text:?}");
    let lines: Vec<&str> = text.trim_end_matches("\r\n").split("\r\n").collect();
    for (index, line) in lines.iter().enumerate() {
        let separator = if index + 1 == lines.len() { " " } else { "-" };
        assert!(
            line.len() <= 510 && line.get(..3) == text.get(..3) && line.get(3..4) == Some(separator),
            "{text:?}"
        );
        assert!(line.bytes().all(|octet| matches!(octet, b' '..=b'~')), "{text:?}");
    }
    text.to_owned()
}
