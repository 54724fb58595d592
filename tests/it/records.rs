//! What a running daemon leaves behind for its operators: last uses, audit rows, metrics, probes.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::kit::postern::{Device, Login};
use crate::kit::wait;
use crate::kit::wire::Wire;
use crate::site::{ANNA, QUICK, Site};

fn shown(site: &Site, path: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(
        &site.postern.cli(&["device", "show", path, "--json"])?.ok()?,
    )?)
}

/// Waits until the device's last use was by this client; gives the device.
fn used_by(site: &Site, path: &str, client: &str) -> anyhow::Result<Value> {
    wait::until(&format!("the last use is by {client}"), || {
        let device = shown(site, path)?;
        Ok((device["last_used"]["client"] == client).then_some(device))
    })
}

#[test]
fn a_device_shows_when_from_where_and_by_which_program_it_was_used() -> anyhow::Result<()> {
    let site = Site::start()?;
    let device = site.device("Phone")?;
    assert_eq!(shown(&site, &device.path)?["first_used"], Value::Null);

    // Some say who they are before login,
    let mut before = site.imap()?;
    before
        .command("ID (\"name\" \"Early Mail\" \"version\" \"3.1\")")?
        .ok()?;
    before.login(&device.address, &device.password)?.ok()?;
    let early = wait::until("a use is written", || {
        let device = shown(&site, &device.path)?;
        Ok(device["first_used"].is_object().then_some(device))
    })?;
    let client = early["last_used"]["client"].as_str().context("no client")?;
    assert!(client.starts_with("Early Mail"), "{early}");
    assert_eq!(
        (&early["last_used"]["ip"], &early["last_used"]["protocol"]),
        (&json!("127.0.0.1"), &json!("imap"))
    );
    // some behind it,
    let mut after = site.imap_as(&device)?;
    after.command("ID (\"name\" \"Late Mail\")")?.ok()?;
    let late = used_by(&site, &device.path, "Late Mail")?;
    assert_eq!(late["first_used"], early["first_used"]);
    // and in SMTP there is only EHLO.
    site.smtp_as(&device)?;
    let sent = used_by(&site, &device.path, "client.example.test")?;
    assert_eq!(sent["last_used"]["protocol"], "smtp");
    assert_eq!(sent["first_used"], early["first_used"]);

    let list = site.postern.cli(&["device", "list"])?.ok()?;
    assert!(
        list.contains("client.example.test") && list.contains("127.0.0.1"),
        "{list}"
    );
    let sessions = site.postern.cli(&["session", "list"])?.ok()?;
    assert!(
        sessions.contains("Late Mail") && sessions.contains("main"),
        "{sessions}"
    );
    Ok(())
}

#[test]
fn an_old_password_that_is_still_tried_is_told_to_whoever_looks_at_the_device() -> anyhow::Result<()> {
    let site = Site::start()?;
    let (phone, crm) = (site.device("Phone")?, site.device("CRM")?);
    assert_eq!(shown(&site, &phone.path)?["old_password_tries"], Value::Null);
    site.postern.cli(&["device", "replace", &phone.path])?.ok()?;
    site.postern.revoke(&crm)?;
    let refused = |device: &Device, words: &str| -> anyhow::Result<()> {
        let mut client = site.imap()?;
        client.command("ID (\"name\" \"Old Mail\")")?.ok()?;
        let answer = client.login(&device.address, &device.password)?;
        ensure!(answer.status.starts_with("NO [AUTHENTICATIONFAILED]"), "{answer:?}");
        ensure!(answer.status.contains(words), "{answer:?}");
        Ok(())
    };
    for _ in 0..3 {
        refused(&phone, "\"Phone\" has a new password since")?;
    }
    refused(&crm, "\"CRM\" was disconnected on")?;
    let tried = |path: &str, count: u64| {
        wait::until(
            &format!("{count} tries with the old password of {path} are written"),
            || {
                let tries = shown(&site, path)?["old_password_tries"].clone();
                Ok((tries["count"] == count).then_some(tries))
            },
        )
    };
    let tries = tried(&phone.path, 3)?;
    assert!(tries["since"].as_str() <= tries["last"]["at"].as_str(), "{tries}");
    assert_eq!(
        (
            &tries["last"]["ip"],
            &tries["last"]["protocol"],
            &tries["last"]["client"]
        ),
        (&json!("127.0.0.1"), &json!("imap"), &json!("Old Mail"))
    );
    tried(&crm.path, 1)?;
    // Further ones are added to what is written.
    refused(&phone, "has a new password since")?;
    tried(&phone.path, 4)?;

    let details = site.postern.cli(&["device", "show", &phone.path])?.ok()?;
    assert!(details.contains("an old password, 4 times since"), "{details}");
    let list = site.postern.cli(&["device", "list", "--all"])?.ok()?;
    for words in ["active, old password still tries", "revoked, old password still tries"] {
        assert!(list.contains(words), "{list}");
    }
    // A wrong password is nobody's.
    let wrong = site.imap()?.login(&phone.address, "not the password")?;
    assert!(wrong.status.starts_with("NO [AUTHENTICATIONFAILED]"), "{wrong:?}");
    let actions = site.postern.cli(&["audit", "--json"])?.ok()?;
    assert_eq!(actions.lines().count(), 7, "tries are not changes: {actions}");
    Ok(())
}

