//! A real Dovecot: IMAP on loopback, LMTP and an authentication socket for Postfix, Maildir in a folder of its own.
//!
//! It believes the client address in the IMAP ID of its neighbours (`login_trusted_networks`), lets one master user in
//! as any mailbox (`box*master`, and SASL PLAIN with an authorization identity), and knows each mailbox's own password
//! too, which Postern's users never see. Runs as root or, where the kit does not, entirely as the caller.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use super::certificates::Certificates;
use super::imap::Imap;
use super::process::{self, Process};
use super::work_dir::WorkDir;
use super::{ports, random_word, wait};

/// The user who may log in as everybody.
pub(crate) const MASTER_USER: &str = "gateway";
/// Between mailbox and master user in a login name.
pub(crate) const MASTER_SEPARATOR: char = '*';

/// How often a start is tried again with fresh ports.
const ATTEMPTS: usize = 5;

/// What is the same for every Dovecot of the kit. A refusal is answered at once: the delay is Postern's to decide. No
/// `* OK Still here` disturbs a session in IDLE: a test counts what it hears.
const FIXED_CONFIG: &str = r"protocols = imap lmtp
listen = 127.0.0.1
mail_location = maildir:~/Maildir
first_valid_uid = 1
mail_privileged_group =
mail_fsync = never
mail_max_userip_connections = 10000
ssl = yes
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_verbose = yes
auth_failure_delay = 0
imap_idle_notify_interval = 0
login_trusted_networks = 127.0.0.1
service imap {
  process_limit = 4000
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
service auth {
  unix_listener auth-postfix {
    mode = 0666
  }
}
namespace inbox {
  inbox = yes
  separator = /
}
";

/// A running (or stopped) Dovecot.
#[derive(Debug)]
pub(crate) struct Dovecot {
    process: Option<Process>,
    /// Port of IMAP in clear, with STARTTLS.
    pub(crate) imap: u16,
    /// Port of IMAP over TLS.
    pub(crate) imaps: u16,
    /// The master user's password.
    pub(crate) master_password: String,
    owner: Owner,
    dir: WorkDir,
}

/// Whom the mail belongs to.
#[derive(Debug)]
struct Owner {
    uid: String,
    gid: String,
}

impl Dovecot {
    /// Starts a Dovecot without mailboxes.
    pub(crate) fn start(certificates: &Certificates) -> anyhow::Result<Self> {
        let dir = WorkDir::new("dovecot")?;
        // Dovecot refuses to store mail as root. Any other user will do.
        let owner = if process::is_root() {
            Owner {
                uid: "65534".to_owned(),
                gid: "65534".to_owned(),
            }
        } else {
            Owner {
                uid: process::id("-u")?,
                gid: process::id("-g")?,
            }
        };
        let mail = dir.join("mail");
        fs::create_dir(&mail)?;
        std::os::unix::fs::chown(&mail, Some(owner.uid.parse()?), Some(owner.gid.parse()?))?;
        let master_password = random_word()?;
        dir.write("masters", &format!("{MASTER_USER}:{{PLAIN}}{master_password}\n"))?;
        dir.write("users", "")?;
        let mut dovecot = Self {
            process: None,
            imap: 0,
            imaps: 0,
            master_password,
            owner,
            dir,
        };
        let mut attempt = 1;
        loop {
            (dovecot.imap, dovecot.imaps) = (ports::free()?, ports::free()?);
            let config = dovecot.config(certificates)?;
            dovecot.dir.write("dovecot.conf", &config)?;
            match dovecot.restart() {
                Err(_) if attempt < ATTEMPTS && dovecot.log().contains("Address already in use") => attempt += 1,
                result => return result.map(|()| dovecot),
            }
        }
    }

    /// Starts it again on the same ports, with the same mail.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.stop()?;
        let mut command = Command::new("/usr/sbin/dovecot");
        command.arg("-F").arg("-c").arg(self.dir.join("dovecot.conf"));
        let process = self
            .process
            .insert(Process::start("dovecot", command, &self.dir.join("output.log"))?);
        let port = self.imap;
        process
            .ready(|| {
                Imap::connect(port)
                    .ok()
                    .filter(|imap| imap.greeting.starts_with("* OK"))
            })
            .with_context(|| process::tail(&self.dir.join("dovecot.log")))?;
        Ok(())
    }

    /// Stops it: the ports are closed and every session is gone. What was delivered is on disk already, and a stop in
    /// order takes Dovecot a full second.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.process.take() {
            process.crash()?;
        }
        Ok(())
    }

    /// Adds a mailbox; gives its own password at this store.
    pub(crate) fn add_mailbox(&self, address: &str) -> anyhow::Result<String> {
        let password = random_word()?;
        let Owner { uid, gid } = &self.owner;
        let home = self.dir.join("mail").join(address);
        let mut users = fs::File::options().append(true).open(self.dir.join("users"))?;
        let line = format!("{address}:{{PLAIN}}{password}:{uid}:{gid}::{}\n", home.display());
        // In one write: Dovecot may read the file at any time.
        users.write_all(line.as_bytes())?;
        Ok(password)
    }

    /// The messages in a mailbox's INBOX, as they lie on disk, in no particular order.
    pub(crate) fn messages(&self, address: &str) -> anyhow::Result<Vec<String>> {
        let mut messages = Vec::new();
        for folder in ["new", "cur"] {
            let path = self.dir.join("mail").join(address).join("Maildir").join(folder);
            let Ok(entries) = fs::read_dir(path) else { continue };
            for entry in entries {
                // A session may move a message from new to cur meanwhile.
                let Ok(text) = fs::read(entry?.path()) else { continue };
                messages.push(String::from_utf8_lossy(&text).into_owned());
            }
        }
        Ok(messages)
    }

    /// Waits until a message with this word has been delivered.
    pub(crate) fn wait_for_message(&self, address: &str, marker: &str) -> anyhow::Result<String> {
        wait::until(&format!("a message with {marker} is delivered to {address}"), || {
            Ok(self
                .messages(address)?
                .into_iter()
                .find(|message| message.contains(marker)))
        })
    }

    /// Everything logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read(self.dir.join("dovecot.log"))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    /// Waits until a log line has all of these words in it.
    pub(crate) fn wait_for_log(&self, words: &[&str]) -> anyhow::Result<String> {
        wait::until(&format!("dovecot logs {words:?}"), || {
            Ok(self
                .log()
                .lines()
                .find(|line| words.iter().all(|word| line.contains(word)))
                .map(str::to_owned))
        })
    }

    /// Where Postfix delivers to.
    pub(crate) fn lmtp_socket(&self) -> PathBuf {
        self.dir.join("run/lmtp")
    }

    /// Where Postfix asks about passwords.
    pub(crate) fn auth_socket(&self) -> PathBuf {
        self.dir.join("run/auth-postfix")
    }

    fn config(&self, certificates: &Certificates) -> anyhow::Result<String> {
        let dir = self.dir.path().display();
        let Self { imap, imaps, .. } = self;
        let (certificate, key) = (certificates.certificate.display(), certificates.key.display());
        let privileges = if process::is_root() {
            String::new()
        } else {
            let (user, group) = (process::id("-un")?, process::id("-gn")?);
            format!(
                "default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n\
                 service anvil {{\n  chroot =\n}}\nservice stats {{\n  chroot =\n}}\n"
            )
        };
        // A chroot needs root; without one the login processes behave the same.
        let chroot = if process::is_root() {
            "chroot = login"
        } else {
            "chroot ="
        };
        Ok(format!(
            r"base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
mail_home = {dir}/mail/%u
ssl_cert = <{certificate}
ssl_key = <{key}
auth_master_user_separator = {MASTER_SEPARATOR}
{privileges}
passdb {{
  driver = passwd-file
  master = yes
  args = username_format=%u {dir}/masters
}}
passdb {{
  driver = passwd-file
  args = username_format=%u {dir}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {dir}/users
}}
service imap-login {{
  {chroot}
  service_count = 0
  process_min_avail = 1
  client_limit = 4000
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
{FIXED_CONFIG}"
        ))
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.stop().ok();
    }
}
