//! Where a message ends: by example, against a naive reading, and for every short message there is.

use proptest::prelude::*;

use super::*;

/// What came of a message.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    upstream: Vec<u8>,
    flow: Flow,
    /// The final dot was taken, and what follows is a command again.
    ended: bool,
}

/// Opens a message and sends these octets in chunks of `chunk`.
fn send(octets: &[u8], bare_newline: BareNewline, chunk: usize) -> Outcome {
    deliver(octets, bare_newline, chunk, false)
}

/// The same, perhaps with what may pass sent ahead.
fn deliver(octets: &[u8], bare_newline: BareNewline, chunk: usize, ahead: bool) -> Outcome {
    let mut table = Table::new(Config {
        bare_newline,
        ..config()
    });
    table.ahead = ahead;
    table.client_sends(b"DATA\r\n");
    table.upstream_sends(b"354 go\r\n");
    table.out = Output::default();
    for octets in octets.chunks(chunk) {
        table.client_sends(octets);
    }
    let ended = table
        .guard
        .pending
        .iter()
        .any(|pending| matches!(pending, Pending::Message));
    Outcome {
        upstream: table.out.upstream.to_vec(),
        flow: table.flow,
        ended,
    }
}

/// How often a message ends for a server that takes LF for a line end and drops CRs before it.
fn lenient_ends(octets: &[u8]) -> usize {
    octets
        .split_inclusive(|octet| *octet == b'\n')
        .filter_map(|line| line.strip_suffix(b"\n"))
        .filter(|line| {
            let bare = line
                .iter()
                .rposition(|octet| *octet != b'\r')
                .map_or(0, |last| last + 1);
            &line[..bare] == b"."
        })
        .count()
}

/// The lines of a message in the strict reading, dots taken away, bare LF as a line end and bare CR and NUL as a blank;
/// `None` while the final dot is missing.
fn strict_lines(octets: &[u8]) -> Option<Vec<Vec<u8>>> {
    let end = if octets.starts_with(b".\r\n") {
        0
    } else {
        octets.windows(5).position(|five| five == b"\r\n.\r\n")? + 2
    };
    let mut lines = Vec::new();
    let mut rest = &octets[..end];
    while let Some(at) = rest.windows(2).position(|two| two == b"\r\n") {
        let line = rest[..at].strip_prefix(b".").unwrap_or(&rest[..at]);
        let blank = |octet: &u8| if matches!(octet, b'\r' | 0) { b' ' } else { *octet };
        lines.extend(
            line.split(|octet| *octet == b'\n')
                .map(|line| line.iter().map(blank).collect()),
        );
        rest = &rest[at + 2..];
    }
    Some(lines)
}

#[test]
fn octets_that_servers_read_differently_never_pass() {
    for (message, rule) in [
        ("a\n.\nMAIL FROM:<x@y.example>\r\n.\r\n", "bare_lf"),
        ("a\n.\r\n", "bare_lf"),
        ("a\r\n.\n", "bare_lf"),
        ("a\r\n.\r", ""),
        ("a\r\n.\ra", "bare_cr"),
        ("a\r.\r\n", "bare_cr"),
        ("a\r.\r", "bare_cr"),
        ("a\r\r\n.\r\r\n", "bare_cr"),
        ("a\r\n.\0\r\n", "nul"),
        ("a\r\n\0.\r\n", "nul"),
        ("a\r\nb\0\n.\r\n", "nul"),
        (".\n", "bare_lf"),
        ("\n", "bare_lf"),
    ] {
        let outcome = send(message.as_bytes(), BareNewline::Refuse, usize::MAX);
        let flow = if rule.is_empty() { Flow::Go } else { broken(rule) };
        assert_eq!((outcome.flow, outcome.ended), (flow, false), "{message:?}");
        assert_eq!(lenient_ends(&outcome.upstream), 0, "{message:?}");
    }
}

