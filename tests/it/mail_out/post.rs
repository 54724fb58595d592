//! A daemon with a mail server of its own, and somebody beside it who puts mails into its outbox.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use ::postern::clock::{Clock, Timestamp};
use ::postern::keys::Keyring;
use ::postern::model::{Address, Language, MailId, Role};
use ::postern::outbox::{Access, Content, Invitation, Recipient, Token};
use ::postern::secret::Secret;
use ::postern::store::OutboxStore as _;
use ::postern::store::sqlite::{self, SqliteStore};
use anyhow::Context as _;
use serde_json::Value;

use crate::kit::certificates::{Certificates, SERVER_NAME};
use crate::kit::dovecot::Dovecot;
use crate::kit::postern::{Login, Postern, Route, Settings};
use crate::kit::postfix::{self, Postfix};
use crate::kit::work_dir::WorkDir;
use crate::kit::{process, random_word, wait};

/// Whom mails go to.
pub(super) const LUCIE: &str = "lucie@private.test";
/// Who they are from: a user of the mail server.
pub(super) const SENDER: &str = "postern@acme.test";
/// Where their links lead.
pub(super) const ORIGIN: &str = "https://manager.acme.test";

/// Everything that there is to log, of every library too.
const SECTIONS: &str = "\
[log]
format = \"json\"
level = \"trace\"

[sessions]
usage_write_interval = \"1s\"
drain_time = \"200ms\"
close_time = \"1s\"
";

/// The servers, and the way into the outbox. The daemon ends first.
pub(super) struct Post {
    pub(super) postern: Postern,
    pub(super) postfix: Postfix,
    pub(super) dovecot: Dovecot,
    pub(super) certificates: Certificates,
    keys: Keyring,
    store: Arc<SqliteStore>,
    runtime: tokio::runtime::Runtime,
    /// Holds the password file.
    _dir: WorkDir,
}

impl Post {
    /// The daemon hands its mail to Postfix over TLS, with a user and a password.
    pub(super) fn start(answers: Vec<(&str, &str)>) -> anyhow::Result<Self> {
        Self::start_with(answers, |mail| mail)
    }

    /// The same with another `[mail]` section; what stands before its head belongs to `[manager]`.
    pub(super) fn start_with(answers: Vec<(&str, &str)>, edit: impl FnOnce(String) -> String) -> anyhow::Result<Self> {
        let certificates = Certificates::new()?;
        let dovecot = Dovecot::start(&certificates)?;
        let postfix = Postfix::start(&certificates, &settings(&dovecot, answers))?;
        dovecot.add_mailbox(LUCIE)?;
        let dir = WorkDir::new("mail")?;
        let password = dovecot.add_mailbox(SENDER)?;
        let file = dir.write_secret("mail.password", &password)?;
        let mail = format!(
            "\n[mail]\nhost = \"{SERVER_NAME}\"\nport = {}\ntls = \"required\"\nca = \"{}\"\nusername = \"{SENDER}\"\n\
             password_file = \"{}\"\nfrom = \"Postern <{SENDER}>\"\nfirst_retry = \"200ms\"\ntimeout = \"20 s\"\n\n",
            postfix.smtps,
            certificates.authority.display(),
            file.display()
        );
        let sections = format!("{SECTIONS}\n[manager]\norigin = \"{ORIGIN}\"\n{}", edit(mail));
        let route = Route {
            name: "main",
            domains: Vec::new(),
            imap: (&dovecot, Login::MasterUser),
            smtp: (&postfix, Login::Xclient),
        };
        let settings = Settings {
            routes: vec![route],
            proxy_listener: false,
            sections: &sections,
        };
        let postern = Postern::start(&certificates, &settings)?;
        postern.add_secret(&password);
        let store = sqlite::Config {
            path: postern.data().join("postern.db"),
            readers: 1,
            busy_timeout: Duration::from_secs(5),
        };
        Ok(Self {
            keys: Keyring::load(&postern.data().join("server.key"))?,
            store: SqliteStore::open(&store, Clock::system())?,
            runtime: tokio::runtime::Runtime::new()?,
            postern,
            postfix,
            dovecot,
            certificates,
            _dir: dir,
        })
    }

