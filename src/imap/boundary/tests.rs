//! Boundaries, compared with a naive parser that sees the whole stream.

use proptest::prelude::*;

use super::*;

/// The places of a stream that are boundaries, found by a parser that sees the whole of it.
fn naive(stream: &[u8]) -> Vec<usize> {
    let mut boundaries = vec![0];
    let mut at = 0;
    let mut start = 0;
    while let Some(length) = stream[at..].windows(2).position(|pair| pair == b"\r\n") {
        let line = &stream[at..at + length];
        if line.iter().any(u8::is_ascii_control) {
            break;
        }
        let first = stream[start..].split(|&octet| octet == b'\r').next().unwrap();
        at += length + 2;
        let status = first.starts_with(b"+")
            || first
                .split(|&octet| octet == b' ')
                .nth(1)
                .is_some_and(syntax::is_status_word);
        match syntax::literal_header(line).filter(|_| !status) {
            Some(header) => at += usize::try_from(header.size).unwrap(),
            None => {
                boundaries.push(at);
                start = at;
            }
        }
        if at > stream.len() {
            break;
        }
    }
    boundaries
}

fn boundaries(stream: &[u8], chunks: &[usize]) -> Vec<usize> {
    let mut boundary = Boundary::default();
    let mut found = vec![0];
    let mut at = 0;
    let mut sizes = chunks.iter().copied().chain(std::iter::repeat(1));
    while at < stream.len() {
        let end = (at + sizes.next().unwrap_or(1)).min(stream.len());
        boundary.feed(&stream[at..end]);
        at = end;
        if boundary.at_boundary() {
            found.push(at);
        }
    }
    found
}

fn after(stream: &[u8]) -> bool {
    let mut boundary = Boundary::default();
    boundary.feed(stream);
    boundary.at_boundary()
}

#[test]
fn a_goodbye_fits_between_responses_only() {
    assert!(after(b""));
    assert!(after(b"* 5 EXISTS\r\n"));
    assert!(!after(b"* 5 EXISTS\r"));
    assert!(!after(b"* 5 EX"));
    assert!(after(b"* OK Still here\r\n+ idling\r\na OK done\r\n"));
}

#[test]
fn the_octets_of_a_literal_are_not_looked_at() {
    let mut stream = b"* 1 FETCH (BODY[] {14}\r\na\r\n* BYE\r\n\0\n\r\n".to_vec();
    assert!(!after(&stream));
    stream.extend_from_slice(b" UID 7)\r\n");
    assert!(after(&stream));
    assert!(!after(b"* 1 FETCH (BODY[] {0}\r\n"));
    assert!(after(b"* 1 FETCH (BODY[] ~{0}\r\n)\r\n"));
}

#[test]
fn a_text_for_people_announces_no_literal() {
    assert!(after(b"a NO No such folder {5}\r\n"));
    assert!(after(b"* BYE see {5}\r\n"));
    assert!(after(b"+ {5}\r\n"));
    assert!(!after(b"* LIST () \"/\" {5}\r\n"));
    assert!(!after(b"* NOTHING {5}\r\n"));
}

#[test]
fn a_stream_that_is_no_imap_has_no_boundary_any_more() {
    for stream in [&b"* OK\0\r\n"[..], b"a\n", b"a\rb\r\n", b"\r\r\n", b"\x1b\r\n", b"\n"] {
        assert!(!after(&[stream, b"* 5 EXISTS\r\n"].concat()), "{stream:?}");
    }
    let long = vec![b'a'; MAX_LINE_BYTES + 1];
    assert!(!after(&[&long[..], b"\r\n"].concat()));
    assert!(after(&[&long[..MAX_LINE_BYTES - 1], b"\r\n"].concat()));
}

proptest! {
    #[test]
    fn any_chunking_finds_boundaries_where_a_whole_parser_does(
        parts in prop::collection::vec(
            prop_oneof![
                Just("\r\n".to_owned()), Just("* OK x".to_owned()), Just("a NO ".to_owned()), Just("+ ".to_owned()),
                Just("* 1 FETCH (BODY[] ".to_owned()), "\\{[0-9]{1,2}[+]?\\}\r\n", "[a-z {}\"]{0,30}",
            ], 0..20),
        chunks in prop::collection::vec(1_usize..20, 0..20),
    ) {
        let stream = parts.concat().into_bytes();
        let expect = naive(&stream);
        let found = boundaries(&stream, &chunks);
        let every = boundaries(&stream, &[]);
        prop_assert!(found.iter().all(|at| expect.contains(at)), "{found:?} {expect:?}");
        // A stream may end behind a literal, where the naive parser stops early.
        prop_assert_eq!(every, expect.into_iter().filter(|&at| at <= stream.len()).collect::<Vec<_>>());
    }
}
