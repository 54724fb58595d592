//! Commands, pipelines, chunks and ends of sessions.

use super::*;

#[test]
fn a_message_passes_and_is_counted() {
    check(
        &config(),
        "C mail from: <Anna@example.org>  size=20 body=8bitmime
         U MAIL FROM:<Anna@example.org> SIZE=20 BODY=8bitmime
         R 250 2.1.0 Ok
         S 250 2.1.0 Ok
         C RCPT TO:<bob@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@example.net
         U RCPT TO:<bob@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@example.net
         R 250-2.1.5 one
         R 250 2.1.5 two
         S 250-2.1.5 one
         S 250 2.1.5 two
         C data
         U DATA
         R 354 Go
         S 354 Go
         C Subject: x
         C ..
         C .
         U Subject: x
         U ..
         U .
         R 250 2.0.0 queued
         S 250 2.0.0 queued
         C QUIT
         U QUIT
         R 221 2.0.0 Bye
         S 221 2.0.0 Bye
         = Finished",
    );
}

#[test]
fn only_accepted_messages_are_counted() {
    let mut table = Table::new(config());
    for (answer, messages) in [("250 ok", 1), ("550 spam", 1), ("451 later", 1), ("250 ok", 2)] {
        for line in ["C DATA", "R 354 go", "C .", &format!("R {answer}")] {
            table.step(line, usize::MAX);
        }
        assert_eq!(table.guard.messages(), messages);
    }
}

#[test]
fn ehlo_is_answered_by_us_when_upstream_has_reset() {
    check(
        &config(),
        "C EHLO again
         U RSET
         R 250 2.0.0 Ok
         S 250-gate.example
         S 250-PIPELINING
         S 250-SIZE 1000
         S 250-8BITMIME
         S 250-SMTPUTF8
         S 250-DSN
         S 250 CHUNKING
         C HELO x
         U RSET
         R 250 2.0.0 Ok
         S 250 gate.example
         C EHLO x
         U RSET
         R 451 4.3.0 busy
         S 451 4.3.0 busy",
    );
}

#[test]
fn privileged_and_unknown_verbs_never_reach_upstream() {
    check(
        &config(),
        "C AUTH PLAIN AGEAYg==
         S 503 5.5.1 Already authenticated
         C STARTTLS
         S 503 5.5.1 TLS is already active
         C XCLIENT ADDR=192.0.2.1
         S 502 5.5.1 Command not implemented
         C XFORWARD NAME=x
         S 502 5.5.1 Command not implemented
         C PROXY TCP4 192.0.2.1 192.0.2.2 1 2
         S 502 5.5.1 Command not implemented
         C SEND FROM:<a@b.example>
         S 502 5.5.1 Command not implemented
         C ETRN example.org
         S 502 5.5.1 Command not implemented
         C EXPN staff
         S 502 5.5.1 Command not implemented
         C VRFY anna
         S 252 2.5.0 Cannot verify, send some mail and see
         C HELP
         S 214 2.0.0 Use a mail program and the password of one device
         C  MAIL FROM:<a@b.example>
         S 500 5.5.2 Command not recognised
         C
         S 500 5.5.2 Command not recognised
         C NOOP XCLIENT
         U NOOP
         R 250 ok
         S 250 ok
         = Go",
    );
}

#[test]
fn our_answers_wait_for_their_turn_in_a_pipeline() {
    check(
        &config(),
        "C~ MAIL FROM:<a@b.example>\\r\\nRCPT TO:nobody\\r\\nRCPT TO:<c@d.example>\\r\\nVRFY x\\r\\nDATA\\r\\nRSET\\r\\n
         U MAIL FROM:<a@b.example>
         U RCPT TO:<c@d.example>
         U DATA
         R 250 mail
         S 250 mail
         S 501 5.1.3 Bad recipient address syntax
         R 550 rcpt
         S 550 rcpt
         S 252 2.5.0 Cannot verify, send some mail and see
         R 554 data
         S 554 data
         U RSET
         R 250 rset
         S 250 rset",
    );
}

#[test]
fn what_follows_data_is_a_message_only_if_upstream_says_so() {
    let table = |answer: &str| {
        let mut table = Table::new(config());
        table.client_sends(b"DATA\r\nMAIL FROM:<x@y.example>\r\n.\r\nNOOP\r\n");
        assert_eq!(&table.out.upstream.split()[..], b"DATA\r\n");
        assert!(!table.guard.wants_client_input());
        table.upstream_sends(answer.as_bytes());
        table
    };
    let opened = table("354 go\r\n");
    assert_eq!(&opened.out.upstream[..], b"MAIL FROM:<x@y.example>\r\n.\r\nNOOP\r\n");
    let refused = table("503 no\r\n");
    assert_eq!(&refused.out.upstream[..], b"MAIL FROM:<x@y.example>\r\nNOOP\r\n");
    let lied = table("250 ok\r\n");
    assert_eq!(
        lied.flow,
        Flow::Broken {
            rule: "data_reply",
            by: Blame::Upstream
        }
    );
}

