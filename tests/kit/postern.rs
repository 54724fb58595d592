//! The real `postern` program: its own folder, configuration and keys, any free ports, and its command line.
//!
//! The program is taken from where cargo puts it beside the caller; `make` builds it first. What the command line is
//! called and prints stands only here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::certificates::Certificates;
use super::dovecot::{Dovecot, MASTER_SEPARATOR, MASTER_USER};
use super::postfix::Postfix;
use super::process::{self, Process};
use super::secrets::Secrets;
use super::wait;
use super::wire::Wire;
use super::work_dir::WorkDir;

/// How Postern logs in upstream, named as in the configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Login {
    /// `box*master`.
    MasterUser,
    /// SASL PLAIN with an authorization identity.
    Authzid,
    /// XCLIENT ADDR and LOGIN (SMTP).
    Xclient,
    /// Nothing at all (SMTP).
    TrustedNetwork,
    /// The mailbox's own password, kept by Postern.
    Stored,
}

/// One route: a store and a submission server of some mail domains.
#[derive(Debug)]
pub(crate) struct Route<'a> {
    /// Its name in logs.
    pub(crate) name: &'a str,
    /// Its mail domains; none for the default route.
    pub(crate) domains: Vec<&'a str>,
    /// The store, and how to log in there.
    pub(crate) imap: (&'a Dovecot, Login),
    /// The submission server, and how to log in there.
    pub(crate) smtp: (&'a Postfix, Login),
}

/// What differs between tests.
#[derive(Debug, Default)]
pub(crate) struct Settings<'a> {
    /// All routes.
    pub(crate) routes: Vec<Route<'a>>,
    /// A further listener `imaps-proxy` that demands a PROXY header from 127.0.0.1.
    pub(crate) proxy_listener: bool,
    /// Further sections of the configuration file. `[tls]`, `[admin]`, listeners and routes are there already, `[log]`
    /// and `[sessions]` (with a short drain) only where this has none.
    pub(crate) sections: &'a str,
}

/// A new device: its password is known here and nowhere else.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    /// `address/label`, as commands take it.
    pub(crate) path: String,
    /// The mailbox's address, the login name.
    pub(crate) address: String,
    /// The device's password.
    pub(crate) password: String,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Its exit status.
    pub(crate) code: i32,
    /// Data.
    pub(crate) stdout: String,
    /// Everything else.
    pub(crate) stderr: String,
}

impl Outcome {
    /// The standard output, if the command succeeded.
    ///
    /// # Errors
    /// It failed; the error shows what it said.
    pub(crate) fn ok(self) -> anyhow::Result<String> {
        if self.code != 0 {
            bail!("the command failed ({}): {}{}", self.code, self.stdout, self.stderr);
        }
        Ok(self.stdout)
    }
}

/// A running (or stopped) Postern.
#[derive(Debug)]
pub(crate) struct Postern {
    process: Option<Process>,
    listeners: BTreeMap<String, SocketAddr>,
    secrets: Secrets,
    dir: WorkDir,
}

impl Postern {
    /// Writes the configuration, runs `postern init` and starts the daemon.
    pub(crate) fn start(certificates: &Certificates, settings: &Settings<'_>) -> anyhow::Result<Self> {
        let dir = WorkDir::new("daemon")?;
        let secrets = Secrets::default();
        let config = config(&dir, certificates, settings, &secrets)?;
        dir.write("postern.toml", &config)?;
        secrets.add_file(&dir.join("data/server.key"));
        secrets.add_file(&dir.join("data/set-up-link"));
        let mut postern = Self {
            process: None,
            listeners: BTreeMap::new(),
            secrets,
            dir,
        };
        postern.cli(&["init"])?.ok()?;
        postern.restart()?;
        Ok(postern)
    }