#[test]
fn a_refused_message_is_told_with_its_fault() {
    let mut table = Table::new(config());
    table.client_sends(b"DATA\r\n");
    table.upstream_sends(b"354 go\r\n");
    table.out = Output::default();
    table.client_sends(b"x\n");
    assert_eq!(
        &table.out.downstream[..],
        b"521 5.5.2 Message has a bare <LF>, closing connection\r\n"
    );
    assert!(table.out.upstream.is_empty());
}

#[test]
fn normalising_stuffs_what_upstream_would_take_for_a_dot_line() {
    for (message, upstream) in [
        ("a\nb\r\n.\r\n", "a\r\nb\r\n.\r\n"),
        ("a\n.\nb\r\n.\r\n", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\n.\r\n.\r\n", "a\r\n..\r\n.\r\n"),
        ("a\r\n.\nb\r\n.\r\n", "a\r\n\r\nb\r\n.\r\n"),
        ("..\n.\r\n.\r\n", "..\r\n..\r\n.\r\n"),
        ("a\rb\0c\r\n.\rd\r\n.\r\n", "a b c\r\n. d\r\n.\r\n"),
        (".\r\n", ".\r\n"),
    ] {
        let outcome = send(message.as_bytes(), BareNewline::Normalise, usize::MAX);
        assert_eq!(String::from_utf8_lossy(&outcome.upstream), upstream, "{message:?}");
        assert!(outcome.ended, "{message:?}");
    }
}

#[test]
fn long_lines_and_high_octets_pass_unchanged() {
    let mut message = vec![b'x'; 100_000];
    message.extend((1..=255).filter(|octet| !matches!(octet, b'\r' | b'\n')));
    message.extend_from_slice(b"\r\n.\r\n");
    for chunk in [1, 7, 4096, usize::MAX] {
        let outcome = send(&message, BareNewline::Refuse, chunk);
        assert!(outcome.ended && outcome.upstream == message, "chunks of {chunk}");
    }
}

#[test]
fn a_message_may_pass_ahead_up_to_its_end_and_not_an_octet_of_a_fault() {
    let text = "text\r\n..stuffed\r\n".repeat(1000);
    for (tail, ahead) in [
        ("", text.len()),
        (".\r\n", text.len() + 3),
        (".\r\nRSET\r\n", text.len() + 3),
        ("\r", text.len()),
        (".\r", text.len()),
        ("a", text.len() + 1),
        ("a\n", 0),
    ] {
        let mut table = Table::new(config());
        table.client_sends(b"DATA\r\n");
        table.upstream_sends(b"354 go\r\n");
        let message = format!("{text}{tail}");
        assert_eq!(table.guard.pass(message.as_bytes()), ahead, "{tail:?}");
    }
}

/// Every message of so many octets that matter.
fn short_messages(length: u32) -> impl Iterator<Item = Vec<u8>> {
    const OCTETS: [u8; 4] = [b'\r', b'\n', b'.', b'a'];
    (0..4_usize.pow(length)).map(move |number| (0..length).map(|place| OCTETS[(number >> (2 * place)) & 3]).collect())
}

#[test]
fn a_long_message_is_judged_alike_wherever_a_block_ends() {
    for at in 2045..=2049 {
        for middle in short_messages(4) {
            let message = [&vec![b'x'; at], &middle, &b"y\r\n.\r\n"[..]].concat();
            for bare_newline in [BareNewline::Refuse, BareNewline::Normalise] {
                let whole = send(&message, bare_newline, usize::MAX);
                let ahead = deliver(&message, bare_newline, usize::MAX, true);
                // What is in question lies in a chunk of its own, too short for a block.
                let cut = send(&message, bare_newline, 2040);
                assert_eq!(whole, ahead, "{middle:?} at {at}");
                assert_eq!((whole.flow, whole.ended), (cut.flow, cut.ended), "{middle:?} at {at}");
                assert!(
                    whole.flow != Flow::Go || whole.upstream == cut.upstream,
                    "{middle:?} at {at}"
                );
            }
        }
    }
}

#[test]
fn faults_and_ends_are_found_beside_the_end_of_a_block() {
    for before in 2040..2052 {
        let long = "x".repeat(before);
        for (end, flow, ended) in [
            ("\r\n.\r\n", Flow::Go, true),
            ("\r\n..\r\n.\r\n", Flow::Go, true),
            ("\r\n..\r\n", Flow::Go, false),
            ("\r\n.", Flow::Go, false),
            ("\n.\r\n", broken("bare_lf"), false),
            ("\r.\r\n", broken("bare_cr"), false),
            ("\0\n.\r\n", broken("nul"), false),
        ] {
            let message = format!("{long}{end}");
            for chunk in [usize::MAX, before, before + 1] {
                let outcome = send(message.as_bytes(), BareNewline::Refuse, chunk);
                assert_eq!((outcome.flow, outcome.ended), (flow, ended), "{before} {end:?} {chunk}");
            }
        }
    }
}

fn broken(rule: &'static str) -> Flow {
    Flow::Broken {
        rule,
        by: Blame::Downstream,
    }
}

#[test]
fn no_short_message_can_smuggle_another() {
    for length in 0..=9_u32 {
        for message in short_messages(length) {
            for bare_newline in [BareNewline::Refuse, BareNewline::Normalise] {
                let outcome = send(&message, bare_newline, usize::MAX);
                if length <= 7 {
                    let ahead = deliver(&message, bare_newline, usize::MAX, true);
                    assert_eq!(outcome, ahead, "{message:?} {bare_newline:?}");
                }
                assert_eq!(
                    lenient_ends(&outcome.upstream),
                    usize::from(outcome.ended),
                    "{message:?} {bare_newline:?}"
                );
                let strict = strict_lines(&message).is_some();
                assert!(!outcome.ended || strict, "{message:?} {bare_newline:?}");
                if bare_newline == BareNewline::Normalise {
                    assert_eq!(outcome.ended, strict, "{message:?}");
                }
            }
        }
    }
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "\r\n",
        "\r\n",
        "\r\n.",
        "\r\n.\r\n",
        "\r",
        "\n",
        ".",
        "a",
        "text",
        "\0",
        "\u{e9}",
    ]);
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn a_naive_reading_of_the_message_agrees(message in message()) {
        let strict = strict_lines(&message);
        let outcome = send(&message, BareNewline::Normalise, usize::MAX);
        prop_assert_eq!(outcome.ended, strict.is_some());
        if let Some(lines) = strict {
            let end = outcome.upstream.windows(3).rposition(|three| three == b".\r\n").unwrap() + 3;
            prop_assert_eq!(strict_lines(&outcome.upstream[..end]), Some(lines));
        }
        let refused = send(&message, BareNewline::Refuse, usize::MAX);
        if refused.flow == Flow::Go {
            prop_assert!(message.starts_with(&refused.upstream));
        }
    }

    #[test]
    fn chunking_never_changes_what_upstream_gets(message in message(), chunk in 1_usize..6) {
        for bare_newline in [BareNewline::Refuse, BareNewline::Normalise] {
            let whole = send(&message, bare_newline, usize::MAX);
            for ahead in [false, true] {
                let chunked = deliver(&message, bare_newline, chunk, ahead);
                prop_assert_eq!(whole.flow, chunked.flow);
                prop_assert_eq!(whole.ended, chunked.ended);
                if whole.flow == Flow::Go {
                    prop_assert_eq!(&whole.upstream, &chunked.upstream);
                }
            }
        }
    }

    #[test]
    fn any_octets_of_both_sides_are_survived(client in prop::collection::vec(any::<u8>(), 0..200), upstream in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut table = Table::new(config());
        table.client_sends(&client);
        table.upstream_sends(&upstream);
    }
}
