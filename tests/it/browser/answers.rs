//! What scripts can ask for: mail that came, mail programs, the daemon's command line and files.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use ::postern::clock::Clock;
use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use super::programs::Phone;
use super::site::Manager;
use crate::kit::imap::Imap;
use crate::kit::message::Message;
use crate::kit::smtp::Smtp;
use crate::kit::{process, wait};

/// The servers, and what is held open on a script's behalf.
pub(super) struct Answers {
    /// Signed-in mail programs, by the name that the script gave them.
    phones: BTreeMap<String, Phone>,
    /// Mails that were handed to the script, by address.
    read: BTreeMap<String, Vec<String>>,
    /// Mails as they were understood, by their text.
    understood: BTreeMap<String, Value>,
    pub(super) site: Manager,
}

impl Answers {
    pub(super) fn new(site: Manager) -> Self {
        Self {
            phones: BTreeMap::new(),
            read: BTreeMap::new(),
            understood: BTreeMap::new(),
            site,
        }
    }

    /// Ends everything; the gateway's own end is a search for secrets.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.phones.clear();
        self.site.postern.search_secrets()
    }

    /// Answers one question.
    pub(super) fn answer(&mut self, asked: &Value) -> anyhow::Result<Value> {
        let text = |name: &str| -> anyhow::Result<&str> {
            asked[name]
                .as_str()
                .with_context(|| format!("the question lacks `{name}`: {asked}"))
        };
        match text("ask")? {
            "set-up-link" => self.set_up_link(),
            "secret" => {
                self.site.postern.add_secret(text("secret")?);
                Ok(Value::Null)
            }
            "mail" => self.mail(text("to")?, text("subject")?),
            "no-mail" => self.no_mail(text("to")?),
            "imap" => self.imap(text("name")?, text("address")?, text("password")?),
            "farewell" => self.farewell(text("name")?),
            "refused" => self.refused(text("address")?, text("password")?),
            "send" => self.send(text("address")?, text("password")?, text("to")?),
            "cli" => self.cli(asked),
            "sql" => self.sql(text("sql")?),
            "failed-mail" => self.failed_mail(text("to")?),
            // Nothing is asked: it says where the script has come to.
            "at" => Ok(Value::Null),
            other => bail!("nobody knows what `{other}` asks for"),
        }
    }

    /// The link that the daemon has laid down for the first owner.
    fn set_up_link(&self) -> anyhow::Result<Value> {
        let file = self.site.postern.data().join("set-up-link");
        let link = wait::until("the set-up link is there", || Ok(fs::read_to_string(&file).ok()))?;
        Ok(link.trim().into())
    }

    /// The next mail to this address whose subject has these words; what is older and was not asked for is left.
    fn mail(&mut self, to: &str, subject: &str) -> anyhow::Result<Value> {
        let read = self.read.entry(to.to_owned()).or_default();
        let (dovecot, understood) = (&self.site.dovecot, &mut self.understood);
        let mut others = Vec::new();
        let found = wait::until(
            &format!("a mail to {to} with the subject \"{subject}\" arrives"),
            || {
                others.clear();
                for mail in dovecot.messages(to)? {
                    if read.contains(&mail) {
                        continue;
                    }
                    let parsed = match understood.get(&mail) {
                        Some(parsed) => parsed.clone(),
                        None => understood.entry(mail.clone()).or_insert(parsed(&mail)?).clone(),
                    };
                    let told = parsed["headers"]["subject"][0].as_str().unwrap_or_default().to_owned();
                    if told.contains(subject) {
                        return Ok(Some((mail, parsed)));
                    }
                    others.push(told);
                }
                Ok(None)
            },
        );
        let (mail, parsed) = found.with_context(|| format!("{to} has {others:?} besides"))?;
        read.push(mail);
        let part = |kind: &str| {
            let mut parts = parsed["parts"].as_array().into_iter().flatten();
            parts
                .find(|part| part["type"] == kind)
                .map_or(Value::Null, |part| part["text"].clone())
        };
        ensure!(parsed["defects"] == json!([]), "the mail is not well formed: {parsed}");
        let text = part("text/plain");
        let link = text
            .as_str()
            .and_then(|text| text.lines().find(|line| line.starts_with("https://")))
            .map(str::to_owned);
        if let Some(secret) = link.as_deref().and_then(|link| link.rsplit('/').next()) {
            // The link of a notice leads to a page, and is no secret.
            if secret.len() > 30 {
                self.site.postern.add_secret(secret);
            }
        }
        Ok(json!({
            "subject": parsed["headers"]["subject"][0],
            "from": parsed["headers"]["from"][0],
            "language": parsed["headers"]["content-language"][0],
            "text": text,
            "html": part("text/html"),
            "link": link,
        }))
    }

    /// Fails where a mail to this address waits that nobody has read, once everything on its way has arrived.
    fn no_mail(&self, to: &str) -> anyhow::Result<Value> {
        let postern = &self.site.postern;
        wait::until("the outbox is empty", || {
            let listed: Value = serde_json::from_str(&postern.cli(&["mail", "list", "--json"])?.ok()?)?;
            let waits = |mail: &Value| mail["state"] == "queued";
            let mails = listed["mails"].as_array().context("no list of mails")?;
            Ok((!mails.iter().any(waits)).then_some(()))
        })?;
        self.site.postfix.wait_for_empty_queue()?;
        let read = self.read.get(to);
        for mail in self.site.dovecot.messages(to)? {
            ensure!(
                read.is_some_and(|read| read.contains(&mail)),
                "{to} got a mail:\n{mail}"
            );
        }
        Ok(Value::Null)
    }

    /// Waits until a mail to this address was given up.
    fn failed_mail(&self, to: &str) -> anyhow::Result<Value> {
        wait::until("the mail was given up", || {
            let listed = self
                .site
                .postern
                .cli(&["mail", "list", "--state", "failed", "--json"])?
                .ok()?;
            let listed: Value = serde_json::from_str(&listed)?;
            let mails = listed["mails"].as_array().context("no list of mails")?;
            Ok(mails.iter().any(|mail| mail["to"] == to).then_some(Value::Null))
        })
    }

    fn imap(&mut self, name: &str, address: &str, password: &str) -> anyhow::Result<Value> {
        let phone = Phone::sign_in(&self.site, address, password)?;
        self.phones.insert(name.to_owned(), phone);
        Ok(Value::Null)
    }

    fn farewell(&mut self, name: &str) -> anyhow::Result<Value> {
        let phone = self.phones.remove(name).context("no such mail program")?;
        phone.farewell().map(Value::from)
    }

    /// What IMAP and submission say to a password that they no longer take.
    fn refused(&self, address: &str, password: &str) -> anyhow::Result<Value> {
        let site = &self.site;
        let mut imap = Imap::connect_tls(site.postern.port("imaps")?, &site.certificates)?;
        let imap = imap.login(address, password)?.status;
        let mut smtp = Smtp::connect_tls(site.postern.port("submissions")?, &site.certificates)?;
        smtp.ehlo()?.expect(250)?;
        let smtp = smtp.auth_plain(address, password)?;
        Ok(json!({ "imap": imap, "smtp": format!("{} {}", smtp.code, smtp.lines.join(" ")) }))
    }

    /// Submits a mail and waits until Postfix has delivered it to the store behind.
    fn send(&self, address: &str, password: &str, to: &str) -> anyhow::Result<Value> {
        let site = &self.site;
        let mut smtp = Smtp::connect_tls(site.postern.port("submissions")?, &site.certificates)?;
        smtp.ehlo()?.expect(250)?;
        smtp.auth_plain(address, password)?.expect(235)?;
        let message = Message::new(address, to, 5)?;
        smtp.deliver(&message)?.expect(250)?;
        let delivered = site.dovecot.wait_for_message(to, &message.marker)?;
        message.check(&delivered)?;
        Ok(message.marker.into())
    }

    /// Runs a command of the daemon's own program; gives what it printed.
    fn cli(&self, asked: &Value) -> anyhow::Result<Value> {
        let arguments: Vec<&str> = asked["arguments"]
            .as_array()
            .context("the question lacks `arguments`")?
            .iter()
            .filter_map(Value::as_str)
            .collect();
        Ok(self.site.postern.cli(&arguments)?.ok()?.into())
    }

    /// Changes the store behind the daemon's back: the only way to let a week pass. Gives the number of rows.
    fn sql(&self, statement: &str) -> anyhow::Result<Value> {
        let store = rusqlite::Connection::open(self.site.postern.data().join("postern.db"))?;
        store.busy_timeout(Duration::from_secs(10))?;
        let now = Clock::system().utc().0;
        Ok(store.execute(&statement.replace("NOW", &now.to_string()), [])?.into())
    }
}

/// A mail as Python's library reads it.
fn parsed(mail: &str) -> anyhow::Result<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/mail_parts.py");
    let read = process::run_with_input(Command::new("python3").arg(script), mail)?;
    Ok(serde_json::from_str(&read)?)
}
