//! Ends access: the registry of live sessions, the tail of the change log, and the ordering rule between the two; the
//! sweeper ends what has outlived its time.
//!
//! A login goes: verify (reads the epoch) → connect upstream → **register** → **read the epoch again** → OK only if it is
//! the same. A revocation goes: **commit** (change row and grown epoch in one transaction) → the tail reads the row → drop
//! entries → **end** registered sessions. So no revoked device stays inside: a login that registers before the end is
//! among those ended; one that registers after it registers after the commit, and its second reading sees the commit.
//! `tests::race` drives every interleaving of the real code, and shows that other orders fail. A login with a *new*
//! password in the instant between commit and end may be ended too, and comes back by itself.

mod admit;
mod index;
mod registry;
mod sweep;
mod tail;

#[cfg(test)]
mod tests;

pub use admit::{NotAdmitted, admit, admit_sender};
pub use registry::{LiveSession, Registry, SessionId, SessionInfo, SessionSnapshot};
pub use sweep::{IdleLimits, SWEEP_INTERVAL, Sweeper};
pub use tail::{Applied, Tail};
