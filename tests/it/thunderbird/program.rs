//! Thunderbird itself, without a screen and with a profile that has never been used, and the person before it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::kit::certificates::Certificates;
use crate::kit::process::{self, Process};
use crate::kit::work_dir::WorkDir;

/// How long the person may say nothing: whatever they wait for themselves ends sooner, with a reason.
const SILENCE: Duration = Duration::from_secs(60);
/// Steps that the person tells of.
const TOLD_MAX: usize = 50;

/// A running Thunderbird; ended on drop.
pub(super) struct Thunderbird {
    /// Where it is told what to do.
    port: u16,
    _process: Process,
    _profile: WorkDir,
}

impl Thunderbird {
    /// Starts it with a profile that trusts the kit's authority, reaches the web through this proxy, and takes these
    /// names for this machine.
    pub(super) fn start(certificates: &Certificates, proxy: u16, names: &str) -> anyhow::Result<Self> {
        let profile = WorkDir::new("thunderbird")?;
        trust(certificates, profile.path())?;
        profile.write("user.js", &preferences(proxy, names))?;
        let mut command = Command::new("thunderbird");
        command
            .args([
                "--headless",
                "--no-remote",
                "--marionette",
                "--remote-allow-system-access",
            ])
            .arg("--profile")
            .arg(profile.path())
            .env("HOME", profile.path())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY");
        let mut process = Process::start("thunderbird", command, &profile.join("thunderbird.log"))?;
        let port = process.ready(|| {
            let text = fs::read_to_string(profile.join("MarionetteActivePort")).ok()?;
            text.trim().parse().ok()
        })?;
        Ok(Self {
            port,
            _process: process,
            _profile: profile,
        })
    }
}

/// Puts the authority into a new profile.
fn trust(certificates: &Certificates, profile: &Path) -> anyhow::Result<()> {
    let store = format!("sql:{}", profile.display());
    process::run(Command::new("certutil").args(["-N", "-d", &store, "--empty-password"]))?;
    let mut add = Command::new("certutil");
    add.args(["-A", "-d", &store, "-n", "kit", "-t", "C,,", "-i"])
        .arg(&certificates.authority);
    process::run(&add).map(drop)
}

/// The first start as everybody has it, but for the way to the network and for questions about the program itself.
fn preferences(proxy: u16, names: &str) -> String {
    let preferences = [
        ("marionette.port", json!(0)),
        ("network.proxy.type", json!(1)),
        ("network.proxy.http", json!("127.0.0.1")),
        ("network.proxy.http_port", json!(proxy)),
        ("network.proxy.ssl", json!("127.0.0.1")),
        ("network.proxy.ssl_port", json!(proxy)),
        ("network.proxy.no_proxies_on", json!("")),
        ("network.dns.localDomains", json!(names)),
        ("network.dns.disableIPv6", json!(true)),
        (
            "datareporting.policy.dataSubmissionPolicyBypassNotification",
            json!(true),
        ),
        ("mail.shell.checkDefaultClient", json!(false)),
        ("mailnews.start_page.enabled", json!(false)),
        ("app.update.enabled", json!(false)),
    ];
    let line = |(name, value): (&str, Value)| format!("user_pref(\"{name}\", {value});\n");
    preferences.into_iter().map(line).collect()
}

/// What a person has and wants.
pub(super) struct Person<'a> {
    pub(super) address: &'a str,
    pub(super) password: &'a str,
    /// The subject of the message that they send to themselves.
    pub(super) subject: &'a str,
    /// The mail exchanger of a domain.
    pub(super) exchangers: Value,
}

/// Lets a person set up their account and send a message; gives what the account then says of its servers.
pub(super) fn set_up(thunderbird: &Thunderbird, person: &Person<'_>) -> anyhow::Result<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let picture = folder(root)?.join(format!("{}.png", person.subject));
    let about = json!({
        "port": thunderbird.port,
        "name": "Anna Muster",
        "address": person.address,
        "password": person.password,
        "to": person.address,
        "subject": person.subject,
        "exchangers": person.exchangers,
        "picture": picture,
    });
    let mut child = Command::new("node")
        .arg(root.join("tests/it/thunderbird/person.mjs"))
        .env("POSTERN_PERSON", about.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start node: run scripts/setup")?;
    let told = listen(&mut child, &picture);
    child.kill().ok();
    child.wait()?;
    told
}

fn listen(child: &mut Child, picture: &Path) -> anyhow::Result<Value> {
    let stdout = child.stdout.take().context("no stdout")?;
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let (mut account, mut last) = (Value::Null, String::new());
    for _ in 0..TOLD_MAX {
        let line = lines
            .recv_timeout(SILENCE)
            .with_context(|| format!("the person at Thunderbird says nothing, since {last:?}"))?;
        let told: Value = serde_json::from_str(&line)?;
        if told.get("failed").is_some() {
            bail!(
                "{told:#}\nafter {last}\nwhat was on the screen is in {}",
                picture.display()
            );
        }
        if let Some(found) = told.get("account") {
            account = found.clone();
        }
        if told.get("done").is_some() {
            return Ok(account);
        }
        last = line;
    }
    bail!("the person at Thunderbird never comes to an end")
}

fn folder(root: &Path) -> anyhow::Result<PathBuf> {
    let folder = root.join("target/thunderbird-tests");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
