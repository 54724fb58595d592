//! What the demo does, in order.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use postern::clock::Clock;

use crate::kit::imap::Imap;
use crate::kit::message::Message;
use crate::kit::postern::{Device, Outcome};
use crate::kit::smtp::Smtp;
use crate::kit::stack::{DOMAIN, Stack};
use crate::narrator::Narrator;
use crate::office::SignIn;

/// The mailbox of the story.
pub(crate) const ADDRESS: &str = "anna@acme.test";
/// A further address of the mailbox.
pub(crate) const ALIAS: &str = "hello@acme.test";
const PHONE: &str = "Anna's iPhone";
const CRM: &str = "CRM";
/// What Postern promises for a revocation.
const PROMISE: Duration = Duration::from_secs(1);

/// Tells and checks the whole story; gives the device that is left.
pub(crate) fn tell(narrator: &mut Narrator, stack: &Stack, owner: &SignIn) -> anyhow::Result<Device> {
    let (phone, crm) = set_up(narrator, stack, owner)?;
    both_read_and_send(narrator, stack, &phone, &crm)?;
    wrong_passwords(narrator, stack, &phone)?;
    revoke_one_while_both_idle(narrator, stack, &phone, &crm)?;
    no_secret_was_logged(narrator, stack, &[&phone, &crm], &owner.password)?;
    Ok(crm)
}

fn set_up(narrator: &mut Narrator, stack: &Stack, owner: &SignIn) -> anyhow::Result<(Device, Device)> {
    narrator.step("Set up an organisation, a mailbox and two devices on the command line")?;
    let init = [
        "init",
        "--owner",
        &owner.address,
        "--name",
        "Sophie Laurent",
        "--org",
        "Acme",
        "--password-stdin",
    ];
    command_with_input(narrator, stack, &init, &owner.password)?;
    command(narrator, stack, &["domain", "create", DOMAIN, "--org", "Acme"])?;
    stack.dovecot.add_mailbox(ADDRESS)?;
    command(narrator, stack, &["mailbox", "create", ADDRESS])?;
    command(narrator, stack, &["alias", "create", ALIAS, "--mailbox", ADDRESS])?;
    let mut add = |label: &str| {
        narrator.tell(&format!("$ postern device add {ADDRESS} --label \"{label}\""));
        let device = stack.postern.add_device(ADDRESS, label);
        narrator.check(
            format!("\"{label}\" has a password, shown this once (and not in this output)"),
            device,
        )
    };
    Ok((add(PHONE)?, add(CRM)?))
}

fn both_read_and_send(narrator: &mut Narrator, stack: &Stack, phone: &Device, crm: &Device) -> anyhow::Result<()> {
    narrator.step(
        "Both devices read by IMAP and send by SMTP, with TLS and the same address, each with its own password",
    )?;
    let message = Message::new(ADDRESS, ALIAS, 200)?;
    let sent = stack
        .submission(phone)
        .and_then(|mut smtp| smtp.deliver(&message)?.expect(250));
    narrator.check(
        format!("\"{PHONE}\" logs in on the submissions port and sends a message to the alias hello@"),
        sent,
    )?;
    let read = stack
        .dovecot
        .wait_for_message(ADDRESS, &message.marker)
        .and_then(|_| newest(stack, crm, &message));
    narrator.check(
        format!("\"{CRM}\" logs in on the imaps port and reads it: not a byte changed"),
        read,
    )?;

    let message = Message::new(ADDRESS, ADDRESS, 200)?;
    let sent = submission_with_starttls(stack, crm).and_then(|mut smtp| smtp.deliver(&message)?.expect(250));
    narrator.check(format!("\"{CRM}\" sends with STARTTLS on the submission port"), sent)?;
    let read = stack
        .dovecot
        .wait_for_message(ADDRESS, &message.marker)
        .and_then(|_| newest(stack, phone, &message));
    narrator.check(format!("\"{PHONE}\" reads it: not a byte changed"), read)?;
    let logged = stack
        .postfix
        .wait_for_log(&["sasl_method=XCLIENT", &format!("sasl_username={ADDRESS}")]);
    narrator.check(
        "Postfix knows from Postern who the sender is, and never saw a password",
        logged,
    )?;
    Ok(())
}

