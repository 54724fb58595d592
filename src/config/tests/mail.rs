//! `[mail]` and `manager.origin`: one test for each class of broken section.

use super::*;
use crate::outbox::Security;

const MAIL: &str = "[manager]\norigin = \"https://manager.example.org\"\n[mail]\nhost = \"smtp.example.org\"\nfrom = \"Postern <postern@example.org>\"\n";

/// The findings of the section with some text replaced.
fn found(from: &str, to: &str) -> Vec<String> {
    assert!(MAIL.contains(from), "{from}");
    problems(&format!("{MINIMAL}{}", MAIL.replacen(from, to, 1)))
}

#[track_caller]
fn expect(from: &str, to: &str, expected: &str) {
    assert_eq!(found(from, to), [expected]);
}

#[test]
fn a_short_section_is_complete() {
    let (config, warnings) = read_text(&format!("{MINIMAL}{MAIL}")).unwrap();
    assert_eq!(warnings, []);
    let server = config.outbox.server.unwrap();
    assert_eq!((server.host.as_str(), server.port), ("smtp.example.org", 465));
    assert_eq!(
        (server.security, server.hello.as_str()),
        (Security::Tls, "mail.example.org")
    );
    assert_eq!(server.from.to_string(), "Postern <postern@example.org>");
    assert_eq!(config.outbox.origin.unwrap().as_str(), "https://manager.example.org");
    assert!(read_text(MINIMAL).unwrap().0.outbox.server.is_none());
}

#[test]
fn the_port_follows_the_way_to_speak() {
    let port = |more: &str| {
        let text = format!(
            "{MINIMAL}{}",
            MAIL.replacen("smtp.example.org\"", &format!("localhost\"\n{more}"), 1)
        );
        read_text(&text).unwrap().0.outbox.server.unwrap().port
    };
    assert_eq!(port("tls = \"starttls\""), 587);
    assert_eq!(port("tls = \"none\""), 25);
    assert_eq!(port("tls = \"none\"\nport = 10025"), 10025);
}

#[test]
fn what_would_travel_in_clear_is_refused() {
    expect(
        "host = \"smtp.example.org\"",
        "host = \"smtp.example.org\"\ntls = \"none\"",
        "postern.toml:16:7: mail.tls: mails have links that let people in, and would travel to smtp.example.org in clear; use \"required\" or \"starttls\"",
    );
    for host in ["localhost", "127.0.0.1", "::1", "[::1]"] {
        assert_eq!(
            found("\"smtp.example.org\"", &format!("\"{host}\"\ntls = \"none\"")),
            [""; 0]
        );
    }
    expect(
        "host = \"smtp.example.org\"",
        "host = \"localhost\"\ntls = \"none\"\nca = \"ca.pem\"",
        "postern.toml:17:6: mail.ca: without TLS ca has no effect; remove it or tls = \"none\"",
    );
}

#[test]
fn half_of_a_section_is_told_what_it_lacks() {
    expect(
        "from = \"Postern <postern@example.org>\"\n",
        "",
        "postern.toml:15:8: mail.from: it is not said who mails are from; add from = \"Postern <postern@example.org>\"",
    );
    expect(
        "host = \"smtp.example.org\"\n",
        "",
        "postern.toml:15:8: mail.from: without host no mail is sent; add host, or remove from",
    );
    expect(
        "host = \"smtp.example.org\"",
        "host = \"smtp.example.org\"\nusername = \"postern\"",
        "postern.toml:16:12: mail.password_file: to log in takes a user name and a password file; add password_file",
    );
    expect(
        "host = \"smtp.example.org\"",
        "host = \"smtp.example.org\"\npassword_file = \"mail.password\"",
        "postern.toml:16:17: mail.username: to log in takes a user name and a password file; add username",
    );
    expect(
        "origin = \"https://manager.example.org\"\n",
        "",
        "postern.toml:14:8: mail.host: mails that have a link cannot be sent without its beginning; add origin = \"https://...\" under [manager]",
    );
}

#[test]
fn what_is_no_host_sender_or_origin_is_told_so() {
    expect(
        "smtp.example.org",
        "smtp://example.org",
        "postern.toml:15:8: mail.host: `smtp://example.org` is not a host name or address; write one such as \"smtp.example.org\"",
    );
    expect(
        "Postern <postern@example.org>",
        "Postern",
        "postern.toml:16:8: mail.from: a sender is an address, or a name and an address such as \"Postern <postern@example.org>\"",
    );
    expect(
        "https://manager",
        "http://manager",
        "postern.toml:13:10: manager.origin: `http://manager.example.org` is not possible: without TLS (http://) a public origin can only be this machine: localhost, 127.0.0.1 or [::1]; write one such as \"https://manager.example.org\"",
    );
    expect(
        "host = \"smtp.example.org\"",
        "host = \"smtp.example.org\"\nhello = \"two words\"",
        "postern.toml:16:9: mail.hello: `two words` is not a name that servers take; write a host name such as \"mail.example.org\"",
    );
    assert_eq!(
        found(
            "host = \"smtp.example.org\"",
            "host = \"smtp.example.org\"\nhello = \"[192.0.2.1]\""
        ),
        [""; 0]
    );
}
