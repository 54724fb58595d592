//! No dump of our memory: every command meets passwords or keys, and a core dump would keep them.

use rlimit::Resource;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use super::failure::Failure;

/// Forbids core dumps, and other processes of the same user to read our memory and environment.
///
/// The limit alone is not enough: the kernel ignores it where `core_pattern` is a pipe, as with systemd-coredump.
pub(super) fn forbid() -> Result<(), Failure> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| Failure::failed(format!("memory dumps cannot be switched off: {error}")))?;
    Resource::CORE
        .set(0, 0)
        .map_err(|error| Failure::failed(format!("core dumps cannot be switched off: {error}")))
}
