//! Before login: one line that carries credentials, from octets in the buffer to credentials ready to be judged.
//!
//! Making the session is not measured: it is made once a connection, not once a line.

use std::sync::Arc;

use bytes::BytesMut;
use criterion::{BatchSize, Criterion};
use postern::preauth::{Limits, Security, Session, Step};
use postern::{imap, sasl, smtp};

const NAME: &str = "anna.schmidt@mail.example.org";
const PASSWORD: &str = "kqzm-xwdp-hpdt-vnrc";

pub(crate) fn bench(criterion: &mut Criterion) {
    let plain = sasl::encode_plain("", NAME, PASSWORD.as_bytes());
    let plain = plain.expose().iter().copied().map(char::from).collect::<String>();
    let mut group = criterion.benchmark_group("line");
    for (title, session, line) in [
        (
            "IMAP LOGIN",
            imap_session as fn() -> Box<dyn Session>,
            format!("a1 LOGIN \"{NAME}\" \"{PASSWORD}\"\r\n"),
        ),
        (
            "IMAP AUTHENTICATE PLAIN",
            imap_session,
            format!("a1 AUTHENTICATE PLAIN {plain}\r\n"),
        ),
        ("SMTP AUTH PLAIN", smtp_session, format!("AUTH PLAIN {plain}\r\n")),
    ] {
        group.bench_function(title, |bencher| {
            bencher.iter_batched_ref(
                || (session(), BytesMut::from(line.as_bytes())),
                |(session, input)| match session.receive(input) {
                    Ok(Step::Verify(credentials)) => credentials,
                    other => panic!("no credentials but {other:?}"),
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn imap_session() -> Box<dyn Session> {
    let config = imap::Config {
        hostname: "mail.example.org".to_owned(),
        limits: Limits::default(),
    };
    Box::new(imap::Session::new(config, Security::Tls))
}

/// A session that has heard EHLO.
fn smtp_session() -> Box<dyn Session> {
    let config = smtp::Config {
        hostname: "mail.example.org".to_owned(),
        limits: Limits::default(),
        extensions: Arc::default(),
    };
    let mut session = smtp::Session::new(config, Security::Tls);
    let answer = session.receive(&mut BytesMut::from("EHLO [192.0.2.7]\r\n"));
    assert!(matches!(answer, Ok(Step::Reply(_))));
    Box::new(session)
}
