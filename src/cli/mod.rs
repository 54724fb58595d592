//! The command line: thin over `directory`, one file a family of commands.
//!
//! Data goes to stdout, everything else to stderr. Every command has `--json` with stable field names (docs/cli.md),
//! and every failure an exit code that scripts can tell apart (`failure::Exit`). Commands work on the store
//! directly, with or without a running daemon; where a change ends sessions, the daemon is asked over its control
//! socket how many, and the truth is printed.

mod alias;
mod args;
mod audit;
mod check;
mod completions;
mod confirm;
mod control;
mod daemon;
mod device;
mod dns;
mod doctor;
mod domain;
mod dumps;
mod failure;
mod grant;
mod import;
mod init;
mod invite;
mod key;
mod load;
mod local;
mod mail;
mod mailbox;
mod notices;
mod org;
mod output;
mod people;
mod role;
mod secret_input;
mod serve;
mod session;
mod time;
mod token;
mod user;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command, Family};
use failure::Failure;
use local::Local;
use output::Output;

use crate::model::password::{PlainPassword, Typed};

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    // Before anything is read, and before clap could repeat an argument that should not be one.
    if let Err(failure) = dumps::forbid().and_then(|()| refuse_passwords(std::env::args_os())) {
        Output::new(false).failure(&failure);
        return failure.exit.into();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return unparsed(&error),
    };
    let output = Output::new(cli.json);
    match dispatch(cli, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            failure.exit.into()
        }
    }
}

/// Refuses arguments that look like a device password, right or mistyped: as a label or a name it would be stored,
/// audited and logged, and as anything else an error message would repeat it.
fn refuse_passwords(arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let is_password = |word: &str| !matches!(PlainPassword::read(word.as_bytes()), Typed::Other(_));
    let refused = arguments.skip(1).any(|argument| {
        let argument = argument.to_string_lossy();
        let value = argument.split_once('=').map(|(_, value)| value);
        is_password(&argument) || value.is_some_and(is_password)
    });
    if refused {
        return Err(Failure::usage(
            "an argument looks like a device password; no command takes one, and on the command line others can see it: if it is in use, run `postern device replace`",
        ));
    }
    Ok(())
}

/// Help, the version, or a wrong usage: clap's own words, in JSON where that was asked for.
fn unparsed(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        let sentence = text.split("\n\n").next().unwrap_or_default();
        let words: Vec<&str> = sentence.trim_start_matches("error: ").split_whitespace().collect();
        let failure = Failure::usage(words.join(" "));
        Output::new(true).failure(&failure);
        return failure.exit.into();
    }
    // Nobody to tell is no reason to end otherwise.
    let _ = error.print();
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn dispatch(cli: Cli, output: &Output) -> Result<(), Failure> {
    match cli.command {
        Command::Serve => serve::run(&cli.config),
        Command::Init(args) => init::run(args, &cli.config, output),
        Command::Check(args) => check::run(args, &cli.config, output),
        Command::Status => wait_for(daemon::status(&cli.config, output)),
        Command::Reload => wait_for(daemon::reload(&cli.config, output)),
        Command::Completions(args) => completions::run(args),
        Command::Doctor(args) => wait_for(doctor::run(args, &cli.config, output)),
        Command::Load(command) => on_all_cores(load::run(command, output)),
        Command::Family(family) => wait_for(async {
            let local = Local::open(&cli.config).await?;
            family_command(family, &local, output).await
        }),
    }
}

async fn family_command(family: Family, local: &Local, output: &Output) -> Result<(), Failure> {
    match family {
        Family::Alias(command) => alias::run(command, local, output).await,
        Family::Audit(args) => audit::run(*args, local, output).await,
        Family::Device(command) => Box::pin(device::run(*command, local, output)).await,
        Family::Dns(command) => dns::run(command, local, output).await,
        Family::Domain(command) => domain::run(command, local, output).await,
        Family::Grant(command) => Box::pin(grant::run(command, local, output)).await,
        Family::Import(args) => import::run(args, local, output).await,
        Family::Invite(command) => Box::pin(invite::run(*command, local, output)).await,
        Family::Key(command) => key::run(command, local, output).await,
        Family::Mail(command) => mail::run(command, local, output).await,
        Family::Mailbox(command) => mailbox::run(command, local, output).await,
        Family::Org(command) => org::run(command, local, output).await,
        Family::Role(command) => Box::pin(role::run(command, local, output)).await,
        Family::Session(command) => session::run(command, local, output).await,
        Family::Token(command) => Box::pin(token::run(*command, local, output)).await,
        Family::User(command) => Box::pin(user::run(*command, local, output)).await,
    }
}

/// Runs one command's future on as many threads as the machine has cores.
fn on_all_cores(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::failed)?;
    runtime.block_on(command)
}

/// Runs one command's future on this thread.
fn wait_for(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::failed)?;
    runtime.block_on(command)
}
