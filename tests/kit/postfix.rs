//! A real Postfix as submission server: authenticated senders and those vouched for by XCLIENT may send, nobody else;
//! mail for the kit's domains goes to Dovecot by LMTP, all other mail bounces.
//!
//! Passwords are asked of Dovecot, so its master user works here too. Postfix has to be started by root: where the kit
//! is somebody else, it goes through `sudo -n`. Its `master` runs directly, because `postfix start` takes seconds to
//! look over the whole installation first.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Context as _;

use super::certificates::Certificates;
use super::dovecot::Dovecot;
use super::process::{self, Process, as_root};
use super::smtp::Smtp;
use super::work_dir::WorkDir;
use super::{ports, wait};

/// The size that Postfix promises in its SIZE extension.
pub(crate) const MESSAGE_SIZE_LIMIT: usize = 10 << 20;

/// How often a start is tried again with fresh ports.
const ATTEMPTS: usize = 5;

/// The queue's folders. Postfix makes them when started by its own script.
const PREPARE: &str = r#"
cd "$1" && mkdir queue data
cd queue && mkdir -m 700 active bounce corrupt defer deferred flush hold incoming private saved trace
mkdir -m 755 pid && mkdir -m 730 maildrop && mkdir -m 710 public
chown postfix active bounce corrupt defer deferred flush hold incoming private saved trace maildrop public ../data
chgrp postdrop maildrop public
"#;

/// What differs between tests.
#[derive(Debug, Default)]
pub(crate) struct Settings<'a> {
    /// Mail domains and the store of each. The first store also answers for passwords.
    pub(crate) domains: Vec<(&'a str, &'a Dovecot)>,
    /// Alias and its mailbox.
    pub(crate) aliases: Vec<(&'a str, &'a str)>,
    /// Everybody on this machine may send without authentication.
    pub(crate) trust_loopback: bool,
    /// Recipients that are answered otherwise than the rest, and with what: `550 5.1.1 nobody`.
    pub(crate) answers: Vec<(&'a str, &'a str)>,
}

/// A running (or stopped) Postfix.
#[derive(Debug)]
pub(crate) struct Postfix {
    process: Option<Process>,
    /// Port of SMTP in clear, with STARTTLS, AUTH and XCLIENT.
    pub(crate) smtp: u16,
    /// The same over TLS from the first byte.
    pub(crate) smtps: u16,
    dir: WorkDir,
}

impl Postfix {
    /// Starts a Postfix.
    pub(crate) fn start(certificates: &Certificates, settings: &Settings<'_>) -> anyhow::Result<Self> {
        let dir = WorkDir::new("postfix")?;
        process::run(as_root("sh").args(["-ec", PREPARE, "sh"]).arg(dir.path()))
            .context("only root can start Postfix: be root, or let sudo work without a password")?;
        // Postfix would make it readable for itself alone.
        dir.write_with_everybody_writing("postfix.log")?;
        fs::create_dir(dir.join("config"))?;
        write_config(&dir, "config/main.cf", &main_cf(&dir, certificates, settings))?;
        let mut postfix = Self {
            process: None,
            smtp: 0,
            smtps: 0,
            dir,
        };
        let mut attempt = 1;
        loop {
            (postfix.smtp, postfix.smtps) = (ports::free()?, ports::free()?);
            write_config(
                &postfix.dir,
                "config/master.cf",
                &master_cf(postfix.smtp, postfix.smtps),
            )?;
            match postfix.restart() {
                Err(_) if attempt < ATTEMPTS && postfix.log().contains("Address already in use") => attempt += 1,
                result => return result.map(|()| postfix),
            }
        }
    }