#[test]
fn a_chunk_is_counted_and_its_octets_are_not_looked_at() {
    check(
        &config(),
        "C~ BDAT 8\\r\\n\\n.\\n.\\r\\n\\0QQU
         U BDAT 8
         U~ \\n.\\n.\\r\\n\\0Q
         C~ IT\\r\\n
         R 250 8 octets
         S 250 8 octets
         U QUIT
         R 221 bye
         S 221 bye",
    );
}

#[test]
fn chunks_are_pipelined_and_the_last_is_a_message() {
    let mut table = Table::new(config());
    table.client_sends(b"BDAT 3\r\nabcBDAT 02 last\r\ndeBDAT 0 LAST\r\nDATA\r\n");
    assert_eq!(
        &table.out.upstream[..],
        b"BDAT 3\r\nabcBDAT 2 LAST\r\ndeBDAT 0 LAST\r\nDATA\r\n"
    );
    table.upstream_sends(b"250 a\r\n250 b\r\n503 c\r\n503 d\r\n");
    assert_eq!(&table.out.downstream[..], b"250 a\r\n250 b\r\n503 c\r\n503 d\r\n");
    assert_eq!((table.guard.messages(), table.flow), (1, Flow::Go));
}

/// Exim answers anything but BDAT and RSET between chunks (a NOOP with input behind it, and an empty chunk as well) with
/// 503, and from then on also the next BDAT, whose octets it then takes for commands.
#[test]
fn between_chunks_nothing_passes_that_upstream_may_answer_by_reading_a_chunk_as_commands() {
    for (command, answer) in [
        ("MAIL FROM:<a@b.example>", "503 5.5.1 Send BDAT or RSET"),
        ("RCPT TO:<a@b.example>", "503 5.5.1 Send BDAT or RSET"),
        ("DATA", "503 5.5.1 Send BDAT or RSET"),
        ("BDAT 0", "501 5.5.4 Syntax error in parameters"),
        ("NOOP", "250 2.0.0 OK"),
    ] {
        for (end, upstream) in [
            ("BDAT 1 LAST\\r\\nx", "BDAT 1 LAST\\r\\nx"),
            ("RSET\\r\\n", "RSET\\r\\n"),
            ("EHLO x\\r\\n", "RSET\\r\\n"),
        ] {
            check(
                &Config {
                    extensions: vec!["CHUNKING".into()],
                    ..config()
                },
                &format!(
                    "C~ BDAT 1\\r\\nx{command}\\r\\n{end}DATA\\r\\n
                     U~ BDAT 1\\r\\nx{upstream}DATA\\r\\n
                     R 250 one
                     S 250 one
                     S {answer}
                     R 550 two
                     S 550 two
                     R 503 three
                     S 503 three"
                ),
            );
        }
    }
}

#[test]
fn an_empty_chunk_that_is_not_the_last_is_refused() {
    check(&config(), "C BDAT 0\nS 501 5.5.4 Syntax error in parameters");
}

