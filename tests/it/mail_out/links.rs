//! The mail with a set-up link: whoever sent it is told what became of it, and a link that ends takes it along.

use anyhow::Context as _;
use serde_json::Value;

use crate::kit::wait;

use super::post::{LUCIE, Post};

const CONTACT: &str = "contact@acme.test";

/// Links lead somewhere only with a Manager, to whose section this is added.
fn start(answers: Vec<(&str, &str)>) -> anyhow::Result<Post> {
    let post = Post::start_with(answers, |mail| format!("address = \"127.0.0.1:0\"\n\n{mail}"))?;
    post.postern.add_org("Acme", "acme.test")?;
    post.postern.add_mailbox(CONTACT)?;
    Ok(post)
}

fn json(post: &Post, arguments: &[&str]) -> anyhow::Result<Value> {
    let shown = post.postern.cli(&[arguments, &["--json"]].concat())?.ok()?;
    Ok(serde_json::from_str(&shown)?)
}

/// Adds a device with a link by mail; gives its id.
fn linked(post: &Post, label: &str, to: &str) -> anyhow::Result<String> {
    let made = json(
        post,
        &["device", "add", CONTACT, "--label", label, "--link", "--to", to],
    )?;
    anyhow::ensure!(made["link"].is_null() && made["set_up"]["mail"]["to"] == to, "{made}");
    Ok(made["device"]["id"].as_str().context("no device")?.to_owned())
}

/// What the mail with the link of a device is like, once it is like this.
fn wait_for(post: &Post, device: &str, state: &str) -> anyhow::Result<Value> {
    wait::until(&format!("the mail with the link is {state}"), || {
        let shown = json(post, &["device", "link", "show", device])?;
        let mail = &shown["link"]["mail"];
        let told = state != "queued" || mail["last_error"].is_string();
        Ok((told && mail["state"] == state).then(|| mail.clone()))
    })
}

#[test]
fn whoever_sends_a_link_is_told_that_its_mail_was_refused_or_taken() -> anyhow::Result<()> {
    let lost = "lost@private.test";
    let post = start(vec![(lost, "550 5.1.1 no such person")])?;
    let device = linked(&post, "Lost", lost)?;
    let failed = wait_for(&post, &device, "failed")?;
    let reason = failed["last_error"].as_str().unwrap_or_default();
    assert!(reason.contains("550 5.1.1 <lost@private.test>"), "{failed}");
    let shown = post.postern.cli(&["device", "link", "show", &device])?.ok()?;
    let line = shown.lines().find(|line| line.starts_with("Mail "));
    assert!(
        line.is_some_and(|line| line.contains("failed ") && line.contains("no such person")),
        "{shown}"
    );
    let device = linked(&post, "Found", LUCIE)?;
    wait_for(&post, &device, "sent")?;
    let delivered = post.delivered()?;
    let [mail] = &delivered[..] else {
        anyhow::bail!("{} mails", delivered.len())
    };
    assert!(
        mail.contains("Subject: Set up a device for contact@acme.test"),
        "{mail}"
    );
    Ok(())
}

#[test]
fn the_mail_with_a_link_that_ended_never_goes_out() -> anyhow::Result<()> {
    let mut post = start(Vec::new())?;
    post.postfix.stop()?;
    let withdrawn = linked(&post, "Withdrawn", LUCIE)?;
    let revoked = linked(&post, "Revoked", LUCIE)?;
    let replaced = linked(&post, "Replaced", LUCIE)?;
    for device in [&withdrawn, &revoked, &replaced] {
        wait_for(&post, device, "queued")?;
    }
    let said = json(&post, &["device", "link", "withdraw", &withdrawn])?;
    assert_eq!(said["link"]["mail"]["state"], "withdrawn");
    post.postern.cli(&["device", "revoke", &revoked])?.ok()?;
    wait_for(&post, &revoked, "withdrawn")?;
    let again = json(&post, &["device", "link", "send", &replaced, "--to", LUCIE])?;
    assert_eq!(again["set_up"]["mail"]["state"], "queued");
    post.postfix.restart()?;
    // Of four mails one arrives: that with the link which still works.
    wait_for(&post, &replaced, "sent")?;
    assert_eq!(post.delivered()?.len(), 1);
    Ok(())
}
