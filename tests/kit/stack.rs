//! All of it together: Postern in front of one Dovecot and one Postfix.

use std::fmt::Write as _;

use super::certificates::{Certificates, SERVER_NAME};
use super::dovecot::Dovecot;
use super::http::Browser;
use super::imap::Imap;
use super::ports;
use super::postern::{Device, Login, Postern, Route, Settings};
use super::postfix::{self, Postfix};
use super::smtp::Smtp;
use super::work_dir::WorkDir;

/// The mail domain of a stack.
pub(crate) const DOMAIN: &str = "acme.test";
/// Where people have mail of their own, at the same store; Postern knows nothing of it.
pub(crate) const PRIVATE: &str = "private.test";
/// Who mails of the Manager are from: a user of Postfix.
const SENDER: &str = "postern@acme.test";
/// How often a start is tried again with a fresh port for the Manager, which must know its own before it binds it.
const ATTEMPTS: usize = 5;

/// How Postern logs in at a stack's servers, and what else its configuration says.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// At Dovecot.
    pub(crate) imap: Login,
    /// At Postfix.
    pub(crate) smtp: Login,
    /// Alias and mailbox, as Postfix delivers.
    pub(crate) aliases: Vec<(&'a str, &'a str)>,
    /// See [`Settings::proxy_listener`].
    pub(crate) proxy_listener: bool,
    /// See [`Settings::sections`].
    pub(crate) sections: &'a str,
    /// The Manager, in clear on a loopback port, and its mail through Postfix.
    pub(crate) manager: bool,
}

impl Default for Plan<'_> {
    fn default() -> Self {
        Self {
            imap: Login::Authzid,
            smtp: Login::Xclient,
            aliases: Vec::new(),
            proxy_listener: false,
            sections: "",
            manager: false,
        }
    }
}

/// The three servers. Postern ends first.
#[derive(Debug)]
pub(crate) struct Stack {
    /// The gateway.
    pub(crate) postern: Postern,
    /// The submission server behind it.
    pub(crate) postfix: Postfix,
    /// The mail store behind both.
    pub(crate) dovecot: Dovecot,
    /// Trusted by everybody here.
    pub(crate) certificates: Certificates,
    /// Holds the password for the Manager's mail.
    _dir: WorkDir,
}

impl Stack {
    /// Starts the servers; Postern knows one organisation `Acme` with [`DOMAIN`] and no mailbox.
    pub(crate) fn start(plan: &Plan<'_>) -> anyhow::Result<Self> {
        let stack = Self::start_empty(plan)?;
        stack.postern.add_org("Acme", DOMAIN)?;
        Ok(stack)
    }

    /// Starts the servers; Postern knows nobody yet.
    pub(crate) fn start_empty(plan: &Plan<'_>) -> anyhow::Result<Self> {
        let certificates = Certificates::new()?;
        let dovecot = Dovecot::start(&certificates)?;
        let settings = postfix::Settings {
            domains: vec![(DOMAIN, &dovecot), (PRIVATE, &dovecot)],
            aliases: plan.aliases.clone(),
            trust_loopback: plan.smtp == Login::TrustedNetwork,
            ..Default::default()
        };
        let postfix = Postfix::start(&certificates, &settings)?;
        let dir = WorkDir::new("mail")?;
        let mail = if plan.manager {
            mail(&certificates, &dovecot, &postfix, &dir)?
        } else {
            String::new()
        };
        let mut attempt = 1;
        let postern = loop {
            let mut sections = format!("{}\n{mail}", plan.sections);
            if plan.manager {
                let address = format!("127.0.0.1:{}", ports::free()?);
                write!(
                    sections,
                    "[manager]\naddress = \"{address}\"\ntls = false\norigin = \"http://{address}\"\n\n"
                )?;
            }
            let route = Route {
                name: "main",
                domains: vec![],
                imap: (&dovecot, plan.imap),
                smtp: (&postfix, plan.smtp),
            };
            let settings = Settings {
                routes: vec![route],
                proxy_listener: plan.proxy_listener,
                sections: &sections,
            };
            match Postern::start(&certificates, &settings) {
                Err(error) if plan.manager && attempt < ATTEMPTS && format!("{error:#}").contains("in use") => {
                    attempt += 1;
                }
                started => break started?,
            }
        };
        Ok(Self {
            postern,
            postfix,
            dovecot,
            certificates,
            _dir: dir,
        })
    }

    /// Where the Manager answers.
    pub(crate) fn manager(&self) -> anyhow::Result<Browser> {
        Ok(Browser::new(self.postern.port("manager")?))
    }

    /// Adds a mailbox at the store and in Postern; gives its own password at the store.
    pub(crate) fn add_mailbox(&self, address: &str) -> anyhow::Result<String> {
        self.postern.add_mailbox(address)?;
        self.dovecot.add_mailbox(address)
    }

    /// A greeted IMAP connection to Postern over TLS.
    pub(crate) fn imap(&self) -> anyhow::Result<Imap> {
        Imap::connect_tls(self.postern.port("imaps")?, &self.certificates)
    }

    /// The same, logged in and with the INBOX open.
    pub(crate) fn inbox(&self, device: &Device) -> anyhow::Result<Imap> {
        let mut imap = self.imap()?;
        imap.login(&device.address, &device.password)?.ok()?;
        imap.command("SELECT INBOX")?.ok()?;
        Ok(imap)
    }

    /// A greeted submission connection to Postern over TLS, after EHLO.
    pub(crate) fn smtp(&self) -> anyhow::Result<Smtp> {
        let mut smtp = Smtp::connect_tls(self.postern.port("submissions")?, &self.certificates)?;
        smtp.ehlo()?.expect(250)?;
        Ok(smtp)
    }

    /// The same, logged in.
    pub(crate) fn submission(&self, device: &Device) -> anyhow::Result<Smtp> {
        let mut smtp = self.smtp()?;
        smtp.auth_plain(&device.address, &device.password)?.expect(235)?;
        Ok(smtp)
    }
}

/// The `[mail]` section: Postfix takes the Manager's mail over TLS, with a user and a password.
fn mail(certificates: &Certificates, dovecot: &Dovecot, postfix: &Postfix, dir: &WorkDir) -> anyhow::Result<String> {
    let password = dir.write_secret("mail.password", &dovecot.add_mailbox(SENDER)?)?;
    Ok(format!(
        "[mail]\nhost = \"{SERVER_NAME}\"\nport = {}\nca = \"{}\"\nusername = \"{SENDER}\"\npassword_file = \"{}\"\n\
         from = \"Postern <{SENDER}>\"\nfirst_retry = \"200ms\"\n\n",
        postfix.smtps,
        certificates.authority.display(),
        password.display()
    ))
}
