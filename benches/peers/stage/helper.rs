//! Starting this program again as one of its helpers.

use std::fs;
use std::process::Command;

use crate::helpers::{HELPER, Ports, Settings};
use crate::kit::process::Process;
use crate::kit::work_dir::WorkDir;

/// A running helper; ended when dropped.
pub(crate) struct Helper {
    /// Where it listens.
    pub(crate) ports: Ports,
    /// The process.
    pub(crate) process: Process,
    /// Its folder. After the process, which writes there.
    pub(crate) dir: WorkDir,
}

/// This program's path.
pub(crate) fn program() -> anyhow::Result<String> {
    Ok(std::env::current_exe()?.display().to_string())
}

impl Helper {
    /// Starts a helper beside us.
    pub(crate) fn start(name: &'static str, settings: &Settings) -> anyhow::Result<Self> {
        Self::start_as(name, Command::new(program()?), settings)
    }

    /// Starts a helper by a command that ends with this program's name.
    pub(crate) fn start_as(name: &'static str, mut command: Command, settings: &Settings) -> anyhow::Result<Self> {
        let dir = WorkDir::new(name)?;
        let log = dir.join("output.log");
        command.args([HELPER, name]).arg(serde_json::to_string(settings)?);
        let mut process = Process::start(name, command, &log)?;
        let ports = process.ready(|| {
            let said = fs::read_to_string(&log).ok()?;
            said.lines().find_map(|line| serde_json::from_str(line).ok())
        })?;
        Ok(Self { ports, process, dir })
    }
}
