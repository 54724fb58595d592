//! A revoked device is out, wherever its sessions are; no other session loses an octet.

use std::sync::Barrier;
use std::thread;

use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::kit::imap::Imap;
use crate::kit::message::Message;
use crate::kit::postern::{Device, Login};
use crate::site::{ANNA, QUICK, Site};

/// More than both kernels' socket buffers hold, so that a reader who pauses stops the stream in the middle.
const LARGE_BYTES: usize = 12 << 20;
const DEVICES: usize = 100;

fn crowded() -> anyhow::Result<Site> {
    let sections = QUICK.replace("[sessions]\n", "[sessions]\nmax_per_mailbox = 1000\n");
    let limits = "[limits]\nconnections_per_network = 1000\nbefore_login_per_network = 1000\n";
    Site::start_with(&format!("{sections}\n{limits}"), (Login::MasterUser, Login::Xclient))
}

/// How a streaming session ended.
#[derive(Debug, PartialEq, Eq)]
enum Stream {
    Whole,
    Cut,
}

#[test]
fn of_200_live_sessions_only_the_two_of_the_revoked_device_end() -> anyhow::Result<()> {
    let site = crowded()?;
    let devices = (0..DEVICES)
        .map(|n| site.device(&format!("Device {n}")))
        .collect::<Result<Vec<_>, _>>()?;
    let body = large_message();
    let digest = Sha256::digest(&body);
    append(&mut site.imap_as(&devices[0])?, &body)?;
    let revoked = 41;
    let (paused, go_on) = (Barrier::new(DEVICES + 1), Barrier::new(DEVICES + 1));
    let mut idle = Vec::new();
    for device in &devices {
        let mut imap = site.imap_as(device)?;
        imap.command("SELECT INBOX")?.ok()?;
        let tag = imap.idle()?;
        idle.push((imap, tag));
    }
    thread::scope(|scope| -> anyhow::Result<()> {
        let (site, paused, go_on) = (&site, &paused, &go_on);
        let streams: Vec<_> = devices
            .iter()
            .map(|device| scope.spawn(move || stream(site, device, &digest, paused, go_on)))
            .collect();
        paused.wait();
        let shown = site
            .postern
            .cli(&["device", "revoke", &devices[revoked].path, "--json"]);
        go_on.wait();
        let shown: serde_json::Value = serde_json::from_str(&shown?.ok()?)?;
        ensure!(shown["applied"]["sessions_ended"] == 2, "{shown}");
        println!("one device revoked, two sessions of 200 ended: {shown}");
        for (n, stream) in streams.into_iter().enumerate() {
            let ended = stream.join().map_err(|_| anyhow::anyhow!("stream {n} panicked"))??;
            let expected = if n == revoked { Stream::Cut } else { Stream::Whole };
            ensure!(ended == expected, "stream {n} ended {ended:?}");
        }
        Ok(())
    })?;
    for (n, (mut imap, tag)) in idle.into_iter().enumerate() {
        if n == revoked {
            let goodbye = String::from_utf8(imap.wire.rest()?)?;
            assert!(
                goodbye.starts_with("* BYE") && goodbye.contains("Device 41"),
                "{goodbye}"
            );
        } else {
            imap.done(&tag)?.ok().with_context(|| format!("idle session {n}"))?;
        }
    }
    Ok(())
}

/// Fetches the large message, pauses in its middle, and compares what came.
fn stream(site: &Site, device: &Device, digest: &[u8], paused: &Barrier, go_on: &Barrier) -> anyhow::Result<Stream> {
    let begun = begin_stream(site, device);
    paused.wait();
    go_on.wait();
    let mut imap = begun?;
    let mut hash = Sha256::new();
    let mut left = LARGE_BYTES;
    while left > 0 {
        match imap.wire.exactly(left.min(64 << 10)) {
            Ok(chunk) => {
                left -= chunk.len();
                hash.update(&chunk);
            }
            Err(_) => return Ok(Stream::Cut),
        }
    }
    if hash.finalize().as_slice() != digest {
        bail!("the message was changed on its way");
    }
    imap.until(|line| line.contains(" OK "))?;
    Ok(Stream::Whole)
}

fn begin_stream(site: &Site, device: &Device) -> anyhow::Result<Imap> {
    let mut imap = site.imap_as(device)?;
    imap.command("SELECT INBOX")?.ok()?;
    imap.begin("FETCH 1 BODY.PEEK[]")?;
    let head = String::from_utf8(imap.wire.line()?)?;
    ensure!(head.contains(&format!("{{{LARGE_BYTES}}}")), "{head}");
    Ok(imap)
}

fn large_message() -> Vec<u8> {
    let mut message = b"Subject: large\r\n\r\n".to_vec();
    let mut state = 1_u64;
    while message.len() < LARGE_BYTES - 2 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let octet = b' ' + u8::try_from((state >> 33) % 94).unwrap_or(0);
        message.push(octet);
        if message.len().is_multiple_of(76) && message.len() < LARGE_BYTES - 4 {
            message.extend_from_slice(b"\r\n");
        }
    }
    message.extend_from_slice(b"\r\n");
    message.truncate(LARGE_BYTES);
    message
}

