//! A set-up link from the API to the mail program: opened as a telephone opens it, its profile checked and read by other
//! programs than ours, and its password used for a real sign-in.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use postern::clock::Clock;
use postern::tls::{self, CertificateConfig, Signer};
use serde_json::{Value, json};

use super::program::Program;
use super::{HOST, site, text, token};
use crate::kit::certificates::Certificates;
use crate::kit::postern::Device;
use crate::kit::wait::until;
use crate::kit::wire::Wire;
use crate::kit::work_dir::WorkDir;
use crate::site::{ANNA, Site};

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1";

/// What came back, as octets.
struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn has(&self, words: &str) -> anyhow::Result<()> {
        let body = String::from_utf8_lossy(&self.body);
        ensure!(
            self.head.contains(words) || body.contains(words),
            "{words:?} is not in {}\n{body}",
            self.head
        );
        Ok(())
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| {
            line.to_lowercase()
                .starts_with(&format!("{name}: "))
                .then(|| &line[name.len() + 2..])
        })
    }
}

/// Asks the Manager as a telephone does.
fn ask(site: &Site, (method, path): (&str, &str), cookie: &str, form: &str) -> anyhow::Result<Answer> {
    let mut wire = Wire::connect_tls(site.postern.port("manager")?, &site.certificates)?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nUser-Agent: {IPHONE}\r\nCookie: {cookie}\r\n\
         Origin: https://{HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    wire.send(request.as_bytes())?;
    let whole = wire.rest()?;
    let end = whole
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .context("no whole answer")?;
    Ok(Answer {
        head: String::from_utf8(whole[..end].to_vec())?,
        body: whole[end + 4..].to_vec(),
    })
}

