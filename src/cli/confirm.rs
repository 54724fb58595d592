//! Asking before something is destroyed.

use std::io::{self, BufRead, IsTerminal, Write};

use super::failure::Failure;

/// An answer is one short word.
const MAX_ANSWER: u64 = 64;

/// Asks on a terminal; without one the answer must have been given with `--yes`.
pub(super) fn confirm(effect: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::usage(format!(
            "{effect} Nothing was changed: add --yes to do it without being asked"
        )));
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "{effect} Go on? [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::Read::take(io::stdin().lock(), MAX_ANSWER).read_line(&mut answer)?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(Failure::failed("nothing was changed"))
    }
}
