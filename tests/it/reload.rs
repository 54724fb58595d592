//! What a reload changes under live sessions, by signal and by command, and that a broken one changes nothing.

use std::fs;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;

use crate::kit::certificates::SERVER_NAME;
use crate::kit::message::Message;
use crate::kit::ports;
use crate::kit::postern::Login;
use crate::kit::wire::Wire;
use crate::site::{ANNA, QUICK, Site};

/// The certificate that a new connection sees. No ticket is kept, so the handshake is a full one.
fn shown(site: &Site) -> anyhow::Result<Option<CertificateDer<'static>>> {
    let mut client = ClientConfig::clone(&site.certificates.client);
    client.resumption = rustls::client::Resumption::disabled();
    let wire = Wire::connect(site.postern.port("imaps")?)?.into_tls_as(&Arc::new(client), SERVER_NAME)?;
    Ok(wire.tls()?.peer_certificates().and_then(<[_]>::first).cloned())
}

fn reloads(site: &Site) -> usize {
    site.postern.log().matches("\"message\":\"reloaded\"").count()
}

#[test]
fn a_new_certificate_is_shown_to_new_connections_while_a_session_idles_on() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    let mut live = site.imap_as(&phone)?;
    live.command("SELECT INBOX")?.ok()?;
    let idling = live.idle()?;
    let old = shown(&site)?;

    // Renewed in place, as certbot does.
    let renewed = site.certificates.issue("server", &[SERVER_NAME])?;
    assert_eq!(shown(&site)?, old);
    site.postern.signal("HUP")?;
    site.postern.wait_for_log(&["\"reloaded\""])?;
    assert_eq!(shown(&site)?, Some(renewed.der.clone()));

    fs::write(&renewed.certificate, "no certificate")?;
    let told = site.postern.cli(&["reload"])?;
    assert!(told.code != 0 && told.stderr.contains("server.pem"), "{told:?}");
    site.postern
        .wait_for_log(&["not reloaded: the old settings stay", "server.pem"])?;
    let before = site.postern.log().matches("not reloaded").count();
    site.postern.signal("HUP")?;
    crate::kit::wait::until("the second refusal is logged", || {
        Ok((site.postern.log().matches("not reloaded").count() > before).then_some(()))
    })?;
    assert_eq!(shown(&site)?, Some(renewed.der));

    let again = site.certificates.issue("server", &[SERVER_NAME])?;
    let said = site.postern.cli(&["reload"])?.ok()?;
    assert!(said.starts_with("reloaded\n"), "{said}");
    assert_eq!(shown(&site)?, Some(again.der));

    let message = Message::new(ANNA, ANNA, 5)?;
    site.smtp_as(&phone)?.deliver(&message)?.expect(250)?;
    live.until(|line| line.ends_with("EXISTS"))?;
    live.done(&idling)?.ok()?;
    message.check(&live.newest()?)
}

#[test]
fn routes_and_the_log_level_are_taken_over_and_a_live_session_goes_on() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    let mut live = site.imap_as(&phone)?;
    let original = fs::read_to_string(site.postern.config())?;
    let refused = |site: &Site| -> anyhow::Result<()> {
        let status = site.imap()?.login(ANNA, "a wrong password")?.status;
        assert!(status.starts_with("NO [AUTHENTICATIONFAILED]"), "{status}");
        Ok(())
    };

    // The IMAP server is elsewhere, where nobody answers; and only errors are logged.
    let nobody = ports::free()?;
    let (store, quiet) = (
        format!("[route.imap]\naddress = \"127.0.0.1:{}\"", site.dovecot.imap),
        original.replace("level = \"info,postern=debug\"", "level = \"error\""),
    );
    assert!(original.contains(&store) && quiet != original);
    let moved = format!("[route.imap]\naddress = \"127.0.0.1:{nobody}\"");
    site.edit_config(|_| quiet.replace(&store, &moved))?;
    site.postern.cli(&["reload"])?.ok()?;
    let reloaded = reloads(&site);
    let silent_from = site.postern.log().len();
    let mut imap = site.imap()?;
    // Said in the greeting already, where it is known by then.
    if !imap.greeting.starts_with("* BYE [UNAVAILABLE]") {
        let status = imap.login(ANNA, &phone.password)?.status;
        assert!(status.starts_with("NO [UNAVAILABLE]"), "{status}");
    }
    live.command("NOOP")?.ok()?;
    site.edit_config(|_| quiet.clone())?;
    site.postern.cli(&["reload"])?.ok()?;
    drop(site.imap_as(&phone)?);
    refused(&site)?;
    assert_eq!(site.postern.log().get(silent_from..), Some(""));

    site.edit_config(|_| original.clone())?;
    site.postern.cli(&["reload"])?.ok()?;
    refused(&site)?;
    site.postern.wait_for_log(&["login refused"])?;
    assert_eq!(reloads(&site), reloaded + 1);
    live.command("NOOP")?.ok()?;

    // What only a restart can change is named, to whoever asked and in the log.
    site.edit_config(|text| text.replace("base_delay = \"100ms\"", "base_delay = \"50ms\""))?;
    let said = site.postern.cli(&["reload"])?.ok()?;
    let note = "[throttle] changed: restart to apply it";
    assert!(said.lines().any(|line| line == note), "{said}");
    site.postern.wait_for_log(&["\"reloaded\"", note])?;
    site.edit_config(|_| original.clone())?;

    // A mistake anywhere changes nothing, not even what is right.
    site.edit_config(|text| text.replace(&store, &moved) + "\n[sessions]\nno_such_key = 1\n")?;
    assert!(site.postern.cli(&["reload"])?.code != 0);
    drop(site.imap_as(&phone)?);
    Ok(())
}

#[test]
fn what_the_manager_is_waits_for_a_restart_and_is_named() -> anyhow::Result<()> {
    let manager = "[manager]\naddress = \"127.0.0.1:0\"\norigin = \"https://mail.example.test\"\n";
    let site = Site::start_with(&format!("{QUICK}\n{manager}"), (Login::MasterUser, Login::Xclient))?;
    let original = fs::read_to_string(site.postern.config())?;
    let said = |text: &str| -> anyhow::Result<String> {
        site.edit_config(|_| text.to_owned())?;
        site.postern.cli(&["reload"])?.ok()
    };
    let note = "[manager] changed: restart to apply it";
    assert!(!said(&original)?.contains("restart"));
    for (old, new) in [
        (
            "origin = \"https://mail.example.test\"",
            "origin = \"https://other.example.test\"",
        ),
        ("[manager]\n", "[manager]\nconnections = 7\n"),
        (manager, ""),
    ] {
        let changed = original.replace(old, new);
        assert_ne!(changed, original);
        let said = said(&changed)?;
        assert!(said.lines().any(|line| line == note), "{new}: {said}");
    }
    site.postern.wait_for_log(&["\"reloaded\"", note])?;
    // It is there all the while, as it was.
    let client = &site.certificates.client;
    let mut wire = Wire::connect(site.postern.port("manager")?)?.into_tls_as(client, SERVER_NAME)?;
    wire.send(b"GET /sign-in HTTP/1.1\r\nHost: mail.example.test\r\nConnection: close\r\n\r\n")?;
    let answer = String::from_utf8_lossy(&wire.rest()?).into_owned();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(())
}