#[test]
fn a_chunk_whose_end_is_unknown_ends_the_session() {
    // Exim reads 32 bits: 4294967297 would be one octet, and the others commands.
    for size in [
        "",
        "x",
        "-1",
        "18446744073709551616",
        "4294967297",
        "2147483648",
        "1 FIRST",
    ] {
        check(
            &config(),
            &format!(
                "C BDAT {size}
                 S 521 5.5.4 Bad BDAT size, closing connection
                 = Broken {{ rule: \"bad_chunk\", by: Downstream }}"
            ),
        );
    }
}

#[test]
fn without_chunking_a_chunk_is_dropped_up_to_a_bound() {
    let config = Config {
        extensions: vec!["SIZE".into()],
        ..config()
    };
    check(
        &config,
        "C~ BDAT 15 LAST\\r\\nMAIL FROM:<a@b>NOOP\\r\\n
         S 503 5.5.1 CHUNKING was not offered
         U NOOP
         R 250 ok
         S 250 ok
         C BDAT 1048577
         S 521 5.5.4 Bad BDAT size, closing connection
         = Broken { rule: \"bad_chunk\", by: Downstream }",
    );
}

#[test]
fn a_bare_newline_in_a_command_ends_the_session_after_earlier_answers() {
    for command in [
        "NOOP\\nMAIL FROM:<x@y.example>\\r\\n",
        "NOOP\\r\\r\\n",
        "\\n",
        "MAIL FROM:<a@b.example>\\rX\\r\\n",
    ] {
        check(
            &config(),
            &format!(
                "C RSET
                 U RSET
                 C~ {command}
                 = Go
                 R 250 ok
                 S 250 ok
                 S 521 5.5.2 Lines must end with <CR><LF>, closing connection
                 = Broken {{ rule: \"bare_newline\", by: Downstream }}"
            ),
        );
    }
}

#[test]
fn a_long_line_ends_the_session() {
    let line = "x".repeat(4095);
    check(
        &config(),
        &format!(
            "C~ NOOP {line}
             S 500 5.5.2 Line too long
             = Broken {{ rule: \"line_too_long\", by: Downstream }}"
        ),
    );
}

#[test]
fn many_bad_commands_end_the_session() {
    let bad = "C XCLIENT\nS 502 5.5.1 Command not implemented\n";
    let last = "C XCLIENT\nS 421 4.7.0 Too many errors\n= Broken { rule: \"too_many_bad_commands\", by: Downstream }";
    check(&config(), &format!("{}{last}", bad.repeat(20)));
}

#[test]
fn an_http_request_ends_the_session() {
    check(
        &config(),
        "C POST / HTTP/1.1
         S 502 5.5.1 Command not implemented
         = Broken { rule: \"http_request\", by: Downstream }",
    );
}

#[test]
fn replies_that_nobody_asked_for_or_understands_end_the_session() {
    let lost = "S 421 4.3.2 Mail store is not available, try again later";
    for (script, rule) in [
        ("R 250 ok", "unsolicited_reply"),
        ("R * BYE", "malformed_reply"),
        ("C NOOP\nU NOOP\nR 354 go", "unexpected_go_ahead"),
        (
            "C RCPT TO:<a@b.example>\nU RCPT TO:<a@b.example>\nR 334 x",
            "unexpected_go_ahead",
        ),
        ("C DATA\nU DATA\nR 334 x", "unexpected_go_ahead"),
    ] {
        check(
            &config(),
            &format!("{script}\n{lost}\n= Broken {{ rule: \"{rule}\", by: Upstream }}"),
        );
    }
}

#[test]
fn upstream_may_close_at_any_time() {
    check(&config(), "R 421 4.4.2 idle\nS 421 4.4.2 idle\n= Finished");
    let mut table = Table::new(config());
    table.client_sends(b"DATA\r\n");
    table.upstream_sends(b"354 go\r\n");
    table.client_sends(b"half a mess");
    table.upstream_sends(b"421 4.3.0 disk full\r\n");
    assert_eq!(table.flow, Flow::Finished);
    assert_eq!(&table.out.downstream[..], b"354 go\r\n421 4.3.0 disk full\r\n");
    assert_eq!(&table.out.upstream[..], b"");
}

#[test]
fn a_goodbye_is_said_once_and_not_after_the_last_answer() {
    let mut table = Table::new(config());
    table.client_sends(b"DATA\r\n");
    table.upstream_sends(b"354 go\r\n");
    table.client_sends(b"half");
    assert_eq!(
        table.guard.farewell("Device disconnected").as_deref(),
        Some(&b"421 4.3.2 Device disconnected\r\n"[..])
    );
    assert_eq!(table.guard.upstream_lost(), None);
    table.client_sends(b"\r\n.\r\n");
    assert_eq!(table.flow, Flow::Finished);
    assert!(!table.out.upstream.ends_with(b".\r\n"));
}

#[test]
fn a_client_that_sends_without_reading_waits() {
    let mut table = Table::new(config());
    table.client_sends(&b"NOOP\r\nVRFY x\r\n".repeat(100));
    assert!(!table.guard.wants_client_input());
    assert_eq!(table.out.upstream.len(), 32 * 6);
    for _ in 0..100 {
        table.upstream_sends(b"250 ok\r\n");
    }
    assert!(table.guard.wants_client_input() && table.client.is_empty());
    let answers = b"250 ok\r\n252 2.5.0 Cannot verify, send some mail and see\r\n".repeat(100);
    assert_eq!(&table.out.downstream[..], &answers[..]);
}

#[test]
fn nothing_is_taken_after_quit() {
    let mut table = Table::new(config());
    table.client_sends(b"QUIT\r\nMAIL FROM:<a@b.example>\r\n");
    assert_eq!(&table.out.upstream[..], b"QUIT\r\n");
    assert!(!table.guard.wants_client_input());
}
