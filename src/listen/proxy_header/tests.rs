//! Tests of the PROXY header parser: exact grammar, and never an octet read beyond the header.

use super::*;

/// Reads like the listener: at most what it is told, from a stream in which something follows the header.
fn read(stream: &[u8]) -> Result<(Header, usize), Error> {
    let mut taken = 0;
    loop {
        match parse(&stream[..taken])? {
            Progress::Complete(header) => return Ok((header, taken)),
            Progress::NeedInput { at_most } => {
                assert!(at_most > 0);
                if taken == stream.len() {
                    panic!("the parser wants more than the whole stream");
                }
                taken = (taken + at_most).min(stream.len());
            }
        }
    }
}

fn check(header: &[u8], expect: Result<Header, Error>) {
    for follows in [b"".as_slice(), b"\x16\x03\x01\r\n", b"A"] {
        let stream = [header, follows].concat();
        match (read(&stream), expect) {
            (Ok((got, taken)), Ok(wanted)) => {
                assert_eq!((got, taken), (wanted, header.len()), "{}", header.escape_ascii());
            }
            (got, wanted) => assert_eq!(got.map(|(header, _)| header), wanted, "{}", header.escape_ascii()),
        }
        if expect.is_err() {
            return;
        }
    }
    // Octet by octet the answer is the same.
    for length in 0..header.len() {
        if expect.is_ok() {
            assert!(
                matches!(parse(&header[..length]), Ok(Progress::NeedInput { .. })),
                "{length}"
            );
        }
    }
}

fn proxied(source: &str, destination: &str) -> Result<Header, Error> {
    Ok(Header::Proxied {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
    })
}

fn v2(kind: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [SIGNATURE.as_slice(), &[kind, family], &length, body].concat()
}

const IPV4: [u8; 12] = [192, 0, 2, 1, 198, 51, 100, 7, 0x12, 0x67, 0x03, 0xe1];

#[test]
fn version_1_gives_both_ends() {
    check(
        b"PROXY TCP4 192.0.2.1 198.51.100.7 4711 993\r\n",
        proxied("192.0.2.1:4711", "198.51.100.7:993"),
    );
    check(
        b"PROXY TCP6 2001:db8::1 2001:db8::2 65535 0\r\n",
        proxied("[2001:db8::1]:65535", "[2001:db8::2]:0"),
    );
}

#[test]
fn the_longest_version_1_line_is_accepted() {
    let widest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    let line = format!("PROXY TCP6 {widest} {widest} 65535 65535\r\n");
    let end = format!("[{widest}]:65535");
    check(line.as_bytes(), proxied(&end, &end));
    let unknown = format!("PROXY UNKNOWN {widest} {widest} 65535 65535\r\n");
    assert_eq!(unknown.len(), V1_BYTES);
    check(unknown.as_bytes(), Ok(Header::Local));
}

#[test]
fn unknown_and_local_mean_the_socket_itself() {
    check(b"PROXY UNKNOWN\r\n", Ok(Header::Local));
    check(b"PROXY UNKNOWN whatever this is\r\n", Ok(Header::Local));
    check(&v2(0x20, 0x00, b""), Ok(Header::Local));
    check(&v2(0x20, 0x11, b"not addresses"), Ok(Header::Local));
}

#[test]
fn version_1_is_taken_by_the_letter() {
    for line in [
        "PROXY TCP4 192.0.2.01 198.51.100.7 4711 993\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 04711 993\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 4711 65536\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 4711 99999\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 4711 -1\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 4711\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 4711 993 \r\n",
        "PROXY TCP4  192.0.2.1 198.51.100.7 4711 993\r\n",
        "PROXY TCP4 2001:db8::1 2001:db8::2 4711 993\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.7 4711 993\r\n",
        "PROXY TCP6 fe80::1%eth0 2001:db8::2 4711 993\r\n",
        "PROXY TCP4 192.0.2.1\n198.51.100.7 4711 993\r\n",
        "PROXY TCP4 192.0.2.1\r198.51.100.7 4711 993\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 4711 993\n\r\n",
    ] {
        check(line.as_bytes(), Err(Error::Syntax));
    }
    check(b"PROXY TCP5 192.0.2.1 198.51.100.7 4711 993\r\n", Err(Error::Kind));
    check(b"PROXY UNKNOWNS\r\n", Err(Error::Kind));
    check(
        format!("PROXY UNKNOWN {}\r\n", "x".repeat(V1_BYTES)).as_bytes(),
        Err(Error::Length),
    );
}

