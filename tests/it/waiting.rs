//! The page that waits for a device's first sign-in, over the real daemon: what the device tries is said there, and that it
//! works is said within a second. And the test message, which arrives and is no sign-in of the device.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use ::postern::clock::Clock;
use anyhow::{Context as _, ensure};
use rustls::{ClientConfig, RootCertStore};

use crate::kit::certificates::SERVER_NAME;
use crate::kit::http::{Answer, Browser};
use crate::kit::imap::Imap;
use crate::kit::process::run_with_input;
use crate::kit::smtp::Smtp;
use crate::kit::stack::{DOMAIN, Plan, Stack};
use crate::kit::wait::PATIENCE;
use crate::kit::wire::Wire;
use crate::site::QUICK;

const SOPHIE: &str = "sophie@private.test";
const PASSWORD: &str = "seven patient herons";
const INFO: &str = "info@acme.test";
/// A mailbox that the mail store does not know.
const GHOST: &str = "ghost@acme.test";
/// The same name in another organisation.
const OTHER: &str = "info@other.test";
/// A sign-in has to be on the page in this time. A machine that is busy elsewhere gets some chances.
const AT_ONCE: Duration = Duration::from_secs(1);
const CHANCES: usize = 3;

/// Sophie's browser, and what is behind it.
struct Office {
    stack: Stack,
    browser: Browser,
    org: String,
}

/// A device whose password was just shown.
struct Added {
    page: Answer,
    /// The path of its page.
    path: String,
    id: String,
    password: String,
}

/// The stream of one page, read line by line.
struct Stream(Wire);

impl Stream {
    /// Reads on until something is said.
    fn until(&mut self, words: &str) -> anyhow::Result<String> {
        // A stream says something every now and then, so that the wire's own patience never ends.
        let clock = Clock::system();
        let begin = clock.now();
        while clock.now() - begin < PATIENCE {
            let line = String::from_utf8(self.0.line().with_context(|| format!("waiting for {words:?}"))?)?;
            if line.contains(words) {
                return Ok(line);
            }
        }
        anyhow::bail!("waited in vain for {words:?}")
    }
}

/// What stands between two marks for the first time.
fn between<'t>(text: &'t str, begin: &str, end: &str) -> anyhow::Result<&'t str> {
    let rest = text.split_once(begin).with_context(|| format!("no {begin}"))?.1;
    Ok(rest.split_once(end).with_context(|| format!("no {end}"))?.0)
}

impl Office {
    fn open() -> anyhow::Result<Self> {
        let sections =
            format!("{QUICK}\n[client_settings]\nsmtp_host = \"{SERVER_NAME}\"\nimap_host = \"{SERVER_NAME}\"\n");
        let plan = Plan {
            sections: &sections,
            manager: true,
            ..Plan::default()
        };
        let stack = Stack::start_empty(&plan)?;
        stack.postern.add_secret(PASSWORD);
        let owner = [
            "init",
            "--owner",
            SOPHIE,
            "--name",
            "Sophie",
            "--org",
            "Acme",
            "--password-stdin",
        ];
        stack.postern.cli_with_input(&owner, PASSWORD)?.ok()?;
        let cli = |arguments: &[&str]| stack.postern.cli(arguments)?.ok();
        cli(&["domain", "create", DOMAIN, "--org", "Acme"])?;
        stack.postern.add_org("Other", "other.test")?;
        stack.add_mailbox(INFO)?;
        stack.dovecot.add_mailbox(SOPHIE)?;
        stack.postern.add_mailbox(GHOST)?;
        stack.postern.add_mailbox(OTHER)?;
        let mut browser = stack.manager()?;
        let page = browser.sign_in(SOPHIE, PASSWORD)?;
        let org = format!(
            "/o/{}",
            between(&page.body, "/o/", "\"")?.split('/').next().context("an id")?
        );
        Ok(Self { stack, browser, org })
    }

    /// Adds a device in the browser.
    fn add(&mut self, mailbox: &str, fields: &[(&str, &str)]) -> anyhow::Result<Added> {
        let list = self
            .browser
            .get(&format!("{}/mailboxes", self.org))?
            .says(200, mailbox)?;
        let row = list
            .body
            .split("row-link")
            .find(|row| row.contains(mailbox))
            .context("the mailbox")?;
        let path = between(row, "href=\"", "\"")?.trim_end_matches("/devices").to_owned();
        let mut form = vec![("expires", "never"), ("person", "")];
        form.extend(fields);
        let page = self.browser.post(&format!("{path}/devices/new"), &form)?;
        self.added(page.says(200, "ready to connect")?)
    }

    fn added(&self, page: Answer) -> anyhow::Result<Added> {
        let path = between(&page.body, "data-gone=\"", "/password\"")?.to_owned();
        let password = between(&page.body, "name=\"password\" value=\"", "\"")?.to_owned();
        self.stack.postern.add_secret(&password);
        Ok(Added {
            id: path.rsplit('/').next().context("an id")?.to_owned(),
            path,
            password,
            page,
        })
    }

