//! `postern completions`: completion scripts.

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::Cli;
use super::failure::Failure;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postern completions bash > /etc/bash_completion.d/postern")]
pub(super) struct Args {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    clap_complete::generate(args.shell, &mut Cli::command(), "postern", &mut std::io::stdout());
    Ok(())
}
