//! Memory of a process tree: its proportional share of every page (`Pss` of `/proc/PID/smaps_rollup`), so that pages
//! shared between workers count once.

use std::fs;

use anyhow::{Context as _, bail};

use super::tree;
use crate::kit::process;

/// KiB of the tree.
pub(crate) fn pss_kib(root: u32) -> anyhow::Result<u64> {
    let mut sum = 0;
    for member in tree::members(root)? {
        sum += of_process(member.id, member.id == root)?;
    }
    Ok(sum)
}

fn of_process(id: u32, must_live: bool) -> anyhow::Result<u64> {
    let path = format!("/proc/{id}/smaps_rollup");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        // Postern's memory is closed to its own user.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            let read = process::as_root("cat").arg(&path).output()?;
            if !read.status.success() {
                bail!("cannot read {path}; be root or allow sudo without a password");
            }
            String::from_utf8_lossy(&read.stdout).into_owned()
        }
        Err(error) if must_live => return Err(error).with_context(|| format!("cannot read {path}")),
        Err(_) => return Ok(0),
    };
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kib.with_context(|| format!("{path} has no Pss"))
}