    fn watch(&self, device: &Added) -> anyhow::Result<Stream> {
        let path = format!("{}/live?watch=first:{}", self.org, device.id);
        let mut stream = Stream(self.browser.open(&path)?);
        stream.until("Not seen yet")?;
        Ok(stream)
    }

    /// A try of which nothing but the refusal is expected.
    fn refused(&self, name: &str, password: &str) -> anyhow::Result<()> {
        let answer = self.stack.imap()?.login(name, password)?;
        ensure!(answer.status.starts_with("NO"), "{}", answer.status);
        Ok(())
    }
}

/// A copier, set up with what the sheet says, sends a page.
fn scan(office: &Office, copier: &Added) -> anyhow::Result<()> {
    let form = between(&copier.page.body, ">HP</summary>", "</details>")?;
    let values: Vec<&str> = form
        .split("<code>")
        .skip(1)
        .filter_map(|rest| rest.split('<').next())
        .collect();
    let [sender, host, _, user] = values[..] else {
        anyhow::bail!("{values:?}")
    };
    ensure!((sender, host, user) == (INFO, SERVER_NAME, INFO), "{values:?}");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/smtp_send.py");
    let mut program = Command::new("python3");
    program
        .arg(script)
        .env("MAIL_PORT", office.stack.postern.port("submissions")?.to_string())
        .env("MAIL_CA", &office.stack.certificates.authority)
        .env("MAIL_USER", user)
        .env("MAIL_PASSWORD", &copier.password)
        .env("MAIL_FROM", sender)
        .env("MAIL_TO", SOPHIE);
    run_with_input(&program, "Subject: scan-0001\r\n\r\nA page.\r\n").map(drop)
}

/// Whoever calls itself as the test message does is not let past unseen: what a client says of itself is not asked.
fn cloak(office: &Office, device: &Added, mail: &str) -> anyhow::Result<()> {
    let id = between(mail, "Message-ID: <", ">")?;
    let hello = id.split_once('@').context("a name")?.1;
    let mut cloaked = office.stack.smtp()?;
    cloaked.command(&format!("EHLO {hello}"))?.expect(250)?;
    cloaked.auth_plain(INFO, &device.password)?.expect(235)?;
    Ok(())
}

const BOTH: [(&str, &str); 3] = [("kind", "other"), ("scope", "imap"), ("scope", "smtp")];

#[test]
fn what_a_device_tries_is_on_the_page_that_waits_for_it() -> anyhow::Result<()> {
    let mut office = Office::open()?;
    let laptop = office.add(INFO, &[&BOTH[..], &[("name", "Laptop")]].concat())?;
    let mut stream = office.watch(&laptop)?;

    // Somebody else's tries, under the same name before the @, are nobody's business here.
    office.refused(OTHER, "wrong")?;
    office.refused("info", "wrong")?;
    office.browser.get(&laptop.path)?.says(200, "Not seen yet")?;

    office.refused(INFO, "wrong")?;
    stream.until("Tried with a wrong password")?;
    office.refused("info", &laptop.password)?;
    stream.until("It signed in as “<bdi>info</bdi>”. Enter the full address")?;

    let mut clear = Imap::connect(office.stack.postern.port("imap")?)?;
    let answer = clear.login(INFO, &laptop.password)?;
    ensure!(answer.status.starts_with("NO [PRIVACYREQUIRED]"), "{}", answer.status);
    stream.until("tried without encryption")?;
    let exposed = stream.until("Its password went over the network in clear")?;
    ensure!(
        exposed.contains(&format!("{}/replace\"", laptop.path)),
        "no way to another one: {exposed}"
    );

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let distrustful = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let wire = Wire::connect(office.stack.postern.port("imaps")?)?;
    ensure!(wire.into_tls_as(&Arc::new(distrustful), SERVER_NAME).is_err());
    stream.until("did not accept the certificate")?;

    // Printers that are set to no encryption find no AUTH, and go on without.
    let mut printer = Smtp::connect(office.stack.postern.port("submission")?)?;
    printer.ehlo()?.expect(250)?;
    printer.command(&format!("MAIL FROM:<{INFO}>"))?.expect(530)?;
    stream.until("tried without encryption")?;

    let of_device = format!("{INFO}/Laptop");
    let set = |scopes: &[&str]| {
        let arguments = [&["device", "edit", of_device.as_str()], scopes].concat();
        office.stack.postern.cli(&arguments)?.ok()
    };
    set(&["--scope", "smtp"])?;
    office.refused(INFO, &laptop.password)?;
    stream.until("but may only send")?;
    set(&["--scope", "imap,smtp"])?;
    office.stack.postern.cli(&["device", "pause", &of_device])?.ok()?;
    stream.until("The device is paused")?;
    office.stack.postern.cli(&["device", "resume", &of_device])?.ok()?;
    stream.until("but may only send")?;

    // Closing the page loses nothing.
    drop(stream);
    office.browser.get(&laptop.path)?.says(200, "but may only send")?;
    Ok(())
}

