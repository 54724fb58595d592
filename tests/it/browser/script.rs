//! Runs a script of `tests/browser`: starts it, answers what it asks, and keeps what it saw when it fails.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::answers::Answers;
use super::site::{HOST, Manager};
use crate::kit::{process, wait};

/// How long a script may say nothing. It tells of each page that it looks at, and whatever it waits for itself ends sooner,
/// with a reason.
const SILENCE: Duration = Duration::from_secs(60);

/// A script that is running; ended on drop.
struct Script {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

/// Runs the script with this name against these servers.
pub(super) fn run(name: &str, site: Manager) -> anyhow::Result<()> {
    let folder = folder(name)?;
    let log = folder.join("script.log");
    let mut answers = Answers::new(site);
    let played = Script::start(name, &answers.site, &folder, &log).and_then(|mut script| script.play(&mut answers));
    if let Err(error) = played {
        fs::write(folder.join("postern.log"), answers.site.postern.log())?;
        let told = process::tail(&log);
        // Not an error that is handed up: then the gateway's own end would be told of in its place.
        panic!("{error:#}\n{told}\nwhat the browser saw is in {}", folder.display());
    }
    answers.finish()
}

/// An empty folder for what a script leaves.
fn folder(name: &str) -> anyhow::Result<PathBuf> {
    let folder = root().join("target/browser-tests").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Script {
    fn start(name: &str, site: &Manager, folder: &Path, log: &Path) -> anyhow::Result<Self> {
        let about = json!({
            "name": name,
            "origin": format!("https://{HOST}"),
            "host": HOST,
            "port": site.postern.port("manager")?,
            "certificate": site.certificate.certificate,
            "authority": site.certificates.authority,
            "folder": folder,
        });
        let mut child = Command::new("node")
            .arg(root().join("tests/browser").join(format!("{name}.mjs")))
            .env("POSTERN_SITE", about.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .process_group(0)
            .spawn()
            .context("cannot start node: run scripts/setup")?;
        let stdin = child.stdin.take().context("no stdin")?;
        let stdout = child.stdout.take().context("no stdout")?;
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, stdin, lines })
    }

    /// Answers the script until it has ended.
    fn play(&mut self, answers: &mut Answers) -> anyhow::Result<()> {
        let mut last = String::new();
        loop {
            let line = match self.lines.recv_timeout(SILENCE) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => {
                    bail!("the script has said nothing for {} s, since {last}", SILENCE.as_secs())
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let asked: Value = serde_json::from_str(&line).with_context(|| format!("not a question: {line}"))?;
            let answer = match answers.answer(&asked) {
                Ok(answer) => json!({ "answer": answer }),
                // The script knows what it was about, and shows what its browsers had on the screen.
                Err(error) => json!({ "error": format!("{error:#}") }),
            };
            last = line;
            writeln!(self.stdin, "{answer}").context("the script has ended in the middle of a question")?;
        }
        let child = &mut self.child;
        let status = wait::until("the script has ended", || Ok(child.try_wait()?))?;
        if !status.success() {
            bail!("the script failed ({status})");
        }
        Ok(())
    }
}

impl Drop for Script {
    /// Asked to end, the script closes its browser; a browser whose script was killed ends by itself.
    fn drop(&mut self) {
        for signal in ["TERM", "KILL"] {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            let group = format!("-{}", self.child.id());
            Command::new("kill").args(["-s", signal, "--", &group]).status().ok();
            let child = &mut self.child;
            wait::until("the script has ended", || Ok(child.try_wait()?)).ok();
        }
    }
}
