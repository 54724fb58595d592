//! The proxies that are measured, each started as the caller in a folder of its own, bound to the proxies' processor.
//!
//! All stand before the same store, show the same certificate and know the same users. What a proxy has on by default
//! stays on; only caps are raised where many sessions come from one machine.

mod dovecot;
mod floor;
mod haproxy;
mod nginx;
pub(crate) mod postern;
pub(crate) mod versions;

use std::fmt;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use serde::Serialize;

use crate::kit::process::Process;
use crate::kit::work_dir::WorkDir;
use crate::measure::{cpu, memory};
use crate::stage::Stage;

/// How often a proxy that cannot be told "any port" is started with fresh ones.
const ATTEMPTS: usize = 5;

/// A proxy, with the settings that make it one of the compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Peer {
    /// The floor of a login: a TLS server with nothing behind it.
    Null,
    /// The same, but NO is the answer to every login.
    NullRefusing,
    /// The floor of a proxy: TLS before a blind copy.
    Splice,
    /// Ends TLS and knows no login.
    Haproxy,
    /// The mail proxy, with an `auth_http` that is not counted.
    Nginx,
    /// The login proxy, passwords in clear in its data base.
    Dovecot,
    /// The login proxy with its own Argon2id hashes.
    DovecotArgon2,
    /// Postern.
    Postern,
    /// Postern with TLS towards the store.
    PosternTls,
}

impl Peer {
    /// All of them, in the order of reports.
    pub(crate) const ALL: [Self; 9] = [
        Self::Null,
        Self::NullRefusing,
        Self::Splice,
        Self::Haproxy,
        Self::Nginx,
        Self::Dovecot,
        Self::DovecotArgon2,
        Self::Postern,
        Self::PosternTls,
    ];

    /// Its name in reports and in `--peers`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::NullRefusing => "null-refusing",
            Self::Splice => "splice",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
            Self::Dovecot => "dovecot",
            Self::DovecotArgon2 => "dovecot-argon2",
            Self::Postern => "postern",
            Self::PosternTls => "postern-tls",
        }
    }

    /// Whether every login with the right password costs it a hash run.
    pub(crate) const fn hashes_each_login(self) -> bool {
        matches!(self, Self::DovecotArgon2)
    }

    /// Whether the first login of each device costs it a hash run.
    pub(crate) const fn hashes_first_login(self) -> bool {
        matches!(self, Self::Postern | Self::PosternTls)
    }

    /// Starts it.
    ///
    /// # Errors
    /// It is not installed or did not start; the error ends with its log.
    pub(crate) fn start(self, stage: &Stage) -> anyhow::Result<Proxy> {
        match self {
            Self::Null | Self::NullRefusing | Self::Splice => floor::start(self, stage),
            Self::Haproxy => haproxy::start(stage),
            Self::Nginx => nginx::start(stage),
            Self::Dovecot | Self::DovecotArgon2 => dovecot::start(self, stage),
            Self::Postern | Self::PosternTls => postern::start(self, stage, stage.site()),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A running proxy; ended when dropped.
pub(crate) struct Proxy {
    /// Which one.
    pub(crate) peer: Peer,
    /// Port of IMAP over TLS.
    pub(crate) imap: u16,
    /// Port of SMTP over TLS.
    pub(crate) smtp: u16,
    /// What only Postern has.
    pub(crate) daemon: Option<postern::Daemon>,
    process: Process,
    // After the process, which writes there.
    _dir: WorkDir,
}

impl Proxy {
    /// CPU time of all its processes since its start.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        cpu::of_tree(self.process.id())
    }

    /// Memory of all its processes.
    pub(crate) fn pss_kib(&self) -> anyhow::Result<f64> {
        #[expect(clippy::cast_precision_loss, reason = "no process has 2^52 KiB")]
        memory::pss_kib(self.process.id()).map(|kib| kib as f64)
    }
}

/// A command bound to the proxies' processor, where there is one.
///
/// # Errors
/// There is no such program.
pub(crate) fn pinned(stage: &Stage, program: &str) -> anyhow::Result<Command> {
    ensure!(
        Path::new(program).exists(),
        "{program} is not installed: run scripts/setup bench"
    );
    Ok(match stage.cores.proxy {
        Some(core) => {
            let mut command = Command::new("taskset");
            command.args(["--cpu-list", &core.to_string(), program]);
            command
        }
        None => Command::new(program),
    })
}

/// Whether somebody listens on both ports; what is found out by connections that say nothing.
fn listen(imap: u16, smtp: u16) -> Option<()> {
    let listens = |port: &u16| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok();
    [imap, smtp].iter().all(listens).then_some(())
}

/// Starts a proxy with fresh ports until it gets them.
fn with_ports(start: impl Fn(u16, u16) -> anyhow::Result<Proxy>) -> anyhow::Result<Proxy> {
    let mut attempt = 1;
    loop {
        let (imap, smtp) = (crate::kit::ports::free()?, crate::kit::ports::free()?);
        match start(imap, smtp) {
            Err(error) if attempt < ATTEMPTS && format!("{error:#}").contains("ddress already in use") => attempt += 1,
            result => return result,
        }
    }
}
