//! What passes, what is rewritten and what ends a session, in pieces of every size.

use proptest::prelude::*;

use super::*;

fn filter() -> CommandFilter {
    CommandFilter::new(&["UNAUTHENTICATE".to_owned(), "LITERAL+".to_owned()]).unwrap()
}

/// What the mail store gets when the client's octets come in pieces of the given sizes, over and over.
fn pass(input: &[u8], sizes: &[usize]) -> Result<Vec<u8>, HiddenCommand> {
    let mut filter = filter();
    let mut sent = Vec::new();
    let mut buffer = Vec::new();
    let mut rest = input;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, after) = rest.split_at(rest.len().min(*size));
        rest = after;
        buffer.extend_from_slice(chunk);
        let free = filter.pass(&mut buffer)?;
        assert!(buffer.len() - free < UNAUTHENTICATE.len());
        sent.extend(buffer.drain(..free));
    }
    sent.extend(buffer);
    Ok(sent)
}

fn check(input: &str, expect: Result<&str, HiddenCommand>) {
    for sizes in [&[1][..], &[3], &[usize::MAX]] {
        let sent = pass(input.as_bytes(), sizes).map(|sent| String::from_utf8(sent).unwrap());
        assert_eq!(
            sent.as_deref(),
            expect.as_ref().copied(),
            "{input:?} in pieces of {sizes:?}"
        );
    }
}

#[test]
fn the_filter_is_only_there_where_it_is_needed() {
    assert!(CommandFilter::new(&["IDLE".to_owned(), "COMPRESS=DEFLATE".to_owned()]).is_none());
    assert!(CommandFilter::new(&["unauthenticate".to_owned()]).is_some());
}

#[test]
fn a_forbidden_verb_becomes_an_unknown_one() {
    check("a UNAUTHENTICATE\r\n", Ok("a XNAUTHENTICATE\r\n"));
    check(
        "a NOOP\r\nb.1 unAuthenticate\r\nc NOOP\r\n",
        Ok("a NOOP\r\nb.1 XnAuthenticate\r\nc NOOP\r\n"),
    );
    check("a compress DEFLATE\r\n", Ok("a Xompress DEFLATE\r\n"));
    check(
        "a IDLE\r\nb UNAUTHENTICATE\r\nDONE\r\n",
        Ok("a IDLE\r\nb XNAUTHENTICATE\r\nDONE\r\n"),
    );
}

#[test]
fn everything_else_passes_unchanged() {
    for input in [
        "a CAPABILITY\r\nb UID FETCH 1 ALL\r\nc IDLE\r\nDONE\r\nd CLOSE\r\n",
        "a UNAUTH\r\nb COMPRES\r\nc U\r\nd C\r\n\r\n",
        "a SEARCH TEXT \"UNAUTHENTICATE\"\r\n",
        "UNAUTHENTICATE NOOP\r\n",
        "a APPEND x {30+}\r\nplease ask to\r\ncompress files.\r\n",
        "a APPEND x {29}\r\nplease compress these files.\r\nb compress\r\n",
    ] {
        check(input, Ok(input));
    }
}

#[test]
fn odd_spellings_end_the_session() {
    for input in [
        " a UNAUTHENTICATE\r\n",
        "a  UNAUTHENTICATE\r\n",
        "a\tUNAUTHENTICATE\r\n",
        "a \"UNAUTHENTICATE\"\r\n",
        "a \"UN\\AUTHENTICATE\"\r\n",
        "a \"compress\" \"deflate\"\r\n",
        " UNAUTHENTICATE\r\n",
        "\"a\" UNAUTHENTICATE\r\n",
        "a NOOP\nb UNAUTHENTICATE\r\n",
        "a\rb UNAUTHENTICATE\r\n",
        "a \0UNAUTHENTICATE\r\n",
        "a NOOP\r\r\nb UNAUTHENTICATE\n",
        "a \u{a0} UNAUTHENTICATE\r\n",
    ] {
        check(input, Err(HiddenCommand));
    }
}

#[test]
fn behind_a_literal_that_may_be_refused_a_forbidden_command_ends_the_session() {
    check("a APPEND x {999}\r\nb UNAUTHENTICATE\r\n", Err(HiddenCommand));
    check(
        "a APPEND x {999}\r\nb NOOP\r\nc Compress deflate\r\n",
        Err(HiddenCommand),
    );
    check("a APPEND x {4097+}\r\nb UNAUTHENTICATE\r\n", Err(HiddenCommand));
    check(
        "a APPEND x {5}\r\nhello\r\nb NOOP\r\nc UNAUTHENTICATE\r\n",
        Err(HiddenCommand),
    );
}

#[test]
fn a_literal_as_verb_or_around_one_ends_the_session() {
    check("a {14+}\r\nUNAUTHENTICATE\r\n", Err(HiddenCommand));
    check("a NOPE {7+}\r\nb UNAUTHENTICATE\r\n", Err(HiddenCommand));
    check("a NOPE {0+}\r\nb UNAUTHENTICATE\r\n", Err(HiddenCommand));
}

#[test]
fn behind_a_literal_that_must_be_accepted_commands_are_rewritten_again() {
    check(
        "a SEARCH TEXT {3+}\r\nabc\r\nb UNAUTHENTICATE\r\n",
        Ok("a SEARCH TEXT {3+}\r\nabc\r\nb XNAUTHENTICATE\r\n"),
    );
    check(
        "a X {1+}\r\nb {1+}\r\nc\r\nd COMPRESS DEFLATE\r\n",
        Ok("a X {1+}\r\nb {1+}\r\nc\r\nd XOMPRESS DEFLATE\r\n"),
    );
}

#[test]
fn a_server_without_non_synchronising_literals_makes_each_of_them_uncertain() {
    let mut filter = CommandFilter::new(&["UNAUTHENTICATE".to_owned()]).unwrap();
    assert_eq!(
        filter.pass(&mut b"a X {1+}\r\nb\r\nc UNAUTHENTICATE\r\n".to_owned()),
        Err(HiddenCommand)
    );
}

#[test]
fn an_interactive_client_waits_for_nothing_but_its_own_verb() {
    let mut filter = filter();
    assert_eq!(filter.pass(&mut b"a ".to_owned()), Ok(2));
    assert_eq!(filter.pass(&mut b"UN".to_owned()), Ok(0));
    assert_eq!(filter.pass(&mut b"UNSELECT".to_owned()), Ok(8));
    assert_eq!(filter.pass(&mut b"\r\nb APPEND x {5+}\r\nco".to_owned()), Ok(21));
}

proptest! {
    #[test]
    fn pieces_never_change_what_passes(
        parts in prop::collection::vec(
            prop_oneof![
                Just("a UNAUTHENTICATE\r\n".to_owned()), Just("b compress deflate\r\n".to_owned()),
                Just("c NOOP\r\n".to_owned()), Just("\r\n".to_owned()), Just("DONE\r\n".to_owned()),
                "[a-c \"\\\\\r\n\0]{0,3}", "d X \\{[0-9]{1,2}[+]?\\}\r\n", "(e )?(UNAUTH|COMP)?",
            ], 0..12),
        sizes in prop::collection::vec(1_usize..9, 1..6),
    ) {
        let input = parts.concat().into_bytes();
        let whole = pass(&input, &[usize::MAX]);
        prop_assert_eq!(&pass(&input, &sizes), &whole);
        if let Ok(sent) = whole {
            prop_assert_eq!(sent.len(), input.len());
            let changed = sent.iter().zip(&input).filter(|(sent, input)| sent != input);
            prop_assert!(changed.into_iter().all(|(&sent, _)| sent == b'X'));
        }
    }
}