    /// Starts the daemon again with the same store; its ports change.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.stop()?;
        let seen = self.log().len();
        let mut command = Command::new(program()?);
        command.arg("--config").arg(self.config()).arg("serve");
        let log = self.dir.join("postern.log");
        let process = self.process.insert(Process::start("postern", command, &log)?);
        self.listeners = process.ready(|| listeners(&log, seen))?;
        Ok(())
    }

    /// Asks the daemon to stop in order (SIGTERM) and waits for its end.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.process.take() {
            let status = process.stop()?;
            if !status.success() {
                bail!(
                    "postern ended with {status}:\n{}",
                    process::tail(&self.dir.join("postern.log"))
                );
            }
        }
        Ok(())
    }

    /// Ends the daemon without a warning (SIGKILL), as a crash would.
    pub(crate) fn crash(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.process.take() {
            process.crash()?;
        }
        Ok(())
    }

    /// Sends a signal to the daemon.
    pub(crate) fn signal(&self, signal: &str) -> anyhow::Result<()> {
        self.process.as_ref().context("postern is stopped")?.signal(signal)
    }

    /// The daemon's process id.
    pub(crate) fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// The port of a listener: `imaps`, `imap`, `submissions`, `submission`, `imaps-proxy`, `operations`, `manager`.
    pub(crate) fn port(&self, listener: &str) -> anyhow::Result<u16> {
        let address = self.listeners.get(listener);
        address
            .map(SocketAddr::port)
            .with_context(|| format!("no listener {listener} among {:?}", self.listeners))
    }

    /// The configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.dir.join("postern.toml")
    }

    /// The folder with the store and the keys.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Everything logged so far, over all restarts.
    pub(crate) fn log(&self) -> String {
        fs::read(self.dir.join("postern.log"))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    /// Waits until a log line has all of these words in it.
    pub(crate) fn wait_for_log(&self, words: &[&str]) -> anyhow::Result<String> {
        wait::until(&format!("postern logs {words:?}"), || {
            Ok(self
                .log()
                .lines()
                .find(|line| words.iter().all(|word| line.contains(word)))
                .map(str::to_owned))
        })
    }

    /// Runs a command on the same configuration.
    pub(crate) fn cli(&self, arguments: &[&str]) -> anyhow::Result<Outcome> {
        self.cli_with_input(arguments, "")
    }

    /// The same with text on its standard input.
    pub(crate) fn cli_with_input(&self, arguments: &[&str], input: &str) -> anyhow::Result<Outcome> {
        let mut command = Command::new(program()?);
        command
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot run postern")?;
        // A command that reads nothing may have ended.
        child.stdin.take().context("no stdin")?.write_all(input.as_bytes()).ok();
        let output = child.wait_with_output()?;
        let outcome = Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        let shown = match arguments {
            ["device", "add" | "replace", ..] => shown_password(&outcome.stdout),
            ["init" | "invite" | "token" | "user", ..] => shown_token(&outcome.stdout),
            _ => None,
        };
        self.secrets.add_output(arguments, shown.as_deref(), &outcome.stdout);
        self.secrets.add_output(arguments, None, &outcome.stderr);
        Ok(outcome)
    }

    /// A secret that this gateway must not show; those that the kit makes itself are known already.
    pub(crate) fn add_secret(&self, secret: &str) {
        self.secrets.add(secret);
    }

    /// Looks for every secret of this gateway in everything that it wrote, answered and printed.
    ///
    /// # Errors
    /// The places where one was found.
    pub(crate) fn search_secrets(&mut self) -> anyhow::Result<()> {
        let mut places = Vec::new();
        if let Some(id) = self
            .id()
            .filter(|_| self.process.as_mut().is_some_and(Process::is_running))
        {
            for name in ["cmdline", "environ"] {
                let path = format!("/proc/{id}/{name}");
                // The daemon's environment is closed to others, and so to a test that is not root.
                let read = process::as_root("cat").arg(&path).output()?;
                if !read.status.success() {
                    bail!("cannot read {path}: {}", String::from_utf8_lossy(&read.stderr));
                }
                places.push((path, read.stdout));
            }
            if let Ok(port) = self.port("operations") {
                let mut wire = Wire::connect(port)?;
                wire.send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
                places.push(("the metrics".to_owned(), wire.rest()?));
            }
        }
        // Where a test has broken store or configuration there is nothing to print; the database is searched as a file.
        self.cli(&["audit", "--json"])?;
        // The end of a session, and of the daemon, is logged too.
        self.stop().ok();
        let key = fs::read_to_string(self.data().join("server.key")).unwrap_or_default();
        for line in key
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(id, _)| id.parse::<u32>().is_ok())
        {
            self.secrets.add(line.1);
        }
        let found = self.secrets.search(self.dir.path(), places);
        if !found.is_empty() {
            bail!("a secret was found in {}", found.join(", and in "));
        }
        Ok(())
    }

    /// Adds an organisation with one mail domain.
    pub(crate) fn add_org(&self, name: &str, domain: &str) -> anyhow::Result<()> {
        self.cli(&["org", "create", name])?.ok()?;
        self.cli(&["domain", "create", domain, "--org", name])?.ok()?;
        Ok(())
    }

    /// Adds a mailbox.
    pub(crate) fn add_mailbox(&self, address: &str) -> anyhow::Result<()> {
        self.cli(&["mailbox", "create", address])?.ok().map(drop)
    }

    /// Adds an alias of a mailbox.
    pub(crate) fn add_alias(&self, alias: &str, mailbox: &str) -> anyhow::Result<()> {
        self.cli(&["alias", "create", alias, "--mailbox", mailbox])?
            .ok()
            .map(drop)
    }

    /// Adds a device and reads its password, which is shown this once.
    pub(crate) fn add_device(&self, address: &str, label: &str) -> anyhow::Result<Device> {
        self.add_device_with(address, label, &[])
    }

    /// The same with further options of `device add`.
    pub(crate) fn add_device_with(&self, address: &str, label: &str, options: &[&str]) -> anyhow::Result<Device> {
        let arguments = [&["device", "add", address, "--label", label, "--json"], options].concat();
        let shown = self.cli(&arguments)?.ok()?;
        let shown: Value = serde_json::from_str(&shown).context("device add --json")?;
        let password = find(&shown, "password")
            .context("device add --json shows no password")?
            .to_owned();
        Ok(Device {
            path: format!("{address}/{label}"),
            address: address.to_owned(),
            password,
        })
    }

    /// Revokes a device.
    pub(crate) fn revoke(&self, device: &Device) -> anyhow::Result<String> {
        self.cli(&["device", "revoke", &device.path])?.ok()
    }
}