#[test]
fn each_change_leaves_exactly_one_audit_row() -> anyhow::Result<()> {
    let site = Site::start()?;
    let run = |arguments: &[&str]| site.postern.cli(arguments)?.ok();
    run(&["alias", "create", "hello@example.test", "--mailbox", ANNA])?;
    let phone = site.device("Phone")?;
    run(&["device", "edit", &phone.path, "--scope", "imap", "--expires", "30d"])?;
    run(&["device", "pause", &phone.path])?;
    run(&["device", "resume", &phone.path])?;
    run(&["device", "replace", &phone.path])?;
    run(&["device", "revoke", &phone.path])?;
    run(&["mailbox", "suspend", ANNA])?;
    run(&["mailbox", "resume", ANNA])?;
    run(&["alias", "delete", "hello@example.test"])?;
    run(&["mailbox", "delete", ANNA, "--yes"])?;
    // What fails changes nothing and leaves nothing.
    assert_eq!(site.postern.cli(&["mailbox", "create", "x@unknown.test"])?.code, 3);
    let rows = run(&["audit", "--json"])?;
    let rows: Vec<Value> = rows.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let actions: Vec<&str> = rows.iter().rev().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        [
            "org.create",
            "domain.create",
            "mailbox.create",
            "alias.create",
            "device.add",
            "device.edit",
            "device.pause",
            "device.resume",
            "device.replace",
            "device.revoke",
            "mailbox.suspend",
            "mailbox.resume",
            "alias.delete",
            "mailbox.delete",
        ]
    );
    for row in &rows {
        let actor = row["actor"].as_str().unwrap();
        assert!(
            actor.starts_with("cli:") && row["origin"].as_str().unwrap().starts_with("local"),
            "{row}"
        );
        assert!(
            row["at"].as_str().unwrap().ends_with('Z') && !row["subject"].as_str().unwrap().is_empty(),
            "{row}"
        );
    }
    let text = run(&["audit"])?;
    assert!(text.contains(&phone.path) && !text.contains(&phone.password), "{text}");
    Ok(())
}

#[test]
fn the_metrics_page_is_openmetrics_and_has_all_that_the_documentation_names() -> anyhow::Result<()> {
    let manager = "[manager]\naddress = \"127.0.0.1:0\"\norigin = \"https://mail.example.test\"\n";
    let mut site = Site::start_with(&format!("{QUICK}\n{manager}"), (Login::MasterUser, Login::Xclient))?;
    let device = site.device("Phone")?;
    let session = site.imap_as(&device)?;
    // What has no label yet is not on the page: one of each.
    let mut browser = Wire::connect_tls(site.postern.port("manager")?, &site.certificates)?;
    browser.send(b"GET /sign-in HTTP/1.1\r\nHost: mail.example.test\r\nConnection: close\r\n\r\n")?;
    let page = String::from_utf8(browser.rest()?)?;
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    site.imap()?.wire.send(b"GET / HTTP/1.1\r\n\r\n")?;
    site.dovecot.stop()?;
    let refused = site.imap()?.login(&device.address, &device.password);
    assert!(refused.is_err() || refused.is_ok_and(|answer| answer.status.starts_with("NO [UNAVAILABLE]")));
    let page = wait::until("closed connections and upstream failures are counted", || {
        let page = site.operations("/metrics")?;
        let both =
            page.contains("postern_closed_before_login_total{") && page.contains("postern_upstream_failures_total{");
        Ok(both.then_some(page))
    })?;
    let (head, body) = page.split_once("\r\n\r\n").context("no body")?;
    assert!(
        head.to_lowercase()
            .contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"),
        "{head}"
    );
    assert!(body.ends_with("# EOF\n"), "{body}");
    let documented = include_str!("../../docs/operating.md");
    let mut names = Vec::new();
    for cell in documented
        .lines()
        .filter_map(|line| line.strip_prefix("| `postern_")?.split(" | ").next())
    {
        for name in cell.split(", ") {
            let name = name.trim_matches('`').trim_start_matches("postern_");
            names.push(name.split('{').next().unwrap_or(name).to_owned());
        }
    }
    assert!(names.len() >= 15, "{names:?}");
    let metrics: Vec<&str> = body
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE postern_")?.split(' ').next())
        .collect();
    for name in &names {
        assert!(
            metrics.contains(&name.trim_end_matches("_total")),
            "{name} is documented, the page has {metrics:?}"
        );
    }
    for metric in metrics {
        let documented = names.iter().any(|name| name.trim_end_matches("_total") == metric);
        assert!(documented, "{metric} is on the page and not in docs/operating.md");
    }
    drop(session);
    Ok(())
}

#[test]
fn readiness_follows_the_database_and_liveness_does_not() -> anyhow::Result<()> {
    let site = Site::start()?;
    let status = |path: &str| -> anyhow::Result<String> {
        Ok(site.operations(path)?.split(' ').nth(1).unwrap_or_default().to_owned())
    };
    let becomes = |wanted: &str| {
        wait::until(&format!("/readyz is {wanted}"), || {
            Ok((status("/readyz")? == wanted).then_some(()))
        })
    };
    becomes("200")?;
    // What the probe reads is gone; the file itself stays, and open connections to it.
    let database = rusqlite::Connection::open(site.postern.data().join("postern.db"))?;
    database.execute_batch("ALTER TABLE schema_migration RENAME TO hidden")?;
    becomes("503")?;
    assert_eq!(status("/livez")?, "200");
    assert!(site.operations("/readyz")?.contains("\"store\":false"));
    let refused = site.imap()?;
    assert!(refused.greeting.contains("[UNAVAILABLE]"), "{}", refused.greeting);
    database.execute_batch("ALTER TABLE hidden RENAME TO schema_migration")?;
    becomes("200")
}
