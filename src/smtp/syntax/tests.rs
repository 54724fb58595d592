//! The grammar, by example and by property.

use proptest::prelude::*;

use super::*;

fn sender(arguments: &str) -> Option<String> {
    mail(arguments).map(|(path, _)| path.to_string())
}

fn recipient(arguments: &str) -> Option<String> {
    rcpt(arguments).map(|(path, _)| path.to_string())
}

#[test]
fn a_path_is_written_in_one_form() {
    for (arguments, expect) in [
        ("FROM:<anna@example.org>", "<anna@example.org>"),
        ("from: <Anna.B@Example.ORG>", "<Anna.B@Example.ORG>"),
        ("FROM:<>", "<>"),
        ("FROM:<\"anna\"@example.org>", "<anna@example.org>"),
        ("FROM:<\"an\\na\"@example.org>", "<anna@example.org>"),
        ("FROM:<\"a b\"@example.org>", "<\"a b\"@example.org>"),
        ("FROM:<\"a\\\"b\\\\c\"@example.org>", "<\"a\\\"b\\\\c\"@example.org>"),
        ("FROM:<\"a>b\"@example.org>", "<\"a>b\"@example.org>"),
        ("FROM:<\"a@b\"@example.org>", "<\"a@b\"@example.org>"),
        ("FROM:<a@b\u{fc}cher.example>", "<a@xn--bcher-kva.example>"),
        ("FROM:<a@example\u{3002}org>", "<a@example.org>"),
        ("FROM:<zo\u{eb}@example.org>", "<zo\u{eb}@example.org>"),
        ("FROM:<a@localhost>", "<a@localhost>"),
    ] {
        assert_eq!(sender(arguments).as_deref(), Some(expect), "{arguments}");
    }
}

#[test]
fn what_two_servers_might_read_differently_is_no_sender() {
    for arguments in [
        "FROM:a@b.example",
        "FROM: a@b.example",
        "FROM:<a@b.example",
        "FROM:<<a@b.example>>",
        "FROM:<@x.example:a@b.example>",
        "FROM:<@x.example,@y.example:a@b.example>",
        "FROM:<a(comment)@b.example>",
        "FROM:<a@b.example(comment)>",
        "FROM:<a@b.example.>",
        "FROM:<a@.b.example>",
        "FROM:<a@b..example>",
        "FROM:<.a@b.example>",
        "FROM:<a.@b.example>",
        "FROM:<a..b@b.example>",
        "FROM:<a@b@c.example>",
        "FROM:<\"a\".b@c.example>",
        "FROM:<\"\"@b.example>",
        "FROM:<@b.example>",
        "FROM:<a@>",
        "FROM:<a>",
        "FROM:<postmaster>",
        "FROM:<a@[192.0.2.1]>",
        "FROM:<a b@c.example>",
        "FROM:< a@b.example>",
        "FROM:<a@b.example >",
        "FROM:<a@b_c.example>",
        "FROM:<a@-b.example>",
        "FROM:<a@b.example>SIZE=1",
        "FROM:<a@b.example> SIZE==1",
        "FROM:<a@b.example> -X=1",
        "FROM:<a@b.example> <c@d.example>",
        "FROM <a@b.example>",
        "FROM :<a@b.example>",
        "FROM:\u{a0}<a@b.example>",
        "FROM:Anna <a@b.example>",
        "TO:<a@b.example>",
        "",
    ] {
        assert_eq!(sender(arguments), None, "{arguments}");
    }
}

#[test]
fn long_local_parts_of_reply_services_pass_up_to_the_cap() {
    let path = |length: usize| format!("TO:<{}@b.example>", "a".repeat(length));
    assert!(recipient(&path(64)).is_some() && recipient(&path(256)).is_some());
    assert!(recipient(&path(257)).is_none());
    let domain = |labels: usize| format!("TO:<a@{}example>", "a23456789.".repeat(labels));
    assert!(recipient(&domain(24)).is_some() && recipient(&domain(25)).is_none());
}