impl Drop for Postern {
    /// Every test of the gateway is a test of its silence.
    fn drop(&mut self) {
        if !std::thread::panicking()
            && let Err(error) = self.search_secrets()
        {
            panic!("{error:#}");
        }
    }
}

/// The password that `device add` and `device replace` print, for programs or for people.
fn shown_password(stdout: &str) -> Option<String> {
    if let Ok(value) = serde_json::from_str::<Value>(stdout) {
        return find(&value, "password").map(str::to_owned);
    }
    let line = stdout
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("Password "))?;
    Some(line.trim().to_owned())
}

/// The token that a command prints once: that of an API token, or the end of a link.
pub(crate) fn shown_token(printed: &str) -> Option<String> {
    let words = printed.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let is_token = |word: &&str| word.len() == 56 && word.starts_with("ps") && word.as_bytes().get(3) == Some(&b'_');
    words.into_iter().find(is_token).map(str::to_owned)
}

/// The program that cargo built together with the caller.
pub(crate) fn program() -> anyhow::Result<PathBuf> {
    let caller = std::env::current_exe()?;
    // Tests lie in deps/, examples in examples/, both beside the program.
    let folder = caller
        .parent()
        .and_then(Path::parent)
        .context("the caller lies in no target folder")?;
    let program = folder.join("postern");
    if !program.exists() {
        bail!("{} is missing: run cargo build", program.display());
    }
    Ok(program)
}

/// The first string under this key, wherever it stands.
fn find<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    match value {
        Value::Object(fields) => fields
            .get(key)
            .and_then(Value::as_str)
            .or_else(|| fields.values().find_map(|inner| find(inner, key))),
        Value::Array(values) => values.iter().find_map(|inner| find(inner, key)),
        _ => None,
    }
}

