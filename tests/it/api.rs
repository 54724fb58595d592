//! The API of the real daemon, over TLS: a life told by requests, and a program that tries what its description allows and
//! what it does not.

mod device_link;
mod program;
mod schemathesis;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::kit::postern::{Device, Login};
use crate::site::{QUICK, Site};
use program::Program;

const SOPHIE: &str = "sophie@private.test";
const PASSWORD: &str = "seven patient herons";
/// What programs call the Manager; its certificate is for this name.
const HOST: &str = "localhost";

/// A site whose Manager answers, and whose organisation Sophie owns.
fn site() -> anyhow::Result<Site> {
    let sections = format!("{QUICK}\n[manager]\naddress = \"127.0.0.1:0\"\norigin = \"https://{HOST}\"\n");
    let site = Site::start_with(&sections, (Login::MasterUser, Login::Xclient))?;
    let sophie = [
        "user",
        "create",
        SOPHIE,
        "--name",
        "Sophie",
        "--org",
        "Example",
        "--role",
        "owner",
        "--password-stdin",
    ];
    site.postern.cli_with_input(&sophie, &format!("{PASSWORD}\n"))?.ok()?;
    site.postern.add_secret(PASSWORD);
    Ok(site)
}

/// A token of Sophie's, from the command line.
fn token(site: &Site) -> anyhow::Result<String> {
    let create = [
        "token", "create", SOPHIE, "--name", "Test", "--scope", "write", "--json",
    ];
    let made: Value = serde_json::from_str(&site.postern.cli(&create)?.ok()?)?;
    let token = made["token"].as_str().context("token create shows no token")?;
    site.postern.add_secret(token);
    Ok(token.to_owned())
}

fn text<'a>(value: &'a Value, pointer: &str) -> anyhow::Result<&'a str> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.with_context(|| format!("no {pointer} in {value}"))
}

#[test]
fn a_device_that_was_added_by_the_api_reads_mail_until_the_api_revokes_it() -> anyhow::Result<()> {
    let site = site()?;
    let program = Program::new(&site, &token(&site)?)?;
    let me = program.get("/me")?.is(200)?;
    ensure!(text(&me, "/user/address")? == SOPHIE && text(&me, "/organisation/name")? == "Example");

    site.dovecot.add_mailbox("crm@example.test")?;
    let body = json!({ "address": "crm@example.test" });
    let mailbox = program.post("/mailboxes", Some("box-1"), &body)?.is(201)?;
    let again = program.post("/mailboxes", Some("box-1"), &body)?;
    ensure!(again.header("idempotency-replayed") == Some("true") && again.is(201)? == mailbox);
    let path = format!("/mailboxes/{}/devices", text(&mailbox, "/id")?);
    let device = json!({ "name": "CRM", "kind": "app", "scopes": ["imap"] });
    let added = program.post(&path, Some("device-1"), &device)?.is(201)?;
    let password = text(&added, "/password")?.to_owned();
    site.postern.add_secret(&password);
    let again = program.post(&path, Some("device-1"), &device)?.is(201)?;
    ensure!(again["password"].is_null(), "shown once: {again}");

    let (address, path) = ("crm@example.test".to_owned(), "crm@example.test/CRM".to_owned());
    let device = Device {
        path,
        address,
        password,
    };
    let mut imap = site.imap_as(&device)?;
    imap.command("SELECT INBOX")?.ok()?;
    let place = format!("/devices/{}", text(&added, "/device/id")?);
    let shown = program.get(&place)?.is(200)?;
    ensure!(shown["connections"] == 1, "{shown}");
    let sessions = program.get("/sessions")?.is(200)?;
    ensure!(
        sessions["total"] == 1 && text(&sessions, "/items/0/device/name")? == "CRM",
        "{sessions}"
    );

    let revoked = program.act(&format!("{place}/revoke"))?.is(200)?;
    ensure!(revoked["ended"]["sessions"] == 1, "{revoked}");
    let milliseconds = revoked["ended"]["milliseconds"].as_f64().context("no time")?;
    ensure!(milliseconds < 1000.0, "{milliseconds} ms");
    let goodbye = imap.response()?;
    ensure!(goodbye.starts_with("* BYE"), "{goodbye:?}");
    let mut refused = site.imap()?;
    let answer = refused.login(&device.address, &device.password)?;
    ensure!(answer.ok().is_err(), "a revoked device signed in");
    let entries = program.get("/audit?action=device.")?.is(200)?;
    ensure!(text(&entries, "/items/0/who")? == "token:Test", "{entries}");
    ensure!(text(&entries, "/items/0/action")? == "device.revoke", "{entries}");
    Ok(())
}

#[test]
fn a_stranger_reads_the_description_and_nothing_else() -> anyhow::Result<()> {
    let site = site()?;
    let stranger = Program::new(&site, "")?;
    let description = stranger.get("/openapi.json")?.is(200)?;
    let committed: Value = serde_json::from_str(include_str!("../../docs/openapi.json"))?;
    ensure!(description == committed, "another description is served");
    let refused = stranger.get("/me")?;
    ensure!(
        refused
            .header("www-authenticate")
            .is_some_and(|challenge| challenge.starts_with("Bearer"))
    );
    let problem = refused.is(401)?;
    ensure!(problem["key"] == "signin.needed", "{problem}");
    Ok(())
}
