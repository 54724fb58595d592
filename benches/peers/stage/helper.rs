//! Starting this program again as one of its helpers.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;

use anyhow::Context as _;
use serde::de::DeserializeOwned;

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

    /// Starts a helper that leaves the processor to all others.
    pub(crate) fn start_behind(name: &'static str, settings: &Settings) -> anyhow::Result<Self> {
        let mut command = Command::new("nice");
        command.args(["-n", "10", &program()?]);
        Self::start_as(name, command, settings)
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

    /// Says a line to its control port and reads the answer.
    pub(crate) fn ask<T: DeserializeOwned>(&self, line: &str) -> anyhow::Result<T> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.control))?;
        stream.write_all(format!("{line}\n").as_bytes())?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        serde_json::from_str(&answer).context("a helper's answer")
    }
}
