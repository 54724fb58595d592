//! TLS of the real daemon: which certificate, which protocol, which version, what a ticket is worth, and IPv6.

use std::fs;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion};

use crate::kit::certificates::{Certificates, SERVER_NAME};
use crate::kit::imap::Imap;
use crate::kit::message::Message;
use crate::kit::smtp::Smtp;
use crate::kit::wire::Wire;
use crate::site::{ANNA, Site};

/// A TLS record with an alert in it (RFC 8446 §5.1).
const ALERT: u8 = 21;

/// A connection with TLS to a listener, by a client and for a server name of the test's.
fn connect(site: &Site, listener: &str, client: &Arc<ClientConfig>, name: &str) -> anyhow::Result<Wire> {
    Wire::connect(site.postern.port(listener)?)?.into_tls_as(client, name)
}

fn client(authority: &str, versions: &[&'static SupportedProtocolVersion]) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn test_client(
    certificates: &Certificates,
    versions: &[&'static SupportedProtocolVersion],
) -> anyhow::Result<ClientConfig> {
    client(&certificates.authority.to_string_lossy(), versions)
}

#[test]
fn the_name_that_a_client_asks_for_chooses_its_certificate() -> anyhow::Result<()> {
    let site = Site::start()?;
    let first = CertificateDer::from_pem_file(&site.certificates.certificate)?;
    let exact = site.certificates.issue("exact", &["imap.example.test"])?;
    let wildcard = site.certificates.issue("wildcard", &["*.example.test"])?;
    site.edit_config(|text| {
        [&wildcard, &exact].iter().fold(text, |text, issued| {
            let (chain, key) = (issued.certificate.display(), issued.key.display());
            format!("{text}\n[[tls.certificate]]\nchain = \"{chain}\"\nkey = \"{key}\"\n")
        })
    })?;
    site.postern.cli(&["reload"])?.ok()?;
    let trusting = &site.certificates.client;
    for listener in ["imaps", "submissions"] {
        for (name, expect) in [
            (SERVER_NAME, &first),
            // No name at all: node-imap, swaks, printers.
            ("127.0.0.1", &first),
            ("imap.example.test", &exact.der),
            ("IMAP.Example.Test", &exact.der),
            ("smtp.example.test", &wildcard.der),
        ] {
            let wire = connect(&site, listener, trusting, name)?;
            let shown = wire.tls()?.peer_certificates().and_then(<[_]>::first);
            assert_eq!(shown, Some(expect), "{listener} {name}");
        }
        // A client that believed it could go on; this one says what it was shown.
        let refused = connect(&site, listener, trusting, "elsewhere.test").map(drop);
        let shown = format!("{:#}", refused.expect_err("the certificate is for another name"));
        assert!(
            shown.contains("NotValidForName") || shown.contains("not valid for name"),
            "{shown}"
        );
        assert!(shown.contains(SERVER_NAME), "{shown}");
    }
    Ok(())
}

#[test]
fn mail_protocols_are_chosen_where_offered_and_a_browser_gets_nothing() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    let offering = |protocols: &[&str]| {
        let mut client = ClientConfig::clone(&site.certificates.client);
        client.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(client)
    };
    for (listener, offered, expect) in [
        ("imaps", &["imap"][..], Some("imap")),
        ("submissions", &["smtp"], Some("smtp")),
        ("imaps", &["http/1.1", "imap"], Some("imap")),
        ("imaps", &["smtp"], None),
        ("imaps", &[], None),
        ("submissions", &["h2", "http/1.1"], None),
    ] {
        let wire = connect(&site, listener, &offering(offered), SERVER_NAME)?;
        let chosen = wire.tls()?.alpn_protocol().map(String::from_utf8_lossy);
        assert_eq!(chosen.as_deref(), expect, "{listener} {offered:?}");
    }
    // Outlook behind a middle box that offers for it what browsers offer.
    let mut behind = Imap::greeted(connect(&site, "imaps", &offering(&["http/1.1"]), SERVER_NAME)?)?;
    behind.login(ANNA, &phone.password)?.ok()?;
    for listener in ["imaps", "submissions"] {
        let mut browser = connect(&site, listener, &offering(&["http/1.1"]), SERVER_NAME)?;
        let greeting = browser.line()?;
        assert!(greeting.starts_with(b"* OK ") || greeting.starts_with(b"220 "));
        browser.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        assert!(browser.rest()?.is_empty(), "{listener}");
    }
    Ok(())
}

#[test]
fn tls_1_2_is_served_and_anything_older_or_in_clear_is_not() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    for (version, expect) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let client = Arc::new(test_client(&site.certificates, &[version])?);
        for listener in ["imaps", "submissions"] {
            let wire = connect(&site, listener, &client, SERVER_NAME)?;
            assert_eq!(wire.tls()?.protocol_version(), Some(expect));
        }
        let mut imap = Imap::greeted(connect(&site, "imaps", &client, SERVER_NAME)?)?;
        imap.login(ANNA, &phone.password)?.ok()?;
    }
    for listener in ["imaps", "submissions"] {
        let mut old = Wire::connect(site.postern.port(listener)?)?;
        old.send(&hello_of_tls_1_1())?;
        let answer = old.rest()?;
        // Fatal: handshake_failure or protocol_version (RFC 8446 §6.2).
        assert!(
            matches!(answer[..], [ALERT, _, _, 0, 2, 2, 40 | 70]),
            "{listener} {answer:?}"
        );

        let mut clear = Wire::connect(site.postern.port(listener)?)?;
        clear.send(b"a NOOP\r\nQUIT\r\n")?;
        // Closed at once, with nothing readable; where octets were left unread, by a reset.
        if let Ok(answer) = clear.rest() {
            assert!(answer.is_empty() || answer[0] == ALERT, "{listener} {answer:?}");
        }
    }
    Ok(())
}

