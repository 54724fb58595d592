//! The connection is secured as it was asked for, or nothing is said on it.

use std::path::PathBuf;

use super::server::{Answer, MailServer, say};
use super::*;
use crate::tls::testing::{Ca, Issued};

const NAMES: &[&str] = &["127.0.0.1", "localhost"];

fn secured(port: u16, security: Security, ca: PathBuf) -> Server {
    with_user(Server {
        host: "localhost".to_owned(),
        security,
        ca: Some(ca),
        ..clear_server(port)
    })
}

/// Tries one invitation: state and last error.
async fn came_to(server: Server) -> (&'static str, String) {
    let bench = Bench::with(server);
    let id = bench.invite().await;
    assert!(bench.turn().await);
    bench.came_to(id).await
}

fn issued() -> (Ca, Issued) {
    let ca = Ca::new();
    let issued = ca.issue("mail", NAMES);
    (ca, issued)
}

#[tokio::test]
async fn tls_from_the_first_octet_takes_password_and_mail() {
    let (ca, issued) = issued();
    let server = MailServer::start_secured(&issued).await;
    let outcome = came_to(secured(server.port, Security::Tls, ca.file())).await;
    assert_eq!(outcome, ("sent", String::new()));
    assert_eq!(server.messages().len(), 1);
    assert!(server.lines().iter().any(|line| line.starts_with("AUTH PLAIN ")));
}

#[tokio::test]
async fn starttls_takes_password_and_mail_and_nothing_before_it() {
    let (ca, issued) = issued();
    let server = MailServer::start(Some(&issued), |_, _| Answer::Usual).await;
    let outcome = came_to(secured(server.port, Security::StartTls, ca.file())).await;
    assert_eq!(outcome, ("sent", String::new()));
    let lines = server.lines();
    assert_eq!(lines[..3], ["EHLO mail.acme.test", "STARTTLS", "EHLO mail.acme.test"]);
    assert!(lines[3].starts_with("AUTH PLAIN "), "{lines:?}");
}

#[tokio::test]
async fn a_certificate_that_nobody_trusted_signed_stops_everything() {
    let (_, issued) = issued();
    let other = Ca::new();
    for security in [Security::Tls, Security::StartTls] {
        let server = match security {
            Security::Tls => MailServer::start_secured(&issued).await,
            _ => MailServer::start(Some(&issued), |_, _| Answer::Usual).await,
        };
        let (state, error) = came_to(secured(server.port, security, other.file())).await;
        assert_eq!(state, "queued", "an operator can mend it");
        assert!(error.starts_with("TLS with localhost failed: "), "{error}");
        assert!(error.ends_with("name its authority as ca under [mail]"), "{error}");
        assert!(!server.lines().iter().any(|line| line.starts_with("AUTH")));
        assert_eq!(server.messages().len(), 0);
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_stops_everything() {
    let ca = Ca::new();
    let server = MailServer::start_secured(&ca.issue("other", &["mail.other.test"])).await;
    let (state, error) = came_to(secured(server.port, Security::Tls, ca.file())).await;
    assert_eq!(state, "queued");
    assert!(error.contains("its certificate is for other names"), "{error}");
    assert_eq!(server.messages().len(), 0);
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing() {
    let (ca, _) = issued();
    let server = MailServer::usual().await;
    let (state, error) = came_to(secured(server.port, Security::StartTls, ca.file())).await;
    assert_eq!(state, "queued");
    assert!(error.contains("does not offer STARTTLS"), "{error}");
    assert_eq!(server.lines(), ["EHLO mail.acme.test"]);
}

/// CVE-2021-38371: the answers behind the 220 would be believed to have come encrypted.
#[tokio::test]
async fn answers_in_clear_behind_that_to_starttls_are_an_attack() {
    let (ca, issued) = issued();
    let server = MailServer::start(Some(&issued), |_, line| match line {
        "STARTTLS" => say("220 2.0.0 Ready\r\n250-fake.test\r\n250 AUTH PLAIN\r\n250 2.0.0 Ok\r\n"),
        _ => Answer::Usual,
    })
    .await;
    let (state, error) = came_to(secured(server.port, Security::StartTls, ca.file())).await;
    assert_eq!(state, "queued");
    assert!(error.contains("broke the protocol after STARTTLS"), "{error}");
    assert_eq!(server.messages().len(), 0);
}

#[tokio::test]
async fn a_port_that_speaks_in_clear_is_told_from_one_that_speaks_tls() {
    let (ca, _) = issued();
    let server = MailServer::usual().await;
    let (_, error) = came_to(secured(server.port, Security::Tls, ca.file())).await;
    assert!(error.contains("the port does not answer in TLS"), "{error}");
}

#[test]
fn an_authority_that_cannot_be_read_is_told_at_once() {
    let server = secured(465, Security::Tls, "/nowhere/ca.pem".into());
    let error = Outbox::check(&config(Some(server))).unwrap_err();
    assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
}
