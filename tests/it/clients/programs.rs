//! How each mail program is told to read and to send one message; every one of them verifies the certificate.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::kit::certificates::{Certificates, SERVER_NAME};
use crate::kit::message::Message;
use crate::kit::process::{run, run_with_input};
use crate::kit::work_dir::WorkDir;

/// Where a program connects, as whom.
pub(super) struct Account<'a> {
    /// Port of IMAP over TLS.
    pub(super) imaps: u16,
    /// Port of submission over TLS.
    pub(super) submissions: u16,
    /// Port of submission with STARTTLS.
    pub(super) submission: u16,
    pub(super) certificates: &'a Certificates,
    pub(super) user: &'a str,
    pub(super) password: &'a str,
    /// For configuration files and mail.
    pub(super) dir: &'a WorkDir,
}

/// Gives the message with this marker from the INBOX.
pub(super) type Read = fn(&Account<'_>, marker: &str) -> anyhow::Result<String>;
/// Sends a message.
pub(super) type Send = fn(&Account<'_>, &Message) -> anyhow::Result<()>;

pub(super) const READERS: [(&str, Read); 5] = [
    ("curl", curl_read),
    ("mbsync", mbsync_read),
    ("neomutt", neomutt_read),
    ("imaplib", |account, marker| {
        python(account, "imap_read.py", account.imaps, marker)
    }),
    ("imapflow", |account, marker| {
        node(account, "imapflow_read.cjs", account.imaps, marker)
    }),
];

pub(super) const SENDERS: [(&str, Send); 8] = [
    ("curl", curl_send),
    ("curl with STARTTLS", curl_send_starttls),
    ("swaks with AUTH PLAIN", |account, message| {
        swaks_send(account, message, account.submissions, &["--tlsc", "--auth", "PLAIN"])
    }),
    ("swaks with STARTTLS and AUTH LOGIN", |account, message| {
        swaks_send(account, message, account.submission, &["--tls", "--auth", "LOGIN"])
    }),
    ("msmtp", msmtp_send),
    ("neomutt", neomutt_send),
    ("smtplib", |account, message| {
        script_send(account, message, Command::new("python3").arg(script("smtp_send.py")))
    }),
    ("nodemailer", |account, message| {
        script_send(account, message, node_command().arg(script("nodemailer_send.cjs")))
    }),
];

impl Account<'_> {
    fn authority(&self) -> &Path {
        &self.certificates.authority
    }

    /// The login name where `@` has a meaning of its own.
    fn user_in_url(&self) -> String {
        self.user.replace('@', "%40")
    }

    fn curl(&self) -> anyhow::Result<Command> {
        let config = format!("user = \"{}:{}\"\nsilent\nshow-error\n", self.user, self.password);
        let mut command = Command::new("curl");
        command
            .arg("--config")
            .arg(self.dir.write_secret("curlrc", &config)?)
            .arg("--cacert")
            .arg(self.authority());
        Ok(command)
    }
}

fn curl_read(account: &Account<'_>, marker: &str) -> anyhow::Result<String> {
    let inbox = format!("imaps://{SERVER_NAME}:{}/INBOX", account.imaps);
    let found = run(account.curl()?.arg(format!("{inbox}?SUBJECT%20{marker}")))?;
    let number = found.split_whitespace().last().context("curl found nothing")?;
    run(account.curl()?.arg(format!("{inbox};MAILINDEX={number}")))
}

fn curl_send(account: &Account<'_>, message: &Message) -> anyhow::Result<()> {
    curl_send_to(
        account,
        message,
        &format!("smtps://{SERVER_NAME}:{}", account.submissions),
    )
}

fn curl_send_starttls(account: &Account<'_>, message: &Message) -> anyhow::Result<()> {
    curl_send_to(
        account,
        message,
        &format!("smtp://{SERVER_NAME}:{}", account.submission),
    )
}

fn curl_send_to(account: &Account<'_>, message: &Message, url: &str) -> anyhow::Result<()> {
    let mut command = account.curl()?;
    command.args([
        "--ssl-reqd",
        "--mail-from",
        &message.from,
        "--mail-rcpt",
        &message.to,
        "--upload-file",
        "-",
        url,
    ]);
    run_with_input(&command, &message.text()).map(drop)
}

fn mbsync_read(account: &Account<'_>, marker: &str) -> anyhow::Result<String> {
    let inbox = account.dir.join("mbsync/INBOX");
    fs::create_dir_all(&inbox)?;
    let (port, authority) = (account.imaps, account.authority().display());
    let config = format!(
        "IMAPAccount account\nHost {SERVER_NAME}\nPort {port}\nUser {}\nPass {}\nSSLType IMAPS\n\
         SystemCertificates no\nCertificateFile {authority}\n\n\
         IMAPStore far\nAccount account\n\nMaildirStore near\nPath {folder}/\nInbox {folder}/INBOX\n\n\
         Channel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n",
        account.user,
        account.password,
        folder = account.dir.join("mbsync").display(),
    );
    run(Command::new("mbsync")
        .arg("--config")
        .arg(account.dir.write_secret("mbsyncrc", &config)?)
        .arg("--all"))?;
    for folder in ["new", "cur"] {
        for file in fs::read_dir(inbox.join(folder))? {
            let text = fs::read_to_string(file?.path())?;
            if text.contains(marker) {
                return Ok(text);
            }
        }
    }
    anyhow::bail!("mbsync fetched nothing with {marker}")
}

/// Neomutt reads on a terminal only: `script` gives it one, and the keys are pushed ahead.
fn neomutt_read(account: &Account<'_>, marker: &str) -> anyhow::Result<String> {
    let result = account.dir.join("neomutt.message");
    let url = format!(
        "imaps://{}@{SERVER_NAME}:{}/INBOX",
        account.user_in_url(),
        account.imaps
    );
    let keys = format!(
        "<search>~s {marker}<enter><pipe-message>cat > {}<enter><exit>",
        result.display()
    );
    let config = format!(
        "{}set folder = \"{url}\"\nset spool_file = \"{url}\"\nset wait_key = no\nset pipe_decode = no\n\
         set quit = yes\nset delete = no\npush \"{keys}\"\n",
        neomutt_settings(account)
    );
    let config = account.dir.write_secret("neomutt.read", &config)?;
    run(Command::new("script")
        .env("TERM", "xterm")
        .args(["--quiet", "--return", "--command"])
        .args([format!("neomutt -n -F {}", config.display()), "/dev/null".to_owned()]))?;
    fs::read_to_string(result).context("neomutt showed no message")
}

fn neomutt_send(account: &Account<'_>, message: &Message) -> anyhow::Result<()> {
    let config = format!(
        "{}set smtp_url = \"smtps://{}@{SERVER_NAME}:{}\"\nset smtp_pass = \"{}\"\nset from = \"{}\"\n\
         set use_envelope_from = yes\nset copy = no\n",
        neomutt_settings(account),
        account.user_in_url(),
        account.submissions,
        account.password,
        message.from
    );
    let config = account.dir.write_secret("neomutt.send", &config)?;
    let draft = account
        .dir
        .write("neomutt.draft", &message.text().replace("\r\n", "\n"))?;
    // It takes an empty standard input for an empty message, and does not use a full one.
    run_with_input(
        Command::new("neomutt")
            .arg("-n")
            .arg("-F")
            .arg(config)
            .arg("-H")
            .arg(draft),
        "\n",
    )
    .map(drop)
}

fn neomutt_settings(account: &Account<'_>) -> String {
    format!(
        "set imap_pass = \"{}\"\nset ssl_ca_certificates_file = \"{authority}\"\nset certificate_file = \"{authority}\"\n\
         set header_cache = \"\"\nset tmpdir = \"{}\"\n",
        account.password,
        account.dir.path().display(),
        authority = account.authority().display(),
    )
}

fn swaks_send(account: &Account<'_>, message: &Message, port: u16, options: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new("swaks");
    command.args([
        "--server",
        "127.0.0.1",
        "--port",
        &port.to_string(),
        "--from",
        &message.from,
        "--to",
        &message.to,
    ]);
    command.args([
        "--auth-user",
        account.user,
        "--auth-password",
        account.password,
        "--data",
        "-",
    ]);
    command
        .args(["--hide-all", "--tls-verify", "--tls-ca-path"])
        .arg(account.authority())
        .args(options);
    run_with_input(&command, &message.text()).map(drop)
}

fn msmtp_send(account: &Account<'_>, message: &Message) -> anyhow::Result<()> {
    let config = format!(
        "account default\nhost {SERVER_NAME}\nport {}\ntls on\ntls_starttls off\ntls_trust_file {}\nauth on\n\
         user {}\npassword {}\nfrom {}\n",
        account.submissions,
        account.authority().display(),
        account.user,
        account.password,
        message.from
    );
    let config = account.dir.write_secret("msmtprc", &config)?;
    let text = message.text().replace("\r\n", "\n");
    run_with_input(Command::new("msmtp").arg("--file").arg(config).arg(&message.to), &text).map(drop)
}

fn python(account: &Account<'_>, name: &str, port: u16, marker: &str) -> anyhow::Result<String> {
    run(with_environment(Command::new("python3").arg(script(name)), account, port).env("MAIL_MARKER", marker))
}

fn node(account: &Account<'_>, name: &str, port: u16, marker: &str) -> anyhow::Result<String> {
    run(with_environment(node_command().arg(script(name)), account, port).env("MAIL_MARKER", marker))
}

fn script_send(account: &Account<'_>, message: &Message, command: &mut Command) -> anyhow::Result<()> {
    with_environment(command, account, account.submissions)
        .env("MAIL_FROM", &message.from)
        .env("MAIL_TO", &message.to);
    run_with_input(command, &message.text()).map(drop)
}

fn with_environment<'a>(command: &'a mut Command, account: &Account<'_>, port: u16) -> &'a mut Command {
    command
        .env("MAIL_PORT", port.to_string())
        .env("MAIL_CA", account.authority())
        .env("MAIL_USER", account.user)
        .env("MAIL_PASSWORD", account.password)
}

/// Node.js with the packages that `scripts/setup` installed.
fn node_command() -> Command {
    let mut command = Command::new("node");
    command.env(
        "NODE_PATH",
        Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients/node_modules"),
    );
    command
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/clients")
        .join(name)
}
