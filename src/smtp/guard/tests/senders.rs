//! Sender rules, addresses and parameters.

use super::*;
use crate::model::{Address, DomainName};

fn anna() -> Config {
    let address = |text: &str| Address::parse(text).unwrap();
    let senders = SenderPolicy::Check {
        allowed: vec![address("anna@example.org"), address("info@b\u{fc}cher.example")],
        domains: vec![DomainName::parse("lists.example").unwrap()],
        null_sender: false,
        subaddress_delimiter: Some('+'),
    };
    Config { senders, ..config() }
}

fn passes(arguments: &str, written: &str) {
    check(
        &anna(),
        &format!("C MAIL {arguments}\nU MAIL {written}\nR 250 ok\nS 250 ok"),
    );
}

fn refused(arguments: &str, reply: &str) {
    check(&anna(), &format!("C MAIL {arguments}\nS {reply}\n= Go"));
}

#[test]
fn the_mailbox_its_aliases_and_its_domains_are_senders() {
    passes("FROM:<anna@example.org>", "FROM:<anna@example.org>");
    passes("FROM:<ANNA@Example.Org>", "FROM:<ANNA@Example.Org>");
    passes("FROM:<anna+news@example.org>", "FROM:<anna+news@example.org>");
    passes("FROM:<\"anna\"@example.org>", "FROM:<anna@example.org>");
    passes("FROM:<info@xn--bcher-kva.example>", "FROM:<info@xn--bcher-kva.example>");
    passes(
        "FROM:<info@B\u{dc}CHER.example> SMTPUTF8",
        "FROM:<info@xn--bcher-kva.example> SMTPUTF8",
    );
    passes("FROM:<any.one@lists.example>", "FROM:<any.one@lists.example>");
}

#[test]
fn anybody_else_is_refused_by_the_address_as_we_read_it() {
    let not_owned = |address: &str| format!("550 5.7.1 <{address}> is not an address of this mailbox");
    for address in [
        "bob@example.org",
        "anna@sub.example.org",
        "anna@example.com",
        "anna.@example.org.example",
        "bob+anna@example.org",
        "+anna@example.org",
        "anna%evil.example@example.org",
        "evil.example!x@lists.example",
        "x%evil.example@lists.example",
        "a*b@lists.example",
        "x@sub.lists.example",
    ] {
        let reply = if address.starts_with("anna.@") {
            "501 5.1.7 Bad sender address syntax".into()
        } else {
            not_owned(address)
        };
        refused(&format!("FROM:<{address}>"), &reply);
    }
    refused(
        "FROM:<\"anna@example.org\"@evil.example>",
        &not_owned("\"anna@example.org\"@evil.example"),
    );
    refused("FROM:<\" anna\"@example.org>", &not_owned("\" anna\"@example.org"));
    refused("FROM:<\"  x\"@lists.example>", &not_owned("\"  x\"@lists.example"));
    refused("FROM:<\"an na\"@lists.example>", &not_owned("\"an na\"@lists.example"));
    refused(
        "FROM:<\u{e4}nna@example.org> SMTPUTF8",
        "550 5.7.1 The sender is not an address of this mailbox",
    );
    refused("FROM:<>", "550 5.7.1 The null sender is not allowed here");
}

#[test]
fn what_is_not_understood_is_no_way_around_the_rule() {
    for arguments in [
        "FROM:anna@example.org",
        "FROM:bob@example.org <anna@example.org>",
        "FROM:<@x.example:anna@example.org>",
        "FROM:<anna@example.org>,<bob@example.org>",
        "FROM:<anna@example.org.>",
        "FROM:<anna(bob)@example.org>",
        "FROM:<anna@example.org> <bob@example.org>",
        "FROM:<bob@example.org\\0>",
        "FROM:\t<bob@example.org>",
    ] {
        let reply = if arguments.contains(['\t', '\\']) {
            "500 5.5.2 Command not recognised"
        } else {
            "501 5.1.7 Bad sender address syntax"
        };
        refused(arguments, reply);
    }
}

#[test]
fn a_second_sender_is_judged_like_the_first() {
    check(
        &anna(),
        "C~ MAIL FROM:<anna@example.org>\\r\\nRSET\\r\\nMAIL FROM:<bob@example.org>\\r\\nRCPT TO:<c@d.example>\\r\\n
         U MAIL FROM:<anna@example.org>
         U RSET
         U RCPT TO:<c@d.example>
         R 250 mail
         S 250 mail
         R 250 rset
         S 250 rset
         S 550 5.7.1 <bob@example.org> is not an address of this mailbox
         R 503 5.5.1 need MAIL
         S 503 5.5.1 need MAIL",
    );
}

#[test]
fn a_mail_command_in_a_message_is_text() {
    check(
        &anna(),
        "C DATA
         U DATA
         R 354 go
         S 354 go
         C MAIL FROM:<bob@example.org>
         U MAIL FROM:<bob@example.org>
         C .
         U .
         C MAIL FROM:<bob@example.org>
         R 250 queued
         S 250 queued
         S 550 5.7.1 <bob@example.org> is not an address of this mailbox",
    );
}