fn newest(stack: &Stack, device: &Device, message: &Message) -> anyhow::Result<()> {
    message.check(&stack.inbox(device)?.newest()?)
}

fn submission_with_starttls(stack: &Stack, device: &Device) -> anyhow::Result<Smtp> {
    let mut smtp = Smtp::connect(stack.postern.port("submission")?)?.start_tls(&stack.certificates)?;
    smtp.ehlo()?.expect(250)?;
    smtp.auth_plain(&device.address, &device.password)?.expect(235)?;
    Ok(smtp)
}

fn wrong_passwords(narrator: &mut Narrator, stack: &Stack, phone: &Device) -> anyhow::Result<()> {
    narrator.step("Nothing else opens the mailbox")?;
    refused(narrator, stack, "a wrong password", ADDRESS, "not-the-password")?;
    refused(
        narrator,
        stack,
        "the alias with a right password",
        ALIAS,
        &phone.password,
    )?;
    refused(
        narrator,
        stack,
        "a mailbox that does not exist",
        "nobody@acme.test",
        &phone.password,
    )?;
    Ok(())
}

/// Tries a login by IMAP that must fail; gives the answer.
fn refused(narrator: &mut Narrator, stack: &Stack, what: &str, user: &str, password: &str) -> anyhow::Result<String> {
    let answer = stack
        .imap()
        .and_then(|mut imap| imap.login(user, password))
        .and_then(|answer| {
            ensure!(
                answer.status.starts_with("NO [AUTHENTICATIONFAILED]"),
                "the answer was {}",
                answer.status
            );
            Ok(answer.status)
        });
    let status = narrator.check(format!("refused: {what}"), answer)?;
    narrator.tell(&format!("        {status}"));
    Ok(status)
}

/// Shows and runs a command, and shows its answer.
pub(crate) fn command(narrator: &mut Narrator, stack: &Stack, arguments: &[&str]) -> anyhow::Result<()> {
    command_with_input(narrator, stack, arguments, "")
}

/// The same with a password from a pipe.
pub(crate) fn command_with_input(
    narrator: &mut Narrator,
    stack: &Stack,
    arguments: &[&str],
    input: &str,
) -> anyhow::Result<()> {
    let quoted: Vec<_> = arguments
        .iter()
        .map(|argument| {
            if argument.contains(' ') {
                format!("\"{argument}\"")
            } else {
                (*argument).to_owned()
            }
        })
        .collect();
    narrator.tell(&format!("$ postern {}", quoted.join(" ")));
    let answer = stack.postern.cli_with_input(arguments, input).and_then(Outcome::ok);
    let name: Vec<_> = arguments
        .iter()
        .take(2)
        .take_while(|word| !word.starts_with('-'))
        .copied()
        .collect();
    let answer = narrator.check(format!("postern {}", name.join(" ")), answer)?;
    narrator.tell(answer.trim_end());
    Ok(())
}

/// What a session in IDLE heard: the line and when.
type Heard = (String, Instant);

