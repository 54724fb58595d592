//! What the grammar takes, and what it does not.

use super::*;

fn check(input: &[u8], expect: Option<&[u8]>) {
    let parsed = astring(input).ok().filter(|(rest, _)| rest.is_empty());
    assert_eq!(
        parsed.map(|(_, text)| text.octets().into_owned()).as_deref(),
        expect,
        "{input:?}"
    );
}

#[test]
fn strings_come_in_three_forms() {
    check(b"anna@example.org", Some(b"anna@example.org"));
    check(b"EXAMPLE\\anna", Some(b"EXAMPLE\\anna"));
    check(b"anna%example.org", Some(b"anna%example.org"));
    check(b"pass]word", Some(b"pass]word"));
    check(b"\"\"", Some(b""));
    check(b"\"a b\"", Some(b"a b"));
    check(b"\"a\\\"b\\\\\"", Some(b"a\"b\\"));
    check("\"\u{fc}\"".as_bytes(), Some("\u{fc}".as_bytes()));
    check(b"{0}\r\n", Some(b""));
    check(b"{5}\r\na\"\r\nb", Some(b"a\"\r\nb"));
    check(b"{05+}\r\nabcde", Some(b"abcde"));
}

#[test]
fn malformed_strings_are_no_strings() {
    for bad in [
        &b""[..],
        b"(",
        b"a(b",
        b"a\"b",
        b"a{b",
        b"a b",
        b"a\x7f",
        b"\"a",
        b"\"a\\\"",
        b"\"a\\b\"",
        b"\"\0\"",
        b"\"\r\"",
        b"{}\r\n",
        b"{+}\r\n",
        b"{-1}\r\n",
        b"{3}\r\nab",
        b"{3}\nabc",
        b"{3}abc",
        b"{3}\r\na\0c",
        b"{99999999999999999999}\r\na",
    ] {
        check(bad, None);
    }
}

#[test]
fn a_literal_is_announced_at_the_end_of_a_line_only() {
    let header = |size, synchronising| Some(LiteralHeader { size, synchronising });
    assert_eq!(literal_header(b"a LOGIN {5}"), header(5, true));
    assert_eq!(literal_header(b"a LOGIN {005+}"), header(5, false));
    assert_eq!(literal_header(b"a \"{ {7}"), header(7, true));
    assert_eq!(literal_header(b"{99999999999999999999+}"), header(u64::MAX, false));
    for none in [
        &b"a {5} "[..],
        b"a {}",
        b"a {+}",
        b"a {-1}",
        b"a {5",
        b"a 5}",
        b"a {5-}",
        b"a {5++}",
        b"a {1{}",
        b"}",
    ] {
        assert_eq!(literal_header(none), None, "{none:?}");
    }
}

#[test]
fn tags_hold_no_special_characters() {
    let whole = |input| matches!(command_tag(input), Ok((b"", _)));
    assert!(whole(b"a1.B-]_") && whole(&[b'a'; MAX_TAG_BYTES]));
    for bad in [
        &b""[..],
        b"+",
        b"a+",
        b"a(",
        b"a)",
        b"a{",
        b"a%",
        b"a*",
        b"a\"",
        b"a\\",
        b"a\x01",
        b"a\xff",
        &[b'a'; 129],
    ] {
        assert!(!whole(bad), "{bad:?}");
    }
}

fn client_name(input: &str) -> Option<Option<String>> {
    id_params(input.as_bytes())
        .ok()
        .filter(|(rest, _)| rest.is_empty())
        .map(|(_, id)| id.display())
}

#[test]
fn a_client_is_named_by_three_fields_of_its_id() {
    let name = |text: &str| Some(Some(text.to_owned()));
    assert_eq!(client_name("NIL"), Some(None));
    assert_eq!(client_name("()"), Some(None));
    assert_eq!(
        client_name("(\"os\" \"iOS\" \"name\" \"iPhone Mail\" \"version\" \"22C161\" \"x\" NIL)"),
        name("iPhone Mail 22C161 iOS")
    );
    assert_eq!(client_name("(\"NAME\" {4+}\r\nK\r\n9 \"vendor\" \"x\")"), name("K??9"));
    for bad in [
        "",
        "(",
        "(\"name\")",
        "(\"name\" \"x\" )",
        "( \"name\" \"x\")",
        "(name \"x\")",
        "(\"a\" \"b\"\"c\" \"d\")",
    ] {
        assert_eq!(client_name(bad), None, "{bad}");
    }
}

#[test]
fn an_id_has_thirty_pairs_at_most() {
    let pair = format!("\"{}\" \"{}\"", "k".repeat(30), "v".repeat(1024));
    let pairs = |count: usize| format!("({})", vec![pair.as_str(); count].join(" "));
    assert_eq!(client_name(&pairs(30)), Some(None));
    assert_eq!(client_name(&pairs(31)), None);
    assert_eq!(client_name(&format!("(\"{}\" NIL)", "k".repeat(31))), None);
    assert_eq!(client_name(&format!("(\"k\" \"{}\")", "v".repeat(1025))), None);
}

#[test]
fn debug_output_of_a_command_has_no_password() {
    for line in [
        &b"a LOGIN kqzmxwdp \"kqzmxwdp\""[..],
        b"a AUTHENTICATE PLAIN kqzmxwdp",
        b"a ID (\"name\" \"kqzmxwdp\")",
    ] {
        let shown = format!("{:?}", crate::imap::command::parse(line));
        assert!(shown.contains("Ok(") && !shown.contains("kqzm"), "{shown}");
        assert!(!shown.contains("107, 113"), "{shown}");
    }
}
