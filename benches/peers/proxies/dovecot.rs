//! Dovecot as a login proxy in its performance mode: one login process that serves all clients of a protocol.
//!
//! Its data base is a file, either with the password in clear, or with the hash that its own `doveadm pw -s ARGON2ID`
//! makes by default. The authentication cache is on. Runs entirely as the caller, or as the package's users where that is root.

use std::process::Command;

use anyhow::Context as _;

use super::{Peer, Proxy, listen, pinned, with_ports};
use crate::kit::process::{self, Process};
use crate::kit::work_dir::WorkDir;
use crate::stage::Stage;

/// Starts one of the two.
pub(super) fn start(peer: Peer, stage: &Stage) -> anyhow::Result<Proxy> {
    let password = match peer {
        Peer::DovecotArgon2 => {
            let mut hash = Command::new("/usr/bin/doveadm");
            hash.args(["pw", "-s", "ARGON2ID", "-p", stage.password()]);
            process::run(&hash)?.trim().to_owned()
        }
        _ => format!("{{PLAIN}}{}", stage.password()),
    };
    with_ports(|imap, smtp| start_on(peer, stage, &password, imap, smtp))
}

fn start_on(peer: Peer, stage: &Stage, password: &str, imap: u16, smtp: u16) -> anyhow::Result<Proxy> {
    let dir = WorkDir::new("dovecot")?;
    // Everybody has the same password, as in the other data bases. Its authentication process must be able to read it.
    let ports = stage.store.ports;
    for (service, port) in [("imap", ports.imap), ("submission", ports.smtp)] {
        let row = |name| format!("{name}:{password}::::::port={port}\n");
        let users: String = stage.usernames().map(row).collect();
        dir.write(&format!("users.{service}"), &users)?;
    }
    let config = dir.write("dovecot.conf", &config(stage, &dir, imap, smtp)?)?;
    let mut command = pinned(stage, "/usr/sbin/dovecot")?;
    command.arg("-F").arg("-c").arg(config);
    let mut process = Process::start("dovecot", command, &dir.join("output.log"))?;
    process
        .ready(|| listen(imap, smtp))
        .with_context(|| process::tail(&dir.join("dovecot.log")))?;
    Ok(Proxy {
        peer,
        imap,
        smtp,
        daemon: None,
        process,
        _dir: dir,
    })
}

fn config(stage: &Stage, dir: &WorkDir, imap: u16, smtp: u16) -> anyhow::Result<String> {
    let identity = stage.helper_settings().identity;
    let (certificate, key) = (identity.certificate.display(), identity.key.display());
    // Its processes refuse to run as root: there they take the package's users.
    let (users, chroot) = if process::is_root() {
        (String::new(), "login")
    } else {
        let (user, group) = (process::id("-un")?, process::id("-gn")?);
        let users = format!(
            "default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n\
             service anvil {{\n  chroot =\n}}\nservice stats {{\n  chroot =\n}}\n"
        );
        (users, "")
    };
    let dir = dir.path().display();
    let clients = stage.files.min(30_000);
    Ok(format!(
        r"base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
protocols = imap submission
listen = 127.0.0.1
hostname = mail.example.org
{users}default_client_limit = {clients}
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
auth_mechanisms = plain login
auth_cache_size = 20 M
login_trusted_networks =
submission_relay_host = 127.0.0.1
service imap-login {{
  chroot = {chroot}
  service_count = 0
  process_min_avail = 1
  process_limit = 1
  client_limit = {clients}
  vsz_limit = 4 G
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {imap}
    ssl = yes
  }}
}}
service submission-login {{
  chroot = {chroot}
  service_count = 0
  process_min_avail = 1
  process_limit = 1
  client_limit = {clients}
  vsz_limit = 4 G
  inet_listener submission {{
    port = {smtp}
    ssl = yes
  }}
}}
passdb {{
  driver = passwd-file
  args = {dir}/users.%s
  override_fields = proxy=y host=127.0.0.1 nodelay=y
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}}
"
    ))
}