fn revoke_one_while_both_idle(
    narrator: &mut Narrator,
    stack: &Stack,
    phone: &Device,
    crm: &Device,
) -> anyhow::Result<()> {
    narrator.step("Revoke one device while both wait for mail (IDLE)")?;
    let mut phone_session = narrator.check(format!("\"{PHONE}\" idles"), idle(stack, phone))?.0;
    let (crm_session, crm_tag) = narrator.check(format!("\"{CRM}\" idles"), idle(stack, crm))?;
    command(narrator, stack, &["session", "list"])?;
    let clock = Clock::system();
    thread::scope(|scope| {
        let (phone_hears, phone_heard) = mpsc::channel::<anyhow::Result<Heard>>();
        let listener = Clock::system();
        scope.spawn(move || {
            let goodbye = phone_session.response().map(|line| (line, listener.now()));
            phone_hears.send(goodbye).ok();
            phone_session.wire.rest()
        });
        narrator.tell(&format!("$ postern device revoke \"{ADDRESS}/{PHONE}\""));
        let started = clock.now();
        let said = narrator.check("the command succeeds", stack.postern.revoke(phone))?;
        narrator.tell(said.trim_end());
        let (line, heard) = narrator.check("its session hears about it", phone_heard.recv().context("no answer")?)?;
        let took = heard.saturating_duration_since(started);
        narrator.tell(&format!("        {line}"));
        narrator.check(
            "what it hears is a goodbye, in order",
            holds(line.starts_with("* BYE"), &line),
        )?;
        let delay = format!("{} ms after the command was started", took.as_millis());
        narrator.check(&delay, holds(took < PROMISE, &delay))
    })?;

    the_revoked_one_is_out(narrator, stack, phone)?;
    the_other_one_noticed_nothing(narrator, stack, crm, (crm_session, crm_tag))
}

fn the_revoked_one_is_out(narrator: &mut Narrator, stack: &Stack, phone: &Device) -> anyhow::Result<()> {
    let status = refused(
        narrator,
        stack,
        "the next login of the revoked device",
        ADDRESS,
        &phone.password,
    )?;
    narrator.check(
        "whoever still has that password is told which device it was",
        holds(status.contains("iPhone"), &status),
    )?;
    let smtp = stack
        .smtp()
        .and_then(|mut smtp| smtp.auth_plain(ADDRESS, &phone.password)?.expect(535));
    narrator.check("refused: its next login to send", smtp)?;
    Ok(())
}

fn the_other_one_noticed_nothing(
    narrator: &mut Narrator,
    stack: &Stack,
    crm: &Device,
    (mut session, idle_tag): (Imap, String),
) -> anyhow::Result<()> {
    let message = Message::new(ADDRESS, ADDRESS, 20)?;
    let sent = stack
        .submission(crm)
        .and_then(|mut smtp| smtp.deliver(&message)?.expect(250));
    narrator.check(format!("\"{CRM}\" still sends"), sent)?;
    let heard = session.response().and_then(|line| {
        ensure!(line.ends_with(" EXISTS"), "the first thing it heard was {line}");
        Ok(line)
    });
    let line = narrator.check(
        format!("\"{CRM}\" still idles, and the new mail is the first thing it hears"),
        heard,
    )?;
    narrator.tell(&format!("        {line}"));
    let read = session
        .done(&idle_tag)
        .and_then(|answer| answer.ok())
        .and_then(|_| session.newest());
    narrator.check(
        format!("\"{CRM}\" reads it in the session it had all along"),
        read.and_then(|text| message.check(&text)),
    )
}

pub(crate) fn idle(stack: &Stack, device: &Device) -> anyhow::Result<(Imap, String)> {
    let mut imap = stack.inbox(device)?;
    let tag = imap.idle()?;
    Ok((imap, tag))
}

fn no_secret_was_logged(
    narrator: &mut Narrator,
    stack: &Stack,
    devices: &[&Device],
    password: &str,
) -> anyhow::Result<()> {
    narrator.step("Look for the passwords in what was logged")?;
    let logs = [stack.postern.log(), stack.postfix.log(), stack.dovecot.log()].concat();
    let secrets = devices
        .iter()
        .map(|device| device.password.as_str())
        .chain([stack.dovecot.master_password.as_str(), password]);
    let clean = !secrets.into_iter().any(|secret| logs.contains(secret));
    narrator.check(
        format!(
            "{} log lines of the three servers, and no password in them",
            logs.lines().count()
        ),
        holds(clean, "a log has one"),
    )
}

/// A condition as a check; `found` is what the failure shows.
pub(crate) fn holds(condition: bool, found: &str) -> anyhow::Result<()> {
    ensure!(condition, "found: {found}");
    Ok(())
}