/// A ClientHello of RFC 4346 with two cipher suites of its time and the extensions that they need.
fn hello_of_tls_1_1() -> Vec<u8> {
    [
        // Record of 63 octets, message of 59, version 3.2, random, no session.
        &[22, 3, 1, 0, 63, 1, 0, 0, 59, 3, 2][..],
        &[7; 32],
        &[0],
        // ECDHE with AES-128-CBC and SHA-1; no compression.
        &[0, 4, 0xc0, 0x09, 0xc0, 0x13, 1, 0],
        // Group secp256r1, uncompressed points.
        &[0, 14, 0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0],
    ]
    .concat()
}

#[test]
fn a_session_is_resumed_on_its_own_listener_and_on_no_other() -> anyhow::Result<()> {
    let site = Site::start()?;
    for version in [&TLS12, &TLS13] {
        // One client, so one store of tickets; both listeners have the same name.
        let client = Arc::new(test_client(&site.certificates, &[version])?);
        let kind = |listener: &str| -> anyhow::Result<Option<HandshakeKind>> {
            let mut wire = connect(&site, listener, &client, SERVER_NAME)?;
            // Whoever has read the greeting has the next ticket too.
            wire.line()?;
            Ok(wire.tls()?.handshake_kind())
        };
        assert_eq!(kind("imaps")?, Some(HandshakeKind::Full));
        assert_eq!(kind("imaps")?, Some(HandshakeKind::Resumed), "{version:?}");
        assert_eq!(kind("submissions")?, Some(HandshakeKind::Full), "{version:?}");
        assert_eq!(kind("submissions")?, Some(HandshakeKind::Resumed), "{version:?}");
    }
    Ok(())
}

#[test]
fn development_mode_makes_an_authority_once_and_whoever_trusts_it_connects() -> anyhow::Result<()> {
    let mut site = Site::start()?;
    let phone = site.device("Phone")?;
    site.edit_config(|text| {
        let (before, rest) = text.split_once("[[tls.certificate]]").expect("the kit configures one");
        let (_, after) = rest.split_once("\n[admin]").expect("the kit configures it next");
        format!("{before}\n[admin]{after}").replace("development = false", "development = true")
    })?;
    let authority = site.postern.data().join("development-ca/ca.pem");
    assert!(!authority.exists());
    let mut shown = Vec::new();
    for _ in 0..2 {
        site.postern.restart()?;
        let client = Arc::new(client(&authority.to_string_lossy(), &[&TLS13])?);
        for name in ["mail.example.test", "localhost", "127.0.0.1", "::1"] {
            let wire = connect(&site, "imaps", &client, name).with_context(|| name.to_owned())?;
            shown.extend(wire.tls()?.peer_certificates().and_then(<[_]>::first).cloned());
        }
        let mut imap = Imap::greeted(connect(&site, "imaps", &client, "mail.example.test")?)?;
        imap.login(ANNA, &phone.password)?.ok()?;
    }
    shown.dedup();
    assert_eq!(shown.len(), 1, "the certificate was made anew");
    let key = fs::metadata(authority.with_file_name("ca.key"))?;
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777,
        0o600
    );
    Ok(())
}

/// Needs `::1`, which every machine with IPv6 has.
#[test]
fn listeners_on_ipv6_serve_and_both_servers_learn_the_address() -> anyhow::Result<()> {
    let mut site = Site::start()?;
    let pinned = site.postern.add_device_with(ANNA, "Pinned", &["--network", "::1"])?;
    site.edit_config(|text| {
        let listener = |name, protocol| {
            format!("\n[[listener]]\nname = \"{name}\"\naddress = \"[::1]:0\"\nprotocol = \"{protocol}\"\n")
        };
        text + &listener("imaps6", "imap") + &listener("submissions6", "smtp")
    })?;
    site.postern.restart()?;
    let connect = |listener: &str| -> anyhow::Result<Wire> {
        let address = SocketAddr::from((Ipv6Addr::LOCALHOST, site.postern.port(listener)?));
        Wire::connect_to(address)?.into_tls(&site.certificates)
    };
    let mut imap = Imap::greeted(connect("imaps6")?)?;
    imap.login(ANNA, &pinned.password)?.ok()?;
    site.dovecot.wait_for_log(&["rip=::1"])?;
    let mut smtp = Smtp::greeted(connect("submissions6")?)?;
    smtp.ehlo()?.expect(250)?;
    smtp.auth_plain(ANNA, &pinned.password)?.expect(235)?;
    let message = Message::new(ANNA, ANNA, 5)?;
    smtp.deliver(&message)?.expect(250)?;
    let delivered = site.dovecot.wait_for_message(ANNA, &message.marker)?;
    assert!(delivered.contains("[IPv6:::1]"), "{delivered}");
    // From elsewhere the pin holds.
    assert!(site.imap()?.login(ANNA, &pinned.password)?.status.starts_with("NO"));
    Ok(())
}
