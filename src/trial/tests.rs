//! The whole way against a server of the test's own, and the message.

use super::*;

const AT: Timestamp = Timestamp(1_795_000_000_000);

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

#[test]
fn the_message_is_ascii_and_says_what_it_is() {
    let message = Message {
        subject: "Postern : l’appareil « Imprimante de l’entrée » peut envoyer du courrier".to_owned(),
        text: ".Ça marche.\nÀ bientôt".to_owned(),
    };
    let (from, to) = (address("contact@acme.test"), address("sophie@private.test"));
    let password = Secret::new(String::new());
    let errand = Errand {
        from: &from,
        password: &password,
        to: &to,
        unique: 7,
        message: &message,
        at: AT,
    };
    let written = letter::written(&errand);
    assert!(written.is_ascii() && written.ends_with("\r\n.\r\n"), "{written}");
    assert!(
        written.contains("Date: Wed, 18 Nov 2026 11:06:40 +0000\r\n"),
        "{written}"
    );
    for line in written.trim_end_matches(".\r\n").split("\r\n") {
        assert!(
            line.len() <= 78 && !line.starts_with('.') && !line.contains('\n'),
            "{line}"
        );
    }
    let (head, body) = written.split_once("\r\n\r\n").unwrap();
    for field in [
        "From: <contact@acme.test>",
        "To: <sophie@private.test>",
        "Auto-Submitted: auto-generated",
    ] {
        assert!(head.contains(field), "{head}");
    }
    use base64::Engine as _;
    let body: String = body.trim_end_matches(".\r\n").split_whitespace().collect();
    let text = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), ".Ça marche.\r\nÀ bientôt");
}

#[test]
fn a_password_that_is_repeated_is_not_shown() {
    let words = "535 who is anna with kqzm-xwdp-hpdt-vnrc".to_owned();
    assert_eq!(without(words, "kqzm-xwdp-hpdt-vnrc"), "535 who is anna with [password]");
    let long = format!("{}kqzm-xwdp-hpdt-vnrc", "x".repeat(SHOWN_MAX - 4));
    assert!(!without(long, "kqzm-xwdp-hpdt-vnrc").contains("kqzm"), "cut first");
}

#[tokio::test]
async fn a_reply_without_end_is_not_read_to_its_end() {
    use tokio::io::AsyncWriteExt as _;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let mut wire = Wire::new(Stream::Tcp(client));
    let endless = async move {
        // It breaks off where nobody listens any more.
        let _ = server.write_all(&b"250-more\r\n".repeat(20_000)).await;
    };
    let read = async move { wire.expect(250).await.map_err(|fault| fault.words) };
    let (read, ()) = tokio::join!(read, endless);
    assert_ne!(read.unwrap_err(), "the connection was closed", "it was read to its end");
}

#[tokio::test]
async fn nobody_listens() {
    let ca = crate::tls::testing::Ca::new();
    let certificates = crate::tls::Certificates::load(&crate::tls::Config {
        certificates: vec![ca.issue("own", &["mail.example.org"]).files],
        min_version: crate::tls::Version::Tls12,
    });
    let certificates = certificates.unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let way = Way {
        address: listener.local_addr().unwrap(),
        host: "mail.example.org".to_owned(),
        implicit_tls: true,
        connector: OwnConnector::new(certificates).unwrap(),
    };
    drop(listener);
    let message = Message {
        subject: String::new(),
        text: String::new(),
    };
    let (anna, password) = (address("anna@example.org"), Secret::new("x".to_owned()));
    let errand = Errand {
        from: &anna,
        password: &password,
        to: &anna,
        unique: 7,
        message: &message,
        at: AT,
    };
    let report = run(&way, &errand, drop).await;
    assert_eq!(report.done, []);
    assert_eq!(report.failed.map(|failed| failed.stage), Some(Stage::Connection));
}
