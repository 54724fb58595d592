//! One installation in a temporary folder, and what its commands print.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::kit::postern::shown_token;

/// A configuration that needs no file beside it.
pub(crate) const CONFIG: &str = r#"hostname = "mail.example.org"
data_dir = "data"
[tls]
development = true
[[listener]]
address = "127.0.0.1:0"
protocol = "imap"
[[listener]]
address = "127.0.0.1:0"
protocol = "smtp"
[[route]]
[route.imap]
address = "127.0.0.1:10143"
security = "cleartext"
login = "stored"
[route.smtp]
address = "127.0.0.1:10587"
security = "cleartext"
login = "trusted-network"
[limits]
connections = 100
[client_settings]
imap_port = 993
smtp_port = 465
"#;

/// What makes links lead somewhere.
pub(crate) const MANAGER: &str = "[manager]\naddress = \"127.0.0.1:8443\"\norigin = \"https://manager.example.org\"\n";

/// A folder with a configuration.
pub(crate) struct Installation {
    dir: TempDir,
}

/// What a command ended with.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Installation {
    /// A folder with a configuration and nothing else.
    pub(crate) fn with_config(text: &str) -> Self {
        let this = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::write(this.config(), text).unwrap();
        this
    }

    /// After `postern init`.
    pub(crate) fn new() -> Self {
        let this = Self::with_config(CONFIG);
        this.ok(&["init"]);
        this
    }

    /// With an organisation, a domain, a mailbox and an alias.
    pub(crate) fn furnished() -> Self {
        let this = Self::new();
        this.ok(&["org", "create", "Example"]);
        this.ok(&["domain", "create", "example.org", "--org", "Example"]);
        this.ok(&["mailbox", "create", "anna@example.org"]);
        this.ok(&["alias", "create", "hello@example.org", "--mailbox", "anna@example.org"]);
        this
    }

    /// With a Manager too, and with people: Sophie owns Example, Lucie manages its mailboxes, Marc is a member.
    pub(crate) fn peopled() -> Self {
        let this = Self::with_config(&format!("{CONFIG}{MANAGER}"));
        this.ok(&["init"]);
        this.ok(&["org", "create", "Example"]);
        this.ok(&["domain", "create", "example.org", "--org", "Example"]);
        for mailbox in ["info@example.org", "sales@example.org"] {
            this.ok(&["mailbox", "create", mailbox]);
        }
        this.user("sophie@private.example", "Sophie Laurent", "owner");
        this.user("lucie@private.example", "Lucie Martin", "mailbox-manager");
        this.user("marc@private.example", "Marc Dubois", "member");
        this
    }

    /// Makes somebody a member of the only organisation, with a password.
    pub(crate) fn user(&self, address: &str, name: &str, role: &str) {
        let args = [
            "user",
            "create",
            address,
            "--name",
            name,
            "--org",
            "Example",
            "--role",
            role,
            "--password-stdin",
        ];
        let ran = self.run_with_input(&args, "three tall kettles\n");
        assert_eq!(ran.code, 0, "{ran:?}");
    }

    /// Adds a device that belongs to somebody; its id.
    #[track_caller]
    pub(crate) fn device_of(&self, user: &str, address: &str, label: &str) -> String {
        let added = self.json(&[
            "device", "add", address, "--label", label, "--kind", "iphone", "--user", user,
        ]);
        added["device"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("postern.toml")
    }

    /// Writes a file beside the configuration.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name).display().to_string()
    }

    pub(crate) fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with_input(args, "")
    }

    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Ran {
        let mut child = postern(args)
            .env("POSTERN_CONFIG", self.config())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that does not read its input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A command that must succeed: what it printed.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran.stdout
    }

    /// The same as JSON.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        serde_json::from_str(&self.ok(&args)).unwrap()
    }

    /// A command that must fail with this code: what it said on stderr, redacted; stdout must be empty.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{args:?}: {ran:?}");
        self.redacted(&ran.stderr)
    }

    /// Adds a device and returns its id and password.
    #[track_caller]
    pub(crate) fn device(&self, address: &str, label: &str) -> (String, String) {
        let added = self.json(&["device", "add", address, "--label", label]);
        (
            added["device"]["id"].as_str().unwrap().to_owned(),
            added["password"].as_str().unwrap().to_owned(),
        )
    }

    /// Text without what differs from run to run: ids, moments, this folder.
    pub(crate) fn redacted(&self, text: &str) -> String {
        let mut text = text.replace(&self.dir.path().canonicalize().unwrap().display().to_string(), "[dir]");
        text = text.replace(&self.dir.path().display().to_string(), "[dir]");
        for kind in ["org", "dom", "mbx", "als", "dev", "usr", "inv", "tok", "ses"] {
            text = ids_replaced(&text, kind);
        }
        if let Some(token) = shown_token(&text) {
            text = text.replace(&token, "[token]");
        }
        moments_replaced(&text)
    }
}

/// The program, with nothing of our environment that could change what it says.
pub(crate) fn postern(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command
        .args(args)
        .env_clear()
        .env("TZ", "UTC")
        .env("NO_COLOR", "1")
        .current_dir(Path::new("/"));
    command
}

/// `dev-` and 13 letters or digits become `dev-[id]`, in the width that tables have given them.
fn ids_replaced(text: &str, kind: &str) -> String {
    let prefix = format!("{kind}-");
    let mut parts = text.split(prefix.as_str());
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(&prefix);
        match part.get(..13) {
            Some(id) if id.bytes().all(|octet| octet.is_ascii_alphanumeric()) => {
                out.push_str("[id.........]");
                out.push_str(&part[13..]);
            }
            _ => out.push_str(part),
        }
    }
    out
}

/// `2026-11-22 09:25 (` becomes `[date and time.] (`.
fn moments_replaced(text: &str) -> String {
    let mut out = text.to_owned();
    let mut from = 0;
    while let Some(found) = out[from..].find(" (") {
        let end = from + found;
        let is_moment = end >= 16
            && out
                .get(end - 16..end)
                .is_some_and(|moment| moment.starts_with("20") && moment.as_bytes()[13] == b':');
        if is_moment {
            out.replace_range(end - 16..end, "[date and time.]");
        }
        from = end + 2;
    }
    out
}
