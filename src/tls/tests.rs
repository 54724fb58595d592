//! Real handshakes over loopback with throw-away certificates.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, date_time_ymd};
use rustls::{ClientConfig, HandshakeKind, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::clock::{Clock, Timestamp};
use crate::peer::TlsFacts;

use super::development::development_ca;
use super::testing::{AnyName, Ca, Issued, credulous_client};
use super::*;

const ANY: [SignatureScheme; 3] = [
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PKCS1_SHA256,
];

fn load(all: &[&Issued], min_version: Version) -> Arc<Certificates> {
    let certificates = all.iter().map(|issued| issued.files.clone()).collect();
    Certificates::load(&Config {
        certificates,
        min_version,
    })
    .unwrap()
}

fn acceptor(all: &[&Issued]) -> Acceptor {
    Acceptor::new(load(all, Version::Tls12), b"imap").unwrap()
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

type Accepted = std::io::Result<(Stream, TlsFacts)>;

/// One handshake; `name` is the server name, an address for none.
async fn handshake(
    acceptor: &Acceptor,
    client: &Arc<ClientConfig>,
    name: &str,
) -> (Accepted, std::io::Result<TlsStream<TcpStream>>) {
    let (client_end, server_end) = pair().await;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connector = TlsConnector::from(Arc::clone(client));
    tokio::join!(acceptor.accept(server_end), connector.connect(name, client_end))
}

/// A handshake, and then a line from the server: whoever has read it has also taken the session ticket.
async fn talk(acceptor: &Acceptor, client: &Arc<ClientConfig>, name: &str) -> (TlsFacts, TlsStream<TcpStream>) {
    let (server, client) = handshake(acceptor, client, name).await;
    let ((mut server, facts), mut client) = (server.unwrap(), client.unwrap());
    server.write_all(b"* OK\r\n").await.unwrap();
    let mut line = [0; 6];
    client.read_exact(&mut line).await.unwrap();
    assert_eq!(&line, b"* OK\r\n");
    (facts, client)
}

fn presented(client: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    client.get_ref().1.peer_certificates().unwrap()[0].clone()
}

#[tokio::test]
async fn the_server_name_chooses_the_certificate_exactly_or_by_one_wildcard_label() {
    let ca = Ca::new();
    let (first, exact) = (
        ca.issue("a", &["mail.example.org"]),
        ca.issue("b", &["imap.example.net"]),
    );
    let wildcard = ca.issue("c", &["*.example.net"]);
    let acceptor = acceptor(&[&first, &wildcard, &exact]);
    let client = Arc::new(credulous_client(&ANY));
    for (name, expect) in [
        ("mail.example.org", &first),
        ("MAIL.Example.ORG", &first),
        ("imap.example.net", &exact),
        ("smtp.example.net", &wildcard),
        ("deep.smtp.example.net", &first),
        ("example.net", &first),
        ("elsewhere.example", &first),
        ("127.0.0.1", &first),
    ] {
        let (_, client) = handshake(&acceptor, &client, name).await;
        assert_eq!(presented(&client.unwrap()), expect.der, "{name}");
    }
}

#[tokio::test]
async fn a_client_that_knows_only_rsa_gets_the_rsa_certificate_even_without_a_name() {
    let ca = Ca::new();
    let ecdsa = ca.issue("ecdsa", &["mail.example.org"]);
    let rsa = ca.issue_with("rsa", &["mail.example.org"], &PKCS_RSA_SHA256, |_| {});
    let printer = Arc::new(credulous_client(&[
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RSA_PSS_SHA256,
    ]));
    let phone = Arc::new(credulous_client(&ANY));
    for order in [[&ecdsa, &rsa], [&rsa, &ecdsa]] {
        let acceptor = acceptor(&order);
        for name in ["mail.example.org", "127.0.0.1"] {
            assert_eq!(
                presented(&handshake(&acceptor, &printer, name).await.1.unwrap()),
                rsa.der
            );
            assert_eq!(
                presented(&handshake(&acceptor, &phone, name).await.1.unwrap()),
                ecdsa.der
            );
        }
    }
}

#[tokio::test]
async fn our_protocol_is_chosen_where_listed_and_none_otherwise() {
    let ca = Ca::new();
    let acceptor = acceptor(&[&ca.issue("a", &["mail.example.org"])]);
    type Offered = &'static [&'static [u8]];
    let lists: [(Offered, Option<&[u8]>); 4] = [
        (&[b"imap"], Some(b"imap")),
        (&[b"http/1.1", b"imap"], Some(b"imap")),
        (&[b"h2", b"http/1.1"], None),
        (&[], None),
    ];
    for (offered, expect) in lists {
        let mut client = ca.client();
        client.alpn_protocols = offered.iter().map(|protocol| protocol.to_vec()).collect();
        let (facts, client) = talk(&acceptor, &Arc::new(client), "mail.example.org").await;
        assert_eq!(client.get_ref().1.alpn_protocol(), expect, "{offered:?}");
        assert_eq!(facts.version, "TLSv1.3");
        assert!(facts.cipher.starts_with("TLS_") && facts.server_name.as_deref() == Some("mail.example.org"));
    }
}

#[tokio::test]
async fn a_ticket_resumes_on_its_own_listener_and_name_only_and_carries_no_early_data() {
    let ca = Ca::new();
    let certificates = load(&[&ca.issue("a", &["*.example.org"])], Version::Tls12);
    let imap = Acceptor::new(Arc::clone(&certificates), b"imap").unwrap();
    let other = Acceptor::new(certificates, b"imap").unwrap();
    for versions in [[&version::TLS13], [&version::TLS12]] {
        let mut client = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&versions)
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(credulous_verifier())
            .with_no_client_auth();
        client.enable_early_data = true;
        client.resumption = rustls::client::Resumption::store(AnyName::new());
        let client = Arc::new(client);
        let kind = |stream: &TlsStream<TcpStream>| stream.get_ref().1.handshake_kind();

        let (_, first) = talk(&imap, &client, "a.example.org").await;
        assert_ne!(kind(&first), Some(HandshakeKind::Resumed));
        let (_, second) = talk(&imap, &client, "a.example.org").await;
        assert_eq!(kind(&second), Some(HandshakeKind::Resumed));
        assert!(!second.get_ref().1.is_early_data_accepted());
        // The client still holds a ticket of the first listener and presents it to the second one.
        let (_, third) = talk(&other, &client, "a.example.org").await;
        assert_ne!(kind(&third), Some(HandshakeKind::Resumed));
        // Now one of the second listener, and then one for another name.
        let (_, fourth) = talk(&imap, &client, "a.example.org").await;
        assert_ne!(kind(&fourth), Some(HandshakeKind::Resumed));
        let (_, fifth) = talk(&imap, &client, "b.example.org").await;
        assert_ne!(kind(&fifth), Some(HandshakeKind::Resumed));
        let (_, sixth) = talk(&imap, &client, "b.example.org").await;
        assert_eq!(kind(&sixth), Some(HandshakeKind::Resumed));
    }
}

