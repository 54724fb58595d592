//! CPU time of a process tree, user and system, to the nanosecond.
//!
//! Each living process is asked through its CPU clock (`clock_getcpuclockid`), which counts all its threads, those that
//! have ended included, by the scheduler's own account. The 10 ms ticks of `/proc/PID/stat` serve for children that
//! have ended only; the `schedstat` of threads would lose those that ended.

use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use super::tree;

/// CPU time of the tree since it was started.
pub(crate) fn of_tree(root: u32) -> anyhow::Result<Duration> {
    let members = tree::members(root)?;
    Ok(members.iter().map(|member| of_process(member.id) + member.reaped).sum())
}

/// A process that ended just now counts in its parent the next time.
fn of_process(id: u32) -> Duration {
    let pid = Pid::from_raw(i32::try_from(id).unwrap_or_default());
    clock_getcpuclockid(pid)
        .and_then(clock_gettime)
        .map(|time: TimeSpec| Duration::from(time))
        .unwrap_or_default()
}
