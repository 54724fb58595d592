//! Real mail programs, each told to trust the kit's authority and nobody else, in front of real servers.
//!
//! They differ in what they say before, during and after login, and none of them is ours: what they make of our answers
//! is the test. `programs` says how each is run.

mod programs;

use std::thread;

use anyhow::{Context as _, ensure};

use crate::kit::certificates::Certificates;
use crate::kit::dovecot::Dovecot;
use crate::kit::message::Message;
use crate::kit::postfix::{Postfix, Settings};
use crate::kit::stack::{Plan, Stack};
use crate::kit::work_dir::WorkDir;
use programs::{Account, READERS, SENDERS};

const ADDRESS: &str = "anna@acme.test";

/// Sends a message with every sender and reads the last one with every reader; `delivered` waits for one at the store.
fn send_and_read(
    sender: &Account<'_>,
    reader: &Account<'_>,
    delivered: impl Fn(&Message) -> anyhow::Result<String>,
) -> anyhow::Result<()> {
    let mut newest = None;
    for (name, send) in SENDERS {
        let message = Message::new(ADDRESS, ADDRESS, 50)?;
        send(sender, &message).with_context(|| format!("{name} sends"))?;
        let text = delivered(&message).with_context(|| format!("{name} sends"))?;
        message.check(&text).with_context(|| format!("{name} sends"))?;
        newest = Some(message);
    }
    let newest = newest.context("no sender")?;
    for (name, read) in READERS {
        let text = read(reader, &newest.marker).with_context(|| format!("{name} reads"))?;
        newest.check(&text).with_context(|| format!("{name} reads"))?;
    }
    Ok(())
}

/// Expects that no program can do anything with this account; all at once, because refusals are answered late.
fn expect_refusals(account: &Account<'_>) -> anyhow::Result<()> {
    let message = Message::new(ADDRESS, ADDRESS, 1)?;
    let (account, message) = (&account, &message);
    thread::scope(|scope| {
        let mut attempts = Vec::new();
        // Neomutt on a screen asks its user what to do, and waits.
        for (name, read) in READERS.into_iter().filter(|(name, _)| *name != "neomutt") {
            attempts.push((name, scope.spawn(move || read(account, &message.marker).is_err())));
        }
        for (name, send) in SENDERS {
            attempts.push((name, scope.spawn(move || send(account, message).is_err())));
        }
        for (name, refused) in attempts {
            ensure!(refused.join().is_ok_and(|refused| refused), "{name} was let in");
        }
        Ok(())
    })
}

#[test]
fn every_program_sends_and_reads_without_postern() -> anyhow::Result<()> {
    let certificates = Certificates::new()?;
    let dovecot = Dovecot::start(&certificates)?;
    let password = dovecot.add_mailbox(ADDRESS)?;
    let postfix = Postfix::start(
        &certificates,
        &Settings {
            domains: vec![("acme.test", &dovecot)],
            ..Settings::default()
        },
    )?;
    let dir = WorkDir::new("clients")?;
    let account = Account {
        imaps: dovecot.imaps,
        submissions: postfix.smtps,
        submission: postfix.smtp,
        certificates: &certificates,
        user: ADDRESS,
        password: &password,
        dir: &dir,
    };
    send_and_read(&account, &account, |message| {
        dovecot.wait_for_message(ADDRESS, &message.marker)
    })?;
    let strangers = Certificates::new()?;
    let dir = WorkDir::new("clients")?;
    expect_refusals(&Account {
        certificates: &strangers,
        dir: &dir,
        ..account
    })
    .context("with a certificate of an unknown authority")
}

#[test]
fn every_program_sends_with_one_device_and_reads_with_another() -> anyhow::Result<()> {
    let stack = Stack::start(&Plan::default())?;
    stack.add_mailbox(ADDRESS)?;
    let phone = stack.postern.add_device(ADDRESS, "Anna's iPhone")?;
    let crm = stack.postern.add_device(ADDRESS, "CRM")?;
    let (phone_dir, crm_dir) = (WorkDir::new("clients")?, WorkDir::new("clients")?);
    let sender = account(&stack, &phone.password, &phone_dir)?;
    let reader = account(&stack, &crm.password, &crm_dir)?;
    send_and_read(&sender, &reader, |message| {
        stack.dovecot.wait_for_message(ADDRESS, &message.marker)
    })?;
    stack
        .postfix
        .wait_for_log(&["sasl_method=XCLIENT", &format!("sasl_username={ADDRESS}")])?;

    stack.postern.revoke(&phone)?;
    expect_refusals(&sender).context("with a revoked device")?;
    let late = Message::new(ADDRESS, ADDRESS, 1)?;
    let (name, send) = SENDERS[0];
    send(&reader, &late).with_context(|| format!("{name} sends with the device that is left"))
}

fn account<'a>(stack: &'a Stack, password: &'a str, dir: &'a WorkDir) -> anyhow::Result<Account<'a>> {
    Ok(Account {
        imaps: stack.postern.port("imaps")?,
        submissions: stack.postern.port("submissions")?,
        submission: stack.postern.port("submission")?,
        certificates: &stack.certificates,
        user: ADDRESS,
        password,
        dir,
    })
}