    /// Puts a mail as another process would.
    pub(super) fn put(&self, content: &Content, to: &str, language: Language) -> anyhow::Result<MailId> {
        let to = Address::parse(to)?;
        let recipient = Recipient { address: &to, language };
        let mail = content.sealed(recipient, None, &self.keys)?;
        Ok(self.runtime.block_on(self.store.put_mail(&mail))?)
    }

    /// A fresh secret for a link, which the daemon must show nowhere.
    pub(super) fn token(&self) -> anyhow::Result<(Token, String)> {
        let text = format!("psi_{}{}", random_word()?, random_word()?);
        self.postern.add_secret(&text);
        Ok((Token::new(Secret::new(text.clone()))?, text))
    }

    /// Invites somebody: the mail's id, and the link's secret.
    pub(super) fn invite(&self, to: &str) -> anyhow::Result<(MailId, String)> {
        let (token, text) = self.token()?;
        let content = Content::Invitation(Invitation {
            // What a mail program would decode to a character that turns text round.
            by: "Sophie =?utf-8?q?=E2=80=AE?= Martin".to_owned(),
            org: "Acme".to_owned(),
            role: Role::Member,
            accesses: vec![Access {
                mailbox: Address::parse("contact@acme.test")?,
                rights: "see-devices,add-own-devices".parse()?,
                ends_at: None,
            }],
            expires_at: in_days(7),
            token,
        });
        Ok((self.put(&content, to, Language::English)?, text))
    }

    /// A mail as the command line shows it.
    pub(super) fn shown(&self, id: MailId) -> anyhow::Result<Value> {
        let listed = self.postern.cli(&["mail", "list", "--json"])?.ok()?;
        let listed: Value = serde_json::from_str(&listed)?;
        let mails = listed["mails"].as_array().context("no list of mails")?;
        let mail = mails.iter().find(|mail| mail["id"] == id.to_string().as_str());
        mail.cloned().context("the mail is not listed")
    }

    /// Waits until a mail is in this state and was tried at least so often. One that waits for a further attempt says why.
    pub(super) fn wait_for(&self, id: MailId, state: &str, attempts: i64) -> anyhow::Result<Value> {
        let what = format!("the mail is {state} after {attempts} attempts");
        wait::until(&what, || {
            let mail = self.shown(id)?;
            let told = state != "queued" || mail["last_error"].is_string();
            let reached = told && mail["state"] == state && mail["attempts"].as_i64() >= Some(attempts);
            Ok(reached.then_some(mail))
        })
    }

    /// All mails that were delivered, once Postfix has nothing left to do.
    pub(super) fn delivered(&self) -> anyhow::Result<Vec<String>> {
        self.postfix.wait_for_empty_queue()?;
        self.dovecot.messages(LUCIE)
    }

    /// The value of one metric, 0 where it is not there.
    pub(super) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let mut wire = crate::kit::wire::Wire::connect(self.postern.port("operations")?)?;
        wire.send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let text = String::from_utf8(wire.rest()?)?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(line.map(str::parse).transpose()?.unwrap_or(0.0))
    }
}

/// What is the same for each Postfix here.
pub(super) fn settings<'a>(dovecot: &'a Dovecot, answers: Vec<(&'a str, &'a str)>) -> postfix::Settings<'a> {
    postfix::Settings {
        domains: vec![("acme.test", dovecot), ("private.test", dovecot)],
        answers,
        ..Default::default()
    }
}

/// A moment to come.
pub(super) fn in_days(days: u64) -> Timestamp {
    Clock::system().utc().plus(Duration::from_secs(days * 86_400))
}

/// A mail as Python's library reads it.
pub(super) fn parsed(mail: &str) -> anyhow::Result<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/mail_parts.py");
    let read = process::run_with_input(Command::new("python3").arg(script), mail)?;
    Ok(serde_json::from_str(&read)?)
}