fn credulous_verifier() -> Arc<dyn rustls::client::danger::ServerCertVerifier> {
    testing::credulous_verifier(&ANY)
}

#[tokio::test]
async fn a_session_survives_a_reload_and_the_next_one_gets_the_new_certificate() {
    let ca = Ca::new();
    let old = ca.issue("a", &["mail.example.org"]);
    let certificates = load(&[&old], Version::Tls12);
    let acceptor = Acceptor::new(Arc::clone(&certificates), b"imap").unwrap();
    let client = Arc::new(ca.client());
    let (server, live) = handshake(&acceptor, &client, "mail.example.org").await;
    let ((mut server, _), mut live) = (server.unwrap(), live.unwrap());

    let new = ca.issue("a", &["mail.example.org", "imap.example.org"]);
    certificates.take(Certificates::read(std::slice::from_ref(&new.files)).unwrap());
    let fresh = Arc::new(ca.client());
    assert_eq!(
        presented(&handshake(&acceptor, &fresh, "imap.example.org").await.1.unwrap()),
        new.der
    );
    assert_eq!(
        certificates.describe()[0].names,
        ["mail.example.org", "imap.example.org"]
    );

    server.write_all(b"still here").await.unwrap();
    let mut octets = [0; 10];
    live.read_exact(&mut octets).await.unwrap();
    assert_eq!((&octets, presented(&live)), (b"still here", old.der));
}