#[test]
fn a_right_password_that_does_not_get_in_is_told_with_the_reason() -> anyhow::Result<()> {
    let mut office = Office::open()?;
    let pinned = office.add(
        INFO,
        &[&BOTH[..], &[("name", "Pinned"), ("networks", "192.0.2.7")]].concat(),
    )?;
    let mut stream = office.watch(&pinned)?;
    office.refused(INFO, &pinned.password)?;
    stream.until("may not sign in from")?;

    let ghost = office.add(GHOST, &[&BOTH[..], &[("name", "Ghost")]].concat())?;
    let mut stream = office.watch(&ghost)?;
    office.refused(GHOST, &ghost.password)?;
    stream.until("the mail server behind us did not let it in")?;

    let laptop = office.add(INFO, &[&BOTH[..], &[("name", "Laptop")]].concat())?;
    let replaced = office.browser.post(&format!("{}/replace", laptop.path), &[])?;
    let replaced = office.added(replaced.says(200, "New password for")?)?;
    let mut stream = office.watch(&replaced)?;
    office.refused(INFO, &laptop.password)?;
    stream.until("It still uses its old password")?;
    Ok(())
}

#[test]
fn a_first_sign_in_is_on_the_page_within_a_second() -> anyhow::Result<()> {
    let mut office = Office::open()?;
    let clock = Clock::system();
    let mut laptop = office.add(INFO, &[&BOTH[..], &[("name", "Laptop")]].concat())?;
    let mut taken = Vec::new();
    for _ in 0..CHANCES {
        let mut stream = office.watch(&laptop)?;
        let mut short = office.stack.smtp()?;
        short.auth_plain(INFO, &laptop.password)?.expect(235)?;
        let begin = clock.now();
        // Over before the page looks.
        short.command("QUIT")?.expect(221)?;
        stream.until("Sending works")?;
        let sent = clock.now() - begin;
        let begin = clock.now();
        let mut imap = office.stack.imap()?;
        imap.login(INFO, &laptop.password)?.ok()?;
        stream.until("Receiving works")?;
        taken.push(sent.max(clock.now() - begin));
        if taken.iter().any(|taken| *taken < AT_ONCE) {
            return Ok(());
        }
        let page = office.browser.post(&format!("{}/replace", laptop.path), &[])?;
        laptop = office.added(page.says(200, "New password for")?)?;
    }
    anyhow::bail!("not once within a second: {taken:?}")
}

#[test]
fn a_test_message_arrives_and_is_no_sign_in_and_the_sheet_works_in_a_copier() -> anyhow::Result<()> {
    let mut office = Office::open()?;
    let copier = [("kind", "printer"), ("scope", "smtp"), ("name", "Copier")];
    let copier = office.add(INFO, &copier)?;
    let mut stream = office.watch(&copier)?;
    let test = format!("{}/test", copier.path);
    let sent = office.browser.post(&test, &[("password", &copier.password)])?;
    let sent = sent
        .says(200, "Message taken")?
        .says(200, "Look whether it has arrived")?;
    ensure!(
        sent.body.contains("does not know the issuer"),
        "the laboratory's authority is known: {}",
        sent.body
    );
    ensure!(
        sent.body.contains(&copier.password),
        "the password is gone from the page"
    );
    let cached = sent.headers.iter().find(|(name, _)| name == "cache-control");
    ensure!(
        cached.is_some_and(|(_, value)| value == "no-store"),
        "{:?}",
        sent.headers
    );
    let mail = office.stack.dovecot.wait_for_message(SOPHIE, "@test-message.")?;
    ensure!(mail.contains("From: <info@acme.test>"), "{mail}");

    // It fails where the device would, in the server's words; and what is no password is no test.
    let page = office.browser.post(&format!("{}/replace", copier.path), &[])?;
    let replaced = office.added(page.says(200, "New password for")?)?;
    let wrong = office.browser.post(&test, &[("password", &copier.password)])?;
    wrong.says(200, "no longer the one of the device, so nothing was sent")?;
    let gone = office.browser.post(&test, &[("password", "hello")])?;
    ensure!(gone.status == 303, "{gone:?}");
    let copier = replaced;
    let mut again = |words| {
        office
            .browser
            .post(&test, &[("password", &copier.password)])?
            .says(200, words)
    };
    again("Message taken")?;
    again("Wait a minute")?;

    // None of it was the device.
    let page = office.browser.get(&copier.path)?.says(200, "Never used")?;
    ensure!(
        page.body.contains("First sign-in") && !page.body.contains("Sending works"),
        "{}",
        page.body
    );

    cloak(&office, &copier, &mail)?;
    stream.until("Sending works")?;
    scan(&office, &copier)?;
    office.stack.dovecot.wait_for_message(SOPHIE, "scan-0001")?;
    Ok(())
}
