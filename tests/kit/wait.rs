//! Waiting for something that another process does: look, pause shortly, look again, until a deadline.
//!
//! The pause only bounds the cost of looking; nothing here assumes that a span of time was enough.

use std::time::Duration;

use anyhow::bail;
use postern::clock::Clock;

/// How long anything in the kit is waited for. Generous: machines under test are slow and shared.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(5);

/// Looks until `look` finds something.
///
/// # Errors
/// Nothing was found within [`PATIENCE`], or `look` failed; the error names `what`.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    let clock = Clock::system();
    let start = clock.now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if clock.now().duration_since(start) > PATIENCE {
            bail!("waited {} s in vain until {what}", PATIENCE.as_secs());
        }
        std::thread::park_timeout(PAUSE);
    }
}