fn append(imap: &mut Imap, message: &[u8]) -> anyhow::Result<()> {
    let tag = imap.begin(&format!("APPEND INBOX {{{}}}", message.len()))?;
    imap.until(|line| line.starts_with('+'))?;
    imap.wire.send(message)?;
    imap.wire.send(b"\r\n")?;
    imap.complete(&tag)?.ok()?;
    Ok(())
}

#[test]
fn a_revocation_in_the_middle_of_data_ends_that_session_and_delivers_nothing() -> anyhow::Result<()> {
    let site = Site::start()?;
    let (gone, kept) = (site.device("Gone")?, site.device("Kept")?);
    let (lost, whole) = (Message::new(ANNA, ANNA, 2000)?, Message::new(ANNA, ANNA, 2000)?);
    let mut sending = [(site.smtp_as(&gone)?, &lost), (site.smtp_as(&kept)?, &whole)];
    for (smtp, message) in &mut sending {
        smtp.command(&format!("MAIL FROM:<{ANNA}>"))?.expect(250)?;
        smtp.command(&format!("RCPT TO:<{ANNA}>"))?.expect(250)?;
        smtp.command("DATA")?.expect(354)?;
        let data = message.data();
        smtp.wire.send(&data.as_bytes()[..data.len() / 2])?;
    }
    let shown = site.postern.cli(&["device", "revoke", &gone.path, "--json"])?.ok()?;
    let shown: serde_json::Value = serde_json::from_str(&shown)?;
    assert_eq!(shown["applied"]["sessions_ended"], 1, "{shown}");
    let [(mut gone_smtp, _), (mut kept_smtp, _)] = sending;
    let goodbye = gone_smtp.reply()?.expect(421)?;
    assert!(goodbye.lines[0].contains("Gone"), "{goodbye:?}");
    gone_smtp.wire.rest()?;
    let data = whole.data();
    kept_smtp.wire.send(&data.as_bytes()[data.len() / 2..])?;
    kept_smtp.reply()?.expect(250)?;
    let delivered = site.dovecot.wait_for_message(ANNA, &whole.marker)?;
    whole.check(&delivered)?;
    site.postfix.wait_for_empty_queue()?;
    assert!(
        site.dovecot
            .messages(ANNA)?
            .iter()
            .all(|message| !message.contains(&lost.marker))
    );
    Ok(())
}

#[test]
fn one_session_can_be_ended_without_touching_its_device() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    let (mut first, mut second) = (site.imap_as(&phone)?, site.imap_as(&phone)?);
    let listed: serde_json::Value = serde_json::from_str(&site.postern.cli(&["session", "list", "--json"])?.ok()?)?;
    let sessions = listed["sessions"].as_array().context("a list")?;
    assert_eq!(sessions.len(), 2, "{listed}");
    let oldest = sessions
        .iter()
        .filter_map(|session| session["id"].as_str()?.parse::<u64>().ok())
        .min()
        .context("ids")?;
    site.postern.cli(&["session", "end", &oldest.to_string()])?.ok()?;
    assert!(first.response()?.starts_with("* BYE Session ended by the operator"));
    second.command("NOOP")?.ok()?;
    site.imap_as(&phone)?;
    let audit = site.postern.cli(&["audit", "--json"])?.ok()?;
    assert!(audit.contains("session.end"), "{audit}");
    assert_eq!(site.postern.cli(&["session", "end", "999999"])?.code, 3);
    Ok(())
}

#[test]
fn an_expiry_date_ends_the_session_when_it_comes() -> anyhow::Result<()> {
    let site = Site::start()?;
    let soon = site.postern.add_device_with(ANNA, "Guest", &["--expires", "3s"])?;
    let mut imap = site.imap_as(&soon)?;
    assert!(
        imap.response()?
            .starts_with("* BYE The access of device \"Guest\" has ended")
    );
    assert!(
        site.imap()?
            .login(ANNA, &soon.password)?
            .status
            .starts_with("NO [AUTHENTICATIONFAILED]")
    );
    Ok(())
}

#[test]
fn revoking_all_devices_of_a_mailbox_ends_all_its_sessions_and_no_other() -> anyhow::Result<()> {
    let site = Site::start()?;
    site.add_mailbox("bob@example.test")?;
    let (a, b) = (site.device("A")?, site.device("B")?);
    let bob = site.postern.add_device("bob@example.test", "Bob's phone")?;
    let mut ending = [site.imap_as(&a)?, site.imap_as(&b)?];
    let mut staying = site.imap_as(&bob)?;
    let shown = site
        .postern
        .cli(&["device", "revoke-all", ANNA, "--yes", "--json"])?
        .ok()?;
    let shown: serde_json::Value = serde_json::from_str(&shown)?;
    assert_eq!(shown["applied"]["sessions_ended"], 2, "{shown}");
    for imap in &mut ending {
        assert!(imap.response()?.starts_with("* BYE"));
    }
    staying.command("NOOP")?.ok()?;
    Ok(())
}
