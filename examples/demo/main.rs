//! The demo: Postern's main job against a real Dovecot and a real Postfix, told step by step and checked.
//!
//! One mailbox, two devices with passwords of their own. Both read and send; one is revoked while both idle; it is
//! thrown out at once, and the other one notices nothing. Then people come: the Manager in the browser, with somebody
//! signed in. Ends with status 1 if a check fails. On a terminal the Manager stays up, with its address and a first
//! sign-in, until Enter or Ctrl-C. Everything the demo starts and writes is gone when it ends.
//! Run it with `make demo`, which installs the servers first.
#![expect(clippy::print_stdout, reason = "the demo tells its story on standard output")]

#[expect(dead_code, reason = "the integration tests use more of the kit than the demo")]
#[path = "../../tests/kit/mod.rs"]
mod kit;

mod by_hand;
mod narrator;
mod office;
mod story;

use std::io::{IsTerminal as _, stdin, stdout};
use std::process::ExitCode;
use std::sync::mpsc;

use tokio::signal::unix::{SignalKind, signal};

use kit::stack::{Plan, Stack};
use narrator::Narrator;
use office::SignIn;

/// Lines of the log that a failed demo shows.
const TROUBLES_SHOWN: usize = 10;

fn main() -> ExitCode {
    let (enough, end) = mpsc::channel();
    hear_end_signals(enough.clone());
    let mut narrator = Narrator::new(enough, end);
    match tell(&mut narrator) {
        Ok(()) => {
            println!(
                "\n{} checks, all ok. Everything is stopped and removed.",
                narrator.passed()
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("\nThe demo FAILED after {} good checks: {error:#}", narrator.passed());
            ExitCode::FAILURE
        }
    }
}

fn tell(narrator: &mut Narrator) -> anyhow::Result<()> {
    narrator.step("Start a real Dovecot, a real Postfix and Postern in front of both")?;
    let plan = Plan {
        aliases: vec![(story::ALIAS, story::ADDRESS), (office::ALIAS, office::INFO)],
        manager: true,
        ..Plan::default()
    };
    let stack = narrator.check("three servers are ready", Stack::start_empty(&plan))?;
    narrator.tell(&format!(
        "Dovecot: IMAP on port {}. Postfix: SMTP on port {}. They let Postern in, and no client's password opens them.",
        stack.dovecot.imap, stack.postfix.smtp
    ));
    let owner = SignIn::new(office::OWNER)?;
    let told = scenes(narrator, &stack, owner);
    // The servers and their logs are gone with the stack.
    if told.is_err() {
        for line in troubles(&stack.postern.log()) {
            println!("   log     {line}");
        }
    }
    told
}

fn scenes(narrator: &mut Narrator, stack: &Stack, owner: SignIn) -> anyhow::Result<()> {
    office::mailboxes(stack)?;
    let crm = story::tell(narrator, stack, &owner)?;
    let office = office::tell(narrator, stack, owner, &crm)?;
    if stdin().is_terminal() && stdout().is_terminal() {
        by_hand::invite(narrator, stack, &office)?;
    }
    Ok(())
}

/// What Postern warned of, the last of it.
fn troubles(log: &str) -> Vec<&str> {
    let is_trouble = |line: &&str| {
        ["\"WARN\"", "\"ERROR\"", "refused"]
            .iter()
            .any(|word| line.contains(word))
    };
    let mut troubles: Vec<&str> = log.lines().rev().filter(is_trouble).take(TROUBLES_SHOWN).collect();
    troubles.reverse();
    troubles
}

/// Hears Ctrl-C and its like from now on; without that, the servers would outlive the demo.
fn hear_end_signals(sender: mpsc::Sender<()>) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut terminate = signal(SignalKind::terminate())?;
            let mut hangup = signal(SignalKind::hangup())?;
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                if sender.send(()).is_err() {
                    return std::io::Result::Ok(());
                }
            }
        })
    });
}