#[test]
fn a_recipient_may_be_at_an_address_or_the_postmaster() {
    for (arguments, expect) in [
        ("TO:<a@[192.0.2.1]>", "<a@[192.0.2.1]>"),
        ("to:<a@[ipv6:2001:DB8::0001]>", "<a@[IPv6:2001:db8::1]>"),
        ("TO:<Postmaster>", "<postmaster>"),
        ("TO:<user%host@relay.example>", "<user%host@relay.example>"),
    ] {
        assert_eq!(recipient(arguments).as_deref(), Some(expect), "{arguments}");
    }
    for arguments in [
        "TO:<>",
        "TO:<a@[1.2.3]>",
        "TO:<a@[IPv6:zz]>",
        "TO:<a@[2001:db8::1]>",
        "TO:<a@[tag:x]>",
        "TO:<root>",
    ] {
        assert_eq!(recipient(arguments), None, "{arguments}");
    }
}

#[test]
fn parameters_are_read_with_and_without_value() {
    let (_, parameters) = mail("FROM:<a@b.example>  SIZE=12   SMTPUTF8").unwrap();
    assert_eq!(
        parameters,
        [
            Parameter {
                keyword: "SIZE",
                value: Some("12")
            },
            Parameter {
                keyword: "SMTPUTF8",
                value: None
            }
        ]
    );
    assert!(mail(&format!("FROM:<a@b.example>{}", " X=1".repeat(16))).is_some());
    assert!(mail(&format!("FROM:<a@b.example>{}", " X=1".repeat(17))).is_none());
}

#[test]
fn a_chunk_size_is_digits_within_reason() {
    let chunk = |length, last| Some(Chunk { length, last });
    assert_eq!(bdat(b"0 LAST"), chunk(0, true));
    assert_eq!(bdat(b"86 last"), chunk(86, true));
    assert_eq!(bdat(b"00000000000000000007"), chunk(7, false));
    assert_eq!(bdat(b"2147483647"), chunk(i32::MAX as u64, false));
    for arguments in [
        "",
        "-1",
        "+1",
        "2147483648",
        "4294967297",
        "18446744073709551616",
        "000000000000000000001",
        "1 LASTLY",
        "1 LAST 2",
        "0x10",
        "1,5",
        "LAST",
    ] {
        assert_eq!(bdat(arguments.as_bytes()), None, "{arguments}");
    }
}

#[test]
fn auth_has_a_mechanism_and_at_most_one_response() {
    assert_eq!(
        auth(b"PLAIN"),
        Some(Auth {
            mechanism: b"PLAIN",
            initial: None
        })
    );
    assert_eq!(
        auth(b"LOGIN YQ=="),
        Some(Auth {
            mechanism: b"LOGIN",
            initial: Some(Borrowed(b"YQ=="))
        })
    );
    assert_eq!(auth(b""), None);
    assert_eq!(auth(b"PLAIN a b"), None);
}

#[test]
fn xtext_is_strict() {
    assert_eq!(xtext_decode("a+2Bb"), Some(b"a+b".to_vec()));
    for text in ["+2b", "+", "+2", "a=b", "a b", "+GG", "\u{e9}"] {
        assert_eq!(xtext_decode(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn xtext_reads_back_what_it_wrote(octets in prop::collection::vec(any::<u8>(), 0..40)) {
        let text = xtext_encode(&octets);
        prop_assert!(text.bytes().all(|octet| octet.is_ascii_graphic()));
        prop_assert_eq!(xtext_decode(&text), Some(octets));
    }

    #[test]
    fn a_written_path_is_read_as_itself(arguments in "FROM:<[\"\\\\a.@ >\\[\\]:%!\u{fc}-]{0,12}>") {
        if let Some((path, _)) = mail(&arguments) {
            let again = format!("FROM:{path}");
            prop_assert_eq!(mail(&again).map(|(path, _)| path), Some(path));
        }
    }

    #[test]
    fn no_line_makes_a_parser_panic(line in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = (verb(&line), auth(&line), bdat(&line));
        let text = String::from_utf8_lossy(&line);
        let _ = (mail(&text), rcpt(&text), xtext_decode(&text));
    }
}
