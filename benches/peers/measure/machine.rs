//! The machine: which processors the proxy and everything else are bound to, how many files may be open, and how much
//! of a measurement's time somebody else took.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use postern::clock::Clock;
use serde::Serialize;

use super::cpu;

/// Files that the largest work opens in the proxy: 9,500 sessions with two sockets each, and some.
pub(crate) const WANTED_FILES: u64 = 20_000;
/// Share of all processors' time that others may take before a measurement counts as disturbed.
const MAX_FOREIGN: f64 = 0.03;
/// The same for time that the host took from this virtual machine.
const MAX_STOLEN: f64 = 0.01;
/// `USER_HZ` is 100 everywhere.
const TICK_MS: u64 = 10;

fn ticks_time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * TICK_MS)
}

/// Where the two sides run; neither is bound where there is one processor only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    /// The proxy under test; generator, store and everything else have another one.
    pub(crate) proxy: Option<usize>,
}

impl Cores {
    /// Picks them, and binds this process, and all that it starts, to its side.
    pub(crate) fn bind() -> anyhow::Result<Self> {
        let this = Pid::from_raw(0);
        let allowed = sched_getaffinity(this)?;
        let cores: Vec<usize> = (0..CpuSet::count())
            .filter(|core| allowed.is_set(*core).unwrap_or(false))
            .collect();
        let &[others, .., proxy] = cores.as_slice() else {
            return Ok(Self { proxy: None });
        };
        let mut set = CpuSet::new();
        set.set(others)?;
        sched_setaffinity(this, &set)?;
        Ok(Self { proxy: Some(proxy) })
    }
}

/// Raises the number of open files as far as the system lets us; gives it.
pub(crate) fn raise_files() -> anyhow::Result<u64> {
    Ok(rlimit::increase_nofile_limit(u64::MAX)?)
}

/// What the report says of the machine.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Description {
    processor: String,
    cores: usize,
    memory_mib: u64,
    kernel: String,
    system: String,
}

impl Description {
    /// Reads it.
    pub(crate) fn read() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split([':', '='])
                .nth(1)
                .unwrap_or_default()
                .trim()
                .trim_matches('"')
                .to_owned()
        };
        let processors = read("/proc/cpuinfo");
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let memory = memory.trim_end_matches(" kB").parse::<u64>().unwrap_or_default();
        Self {
            processor: field(&processors, "model name"),
            cores: processors.lines().filter(|line| line.starts_with("processor")).count(),
            memory_mib: memory / 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            system: field(&read("/etc/os-release"), "PRETTY_NAME"),
        }
    }

    /// In one line.
    pub(crate) fn line(&self) -> String {
        let Self {
            processor,
            cores,
            memory_mib,
            kernel,
            system,
        } = self;
        format!("{processor}, {cores} cores, {memory_mib} MiB; {system}, Linux {kernel}")
    }
}

/// The processors' time at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    at: Instant,
    cores: u32,
    busy: Duration,
    stolen: Duration,
    own: Duration,
}

/// Who else used the processors between two moments, as shares of all their time.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize)]
pub(crate) struct Disturbance {
    /// Processes that are not ours.
    pub(crate) foreign: f64,
    /// The host.
    pub(crate) stolen: f64,
}

impl Moment {
    /// Reads it. Everything that we started descends from this process.
    pub(crate) fn now() -> anyhow::Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        let mut cores = 0;
        let mut all = None;
        for line in stat.lines().take_while(|line| line.starts_with("cpu")) {
            match line.strip_prefix("cpu ") {
                Some(ticks) => all = Some(ticks),
                None => cores += 1,
            }
        }
        let ticks: Vec<u64> = all
            .context("/proc/stat has no line of all processors")?
            .split_ascii_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let &[user, nice, system, _idle, _waiting, hard, soft, stolen, ..] = ticks.as_slice() else {
            anyhow::bail!("/proc/stat has too few columns");
        };
        Ok(Self {
            at: Clock::system().now(),
            cores,
            busy: ticks_time(user + nice + system + hard + soft),
            stolen: ticks_time(stolen),
            own: cpu::of_tree(std::process::id())?,
        })
    }

    /// How long after this another point in time is.
    pub(crate) fn until(&self, later: Instant) -> Duration {
        later.saturating_duration_since(self.at)
    }

    /// What others did from then until `self`.
    pub(crate) fn since(&self, then: &Self) -> Disturbance {
        let time = self.at.duration_since(then.at) * self.cores;
        let share = |taken: Duration| taken.as_secs_f64() / time.as_secs_f64().max(f64::EPSILON);
        let busy = self.busy.saturating_sub(then.busy);
        Disturbance {
            foreign: share(busy.saturating_sub(self.own.saturating_sub(then.own))),
            stolen: share(self.stolen.saturating_sub(then.stolen)),
        }
    }
}

impl Disturbance {
    /// Whether the measurement should be made again.
    pub(crate) fn is_much(&self) -> bool {
        self.foreign > MAX_FOREIGN || self.stolen > MAX_STOLEN
    }

    /// For comparing two of them: the larger the worse.
    pub(crate) fn sum(&self) -> f64 {
        self.foreign + self.stolen
    }
}