#[tokio::test]
async fn a_failed_reload_keeps_the_old_certificates_and_names_the_file() {
    let ca = Ca::new();
    let good = ca.issue("a", &["mail.example.org"]);
    let certificates = load(&[&good], Version::Tls12);
    let other = ca.issue("b", &["mail.example.org"]);
    let check = |expect: &str| {
        let error = Certificates::read(std::slice::from_ref(&good.files))
            .map(drop)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expect), "{error}");
        assert_eq!(certificates.describe()[0].names, ["mail.example.org"]);
    };
    let key = std::fs::read(&good.files.key).unwrap();
    std::fs::copy(&other.files.key, &good.files.key).unwrap();
    check("a.key is not the key of the certificate in");
    std::fs::write(
        &good.files.key,
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    )
    .unwrap();
    check("a.key holds no usable private key: expected an unencrypted PEM key");
    std::fs::write(&good.files.key, key).unwrap();
    std::fs::write(&good.files.certificate, "").unwrap();
    check("a.pem holds no usable certificate");
    std::fs::remove_file(&good.files.certificate).unwrap();
    check("a.pem: No such file or directory");
    let acceptor = Acceptor::new(Arc::clone(&certificates), b"imap").unwrap();
    let client = Arc::new(ca.client());
    assert_eq!(
        presented(&handshake(&acceptor, &client, "mail.example.org").await.1.unwrap()),
        good.der
    );
}

#[test]
fn certificates_that_end_are_told_but_accepted() {
    let ca = Ca::new();
    let end = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
    let ended = ca.issue_with("old", &["mail.example.org"], &PKCS_ECDSA_P256_SHA256, end);
    let certificates = load(&[&ca.issue("new", &["mail.example.org"]), &ended], Version::Tls12);
    let told = certificates.describe();
    let last = told.last().unwrap();
    assert_eq!(
        (&last.path, last.not_after),
        (&ended.files.certificate, Timestamp(1_577_836_800_000))
    );
    assert!(matches!(
        Certificates::load(&Config {
            certificates: vec![],
            min_version: Version::Tls12
        }),
        Err(Error::NoCertificate)
    ));
}

#[tokio::test]
async fn tls_1_1_is_refused_and_1_2_too_where_1_3_is_asked_for() {
    let ca = Ca::new();
    let issued = ca.issue("a", &["mail.example.org"]);
    let (mut client, server) = pair().await;
    // A ClientHello of TLS 1.1 with TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA and TLS_RSA_WITH_AES_128_CBC_SHA.
    let hello = [&[0x03, 0x02][..], &[7; 32], &[0, 0, 4, 0xc0, 0x13, 0x00, 0x2f, 1, 0]].concat();
    let length = u8::try_from(hello.len()).unwrap();
    client
        .write_all(&[&[0x16, 0x03, 0x01, 0, length + 4, 1, 0, 0, length][..], &hello].concat())
        .await
        .unwrap();
    assert!(acceptor(&[&issued]).accept(server).await.is_err());
    let mut alert = Vec::new();
    let _ = client.read_to_end(&mut alert).await;
    assert_eq!(alert.first(), Some(&0x15), "{alert:?}");

    let strict = Acceptor::new(load(&[&issued], Version::Tls13), b"imap").unwrap();
    let old = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS12])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(credulous_verifier())
        .with_no_client_auth();
    let (server, client) = handshake(&strict, &Arc::new(old), "mail.example.org").await;
    assert!(server.is_err() && client.is_err());
}

#[tokio::test]
async fn an_orderly_end_is_told_from_a_cut() {
    let ca = Ca::new();
    let acceptor = acceptor(&[&ca.issue("a", &["mail.example.org"])]);
    let client = Arc::new(ca.client());
    let (server, peer) = handshake(&acceptor, &client, "mail.example.org").await;
    let ((mut server, _), mut peer) = (server.unwrap(), peer.unwrap());
    server.shutdown().await.unwrap();
    assert_eq!(peer.read(&mut [0; 8]).await.unwrap(), 0);

    let (server, peer) = handshake(&acceptor, &client, "mail.example.org").await;
    let ((server, _), mut peer) = (server.unwrap(), peer.unwrap());
    drop(server);
    assert_eq!(
        peer.read(&mut [0; 8]).await.unwrap_err().kind(),
        std::io::ErrorKind::UnexpectedEof
    );
}

/// Connects to a server with this certificate; gives the connector's answer and what the server read.
async fn connect(config: &ConnectorConfig, server: &Issued, name: &str) -> (std::io::Result<Stream>, Vec<u8>) {
    let (client_end, server_end) = pair().await;
    let connector = Connector::new(config).unwrap();
    let server = tokio_rustls::TlsAcceptor::from(Arc::new(server.server()));
    let client = async {
        let mut stream = connector.connect(name, client_end).await?;
        stream.write_all(b"secret").await?;
        stream.shutdown().await?;
        Ok(stream)
    };
    let server = async {
        let mut received = Vec::new();
        if let Ok(mut stream) = server.accept(server_end).await {
            let _ = stream.read_to_end(&mut received).await;
        }
        received
    };
    tokio::join!(client, server)
}