/// What `openssl cms -verify` makes of a signed file: its content, where it trusts this authority.
fn verified(file: &Path, authority: &Path) -> anyhow::Result<Vec<u8>> {
    let output = Command::new("openssl")
        .args(["cms", "-verify", "-inform", "DER", "-binary", "-purpose", "any", "-in"])
        .arg(file)
        .arg("-CAfile")
        .arg(authority)
        .output()?;
    ensure!(
        output.status.success(),
        "openssl refused: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

/// The property list, as a reader that is not ours reads it.
fn plist(file: &Path) -> anyhow::Result<Value> {
    let program = "import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
    let output = Command::new("python3").args(["-c", program]).arg(file).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[test]
fn a_link_from_the_api_sets_up_a_telephone_that_reads_and_sends() -> anyhow::Result<()> {
    let site = site()?;
    let program = Program::new(&site, &token(&site)?)?;
    let found = program
        .get(&format!("/mailboxes?q={}", ANNA.replace('@', "%40")))?
        .is(200)?;
    let path = format!("/mailboxes/{}/devices", text(&found, "/items/0/id")?);
    let body = json!({ "name": "Anna's iPhone", "kind": "iphone", "link": {} });
    let made = program.post(&path, Some("link-1"), &body)?.is(201)?;
    ensure!(
        made["password"].is_null() && text(&made, "/set_up/link/state")? == "sent",
        "{made}"
    );
    let url = text(&made, "/set_up/url")?.to_owned();
    let again = program.post(&path, Some("link-1"), &body)?.is(201)?;
    ensure!(again["set_up"]["url"].is_null(), "shown once: {again}");
    let link = url.strip_prefix(&format!("https://{HOST}")).context("another origin")?;
    site.postern.add_secret(link.trim_start_matches("/s/"));

    ask(&site, ("GET", link), "", "")?.has("Install the profile")?;
    let opened = ask(&site, ("POST", link), "", "action=profile")?;
    let cookie = opened
        .header("set-cookie")
        .context("no cookie")?
        .split(';')
        .next()
        .unwrap_or_default()
        .to_owned();
    site.postern.add_secret(cookie.split_once('=').context("no value")?.1);
    let file = opened.header("location").context("no file")?.to_owned();
    let profile = ask(&site, ("GET", &file), &cookie, "")?;
    profile.has("application/x-apple-aspen-config")?;

    let dir = WorkDir::new("profile")?;
    let signed = dir.join("mail.mobileconfig");
    std::fs::write(&signed, &profile.body)?;
    let plain = dir.join("mail.plist");
    std::fs::write(&plain, verified(&signed, &site.certificates.authority)?)?;
    let others = Certificates::new()?;
    ensure!(
        verified(&signed, &others.authority).is_err(),
        "a stranger's chain was trusted"
    );
    let read = plist(&plain)?;
    let mail = read.pointer("/PayloadContent/0").context("no content")?;
    ensure!(text(mail, "/IncomingMailServerUsername")? == ANNA, "{read}");
    let password = text(mail, "/IncomingPassword")?.to_owned();
    site.postern.add_secret(&password);
    ensure!(text(mail, "/OutgoingPassword")? == password);
    ask(&site, ("GET", &file), &cookie, "")?.has("You opened this link")?;
    ask(&site, ("GET", link), "", "")?.has("This link was opened already")?;

    let place = format!("/devices/{}/link", text(&made, "/device/id")?);
    let shown = program.get(&place)?.is(200)?;
    ensure!(
        text(&shown, "/state")? == "fetched" && !shown["opened_from"].is_null(),
        "{shown}"
    );
    let device = Device {
        path: format!("{ANNA}/Anna's iPhone"),
        address: ANNA.to_owned(),
        password,
    };
    site.imap_as(&device)?.command("SELECT INBOX")?.ok()?;
    drop(site.smtp_as(&device)?);
    // At once, before it is written that the device was used, and though no session of it lives any more.
    let again = ask(&site, ("POST", link), &cookie, "action=password&again=1")?;
    again.has("has signed in. There is nothing more to do here.")?;
    until("the link says that the device has signed in", || {
        let shown = program.get(&place)?.is(200)?;
        Ok((text(&shown, "/state")? == "signed-in").then_some(()))
    })?;
    ask(&site, ("GET", link), &cookie, "")?.has("has signed in. There is nothing more to do here.")?;
    Ok(())
}

/// A certificate that signs itself, for a key as `openssl req` is told to make it.
fn self_signed(dir: &WorkDir, name: &str, key: &[&str]) -> anyhow::Result<CertificateConfig> {
    let files = CertificateConfig {
        certificate: dir.join(&format!("{name}.pem")),
        key: dir.join(&format!("{name}.key")),
    };
    let output = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=manager.test",
            "-newkey",
        ])
        .args(key)
        .args(["-addext", "subjectAltName=DNS:manager.test", "-keyout"])
        .arg(&files.key)
        .arg("-out")
        .arg(&files.certificate)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(files)
}

#[test]
fn openssl_takes_the_signatures_of_every_kind_of_key_and_no_changed_content() -> anyhow::Result<()> {
    let dir = WorkDir::new("signed")?;
    let keys: [(&str, &[&str]); 3] = [
        ("p256", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
        ("p384", &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]),
        ("rsa", &["rsa:2048"]),
    ];
    for (name, key) in keys {
        let files = self_signed(&dir, name, key)?;
        let config = tls::Config {
            certificates: vec![files.clone()],
            min_version: tls::Version::Tls12,
        };
        let certificates = tls::Certificates::load(&config)?;
        let signer = |host: &str| Signer::new(Arc::clone(&certificates), vec![host.to_owned()], Clock::system());
        for length in [0_usize, 1, 100, 127, 128, 255, 256, 70_000] {
            let content = vec![b'x'; length];
            let signed = signer("manager.test").sign(&content)?;
            let file = dir.join("signed.der");
            std::fs::write(&file, signed.expose())?;
            let read = verified(&file, &files.certificate).with_context(|| format!("{name}, {length} octets"))?;
            ensure!(read == content, "{name}: another content of {length} octets");
            ensure!(
                signed.expose().len() == signed.expose().capacity(),
                "the buffer has its right length"
            );
        }
        let mut forged = signer("manager.test").sign(b"the content")?;
        let at = forged
            .expose()
            .windows(11)
            .position(|part| part == b"the content")
            .context("no content")?;
        forged.expose_mut()[at] = b'T';
        let file = dir.join("forged.der");
        std::fs::write(&file, forged.expose())?;
        ensure!(
            verified(&file, &files.certificate).is_err(),
            "{name}: a forged content was taken"
        );
        ensure!(
            signer("other.test").sign(b"x").is_err(),
            "a certificate of another name signed"
        );
    }
    Ok(())
}