#[test]
fn what_is_no_header_is_told_at_once() {
    check(b"a1 LOGIN anna secret\r\n", Err(Error::Missing));
    check(b"\x16\x03\x01\x02\x00\x01", Err(Error::Missing));
    check(b"proxy TCP4 192.0.2.1 198.51.100.7 4711 993\r\n", Err(Error::Missing));
    check(b"\r\n\r\n\0\r\nQUIT\r", Err(Error::Missing));
}

#[test]
fn version_2_gives_both_ends() {
    check(&v2(0x21, 0x11, &IPV4), proxied("192.0.2.1:4711", "198.51.100.7:993"));
    let addresses: [&[u8]; 3] = [
        &"2001:db8::1".parse::<Ipv6Addr>().unwrap().octets(),
        &[0; 16],
        &[0x12, 0x67, 0x03, 0xe1],
    ];
    check(
        &v2(0x21, 0x21, &addresses.concat()),
        proxied("[2001:db8::1]:4711", "[::]:993"),
    );
}

#[test]
fn version_2_of_another_kind_is_refused() {
    check(&v2(0x11, 0x11, &IPV4), Err(Error::Kind));
    check(&v2(0x22, 0x11, &IPV4), Err(Error::Kind));
    for family in [0x00, 0x10, 0x12, 0x22, 0x31, 0x32, 0xff] {
        check(&v2(0x21, family, &[0; 216]), Err(Error::Kind));
    }
    check(&v2(0x21, 0x11, &IPV4[..11]), Err(Error::Syntax));
    check(&v2(0x21, 0x21, &IPV4), Err(Error::Syntax));
    check(&v2(0x21, 0x11, &[0; V2_BYTES]), Err(Error::Length));
}

#[test]
fn type_length_values_are_skipped_but_have_to_fill_the_header() {
    check(
        &v2(0x21, 0x11, &[&IPV4[..], b"\x02\x00\x04mail\x04\x00\x00"].concat()),
        proxied("192.0.2.1:4711", "198.51.100.7:993"),
    );
    check(
        &v2(0x21, 0x11, &[&IPV4[..], b"\x02\x00\x05mail"].concat()),
        Err(Error::Syntax),
    );
    check(&v2(0x21, 0x11, &[&IPV4[..], b"\x02"].concat()), Err(Error::Syntax));
}

#[test]
fn the_check_value_of_the_checksum_is_right() {
    assert_eq!(crc32c(b"123456789".iter().copied()), 0xe306_9283);
}

#[test]
fn a_checksum_is_verified_where_there_is_one() {
    let mut header = v2(0x21, 0x11, &[&IPV4[..], b"\x03\x00\x04\0\0\0\0\x04\x00\x01x"].concat());
    let sum = crc32c(header.iter().copied()).to_be_bytes();
    let at = header.len() - 8;
    header[at..at + 4].copy_from_slice(&sum);
    check(&header, proxied("192.0.2.1:4711", "198.51.100.7:993"));
    header[16] ^= 1;
    check(&header, Err(Error::Checksum));
    check(
        &v2(0x21, 0x11, &[&IPV4[..], b"\x03\x00\x02\0\0"].concat()),
        Err(Error::Syntax),
    );
}

/// As [`read`], at most `chunk` octets at a time; `None` where the stream ends within the header.
fn read_in_chunks(stream: &[u8], chunk: usize) -> Option<Result<(Header, usize), Error>> {
    let mut taken = 0;
    loop {
        match parse(&stream[..taken]) {
            Ok(Progress::Complete(header)) => return Some(Ok((header, taken))),
            Ok(Progress::NeedInput { at_most }) => {
                assert!(at_most > 0 && taken + at_most <= V2_BYTES);
                if taken == stream.len() {
                    return None;
                }
                taken = (taken + at_most.min(chunk)).min(stream.len());
            }
            Err(error) => return Some(Err(error)),
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_octets_get_one_answer_however_they_arrive(
        prefix in proptest::sample::select(vec![b"".as_slice(), b"PROXY ", b"PROXY TCP4 1.1.1.1 ", SIGNATURE, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0"]),
        octets in proptest::collection::vec(proptest::prop_oneof![0_u8.., proptest::sample::select(b"\r\n 0123456789.:UNKOW".to_vec())], 0..300),
    ) {
        let stream = [prefix, &octets].concat();
        proptest::prop_assert_eq!(read_in_chunks(&stream, 1), read_in_chunks(&stream, usize::MAX));
    }
}
