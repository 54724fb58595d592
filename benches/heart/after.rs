//! After login: what looks at octets that pass, and the registry of those who are inside.

use std::hint::black_box;
use std::sync::Arc;

use bytes::BytesMut;
use criterion::{BatchSize, Criterion, Throughput};
use postern::clock::Timestamp;
use postern::imap::boundary::Boundary;
use postern::metrics::Metrics;
use postern::model::{Address, DeviceId, DomainName, MailboxId};
use postern::peer::Protocol;
use postern::revoke::{LiveSession, Registry, SessionInfo};
use postern::smtp::guard::{self, BareNewline, Flow, Guard, Output, SenderPolicy};

use crate::is_measured;

/// One read of a busy session.
pub(crate) const CHUNK_BYTES: usize = 16 * 1024;

pub(crate) fn bench(criterion: &mut Criterion) {
    copying(criterion);
    registry(criterion);
}

/// A whole read of lines of 78 octets, as in a message or a list of folders.
pub(crate) fn short_lines() -> Vec<u8> {
    let line = [[b'x'; 76].as_slice(), b"\r\n"].concat();
    line.iter().copied().cycle().take(CHUNK_BYTES / 78 * 78).collect()
}

fn copying(criterion: &mut Criterion) {
    let lines = short_lines();
    let mut group = criterion.benchmark_group("pass");
    group.throughput(Throughput::Bytes(CHUNK_BYTES as u64));
    group.bench_function("boundary: 16 KiB of a literal", |bencher| {
        let mut boundary = Boundary::default();
        boundary.feed(b"* 1 FETCH (BODY[] {18446744073709551615}\r\n");
        bencher.iter(|| boundary.feed(black_box(&lines)));
    });
    group.bench_function("boundary: 16 KiB of short lines", |bencher| {
        let mut boundary = Boundary::default();
        bencher.iter(|| boundary.feed(black_box(&lines)));
        assert!(boundary.at_boundary());
    });
    group.bench_function("guard: 16 KiB of DATA", |bencher| {
        let mut out = Output::default();
        let mut guard = in_message(&mut out);
        bencher.iter_batched_ref(
            || BytesMut::from(lines.as_slice()),
            |input| {
                out.upstream.clear();
                assert_eq!(guard.from_client(input, &mut out), Flow::Go);
                out.upstream.len()
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// A guard with the sender check on, inside a message.
fn in_message(out: &mut Output) -> Guard {
    let address = |text: &str| Address::parse(text).expect("an address");
    let mut guard = Guard::new(guard::Config {
        hostname: "mail.example.org".to_owned(),
        extensions: ["PIPELINING", "SIZE 52428800", "8BITMIME"].map(str::to_owned).to_vec(),
        senders: SenderPolicy::Check {
            allowed: vec![address("info@example.org"), address("anna@example.org")],
            domains: vec![DomainName::parse("lists.example").expect("a domain")],
            null_sender: false,
            subaddress_delimiter: Some('+'),
        },
        bare_newline: BareNewline::Refuse,
        limits: guard::Limits::default(),
    });
    let commands = "MAIL FROM:<anna@example.org> SIZE=100000\r\nRCPT TO:<ben@example.com>\r\nDATA\r\n";
    guard.from_client(&mut BytesMut::from(commands), out);
    let replies = "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go on\r\n";
    guard.from_upstream(&mut BytesMut::from(replies), out);
    assert!(out.downstream.ends_with(b"354 go on\r\n"));
    guard
}

fn registry(criterion: &mut Criterion) {
    let sessions = if is_measured() { 10_000 } else { 10 };
    let registry = Registry::new(Arc::new(Metrics::new()));
    let live: Vec<LiveSession> = (0..sessions).map(|number| registry.register(info(number))).collect();
    let mut group = criterion.benchmark_group("registry");
    group.bench_function("register and drop among 10,000", |bencher| {
        bencher.iter_batched(
            || info(sessions + 1),
            |info| drop(registry.register(info)),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("count sessions of a device", |bencher| {
        bencher.iter(|| registry.count(black_box(DeviceId::from_raw(7)), black_box(MailboxId::from_raw(3))));
    });
    group.finish();
    drop(live);
}

/// A session of one of five devices of a mailbox.
fn info(number: i64) -> SessionInfo {
    SessionInfo {
        device: DeviceId::from_raw(number),
        label: "Anna's iPhone".into(),
        mailbox: MailboxId::from_raw(number / 5),
        address: Address::parse("anna@example.org").expect("an address"),
        protocol: Protocol::Imap,
        peer: "192.0.2.7".parse().expect("an address"),
        since: Timestamp(1_790_000_000_000),
        client: Some("iPhone Mail 22C161".into()),
        route: Arc::from("main"),
        expires_at: None,
        is_trial: false,
    }
}
