//! A server process: started in a process group of its own, its output in a file, ended when dropped.
//!
//! Only processes started here are ever signalled, by their id. An end is waited for until the whole group is gone,
//! so that no child of a server outlives its test; the group is killed only where it does not end in order.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context as _, bail};

use super::wait;

/// How much of a log an error shows.
const LOG_TAIL_BYTES: usize = 4000;

/// A running server.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
    privileged: bool,
}

impl Process {
    /// Starts `command` with its output appended to `log`.
    pub(crate) fn start(name: &'static str, command: Command, log: &Path) -> anyhow::Result<Self> {
        Self::spawn(name, command, log, false)
    }

    /// The same for a command made by [`as_root`]: signals are sent with the same means.
    pub(crate) fn start_as_root(name: &'static str, command: Command, log: &Path) -> anyhow::Result<Self> {
        Self::spawn(name, command, log, true)
    }

    fn spawn(name: &'static str, mut command: Command, log: &Path, privileged: bool) -> anyhow::Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}: run scripts/setup"))?;
        Ok(Self {
            name,
            child,
            log: log.to_owned(),
            privileged,
        })
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until `ready` finds something.
    ///
    /// # Errors
    /// The process ended meanwhile, or nothing was found in time; the error shows the end of the log.
    pub(crate) fn ready<T>(&mut self, mut ready: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
        let name = self.name;
        let child = &mut self.child;
        wait::until(&format!("{name} is ready"), || {
            if let Some(status) = child.try_wait()? {
                bail!("{name} ended at once ({status})");
            }
            Ok(ready())
        })
        .with_context(|| format!("the log of {name} ends with\n{}", tail(&self.log)))
    }

    /// Sends a signal (`TERM`, `HUP`, `KILL`, ...) to the process.
    pub(crate) fn signal(&self, signal: &str) -> anyhow::Result<()> {
        self.kill(signal, &self.id().to_string())
    }

    fn kill(&self, signal: &str, target: &str) -> anyhow::Result<()> {
        let script = format!("kill -s {signal} -- {target}");
        let mut shell = if self.privileged {
            as_root("sh")
        } else {
            Command::new("sh")
        };
        let status = shell.args(["-c", &script]).stderr(Stdio::null()).status()?;
        if !status.success() {
            bail!("cannot send {signal} to {} ({target})", self.name);
        }
        Ok(())
    }

    /// Waits until the process has ended by itself, then ends what it left behind.
    ///
    /// # Errors
    /// It did not end in time and was killed.
    pub(crate) fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        let group = self.id();
        let child = &mut self.child;
        let ended = wait::until(&format!("{} has ended", self.name), || Ok(child.try_wait()?));
        if group_lives(group) {
            // Dovecot's login processes outlive their master as long as a client is connected.
            let signal = if ended.is_ok() { "TERM" } else { "KILL" };
            self.kill(signal, &format!("-{group}")).ok();
            wait::until(&format!("the children of {} have ended", self.name), || {
                Ok((!group_lives(group)).then_some(()))
            })?;
        }
        ended
    }

    /// Kills the whole group without a warning and waits for its end.
    pub(crate) fn crash(&mut self) -> anyhow::Result<()> {
        self.kill("KILL", &format!("-{}", self.id()))?;
        self.wait().map(drop)
    }

    /// Asks the process to end (SIGTERM) and waits for it.
    pub(crate) fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        if self.child.try_wait()?.is_none() {
            self.signal("TERM")?;
        }
        self.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop().ok();
    }
}

/// Whether a process of this group is running. A dead one that nobody has waited for does not count: a container's
/// first process may never do so.
fn group_lives(group: u32) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else {
        return false;
    };
    processes.filter_map(Result::ok).any(|process| {
        let Ok(stat) = fs::read_to_string(process.path().join("stat")) else {
            return false;
        };
        // The name before the last bracket may hold anything; behind it stand state, parent and group.
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
        let state = fields.next();
        state != Some("Z") && fields.nth(1).and_then(|field| field.parse().ok()) == Some(group)
    })
}

/// A command that runs with root's rights: directly for root, through sudo without a password for others.
pub(crate) fn as_root(program: &str) -> Command {
    if is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", "--", program]);
    command
}

/// Whether the kit runs as root.
pub(crate) fn is_root() -> bool {
    id("-u").is_ok_and(|id| id == "0")
}

/// What `id` says about the caller, such as `-u` for the numeric user id.
pub(crate) fn id(option: &str) -> anyhow::Result<String> {
    run(Command::new("id").arg(option)).map(|id| id.trim().to_owned())
}

/// Runs a command without input to its end and gives its standard output.
///
/// # Errors
/// It failed or took too long; the error shows what it said.
pub(crate) fn run(command: &Command) -> anyhow::Result<String> {
    run_with_input(command, "")
}

/// The same with text on its standard input.
pub(crate) fn run_with_input(command: &Command, input: &str) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    // A program that ignores its input must not end in a broken pipe, and one that hangs must end.
    let mut file = tempfile::tempfile()?;
    file.write_all(input.as_bytes())?;
    file.seek(SeekFrom::Start(0))?;
    let mut limited = Command::new("timeout");
    limited
        .arg(wait::PATIENCE.as_secs().to_string())
        .arg(&program)
        .args(command.get_args());
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = limited
        .stdin(file)
        .output()
        .with_context(|| format!("cannot run {program}: run scripts/setup"))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!(
            "{program} failed ({})\n{stdout}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(stdout)
}

/// The end of a log file, for an error.
pub(crate) fn tail(log: &Path) -> String {
    let mut text = Vec::new();
    if let Ok(mut file) = File::open(log) {
        file.read_to_end(&mut text).ok();
    }
    let start = text.len().saturating_sub(LOG_TAIL_BYTES);
    String::from_utf8_lossy(&text[start..]).into_owned()
}
