//! `doctor`, against a mail store that refuses what it must, and one that lets everybody in.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::installation::{CONFIG, Installation};

const RIGHT: &str = "\0anna@example.org*postern\0upstream secret";

/// A mail store that judges SASL PLAIN messages, on as many connections as there come.
fn mail_store(accepts: fn(&str) -> bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // The client may leave at any time.
            let _ = converse(stream.unwrap(), accepts);
        }
    });
    address
}

fn converse(mut stream: TcpStream, accepts: fn(&str) -> bool) -> std::io::Result<()> {
    stream.write_all(b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN ID] ready\r\n")?;
    let lines = BufReader::new(stream.try_clone()?).lines();
    for line in lines {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let tag = words[0];
        let answer = match words.get(1).map(|verb| verb.to_uppercase()).as_deref() {
            Some("AUTHENTICATE") => {
                let message = String::from_utf8(STANDARD.decode(words[3]).unwrap()).unwrap();
                if accepts(&message) {
                    format!("{tag} OK [CAPABILITY IMAP4rev1 IDLE] in\r\n")
                } else {
                    format!("{tag} NO [AUTHENTICATIONFAILED] no\r\n")
                }
            }
            Some("CAPABILITY") => format!("* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN ID\r\n{tag} OK done\r\n"),
            Some("ID") => format!("* ID NIL\r\n{tag} OK done\r\n"),
            Some("LOGOUT") => return stream.write_all(format!("* BYE\r\n{tag} OK done\r\n").as_bytes()),
            _ => format!("{tag} BAD what\r\n"),
        };
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}

fn installation(address: &str) -> Installation {
    let it = Installation::furnished();
    let imap = "[route.imap]\naddress = \"127.0.0.1:10143\"\nsecurity = \"cleartext\"\nlogin = \"stored\"\n";
    let master = format!(
        "[route.imap]\naddress = \"{address}\"\nsecurity = \"cleartext\"\nlogin = \"master-user\"\nuser = \"postern\"\npassword_file = \"upstream\"\n"
    );
    let smtp = CONFIG.find("[route.smtp]").unwrap()..CONFIG.find("[limits]").unwrap();
    let text = CONFIG.replace(&CONFIG[smtp], "").replace(imap, &master);
    let text = text.replace("[[listener]]\naddress = \"127.0.0.1:0\"\nprotocol = \"smtp\"\n", "");
    it.write("postern.toml", text);
    it.write("upstream", "upstream secret\n");
    it.chmod("upstream", 0o600);
    it
}

#[test]
fn a_route_in_order_is_proved_with_a_mailbox() {
    let address = mail_store(|message| message == RIGHT);
    let it = installation(&address);
    it.device("anna@example.org", "Phone");
    let said = it.ok(&["doctor", "anna@example.org"]).replace(&address, "[mail store]");
    let timed = said
        .lines()
        .map(|line| line.split_once(" after ").map_or(line, |(head, _)| head));
    let said = timed.collect::<Vec<_>>().join("\n") + "\n";
    insta::assert_snapshot!("doctor", it.redacted(&said));
    assert_eq!(it.json(&["doctor"])["errors"], 0);
}

#[test]
fn a_mail_store_that_lets_everybody_in_is_an_error() {
    let it = installation(&mail_store(|_| true));
    let ran = it.run(&["doctor", "anna@example.org"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout
            .contains("ERROR    route default imap wrong password: the store accepts any password"),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains("upstream secret") && !ran.stderr.contains("upstream secret"));
}

#[test]
fn a_mail_store_that_refuses_us_or_is_not_there_is_an_error() {
    let it = installation(&mail_store(|_| false));
    let ran = it.run(&["doctor", "anna@example.org"]);
    assert!(
        ran.code == 1 && ran.stdout.contains("ERROR    route default imap login: "),
        "{ran:?}"
    );

    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let ran = installation(&gone).run(&["doctor"]);
    assert!(
        ran.code == 1 && ran.stdout.contains("ERROR    route default imap connection: "),
        "{ran:?}"
    );
}

#[test]
fn each_protocol_is_tried_at_the_route_that_logins_use() {
    let address = mail_store(|message| message == RIGHT);
    let it = installation(&address);
    it.device("anna@example.org", "Phone");
    let text = std::fs::read_to_string(it.path("postern.toml")).unwrap();
    let elsewhere = mail_store(|_| true);
    let own = |domain: &str| {
        format!(
            "[[route]]\nname = \"own\"\ndomains = [\"{domain}\"]\n[route.smtp]\naddress = \"{elsewhere}\"\nsecurity = \"cleartext\"\nlogin = \"trusted-network\"\n"
        )
    };
    // A route of the domain's own that has no IMAP leaves that to the default.
    it.write("postern.toml", format!("{text}{}", own("example.org")));
    let ran = it.run(&["doctor", "anna@example.org"]);
    for route in ["route default imap login", "route own smtp"] {
        assert!(ran.stdout.contains(route), "{route}: {ran:?}");
    }
    // A listener whose protocol nobody serves for the domain is an error.
    let listener = "[[listener]]\naddress = \"127.0.0.1:0\"\nprotocol = \"smtp\"\n";
    it.write("postern.toml", format!("{text}{listener}{}", own("example.net")));
    let ran = it.run(&["doctor", "anna@example.org"]);
    assert!(ran.stdout.contains("no route serves smtp for example.org"), "{ran:?}");
    assert!(!ran.stdout.contains("route own"), "{ran:?}");
}

#[test]
fn an_address_that_cannot_log_in_is_explained() {
    let it = installation(&mail_store(|_| true));
    for (address, said) in [
        ("hello@example.org", "is an alias of anna@example.org"),
        ("nobody@example.org", "neither a mailbox nor an alias"),
        ("anna@exampel.org", "did you mean example.org?"),
    ] {
        let ran = it.run(&["doctor", address]);
        assert!(ran.code == 1 && ran.stdout.contains(said), "{ran:?}");
    }
    it.ok(&["mailbox", "suspend", "anna@example.org"]);
    assert!(it.run(&["doctor", "anna@example.org"]).stdout.contains("suspended"));
}
