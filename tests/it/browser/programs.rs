//! A real mail program that stays signed in (`ImapFlow`), as a telephone does: it says who it is, opens the INBOX and idles.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::site::Manager;
use crate::kit::wait::PATIENCE;
use crate::kit::{secrets, wait};

/// The program; ended on drop.
pub(super) struct Phone {
    child: Child,
    told: Receiver<Value>,
}

impl Phone {
    /// Signs in. Where that is refused, what the server said is the error.
    pub(super) fn sign_in(site: &Manager, address: &str, password: &str) -> anyhow::Result<Self> {
        secrets::sent(password);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut child = Command::new("node")
            .arg(root.join("tests/it/clients/imapflow_hold.cjs"))
            .env("NODE_PATH", root.join("target/clients/node_modules"))
            .env("MAIL_PORT", site.postern.port("imaps")?.to_string())
            .env("MAIL_CA", &site.certificates.authority)
            .env("MAIL_USER", address)
            .env("MAIL_PASSWORD", password)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start node: run scripts/setup")?;
        let stdout = child.stdout.take().context("no stdout")?;
        let phone = Self {
            child,
            told: lines(stdout),
        };
        let told = phone.next()?;
        match told["state"].as_str() {
            Some("idle") => Ok(phone),
            Some("refused") => bail!("{}", told["said"].as_str().unwrap_or_default()),
            _ => bail!("the mail program said {told}"),
        }
    }

    /// Waits until the server has ended the session; gives what it said.
    pub(super) fn farewell(&self) -> anyhow::Result<String> {
        let told = self.next()?;
        match (told["state"].as_str(), told["said"].as_str()) {
            (Some("closed"), Some(said)) => Ok(said.to_owned()),
            _ => bail!("the session ended without a word: {told}"),
        }
    }

    fn next(&self) -> anyhow::Result<Value> {
        self.told
            .recv_timeout(PATIENCE)
            .context("the mail program says nothing")
    }
}

fn lines(stdout: ChildStdout) -> Receiver<Value> {
    let (sender, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
            if sender.send(value).is_err() {
                return;
            }
        }
    });
    told
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.child.kill().ok();
        let child = &mut self.child;
        wait::until("the mail program has ended", || Ok(child.try_wait()?)).ok();
    }
}