#[tokio::test]
async fn an_upstream_certificate_has_to_be_valid_for_the_name() {
    let ca = Ca::new();
    let config = ConnectorConfig {
        ca: Some(ca.file()),
        client: None,
    };
    let ecdsa = &PKCS_ECDSA_P256_SHA256;
    let name = "store.example.org";
    let expired = ca.issue_with("expired", &[name], ecdsa, |params| {
        params.not_after = date_time_ymd(2020, 1, 1)
    });
    let not_yet = ca.issue_with("not-yet", &[name], ecdsa, |params| {
        params.not_before = date_time_ymd(3000, 1, 1)
    });
    let client_only = ca.issue_with("usage", &[name], ecdsa, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let cn_only = ca.issue_with("cn", &[], ecdsa, |params| {
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "store.example.org");
    });
    let elsewhere = Ca::new();
    for (server, why) in [
        (expired, "expired"),
        (not_yet, "not yet valid"),
        (client_only, "not for servers"),
        (cn_only, "common name only"),
        (ca.self_signed("self", &[name]), "self-signed"),
        (ca.issue("wrong", &["other.example.org"]), "another name"),
        (ca.issue("partial", &["st*.example.org"]), "partial wildcard"),
        (ca.issue("deep", &["*.org"]), "wildcard over two labels"),
        (elsewhere.issue("stranger", &[name]), "another authority"),
    ] {
        let (client, received) = connect(&config, &server, name).await;
        assert!(client.is_err(), "{why}");
        assert!(received.is_empty(), "{why}");
    }
    for names in [[name], ["*.example.org"]] {
        let (client, received) = connect(&config, &ca.issue("good", &names), name).await;
        assert!(client.is_ok() && received == b"secret", "{names:?}");
    }
    let (client, _) = connect(&config, &ca.issue("address", &["192.0.2.1"]), "192.0.2.1").await;
    assert_eq!(client.unwrap().tls_facts().unwrap().version, "TLSv1.3");
    assert!(Connector::check_name("store example").is_err() && Connector::check_name("2001:db8::1").is_ok());
}

#[tokio::test]
async fn development_certificates_are_made_once_trusted_and_renewed() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("tls");
    let clock = Clock::manual(Clock::system().utc());
    let names = ["mail.example.org".to_owned(), "127.0.0.1".to_owned()];
    let read = |files: &CertificateConfig| {
        (
            std::fs::read(development_ca(&dir)).unwrap(),
            std::fs::read(&files.certificate).unwrap(),
        )
    };

    let files = ensure_development_certificates(&dir, &names, &clock).unwrap();
    let (ca, leaf) = read(&files);
    for key in [&files.key, &dir.join("ca.key")] {
        assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let certificates = Certificates::load(&Config {
        certificates: vec![files.clone()],
        min_version: Version::Tls12,
    })
    .unwrap();
    assert_eq!(certificates.describe()[0].names, names);
    let connector = Connector::new(&ConnectorConfig {
        ca: Some(development_ca(&dir)),
        client: None,
    })
    .unwrap();
    let acceptor = Acceptor::new(certificates, b"imap").unwrap();
    for name in &names {
        let (client_end, server_end) = pair().await;
        let (server, client) = tokio::join!(acceptor.accept(server_end), connector.connect(name, client_end));
        assert!(server.is_ok() && client.is_ok(), "{name}");
    }

    ensure_development_certificates(&dir, &names, &clock).unwrap();
    assert_eq!(read(&files), (ca.clone(), leaf.clone()));
    clock.advance(Duration::from_secs(370 * 24 * 60 * 60));
    ensure_development_certificates(&dir, &names, &clock).unwrap();
    let renewed = read(&files);
    assert!(renewed.0 == ca && renewed.1 != leaf);
    ensure_development_certificates(&dir, &names[..1], &clock).unwrap();
    assert!(read(&files).0 == ca && read(&files).1 != renewed.1);
    std::fs::remove_file(dir.join("ca.key")).unwrap();
    ensure_development_certificates(&dir, &names[..1], &clock).unwrap();
    assert_ne!(read(&files).0, ca);
}