#[test]
fn parameters_pass_only_where_upstream_offers_them() {
    passes(
        "FROM:<anna@example.org> RET=hdrs ENVID=a+2Bb",
        "FROM:<anna@example.org> RET=hdrs ENVID=a+2Bb",
    );
    passes("FROM:<anna@example.org> auth=<>", "FROM:<anna@example.org>");
    passes(
        "FROM:<anna@example.org> AUTH=bob+40example.org SIZE=1",
        "FROM:<anna@example.org> SIZE=1",
    );
    for (parameters, reply) in [
        ("AUTH=+zz", "501 5.5.4 Syntax error in parameters"),
        ("SIZE=1 size=2", "501 5.5.4 Syntax error in parameters"),
        ("SIZE=x", "501 5.5.4 Syntax error in parameters"),
        ("SIZE=1001", "552 5.3.4 Message size exceeds the limit"),
        ("SIZE=99999999999999999999", "552 5.3.4 Message size exceeds the limit"),
        ("SIZE=000000000000000000001", "501 5.5.4 Syntax error in parameters"),
        ("SIZE", "555 5.5.4 Unsupported parameter"),
        ("BODY=BINARYMIME", "555 5.5.4 Unsupported parameter"),
        ("BODY=16BIT", "501 5.5.4 Syntax error in parameters"),
        ("RET=SOME", "555 5.5.4 Unsupported parameter"),
        ("SMTPUTF8=1", "555 5.5.4 Unsupported parameter"),
        ("XVERP", "555 5.5.4 Unsupported parameter"),
        ("NOTIFY=NEVER", "555 5.5.4 Unsupported parameter"),
        ("REQUIRETLS", "555 5.5.4 Unsupported parameter"),
    ] {
        refused(&format!("FROM:<anna@example.org> {parameters}"), reply);
    }
}

#[test]
fn a_non_ascii_address_needs_smtputf8_from_its_mail_command_on() {
    refused(
        "FROM:<zo\u{eb}@lists.example>",
        "553 5.6.7 Non-ASCII addresses need SMTPUTF8",
    );
    passes(
        "FROM:<zo\u{eb}@lists.example> SMTPUTF8",
        "FROM:<zo\u{eb}@lists.example> SMTPUTF8",
    );
    check(
        &anna(),
        "C RCPT TO:<zo\u{eb}@d.example>
         S 553 5.6.7 Non-ASCII addresses need SMTPUTF8
         C MAIL FROM:<anna@example.org> SMTPUTF8
         U MAIL FROM:<anna@example.org> SMTPUTF8
         C RCPT TO:<zo\u{eb}@d.example> ORCPT=utf-8;zo\u{eb}@d.example
         U RCPT TO:<zo\u{eb}@d.example> ORCPT=utf-8;zo\u{eb}@d.example
         C RSET
         U RSET
         C RCPT TO:<zo\u{eb}@d.example>
         R 250 mail
         S 250 mail
         R 250 rcpt
         S 250 rcpt
         R 250 rset
         S 250 rset
         S 553 5.6.7 Non-ASCII addresses need SMTPUTF8",
    );
    let plain = Config {
        extensions: vec![],
        ..anna()
    };
    check(
        &plain,
        "C MAIL FROM:<anna@example.org> SMTPUTF8\nS 555 5.5.4 Unsupported parameter",
    );
}

#[test]
fn a_recipient_may_be_anybody_in_one_form() {
    for (given, written) in [
        ("<bob@example.net>", "<bob@example.net>"),
        ("<\"bob\"@example.net> NOTIFY=NEVER", "<bob@example.net> NOTIFY=NEVER"),
        ("<Postmaster>", "<postmaster>"),
        ("<x@[192.0.2.1]>", "<x@[192.0.2.1]>"),
        ("<x@b\u{fc}cher.example>", "<x@xn--bcher-kva.example>"),
    ] {
        check(
            &anna(),
            &format!("C RCPT TO:{given}\nU RCPT TO:{written}\nR 250 ok\nS 250 ok"),
        );
    }
    for (given, reply) in [
        ("<a@b.example> NOTIFY=SOMETIMES", "555 5.5.4 Unsupported parameter"),
        ("<a@b.example> ORCPT=rfc822;a b", "555 5.5.4 Unsupported parameter"),
        ("<a@b.example> ORCPT=utf-8;zo\u{eb}", "555 5.5.4 Unsupported parameter"),
        ("<a@b.example> SIZE=1", "555 5.5.4 Unsupported parameter"),
        ("<>", "501 5.1.3 Bad recipient address syntax"),
    ] {
        check(&anna(), &format!("C RCPT TO:{given}\nS {reply}"));
    }
}