/// The listeners that the daemon has logged since `seen`, once it has logged that it is ready.
fn listeners(log: &Path, seen: usize) -> Option<BTreeMap<String, SocketAddr>> {
    let log = fs::read(log).ok()?;
    let log = String::from_utf8_lossy(log.get(seen..)?).into_owned();
    let mut listeners = BTreeMap::new();
    for line in log.lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        match find(&line, "message") {
            Some("ready") => return Some(listeners),
            Some("listening") => {
                let address = find(&line, "listener.addr")?.parse().ok()?;
                listeners.insert(find(&line, "listener.name")?.to_owned(), address);
            }
            _ => {}
        }
    }
    None
}

fn config(
    dir: &WorkDir,
    certificates: &Certificates,
    settings: &Settings<'_>,
    secrets: &Secrets,
) -> anyhow::Result<String> {
    let (chain, key, root) = (
        certificates.certificate.display(),
        certificates.key.display(),
        dir.path().display(),
    );
    let mut text = format!(
        r#"hostname = "mail.example.test"
data_dir = "{root}/data"

[tls]
development = false

[[tls.certificate]]
chain = "{chain}"
key = "{key}"

[admin]
operations_address = "127.0.0.1:0"
control_socket = "{root}/control.sock"

{}
"#,
        settings.sections
    );
    if !settings.sections.contains("[log]") {
        text.push_str("[log]\nformat = \"json\"\nlevel = \"info,postern=debug\"\n\n");
    }
    if !settings.sections.contains("[sessions]") {
        text.push_str("[sessions]\ndrain_time = \"1 s\"\nclose_time = \"1 s\"\nusage_write_interval = \"1 s\"\n\n");
    }
    let listeners = [
        ("imaps", "imap", "tls", ""),
        ("imap", "imap", "starttls", ""),
        ("submissions", "smtp", "tls", ""),
        ("submission", "smtp", "starttls", ""),
        ("imaps-proxy", "imap", "tls", "proxy_from = [\"127.0.0.1\"]\n"),
    ];
    for (name, protocol, security, more) in listeners.iter().take(if settings.proxy_listener { 5 } else { 4 }) {
        write!(
            text,
            "[[listener]]\nname = \"{name}\"\naddress = \"127.0.0.1:0\"\nprotocol = \"{protocol}\"\n\
             security = \"{security}\"\n{more}\n"
        )?;
    }
    for route in &settings.routes {
        let (store, submission) = (route.imap.0, route.smtp.0);
        let secret = dir.write_secret(&format!("{}.password", route.name), &store.master_password)?;
        secrets.add(&store.master_password);
        secrets.add_file(&secret);
        write!(
            text,
            "[[route]]\nname = \"{}\"\ndomains = {:?}\n\n",
            route.name, route.domains
        )?;
        service(&mut text, "imap", store.imap, route.imap.1, &secret)?;
        service(&mut text, "smtp", submission.smtp, route.smtp.1, &secret)?;
    }
    Ok(text)
}

fn service(text: &mut String, protocol: &str, port: u16, login: Login, secret: &Path) -> anyhow::Result<()> {
    // Where a hundred sessions log in at once on a machine that does other work, too, Dovecot needs longer for each than the
    // seconds that people are kept waiting.
    let patience = wait::PATIENCE.as_secs();
    write!(
        text,
        "[route.{protocol}]\naddress = \"127.0.0.1:{port}\"\nsecurity = \"cleartext\"\nconnect_timeout = \"{patience}s\"\n\
         login_timeout = \"{patience}s\"\n"
    )?;
    let credentials = format!("user = \"{MASTER_USER}\"\npassword_file = \"{}\"\n", secret.display());
    match login {
        Login::MasterUser => writeln!(
            text,
            "login = \"master-user\"\n{credentials}separator = \"{MASTER_SEPARATOR}\"\n"
        )?,
        Login::Authzid => writeln!(text, "login = \"authzid\"\n{credentials}")?,
        Login::Xclient => writeln!(text, "login = \"xclient\"\n")?,
        Login::TrustedNetwork => writeln!(text, "login = \"trusted-network\"\n")?,
        Login::Stored => writeln!(text, "login = \"stored\"\n")?,
    }
    Ok(())
}
