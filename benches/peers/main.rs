//! Postern beside its peers: the same work, the same store, the same certificate, in one run on one machine.
//!
//! `cargo bench --bench peers` (or `make bench`) runs everything, `-- --quick` a part in less than two minutes,
//! `-- login-imap fetch` the works of these names. Without cargo's `--bench`, as under `cargo test`, each work runs once
//! in its smallest form: that it ends and moved the right octets is checked, its time is not. `docs/performance.md`
//! explains the works and how to read the result.
//!
//! A work or a peer that fails is told by name, the rest runs, and the exit code is 1. A goal that is missed is told in
//! the table.
#![expect(clippy::print_stdout, reason = "the result goes to standard output")]

#[expect(dead_code, reason = "the integration tests use more of the kit")]
#[path = "../../tests/kit/mod.rs"]
mod kit;

mod browser;
mod generator;
mod helpers;
mod measure;
mod options;
mod proxies;
mod report;
mod rounds;
mod stage;
mod works;

use std::io::{Write as _, stderr};
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use measure::machine::{self, Cores};
use options::Options;
use rounds::Results;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let ended = match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(word), Some(name), Some(settings)) if word == helpers::HELPER => {
            helpers::run(&name, &settings).map(|()| true)
        }
        _ => compare(&Options::read()),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            tell(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs the works and prints what came of them; whether nothing failed.
fn compare(options: &Options) -> anyhow::Result<bool> {
    if options.list {
        for work in works::ALL {
            println!("{:16} {}", work.name(), work.about());
        }
        return Ok(true);
    }
    let works = options.works()?;
    if works.is_empty() {
        return Ok(true);
    }
    // Before the first thread: threads and processes inherit it.
    let cores = Cores::bind()?;
    let files = machine::raise_files()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let results = runtime.block_on(async {
        let mut results = Results::new(options, files);
        let finished = tokio::select! {
            finished = rounds::run(options, &works, cores, files, &mut results) => finished,
            // Everything that was started is ended on the way out.
            signal = ending() => Err(anyhow::anyhow!("ended by {}", signal?)),
        };
        finished.map(|()| results)
    })?;
    report::show(options, &results)?;
    Ok(results.failures.is_empty())
}

/// Waits for a signal that asks to end.
async fn ending() -> anyhow::Result<&'static str> {
    let [mut interrupt, mut terminate, mut hang_up] = [
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
    ];
    Ok(tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
        _ = hang_up.recv() => "SIGHUP",
    })
}

/// Says how far it is.
fn tell(line: &str) {
    // Nobody may be listening any more.
    let _ = writeln!(stderr(), "{line}");
}
