//! A process and everything that descends from it, read from `/proc` (proc(5)).

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::Context as _;

/// One process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    /// Its id.
    pub(crate) id: u32,
    /// CPU time of its children that have ended and were waited for, and of theirs. In ticks of 10 ms.
    pub(crate) reaped: Duration,
}

/// `USER_HZ`: part of the kernel's interface, 100 on every machine that Debian supports.
const TICK: Duration = Duration::from_millis(10);

/// The process and its living descendants; fails where the process itself is gone.
pub(crate) fn members(root: u32) -> anyhow::Result<Vec<Member>> {
    let mut children: BTreeMap<u32, Vec<Member>> = BTreeMap::new();
    let mut found = Vec::new();
    for process in fs::read_dir("/proc")? {
        let name = process?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // Processes end while we read.
        let Some((parent, member)) = read(id) else { continue };
        if id == root {
            found.push(member);
        } else {
            children.entry(parent).or_default().push(member);
        }
    }
    let mut at = 0;
    while let Some(member) = found.get(at) {
        found.extend(children.remove(&member.id).unwrap_or_default());
        at += 1;
    }
    (!found.is_empty())
        .then_some(found)
        .with_context(|| format!("process {root} has ended"))
}

/// Its parent and itself.
fn read(id: u32) -> Option<(u32, Member)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before the last bracket may hold anything.
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_ascii_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u32>().ok();
    let (parent, user, system) = (number(4)?, number(16)?, number(17)?);
    let reaped = TICK * (user + system);
    Some((parent, Member { id, reaped }))
}