    /// Starts it again on the same ports, with the same queue.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.stop()?;
        let config = self.dir.join("config");
        let mut command = as_root("env");
        let mut variable = std::ffi::OsString::from("MAIL_CONFIG=");
        variable.push(&config);
        command
            .arg(variable)
            .arg("/usr/lib/postfix/sbin/master")
            .arg("-d")
            .arg("-c")
            .arg(&config);
        let process = Process::start_as_root("postfix", command, &self.dir.join("postfix.log"))?;
        let port = self.smtp;
        self.process
            .insert(process)
            .ready(|| Smtp::connect(port).ok().filter(|smtp| smtp.greeting.code == 220))?;
        Ok(())
    }

    /// Starts it again on the same ports, with the same queue and other settings.
    pub(crate) fn restart_with(&mut self, certificates: &Certificates, settings: &Settings<'_>) -> anyhow::Result<()> {
        write_config(&self.dir, "config/main.cf", &main_cf(&self.dir, certificates, settings))?;
        self.restart()
    }

    /// Stops it: the ports are closed and every session is gone.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.process.take() {
            process.stop()?;
        }
        Ok(())
    }

    /// Everything logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read(self.dir.join("postfix.log"))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    /// Waits until a log line has all of these words in it.
    pub(crate) fn wait_for_log(&self, words: &[&str]) -> anyhow::Result<String> {
        wait::until(&format!("postfix logs {words:?}"), || {
            Ok(self
                .log()
                .lines()
                .find(|line| words.iter().all(|word| line.contains(word)))
                .map(str::to_owned))
        })
    }

    /// Waits until every accepted message has been delivered or bounced.
    pub(crate) fn wait_for_empty_queue(&self) -> anyhow::Result<()> {
        wait::until("postfix's queue is empty", || {
            // Others than root may look only into the queue of the system's own Postfix.
            let mut postqueue = as_root("/usr/sbin/postqueue");
            let queue = process::run(postqueue.arg("-c").arg(self.dir.join("config")).arg("-p"))?;
            Ok(queue.contains("Mail queue is empty").then_some(()))
        })
    }
}

/// Writes a configuration file with an old date: Postfix waits two seconds with a fresh one, lest somebody is still
/// writing it.
fn write_config(dir: &WorkDir, name: &str, text: &str) -> anyhow::Result<()> {
    let path = dir.write(name, text)?;
    fs::File::options()
        .append(true)
        .open(path)?
        .set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000))?;
    Ok(())
}

fn main_cf(dir: &WorkDir, certificates: &Certificates, settings: &Settings<'_>) -> String {
    let (dir, certificate, key) = (
        dir.path().display(),
        certificates.certificate.display(),
        certificates.key.display(),
    );
    let (mut transports, mut domains, mut aliases) = (String::new(), String::new(), String::new());
    let answers = answers(settings);
    for (domain, store) in &settings.domains {
        write!(
            transports,
            " {{ {domain} = lmtp:unix:{} }}",
            store.lmtp_socket().display()
        )
        .ok();
        write!(domains, " {domain}").ok();
    }
    for (alias, mailbox) in &settings.aliases {
        write!(aliases, " {{ {alias} = {mailbox} }}").ok();
    }
    let aliases = if aliases.is_empty() {
        String::new()
    } else {
        format!("inline:{{{aliases} }}")
    };
    let sasl = settings.domains.first().map_or_else(
        || "smtpd_sasl_auth_enable = no".to_owned(),
        |(_, store)| {
            format!(
                "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = {}",
                store.auth_socket().display()
            )
        },
    );
    let networks = if settings.trust_loopback { "127.0.0.0/8" } else { "" };
    format!(
        r"compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {dir}/postfix.log
maillog_file_prefixes = {dir}/
inet_interfaces = 127.0.0.1
# With ipv4 alone it would refuse XCLIENT for IPv6 clients.
inet_protocols = all
myhostname = store.example.test
mydestination =
mynetworks = {networks}
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains ={domains}
virtual_alias_maps = {aliases}
transport_maps = inline:{{{transports} }}
default_transport = error:5.7.1 the test kit delivers nowhere else
{sasl}
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject
smtpd_recipient_restrictions = {answers}permit_mynetworks, permit_sasl_authenticated, reject
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_session_cache_database =
smtpd_client_connection_count_limit = 0
smtpd_forbid_bare_newline = yes
message_size_limit = {MESSAGE_SIZE_LIMIT}
lmtp_destination_recipient_limit = 1
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 2s
"
    )
}

/// The rule in front of all others for recipients that are answered otherwise.
fn answers(settings: &Settings<'_>) -> String {
    let pairs = settings.answers.iter();
    let pairs: Vec<_> = pairs
        .map(|(recipient, answer)| format!("{{ {recipient} = {answer} }}"))
        .collect();
    match pairs.is_empty() {
        true => String::new(),
        false => format!("check_recipient_access inline:{{ {} }}, ", pairs.join(" ")),
    }
}

fn master_cf(smtp: u16, smtps: u16) -> String {
    format!(
        "\
postlog unix-dgram n - n - 1 postlogd
127.0.0.1:{smtp} inet n - n - 1000 smtpd
127.0.0.1:{smtps} inet n - n - 1000 smtpd
  -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
showq unix n - n - - showq
"
    )
}
