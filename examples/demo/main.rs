//! The demo: Postern's main job against a real Dovecot and a real Postfix, told step by step and checked.
//!
//! One mailbox, two devices with passwords of their own. Both read and send; one is revoked while both idle; it is
//! thrown out at once, and the other one notices nothing. Ends with status 1 if a check fails. On a terminal it then
//! stays up and says how to try by hand. Everything it starts and writes is gone when it ends, also after Ctrl-C.
//! Run it with `make demo`, which installs the servers first.
#![expect(clippy::print_stdout, reason = "the demo tells its story on standard output")]

#[expect(dead_code, reason = "the integration tests use more of the kit than the demo")]
#[path = "../../tests/kit/mod.rs"]
mod kit;

mod by_hand;
mod narrator;
mod story;

use std::io::{IsTerminal as _, stdin, stdout};
use std::process::ExitCode;
use std::sync::mpsc;

use tokio::signal::unix::{SignalKind, signal};

use kit::stack::{Plan, Stack};
use narrator::Narrator;

fn main() -> ExitCode {
    let mut narrator = Narrator::new(end_signals());
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
        aliases: vec![(story::ALIAS, story::ADDRESS)],
        ..Plan::default()
    };
    let stack = narrator.check("three servers are ready", Stack::start_empty(&plan))?;
    narrator.tell(&format!(
        "Dovecot: IMAP on port {}. Postfix: SMTP on port {}. They let Postern in, and no client's password opens them.",
        stack.dovecot.imap, stack.postfix.smtp
    ));
    story::tell(narrator, &stack)?;
    if stdin().is_terminal() && stdout().is_terminal() {
        by_hand::invite(narrator, &stack)?;
    }
    Ok(())
}

/// Hears Ctrl-C and its like from now on; without that, the servers would outlive the demo.
fn end_signals() -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel();
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
    receiver
}
